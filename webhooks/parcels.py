"""What travels through the engine: a delivery with its body, and what came of one attempt at it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from db.cursors import rfc3339
from db.ids import made_at


@dataclass(slots=True)
class Parcel:
    """A delivery in this worker's hands. `retries` counts the attempts since it was last asked for."""

    id: str
    event_id: str
    endpoint_id: str
    resource_id: str
    ordered: bool
    attempts: int
    retries: int
    body: bytes

    @property
    def event_made_at(self) -> float:
        """When its event was written, in seconds since the epoch."""
        return made_at(self.event_id)


@dataclass(slots=True)
class Tried:
    """One attempt and what follows from it. `wait` None: there is nothing more to do."""

    parcel: Parcel
    url: str
    outcome: str
    started_at: datetime
    duration_ms: int
    status: int | None = None
    error: str | None = None
    request_headers: dict[str, str] = field(default_factory=dict)
    response_headers: dict[str, str] = field(default_factory=dict)
    response_body: bytes = b""
    wait: float | None = None

    @property
    def next_status(self) -> str:
        """The delivery's status from now on."""
        if self.outcome == "delivered":
            return "delivered"
        return "failed" if self.wait is None else "waiting"


def body_of(event: Any) -> bytes:
    """The bytes that are posted for an event (a row whose `payload` is JSON text), the same at every attempt."""
    return (
        f'{{"id":"{event["event_id"]}","type":"{event["type"]}","version":"{event["version"]}",'
        f'"occurred_at":"{rfc3339(event["occurred_at"])}",'
        f'"resource":{{"id":"{event["resource_id"]}","sequence":{event["resource_sequence"]}}},'
        f'"data":{event["payload"]}}}'
    ).encode()
