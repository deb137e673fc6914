"""The rules hold inside plans: who asks for everything gets nothing of others that is not open.

What a viewer may see is said here once more, in Python and from the planted rows, so that no mistake is shared with the SQL.
"""

from typing import Any

import pytest
from graphql import GraphQLObjectType, get_named_type, is_abstract_type, is_leaf_type, is_required_argument

from auth.viewer import Viewer
from execution.engine import GraphQLRequest
from execution.outcomes import Outcome
from tests.execution.comparing import Comparer
from tests.execution.world import World

DEPTH = 4
TELLING = {
    "id",
    "sku",
    "handle",
    "code",
    "available",
    "reserved",
    "totalInventory",
    "totalCount",
    "externalRef",
    "size",
}
REACH = {"public": 2, "unlisted": 1, "hidden": 0}


class Sees:
    """What one viewer may see of a world."""

    def __init__(self, world: World, viewer: Viewer) -> None:
        self.viewer, self.all = viewer, "platform:read" in viewer.scopes
        self.shops = {row.id: row for row in world.rows["storefronts"]}
        self.products = {row.id: row for row in world.rows["products"]}
        self.grants = world.rows["grants"]

    def own(self, owner: str, shop: str) -> bool:
        """Mine, and within what the token is held to."""
        ids = self.viewer.storefront_ids
        return owner == self.viewer.user_id and (ids is None or shop in ids)

    def storefronts(self, row: Any) -> bool:
        return self.all or self.own(row.owner_id, row.id) or reach(row) > 0

    def products_(self, row: Any) -> bool:
        open_ = min(reach(row), reach(self.shops[row.storefront_id])) > 0
        return self.all or self.own(row.owner_id, row.storefront_id) or open_

    def variants(self, row: Any) -> bool:
        return self.products_(self.products[row.product_id])

    def inventory(self, row: Any) -> bool:
        return self.all or ("inventory:read" in self.viewer.scopes and self.own(row.owner_id, row.storefront_id))

    def orders(self, row: Any) -> bool:
        return self.all or self.own(row.owner_id, row.storefront_id)

    def affiliate_links(self, row: Any) -> bool:
        return self.all or self.viewer.user_id in (row.affiliate_id, row.storefront_owner_id)

    def assets(self, row: Any) -> bool:
        held = [g for g in self.grants if g.asset_id == row.id and g.grantee_id == self.viewer.user_id]
        granted = row.status == "published" and any(not g.revoked_at and not g.expires_at for g in held)
        return self.all or row.owner_id == self.viewer.user_id or granted

    def tryon_sessions(self, row: Any) -> bool:
        return self.all or row.owner_id == self.viewer.user_id


def reach(row: Any) -> int:
    """How far a row is open by itself."""
    return REACH[row.visibility] if row.status == "active" else 0


def hidden(world: World, sees: Sees) -> set[str]:
    """Ids, SKUs and numbers that must not show."""
    found: set[str] = set()
    for noun in ("storefronts", "variants", "orders", "affiliate_links", "assets", "tryon_sessions"):
        found |= {row.id for row in world.rows[noun] if not getattr(sees, noun)(row)}
    unseen = [row for row in world.rows["products"] if not sees.products_(row)]
    found |= {row.id for row in unseen} | {f'"{row.sku}"' for row in unseen}
    found |= {f'"{row.sku}"' for row in world.rows["variants"] if not sees.variants(row)}
    found |= {f'"{row.code}"' for row in world.rows["affiliate_links"] if not sees.affiliate_links(row)}
    stock = [row for row in world.rows["inventory"] if not sees.inventory(row)]
    found |= {str(row.reserved) for row in stock} | {str(row.available) for row in stock if row.available}
    orders = {row.id for row in world.rows["orders"] if not sees.orders(row)}
    return found | {f'"{row.sku}"' for row in world.rows["order_lines"] if row.order_id in orders}


def everything(comparer: Comparer, kind: Any, depth: int) -> str:
    """All that tells one row from another, and all that can be reached from it."""
    if is_abstract_type(kind):
        kinds = comparer.schema.get_possible_types(kind)
        return "{ id " + " ".join(f"... on {one.name} {everything(comparer, one, depth)}" for one in kinds) + " }"
    parts = ["__typename"]
    for name, told in kind.fields.items():
        below = get_named_type(told.type)
        if is_leaf_type(below):
            parts += [name] * (name in TELLING)
        elif isinstance(below, GraphQLObjectType) and (depth > 0 or "first" in kind.fields) and name != "edges":
            listed = "(first: 40)" if "first" in told.args and depth < DEPTH else ""
            step = 0 if name == "nodes" else 1
            parts.append(f"{key(name, kind)}{name}{listed} {everything(comparer, below, depth - step)}")
    return "{ " + " ".join(parts) + " }"


def key(name: str, kind: Any) -> str:
    """Keys differ by type, so that fragments on several types may stand side by side."""
    return f"{kind.name[0].lower()}{kind.name[1:]}_{name}: "


def questions(comparer: Comparer, world: World) -> list[GraphQLRequest]:
    """Every field of the root, and every row by its id."""
    root: Any = comparer.schema.query_type
    found = []
    for name, told in root.fields.items():
        if (not any(is_required_argument(arg) for arg in told.args.values()) and "first" in told.args) or name == "me":
            listed = "(first: 100)" if "first" in told.args else ""
            found.append(f"{{ {name}{listed} {everything(comparer, get_named_type(told.type), DEPTH)} }}")
    nouns = [
        noun for noun in world.rows if noun not in ("inventory", "order_lines", "grants", "organizations", "clients")
    ]
    ids = [id_ for noun in nouns for id_ in world.ids(noun)]
    by_id = f"query($ids: [ID!]!) {{ nodes(ids: $ids) {everything(comparer, comparer.schema.type_map['Node'], 1)} }}"
    batches = [ids[start : start + 20] for start in range(0, len(ids), 20)]
    return [GraphQLRequest(query, {}) for query in found] + [GraphQLRequest(by_id, {"ids": batch}) for batch in batches]


VIEWERS = (
    "owner", "other owner", "stranger", "without stock", "without links", "shops only", "without shops", "nothing",
    "narrowed", "narrowed to none",
)  # fmt: skip


@pytest.mark.filterwarnings(
    "ignore:coroutine '.*' was never awaited", "ignore::pytest.PytestUnraisableExceptionWarning"
)
@pytest.mark.parametrize("name", VIEWERS)
async def test_nothing_hidden_shows(comparer: Comparer, world: World, name: str) -> None:
    viewer = world.viewers[name]
    secrets = hidden(world, Sees(world, viewer))
    assert len(secrets) > 100
    for request in questions(comparer, world):
        assert not isinstance(comparer.planned.prepare(request), Outcome), request.query
        outcome = await comparer.answer(comparer.planned, request, viewer)
        shown = (outcome.data or b"").decode()
        assert not [secret for secret in secrets if secret in shown], (request.query[:80], comparer.last)
    assert name in ("shops only", "without shops", "nothing", "without links") or comparer.ways["planned"] > 2


async def test_who_reads_all_sees_all(comparer: Comparer, world: World) -> None:
    """The same questions do find the rows, so that the test above can fail."""
    shown = ""
    for request in questions(comparer, world):
        outcome = await comparer.answer(comparer.planned, request, world.viewers["reads all"])
        shown += (outcome.data or b"").decode()
    secrets = hidden(world, Sees(world, world.viewers["nothing"]))
    assert len([secret for secret in secrets if secret not in shown]) < len(secrets) / 5
