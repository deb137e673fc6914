"""What is asked: one operation in each server's spelling, and the statement that an expert would write for it."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Selection:
    """`ours` goes to this server and to mercurius, `postgraphile` says the same in that server's names.

    `sql` answers it by hand, with `{id}` for the storefront's id. `by_id`: the variable `id` is a storefront, drawn anew
    for each request.
    """

    name: str
    ours: str
    mercurius: bool = False
    postgraphile: str = ""
    sql: str = ""
    by_id: bool = True


_LINKS = "affiliateLinks(first: 5) { nodes { id code clicks affiliate { id handle } } }"
_PRODUCT_SQL = """json_build_object('id', p.id, 'title', p.title, 'price', json_build_object('amount', p.price_amount::text),
  'totalInventory', (select sum(i.available) from inventory i where i.product_id = p.id){more})"""
_LINKS_SQL = """, 'affiliateLinks', json_build_object('nodes', coalesce((select json_agg(json_build_object('id', l.id,
  'code', l.code, 'clicks', l.clicks, 'affiliate', (select json_build_object('id', a.id, 'handle', a.handle) from users a
  where a.id = l.affiliate_id))) from (select id, code, clicks, affiliate_id from affiliate_links
  where product_id = p.id order by id limit 5) l), '[]'::json))"""

POINT: Final = Selection(
    "point read",
    "query ($id: ID!) { storefront(id: $id) { id handle status productsCount } }",
    mercurius=True,
    postgraphile="query ($id: String!) { storefrontByRowId(rowId: $id) { rowId handle status "
    "productsByStorefrontId { totalCount } } }",
    sql="""select json_build_object('data', json_build_object('storefront', (select json_build_object('id', s.id,
  'handle', s.handle, 'status', upper(s.status), 'productsCount',
  (select count(*) from products p where p.storefront_id = s.id)) from storefronts s where s.id = {id})))""",
)
JOINED: Final = Selection(
    "joined page",
    "query ($id: ID!) { storefront(id: $id) { id handle owner { id handle } products(first: 20) { nodes "
    "{ id title price { amount } totalInventory " + _LINKS + " } } } }",
    mercurius=True,
    postgraphile="query ($id: String!) { storefrontByRowId(rowId: $id) { rowId handle userByOwnerId { rowId handle } "
    "productsByStorefrontIdList(first: 20, orderBy: [ROW_ID_ASC]) { rowId title priceAmount "
    "inventoriesByProductIdList { available } affiliateLinksByProductIdList(first: 5, orderBy: [ROW_ID_ASC]) "
    "{ rowId code clicks userByAffiliateId { rowId handle } } } } }",
    sql="select json_build_object('data', json_build_object('storefront', (select json_build_object('id', s.id, "
    "'handle', s.handle, 'owner', (select json_build_object('id', u.id, 'handle', u.handle) from users u "
    "where u.id = s.owner_id), 'products', json_build_object('nodes', coalesce((select json_agg("
    + _PRODUCT_SQL.replace("{more}", _LINKS_SQL)
    + ") from (select id, title, price_amount from products where storefront_id = s.id order by id limit 20) p), "
    "'[]'::json))) from storefronts s where s.id = {id})))",
)


def wide(first: int) -> Selection:
    """The first storefronts, ten products of each."""
    return Selection(
        f"wide list of {first}",
        f"{{ storefronts(first: {first}) {{ nodes {{ id handle owner {{ handle }} products(first: 10) {{ nodes "
        "{ id title price { amount } totalInventory } } } } }",
        mercurius=True,
        postgraphile=f"{{ allStorefrontsList(first: {first}, orderBy: [ROW_ID_ASC]) {{ rowId handle "
        "userByOwnerId { handle } productsByStorefrontIdList(first: 10, orderBy: [ROW_ID_ASC]) "
        "{ rowId title priceAmount inventoriesByProductIdList { available } } } }",
        sql="select json_build_object('data', json_build_object('storefronts', json_build_object('nodes', (select "
        "json_agg(json_build_object('id', s.id, 'handle', s.handle, 'owner', (select json_build_object('handle', "
        "u.handle) from users u where u.id = s.owner_id), 'products', json_build_object('nodes', coalesce((select "
        "json_agg(" + _PRODUCT_SQL.replace("{more}", "") + ") from (select id, title, price_amount from products "
        "where storefront_id = s.id order by id limit 10) p), '[]'::json)))) from (select id, handle, owner_id "
        f"from storefronts order by id limit {first}) s))))",
        by_id=False,
    )


FILTERED: Final = Selection(
    "filters and sort",
    "query ($id: ID!) { products(first: 20, sort: PRICE_DESC, filter: {storefrontId: $id, status: ACTIVE}) "
    "{ totalCount pageInfo { hasNextPage endCursor } nodes { id title price { amount currency } inStock: totalInventory } } }",
)
FRAGMENTS: Final = Selection(
    "fragments",
    "query ($id: ID!) { node(id: $id) { __typename ...Shop } } fragment Shop on Storefront { handle "
    "products(first: 10) { nodes { ...Item variants(first: 3) { nodes { sku price { ...Price } inStock } } } } } "
    "fragment Item on Product { id title price { ...Price } } fragment Price on Money { amount currency }",
)
BACKWARDS: Final = Selection(
    "backwards page",
    "query ($id: ID!) { storefront(id: $id) { products(last: 20) { pageInfo { hasPreviousPage startCursor } "
    "edges { cursor node { id title } } } } }",
)
DEEP: Final = Selection(
    "from links up",
    "query ($id: ID!) { storefront(id: $id) { products(first: 5) { nodes { affiliateLinks(first: 5) { nodes { code "
    "affiliate { handle affiliateLinks(first: 5) { nodes { code product { title storefront { handle } } } } } } } } } } }",
)
WIDE: Final = wide(50)
COMPARED: Final = (POINT, JOINED, WIDE)
ALONE: Final = (FILTERED, FRAGMENTS, BACKWARDS, DEEP)
GROWTH: Final = (wide(10), wide(100))
