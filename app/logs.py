"""Structured logs: one JSON object a line on standard error. A traceback never carries the values of variables."""

import sys
from typing import Any

import orjson
import structlog


def _dumps(entry: dict[str, Any], **_: Any) -> bytes:
    return orjson.dumps(entry, default=str)


def configure_logs() -> None:
    """Sets structlog up for this process."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(serializer=_dumps),
        ],
        logger_factory=structlog.BytesLoggerFactory(sys.stderr.buffer),
        cache_logger_on_first_use=False,
    )
