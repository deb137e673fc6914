"""REST v1: the design vault."""

from functools import partial
from typing import Annotated, Any, Final, Literal
from urllib.parse import quote

import orjson
from pydantic import Field

from db.bodies.assets import AssetBody
from db.ids import ULID_PATTERN
from db.relations import ASSETS
from db.tables import Asset
from resolvers import assets, reads
from resolvers.asset_inputs import AssetInput, RightsInput
from resolvers.errors import Fault, Invalid
from resolvers.inputs import read
from rest_facade import examples
from rest_facade.call import Answer, Call, shown, written
from rest_facade.endpoint import envelope
from rest_facade.queries import ListQuery
from rest_facade.ranges import range_of
from rest_facade.route import Route
from vault.kinds import ending_of
from wire.uploads import Form, read_form

# Whatever the bytes are, no browser may run them: saved as a file, never guessed at, and without any right if shown.
SAFE: Final = {
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; sandbox",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "private, no-cache",
}


class AssetsQuery(ListQuery):
    """Which assets."""

    status: Literal["pending_review", "approved", "rejected", "published"] | None = None
    collection_id: Annotated[str, Field(pattern=f"^col_{ULID_PATTERN}$")] | None = None


async def index(call: Call) -> Answer:
    """A page of the assets that the viewer may see."""
    page = await reads.page(call.ctx, ASSETS, call.query.page(ASSETS))
    bodies = [AssetBody.of(row).as_json() for row in page.rows]
    return envelope(call, bodies, page.cursor(page.rows[-1]) if page.has_next else None)


async def show(call: Call) -> Answer:
    """One asset."""
    return shown(AssetBody.of(await assets.get_asset(call.ctx, id=call.path["id"])))


async def create(call: Call) -> Answer:
    """Takes a file into the vault."""
    async with read_form(call.receive, call.headers, largest_file=assets.LARGEST_FILE) as form:
        given = _given(form)
        outcome = await assets.upload_asset(call.ctx, given=given, file=form.files["file"])
    return written(outcome, "/v1/assets/{id}")


def _given(form: Form) -> AssetInput:
    """The fields of the form, every fault named at once."""
    faults: list[Fault] = []
    if "file" not in form.files:
        faults.append(Fault("/file", "is required, as a file", "missing"))
    faults += [Fault(f"/{name[:100]}", "is not a file that is known here") for name in form.files if name != "file"]
    values: dict[str, Any] = dict(form.fields)
    try:
        values |= {"rights": orjson.loads(form.fields["rights"])} if "rights" in form.fields else {}
        given = read(AssetInput, values)
    except orjson.JSONDecodeError as error:
        faults.append(Fault("/rights", f"is not JSON: {error}", "bad_json"))
    except Invalid as invalid:
        faults += invalid.faults
    if faults:
        raise Invalid(*faults)
    return given


async def download(call: Call) -> Answer:
    """The file itself, or a part of it."""
    row, reader = await assets.open_asset(call.ctx, id=call.path["id"])
    tag = f'"{row.sha256}"'
    part = range_of(call.headers, row.size, tag)
    start, end = part or (0, row.size)
    headers = SAFE | {
        "content-type": row.content_type, "content-disposition": _disposition(row), "etag": tag,
        "accept-ranges": "bytes", "content-length": str(end - start),
    }  # fmt: skip
    if part is not None:
        headers["content-range"] = f"bytes {start}-{end - 1}/{row.size}"
    return Answer(status=200 if part is None else 206, headers=headers, stream=partial(reader, start, end))


def _disposition(row: Asset) -> str:
    """An attachment named by its title (RFC 6266): a plain name for the oldest clients, the true one for the others."""
    name = "".join("_" if char in '/\\:*?"<>|' else char for char in row.title)[:120] + ending_of(row.content_type)
    plain = "".join(char if 32 <= ord(char) < 127 and char != "%" else "_" for char in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


async def publish(call: Call) -> Answer:
    """Publishes an approved asset."""
    return written(await assets.publish_asset(call.ctx, id=call.path["id"]))


_FORM: Final = {
    "type": "object",
    "required": ["file", "title", "rights"],
    "properties": {
        "file": {
            "type": "string",
            "format": "binary",
            "description": "Up to 100 MiB: pictures, PDF, design and 3D files.",
        },
        "title": {"type": "string", "minLength": 1, "maxLength": 300},
        "rights": RightsInput.model_json_schema(),
        "collection_id": {"type": "string", "pattern": f"^col_{ULID_PATTERN}$"},
    },
}

ROUTES = (
    Route(
        "POST", "/v1/assets", create, "Upload a file to your design vault", "Design Vault", {201: AssetBody},
        scope="assets:write", raw=True, multipart=_FORM, errors=(409, 413, 415), example=examples.ASSET_INPUT,
        example_answer=examples.ASSET,
    ),
    Route(
        "GET", "/v1/assets", index, "Your assets, and those published to you", "Design Vault", {200: AssetBody},
        scope="assets:read", query=AssetsQuery, listed=True, example_answer=examples.ASSET,
    ),
    Route(
        "GET", "/v1/assets/{id}", show, "One asset: what it is, its rights and its status", "Design Vault",
        {200: AssetBody}, scope="assets:read", example_answer=examples.ASSET,
    ),
    Route(
        "GET", "/v1/assets/{id}/download", download, "The file itself, or with Range a part of it", "Design Vault",
        {200: None, 206: None}, scope="assets:read", errors=(403, 416), content_type="application/octet-stream",
    ),
    Route(
        "POST", "/v1/assets/{id}/publish", publish, "Publish an approved asset", "Design Vault", {200: AssetBody},
        scope="assets:write", errors=(409,), example_answer=examples.ASSET,
    ),
)  # fmt: skip
