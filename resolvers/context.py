"""What a resolver works with: built once a request by the surface, never changed."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
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
    """The viewer, the way to the database, this request's loaders, and the platform's fixed parts.

    `last_event_id`: where the reader of a stream stood when its connection broke. `replays`: of each write that was
    done, whether its answer was a repeated one.
    """

    viewer: Viewer
    db: Database
    loaders: Loaders
    platform: Platform
    request_id: str = ""
    idempotency_key: str | None = None
    clock: Clock = utc_now
    last_event_id: str | None = None
    replays: list[bool] = field(default_factory=list)

    def fresh(self) -> "Context":
        """The same with loaders that have read nothing yet: for what goes on for longer than a request."""
        return replace(self, loaders=Loaders(self.db, self.viewer))

    def require(self, scope: str) -> None:
        """Refuses a token that lacks the scope."""
        if not self.viewer.holds(scope):
            raise InsufficientScope(scope)

    def require_read(self, scope: str) -> None:
        """Refuses a token that may not read what asks for the scope."""
        if not self.viewer.reads(scope):
            raise InsufficientScope(scope)


def new_context(
    viewer: Viewer, db: Database, platform: Platform, *,
    request_id: str = "", idempotency_key: str | None = None, last_event_id: str | None = None,
) -> Context:  # fmt: skip
    """One request's context, with loaders of its own."""
    return Context(viewer, db, Loaders(db, viewer), platform, request_id, idempotency_key, last_event_id=last_event_id)
