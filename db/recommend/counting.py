"""Who was seen with whom: orders, try-ons and clicks become pairs of products (item-to-item, as in Linden, Smith and York,
"Amazon.com Recommendations: Item-to-Item Collaborative Filtering", IEEE Internet Computing 7(1), 2003).

A visitor counts once for a pair. Of an order nobody knows the buyer, so an order is a visitor; so is, for what was
clicked and what was then bought, the order that names the click. For try-ons it is the partner's name for its shopper.
Clicks on different links are not joined: their visitor is hashed so that nobody can.
"""

from collections.abc import Sequence
from typing import Any, Final

from db.recommend.decay import added

# A basket of more says nothing of taste, and would make thousands of pairs.
MOST_TOGETHER: Final = 50

_PUT: Final = """
  insert into product_pairs as p (product_id, other_id, kind, weight, visitors)
  select product_id, other_id, '{kind}', sum(weight), sum(visitors) from {pairs} group by 1, 2
  on conflict (product_id, other_id, kind) do update
    set weight = p.weight + excluded.weight, visitors = p.visitors + excluded.visitors
  returning product_id
"""
# A product meets itself too: the sum of that is how often it was met at all.
_ORDERS: Final = f"""
with basket as (
  select distinct o.id as visitor, v.product_id, {added("o.created_at")} as weight
  from orders o join order_lines l on l.order_id = o.id join variants v on v.id = l.variant_id where o.id = any($1)
), sized as (
  select *, count(*) over (partition by visitor) as n from basket
), together as (
  select a.product_id, b.product_id as other_id, a.weight, 1 as visitors
  from sized a join sized b on b.visitor = a.visitor where a.n <= {MOST_TOGETHER}
), put as ({_PUT.format(kind="bought", pairs="together")})
select distinct product_id from put
"""  # fmt: skip
_CLICKED: Final = f"""
with came as (
  select distinct o.id as visitor, k.product_id as seen, v.product_id as bought, {added("o.created_at")} as weight
  from orders o join clicks c on c.id = o.click_id join affiliate_links k on k.id = c.link_id
  join order_lines l on l.order_id = o.id join variants v on v.id = l.variant_id
  where o.id = any($1) and k.product_id is not null
), sized as (
  select *, count(*) over w as n, bool_or(seen = bought) over w as told from came window w as (partition by visitor)
), apart as (
  select * from sized where n <= {MOST_TOGETHER} and not told
), together as (
  select seen as product_id, bought as other_id, weight, 1 as visitors from apart
  union all select bought, seen, weight, 1 from apart
  union all select bought, bought, weight, 1 from apart
  union all select distinct on (visitor) seen, seen, weight, 1 from apart
), put as ({_PUT.format(kind="viewed", pairs="together")})
select distinct product_id from put
"""  # fmt: skip
# A pair is as recent as the older of its two visits. What a visitor adds is what it makes now less what it made before.
_TRYONS: Final = f"""
with came as (
  select sha256(convert_to(s.owner_id || E'\\n' || s.subject, 'UTF8')) as visitor, s.product_id,
    max(s.created_at) as last_at
  from tryon_sessions s where s.id = any($1) and s.subject is not null group by 1, 2
), held as (
  select v.visitor, v.product_id, v.last_at from tryon_visits v where v.visitor in (select visitor from came)
), visits as (
  select coalesce(c.visitor, h.visitor) as visitor, coalesce(c.product_id, h.product_id) as product_id,
    h.last_at as before, greatest(c.last_at, h.last_at) as last_at, c.visitor is not null as fresh,
    count(*) over (partition by coalesce(c.visitor, h.visitor)) as n
  from came c full join held h on h.visitor = c.visitor and h.product_id = c.product_id
), together as (
  select a.product_id, b.product_id as other_id,
    {added("least(a.last_at, b.last_at)")}
      - case when a.before is null or b.before is null then 0 else {added("least(a.before, b.before)")} end as weight,
    case when a.before is null or b.before is null then 1 else 0 end as visitors
  from visits a join visits b on b.visitor = a.visitor where (a.fresh or b.fresh) and a.n <= {MOST_TOGETHER}
), kept as (
  insert into tryon_visits as v (visitor, product_id, last_at) select visitor, product_id, last_at from came
  on conflict (visitor, product_id) do update set last_at = greatest(v.last_at, excluded.last_at)
), put as ({_PUT.format(kind="tried", pairs="together")})
select distinct product_id from put
"""  # fmt: skip


async def count_orders(connection: Any, ids: Sequence[str]) -> set[str]:
    """Counts orders, and the clicks that led to them; each must come once. Returns the products that they touch."""
    rows = [*await connection.fetch(_ORDERS, ids), *await connection.fetch(_CLICKED, ids)]
    return {row[0] for row in rows}


async def count_tryons(connection: Any, ids: Sequence[str]) -> set[str]:
    """Counts try-on sessions. Returns the products that they touch."""
    return {row[0] for row in await connection.fetch(_TRYONS, ids)}
