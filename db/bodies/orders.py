"""An order and its lines, as told to the outside."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from db.bodies.base import Body, Id, Moment, Money, word
from db.tables import Order, OrderLine

Status = Annotated[str, word("created", "fulfilled")]


class OrderLineBody(Body):
    """One variant in an order, with the title and price at which it was bought. `price` is that of one piece."""

    variant_id: str = Id("var")
    sku: str
    title: str
    quantity: int
    price: Money

    @classmethod
    def of(cls, row: OrderLine) -> "OrderLineBody":
        """From its row."""
        return cls.model_construct(
            variant_id=row.variant_id,
            sku=row.sku,
            title=row.title,
            quantity=row.quantity,
            price=Money.of(row.price_amount, row.price_currency),
        )


class OrderBody(Body):
    """A purchase in one storefront. Its pieces are reserved while it is `created`; once `fulfilled` they have left."""

    id: str = Id("ord")
    storefront_id: str = Id("sf")
    status: Status
    lines: list[OrderLineBody]
    total: Money
    click_id: str | None = Field(description="The click on an affiliate link that led to it.")
    external_ref: str | None = Field(description="The order's number in the shop's own system.")
    created_at: Moment
    updated_at: Moment
    fulfilled_at: Moment | None

    @classmethod
    def of(cls, row: Order, lines: Sequence[OrderLine]) -> "OrderBody":
        """From its rows."""
        return cls.model_construct(
            id=row.id,
            storefront_id=row.storefront_id,
            status=row.status,
            lines=[OrderLineBody.of(line) for line in lines],
            total=Money.of(row.total_amount, row.total_currency),
            click_id=row.click_id,
            external_ref=row.external_ref,
            created_at=row.created_at,
            updated_at=row.updated_at,
            fulfilled_at=row.fulfilled_at,
        )
