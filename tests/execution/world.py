"""A small world with everything that a rule could get wrong: owners, every status and visibility, gaps, odd text.

Ids are numbered, so that one seed always asks the same of the same rows.
"""

import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from auth.scopes import SCOPES
from auth.viewer import Viewer
from db import tables
from db.sessions import Database

START = datetime(2026, 1, 1, tzinfo=UTC)
ODD_TEXTS = (
    "plain", "", 'quo"te\\back', "tab\tline\nreturn\r\b\f", "\u0001\u001f\u007f", "ü é 漢字 😀", "\u2028\u2029", "</script>",
    "'; drop table users; --", "{in_page} {t} $1", "null",
)  # fmt: skip
ODD_JSON: tuple[Any, ...] = (
    {}, {"a": [1, 2.5, 'ü\n"x"'], "b": None}, {"n": [0.1, -0.0, 1e16, 1e-7, 1.5e300, 2**53 + 1, -(2**63)]},
    {"nul": "\0", "deep": {"a": {"b": [[], {}]}}, "": True}, {"\u0001x\u0002": "\u0001\u0002"},
)  # fmt: skip
STATES = (("active", "public"), ("active", "unlisted"), ("active", "hidden"), ("draft", "public"), ("paused", "public"))
PRODUCT_STATES = (
    ("active", "public"), ("active", "public"), ("active", "unlisted"), ("active", "hidden"), ("draft", "public"),
    ("archived", "public"),
)  # fmt: skip
RIGHTS: dict[str, Any] = {
    "license": "all-rights-reserved",
    "territories": [],
    "embargo_until": None,
    "expires_at": None,
    "ai_training": False,
}
READS = frozenset(scope for scope in SCOPES if scope.endswith(":read")) - {"platform:read"}


@dataclass
class World:
    """The rows by noun, each owner's, and who looks at them."""

    owners: list[str] = field(default_factory=list)
    rows: dict[str, list[Any]] = field(default_factory=dict)
    viewers: dict[str, Viewer] = field(default_factory=dict)
    cursors: list[str] = field(default_factory=list)

    def ids(self, noun: str) -> list[str]:
        """The ids of one kind of row."""
        return [row.id for row in self.rows.get(noun, [])]

    def add(self, row: Any) -> Any:
        """Keeps a row under its table's name."""
        self.rows.setdefault(row.__tablename__, []).append(row)
        return row


