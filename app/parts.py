"""What one process's application is made of, once it is opened. Commands need these and no surface."""

from dataclasses import dataclass, field
from pathlib import Path

from app.access_log import AccessLog
from app.metrics import Metrics
from app.settings import ROOT
from auth.identity import Identity
from db.sessions import Database
from resolvers.platform import Platform
from wire.streams import OpenStreams


@dataclass(frozen=True)
class Parts:
    """What the application is made of; `open_parts` in `app.runtime` makes them from the settings."""

    db: Database
    identity: Identity
    platform: Platform
    metrics: Metrics
    access_log: AccessLog | None = None
    plans: bool = True
    dist: Path = ROOT / "web" / "dist"
    streams: OpenStreams = field(default_factory=OpenStreams)
