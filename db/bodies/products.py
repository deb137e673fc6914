"""A product, its variants and their stock, as told to the outside."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field

from db.bodies.base import Body, Id, Moment, Money, word
from db.bodies.storefronts import Visibility
from db.tables import Inventory, Product, Variant

Status = Annotated[str, word("draft", "active", "archived")]


class MediaBody(Body):
    """A picture of the product."""

    url: str
    alt: str


class VariantBody(Body):
    """What is bought. `available` is null where the viewer may not see stock numbers."""

    id: str = Id("var")
    sku: str
    options: dict[str, str] = Field(examples=[{"size": "M", "colour": "indigo"}])
    price: Money
    in_stock: bool
    available: int | None

    @classmethod
    def of(cls, row: Variant, *, in_stock: bool, available: int | None) -> "VariantBody":
        """From its row."""
        return cls.model_construct(
            id=row.id,
            sku=row.sku,
            options={option["name"]: option["value"] for option in row.options},
            price=Money.of(row.price_amount, row.price_currency),
            in_stock=in_stock,
            available=available,
        )


class ProductBody(Body):
    """A listing. `total_inventory` is null where the viewer may not see stock numbers."""

    id: str = Id("prd")
    storefront_id: str = Id("sf")
    sku: str
    title: str
    description: str
    price: Money
    category: str | None
    status: Status
    visibility: Visibility
    metadata: dict[str, Any]
    media: list[MediaBody]
    variants: list[VariantBody]
    total_inventory: int | None
    created_at: Moment
    updated_at: Moment

    @classmethod
    def of(cls, row: Product, variants: Sequence[VariantBody], total_inventory: int | None) -> "ProductBody":
        """From its row and what hangs on it."""
        return cls.model_construct(
            id=row.id,
            storefront_id=row.storefront_id,
            sku=row.sku,
            title=row.title,
            description=row.description,
            price=Money.of(row.price_amount, row.price_currency),
            category=row.category,
            status=row.status,
            visibility=row.visibility,
            metadata=row.extra,
            media=[MediaBody.model_construct(**item) for item in row.media],
            variants=list(variants),
            total_inventory=total_inventory,
            created_at=row.created_at,
            updated_at=row.updated_at,
        )

    @classmethod
    def with_stock(
        cls, row: Product, variants: Sequence[Variant], stock: Mapping[str, Inventory], *, sees_stock: bool = True
    ) -> "ProductBody":
        """From rows read together in one transaction. Events tell the owner, who sees every number."""
        bodies = []
        for variant in variants:
            available = stock[variant.id].available
            bodies.append(VariantBody.of(variant, in_stock=available > 0, available=available if sees_stock else None))
        total = sum(stock[variant.id].available for variant in variants)
        return cls.of(row, bodies, total if sees_stock else None)


class InventoryBody(Body):
    """The stock of one variant, in pieces: what can be sold, and what open orders hold."""

    variant_id: str = Id("var")
    product_id: str = Id("prd")
    sku: str
    available: int
    reserved: int
    updated_at: Moment

    @classmethod
    def of(cls, row: Inventory, sku: str) -> "InventoryBody":
        """From its row."""
        return cls.model_construct(
            variant_id=row.variant_id,
            product_id=row.product_id,
            sku=sku,
            available=row.available,
            reserved=row.reserved,
            updated_at=row.updated_at,
        )
