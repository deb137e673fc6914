"""Documents parsed, validated and measured once, and kept."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakValueDictionary

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    parse,
    print_ast,
    validate,
)

MOST_TOKENS, MOST_FIELDS, DEEPEST, LONGEST = 5_000, 10_000, 15, 100_000


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
    """The documents of one schema. Texts that differ only in layout share a document.

    The least recently used are let go when there are more than `most`, or more than `characters` in all: a parsed
    document takes some hundred times the room of its text.
    """

    def __init__(self, schema: GraphQLSchema, most: int = 1_000, characters: int = 1_000_000) -> None:
        self._schema, self._most, self._characters = schema, most, characters
        self._by_text: OrderedDict[str, Document] = OrderedDict()
        self._by_shape: WeakValueDictionary[str, Document] = WeakValueDictionary()
        self._kept = 0

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
        self._keep(text, document)
        return document

    def _keep(self, text: str, document: Document) -> None:
        self._by_text[text] = document
        self._kept += len(text)
        while len(self._by_text) > self._most or self._kept > self._characters:
            gone, _ = self._by_text.popitem(last=False)
            self._kept -= len(gone)

    def _prepare(self, ast: DocumentNode) -> Document:
        errors = validate(self._schema, ast, max_errors=20)
        if errors:
            raise InvalidDocument([GraphQLError(error.message[:1000], error.nodes) for error in errors])
        nodes = ast.definitions
        operations = {n.name.value if n.name else "": n for n in nodes if isinstance(n, OperationDefinitionNode)}
        fragments = {n.name.value: n for n in nodes if isinstance(n, FragmentDefinitionNode)}
        for operation in operations.values():
            _check_size(operation, fragments)
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


class _Size:
    """How deep a selection goes and how many fields its fragments open to, each fragment measured once."""

    def __init__(self, fragments: Mapping[str, FragmentDefinitionNode]) -> None:
        self._fragments = fragments
        self._known: dict[str, tuple[int, int]] = {}

    def of(self, selections: SelectionSetNode) -> tuple[int, int]:
        """Depth and fields."""
        deepest, fields = 1, 0
        for node in selections.selections:
            depth, more = self._of_node(node)
            deepest, fields = max(deepest, depth), fields + more
        return deepest, fields

    def _of_node(self, node: SelectionNode) -> tuple[int, int]:
        if isinstance(node, FragmentSpreadNode):
            name = node.name.value
            if name not in self._known:
                self._known[name] = self.of(self._fragments[name].selection_set)
            return self._known[name]
        if isinstance(node, InlineFragmentNode):
            return self.of(node.selection_set)
        if not isinstance(node, FieldNode) or node.selection_set is None:
            return 1, 1
        depth, fields = self.of(node.selection_set)
        return (1 if node.name.value.startswith("__") else depth + 1), fields + 1


def _check_size(operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]) -> None:
    depth, fields = _Size(fragments).of(operation.selection_set)
    if depth > DEEPEST:
        message = f"The document is nested deeper than {DEEPEST} fields; ask for less at once."
        raise InvalidDocument([GraphQLError(message, operation)])
    if fields > MOST_FIELDS:
        message = f"The document's fragments open to more than {MOST_FIELDS} fields; ask for less at once."
        raise InvalidDocument([GraphQLError(message, operation)])
