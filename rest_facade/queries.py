"""Query strings as typed models: unknown and repeated parameters are refused by name."""

from typing import Annotated, Any, TypeVar
from urllib.parse import parse_qsl

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from db.model import Relation
from resolvers.errors import Fault, Invalid
from resolvers.inputs import read
from resolvers.loaders import PageArgs
from resolvers.reads import page_args

Q = TypeVar("Q", bound=BaseModel)


class Query(BaseModel):
    """A route's parameters; a route without any names this one."""

    model_config = ConfigDict(extra="forbid")


class Ignored(Query):
    """The query of an address that strangers open, to which anything may have been added on the way."""

    model_config = ConfigDict(extra="ignore")


def _no_nul(value: str) -> str:
    if "\0" in value:
        raise ValueError("must not contain a NUL character")
    return value


Text = Annotated[str, Field(max_length=300), AfterValidator(_no_nul)]


class ListQuery(Query):
    """Which page of a list. Filters are the fields that a list's own query adds."""

    limit: int = Field(20, ge=1, le=100, description="How many at most.")
    cursor: Annotated[str, Field(max_length=2000)] | None = Field(
        None, description="`next_cursor` of the page before, as it was given."
    )

    def filters(self, **extra: Any) -> tuple[tuple[str, Any], ...]:
        """The filters that were sent, by the names of `db.relations`."""
        fields = self.model_dump(exclude={"limit", "cursor", *extra}, exclude_none=True) | extra
        return tuple((name, value) for name, value in fields.items() if value is not None)

    def page(self, relation: Relation[Any], **filters: Any) -> PageArgs:
        """The page of this relation that is asked for."""
        return page_args(
            relation, first=self.limit, after=self.cursor, filters=self.filters(**filters), names={"after": "cursor"}
        )


def read_query(model: type[Q], query_string: bytes) -> Q:
    """The query string as this model, or Invalid with every fault."""
    if not query_string:
        return read(model, {}) if model is not Query else model()
    if model.model_config.get("extra") == "ignore":
        return model()
    try:
        pairs = parse_qsl(query_string.decode(), keep_blank_values=True, strict_parsing=False, max_num_fields=100)
    except (UnicodeDecodeError, ValueError):
        raise Invalid(Fault("", "the query string is not valid UTF-8, or has over 100 parameters")) from None
    given: dict[str, str] = {}
    for name, value in pairs:
        if name in given:
            raise Invalid(Fault(f"/{name}", "stands twice in the query"))
        given[name] = value
    return read(model, given)
