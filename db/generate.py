"""Fills a database for load tests, by COPY. The same seed gives the same rows."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice
from random import Random
from typing import Any, Final

import asyncpg

from db.sessions import prepare_connection

_DIGITS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS: Final = tuple(a + b for a in _DIGITS for b in _DIGITS)
_SHIFTS: Final = tuple(range(120, -1, -10))
_START: Final = datetime(2024, 1, 1, tzinfo=UTC)
_BATCH: Final = 20_000
_ADJECTIVES: Final = ("Washed", "Boxy", "Cropped", "Quilted", "Raw", "Ribbed", "Pleated", "Wool", "Linen", "Organic")
_GARMENTS: Final = ("tee", "jacket", "coat", "jean", "skirt", "shirt", "dress", "knit", "trouser", "overshirt")
_COLOURS: Final = ("black", "ecru", "indigo", "olive", "rust", "sand", "navy", "clay")
_SIZES: Final = ("XS", "S", "M", "L", "XL")
_CURRENCIES: Final = ("EUR", "USD", "GBP", "SEK")

COLUMNS: Final = {
    "users": ("id", "handle", "display_name", "region", "created_at", "updated_at"),
    "storefronts": (
        "id", "owner_id", "handle", "name", "description", "status", "currency", "locale", "visibility", "extra",
        "created_at", "updated_at",
    ),
    "products": (
        "id", "storefront_id", "owner_id", "sku", "title", "description", "price_amount", "price_currency", "category",
        "status", "visibility", "extra", "media", "reach", "created_at", "updated_at",
    ),
    "variants": (
        "id", "product_id", "storefront_id", "sku", "options", "price_amount", "price_currency", "price_own",
        "created_at", "updated_at",
    ),
    "inventory": ("variant_id", "product_id", "storefront_id", "owner_id", "available", "reserved", "updated_at"),
    "affiliate_links": (
        "id", "code", "affiliate_id", "product_id", "storefront_id", "storefront_owner_id", "destination_url",
        "commission_rate", "currency", "extra", "clicks", "conversions", "revenue_amount", "commission_amount",
        "created_at",
    ),
}  # fmt: skip


class AlreadyGenerated(ValueError):
    """Rows of this seed are there; another seed gives others."""


@dataclass(frozen=True)
class Sizes:
    """How many rows of each kind."""

    storefronts: int
    products: int
    links: int

    @property
    def users(self) -> int:
        """An owner for each storefront, and an affiliate for each thirty links."""
        return self.storefronts + max(1, self.links // 30)


class Rows:
    """The rows of one seed. Every number comes from one generator, so the order of the methods is part of the result."""

    def __init__(self, sizes: Sizes, seed: int) -> None:
        self.sizes, self.seed = sizes, seed
        self._random = Random(seed)  # noqa: S311 - for load tests, and it must repeat
        self._ids: dict[str, list[str]] = {}
        self._sold: list[tuple[int, Decimal, str]] = []

    def _id(self, prefix: str, moment: datetime) -> str:
        number = (int(moment.timestamp() * 1000) << 80) | self._random.getrandbits(80)
        made = f"{prefix}_{''.join([_PAIRS[number >> shift & 1023] for shift in _SHIFTS])}"
        self._ids.setdefault(prefix, []).append(made)
        return made

    @staticmethod
    def _moment(place: int, step: float = 1.0) -> datetime:
        return _START + timedelta(milliseconds=int(place * step * 1000))

    def users(self) -> Iterator[tuple[Any, ...]]:
        """Owners first, then affiliates."""
        for place in range(self.sizes.users):
            at = self._moment(place)
            handle = f"@gen{self.seed}.{place}"
            yield self._id("usr", at), handle, f"Creator {place}", "eu" if place % 3 else "us", at, at

    def storefronts(self) -> Iterator[tuple[Any, ...]]:
        """Nine in ten are active."""
        for place in range(self.sizes.storefronts):
            at = self._moment(place)
            status = "active" if place % 10 else "draft"
            owner, name = self._ids["usr"][place], f"Atelier {place}"
            currency = _CURRENCIES[place % len(_CURRENCIES)]
            handle = f"@gen{self.seed}.shop.{place}"
            yield (
                self._id("sf", at), owner, handle, name, f"{name}, since {1990 + place % 35}.", status, currency, "en",
                "public", {"tier": place % 5}, at, at,
            )  # fmt: skip

    def products(self) -> Iterator[tuple[Any, ...]]:
        """Spread evenly over the storefronts; nine in ten are active and public."""
        storefronts, users = self._ids["sf"], self._ids["usr"]
        for place in range(self.sizes.products):
            at, home = self._moment(place, 0.5), place % len(storefronts)
            garment, colour = self._random.choice(_GARMENTS), self._random.choice(_COLOURS)
            title = f"{self._random.choice(_ADJECTIVES)} {garment} in {colour}"
            price = Decimal(self._random.randrange(1500, 45000)) / 100
            currency = _CURRENCIES[home % len(_CURRENCIES)]
            self._sold.append((home, price, currency))
            status = "active" if self._random.random() < 0.9 else "draft"
            yield (
                self._id("prd", at), storefronts[home], users[home], f"GEN-{place}", title, f"{title}. Made to last.",
                price, currency, garment.title(), status, "public", {}, [], 0, at, at,
            )  # fmt: skip

    def variants(self) -> Iterator[tuple[Any, ...]]:
        """One to three sizes a product."""
        products, storefronts = self._ids["prd"], self._ids["sf"]
        for place, (home, price, currency) in enumerate(self._sold):
            at = self._moment(place, 0.5)
            for number in range(1 + place % 3):
                options = [{"name": "size", "value": _SIZES[number]}]
                sku = f"GEN-{place}-{_SIZES[number]}"
                yield (
                    self._id("var", at), products[place], storefronts[home], sku, options, price, currency, False,
                    at, at,
                )  # fmt: skip

    def inventory(self) -> Iterator[tuple[Any, ...]]:
        """One row a variant; one in eight is sold out."""
        products, storefronts, users = self._ids["prd"], self._ids["sf"], self._ids["usr"]
        variants = iter(self._ids["var"])
        for place, (home, _, _) in enumerate(self._sold):
            at = self._moment(place, 0.5)
            for _ in range(1 + place % 3):
                available = self._random.randrange(0, 200) if self._random.random() < 0.875 else 0
                yield next(variants), products[place], storefronts[home], users[home], available, place % 4, at

    def affiliate_links(self) -> Iterator[tuple[Any, ...]]:
        """Spread over the products at random, with what they earned."""
        products, storefronts, users = self._ids["prd"], self._ids["sf"], self._ids["usr"]
        affiliates = users[self.sizes.storefronts :]
        for place in range(self.sizes.links):
            at, chosen = self._moment(place, 0.25), self._random.randrange(len(products))
            home, price, currency = self._sold[chosen]
            clicks = self._random.randrange(0, 5000)
            sales = self._random.randrange(0, clicks // 50 + 1)
            revenue = price * sales
            yield (
                self._id("aff", at), f"gen{self.seed}-{place}", self._random.choice(affiliates), products[chosen],
                storefronts[home], users[home], f"https://shop.example/{chosen}", Decimal("0.1"), currency, {},
                clicks, sales, revenue, (revenue / 10).quantize(Decimal("0.01")), at,
            )  # fmt: skip


Tell = Callable[[str, int], None]


async def generate(dsn: str, sizes: Sizes, seed: int, *, tell: Tell = lambda table, rows: None) -> dict[str, int]:
    """Writes the rows of a seed in one transaction; `tell` hears of each batch. Returns the number of rows by table."""
    connection = await asyncpg.connect(dsn)
    try:
        await prepare_connection(connection)
        if await connection.fetchval("select 1 from users where handle = $1", f"@gen{seed}.0"):
            raise AlreadyGenerated(f"rows of seed {seed} are there already; choose another --seed")
        async with connection.transaction():
            counts = await _copy_all(connection, Rows(sizes, seed), tell)
        await connection.execute("analyze")
        return counts
    finally:
        await connection.close()


async def _copy_all(connection: asyncpg.Connection, rows: Rows, tell: Tell) -> dict[str, int]:
    counts = {}
    for table, columns in COLUMNS.items():
        counts[table] = 0
        source: Iterable[tuple[Any, ...]] = getattr(rows, table)()
        iterator = iter(source)
        while batch := list(islice(iterator, _BATCH)):
            await connection.copy_records_to_table(table, records=batch, columns=columns)
            counts[table] += len(batch)
            tell(table, len(batch))
    return counts