class Planter:
    """Makes the rows; the same ones each time."""

    def __init__(self) -> None:
        self.world = World()
        self._numbers = itertools.count(1)

    def id(self, prefix: str) -> str:
        """The next id."""
        return f"{prefix}_01JD3T8Q5YB9N7K0V2M4{next(self._numbers):06d}"

    def number(self) -> int:
        """The next number."""
        return next(self._numbers)

    def moment(self) -> datetime:
        """Times that collide now and then."""
        return START + timedelta(milliseconds=125 * (next(self._numbers) // 4))

    def times(self) -> dict[str, Any]:
        """Created and updated."""
        return {"created_at": self.moment(), "updated_at": self.moment()}

    def owner(self, name: str) -> str:
        """A user who acts for an organisation."""
        row = tables.User(id=self.id("usr"), handle=f"@{name}", display_name=f'{name} "é"', **self.times())
        self.world.owners.append(self.world.add(row).id)
        return row.id

    def storefronts(self, owner: str) -> None:
        """One of each state, with everything in it."""
        for place, (status, visibility) in enumerate(STATES):
            number = self.number()
            row = tables.Storefront(
                id=self.id("sf"), owner_id=owner, handle=f"@shop{number}", name=ODD_TEXTS[number % len(ODD_TEXTS)],
                description=ODD_TEXTS[place], status=status, visibility=visibility,
                extra=ODD_JSON[place % len(ODD_JSON)], **self.times(),
            )  # fmt: skip
            self.world.add(row)
            self.products(row)
            self.orders(row)

    def products(self, shop: Any) -> None:
        """One of each state; the last storefronts have fewer, and one has none."""
        for status, visibility in PRODUCT_STATES[: 6 if shop.status == "active" else 1]:
            number = self.number()
            row = tables.Product(
                id=self.id("prd"), storefront_id=shop.id, owner_id=shop.owner_id, sku=f"SKU-{number}",
                title=ODD_TEXTS[number % len(ODD_TEXTS)], description=ODD_TEXTS[number % 7],
                price_amount=Decimal(("10.00", "29.90", "10.00", "2900", "0.001")[number % 5]),
                price_currency=("EUR", "USD", "JPY")[number % 3], status=status, visibility=visibility,
                category=None if number % 3 else ODD_TEXTS[number % len(ODD_TEXTS)], extra=ODD_JSON[number % len(ODD_JSON)],
                media=[{"url": f"https://x.example/{number}.jpg", "alt": text} for text in ODD_TEXTS[: number % 3]],
                **self.times(),
            )  # fmt: skip
            self.world.add(row)
            self.variants(row)

    def variants(self, product: Any) -> None:
        """None, one or three; some archived, some without a stock row."""
        for place in range((0, 3, 1)[self.number() % 3]):
            number = self.number()
            row = tables.Variant(
                id=self.id("var"), product_id=product.id, storefront_id=product.storefront_id, sku=f"VAR-{number}",
                options=[{"name": "size", "value": text} for text in ODD_TEXTS[2 : 2 + number % 3]],
                price_amount=Decimal("12.50"), price_currency="EUR",
                archived_at=START if place == 2 else None, **self.times(),
            )  # fmt: skip
            self.world.add(row)
            if number % 4:
                stock = tables.Inventory(
                    variant_id=row.id, product_id=product.id, storefront_id=product.storefront_id,
                    owner_id=product.owner_id, available=700_000 + number if number % 3 else 0, reserved=800_000 + number,
                    updated_at=self.moment(),
                )  # fmt: skip
                self.world.add(stock)

    def orders(self, shop: Any) -> None:
        """Two, of which one names a variant that is gone."""
        for place in range(2):
            number, fulfilled = self.number(), place == 1
            row = tables.Order(
                id=self.id("ord"), storefront_id=shop.id, owner_id=shop.owner_id,
                status="fulfilled" if fulfilled else "created", total_amount=Decimal("100.00"), total_currency="EUR",
                external_ref=None if fulfilled else f"REF-{number}", fulfilled_at=START if fulfilled else None,
                **self.times(),
            )  # fmt: skip
            self.world.add(row)
            known = [v.id for v in self.world.rows.get("variants", []) if v.storefront_id == shop.id]
            for line, variant in enumerate([*known[: 1 + place], self.id("var")]):
                self.world.add(
                    tables.OrderLine(
                        order_id=row.id, line=line, variant_id=variant, sku=f"LINE-{number}-{line}",
                        title=ODD_TEXTS[number % len(ODD_TEXTS)], quantity=1 + line, price_amount=Decimal("50.00"),
                        price_currency="EUR",
                    )
                )  # fmt: skip

    def links(self, affiliate: str) -> None:
        """To some products of everyone, one to none, one with more clicks than an Int holds."""
        products = self.world.rows["products"]
        for product in [*products[:: 5 + len(self.world.rows.get("affiliate_links", []))], None]:
            number = self.number()
            row = tables.AffiliateLink(
                id=self.id("aff"), code=f"code-{number}", affiliate_id=affiliate,
                product_id=product and product.id, storefront_id=product and product.storefront_id,
                storefront_owner_id=product and product.owner_id, destination_url=f"https://x.example/{number}",
                commission_rate=Decimal("0.1000"), clicks=number % 7 if product else 3, conversions=number % 3,
                revenue_amount=Decimal(900_000 + number), commission_amount=Decimal("1.50"), created_at=self.moment(),
            )  # fmt: skip
            self.world.add(row)
        row.clicks = 2**31 + len(self.world.rows["affiliate_links"])

    def client(self, owner: str) -> Any:
        """The application through which an owner's try-on sessions are asked for."""
        organization = self.world.add(tables.Organization(id=self.id("org"), name=owner, created_at=START))
        row = tables.Client(id=self.id("cli"), organization_id=organization.id, name=owner, created_at=START)
        return self.world.add(row)

    def vault(self, owner: str) -> None:
        """An asset of each status, some in a collection, one too large for an Int."""
        collection = self.world.add(tables.Collection(id=self.id("col"), owner_id=owner, title="c", created_at=START))
        for place, status in enumerate(
            ("pending_review", "approved", "rejected", "published", "published", "published")
        ):
            row = tables.Asset(
                id=self.id("ast"), owner_id=owner, collection_id=collection.id if place % 2 else None,
                title=ODD_TEXTS[place], status=status, review_reason=ODD_TEXTS[2] if place == 2 else None,
                content_type="image/png", size=2**31 if place == 2 else place, sha256=f"{self.number():064x}", region="eu",
                object_key=f"key-{place}", rights=RIGHTS | {"territories": ["DE"] * place}, **self.times(),
            )  # fmt: skip
            self.world.add(row)

    def grants(self, owner: str, grantee: str) -> None:
        """Of the last four assets: one grant each that holds, has expired, was revoked, or is of an asset not published."""
        assets = [row.id for row in self.world.rows["assets"] if row.owner_id == owner]
        ended: tuple[dict[str, datetime], ...] = ({}, {}, {"expires_at": START}, {"revoked_at": START})
        for asset, more in zip(assets[2:], ended, strict=True):
            self.world.add(
                tables.Grant(id=self.id("grt"), asset_id=asset, grantee_id=grantee, created_at=START, **more)
            )

    def sessions(self, owner: str, client: Any) -> None:
        """Try-on sessions on products of everyone, most of which their asker cannot see any more."""
        for place, product in enumerate(self.world.rows["products"][::4]):
            variant = next((row.id for row in self.world.rows["variants"] if row.product_id == product.id), None)
            row = tables.TryonSession(
                id=self.id("tos"), owner_id=owner, client_id=client.id, product_id=product.id, variant_id=variant,
                use_case="shopping", origin="https://x.example", subject=ODD_TEXTS[place % 5] or None,
                consent_at=START, created_at=START, expires_at=self.moment(),
            )  # fmt: skip
            self.world.add(row)


async def plant(db: Database) -> World:
    """The world in an empty database."""
    planter = Planter()
    owners = [planter.owner(name) for name in ("ann", "bo", "cy")]
    for owner in owners[:2]:
        planter.storefronts(owner)
    for owner in owners:
        planter.links(owner)
    for owner in owners:
        client = planter.client(owner)
        planter.vault(owner)
        planter.sessions(owner, client)
    for owner, grantee in itertools.permutations(owners, 2):
        planter.grants(owner, grantee)
    world = planter.world
    async with db.write() as session:
        for rows in world.rows.values():
            session.add_all(rows)
            await session.flush()
    world.viewers = viewers(world)
    return world


def viewers(world: World) -> dict[str, Viewer]:
    """Everyone who might look."""
    ann, bo, cy = world.owners
    shops = [row.id for row in world.rows["storefronts"] if row.owner_id == ann]
    everything = READS | {"storefronts:write", "webhooks:manage", "tryon:write"}

    def viewer(user: str, scopes: frozenset[str], **more: Any) -> Viewer:
        return Viewer(user, "cli", "org", scopes, **more)

    return {
        "owner": viewer(ann, everything),
        "other owner": viewer(bo, everything),
        "stranger": viewer(cy, everything),
        "reads all": viewer(cy, frozenset({"platform:read"})),
        "without stock": viewer(ann, everything - {"inventory:read"}),
        "without links": viewer(bo, everything - {"affiliates:read"}),
        "shops only": viewer(ann, frozenset({"profile:read", "storefronts:read"})),
        "without shops": viewer(ann, frozenset({"profile:read", "orders:read", "affiliates:read", "inventory:read"})),
        "nothing": viewer(ann, frozenset()),
        "narrowed": viewer(ann, everything, storefront_ids=frozenset({shops[1], shops[2]})),
        "narrowed to none": viewer(ann, everything, storefront_ids=frozenset()),
    }
