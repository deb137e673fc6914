"""Runs one GraphQL request against one frozen schema: document, variables, cost, then the answer's bytes."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from inspect import isawaitable
from typing import Any, Protocol

import asyncpg
import orjson
from graphql import (
    ExecutionResult,
    Executor,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    create_source_event_stream,
    execute,
)

from db.cursors import BadCursor, decode
from db.deprecation import Deprecation
from db.rules import CLIENT, STOREFRONTS, VIEWER, Sight
from db.sessions import Database
from execution.arguments import Const, Items, Var, shape_of
from execution.cost import Cost, Paging, cost_of, refusal
from execution.documents import Document, DocumentCache, InvalidDocument
from execution.draft import Draft
from execution.errors import CostLimit, Unplanned
from execution.mixed import Mixer
from execution.outcomes import Outcome
from execution.pages import CursorPart
from execution.planner import Plan, Planner
from execution.subscriptions import Subscription
from execution.usage import Usage, deprecations_of, usage_of
from execution.variables import Variables

COST_LIMIT = 10_000
MOST_PLANS = 2_000


@dataclass(frozen=True)
class GraphQLRequest:
    """What a client asks: GraphQL over HTTP, section "Request parameters"."""

    query: str
    variables: Mapping[str, Any]
    operation_name: str | None = None


class Looks(Protocol):
    """Who asks, as far as a plan's parameters need it."""

    @property
    def user_id(self) -> str: ...
    @property
    def client_id(self) -> str: ...
    @property
    def storefront_ids(self) -> frozenset[str] | None: ...
    @property
    def sight(self) -> Sight: ...


@dataclass(frozen=True)
class Prepared:
    """An operation with the cost of its shape, and its plan or the reason why there is none."""

    cost: int
    plan: Plan | None
    reason: str
    refused: CostLimit | None = None


@dataclass(frozen=True, eq=False)
class Operation:
    """One operation of a document, with what is kept for it."""

    schema: GraphQLSchema
    document: Document
    node: OperationDefinitionNode
    variables: Variables

    @cached_property
    def usage(self) -> Usage:
        """What of the schema it uses; found when it is first asked for."""
        return usage_of(self.schema, self.document, self.node)

    @property
    def name(self) -> str:
        """The name that its author gave it, or nothing."""
        return self.node.name.value if self.node.name else ""

    @property
    def kind(self) -> str:
        """query, mutation or subscription."""
        return self.node.operation.value


