"""Where links lead: whatever the address, the click's id joins its query and nothing else moves."""

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolvers.destinations import web_address, with_click

CLICK = "clk_01JD3T8Q5YB9N7K0V2M4XWZC6R"
_PART = st.text("abcXYZ019-._~!$'()*+,;:@/?%&=", max_size=20)
_QUERY = st.none() | _PART
_FRAGMENT = st.none() | st.text("abc019-._~!$&'()*+,;=:@/?%", max_size=20)


@st.composite
def addresses(draw) -> tuple[str, str | None, str | None]:
    """(address before its query, query, fragment)."""
    path = draw(st.text("abcXYZ019-._~/!$&'()*+,;=:@%", max_size=20))
    host = draw(st.sampled_from(["example.com", "shop.example", "127.0.0.1:8080", "[::1]", "EXAMPLE.com"]))
    return f"https://{host}/{path}", draw(_QUERY), draw(_FRAGMENT)


@given(addresses())
def test_only_the_query_grows_and_only_by_the_click(parts):
    base, query, fragment = parts
    address = base + (f"?{query}" if query is not None else "") + (f"#{fragment}" if fragment is not None else "")
    made = with_click(address, CLICK)
    before, after = urlsplit(address), urlsplit(made)
    assert (after.scheme, after.netloc, after.path) == (before.scheme, before.netloc, before.path)
    assert made.partition("#")[1:] == address.partition("#")[1:]
    assert parse_qsl(after.query, keep_blank_values=True) == [
        *parse_qsl(before.query, keep_blank_values=True),
        ("fsh_click", CLICK),
    ]
    assert after.query == (f"{query}&fsh_click={CLICK}" if query else f"fsh_click={CLICK}")


@given(addresses())
def test_an_older_click_makes_way(parts):
    base, query, fragment = parts
    tail = f"#{fragment}" if fragment is not None else ""
    address = f"{base}?{query or 'a=1'}{tail}"
    assert with_click(with_click(address, "clk_old"), CLICK) == with_click(address, CLICK)


@given(st.text(max_size=40))
def test_whatever_follows_the_host_fits_a_header(text: str):
    try:
        address = web_address(f"https://example.com/{text}")
    except ValueError:
        return
    made = with_click(address, CLICK)
    assert made.isascii()
    assert made.isprintable()
    assert " " not in made
    assert urlsplit(made).hostname == "example.com"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("https://example.com", "https://example.com"),
        ("https://example.com/a/../b?x=[1]#y", "https://example.com/a/../b?x=[1]#y"),
        ("https://exämple.com/ä?q=ü", "https://xn--exmple-cua.com/%C3%A4?q=%C3%BC"),
        ("https://a.example\\@b.example/", "https://a.example/@b.example/"),
    ],
)
def test_an_address_stays_as_given_where_it_can(value: str, expected: str):
    assert web_address(value) == expected


@pytest.mark.parametrize(
    "value", ["https://", "https://user@example.com/", "https://google.com:x@evil.example", "https://[x"]
)
def test_what_is_no_address_is_refused(value: str):
    with pytest.raises(ValueError, match="must"):
        web_address(value)
