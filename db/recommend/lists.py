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
from db.recommend.features import SAMPLE

FEWEST: Final = 3  # visitors that a pair needs before it counts
PRIOR, PAIR_PRIOR = 4.0, 3.0  # visitors
LONGEST, AT_HOME = 40, 10  # the length of a list, and how many of the product's own storefront are kept beyond it
_MET, _FOUND, _RARE = 60, 120, 0.001
COMMON: Final = 10_000  # products that have a word; more are not all looked at

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
# Those with all of a product's most telling words; where they are few, those with two of them, then those with one. What
# more than COMMON have is looked for in a sample, so that the time does not grow with the catalogue.
_HAS: Final = "select f.product_id from product_features f where f.listed and f.words @> ({words}"
_IN: Final = f" || case when {{share}} * n.n > {COMMON} then array[{SAMPLE.format('h.product_id', '{place}')}] else '{{{{}}}}' end)"
_SEARCH: Final = f"""
with frequency as materialized ({_FREQUENCY}),
head as materialized (
  select f.product_id, f.storefront_id, array_agg(w.word order by w.place) as words,
    array_agg(w.share order by w.place) as shares, min(w.share) as share
  from product_features f cross join lateral (
    select u.word, coalesce(q.share, 0) as share,
      row_number() over (order by u.word like 'category=%' desc, {_TELLS} desc, u.word) as place
    from unnest(f.words, f.weights) u(word, weight) left join frequency q using (word) where u.weight > 0
    order by place limit 6
  ) w where f.product_id = any($1) group by 1, 2
), n as materialized (
  select greatest(reltuples, 0) as n from pg_class where oid = 'product_features'::regclass
), found as (
  select h.product_id, c.product_id as other_id from n cross join head h cross join lateral (
    ({_HAS.format(words="h.words")}{_IN.format(share="h.share", place=0)} limit {_FOUND})
    union all
    (select f.product_id from unnest(h.words, h.shares) with ordinality a(word, share, i)
     join unnest(h.words, h.shares) with ordinality b(word, share, i) on a.i < b.i cross join lateral (
       {_HAS.format(words="array[a.word, b.word]")}{_IN.format(share="least(a.share, b.share)", place="a.i::int * 8 + b.i::int")}
       limit 30) f)
    union all
    (select f.product_id from unnest(h.words, h.shares) with ordinality a(word, share, i) cross join lateral (
       {_HAS.format(words="array[a.word]")}{_IN.format(share="a.share", place="a.i::int")} limit 30) f)
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
# $1 the products, $2 and $3 the pairs by place in $4, $4 everyone in them, $5 what turns a weight into visitors of now
_LIST: Final = f"""
with frequency as materialized ({_FREQUENCY}),
named as materialized (select id, n from unnest($4::text[]) with ordinality as e(id, n)),
pool as materialized (select * from unnest($2::bigint[], $3::bigint[]) as pool(product, other)),
there as materialized (select id, storefront_id, status from products where id = any($4)),
features as materialized (select product_id, words, weights from product_features where product_id = any($4)),
said as materialized (
  select n.n, u.word, {_TELLS} as tells from features f join named n on n.id = f.product_id
  cross join lateral unnest(f.words, f.weights) u(word, weight) left join frequency q using (word) where u.weight > 0
), units as materialized (
  select s.n, s.word, s.tells / l.length as tells
  from said s join (select n, sqrt(sum(tells * tells)) as length from said group by 1) l using (n)
), alike as (
  select c.product, c.other, sum(a.tells * b.tells) as likeness
  from pool c join units a on a.n = c.product join units b on b.n = c.other and b.word = a.word group by 1, 2
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
  select h.id as product_id, o.id as other_id, m.kind, coalesce(t.trust, 0) * coalesce(m.met, 0) as met,
    (1 - coalesce(t.trust, 0)) * coalesce(l.likeness, 0) as alike, h.storefront_id = o.storefront_id as home
  from pool c join named x on x.n = c.product join named y on y.n = c.other
  join there h on h.id = x.id join there o on o.id = y.id and o.status = 'active'
  left join alike l on l.product = c.product and l.other = c.other
  left join met m on m.product_id = h.id and m.other_id = o.id left join trust t on t.product_id = h.id
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
    everyone = list({*ids, *(row[1] for row in pool)})
    place = {one: n for n, one in enumerate(everyone, 1)}
    seeds, others = [place[row[0]] for row in pool], [place[row[1]] for row in pool]
    # The planner knows nothing of the sizes of these sets, and would go through one for each row of another.
    await connection.execute("set local enable_nestloop = off; set local work_mem = '32MB'")
    await connection.execute(_LIST, ids, seeds, others, everyone, faded(now))
    await connection.execute("set local enable_nestloop = on; set local work_mem to default")
