"""Runs one GraphQL request against one frozen schema: document, variables, cost, then the answer's bytes."""

from collections.abc import Mapping
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any

import orjson
from graphql import ExecutionResult, GraphQLError, GraphQLSchema, OperationDefinitionNode, execute
from graphql.execution.values import get_variable_values

from execution.cost import Costliest, cost_of
from execution.documents import Document, DocumentCache, InvalidDocument
from execution.errors import CostLimit

COST_LIMIT = 10_000


@dataclass(frozen=True)
class GraphQLRequest:
    """What a client asks: GraphQL over HTTP, section "Request parameters"."""

    query: str
    variables: Mapping[str, Any]
    operation_name: str | None = None


@dataclass(frozen=True)
class Outcome:
    """What came of it. `data` is JSON, or None where nothing ran; `cost` None where there was nothing to measure."""

    data: bytes | None
    errors: list[Exception]
    cost: int | None = None
    kind: str = "query"


class Engine:
    """One schema's documents and how they run."""

    def __init__(self, schema: GraphQLSchema, *, cost_limit: int = COST_LIMIT) -> None:
        self.schema = schema
        self.cost_limit = cost_limit
        self._documents = DocumentCache(schema)

    def prepare(self, request: GraphQLRequest) -> tuple[Document, OperationDefinitionNode] | Outcome:
        """The document and the operation to run, or why there is none."""
        try:
            document = self._documents.get(request.query)
            return document, document.operation(request.operation_name)
        except InvalidDocument as invalid:
            return Outcome(None, list(invalid.errors))
        except GraphQLError as error:
            return Outcome(None, [error])

    async def run(
        self, document: Document, operation: OperationDefinitionNode, request: GraphQLRequest, context: Any
    ) -> Outcome:
        """Measures and runs a prepared operation."""
        given = get_variable_values(self.schema, operation.variable_definitions or (), dict(request.variables))
        if isinstance(given, list):
            return Outcome(None, list(given), kind=operation.operation.value)
        cost, costliest = cost_of(self.schema, operation, document.fragments, given.coerced)
        if cost > self.cost_limit:
            return Outcome(None, [_too_dear(cost, self.cost_limit, costliest)], cost, operation.operation.value)
        result = execute(
            self.schema, document.ast, context_value=context, variable_values=dict(request.variables),
            operation_name=request.operation_name,
        )  # fmt: skip
        done: ExecutionResult = await result if isawaitable(result) else result
        return Outcome(orjson.dumps(done.data), list(done.errors or ()), cost, operation.operation.value)


def _too_dear(cost: int, limit: int, costliest: Costliest) -> CostLimit:
    """Names the dearest list and a page size with which the whole passes, where it alone is to blame."""
    each = costliest.cost / max(costliest.page, 1)
    rest = cost - costliest.cost
    passing = int((limit - rest) // each) if each else 0
    advice = f"ask for first: {passing} there" if passing >= 1 else "ask for fewer lists at once"
    message = (
        f"The query costs {cost} points and {limit} are allowed. The costliest part is {costliest.path}; {advice}."
    )
    told = {"requested": cost, "limit": limit, "path": costliest.path, "page": costliest.page}
    return CostLimit(message, told | ({"suggestedPage": passing} if passing >= 1 else {}))
