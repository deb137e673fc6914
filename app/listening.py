"""Brings a partner's sandbox events to an address that the sandbox cannot reach, such as one on a laptop.

Events are read from the log's stream and posted on, signed as deliveries are, so a receiver is built and tried without a public
address. Blocking: it is a program of its own.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import orjson

from webhooks.signing import SigningKey, sign

_TIMEOUT = 15
_SILENCE = 45  # the stream says at least every 15 seconds that it lives
_AGAIN = 2.0


class Refused(Exception):
    """The API does not let this token or key read events; the message says why."""


@dataclass
class Listener:
    """Where events are read and with which token or key, where they go, and what signs them."""

    api: str
    token: str
    forward_to: str
    key: SigningKey
    say: Callable[[str], None] = print
    cursor: str | None = None

    def run(self, *, most: int | None = None) -> None:
        """Forwards events from now on, `most` of them, or until it is interrupted; goes on where a connection broke."""
        since, done = datetime.now(UTC).isoformat(), 0
        while most is None or done < most:
            for event in self._read(since):
                self._forward(event)
                done += 1
                if done == most:
                    return

    def _read(self, since: str) -> Iterator[dict[str, Any]]:
        """The events of one connection."""
        headers = {"Authorization": f"Bearer {self.token}", "Accept": "text/event-stream"}
        if self.cursor is not None:
            headers["Last-Event-ID"] = self.cursor
        request = Request(f"{self.api}/v1/events?{urlencode({'since': since})}", headers=headers)  # noqa: S310
        try:
            with urlopen(request, timeout=_SILENCE) as answer:  # noqa: S310 - the caller's own address
                yield from self._events(answer)
        except HTTPError as error:
            if error.code < 500 and error.code != 429:
                raise Refused(_detail(error.read())) from None
            time.sleep(float(error.headers.get("retry-after") or _AGAIN))
        except (OSError, HTTPException) as error:
            self.say(f"{self.api} does not answer ({getattr(error, 'reason', error)}); trying again")
            time.sleep(_AGAIN)

    def _events(self, lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
        """Server-sent events, of whose fields these streams use three."""
        fields: dict[bytes, bytes] = {}
        for line in lines:
            name, _, value = line.rstrip(b"\r\n").partition(b": ")
            if name:
                fields[name] = value
                continue
            if fields.get(b"event") == b"problem":
                raise Refused(_detail(fields[b"data"]))
            if b"data" in fields:
                yield orjson.loads(fields[b"data"])
            if b"id" in fields:  # only now has the event been dealt with
                self.cursor = fields[b"id"].decode()
            fields = {}

    def _forward(self, event: dict[str, Any]) -> None:
        body, now = orjson.dumps(event), int(time.time())
        headers = {
            "content-type": "application/json",
            "webhook-id": event["id"],
            "webhook-timestamp": str(now),
            "webhook-signature": sign([self.key], event["id"], now, body),
        }
        try:
            with urlopen(Request(self.forward_to, body, headers, method="POST"), timeout=_TIMEOUT) as answer:  # noqa: S310
                told = str(answer.status)
        except HTTPError as error:
            told = str(error.code)
        except (URLError, OSError) as error:
            told = f"not reached: {getattr(error, 'reason', error)}"
        self.say(f"{event['type']}  {event['id']}  {told}")


def _detail(body: bytes) -> str:
    """What a problem document says."""
    try:
        return str(orjson.loads(body)["detail"])
    except (ValueError, KeyError, TypeError):
        return body[:200].decode("utf-8", "replace")
