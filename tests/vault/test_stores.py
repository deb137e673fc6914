"""Object stores: a folder and a real S3 server keep the same promises, alone and under the whole API."""

from collections.abc import Iterator
from hashlib import sha256
from io import BytesIO
from os import urandom
from pathlib import Path

import pytest

from tests.vault.conftest import World
from tests.vault.files import PNG, upload
from tests.vault.seaweed import CannotRun, seaweed
from vault.stores import MissingObject, ObjectStore, WrongStore, open_store, open_stores


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    try:
        with seaweed(tmp_path_factory.mktemp("s3")) as url:
            yield url
    except CannotRun as reason:
        pytest.skip(f"no S3 server can run here: {reason}")


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    url = tmp_path.as_uri() if request.param == "folder" else request.getfixturevalue("s3")
    return open_store(url)


async def read(store: ObjectStore, key: str, start: int, end: int) -> bytes:
    return b"".join([chunk async for chunk in await store.read(key, start, end)])


async def test_what_is_written_is_read(store: ObjectStore) -> None:
    large = urandom(12 * 1024 * 1024 + 1)
    await store.put("a/large", BytesIO(large))
    await store.put("a/small", BytesIO(b"small"))
    assert sha256(await read(store, "a/large", 0, len(large))).digest() == sha256(large).digest()
    assert await read(store, "a/large", 5_000_000, 6_000_000) == large[5_000_000:6_000_000]
    assert await read(store, "a/small", 1, 3) == b"ma"


async def test_what_is_deleted_is_gone(store: ObjectStore) -> None:
    await store.put("a/gone", BytesIO(b"x"))
    for _ in range(2):
        await store.delete("a/gone")
    with pytest.raises(MissingObject):
        await store.read("a/gone", 0, 1)


async def test_the_api_on_s3(world: World, s3: str) -> None:
    folder, world.regions["us"] = world.regions["us"], open_store(s3)
    try:
        partner = await world.partner(region="us")
        async with partner.http:
            large = PNG + urandom(11 * 1024 * 1024)
            body = (await upload(partner.http, large)).json()
            assert (body["region"], body["sha256"]) == ("us", sha256(large).hexdigest())
            url = f"/v1/assets/{body['id']}/download"
            assert (await partner.http.get(url)).content == large
            part = await partner.http.get(url, headers={"range": "bytes=100-199"})
            assert (part.status_code, part.content) == (206, large[100:200])
    finally:
        world.regions["us"] = folder


def test_empty_addresses_are_folders_of_the_data_folder(tmp_path: Path) -> None:
    open_stores(url="", eu_url="", folder=tmp_path / "with space")
    assert sorted(path.name for path in (tmp_path / "with space" / "objects").iterdir()) == ["eu", "us"]


@pytest.mark.parametrize("url", ["file://", "s3://", "s3:///prefix", "s3://bucket?colour=red", "gs://bucket", "bucket"])
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(WrongStore):
        open_store(url)
