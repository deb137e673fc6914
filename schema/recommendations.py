"""GraphQL: products that go with others, a preview."""

from datetime import date
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any, Final

import strawberry

from db.relations import PRODUCT_RECOMMENDATIONS, RECOMMENDED_PRODUCT, RECOMMENDED_PRODUCTS
from schema.fields import computed, connection, relation
from schema.stages import stage

if TYPE_CHECKING:
    from schema.products import Product

RECOMMENDATIONS_PREVIEW: Final = stage(
    "recommendations", owner="Catalogue", until=date(2027, 2, 26),
    about="Products that go with a product or with a basket, each with a score and the reason.",
)  # fmt: skip


@strawberry.enum(description="Why a product is recommended.", directives=[RECOMMENDATIONS_PREVIEW])
class RecommendationReason(Enum):
    """Kept in one word."""

    BOUGHT_TOGETHER = strawberry.enum_value("bought", description="Shoppers bought them together.")
    TRIED_TOGETHER = strawberry.enum_value("tried", description="The same shoppers tried them on.")
    VIEWED_TOGETHER = strawberry.enum_value("viewed", description="Shoppers came for the one and bought the other.")
    SIMILAR = strawberry.enum_value("similar", description="They are alike in category, attributes or words.")


_SENTENCES: Final = {
    "bought": "Often bought together.",
    "tried": "Shoppers who tried one of them on tried the other too.",
    "viewed": "Shoppers who came for one of them bought the other.",
    "similar": "Alike in category, attributes or words.",
}
_SENTENCE_SQL: Final = " ".join(f"when '{reason}' then '{sentence}'" for reason, sentence in _SENTENCES.items())


def _score(root: Any):  # type: ignore[no-untyped-def]  # noqa: ANN202 - the class says the type
    return root.points / 1000


def _sentence(root: Any):  # type: ignore[no-untyped-def]  # noqa: ANN202
    return _SENTENCES[root.reason]


@strawberry.type(description="A product that goes with another.", directives=[RECOMMENDATIONS_PREVIEW])
class Recommendation:
    """Resolves from a row of `recommendations`."""

    product: Annotated["Product", strawberry.lazy("schema.products")] = relation(RECOMMENDED_PRODUCT)
    score: float = computed(
        _score,
        "({t}.points / 1000.0)::float8",
        description="How well it goes, above 0 and below 1; the best come first.",
    )
    reason: RecommendationReason
    explanation: str = computed(
        _sentence, f"case {{t}}.reason {_SENTENCE_SQL} end", description="The reason as a sentence."
    )


_FILTERS: Final = {"storefront_id": strawberry.ID}


def product_recommendations() -> Any:
    """`Product.recommendations`."""
    return connection(
        PRODUCT_RECOMMENDATIONS, filters=_FILTERS, directives=[RECOMMENDATIONS_PREVIEW],
        description="What goes with it, of what you may see and what is in stock; of one storefront, if you name it.",
    )  # fmt: skip


def recommended_products() -> Any:
    """`recommendedProducts`."""
    return connection(
        RECOMMENDED_PRODUCTS, filters={"based_on": list[strawberry.ID], **_FILTERS}, directives=[RECOMMENDATIONS_PREVIEW],
        description=(
            "What goes with up to 50 products together, such as a basket; none of them is among it. "
            "Ids of what is gone or not yours to see count as if they were not there."
        ),
    )  # fmt: skip
