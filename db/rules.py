"""Who may see a row, as SQL. One declaration serves the batches, the compiled plans and the checks of single rows."""

from collections.abc import Hashable
from dataclasses import dataclass, field


class Bind:
    """Collects the parameters of one statement and hands out their places (`$1`, `$2`, …).

    A source says where a value comes from when the statement runs; equal sources share a place.
    """

    def __init__(self) -> None:
        self._places: dict[Hashable, str] = {}

    def __call__(self, source: Hashable) -> str:
        """The place of this source."""
        return self._places.setdefault(source, f"${len(self._places) + 1}")

    @property
    def sources(self) -> tuple[Hashable, ...]:
        """Every source, in the order of its place."""
        return tuple(self._places)

    def rewind(self, count: int) -> None:
        """Takes back all places but the first `count`: PostgreSQL refuses parameters that no text uses."""
        while len(self._places) > count:
            self._places.popitem()


@dataclass(frozen=True)
class Sight:
    """What of a viewer changes the text of a statement. The viewer's own id, client and storefronts are parameters.

    `creator`: a creator gave this token to the client; an organisation's own tokens act for no person.
    """

    reads_all: bool = False
    narrowed: bool = False
    scopes: frozenset[str] = frozenset()
    creator: bool = False

    def holds(self, scope: str) -> bool:
        """Whether this viewer has a scope; `platform:read` stands for every scope that only reads."""
        return scope in self.scopes or (self.reads_all and scope.endswith(":read"))

    def reads(self, scope: str) -> bool:
        """Whether this viewer may read what asks for a scope, which for some nouns is the one that writes them.

        `platform:read` reads all but previews, which stay each client's own choice.
        """
        return scope in self.scopes or (self.reads_all and not scope.startswith("preview:"))


@dataclass(frozen=True)
class ViewerId:
    """Stands for the viewer's user id among a statement's parameters."""


@dataclass(frozen=True)
class ViewerStorefronts:
    """Stands for the storefronts that a narrowed token is held to."""


@dataclass(frozen=True)
class ViewerClient:
    """Stands for the client through which the viewer asks."""


VIEWER = ViewerId()
CLIENT = ViewerClient()
STOREFRONTS = ViewerStorefronts()


@dataclass(frozen=True)
class Visibility:
    """Which rows of a table a viewer sees: those that are open to all, and those that are the viewer's own.

    `open`: SQL over `{t}`, or empty where nothing is open. `owners`: columns of which one must be the viewer.
    `owned`: SQL over `{t}`, `{viewer}` and the viewer's `{client}` that says the same where no column does. `storefront`:
    the column that a token narrowed to some storefronts is held to. `also`: further SQL over the same. `scope`: without
    it nothing is seen. `personal`: one's own, even for who may read everything. `creator`: and through a token that
    its user gave to a client.
    """

    open: str = ""
    owners: tuple[str, ...] = ()
    storefront: str | None = None
    also: str = ""
    owned: str = ""
    scope: str | None = None
    personal: bool = False
    creator: bool = False

    def sql(self, t: str, sight: Sight, bind: Bind) -> str:
        """The predicate over alias `t` for this viewer; `true` and `false` where nothing needs asking."""
        if (self.scope is not None and not sight.holds(self.scope)) or (self.creator and not sight.creator):
            return "false"
        if (sight.reads_all and not self.personal) or self.open == "true":
            return "true"
        parts = [self.open.format(t=t)] if self.open else []
        if self.owners or self.owned:
            parts.append(self._owned(t, sight, bind))
        if self.also:
            parts.append(_filled(self.also, t, bind))
        return f"({' or '.join(parts)})" if parts else "false"

    def _owned(self, t: str, sight: Sight, bind: Bind) -> str:
        ways = [f"{t}.{column} = {bind(VIEWER)}" for column in self.owners]
        ways += [_filled(self.owned, t, bind)] if self.owned else []
        owned = " or ".join(ways)
        if sight.narrowed and self.storefront is not None:
            return f"(({owned}) and {t}.{self.storefront} = any({bind(STOREFRONTS)}))"
        return owned


def _filled(sql: str, t: str, bind: Bind) -> str:
    """The text with its places; PostgreSQL refuses parameters that no text uses."""
    return sql.format(t=t, viewer=bind(VIEWER), client=bind(CLIENT) if "{client}" in sql else "")


@dataclass(frozen=True)
class AsFar(Visibility):
    """Rows that stand for a row of another table are seen as that row is: `rule` holds for the row of `table` whose id is
    in `column`.
    """

    rule: Visibility = field(default_factory=Visibility)
    table: str = ""
    column: str = ""

    def sql(self, t: str, sight: Sight, bind: Bind) -> str:
        """The far row's predicate, asked of the far row."""
        seen = self.rule.sql("far", sight, bind)
        return f"exists (select from {self.table} far where far.id = {t}.{self.column} and {seen})"


@dataclass(frozen=True)
class Everyone(Visibility):
    """Every row is seen by every viewer."""

    open: str = field(default="true")
