"""Which addresses the platform may be made to call. Everything not plainly public is refused.

Sources: the IANA special-purpose address registries (RFC 6890 and its updates); for IPv6 only global unicast
(2000::/3) is public, which leaves out loopback, link-local, unique-local, mapped (::ffff:0:0/96) and NAT64 forms.
"""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final
from urllib.parse import urlsplit

Address = IPv4Address | IPv6Address

_V4_CLOSED: Final = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
            "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16",
            "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        ),
    )
)  # fmt: skip
_V6_OPEN: Final = IPv6Network("2000::/3")
# Inside 2000::/3, yet not public or a wrapper around an IPv4 address: Teredo and friends, documentation, 6to4.
_V6_CLOSED: Final = tuple(
    map(IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20"))
)
# Services that answer to bytes sent by strangers in ways nobody wants (databases, caches, mail, shells).
_ODD_PORTS: Final = frozenset(
    {1433, 1521, 2049, 2375, 2376, 2379, 3306, 3389, 4222, 5432, 5672, 5900, 5984, 6379, 6443, 6667, 7001, 8500, 9042}
    | {9092, 9200, 9300, 10250, 11211, 27017, 50070}
)
_FIRST_FREE_PORT: Final = 1024
_LONGEST: Final = 2048


class RefusedAddress(ValueError):
    """An address or URL that is never called. The message says what would be right."""


@dataclass(frozen=True)
class Target:
    """Where a URL leads: `host` without brackets, in ASCII; `path` with its query."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """The `Host` header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = {"http": 80, "https": 443}[self.scheme]
        return host if self.port == usual else f"{host}:{self.port}"


@dataclass(frozen=True)
class Rules:
    """What a deployment allows: loopback only in the sandbox, plain http only there too."""

    allow_loopback: bool = False
    allow_http: bool = True

    def admits(self, address: Address) -> bool:
        """Whether a connection to this address may be opened."""
        if self.allow_loopback and address.is_loopback:
            return True
        if isinstance(address, IPv4Address):
            return not any(address in network for network in _V4_CLOSED)
        return address in _V6_OPEN and not any(address in network for network in _V6_CLOSED)

    def target(self, url: str) -> Target:
        """Takes a URL apart. RefusedAddress for whatever could never be called, whoever the host turns out to be."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise RefusedAddress("is not a URL") from error
        self._check_form(url, parts.scheme, parts.username, parts.fragment)
        host = _ascii_host(parts.hostname or "")
        number = port if port is not None else {"http": 80, "https": 443}[parts.scheme]
        self._check_place(host, number)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return Target(parts.scheme, host, number, path)

    def _check_form(self, url: str, scheme: str, username: str | None, fragment: str) -> None:
        if len(url) > _LONGEST:
            raise RefusedAddress(f"must be no longer than {_LONGEST} characters")
        if scheme not in ({"https", "http"} if self.allow_http else {"https"}):
            raise RefusedAddress("must start with https://" + (" or http://" if self.allow_http else ""))
        if username is not None:
            raise RefusedAddress("must not carry a user name or password")
        if fragment:
            raise RefusedAddress("must not have a fragment (#…)")
        if not url.isascii() or any(character <= " " or character in "\\\x7f" for character in url):
            raise RefusedAddress("must be ASCII without spaces; percent-encode the rest")

    def _check_place(self, host: str, port: int) -> None:
        if port in _ODD_PORTS or not (port in {80, 443} or port >= _FIRST_FREE_PORT):
            raise RefusedAddress(f"must use port 80, 443 or one from {_FIRST_FREE_PORT} up that no database listens on")
        literal = literal_of(host)
        if literal is not None and not self.admits(literal):
            raise RefusedAddress(f"must lead to a public address, and {host} is none")
        if literal is None and _looks_numeric(host):
            raise RefusedAddress(f"must name its host plainly; {host} is an odd way to write a number")
        if host.rstrip(".").split(".")[-1] == "localhost" and not self.allow_loopback:
            raise RefusedAddress("must lead to a public address, and localhost is none")


def literal_of(host: str) -> Address | None:
    """The address a host spells out in its canonical form, or None."""
    try:
        return ip_address(host)
    except ValueError:
        return None


def _looks_numeric(host: str) -> bool:
    last = host.rstrip(".").split(".")[-1]
    return last.isdigit() or last.startswith("0x") or ":" in host


def _ascii_host(host: str) -> str:
    if not host or "%" in host:
        raise RefusedAddress("must name a host")
    if ":" in host:
        return host
    try:
        return host.encode("idna").decode().lower()
    except UnicodeError as error:
        raise RefusedAddress("must name a host that exists in DNS") from error
