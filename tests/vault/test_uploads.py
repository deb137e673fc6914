"""Uploads from outside: what is kept, what is refused, and that nothing is ever left half."""

import asyncio
import json
import tracemalloc
from collections.abc import AsyncIterator
from hashlib import sha256
from typing import IO, Any

import httpx
import pytest

from db.ids import new_id
from resolvers.assets import LARGEST_FILE
from rest_facade import examples
from tests.factories import Partner
from tests.vault.conftest import World
from tests.vault.files import PNG, RIGHTS, SAMPLES, upload
from vault.stores import ObjectStore, Store

MiB = 1024 * 1024


def pointers(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 422, answer.text
    return [fault["pointer"] for fault in answer.json()["errors"]]


async def test_an_upload_is_kept_with_its_hash_and_rights_in_its_owners_region(world: World, owner: Partner) -> None:
    answer = await upload(owner.http, rights=RIGHTS | {"embargo_until": "2030-01-01T01:00:00+01:00"})
    assert answer.status_code == 201, answer.text
    body = answer.json()
    assert answer.headers["location"] == f"/v1/assets/{body['id']}"
    assert body["rights"] == RIGHTS | {"embargo_until": "2030-01-01T00:00:00.000Z", "expires_at": None}
    told = {"title": "Twill", "status": "pending_review", "content_type": "image/png", "size": len(PNG)}
    assert body == body | told | {"sha256": sha256(PNG).hexdigest(), "region": "eu", "owner_id": owner.user_id}
    assert (world.folder / "eu" / "assets" / body["id"]).read_bytes() == PNG
    assert (await owner.http.get(f"/v1/assets/{body['id']}")).json() == body


async def test_each_region_has_its_own_store(world: World, other: Partner) -> None:
    body = (await upload(other.http)).json()
    assert body["region"] == "us"
    assert (world.folder / "us" / "assets" / body["id"]).exists()


@pytest.mark.parametrize("kind", SAMPLES)
async def test_the_kind_is_told_by_the_bytes(owner: Partner, kind: str) -> None:
    answer = await upload(owner.http, SAMPLES[kind], name="x.html", declared="text/html")
    assert answer.json()["content_type"] == kind


@pytest.mark.parametrize(
    "file",
    [b"", b"<!DOCTYPE html><svg>", b"<html><svg></svg>", b"MZ\x90\0", b"PK\x03\x04" + bytes(40), b"hello", b"\0" * 84],
)
async def test_other_files_are_refused_whatever_the_client_calls_them(
    world: World, owner: Partner, file: bytes
) -> None:
    before = world.files()
    assert pointers(await upload(owner.http, file, name="x.png", declared="image/png")) == ["/file"]
    assert world.files() == before


async def test_every_fault_is_named_at_once(owner: Partner) -> None:
    rights = {"license": "", "territories": ["fr"], "ai_training": "no", "embargo_until": "soon", "more": 1}
    answer = await owner.http.post(
        "/v1/assets",
        files={"picture": ("a.png", PNG)},
        data={"title": " ", "rights": json.dumps(rights), "collection_id": "x", "colour": "red"},
    )
    names = ("license", "territories", "ai_training", "embargo_until", "more")
    expected = {"/file", "/picture", "/title", "/collection_id", "/colour", *(f"/rights/{name}" for name in names)}
    assert set(pointers(answer)) == expected


@pytest.mark.parametrize(
    ("rights", "pointer"),
    [
        ("{", "/rights"),
        ("[]", "/rights"),
        ("{}", "/rights/license"),
        ({"license": "x", "territories": ["ZZ"]}, "/rights/territories"),
        ({"license": "x", "territories": ["FR", "FR"]}, "/rights/territories"),
        ({"license": "x\0"}, "/rights/license"),
        ({"license": "x", "ai_training": None}, "/rights/ai_training"),
        ({"license": "x", "expires_at": "2030-01-01"}, "/rights/expires_at"),
        ({"license": "x", "embargo_until": "2031-01-01T00:00:00Z", "expires_at": "2030-01-01T00:00:00Z"}, "/rights"),
        ('{"license": "\\ud800"}', "/rights"),
    ],
)
async def test_rights_are_strict(owner: Partner, rights: Any, pointer: str) -> None:
    assert pointers(await upload(owner.http, rights=rights)) == [pointer]


async def test_anothers_collection_is_refused(world: World, owner: Partner) -> None:
    before = world.files()
    assert pointers(await upload(owner.http, collection_id=new_id("col"))) == ["/collection_id"]
    assert world.files() == before


async def test_a_form_is_asked_for(owner: Partner) -> None:
    assert (await owner.http.post("/v1/assets", json={})).status_code == 415
    bare = {"content-type": "multipart/form-data"}
    assert (await owner.http.post("/v1/assets", content=b"--x", headers=bare)).status_code == 400
    broken = {"content-type": "multipart/form-data; boundary=x"}
    assert (await owner.http.post("/v1/assets", content=b"nothing of a form", headers=broken)).status_code == 400


async def test_the_scope_is_asked_for(world: World) -> None:
    reader = await world.partner(scopes="assets:read")
    async with reader.http:
        answer = await upload(reader.http)
    assert (answer.status_code, answer.json()["required_scope"]) == (403, "assets:write")


class Pieces:
    """A form whose file is `size` bytes long, made while it is sent. `sent` counts what was taken of it."""

    def __init__(self, size: int) -> None:
        self.size, self.sent = size, 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for name, value in (("title", "Large"), ("rights", json.dumps(RIGHTS))):
            yield f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n' + PNG
        piece = bytes(65_536)
        for _ in range((self.size - len(PNG)) // len(piece)):
            self.sent += len(piece)
            yield piece
        yield b"\r\n--x--\r\n"


FORM = {"content-type": "multipart/form-data; boundary=x"}


async def test_a_large_upload_is_never_in_memory(owner: Partner) -> None:
    tracemalloc.start()
    try:
        answer = await owner.http.post("/v1/assets", content=Pieces(60 * MiB), headers=FORM)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert answer.status_code == 201, answer.text
    assert answer.json()["size"] > 59 * MiB
    assert peak < 16 * MiB


async def test_an_upload_past_the_limit_is_cut_off(world: World, owner: Partner) -> None:
    before, pieces = world.files(), Pieces(200 * MiB)
    answer = await owner.http.post("/v1/assets", content=pieces, headers=FORM)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert pieces.sent < LARGEST_FILE + MiB
    announced = FORM | {"content-length": str(200 * MiB)}
    unread = Pieces(200 * MiB)
    assert (await owner.http.post("/v1/assets", content=unread, headers=announced)).status_code == 413
    assert unread.sent == 0
    assert world.files() == before


async def test_an_upload_acts_once_for_its_key(world: World, owner: Partner) -> None:
    key = {"idempotency-key": new_id("key")}
    first = await upload(owner.http, headers=key)
    files = world.files()
    again = await upload(owner.http, headers=key)
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["idempotency-replayed"] == "true"
    changed = await upload(owner.http, PNG + b"more", headers=key)
    assert (changed.status_code, changed.json()["code"]) == (422, "idempotency_key_reused")
    assert (await upload(owner.http, title="Other", headers=key)).status_code == 422
    assert world.files() == files


async def test_two_uploads_with_one_key_at_once_end_as_one(world: World, owner: Partner) -> None:
    key, before = {"idempotency-key": new_id("key")}, len(world.files())
    answers = await asyncio.gather(*(upload(owner.http, headers=key) for _ in range(4)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.json()["id"] for answer in answers if answer.status_code == 201}) == 1
    assert len(world.files()) == before + 1


class Failing(ObjectStore):
    """Stores the whole object, then fails, as a lost answer would."""

    def __init__(self, whole: Store) -> None:
        self._whole = whole

    async def put(self, key: str, file: IO[bytes]) -> None:
        await self._whole.put(key, file)
        raise OSError("the store's answer was lost")

    async def delete(self, key: str) -> None:
        await self._whole.delete(key)


async def test_a_failing_store_leaves_no_row_and_no_object(world: World, owner: Partner) -> None:
    before, whole = world.files(), world.regions["eu"]
    world.regions["eu"] = Failing(whole)
    try:
        assert (await upload(owner.http)).status_code == 500
    finally:
        world.regions["eu"] = whole
    assert world.files() == before
    assert (await owner.http.get("/v1/assets")).json()["data"] == []


@pytest.mark.parametrize("when", ["before insert", "deferred"])
async def test_a_failing_row_takes_its_object_with_it(world: World, owner: Partner, when: str) -> None:
    """The database refuses the row, at once or at the commit."""
    before = world.files()
    kind = "constraint trigger" if when == "deferred" else "trigger"
    moment = "after insert on assets deferrable initially deferred" if when == "deferred" else "before insert on assets"
    async with world.db.pool.acquire() as connection:
        await connection.execute(
            "create function refuse() returns trigger language plpgsql as $$ begin raise 'refused'; end $$;"
            f"create {kind} refuse {moment} for each row when (new.title = 'Refused') execute function refuse()"
        )
    try:
        assert (await upload(owner.http, title="Refused")).status_code == 500
    finally:
        async with world.db.pool.acquire() as connection:
            await connection.execute("drop function refuse cascade")
    assert world.files() == before
    assert (await owner.http.get("/v1/assets")).json()["data"] == []


async def test_the_documented_example_works_as_it_stands(owner: Partner) -> None:
    asked = examples.ASSET_INPUT
    body = (await upload(owner.http, asked["file"].encode(), title=asked["title"], rights=asked["rights"])).json()
    told = {name: examples.ASSET[name] for name in ("title", "content_type", "size", "sha256", "rights", "status")}
    assert body == body | told
