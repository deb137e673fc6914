from tests.browser import chromium as chromium
from tests.browser import visit as visit
