"""Who asks: made once from a token or key, then carried through the request."""

from dataclasses import dataclass, field
from typing import Literal

from db.rules import Sight


@dataclass(frozen=True)
class Viewer:
    """The subject user, the client that acts for it, and what the token allows.

    `storefront_ids` None: not narrowed; otherwise the token acts only on these of the user's storefronts.
    `token_id` is the `jti` of the token or the id of the API key. `creator`: the token came of a code that its user, a
    creator, let the client have; an organisation's own tokens and keys did not.
    """

    user_id: str
    client_id: str
    organization_id: str
    scopes: frozenset[str]
    tier: str = "default"
    kind: Literal["token", "api_key"] = "token"
    token_id: str = ""
    storefront_ids: frozenset[str] | None = None
    creator: bool = False
    sight: Sight = field(init=False)

    def __post_init__(self) -> None:
        reads_all = "platform:read" in self.scopes
        sight = Sight(reads_all, self.storefront_ids is not None, self.scopes, self.creator)
        object.__setattr__(self, "sight", sight)

    def holds(self, scope: str) -> bool:
        """Whether the token has this scope."""
        return self.sight.holds(scope)

    def reads(self, scope: str) -> bool:
        """Whether the token may read what asks for this scope."""
        return self.sight.reads(scope)

    def may_write_storefront(self, storefront_id: str, owner_id: str) -> bool:
        """Only owners write, and a narrowed token only in the storefronts it was given."""
        return owner_id == self.user_id and (self.storefront_ids is None or storefront_id in self.storefront_ids)
