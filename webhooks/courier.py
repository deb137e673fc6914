"""One attempt: sign, post, and say what came of it and when to try again."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from random import Random
from time import perf_counter
from typing import Final

from webhooks.addresses import RefusedAddress, Rules, Target
from webhooks.client import Answer
from webhooks.lanes import Endpoint
from webhooks.parcels import Parcel, Tried
from webhooks.policy import Schedule, outcome_of, retry_after
from webhooks.signing import sign

Post = Callable[[Target, Mapping[str, str], bytes], Awaitable[Answer]]
AGENT: Final = "FSHNiSTA-Webhooks/1"
_MOST_TARGETS: Final = 10_000


class Courier:
    """Makes attempts. `timeout`: seconds for the whole of one, name look-up included."""

    def __init__(self, post: Post, rules: Rules, schedule: Schedule, timeout: float = 15.0) -> None:
        self._post = post
        self._rules = rules
        self._schedule = schedule
        self._timeout = timeout
        self._targets: dict[str, Target | str] = {}
        self._random = Random()  # noqa: S311 - spreads retries, guards nothing

    async def attempt(self, parcel: Parcel, endpoint: Endpoint) -> Tried:
        """Posts the parcel once. Never raises for what a receiver or the network does."""
        started, clock = datetime.now(UTC), perf_counter()
        headers = self._headers(parcel, endpoint, started)
        tried = Tried(parcel, endpoint.url, "unreachable", started, 0, request_headers=headers)
        target = self._target(endpoint)
        if isinstance(target, str):
            tried.outcome, tried.error = "blocked_address", target
        else:
            await self._send(tried, target, headers)
        tried.duration_ms = int((perf_counter() - clock) * 1000)
        tried.wait = self._wait(tried)
        return tried

    def _target(self, endpoint: Endpoint) -> Target | str:
        if len(self._targets) > _MOST_TARGETS:
            self._targets.clear()
        found = self._targets.get(endpoint.url)
        if found is None:
            found = self._targets[endpoint.url] = endpoint.target(self._rules)
        return found

    async def _send(self, tried: Tried, target: Target, headers: Mapping[str, str]) -> None:
        try:
            async with asyncio.timeout(self._timeout):
                answer = await self._post(target, headers, tried.parcel.body)
        except TimeoutError:
            tried.outcome, tried.error = "timeout", f"no complete answer within {self._timeout:g} seconds"
        except RefusedAddress as error:
            tried.outcome, tried.error = "blocked_address", str(error)
        except (OSError, ValueError) as error:
            tried.error = str(error) or type(error).__name__
        else:
            tried.outcome, tried.status = outcome_of(answer.status), answer.status
            tried.response_headers, tried.response_body = answer.headers, answer.body
            if tried.outcome != "delivered":
                tried.error = _refusal(answer)

    def _headers(self, parcel: Parcel, endpoint: Endpoint, now: datetime) -> dict[str, str]:
        timestamp = int(now.timestamp())
        keys = [key for key in endpoint.keys if key.alive(now)]
        return {
            "content-type": "application/json",
            "user-agent": AGENT,
            "webhook-id": parcel.event_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": sign(keys, parcel.event_id, timestamp, parcel.body),
        }

    def _wait(self, tried: Tried) -> float | None:
        if tried.outcome in {"delivered", "gone"}:
            return None
        asked = retry_after(tried.response_headers, datetime.now(UTC))
        return self._schedule.wait(tried.parcel.retries + 1, asked, self._random)


def _refusal(answer: Answer) -> str:
    if 300 <= answer.status < 400:
        return f"answered {answer.status}; redirects are not followed, so register the final URL"
    return f"answered {answer.status}"


def as_gone(endpoint: Endpoint) -> Endpoint:
    """The endpoint, disabled, so that nothing more is sent while its row is being changed."""
    return replace(endpoint, status="disabled")
