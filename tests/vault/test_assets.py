"""Assets from outside: lists, downloads under their rights, review and publishing, the same over GraphQL."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import orjson
import pytest

from db.ids import new_id
from db.tables import Collection, Grant
from resolvers.errors import Conflict, NotFound
from resolvers.moderation import decide
from tests.factories import Partner
from tests.vault.conftest import World
from tests.vault.files import PNG, RIGHTS, SAMPLES, upload

NOW = datetime.now(UTC)


async def approved(world: World, owner: Partner, file: bytes = PNG, **more: Any) -> str:
    id_: str = (await upload(owner.http, file, **more)).json()["id"]
    await decide(world.db, asset_id=id_, decision="approved")
    return id_


async def grant(world: World, asset_id: str, grantee: Partner, **more: Any) -> None:
    async with world.db.write() as session:
        session.add(Grant(id=new_id("grt"), asset_id=asset_id, grantee_id=grantee.user_id, created_at=NOW, **more))


async def published_to(world: World, owner: Partner, grantee: Partner, **rights: Any) -> str:
    id_ = await approved(world, owner, rights=RIGHTS | rights)
    await grant(world, id_, grantee)
    assert (await owner.http.post(f"/v1/assets/{id_}/publish")).status_code == 200
    return id_


async def test_an_owner_downloads_its_file(owner: Partner) -> None:
    body = (await upload(owner.http, title='A "twill" / été')).json()
    url = f"/v1/assets/{body['id']}/download"
    answer = await owner.http.get(url)
    assert (answer.status_code, answer.content) == (200, PNG)
    assert answer.headers["etag"] == f'"{body["sha256"]}"'
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["content-length"] == str(len(PNG))
    assert answer.headers["x-content-type-options"] == "nosniff"
    disposition = "attachment; filename=\"A _twill_ _ _t_.png\"; filename*=UTF-8''A%20_twill_%20_%20%C3%A9t%C3%A9.png"
    assert answer.headers["content-disposition"] == disposition
    again = await owner.http.get(url, headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    head = await owner.http.head(url)
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(len(PNG)))


async def test_pictures_that_can_carry_scripts_are_never_shown_in_place(owner: Partner) -> None:
    id_ = (await upload(owner.http, SAMPLES["image/svg+xml"], name="a.svg")).json()["id"]
    answer = await owner.http.get(f"/v1/assets/{id_}/download")
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"


@pytest.mark.parametrize(
    ("asked", "status", "part", "told"),
    [
        ("bytes=0-3", 206, PNG[:4], f"bytes 0-3/{len(PNG)}"),
        ("bytes=60-", 206, PNG[60:], f"bytes 60-{len(PNG) - 1}/{len(PNG)}"),
        ("bytes=-5", 206, PNG[-5:], f"bytes {len(PNG) - 5}-{len(PNG) - 1}/{len(PNG)}"),
        ("bytes=5-99999", 206, PNG[5:], f"bytes 5-{len(PNG) - 1}/{len(PNG)}"),
        ("bytes=9999-", 416, None, f"bytes */{len(PNG)}"),
        ("bytes=-0", 416, None, f"bytes */{len(PNG)}"),
        ("bytes=5-2", 200, PNG, None),
        ("bytes=0-1,3-4", 200, PNG, None),
        ("bytes=-", 200, PNG, None),
        ("lines=1-2", 200, PNG, None),
    ],
)
async def test_parts_of_a_file(owner: Partner, asked: str, status: int, part: bytes | None, told: str | None) -> None:
    id_ = (await upload(owner.http)).json()["id"]
    answer = await owner.http.get(f"/v1/assets/{id_}/download", headers={"range": asked})
    assert answer.status_code == status
    assert part is None or answer.content == part
    assert answer.headers.get("content-range") == told


async def test_a_part_of_another_version_is_the_whole(owner: Partner) -> None:
    id_ = (await upload(owner.http)).json()["id"]
    headers = {"range": "bytes=0-3", "if-range": '"another"'}
    assert (await owner.http.get(f"/v1/assets/{id_}/download", headers=headers)).status_code == 200


async def status_for(partner: Partner, id_: str) -> tuple[int, int, str]:
    shown = await partner.http.get(f"/v1/assets/{id_}")
    file = await partner.http.get(f"/v1/assets/{id_}/download")
    return shown.status_code, file.status_code, "" if file.status_code == 200 else file.json()["code"]


async def test_others_see_an_asset_once_it_is_granted_and_published(
    world: World, owner: Partner, other: Partner
) -> None:
    id_ = await approved(world, owner)
    assert await status_for(other, id_) == (404, 404, "not_found")
    await grant(world, id_, other)
    assert await status_for(other, id_) == (404, 404, "not_found")
    await owner.http.post(f"/v1/assets/{id_}/publish")
    assert await status_for(other, id_) == (200, 200, "")
    assert [item["id"] for item in (await other.http.get("/v1/assets")).json()["data"]] == [id_]
    async with world.db.pool.acquire() as connection:
        await connection.execute("update grants set revoked_at = now() where asset_id = $1", id_)
    assert await status_for(other, id_) == (404, 404, "not_found")


async def test_an_expired_grant_shows_nothing(world: World, owner: Partner, other: Partner) -> None:
    id_ = await approved(world, owner)
    await grant(world, id_, other, expires_at=NOW - timedelta(days=1))
    await owner.http.post(f"/v1/assets/{id_}/publish")
    assert await status_for(other, id_) == (404, 404, "not_found")


async def test_rights_hold_others_and_not_the_owner(world: World, owner: Partner, other: Partner) -> None:
    early = await published_to(world, owner, other, embargo_until="2090-01-01T00:00:00Z")
    late = await published_to(world, owner, other, expires_at="2020-01-01T00:00:00Z")
    assert await status_for(other, early) == (200, 403, "embargoed")
    assert await status_for(other, late) == (200, 403, "rights_expired")
    assert (await status_for(owner, early))[1] == (await status_for(owner, late))[1] == 200


async def test_publishing_waits_for_approval_and_is_told_once(world: World, owner: Partner, other: Partner) -> None:
    id_ = (await upload(owner.http)).json()["id"]
    refused = await owner.http.post(f"/v1/assets/{id_}/publish")
    assert (refused.status_code, refused.json()["code"]) == (409, "not_approved")
    await decide(world.db, asset_id=id_, decision="approved")
    await grant(world, id_, other)
    assert (await other.http.post(f"/v1/assets/{id_}/publish")).status_code == 404
    body = (await owner.http.post(f"/v1/assets/{id_}/publish")).json()
    assert (body["status"], body["published_at"] is not None) == ("published", True)
    assert (await owner.http.post(f"/v1/assets/{id_}/publish")).status_code == 409
    assert (await other.http.post(f"/v1/assets/{id_}/publish")).status_code == 403
    events = await world.db.fetch("select type, audience, payload from events where resource_id = $1", [id_])
    assert [event["type"] for event in events] == ["design.published"]
    assert set(events[0]["audience"]) == {owner.user_id, other.user_id}
    assert events[0]["payload"] == body


async def test_the_operator_decides_and_may_take_it_back(world: World, owner: Partner, other: Partner) -> None:
    id_ = await published_to(world, owner, other)
    with pytest.raises(Conflict):
        await decide(world.db, asset_id=id_, decision="approved")
    body = await decide(world.db, asset_id=id_, decision="rejected", reason="a logo of another's")
    assert (body["status"], body["review_reason"]) == ("rejected", "a logo of another's")
    assert (await owner.http.get(f"/v1/assets/{id_}")).json() == body
    assert await status_for(other, id_) == (404, 404, "not_found")
    with pytest.raises(NotFound):
        await decide(world.db, asset_id=new_id("ast"), decision="approved")


async def test_lists_are_narrowed_and_paged(world: World, owner: Partner) -> None:
    collection = Collection(id=new_id("col"), owner_id=owner.user_id, title="Autumn", created_at=NOW)
    async with world.db.write() as session:
        session.add(collection)
    ids = [(await upload(owner.http, title=f"No {n}")).json()["id"] for n in range(3)]
    inside = (await upload(owner.http, collection_id=collection.id)).json()
    assert inside["collection_id"] == collection.id
    await decide(world.db, asset_id=ids[0], decision="approved")

    async def listed(query: str) -> list[str]:
        answer = await owner.http.get(f"/v1/assets{query}")
        assert answer.status_code == 200, answer.text
        return [item["id"] for item in answer.json()["data"]]

    assert await listed("?status=approved") == [ids[0]]
    assert await listed(f"?collection_id={collection.id}") == [inside["id"]]
    page = (await owner.http.get("/v1/assets?limit=3")).json()
    assert [item["id"] for item in page["data"]] == ids
    assert await listed(f"?limit=3&cursor={page['next_cursor']}") == [inside["id"]]
    assert (await owner.http.get("/v1/assets?status=lost")).status_code == 422


FIELDS = """id title status reviewReason contentType size sha256 region owner { id } collectionId
  rights { license territories embargoUntil expiresAt aiTraining } createdAt updatedAt publishedAt"""


def as_rest(node: dict[str, Any]) -> dict[str, Any]:
    """A GraphQL asset in REST's spelling."""
    flat = {"".join(f"_{c.lower()}" if c.isupper() else c for c in name): value for name, value in node.items()}
    flat["status"], flat["owner_id"] = flat["status"].lower(), flat.pop("owner")["id"]
    flat["rights"] = {
        "".join(f"_{c.lower()}" if c.isupper() else c for c in name): value for name, value in flat["rights"].items()
    }
    return flat


