"""From a host's name to addresses that may be called. The answer is checked here and connected to as it stands, so no
second look-up can swap it."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from ipaddress import ip_address
from time import monotonic
from typing import Final

from webhooks.addresses import Address, RefusedAddress, Rules, literal_of

Lookup = Callable[[str, int], Awaitable[Sequence[str]]]

_KEPT_SECONDS: Final = 30.0
_FAILURE_KEPT_SECONDS: Final = 5.0
_MOST_KEPT: Final = 10_000
_THREADS: Final = 64  # a name server that hangs holds one each; the others go on


class UnknownHost(OSError):
    """DNS knows no address for the host."""


def system_lookup(threads: ThreadPoolExecutor) -> Lookup:
    """The look-up of the operating system, in threads of its own."""

    def ask(host: str, port: int) -> list[str]:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return [str(place[4][0]) for place in found]

    async def lookup(host: str, port: int) -> Sequence[str]:
        return await asyncio.get_running_loop().run_in_executor(threads, ask, host, port)

    return lookup


@dataclass(frozen=True)
class _Answer:
    until: float
    addresses: tuple[Address, ...]
    error: Exception | None = None


class Names:
    """Looks hosts up, keeps answers for half a minute, and lets only admitted addresses through."""

    def __init__(self, rules: Rules, lookup: Lookup | None = None) -> None:
        self._rules = rules
        self._threads = ThreadPoolExecutor(_THREADS, "webhook-dns")
        self._lookup = lookup or system_lookup(self._threads)
        self._kept: dict[str, _Answer] = {}
        self._asking: dict[str, asyncio.Task[_Answer]] = {}

    def close(self) -> None:
        """Lets the threads end."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def addresses(self, host: str, port: int) -> tuple[Address, ...]:
        """The admitted addresses of a host. UnknownHost where there is none, RefusedAddress where none is admitted."""
        literal = literal_of(host)
        answer = _Answer(0, (literal,)) if literal is not None else await self._answer(host, port)
        if answer.error is not None:
            raise UnknownHost(str(answer.error)) from answer.error
        admitted = tuple(address for address in answer.addresses if self._rules.admits(address))
        if not admitted:
            raise RefusedAddress(f"{host} leads to no public address")
        return admitted

    async def _answer(self, host: str, port: int) -> _Answer:
        kept = self._kept.get(host)
        if kept is not None and kept.until > monotonic():
            return kept
        task = self._asking.get(host)
        if task is None:
            task = self._asking[host] = asyncio.create_task(self._ask(host, port))
            task.add_done_callback(lambda _: self._asking.pop(host, None))
        return await asyncio.shield(task)

    async def _ask(self, host: str, port: int) -> _Answer:
        try:
            texts = await self._lookup(host, port)
            addresses = tuple(dict.fromkeys(ip_address(text.split("%")[0]) for text in texts))
            answer = _Answer(monotonic() + _KEPT_SECONDS, addresses)
        except (OSError, ValueError, UnicodeError) as error:
            answer = _Answer(monotonic() + _FAILURE_KEPT_SECONDS, (), error)
        if len(self._kept) >= _MOST_KEPT:
            self._kept.clear()
        self._kept[host] = answer
        return answer
