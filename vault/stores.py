"""Where files lie: one object store a region. Only this module knows obstore."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, Protocol
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

import obstore
from obstore.store import LocalStore, S3Store

# Two parts of an upload are on their way at once: a file of any size needs about 10 MB of memory.
_PART: Final = 5 * 1024 * 1024
_PARTS_AT_ONCE: Final = 2


class WrongStore(ValueError):
    """An address that names no object store; the message says what would be right."""


class MissingObject(LookupError):
    """The store has no object of this key."""


class Store(Protocol):
    """Objects by key. An object is there whole or not at all."""

    async def put(self, key: str, file: IO[bytes]) -> None:
        """Writes a file from its start."""

    async def read(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        """The bytes from `start` up to, not including, `end`; MissingObject before the first of them."""

    async def delete(self, key: str) -> None:
        """Removes an object; one that is not there is fine."""


class ObjectStore:
    """A `Store` on whatever obstore reaches: a folder, or a bucket that speaks S3."""

    def __init__(self, store: LocalStore | S3Store) -> None:
        self._store = store

    async def put(self, key: str, file: IO[bytes]) -> None:
        """Writes a file from its start, in parts where it is large."""
        file.seek(0)
        await obstore.put_async(self._store, key, file, chunk_size=_PART, max_concurrency=_PARTS_AT_ONCE)

    async def read(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        """The bytes from `start` up to, not including, `end`."""
        try:
            found = await obstore.get_async(self._store, key, options={"range": (start, end)} if end > start else {})
        except FileNotFoundError:
            raise MissingObject(key) from None
        return _chunks(found)

    async def delete(self, key: str) -> None:
        """Removes an object; one that is not there is fine."""
        try:
            await obstore.delete_async(self._store, key)
        except FileNotFoundError:
            return


async def _chunks(found: Any) -> AsyncIterator[bytes]:
    async for chunk in found.stream(min_chunk_size=262_144):
        yield bytes(chunk)


@dataclass(frozen=True)
class Stores:
    """The stores of this deployment by region."""

    regions: Mapping[str, Store]

    def of(self, region: str) -> Store:
        """The store in which this region's files lie."""
        return self.regions[region]


def open_stores(*, url: str, eu_url: str, folder: Path) -> Stores:
    """The stores as set; an empty address is a folder of the data folder."""
    return Stores(
        {
            "us": open_store(url or (folder / "objects" / "us").as_uri()),
            "eu": open_store(eu_url or (folder / "objects" / "eu").as_uri()),
        }
    )


def check_address(url: str) -> SplitResult:
    """The parts of an address at which a store can stand, or WrongStore; nothing is opened."""
    parts = urlsplit(url)
    if parts.scheme == "file" and parts.path and not parts.netloc:
        return parts
    if parts.scheme == "s3" and parts.hostname:
        unknown = sorted(set(parse_qs(parts.query)) - {"endpoint", "region"})
        if unknown:
            raise WrongStore(f"an S3 address takes ?endpoint= and ?region=, not {', '.join(unknown)}")
        return parts
    raise WrongStore("an object store's address is file:///folder or s3://bucket/prefix")


def open_store(url: str) -> ObjectStore:
    """The store at `file:///folder` or `s3://bucket/prefix`.

    S3 takes `?region=` and, for servers other than Amazon's, `?endpoint=`. Credentials stand as `s3://key:secret@bucket`
    or come from where the AWS tools find them.
    """
    parts = check_address(url)
    if parts.scheme == "file":
        return ObjectStore(LocalStore(Path(unquote(parts.path)), mkdir=True, automatic_cleanup=False))
    return ObjectStore(_s3(parts))


def _s3(parts: SplitResult) -> S3Store:
    config: Any = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    options: Any = {"allow_http": config.get("endpoint", "").startswith("http://"), "timeout": "120s"}
    if parts.username and parts.password:
        config |= {"access_key_id": unquote(parts.username), "secret_access_key": unquote(parts.password)}
    bucket, prefix = parts.netloc.rpartition("@")[2], parts.path.strip("/")
    return S3Store(bucket, prefix=prefix or None, config=config, client_options=options)