class Engine:
    """One schema's documents and how they run. `count` is told of each run: planned, or executed and why."""

    def __init__(
        self, schema: GraphQLSchema, db: Database, *, constants: Mapping[str, str], plans: bool = True,
        cost_limit: int = COST_LIMIT, count: Callable[[str, str], None] = lambda how, reason: None,
    ) -> None:  # fmt: skip
        self.schema, self.cost_limit = schema, cost_limit
        self._db, self._constants, self._plans, self._count = db, constants, plans, count
        self._documents = DocumentCache(schema)
        self._deprecated = deprecations_of(schema)
        self._kept: OrderedDict[Any, Prepared] = OrderedDict()

    def prepare(self, request: GraphQLRequest) -> Operation | Outcome:
        """The operation to run, or why there is none."""
        try:
            document = self._documents.get(request.query)
            kept: Operation | None = document.plans.get(request.operation_name)
            if kept is None:
                node = document.operation(request.operation_name)
                kept = Operation(self.schema, document, node, Variables(self.schema, node))
                document.plans[request.operation_name] = kept
        except InvalidDocument as invalid:
            return Outcome(None, list(invalid.errors))
        except GraphQLError as error:
            return Outcome(None, [error])
        return kept

    def deprecations(self, operation: Operation, request: GraphQLRequest) -> list[tuple[str, Deprecation]]:
        """What a request uses that will end, by coordinate; no work where the schema has no such thing."""
        if not self._deprecated:
            return []
        used = operation.usage.given(request.variables) & self._deprecated.keys()
        return [(coordinate, self._deprecated[coordinate]) for coordinate in sorted(used)]

    async def run(
        self, operation: Operation, request: GraphQLRequest, viewer: Looks, context: Callable[[], Any]
    ) -> Outcome:
        """Measures and runs an operation; `context` makes the resolvers' context, where they are needed."""
        variables = operation.variables.coerce(request.variables)
        if isinstance(variables, list):
            return Outcome(None, list(variables), kind=operation.kind)
        prepared = self._prepared(operation, variables, viewer.sight)
        if prepared.refused is not None:
            return Outcome(None, [prepared.refused], prepared.cost, operation.kind)
        if prepared.plan is None:
            self._count("executed", prepared.reason)
            return await self._executed(operation, request, prepared.cost, context())
        data = await self._planned(prepared.plan, variables, viewer)
        reason = "at_run_time"
        if data is not None and prepared.plan.holes:
            fill, reason = self._mixer.fill, "computed_error"
            answer = await fill(
                data, prepared.plan.holes, operation.document, operation.node, request.variables, context()
            )
            if answer is not None:
                self._count("mixed", "")
                return Outcome(answer.data, list(answer.errors), prepared.cost)
        elif data is not None:
            self._count("planned", "")
            return Outcome(data, [], prepared.cost)
        self._count("executed", reason)
        return await self._executed(operation, request, prepared.cost, context())

    async def subscribe(
        self, operation: Operation, request: GraphQLRequest, viewer: Looks, context: Callable[[], Any]
    ) -> Subscription | Outcome:
        """Opens a subscription, or says why it cannot be opened. Its cost is that of one event."""
        variables = operation.variables.coerce(request.variables)
        if isinstance(variables, list):
            return Outcome(None, list(variables), kind=operation.kind)
        prepared = self._prepared(operation, variables, viewer.sight)
        if prepared.refused is not None:
            return Outcome(None, [prepared.refused], prepared.cost, operation.kind)
        source: Any = create_source_event_stream(self._executor(operation, request, context()))
        source = await source if isawaitable(source) else source
        if isinstance(source, ExecutionResult):
            return Outcome(None, list(source.errors or ()), prepared.cost, operation.kind)

        async def answer(item: Any, own: Any) -> Outcome:
            return await self._executed(operation, request, prepared.cost, own, item)

        self._count("executed", "subscription")
        return Subscription(source, answer, self.cost_limit // max(1, prepared.cost))

    def _executor(self, operation: Operation, request: GraphQLRequest, context: Any) -> Executor[Any]:
        made = Executor.build(
            self.schema, operation.document.ast, context_value=context, raw_variable_values=dict(request.variables),
            operation_name=operation.node.name.value if operation.node.name else None,
        )  # fmt: skip
        assert isinstance(made, Executor)  # noqa: S101 - its variables have been coerced before
        return made

    def _prepared(self, operation: Operation, variables: Mapping[str, Any], sight: Sight) -> Prepared:
        """The plan for this kind of viewer and shape of variables; the least recently used are let go."""
        key = (operation, sight, *[(name, shape_of(value)) for name, value in variables.items()])
        prepared = self._kept.get(key)
        if prepared is not None:
            self._kept.move_to_end(key)
            return prepared
        prepared = self._kept[key] = self._compile(operation, variables, sight)
        if len(self._kept) > MOST_PLANS:
            self._kept.popitem(last=False)
        return prepared

    def _compile(self, operation: Operation, variables: Mapping[str, Any], sight: Sight) -> Prepared:
        cost = self._cost(operation, variables)
        if cost.points > self.cost_limit:
            refused = refusal(cost, self.cost_limit, lambda paging: self._cost(operation, variables, paging).points)
            return Prepared(cost.points, None, "cost", refused)
        if operation.kind == "subscription":
            return Prepared(cost.points, None, "subscription")
        if not self._plans:
            return Prepared(cost.points, None, "off")
        try:
            draft = Draft(self.schema, operation.document, variables, sight, self._constants)
            return Prepared(cost.points, Planner(draft).plan(operation.node), "")
        except Unplanned as unplanned:
            return Prepared(cost.points, None, unplanned.reason)

    def _cost(self, operation: Operation, variables: Mapping[str, Any], *paging: Paging) -> Cost:
        return cost_of(self.schema, operation.document, operation.node, variables, *paging)

    async def _planned(self, plan: Plan, variables: Mapping[str, Any], viewer: Looks) -> bytes | None:
        """The answer of one statement; None where the ordinary executor must word what is wrong."""
        try:
            values = [value_of(source, variables, viewer) for source in plan.sources]
            for source in plan.checks:
                value_of(source, variables, viewer)
            data: bytes = await self._db.fetch_value(plan.sql, values)
        except (BadCursor, asyncpg.DataError, asyncpg.ProgramLimitExceededError):
            return None
        return data

    @cached_property
    def _mixer(self) -> Mixer:
        return Mixer(self.schema, self._db)

    async def _executed(
        self, operation: Operation, request: GraphQLRequest, cost: int, context: Any, root: Any = None
    ) -> Outcome:
        result = execute(
            self.schema, operation.document.ast, root_value=root, context_value=context, variable_values=dict(request.variables),
            operation_name=operation.node.name.value if operation.node.name else None,
        )  # fmt: skip
        done: ExecutionResult = await result if isawaitable(result) else result
        return Outcome(orjson.dumps(done.data), list(done.errors or ()), cost, operation.kind)


def value_of(source: Any, variables: Mapping[str, Any], viewer: Looks) -> Any:
    """The value of one of a plan's parameters for this request."""
    if isinstance(source, Var):
        return source.of(variables)
    if isinstance(source, Const):
        return source.value
    if isinstance(source, Items):
        return [value_of(item, variables, viewer) for item in source.sources]
    if isinstance(source, CursorPart):
        cursor = source.cursor
        return getattr(
            decode(source.sort, cursor.of(variables) if isinstance(cursor, Var) else cursor.value), source.part
        )
    if source == VIEWER:
        return viewer.user_id
    if source == CLIENT:
        return viewer.client_id
    if source == STOREFRONTS:
        return list(viewer.storefront_ids or ())
    raise TypeError(f"a plan's parameter has no source: {source!r}")
