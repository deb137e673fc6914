"""What only an earlier answer can give is not made up: cursors, validators; and a key is new for each request."""

from typing import Any
from uuid import uuid4

import schemathesis


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Runs before each request."""
    del context, kwargs
    for name in ("If-Match", "If-None-Match", "Idempotency-Key"):
        if name in (case.headers or {}):
            del case.headers[name]
    if case.method == "POST":
        case.headers["Idempotency-Key"] = uuid4().hex
    if case.query and len(str(case.query.get("cursor", ""))) <= 2000:
        case.query.pop("cursor", None)
