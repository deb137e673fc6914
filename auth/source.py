"""Where a request comes from and what it is for: what credentials with conditions are checked against."""

from dataclasses import dataclass
from ipaddress import ip_address, ip_network


@dataclass(frozen=True, slots=True)
class Source:
    """One request: the caller's address, and the method and path that a DPoP proof must name."""

    address: str = ""
    method: str = ""
    path: str = ""
    proof: str | None = None


NOWHERE = Source()
FOREIGN_ADDRESS = "This client may not call from your address; its owner keeps a list of those that may."


def is_allowed(address: str, allowed: tuple[str, ...]) -> bool:
    """Whether an address is one of these, or in one of these networks; an empty list allows every one."""
    if not allowed:
        return True
    try:
        found = ip_address(address)
    except ValueError:
        return False
    found = getattr(found, "ipv4_mapped", None) or found
    return any(found in ip_network(network) for network in allowed)


def check_networks(texts: tuple[str, ...]) -> str | None:
    """Why a list of addresses and networks cannot be, or None where it can."""
    for text in texts:
        try:
            ip_network(text)
        except ValueError:
            return f"{text!r} is no address and no network such as 192.0.2.0/24 or 2001:db8::/32."
    return None
