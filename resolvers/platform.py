"""The parts of the running program that resolvers need and that do not change from request to request."""

from dataclasses import dataclass
from typing import Literal

from vault.stores import Stores

Environment = Literal["sandbox", "production"]


@dataclass(frozen=True)
class Platform:
    """Where the platform stands on the web, and which environment it is. URLs have no slash at the end.

    `secret` keys everything that is hashed or signed without a key pair (visitors, try-on tokens). `stores`: where files lie.
    """

    public_url: str
    shop_url: str
    environment: Environment
    secret: bytes
    stores: Stores
