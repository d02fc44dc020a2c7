"""A subscription in its two halves: where its events come from, and what it makes of one.

They are apart so that subscribers who ask the same of the same event can share what is made of it.
"""

from collections.abc import AsyncGenerator, Iterator, Mapping
from hashlib import sha256
from inspect import isawaitable
from typing import Any

import orjson
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    InlineFragmentNode,
    Node,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    Visitor,
    create_source_event_stream,
    execute_subscription_event,
    print_ast,
    visit,
)
from graphql import ExecutionResult as CoreResult
from graphql.execution import Executor


class Subscription:
    """One subscription operation that has begun. `source` yields the events of the root `field`."""

    def __init__(
        self,
        executor: Executor[Any],
        source: AsyncGenerator[Any, None],
        document: DocumentNode,
        variables: Mapping[str, Any],
    ) -> None:
        self.source = source
        self.field = _root_field(document, executor.operation.selection_set)
        self._executor = executor
        self._document = document
        self._variables = variables

    @classmethod
    async def begin(
        cls,
        schema: GraphQLSchema,
        executor_class: type[Executor[Any]],
        document: DocumentNode,
        *,
        operation_name: str | None,
        variables: Mapping[str, Any],
        context: object,
    ) -> "Subscription | list[GraphQLError]":
        """A subscription of a valid document, or why there is none."""
        executor = executor_class.build(
            schema, document, None, context, dict(variables), operation_name
        )
        if isinstance(executor, list):
            return executor
        source = create_source_event_stream(executor)
        if isawaitable(source):
            source = await source
        if isinstance(source, CoreResult):
            return source.errors or []
        if not isinstance(source, AsyncGenerator):
            raise TypeError("a subscription's resolver answers an asynchronous generator")
        return cls(executor, source, document, variables)

    def question(self) -> bytes:
        """What is asked of an event: equal for those to whom the same event is the same answer.

        A digest: whoever remembers it need not hold the document. The arguments of the root field
        choose the events, and have no part in what is made of one.
        """
        operation = self._executor.operation
        used = _variables_below_the_root(self._document, self._executor.schema)
        values = {name: self._variables[name] for name in used if name in self._variables}
        name = operation.name.value if operation.name else None
        asked = [_text(self._document), name, values]
        return sha256(orjson.dumps(asked, option=orjson.OPT_SORT_KEYS, default=repr)).digest()

    async def execute(self, event: Any, context: object) -> CoreResult:
        """What the operation makes of one event."""
        executor = self._executor.build_per_event_executor(event)
        executor.context_value = context
        result = execute_subscription_event(executor)
        return await result if isawaitable(result) else result


class _Variables(Visitor):
    """Collects the names of variables."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_variable(self, node: VariableNode, *_: Any) -> None:
        self.names.add(node.name.value)


def _text(document: DocumentNode) -> str:
    return document.loc.source.body if document.loc else print_ast(document)


def _variables_below_the_root(document: DocumentNode, schema: GraphQLSchema) -> set[str]:
    """The variables that are used anywhere but in the arguments of root fields."""
    found = _Variables()
    root = schema.subscription_type.name if schema.subscription_type else ""
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode) or (
            isinstance(definition, FragmentDefinitionNode)
            and definition.type_condition.name.value == root
        ):
            for node in _below(definition.selection_set):
                visit(node, found)
        elif isinstance(definition, FragmentDefinitionNode):
            visit(definition, found)
    return found.names


def _below(selections: SelectionSetNode) -> Iterator[Node]:
    """What hangs on the root's fields, and the directives on them."""
    for selection in selections.selections:
        yield from selection.directives or ()
        if isinstance(selection, InlineFragmentNode):
            yield from _below(selection.selection_set)
        elif isinstance(selection, FieldNode) and selection.selection_set is not None:
            yield selection.selection_set


def _root_field(document: DocumentNode, selections: SelectionSetNode) -> str:
    """The name of the only root field, which may be inside of fragments."""
    for selection in selections.selections:
        if isinstance(selection, FieldNode):
            return selection.name.value
        inner = selection.selection_set if isinstance(selection, InlineFragmentNode) else None
        if isinstance(selection, FragmentSpreadNode):
            inner = next(
                each.selection_set
                for each in document.definitions
                if isinstance(each, FragmentDefinitionNode)
                and each.name.value == selection.name.value
            )
        if inner is not None:
            return _root_field(document, inner)
    raise ValueError("the operation has no root field")
