"""What recommendations are made of: work to be done, what products say of themselves, who was seen with whom, and the lists."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Float,
    Identity,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
)
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import ARRAY, REAL, TIMESTAMP
from sqlmodel import Field

from db.tables.base import Table, datetime, moment, one_of, strings, text

_PAIR_KINDS = ("bought", "tried", "viewed")


def product_key() -> Any:
    """A product's id as part of the primary key. No foreign key: its lock would keep owners from writing their products
    while a refresh runs. What is left of a deleted product is swept by a task of its own."""
    return Field(sa_column=Column(Text, primary_key=True))


class RecommendationTask(Table, table=True):
    """One thing to do, written by a trigger in the transaction of what calls for it, or by the refresh itself.

    `order`, `tryon`: count it. `product`: read what it says of itself. `search`: find what is like it, and make its list.
    `list`: make its list anew from what is known. `item` is the id of the order, the session or the product.
    """

    __tablename__ = "recommendation_tasks"
    __table_args__ = (
        one_of("kind", "order", "tryon", "product", "search", "list"),
        Index("ix_recommendation_tasks_kind_id", "kind", "id"),
        Index("ix_recommendation_tasks_item", "item", postgresql_where="kind in ('search', 'list')"),
    )
    id: int = Field(default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    kind: str = text()
    item: str = text()
    at: datetime = Field(
        default=None,
        sa_column=Column(TIMESTAMP(timezone=True, precision=3), nullable=False, server_default=sql("now()")),
    )


class RecommendationRefresh(Table, table=True):
    """The single row that counts what refreshes have done, and in `unlearned` the products that were read since
    PostgreSQL last counted words; who refreshes has its lock."""

    __tablename__ = "recommendation_refresh"
    __table_args__ = (CheckConstraint("id = 1", name="single"),)
    id: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    counted: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, server_default="0"))
    listed: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, server_default="0"))
    unlearned: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, server_default="0"))


class ProductFeatures(Table, table=True):
    """What a product says of itself: words of its title and description, its category, its attributes, each with a weight.

    `listed`: whether it can be recommended to everyone.
    """

    __tablename__ = "product_features"
    __table_args__ = (
        Index(
            "ix_product_features_words", "words", postgresql_using="gin", postgresql_where="listed",
            postgresql_with={"fastupdate": "off"},
        ),
        Index("ix_product_features_storefront_id", "storefront_id", postgresql_where="listed"),
        Index("ix_product_features_searched_at", "searched_at"),
    )  # fmt: skip
    product_id: str = product_key()
    storefront_id: str = text()
    listed: bool = Field()
    words: list[str] = strings()
    weights: list[float] = Field(sa_column=Column(ARRAY(REAL), nullable=False, server_default="{}"))
    searched_at: datetime | None = moment(nullable=True)


class ProductPair(Table, table=True):
    """How often two products met, by kind; a product with itself: how often it was met at all. Both directions are kept.

    `weight` is the decayed number of visitors (`db.recommend.decay`), `visitors` their plain number.
    """

    __tablename__ = "product_pairs"
    __table_args__ = (one_of("kind", *_PAIR_KINDS), Index("ix_product_pairs_other_id", "other_id"))
    product_id: str = product_key()
    other_id: str = product_key()
    kind: str = Field(sa_column=Column(Text, primary_key=True))
    weight: float = Field(sa_column=Column(Float(53), nullable=False))
    visitors: int = Field(sa_column=Column(Integer, nullable=False))


class TryonVisit(Table, table=True):
    """When a shopper last tried a product. `visitor` is a hash of the partner and the partner's name for its shopper."""

    __tablename__ = "tryon_visits"
    __table_args__ = (Index("ix_tryon_visits_product_id", "product_id"),)
    visitor: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    product_id: str = product_key()
    last_at: datetime = moment()


class Recommendation(Table, table=True):
    """One product in the list of another: `points` of 1000, and why it stands there."""

    __tablename__ = "recommendations"
    __table_args__ = (
        one_of("reason", *_PAIR_KINDS, "similar"),
        CheckConstraint("points between 1 and 999", name="points"),
        CheckConstraint("product_id <> other_id", name="another"),
        Index("ix_recommendations_other_id", "other_id"),
    )
    product_id: str = product_key()
    other_id: str = product_key()
    points: int = Field(sa_column=Column(SmallInteger, nullable=False))
    reason: str = text()
