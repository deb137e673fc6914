"""Forms with files (RFC 7578), read from the wire to disk: no more than a piece of a file is ever in memory."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import IO, Final

from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.types import Receive

from resolvers.errors import Fault, Invalid, TooLarge
from wire.errors import HttpError

_FIELDS, _FIELD_BYTES = 20, 65_536
_OVERHEAD: Final = 262_144  # what the other fields and the boundaries may take beside the file


@dataclass(frozen=True)
class Form:
    """Fields and files by name."""

    fields: dict[str, str]
    files: dict[str, IO[bytes]]


@asynccontextmanager
async def read_form(receive: Receive, headers: Mapping[bytes, bytes], *, largest_file: int) -> AsyncIterator[Form]:
    """The form, its files open while the block runs. 415 for another media type, 400 for a broken form, TooLarge past the limit."""
    content_type = headers.get(b"content-type", b"").decode("latin-1")
    if content_type.split(";")[0].strip().lower() != "multipart/form-data":
        raise HttpError(415, "unsupported_media_type", "Send the form as Content-Type: multipart/form-data.")
    largest = largest_file + _OVERHEAD
    _check_announced(headers, largest)
    parser = MultiPartParser(
        Headers({"content-type": content_type}), _chunks(receive, largest),
        max_files=1, max_fields=_FIELDS, max_part_size=_FIELD_BYTES,
    )  # fmt: skip
    try:
        items = (await parser.parse()).multi_items()
    except MultiPartException as error:
        raise HttpError(400, "bad_form", f"The form is broken: {error.message}") from None
    try:
        yield _form(items)
    finally:
        for _, value in items:
            if isinstance(value, UploadFile):
                await value.close()


def _check_announced(headers: Mapping[bytes, bytes], largest: int) -> None:
    announced = headers.get(b"content-length", b"")
    if announced.isdigit() and int(announced[:20]) > largest:
        raise TooLarge(f"The form is larger than {largest} bytes.")


async def _chunks(receive: Receive, largest: int) -> AsyncGenerator[bytes, None]:
    taken, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise HttpError(400, "incomplete_body", "The connection ended within the form.")
        chunk: bytes = message.get("body", b"")
        taken, more = taken + len(chunk), message.get("more_body", False)
        if taken > largest:
            raise TooLarge(f"The form is larger than {largest} bytes.")
        yield chunk


def _form(items: list[tuple[str, str | UploadFile]]) -> Form:
    form = Form({}, {})
    for name, value in items:
        if name in form.fields or name in form.files:
            raise Invalid(Fault(f"/{name[:100]}", "stands twice in the form"))
        if isinstance(value, UploadFile):
            form.files[name] = value.file
        else:
            form.fields[name] = value
    return form
