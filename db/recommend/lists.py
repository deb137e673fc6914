"""The list of each product: who was met with it, blended by support with what is like it.

- *Met*: the cosine of two products' decayed visitors (Sarwar, Karypis, Konstan and Riedl, "Item-Based Collaborative
  Filtering Recommendation Algorithms", WWW 2001), shrunk by n / (n + PAIR_PRIOR) where n visitors saw both (Bell and
  Koren, "Scalable Collaborative Filtering with Jointly Derived Neighborhood Interpolation Weights", ICDM 2007), as a
  share of the product's best. Fewer than FEWEST visitors say nothing, to anyone.
- *Alike*: the cosine of two products' words, each weighed by how rare it is (Spärck Jones, "A Statistical
  Interpretation of Term Specificity and Its Application in Retrieval", J. of Documentation 28(1), 1972).
- *Blend*: trust * met + (1 - trust) * alike, where trust = N / (N + PRIOR) and N is all that supports the product's
  pairs: the mean that an empirical Bayesian would expect (Efron and Morris, "Data Analysis Using Stein's Estimator and
  Its Generalizations", JASA 70, 1975). A product without history has what is like it; one with much, whom it was met with.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from db.recommend.decay import WORTH, faded

FEWEST: Final = 3  # visitors that a pair needs before it counts
PRIOR, PAIR_PRIOR = 10.0, 3.0  # visitors
LONGEST, AT_HOME = 40, 10  # the length of a list, and how many of the product's own storefront are kept beyond it
_MET, _FOUND, _RARE = 60, 120, 0.001

_FREQUENCY: Final = """
  select e.word, e.share from pg_stats s
  cross join lateral unnest(s.most_common_elems::text::text[], s.most_common_elem_freqs) e(word, share)
  where s.schemaname = current_schema() and s.tablename = 'product_features' and s.attname = 'words' and e.word is not null
"""
_TELLS: Final = f"u.weight * ln(1 + 1 / coalesce(q.share, {_RARE}))"
_PAIRED: Final = f"""
  select p.product_id, p.other_id, sum(p.weight * worth) as weight,
    (array_agg(p.kind order by p.weight * worth desc, p.kind))[1] as kind
  from product_pairs p join {WORTH} using (kind) where p.product_id = any($1) and p.other_id <> p.product_id
  group by 1, 2 having sum(p.visitors) >= {FEWEST}
"""
_MET_WITH: Final = f"""
  select product_id, other_id from (
    select product_id, other_id, row_number() over (partition by product_id order by weight desc, other_id) as place
    from ({_PAIRED}) paired) met
  where place <= {_MET}
"""
# Those with all of a product's most telling words; where they are few, those with two of them, then those with one.
_SEARCH: Final = f"""
with frequency as materialized ({_FREQUENCY}),
head as materialized (
  select f.product_id, f.storefront_id, array_agg(w.word order by w.place) as words
  from product_features f cross join lateral (
    select u.word, row_number() over (order by u.word like 'category=%' desc, {_TELLS} desc, u.word) as place
    from unnest(f.words, f.weights) u(word, weight) left join frequency q using (word) order by place limit 6
  ) w where f.product_id = any($1) group by 1, 2
), found as (
  select h.product_id, c.product_id as other_id from head h cross join lateral (
    (select f.product_id from product_features f where f.listed and f.words @> h.words limit {_FOUND})
    union all
    (select f.product_id from unnest(h.words) with ordinality a(word, i)
     join unnest(h.words) with ordinality b(word, i) on a.i < b.i cross join lateral (
       select f.product_id from product_features f where f.listed and f.words @> array[a.word, b.word] limit 30) f)
    union all
    (select f.product_id from unnest(h.words) a(word) cross join lateral (
       select f.product_id from product_features f where f.listed and f.words @> array[a.word] limit 30) f)
    limit {_FOUND}) c
  union
  select h.product_id, c.product_id from head h cross join lateral (
    select f.product_id from product_features f where f.listed and f.storefront_id = h.storefront_id limit 30) c
  union {_MET_WITH}
)
select product_id, other_id from found where product_id <> other_id
"""  # fmt: skip
# What stands in a list, whose list it stands in itself, and whom it was met with.
_KNOWN: Final = f"""
select product_id, other_id from recommendations where product_id = any($1)
union
select s.id, r.product_id from unnest($1::text[]) s(id) cross join lateral (
  select r.product_id from recommendations r where r.other_id = s.id limit {_MET}) r
