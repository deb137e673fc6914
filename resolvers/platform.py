"""The parts of the running program that resolvers need and that do not change from request to request."""

from dataclasses import dataclass, field
from typing import Literal

from resolvers.releases import Releases
from resolvers.schemas import Schemas
from resolvers.usage import UsageLog
from vault.stores import Stores
from webhooks.addresses import Rules
from webhooks.bell import Bell

Environment = Literal["sandbox", "production"]


@dataclass(frozen=True)
class Platform:
    """Where the platform stands on the web, and which environment it is. URLs have no slash at the end.

    `secret` keys everything that is hashed or signed without a key pair (visitors, try-on tokens), and seals what must
    be read again. `stores`: where files lie. `webhook_rules`: where webhooks may go. `schemas`: GraphQL's schemas as texts.
    `releases`: what was released and what differs; `usage`: what each client uses of it.
    `bell`: wakes who follows a log; None in commands, which follow none.
    """

    public_url: str
    shop_url: str
    environment: Environment
    secret: bytes
    stores: Stores
    webhook_rules: Rules = field(default_factory=Rules)
    schemas: Schemas | None = None
    releases: Releases | None = None
    usage: UsageLog | None = None
    bell: Bell | None = None
