"""What changed between two releases of the API, and which of it touches what a client uses."""

from asyncio import to_thread
from collections.abc import Mapping
from datetime import date

from db.bodies.changes import ChangeBody, ChangesBody, UsedBody
from resolvers.context import Context
from resolvers.errors import DomainError, Fault, Invalid
from resolvers.releases import NEXT, Change, Kind, step_of
from resolvers.usage import Used

# Whoever has a webhook for an event meets what is posted for it, however long ago the webhook was made.
_SUBSCRIBED = """
select unnest(events) as type, count(*) as count, max(coalesce(last_success_at, created_at)) as last_used_at
from webhook_endpoints where owner_id = $1 and client_id = $2 and status <> 'disabled' group by 1
"""
_ORDER: tuple[Kind, ...] = ("breaking", "careful", "deprecated", "added")


class NoReleases(DomainError):
    """The program was put together without descriptions of its releases."""


async def list_changes(ctx: Context, *, old: str | None, new: str | None) -> ChangesBody:
    """The changes from `old` (the newest release) to `new` (what runs), each with the client's own use of the last 30 days.

    Invalid for versions that there are not, or that stand in the wrong order.
    """
    releases, log = ctx.platform.releases, ctx.platform.usage
    if releases is None or log is None:
        raise NoReleases("There are no releases here.")
    known = releases.versions()
    start, end = _position(known, old or known[-2], "/from"), _position(known, new or NEXT, "/to")
    if start > end:
        raise Invalid(Fault("/from", f"must not be later than to, which is {known[end]}"))
    # Documents are read and compared the first time, which takes longer than other requests may wait.
    differing = await to_thread(releases.changes, known[start], known[end])
    standing = await to_thread(releases.deprecated, known[end])
    used = {**await log.of(ctx.viewer.client_id), **await _subscribed(ctx)}
    today = ctx.clock().date()
    told = [_body(change, _joined(change, used), today) for change in _with(differing, standing)]
    return ChangesBody(
        from_version=known[start], to_version=known[end], step=step_of(differing), changes=told,
        touching_you=sum(change.used is not None for change in told),
    )  # fmt: skip


async def _subscribed(ctx: Context) -> dict[str, Used]:
    """The events that the client's webhooks are for, with how many those are and when the last was sent."""
    rows = await ctx.db.fetch(_SUBSCRIBED, [ctx.viewer.user_id, ctx.viewer.client_id])
    return {row["type"]: Used(row["count"], row["last_used_at"], ()) for row in rows}


def _position(known: list[str], version: str, pointer: str) -> int:
    if version not in known:
        raise Invalid(Fault(pointer, f"must be one of {', '.join(known)}"))
    return known.index(version)


def _with(changes: tuple[Change, ...], standing: tuple[Change, ...]) -> list[Change]:
    """The changes, and what was deprecated before them already; what breaks first."""
    told = {(change.surface, change.coordinate) for change in changes if change.kind == "deprecated"}
    more = [change for change in standing if (change.surface, change.coordinate) not in told]
    return sorted([*changes, *more], key=lambda change: _ORDER.index(change.kind))


def _joined(change: Change, used: Mapping[str, Used]) -> Used | None:
    """The client's use of whatever a change touches, as one. Only what is added touches nobody."""
    found = [used[key] for key in change.keys if key in used]
    if not found:
        return None
    operations = sorted({name for use in found for name in use.operations})
    return Used(max(use.count for use in found), max(use.last_used_at for use in found), tuple(operations))


def _body(change: Change, used: Used | None, today: date) -> ChangeBody:
    mark = change.deprecation
    return ChangeBody(
        surface=change.surface, kind=change.kind, coordinate=change.coordinate, message=change.message,
        replacement=mark and mark.replacement, sunset=mark and mark.sunset, days_left=mark and mark.days_left(today),
        used=used and UsedBody(count=used.count, last_used_at=used.last_used_at, operations=list(used.operations)),
    )  # fmt: skip
