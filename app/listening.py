"""Brings a partner's sandbox events to an address that the sandbox cannot reach, such as one on a laptop.

Events are read from the log and posted on, signed as deliveries are, so a receiver is built and tried without a public
address. Blocking: it is a program of its own.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import orjson

from webhooks.signing import SigningKey, sign

_WAIT, _TIMEOUT = 20, 15
_AGAIN = 2.0


@dataclass(frozen=True)
class Listener:
    """Where events are read and with which token or key, where they go, and what signs them."""

    api: str
    token: str
    forward_to: str
    key: SigningKey
    say: Callable[[str], None] = print

    def run(self, *, most: int | None = None) -> None:
        """Forwards events from now on, `most` of them, or until it is interrupted."""
        since, cursor, done = datetime.now(UTC).isoformat(), None, 0
        while most is None or done < most:
            page = self._read(since, cursor)
            for event in page["data"]:
                self._forward(event)
                done += 1
            cursor = page["next_cursor"] or cursor

    def _read(self, since: str, cursor: str | None) -> dict[str, Any]:
        query = {"wait": _WAIT, "limit": 100, "since": since} | ({"cursor": cursor} if cursor else {})
        request = Request(f"{self.api}/v1/events?{urlencode(query)}", headers={"Authorization": f"Bearer {self.token}"})  # noqa: S310
        try:
            with urlopen(request, timeout=_WAIT + _TIMEOUT) as answer:  # noqa: S310 - the caller's own address
                page: dict[str, Any] = orjson.loads(answer.read())
                return page
        except HTTPError as error:
            if error.code < 500 and error.code != 429:
                raise
            time.sleep(float(error.headers.get("retry-after") or _AGAIN))
        except URLError as error:
            self.say(f"{self.api} does not answer ({error.reason}); trying again")
            time.sleep(_AGAIN)
        return {"data": [], "next_cursor": cursor}

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
