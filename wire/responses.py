"""What goes out."""

from collections.abc import AsyncIterator, Mapping

from starlette.types import Send


async def send_bytes(
    send: Send, status: int, headers: Mapping[str, str], body: bytes, *, head: bool = False
) -> None:  # fmt: skip
    """One answer in two messages; `head`: the headers alone, which tell of the body all the same."""
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    if status not in (204, 304):
        raw.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": b"" if head else body})


async def send_chunks(send: Send, status: int, headers: Mapping[str, str], chunks: AsyncIterator[bytes] | None) -> None:
    """An answer piece by piece; `headers` say its length. None: the headers alone, for HEAD."""
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    if chunks is not None:
        async for chunk in chunks:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
