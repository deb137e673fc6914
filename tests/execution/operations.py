"""Valid operations made from the schema by a seed: the same seed, the same operation."""

import json
from base64 import urlsafe_b64decode as b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_required_argument,
)

from tests.execution.world import ODD_TEXTS, World

ABSENT = object()
PAGING = ("first", "last", "after", "before")


@dataclass(frozen=True)
class Made:
    """A document and the variables that it is sent with, one set after the other."""

    query: str
    variables: list[dict[str, Any]]


@dataclass
class Variable:
    """One declared variable: its type, its default as text, and how to make a value."""

    kind: str
    default: str
    nullable: bool
    make: Any


class Pool:
    """Values to ask with, taken from a world."""

    def __init__(self, world: World) -> None:
        nouns = (
            "users",
            "storefronts",
            "products",
            "variants",
            "affiliate_links",
            "orders",
            "assets",
            "tryon_sessions",
        )
        self.ids = [ids for noun in nouns if (ids := world.ids(noun))]
        self.handles = [row.handle for row in world.rows["storefronts"]]
        self.words = [row.sku for row in world.rows["products"]] + [row.code for row in world.rows["affiliate_links"]]
        self.moments = [row.updated_at.isoformat() for row in world.rows["products"]]
        self.cursors: dict[str, list[str]] = {}
        for cursor in world.cursors:
            order, _, key = b64decode(cursor + "===").decode().split(" ", 2)
            self.cursors.setdefault("lines" if order == "CREATED_AT_ASC" and key else order, []).append(cursor)

    def id(self, rng: Random) -> str:
        """Mostly one that exists, of any kind and owner."""
        if rng.random() < 0.93:
            return rng.choice(rng.choice(self.ids))
        return rng.choice(
            ["prd_x", "", "sf_01JD3T8Q5YB9N7K0V2M4999999", "org_01JD3T8Q5YB9N7K0V2M4999999", "nope", "a\0b"]
        )

    def id_of(self, place: int, rng: Random) -> str:
        """Mostly one of a certain kind."""
        return rng.choice(self.ids[place]) if rng.random() < 0.85 else self.id(rng)

    def cursor(self, order: str, rng: Random) -> str:
        """One from a real answer in this order; now and then of another, or a broken one."""
        found = self.cursors[order if rng.random() < 0.98 else rng.choice(list(self.cursors))]
        if rng.random() < 0.98:
            return rng.choice(found)
        return rng.choice(["", "x", "é", rng.choice(found)[:-3], "Q1JFQVRFRF9BVF9BU0MgcHJkX3gg"])

    def text(self, rng: Random) -> str:
        """A handle, a number, or anything."""
        if rng.random() < 0.02:
            return "a\0b"
        some: list[str] = rng.choice([self.handles, self.words, list(ODD_TEXTS)])
        return rng.choice(some)


