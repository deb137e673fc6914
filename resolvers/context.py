"""What a resolver works with: built once a request by the surface, never changed."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from auth.viewer import Viewer
from db.sessions import Database
from resolvers.errors import InsufficientScope
from resolvers.loaders import Loaders
from resolvers.platform import Platform

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Now, in UTC, to the millisecond that the database keeps."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


@dataclass(frozen=True)
class Context:
    """The viewer, the way to the database, this request's loaders, and the platform's fixed parts."""

    viewer: Viewer
    db: Database
    loaders: Loaders
    platform: Platform
    request_id: str = ""
    idempotency_key: str | None = None
    clock: Clock = utc_now

    def require(self, scope: str) -> None:
        """Refuses a token that lacks the scope."""
        if not self.viewer.holds(scope):
            raise InsufficientScope(scope)


def new_context(
    viewer: Viewer, db: Database, platform: Platform, *, request_id: str = "", idempotency_key: str | None = None
) -> Context:
    """One request's context, with loaders of its own."""
    return Context(viewer, db, Loaders(db, viewer), platform, request_id, idempotency_key)
