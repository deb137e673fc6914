"""Variables coerced: at once where their types are simple, by graphql-core where they are not."""

from collections.abc import Mapping
from typing import Any

from graphql import GraphQLError, GraphQLSchema, NamedTypeNode, NonNullTypeNode, OperationDefinitionNode
from graphql.execution.values import get_variable_values

_SIMPLE = {"ID": str, "String": str, "Boolean": bool}


class Variables:
    """One operation's variable definitions."""

    def __init__(self, schema: GraphQLSchema, operation: OperationDefinitionNode) -> None:
        self._schema = schema
        self._nodes = operation.variable_definitions or ()
        self._simple = {name: kind for name, kind in map(_simple, self._nodes) if kind is not None}
        self._all_simple = len(self._simple) == len(self._nodes)

    def coerce(self, given: Mapping[str, Any]) -> Mapping[str, Any] | list[GraphQLError]:
        """Coerced values by name, or what is wrong with them."""
        if not self._nodes:
            return {}
        if self._all_simple and all(type(given.get(name)) is kind for name, kind in self._simple.items()):
            return {name: given[name] for name in self._simple}
        found = get_variable_values(self._schema, self._nodes, dict(given))
        return list(found) if isinstance(found, list) else found.coerced


def _simple(node: Any) -> tuple[str, type | None]:
    kind = node.type.type if isinstance(node.type, NonNullTypeNode) else node.type
    named = kind.name.value if isinstance(kind, NamedTypeNode) else ""
    return node.variable.name.value, _SIMPLE.get(named)
