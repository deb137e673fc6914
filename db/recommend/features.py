r"""What a product says of itself, as words: those of its title and description, its category, its metadata and options.

Words are taken as they stand (PostgreSQL's text search configuration `simple`), since titles come in any language.
An attribute is one word: `colour=black`.
"""

from collections.abc import Sequence
from typing import Any, Final

MOST_WORDS: Final = 48
# One word says nothing, and cuts the catalogue into 64 samples: a search for what very many have looks into one of them.
SAMPLE: Final = "('#' || ((hashtext({}) & 63) + {} & 63))"

# JSON may hold \u0000, which no text of PostgreSQL's can: such a value says nothing.
_JSON: Final = r"case when strpos({0}::text, '\u0000') > 0 then '{1}'::json else {0} end"
_READ: Final = f"""
with chosen as (
  select p.id, p.storefront_id, p.reach = 2 as listed, p.title, p.category, left(p.description, 600) as description,
    {_JSON.format("p.extra", "{}")} as extra
  from products p where p.id = any($1)
), said as (
  select c.id, t.lexeme as word, 1.0 as weight from chosen c cross join lateral unnest(to_tsvector('simple', c.title)) t
  union all
  select c.id, 'category=' || lower(c.category), 1.0 from chosen c where c.category is not null
  union all
  select c.id, lower(m.key || '=' || m.value), 1.0 from chosen c cross join lateral json_each_text(c.extra) m
  where length(m.value) <= 64
  union all
  select c.id, lower((o.item ->> 'name') || '=' || (o.item ->> 'value')), 0.5 from chosen c
  join variants v on v.product_id = c.id and v.archived_at is null
  cross join lateral json_array_elements({_JSON.format("v.options", "[]")}) o(item)
  union all
  select c.id, d.lexeme, 0.3 from chosen c cross join lateral unnest(to_tsvector('simple', c.description)) d
), weighed as (
  select id, left(word, 64) as word, max(weight) as weight from said where word <> '' group by 1, 2
), placed as (
  select *, row_number() over (partition by id order by weight desc, word) as place from weighed
), gathered as (
  select id, array_agg(word order by place) as words, array_agg(weight::real order by place) as weights
  from placed where place <= {MOST_WORDS} group by 1
)
insert into product_features as f (product_id, storefront_id, listed, words, weights)
select c.id, c.storefront_id, c.listed, coalesce(g.words, '{{}}') || {SAMPLE.format("c.id", 0)},
  coalesce(g.weights, '{{}}') || 0::real
from chosen c left join gathered g using (id)
on conflict (product_id) do update set storefront_id = excluded.storefront_id, listed = excluded.listed,
  words = excluded.words, weights = excluded.weights
returning product_id
"""
_FORGET: Final = (
    "delete from product_features where product_id = any($1)",
    "delete from recommendations where product_id = any($1) or other_id = any($1)",
    "delete from product_pairs where product_id = any($1) or other_id = any($1)",
    "delete from tryon_visits where product_id = any($1)",
)
# How common words are is what ANALYZE found. Autovacuum looks once a minute, which is late for a first catalogue.
_CHANGED: Final = "update recommendation_refresh set unlearned = unlearned + $1 returning unlearned"
_KNOWN: Final = "select greatest(reltuples, 0) from pg_class where oid = 'product_features'::regclass"


async def read(connection: Any, ids: Sequence[str]) -> set[str]:
    """Reads what these products say of themselves now. Returns those that there are; the rest is forgotten."""
    there = {row[0] for row in await connection.fetch(_READ, ids)}
    gone = sorted(set(ids) - there)
    for sql in _FORGET if gone else ():
        await connection.execute(sql, gone)
    return there


async def learn_frequencies(connection: Any, changed: int) -> None:
    """Lets PostgreSQL count words anew, where many products have changed since it did."""
    unlearned = await connection.fetchval(_CHANGED, changed)
    if unlearned > 50 + await connection.fetchval(_KNOWN) / 2:
        await connection.execute("analyze product_features")
        await connection.execute("update recommendation_refresh set unlearned = 0")
