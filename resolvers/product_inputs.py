"""What a listing is made from."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from resolvers.inputs import (
    ABSENT,
    IdOf,
    Input,
    Line,
    Metadata,
    MoneyInput,
    Prose,
    ShortLine,
    ShortProse,
    Sku,
    WebAddress,
)

Status = Literal["draft", "active", "archived"]
Visibility = Literal["public", "unlisted", "hidden"]
Pieces = Annotated[int, Field(ge=0, le=2_000_000_000)]


class MediaInput(Input):
    """A picture of the product."""

    url: WebAddress
    alt: ShortProse = ""


class VariantInput(Input):
    """One size, one colour. Without a price of its own it has the product's."""

    sku: Sku
    options: Annotated[dict[ShortLine, ShortLine], Field(max_length=10)] = ABSENT
    price: MoneyInput | None = None
    inventory: Pieces = ABSENT


class ProductInput(Input):
    """A listing to create or update. The product is found by `id`, or by `sku` within the storefront."""

    # An update by sku may leave out title and price as well; only the database knows whether it is one.
    model_config = ConfigDict(
        json_schema_extra={"anyOf": [{"required": ["sku", "title", "price"]}, {"required": ["id"]}]}
    )

    id: IdOf("prd") = ABSENT  # type: ignore[valid-type]
    sku: Sku = ABSENT
    title: Line = ABSENT
    description: Prose = ABSENT
    price: MoneyInput = ABSENT
    category: Line | None = None
    status: Status = ABSENT
    visibility: Visibility = ABSENT
    metadata: Metadata = ABSENT
    media: Annotated[list[MediaInput], Field(max_length=50)] = ABSENT
    variants: Annotated[list[VariantInput], Field(max_length=250)] = ABSENT
    replace_variants: bool = False

    @classmethod
    def lacking(cls, given: dict[str, Any]) -> tuple[str, ...]:
        """Without an id, a sku is needed; without both it can only be a new product that is meant."""
        if given.get("id") is not None or given.get("sku") is not None:
            return ()
        return tuple(name for name in ("sku", "title", "price") if name not in given)
