"""Products, the variants that are bought, and the stock of each."""

from typing import Any

from sqlalchemy import Boolean, Column, Index, Integer, SmallInteger, UniqueConstraint
from sqlmodel import Field

from db.tables.base import (
    Decimal,
    Table,
    amount,
    currency_check,
    datetime,
    id_field,
    json,
    moment,
    not_negative,
    one_of,
    optional_text,
    ref,
    text,
)


class Product(Table, table=True):
    """A listing. `owner_id` and `reach` repeat what its storefront says (triggers keep them), so that no read joins for a rule."""

    __tablename__ = "products"
    __table_args__ = (
        UniqueConstraint("storefront_id", "sku"),
        one_of("status", "draft", "active", "archived"),
        one_of("visibility", "public", "unlisted", "hidden"),
        currency_check("price_currency"),
        *not_negative("price_amount"),
        Index("ix_products_storefront_id_id", "storefront_id", "id"),
        Index("ix_products_storefront_id_updated_at_id", "storefront_id", "updated_at", "id"),
        Index("ix_products_storefront_id_title_id", "storefront_id", "title", "id"),
        Index("ix_products_storefront_id_price_amount_id", "storefront_id", "price_amount", "id"),
        Index("ix_products_listed", "id", postgresql_where="reach = 2"),
        Index("ix_products_owner_id_id", "owner_id", "id"),
        Index("ix_products_updated_at_id", "updated_at", "id"),
        Index("ix_products_title_id", "title", "id"),
        Index("ix_products_price_amount_id", "price_amount", "id"),
    )
    id: str = id_field("prd")
    storefront_id: str = ref("storefronts.id")
    owner_id: str = ref("users.id")
    sku: str = text()
    title: str = text()
    description: str = text("")
    price_amount: Decimal = amount()
    price_currency: str = text()
    category: str | None = optional_text()
    status: str = text("draft")
    visibility: str = text("public")
    extra: dict[str, Any] = json()
    media: list[dict[str, Any]] = json("[]")
    reach: int = Field(default=0, sa_column=Column(SmallInteger, nullable=False, server_default="0"))
    created_at: datetime = moment()
    updated_at: datetime = moment()


class Variant(Table, table=True):
    """What is bought: one size, one colour. Its price is the product's unless `price_own`."""

    __tablename__ = "variants"
    __table_args__ = (
        UniqueConstraint("storefront_id", "sku"),
        currency_check("price_currency"),
        *not_negative("price_amount"),
        Index("ix_variants_product_id_id", "product_id", "id"),
    )
    id: str = id_field("var")
    product_id: str = ref("products.id")
    storefront_id: str = ref("storefronts.id")
    sku: str = text()
    options: list[dict[str, str]] = json("[]")
    price_amount: Decimal = amount()
    price_currency: str = text()
    price_own: bool = Field(default=False, sa_column=Column(Boolean, nullable=False, server_default="false"))
    archived_at: datetime | None = moment(nullable=True)
    created_at: datetime = moment()
    updated_at: datetime = moment()


class Inventory(Table, table=True):
    """The stock of one variant, in pieces: what can be sold and what open orders hold."""

    __tablename__ = "inventory"
    __table_args__ = (
        *not_negative("available", "reserved"),
        Index("ix_inventory_storefront_id_variant_id", "storefront_id", "variant_id"),
        Index("ix_inventory_product_id", "product_id"),
    )
    variant_id: str = ref("variants.id", primary_key=True)
    product_id: str = ref("products.id")
    storefront_id: str = ref("storefronts.id")
    owner_id: str = ref("users.id")
    available: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default="0"))
    reserved: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default="0"))
    updated_at: datetime = moment()
