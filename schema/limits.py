"""What a document may ask for: one linear walk, before anything expensive looks at it.

The standard rules compare fields with fields and follow fragments from every operation; they never
see a document that is refused here.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    get_introspection_query,
    parse,
)

from schema.measuring import GREATEST, Totals, Walk
from schema.pricing import Prices


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that one document, and each operation in it, may have; fragments expanded."""

    tokens: int = 5_000
    depth: int = 15
    aliases: int = 50
    root_fields: int = 20
    mutations: int = 10
    cost: int = 10_000
    operations: int = 100
    directives: int = 100
    directives_per_node: int = 5
    alias_length: int = 100
    """Characters: a result repeats an alias for every item of a list."""
    introspection: bool = True


class Limiter:
    """Compares documents for one schema with one set of limits."""

    def __init__(self, schema: GraphQLSchema, limits: Limits) -> None:
        self._limits = limits
        self._prices = Prices(schema)
        whole = Walk(parse(get_introspection_query(input_value_deprecation=True)), self._prices)
        _, asked = next(whole.totals())
        # Tools ask for the whole schema, each in its own words: half as much again is enough.
        self._meta_cost = asked.meta_cost * 3 // 2
        self._meta_depth = asked.meta_depth + 5

    def refusals(self, document: DocumentNode) -> list[GraphQLError]:
        """What the document has too much of: each with a code, the limit and the number."""
        walk = Walk(document, self._prices)
        found = list(self._of_document(walk))
        if not found:
            for operation, totals in walk.totals():
                found += self._of_operation(operation, totals)
        return found

    def _of_document(self, walk: Walk) -> Iterator[GraphQLError]:
        limits = self._limits
        for code, sentence, limit, actual in (
            ("TOO_MANY_OPERATIONS", "The document has {} operations", limits.operations,
             len(walk.operations)),
            ("TOO_MANY_DIRECTIVES", "The document has {} directives", limits.directives,
             walk.directives),
            ("TOO_MANY_DIRECTIVES", "A place in the document has {} directives",
             limits.directives_per_node, walk.most_directives),
            ("ALIAS_TOO_LONG", "An alias has {} characters", limits.alias_length,
             walk.longest_alias),
        ):  # fmt: skip
            if actual > limit:
                yield _refusal(code, sentence, limit, actual)

    def _of_operation(
        self, operation: OperationDefinitionNode, totals: Totals
    ) -> Iterator[GraphQLError]:
        limits = self._limits
        mutates = operation.operation is OperationType.MUTATION
        for code, sentence, limit, actual in (
            ("QUERY_TOO_DEEP", "is {} levels deep", limits.depth, totals.depth),
            ("QUERY_TOO_DEEP", "asks {} levels deep into the schema", self._meta_depth,
             totals.meta_depth),
            ("TOO_MANY_ALIASES", "has {} aliases", limits.aliases, totals.aliases),
            ("TOO_MANY_ROOT_FIELDS", "has {} mutations" if mutates else "has {} root fields",
             limits.mutations if mutates else limits.root_fields, totals.fields),
            ("QUERY_TOO_COSTLY", "costs {} points", limits.cost, totals.cost),
            ("QUERY_TOO_COSTLY", "costs {} points of introspection", self._meta_cost,
             totals.meta_cost),
        ):  # fmt: skip
            if actual > limit:
                name = f" {operation.name.value[:64]}" if operation.name else ""
                yield _refusal(code, f"The operation{name} {sentence}", limit, actual, operation)
        if totals.meta_depth and not limits.introspection:
            yield GraphQLError(
                "Introspection is switched off on this server.",
                operation,
                extensions={"code": "INTROSPECTION_DISABLED"},
            )


def _refusal(
    code: str,
    sentence: str,
    limit: int,
    actual: int,
    operation: OperationDefinitionNode | None = None,
) -> GraphQLError:
    number = f"at least {GREATEST}" if actual >= GREATEST else actual
    return GraphQLError(
        f"{sentence.format(number)}, more than the limit of {limit}.",
        operation,
        extensions={"code": code, "limit": limit, "actual": actual},
    )