async def test_graphql_tells_the_same(world: World, owner: Partner) -> None:
    id_ = (await upload(owner.http, rights=RIGHTS | {"expires_at": "2090-05-01T12:00:00.5Z"})).json()["id"]
    rest = (await owner.http.get(f"/v1/assets/{id_}")).json()
    query = (
        "query($id: ID!) { node(id: $id) { ... on Asset { %s } } assets(filter: {status: PENDING_REVIEW})"
        " { totalCount nodes { %s } } }"
    )
    data = (await owner.graphql(query % (FIELDS, FIELDS), id=id_))["data"]
    assert as_rest(data["node"]) == as_rest(data["assets"]["nodes"][0]) == rest
    assert data["assets"]["totalCount"] == 1


async def test_publishing_over_graphql(world: World, owner: Partner, other: Partner) -> None:
    mutation = "mutation($id: ID!) { assetPublish(input: {id: $id}) { asset { status } userErrors { code } } }"
    id_ = (await upload(owner.http)).json()["id"]
    refused = (await owner.graphql(mutation, id=id_))["data"]["assetPublish"]
    assert refused == {"asset": None, "userErrors": [{"code": "NOT_APPROVED"}]}
    await decide(world.db, asset_id=id_, decision="approved")
    foreign = (await other.graphql(mutation, id=id_))["data"]["assetPublish"]
    assert foreign == {"asset": None, "userErrors": [{"code": "NOT_FOUND"}]}
    done = (await owner.graphql(mutation, id=id_))["data"]["assetPublish"]
    assert done == {"asset": {"status": "PUBLISHED"}, "userErrors": []}


async def test_a_lost_object_is_our_fault_and_no_half_answer(world: World, owner: Partner) -> None:
    id_ = (await upload(owner.http)).json()["id"]
    (world.folder / "eu" / "assets" / id_).unlink()
    answer: httpx.Response = await owner.http.get(f"/v1/assets/{id_}/download")
    assert (answer.status_code, orjson.loads(answer.content)["code"]) == (500, "internal")
