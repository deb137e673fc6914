"""Redirect URIs: which may be registered, and which of those an authorization request names (RFC 9700 section 2.1)."""

from typing import Final
from urllib.parse import SplitResult, urlsplit

LOOPBACK: Final = ("127.0.0.1", "[::1]")
_LOCALHOST: Final = (*LOOPBACK, "localhost")


def check_redirect_uri(uri: str, environment: str) -> str | None:
    """Why a URI cannot be registered, or None where it can: https, http on this machine, or an app's own scheme (RFC 8252)."""
    parts = _split(uri)
    if parts is None or not parts.scheme or "#" in uri or "*" in uri or "\\" in uri:
        return f"{uri!r} is no redirect URI: it must be absolute, without fragment or wildcard."
    if parts.username is not None or parts.password is not None:
        return f"{uri!r} carries credentials; a redirect URI must not."
    if parts.scheme == "https":
        return None if parts.hostname else f"{uri!r} names no host."
    if parts.scheme == "http":
        local = _host(parts) in _LOCALHOST
        return None if local else f"{uri!r} must be https; http is for 127.0.0.1, [::1] and localhost alone."
    if "." in parts.scheme:  # RFC 8252 section 7.1: a scheme made of a domain that the app's maker owns
        return None
    return (
        f"{uri!r} has a scheme that any app could claim; use https or a reversed domain such as com.example.app:/back."
    )


def matches(asked: str, registered: tuple[str, ...]) -> bool:
    """Whether a request's URI is a registered one: the same, character by character, but for the port of a loopback address."""
    return asked in registered or any(_same_but_port(asked, known) for known in registered)


def _same_but_port(asked: str, known: str) -> bool:
    a, b = _split(asked), _split(known)
    if a is None or b is None or b.scheme != "http" or _host(b) not in LOOPBACK:
        return False
    return a._replace(netloc="") == b._replace(netloc="") and a.netloc == _netloc(a) and _host(a) == _host(b)


def _netloc(parts: SplitResult) -> str:
    return _host(parts) if parts.port is None else f"{_host(parts)}:{parts.port}"


def _host(parts: SplitResult) -> str:
    host = parts.hostname or ""
    return f"[{host}]" if ":" in host else host


def _split(uri: str) -> SplitResult | None:
    if not uri.isascii() or not uri.isprintable() or " " in uri or len(uri) > 2000:
        return None
    try:
        parts = urlsplit(uri)
        _ = parts.port
    except ValueError:
        return None
    return parts
