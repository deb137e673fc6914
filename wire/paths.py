"""Finds the application of a path by looking it up, not by trying one pattern after another.

The patterns of this API are fixed words with `{name}` for one segment, so a path is found among those of its length by
its words. What is not here is the fallback's.
"""

from collections.abc import Iterable

from starlette.types import ASGIApp, Receive, Scope, Send

_Words = tuple[str | None, ...]


class Paths:
    """An ASGI application that hands each request to the application of its path."""

    def __init__(self, table: Iterable[tuple[str, ASGIApp]], fallback: ASGIApp) -> None:
        self._exact: dict[str, ASGIApp] = {}
        self._patterns: dict[int, list[tuple[_Words, tuple[str, ...], ASGIApp]]] = {}
        self._fallback = fallback
        for path, app in table:
            self._add(path, app)

    def _add(self, path: str, app: ASGIApp) -> None:
        if "{" not in path:
            self._exact[path] = app
            return
        segments = path.split("/")
        words = tuple(None if segment.startswith("{") else segment for segment in segments)
        names = tuple(segment[1:-1] for segment in segments if segment.startswith("{"))
        self._patterns.setdefault(len(words), []).append((words, names, app))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hands one request on."""
        app = self._exact.get(scope["path"]) or self._matched(scope) or self._fallback
        await app(scope, receive, send)

    def _matched(self, scope: Scope) -> ASGIApp | None:
        segments = scope["path"].split("/")
        for words, names, app in self._patterns.get(len(segments), ()):
            if all(word is None or word == segment for word, segment in zip(words, segments, strict=True)):
                values = [segment for word, segment in zip(words, segments, strict=True) if word is None]
                if all(values):
                    scope["path_params"] = dict(zip(names, values, strict=True))
                    return app
        return None


async def no_socket(scope: Scope, receive: Receive, send: Send) -> None:
    """Refuses the handshake of a WebSocket where none is spoken."""
    await receive()
    await send({"type": "websocket.close"})
