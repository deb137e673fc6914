"""A shop with a known structure: looks whose pieces go together, shoppers who buy by them, and a fashion that moves on.

Pieces of a look share a word of the title and a collection, four times in five; a tenth of the products come out when
history has ended.
Halfway, a quarter of the others go over to another look, and their titles do not say so.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any, Final

import asyncpg

from db.ids import new_id

END: Final = datetime(2026, 11, 1, tzinfo=UTC)
DAYS: Final = 240
_GARMENTS: Final = (
    "Coat",
    "Hat",
    "Scarf",
    "Boots",
    "Shirt",
    "Skirt",
    "Belt",
    "Bag",
    "Knit",
    "Trousers",
    "Socks",
    "Dress",
)
_PLAIN: Final = ("Washed", "Boxy", "Cropped", "Quilted", "Raw", "Ribbed", "Pleated", "Soft", "Light", "Long")


@dataclass(frozen=True)
class Basket:
    """What one shopper met at one time."""

    at: datetime
    products: tuple[str, ...]
    tried: bool


@dataclass(frozen=True)
class Plan:
    """The planted structure. `looks` of now by product; `fresh` came out when history had ended, `moved` changed its look."""

    storefront: str
    titles: dict[str, str]
    looks: dict[str, int]
    fresh: frozenset[str]
    moved: frozenset[str]
    past: list[Basket]
    held_out: list[Basket]

    def mates(self, product: str) -> list[str]:
        """Who knows the plan recommends these."""
        return [one for one, look in self.looks.items() if look == self.looks[product] and one != product]


def planted(*, looks: int, pieces: int, baskets: int, seed: int) -> Plan:
    """A plan of so many looks with so many pieces each, and so many baskets, of which the last tenth is held out."""
    return _Planter(Random(seed), looks, pieces).plan(baskets)


class _Planter:
    def __init__(self, random: Random, looks: int, pieces: int) -> None:
        self._random, self._looks = random, looks
        self._titles: dict[str, str] = {}
        self._before: dict[str, int] = {}
        for look in range(looks):
            for place in range(pieces):
                said = f"motif{look}" if random.random() < 0.8 else f"motif{random.randrange(looks)}"
                garment = _GARMENTS[place % len(_GARMENTS)]
                product = new_id("prd")
                self._titles[product] = f"{random.choice(_PLAIN)} {garment} {said}"
                self._before[product] = look
        everyone = list(self._before)
        random.shuffle(everyone)
        self._fresh = frozenset(everyone[: len(everyone) // 10])
        self._moved = frozenset(everyone[len(everyone) // 10 : len(everyone) * 35 // 100])
        self._now = {one: random.randrange(looks) if one in self._moved else look for one, look in self._before.items()}
        # Few are loved by many (Zipf).
        self._loved = {one: 1 / (1 + rank) ** 0.5 for rank, one in enumerate(random.sample(everyone, len(everyone)))}

    def plan(self, baskets: int) -> Plan:
        held = baskets // 10
        made = [self._basket(place / baskets, launched=place >= baskets - held) for place in range(baskets)]
        return Plan(
            new_id("sf"),
            self._titles,
            self._now,
            self._fresh,
            self._moved,
            made[: baskets - held],
            made[baskets - held :],
        )

    def _basket(self, moment: float, *, launched: bool) -> Basket:
        """Two to four pieces: three in four of the first one's look, the rest whatever is loved."""
        looks = self._now if moment > 0.5 else self._before
        there = [one for one in looks if launched or one not in self._fresh]
        first = self._one_of(there)
        mates = [one for one in there if looks[one] == looks[first]]
        chosen = {first: None}
        for _ in range(self._random.randint(1, 3)):
            chosen[self._one_of(mates if self._random.random() < 0.75 else there)] = None
        at = END - timedelta(days=DAYS * (1 - moment))
        return Basket(at, tuple(chosen), tried=self._random.random() < 0.25)

    def _one_of(self, products: list[str]) -> str:
        return self._random.choices(products, weights=[self._loved[one] for one in products])[0]


async def put(connection: asyncpg.Connection, plan: Plan) -> None:
    """Writes the shop and its past into a database: orders, and try-ons of one shopper each."""
    user, client, organization = new_id("usr"), new_id("cli"), new_id("org")
    variants = {product: new_id("var") for product in plan.titles}
    for table, columns, rows in _rows(plan, user, client, organization, variants):
        await connection.copy_records_to_table(table, records=list(rows), columns=columns.split())


def _said(title: str) -> dict[str, str]:
    """The collection, as metadata; of what a title does not name, nothing else does."""
    return {"collection": title.split()[2]}


def _rows(
    plan: Plan, user: str, client: str, organization: str, variants: dict[str, str]
) -> Iterator[tuple[str, str, Iterator[tuple[Any, ...]]]]:
    shop, times, price = plan.storefront, (END, END), (Decimal(10), "EUR")
    name = shop[3:].lower()
    yield "users", "id handle display_name region created_at updated_at", iter([(user, f"@{name}", "b", "eu", *times)])
    yield "organizations", "id name region created_at", iter([(organization, "b", "eu", END)])
    yield (
        "clients",
        "id organization_id name environment tier status created_at",
        iter([(client, organization, "b", "sandbox", "default", "active", END)]),
    )
    yield (
        "storefronts", "id owner_id handle name description status currency locale visibility created_at updated_at",
        iter([(shop, user, f"@{name}", "b", "", "active", "EUR", "en", "public", *times)]),
    )  # fmt: skip
    yield (
        "products",
        (
            "id storefront_id owner_id sku title description category price_amount price_currency status visibility extra "
            "created_at updated_at"
        ),
        (
            (one, shop, user, one, title, "", title.split()[1], *price, "active", "public", _said(title), *times)
            for one, title in plan.titles.items()
        ),
    )  # fmt: skip
    yield (
        "variants", "id product_id storefront_id sku price_amount price_currency created_at updated_at",
        ((variant, one, shop, one, *price, *times) for one, variant in variants.items()),
    )  # fmt: skip
    yield (
        "inventory", "variant_id product_id storefront_id owner_id available reserved updated_at",
        ((variant, one, shop, user, 1000, 0, END) for one, variant in variants.items()),
    )  # fmt: skip
    orders = [(new_id("ord"), basket) for basket in plan.past if not basket.tried]
    yield (
        "orders", "id storefront_id owner_id status total_amount total_currency created_at updated_at",
        ((order, shop, user, "created", *price, basket.at, basket.at) for order, basket in orders),
    )  # fmt: skip
    yield (
        "order_lines", "order_id line variant_id sku title quantity price_amount price_currency",
        (
            (order, line, variants[one], one, "b", 1, *price)
            for order, basket in orders
            for line, one in enumerate(basket.products)
        ),
    )  # fmt: skip
    tried = [(f"shopper {n}", basket) for n, basket in enumerate(plan.past) if basket.tried]
    yield (
        "tryon_sessions", "id owner_id client_id product_id use_case origin subject status consent_at created_at expires_at",
        (
            (new_id("tos"), user, client, one, "product_page", "https://x.example", shopper, "created", *[basket.at] * 3)
            for shopper, basket in tried
            for one in basket.products
        ),
    )  # fmt: skip
