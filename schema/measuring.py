"""The walk over a document that finds the numbers which `schema.limits` compares.

A fragment's body is walked once, however often it is spread, so the work is linear in the size of
the document even where the numbers grow exponentially. Only inline nesting is recursive, and the
parser bounds that. What the standard rules report (unknown names, undefined and cyclic fragments)
counts nothing here.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

from schema.pricing import Prices

GREATEST: Final = 10**9
"""Counts stop here: beyond it a number says nothing more."""


class Totals(NamedTuple):
    """What a selection adds up to. Introspection is counted apart, by limits of its own."""

    depth: int = 0
    fields: int = 0
    """Fields of the selection itself, not of its children."""
    aliases: int = 0
    cost: int = 0
    meta_depth: int = 0
    meta_cost: int = 0

    def beside(self, other: "Totals") -> "Totals":
        """Both in one selection."""
        return Totals(
            max(self.depth, other.depth),
            min(self.fields + other.fields, GREATEST),
            min(self.aliases + other.aliases, GREATEST),
            min(self.cost + other.cost, GREATEST),
            max(self.meta_depth, other.meta_depth),
            min(self.meta_cost + other.meta_cost, GREATEST),
        )


NOTHING: Final = Totals()


class Walk:
    """The numbers of one document. `prices` are those of the schema it is meant for."""

    def __init__(self, document: DocumentNode, prices: Prices) -> None:
        self._prices = prices
        self.operations: list[OperationDefinitionNode] = []
        self.directives = 0
        self.most_directives = 0
        self.longest_alias = 0
        self._fragments: dict[str, FragmentDefinitionNode] = {}
        self._spreads: dict[str, list[str]] = {}
        self._measured: dict[str, Totals] = {}
        for definition in document.definitions:
            if isinstance(definition, FragmentDefinitionNode):
                name = definition.name.value
                self._fragments[name] = definition
                self._spreads[name] = self._look_at(definition)
            elif isinstance(definition, OperationDefinitionNode):
                self.operations.append(definition)
                self._look_at(definition)

    def totals(self) -> Iterator[tuple[OperationDefinitionNode, Totals]]:
        """What each operation adds up to, its fragments expanded."""
        for name in self._innermost_first():
            fragment = self._fragments[name]
            self._measured[name] = self._selection(
                fragment.selection_set, fragment.type_condition.name.value
            )
        for operation in self.operations:
            root = self._prices.roots.get(operation.operation.value, "")
            yield operation, self._selection(operation.selection_set, root)

    def _look_at(self, definition: FragmentDefinitionNode | OperationDefinitionNode) -> list[str]:
        """Note what counts wherever it stands; the names of the fragments that are spread."""
        self._count(definition.directives)
        for variable in definition.variable_definitions or ():
            self._count(variable.directives)
        spreads = []
        pending = [definition.selection_set]
        while pending:
            for node in pending.pop().selections:
                self._count(node.directives)
                if isinstance(node, FragmentSpreadNode):
                    spreads.append(node.name.value)
                    continue
                if isinstance(node, FieldNode) and node.alias:
                    self.longest_alias = max(self.longest_alias, len(node.alias.value))
                inner: SelectionSetNode | None = getattr(node, "selection_set", None)
                if inner is not None:
                    pending.append(inner)
        return spreads

    def _count(self, directives: tuple[object, ...] | None) -> None:
        number = len(directives or ())
        self.directives += number
        self.most_directives = max(self.most_directives, number)

    def _innermost_first(self) -> Iterator[str]:
        """Every fragment after those that it spreads; a cycle is cut where it closes."""
        entered: set[str] = set()
        for root in self._fragments:
            if root in entered:
                continue
            entered.add(root)
            path = [(root, iter(self._spreads[root]))]
            while path:
                name, spreads = path[-1]
                for spread in spreads:
                    if spread in self._fragments and spread not in entered:
                        entered.add(spread)
                        path.append((spread, iter(self._spreads[spread])))
                        break
                else:
                    path.pop()
                    yield name

    def _selection(self, selection_set: SelectionSetNode, parent: str) -> Totals:
        total = NOTHING
        # An answer is of one object type only, so of these parts the dearest counts.
        either: dict[str, Totals] = {}
        for node in selection_set.selections:
            if isinstance(node, FieldNode):
                total = total.beside(self._field(node, parent))
                continue
            if isinstance(node, InlineFragmentNode):
                condition = node.type_condition.name.value if node.type_condition else parent
                part = self._selection(node.selection_set, condition)
            elif isinstance(node, FragmentSpreadNode) and node.name.value in self._measured:
                condition = self._fragments[node.name.value].type_condition.name.value
                part = self._measured[node.name.value]
            else:
                continue
            if condition != parent and condition in self._prices.objects:
                either[condition] = either.get(condition, NOTHING).beside(part)
            else:
                total = total.beside(part)
        if not either:
            return total
        dearest = max(part.cost for part in either.values())
        for part in either.values():
            total = total.beside(part._replace(cost=0))
        return total._replace(cost=min(total.cost + dearest, GREATEST))

    def _field(self, node: FieldNode, parent: str) -> Totals:
        name = node.name.value
        price = self._prices.of(parent, name)
        inner = NOTHING
        if node.selection_set is not None:
            inner = self._selection(node.selection_set, price.returns if price else "")
        aliases = inner.aliases + (node.alias is not None)
        times = price.times(node) if price else 1
        if price and price.meta:
            return Totals(
                1, 1, aliases, 1, inner.meta_depth + 1, min(1 + times * inner.meta_cost, GREATEST)
            )
        own = 0 if name == "__typename" else price.weight if price else 1
        return Totals(
            inner.depth + 1,
            1,
            aliases,
            min(own + times * inner.cost, GREATEST),
            inner.meta_depth,
            inner.meta_cost,
        )