union {_MET_WITH}
"""
# $1 the products, $2 and $3 the pairs, $4 everyone in them, $5 what turns a weight into visitors of now
_LIST: Final = f"""
with frequency as materialized ({_FREQUENCY}),
pool as materialized (select * from unnest($2::text[], $3::text[]) as pool(product_id, other_id)),
there as materialized (select id, storefront_id from products where id = any($4) and status = 'active'),
homes as materialized (select id, storefront_id from products where id = any($1)),
said as materialized (
  select f.product_id, u.word, {_TELLS} as tells
  from product_features f cross join lateral unnest(f.words, f.weights) u(word, weight) left join frequency q using (word)
  where f.product_id = any($4)
), lengths as (
  select product_id, sqrt(sum(tells * tells)) as length from said group by 1
), alike as (
  select c.product_id, c.other_id, sum(a.tells * b.tells) / (min(x.length) * min(y.length)) as likeness
  from pool c join said a on a.product_id = c.product_id join said b on b.product_id = c.other_id and b.word = a.word
  join lengths x on x.product_id = c.product_id join lengths y on y.product_id = c.other_id group by 1, 2
), own as materialized (
  select p.product_id, sum(p.weight * worth) as weight from product_pairs p join {WORTH} using (kind)
  where p.product_id = p.other_id and p.product_id = any($4) group by 1
), paired as materialized (
  select *, weight * $5 as n from ({_PAIRED}) paired
), trust as (
  select product_id, sum(n) / (sum(n) + {PRIOR}) as trust from paired group by 1
), cosines as (
  select a.*, a.n / (a.n + {PAIR_PRIOR}) * a.weight / sqrt(x.weight * y.weight) as cosine
  from paired a join own x on x.product_id = a.product_id join own y on y.product_id = a.other_id
), met as (
  select *, cosine / max(cosine) over (partition by product_id) as met from cosines
), scored as (
  select c.product_id, c.other_id, m.kind, coalesce(t.trust, 0) * coalesce(m.met, 0) as met,
    (1 - coalesce(t.trust, 0)) * coalesce(l.likeness, 0) as alike, h.storefront_id = o.storefront_id as home
  from pool c join there o on o.id = c.other_id join homes h on h.id = c.product_id
  left join alike l on l.product_id = c.product_id and l.other_id = c.other_id
  left join met m on m.product_id = c.product_id and m.other_id = c.other_id
  left join trust t on t.product_id = c.product_id
), placed as (
  select *, row_number() over (partition by product_id order by met + alike desc, other_id) as place,
    row_number() over (partition by product_id, home order by met + alike desc, other_id) as place_at_home from scored
), fresh as materialized (
  select product_id, other_id, least(999, greatest(1, round(1000 * (met + alike))))::smallint as points,
    case when met >= alike and met > 0 then kind else 'similar' end as reason
  from placed where (place <= {LONGEST} or (home and place_at_home <= {AT_HOME})) and met + alike > 0.01
), gone as (
  delete from recommendations r where r.product_id = any($1)
  and not exists (select from fresh f where f.product_id = r.product_id and f.other_id = r.other_id)
)
insert into recommendations as r (product_id, other_id, points, reason) select * from fresh
on conflict (product_id, other_id) do update set points = excluded.points, reason = excluded.reason
  where (r.points, r.reason) is distinct from (excluded.points, excluded.reason)
"""  # fmt: skip


async def search(connection: Any, ids: Sequence[str], now: datetime) -> None:
    """Makes the lists of these products, from everything that is like them."""
    await _make(connection, ids, await connection.fetch(_SEARCH, ids), now)
    await connection.execute("update product_features set searched_at = $2 where product_id = any($1)", ids, now)


async def renew(connection: Any, ids: Sequence[str], now: datetime) -> None:
    """Makes the lists of these products anew, from what is known of them."""
    await _make(connection, ids, await connection.fetch(_KNOWN, ids), now)


async def _make(connection: Any, ids: Sequence[str], pool: Sequence[Any], now: datetime) -> None:
    seeds, others = [row[0] for row in pool], [row[1] for row in pool]
    everyone = list({*ids, *others})
    # The planner knows nothing of the sizes of these sets, and would go through one for each row of another.
    await connection.execute("set local enable_nestloop = off")
    await connection.execute(_LIST, ids, seeds, others, everyone, faded(now))
    await connection.execute("set local enable_nestloop = on")