@dataclass
class Generator:
    """Makes one operation."""

    schema: GraphQLSchema
    pool: Pool
    rng: Random
    deepest: int = 5
    root: str = "Query"
    fragments: dict[str, tuple[str, str]] = field(default_factory=dict)
    variables: dict[str, Variable] = field(default_factory=dict)
    aliases: int = 0

    def make(self, sets: int = 4) -> Made:
        """The document, and several sets of variables for it."""
        kind: Any = self.schema.type_map[self.root]
        body = self.selection(kind, 0)
        declared = ", ".join(f"${name}: {v.kind}{v.default}" for name, v in self.variables.items())
        head = f"query Made({declared}) " if declared else self.rng.choice(["query Made ", "query ", ""])
        fragments = "".join(f"\nfragment {name} on {on} {text}" for name, (on, text) in self.fragments.items())
        return Made(head + body + fragments, [self.values() for _ in range(sets if self.variables else 1)])

    def values(self) -> dict[str, Any]:
        """A value for each variable; where it may, it is also absent or null."""
        found = {}
        for name, variable in self.variables.items():
            value = variable.make()
            if variable.nullable and self.chance(0.2):
                value = self.rng.choice([None, ABSENT, ABSENT])
            if value is not ABSENT:
                found[name] = value
        return found

    def chance(self, share: float) -> bool:
        """Whether something of this likelihood happens."""
        return self.rng.random() < share

    # ── selections ───────────────────────────────────────────────────────────────────────────────────────────────

    def selection(self, kind: Any, depth: int) -> str:
        """`{ … }` on a type, never empty."""
        parts = [self.part(kind, depth) for _ in range(self.rng.randint(1, 4 if depth < 2 else 3))]
        if self.chance(0.2):
            parts.append(min(parts, key=len))
        if self.chance(0.2):
            parts.insert(self.rng.randrange(len(parts) + 1), "__typename")
        return "{ " + " ".join(parts) + " }"

    def part(self, kind: Any, depth: int) -> str:
        """A field, an inline fragment or a spread."""
        dice = self.rng.random()
        if isinstance(kind, GraphQLInterfaceType) and dice < 0.7:
            concrete = self.rng.choice(self.schema.get_possible_types(kind))
            return f"... on {concrete.name}{self.directive()} {self.selection(concrete, depth)}"
        if dice < 0.08:
            return f"...{self.rng.choice(['', f' on {kind.name}'])}{self.directive()} {self.selection(kind, depth)}"
        if dice < 0.16:
            return self.spread(kind, depth)
        if dice < 0.2 and getattr(kind, "interfaces", None):
            return f"... on {kind.interfaces[0].name}{self.directive()} {self.selection(kind.interfaces[0], depth)}"
        return self.field(kind, depth)

    def spread(self, kind: Any, depth: int) -> str:
        """A named fragment, sometimes one that stands elsewhere too."""
        known = [name for name, (on, _) in self.fragments.items() if on == kind.name]
        if known and self.chance(0.5):
            return f"...{self.rng.choice(known)}{self.directive()}"
        name = f"F{len(self.fragments)}"
        self.fragments[name] = ("", "")  # takes the name before what stands inside can
        text = self.selection(kind, depth)
        self.fragments[name] = (kind.name, text)
        return f"...{name}{self.directive()}"

    def field(self, kind: Any, depth: int) -> str:
        """One field, with what it needs."""
        if depth == 0 and kind.name == "Query" and self.chance(0.03):
            return self.rng.choice(["__schema { queryType { name } }", '__type(name: "Order") { name kind }'])
        leaves = [name for name, told in kind.fields.items() if is_leaf_type(get_named_type(told.type))]
        others = [name for name in kind.fields if name not in leaves]
        deep = others and (not leaves or (depth < self.deepest and self.chance(0.5)))
        if depth >= self.deepest and not leaves:
            return "__typename"
        name = str(self.rng.choice(others if deep else leaves or ["__typename"]))
        if name == "__typename":
            return self.alias("") + name
        told = kind.fields[name]
        given = self.arguments(kind, name, told)
        below = self.selection(get_named_type(told.type), depth + 1) if deep else ""
        head = f"{self.alias(given)}{name}{given}{self.directive()}"
        if deep and self.chance(0.12):  # the same key twice: what is asked below them merges
            return f"{head} {below} {head} {self.selection(get_named_type(told.type), depth + 1)}"
        return f"{head} {below}".rstrip()

    def alias(self, given: str) -> str:
        """Where arguments differ the key must, so that documents stay valid."""
        if not given and self.chance(0.8):
            return ""
        self.aliases += 1
        return f"a{self.aliases}: "

    def directive(self) -> str:
        """Often none; else @skip or @include, now and then both, by a constant or a variable."""
        if self.chance(0.88):
            return ""
        names = self.rng.choice([["skip"], ["include"], ["skip", "include"]])
        return "".join(f" @{name}(if: {self.condition()})" for name in names)

    def condition(self) -> str:
        """A Boolean! value."""
        if self.chance(0.4):
            return self.rng.choice(["true", "false"])
        return self.variable("Boolean", lambda: self.chance(0.5), required=True)

    # ── arguments ────────────────────────────────────────────────────────────────────────────────────────────────

    def arguments(self, kind: GraphQLObjectType, name: str, told: Any) -> str:
        """The arguments of a field as text; pages are mostly of one direction."""
        chosen = [arg for arg, info in told.args.items() if is_required_argument(info)]
        paging = [arg for arg in told.args if arg in PAGING]
        if paging and self.chance(0.6):
            chosen += self.rng.choice(
                [["first"], ["last"], ["first", "after"], ["last", "before"], ["after", "before"]]
            )
            chosen += [arg for arg in paging if arg not in chosen and self.chance(0.02)]
        chosen += [arg for arg in told.args if arg not in chosen and arg not in paging and self.chance(0.4)]
        if kind.name == "Query" and name == "storefront" and len(chosen) != 1 and self.chance(0.85):
            chosen = [self.rng.choice(["id", "handle"])]
        order = self.rng.choice(list(self.pool.cursors)) if "sort" in chosen else "CREATED_AT_ASC"
        if "sort" in chosen and order not in get_nullable_type(told.args["sort"].type).values:
            order = "CREATED_AT_ASC"
        order = "lines" if name == "lines" else order  # their order has a key that is no other's
        texts = []
        for arg in chosen:
            fixed = order if arg == "sort" and {"after", "before"} & {*chosen} and self.chance(0.97) else ""
            texts.append(f"{arg}: {fixed or self.value(told.args[arg].type, f'{order}.{name}.{arg}')}")
        return f"({', '.join(texts)})" if texts else ""

    def value(self, kind: Any, place: str) -> str:
        """A literal or a variable of this input type."""
        required = isinstance(kind, GraphQLNonNull)
        bare = get_nullable_type(kind)
        if self.chance(0.4):
            return self.variable(str(bare), lambda: self.plain(bare, place), required=required, of=bare, place=place)
        if not required and self.chance(0.05):
            return "null"
        return self.literal(bare, place)

    def literal(self, kind: Any, place: str) -> str:
        """A literal, which may have variables inside."""
        if isinstance(kind, GraphQLInputObjectType):
            chosen = [name for name in kind.fields if self.chance(0.3)]
            inner = ", ".join(f"{name}: {self.value(kind.fields[name].type, f'{place}.{name}')}" for name in chosen)
            return "{" + inner + "}"
        if isinstance(kind, GraphQLList):
            items = [self.value(kind.of_type, place) for _ in range(self.rng.randrange(4))]
            return items[0] if len(items) == 1 and self.chance(0.5) and items[0][0] != "$" else f"[{', '.join(items)}]"
        value: Any = self.plain(kind, place)
        return str(value) if isinstance(kind, GraphQLEnumType) else json.dumps(value)

    def variable(self, kind: str, make: Any, *, required: bool, of: Any = None, place: str = "") -> str:
        """A variable of this type: required, with a default, or plain."""
        name = f"v{len(self.variables)}"
        self.variables[name] = Variable(kind, "", nullable=True, make=make)  # what stands inside gets other names
        default = f" = {self.constant(of, place)}" if of is not None and self.chance(0.3) else ""
        if not default and of is None and self.chance(0.5):
            default = f" = {self.rng.choice(['true', 'false'])}"
        strict = (required and not default) or self.chance(0.1)
        self.variables[name] = Variable(kind + ("!" if strict else ""), default, nullable=not strict, make=make)
        return f"${name}"

    def constant(self, kind: Any, place: str) -> str:
        """A literal without variables."""
        return _printed(self.plain(kind, place), kind)

    def plain(self, kind: Any, place: str) -> Any:
        """A value as JSON sends it."""
        if isinstance(kind, GraphQLNonNull):
            return self.plain(kind.of_type, place)
        if isinstance(kind, GraphQLList):
            some = [self.plain(kind.of_type, place) for _ in range(self.rng.randrange(5))]
            return some[0] if len(some) == 1 and self.chance(0.5) else some
        if isinstance(kind, GraphQLInputObjectType):
            return {
                name: None if self.chance(0.1) else self.plain(told.type, f"{place}.{name}")
                for name, told in kind.fields.items()
                if self.chance(0.3)
            }
        if isinstance(kind, GraphQLEnumType):
            return self.rng.choice(list(kind.values))
        return self.scalar(kind.name, place)

    def scalar(self, name: str, place: str) -> Any:
        """A value of a scalar, apt for its place."""
        order, _, place = place.partition(".")
        field_name = place.rsplit(".", 1)[-1]
        if field_name in ("after", "before"):
            return self.pool.cursor(order, self.rng)
        match name:
            case "Int":
                return self.rng.choice([1, 2, 3, 3, 5, 20, 100] if self.chance(0.98) else [0, -1, 101, 2**31 - 1])
            case "ID":
                kinds = {
                    "ownerId": 0,
                    "storefront.id": 1,
                    "storefrontId": 1,
                    "product.id": 2,
                    "productId": 2,
                    "order.id": 5,
                }
                found = kinds.get(field_name, kinds.get(place))
                return self.pool.id(self.rng) if found is None else self.pool.id_of(found, self.rng)
            case "DateTime":
                return self.rng.choice(self.pool.moments)
            case "Boolean":
                return self.chance(0.5)
        return self.pool.text(self.rng)


def _printed(value: Any, kind: Any) -> str:
    if isinstance(kind, GraphQLNonNull):
        return _printed(value, kind.of_type)
    if isinstance(kind, GraphQLList) and isinstance(value, list):
        return f"[{', '.join(_printed(item, kind.of_type) for item in value)}]"
    if isinstance(kind, GraphQLInputObjectType) and isinstance(value, Mapping):
        return "{" + ", ".join(f"{n}: {_printed(v, kind.fields[n].type)}" for n, v in value.items()) + "}"
    return str(value) if isinstance(get_named_type(kind), GraphQLEnumType) and value is not None else json.dumps(value)
