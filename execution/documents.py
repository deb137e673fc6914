"""Documents parsed, validated and measured once, and kept."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    parse,
    print_ast,
    validate,
)

MOST_TOKENS, DEEPEST, LONGEST = 5_000, 15, 100_000


@dataclass(frozen=True, eq=False)
class Document:
    """A valid document. `plans` is what the planner keeps with it."""

    ast: DocumentNode
    operations: Mapping[str, OperationDefinitionNode]
    fragments: Mapping[str, FragmentDefinitionNode]
    plans: dict[Any, Any] = field(default_factory=dict)

    def operation(self, name: str | None) -> OperationDefinitionNode:
        """The operation to run; GraphQLError where the name does not settle it."""
        if name:
            found = self.operations.get(name)
            if found is None:
                raise GraphQLError(f"Unknown operation named '{name}'.")
            return found
        if len(self.operations) != 1:
            raise GraphQLError("Must provide operation name if query contains multiple operations.")
        return next(iter(self.operations.values()))


class InvalidDocument(Exception):
    """The document does not parse or validate; `errors` say why."""

    def __init__(self, errors: list[GraphQLError]) -> None:
        super().__init__(errors[0].message)
        self.errors = errors


class DocumentCache:
    """The documents of one schema, the least recently used let go. Texts that differ only in layout share a document."""

    def __init__(self, schema: GraphQLSchema, size: int = 1000) -> None:
        self._schema = schema
        self._size = size
        self._by_text: OrderedDict[str, Document] = OrderedDict()
        self._by_shape: OrderedDict[str, Document] = OrderedDict()

    def get(self, text: str) -> Document:
        """The document of this text, or InvalidDocument."""
        found = self._by_text.get(text)
        if found is not None:
            self._by_text.move_to_end(text)
            return found
        ast = _parse(text)
        shape = print_ast(ast)
        document = self._by_shape.get(shape)
        if document is None:
            document = self._by_shape[shape] = self._prepare(ast)
        self._by_text[text] = document
        for kept in (self._by_text, self._by_shape):
            while len(kept) > self._size:
                kept.popitem(last=False)
        return document

    def _prepare(self, ast: DocumentNode) -> Document:
        errors = validate(self._schema, ast, max_errors=20)
        if errors:
            raise InvalidDocument([GraphQLError(error.message[:1000], error.nodes) for error in errors])
        nodes = ast.definitions
        operations = {n.name.value if n.name else "": n for n in nodes if isinstance(n, OperationDefinitionNode)}
        fragments = {n.name.value: n for n in nodes if isinstance(n, FragmentDefinitionNode)}
        for operation in operations.values():
            _check_depth(operation.selection_set, fragments, 1)
        return Document(ast, operations, fragments)


def _parse(text: str) -> DocumentNode:
    if len(text) > LONGEST:
        raise InvalidDocument([GraphQLError(f"The document is longer than {LONGEST} characters.")])
    try:
        return parse(text, max_tokens=MOST_TOKENS)
    except GraphQLError as error:
        raise InvalidDocument([error]) from None
    except RecursionError:
        raise InvalidDocument([GraphQLError("The document is nested too deeply.")]) from None


def _check_depth(selections: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode], depth: int) -> None:
    if depth > DEEPEST:
        message = f"The document is nested deeper than {DEEPEST} fields; ask for less at once."
        raise InvalidDocument([GraphQLError(message, selections)])
    for node in selections.selections:
        if isinstance(node, FragmentSpreadNode):
            _check_depth(fragments[node.name.value].selection_set, fragments, depth)
        elif isinstance(node, FieldNode):
            if node.selection_set is not None and not node.name.value.startswith("__"):
                _check_depth(node.selection_set, fragments, depth + 1)
        elif isinstance(node, InlineFragmentNode):
            _check_depth(node.selection_set, fragments, depth)
