"""What a field costs: its own points, and its children as often as it may answer them.

A field is one point, unless its `@cost` says more: what works through a whole canvas is dear. A
paged field counts its children `first` times, a plain list as often as its `@cost` says, else once.
The directive is printed in the SDL, so that clients can do the sum.
"""

from dataclasses import dataclass
from math import ceil
from typing import Final

import strawberry
from graphql import (
    FieldNode,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    IntValueNode,
    VariableNode,
    get_named_type,
)
from strawberry.schema_directive import Location

PAGE: Final = 100
"""The longest page: what a variable counts as, because a cached document has no variables yet."""


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    description="What a field costs: `weight` points, and its children `length` times.",
)
class Cost:
    weight: int = strawberry.directive_field(name="weight", default=1)
    length: int = strawberry.directive_field(name="length", default=1)


CANVAS: Final = Cost(weight=200, length=100)
"""The nodes or edges of a canvas: it is loaded, and most have fewer than a hundred."""

WHOLE: Final = Cost(weight=1_000)
"""What is made of a whole canvas: tens of milliseconds, and more for the largest."""

IMPORT: Final = Cost(weight=5_000)
"""What reads a whole source: up to seconds, so one of them in an operation."""

LOOK: Final = Cost(weight=1_000)
"""What loads or looks through a whole canvas: up to a fifth of a second for the largest."""


DIAL: Final = Cost(weight=1_000)
"""What waits for somebody else's server: up to seconds, and a connection of ours."""


@dataclass(frozen=True, slots=True)
class Price:
    """What is known of a field before the document is."""

    returns: str
    """The named type of the answer."""
    length: int
    """How often the children count; for a paged field, when `first` is not given."""
    weight: int
    """Its own points."""
    paged: bool
    meta: bool
    """Whether it belongs to introspection."""

    def times(self, node: FieldNode) -> int:
        """How often the children of `node` count."""
        if self.paged:
            for argument in node.arguments or ():
                if argument.name.value == "first":
                    return _page(argument.value, self.length)
        return self.length


class Prices:
    """The prices of one schema."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._lengths = _introspection_lengths(schema)
        self._prices: dict[str, dict[str, Price]] = {
            type_.name: {
                name: self._price(field, name if type_.name.startswith("__") else None)
                for name, field in type_.fields.items()
            }
            for type_ in schema.type_map.values()
            if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType)
        }
        self.objects = frozenset(
            name for name, type_ in schema.type_map.items() if isinstance(type_, GraphQLObjectType)
        )
        self.roots = {
            operation: root.name
            for operation in ("query", "mutation", "subscription")
            if (root := getattr(schema, f"{operation}_type")) is not None
        }
        query = self._prices[self.roots["query"]]
        query["__schema"] = Price("__Schema", 1, 1, paged=False, meta=True)
        query["__type"] = Price("__Type", 1, 1, paged=False, meta=True)

    def of(self, parent: str, field: str) -> Price | None:
        """The price of a field; None when there is no such field."""
        return self._prices.get(parent, {}).get(field)

    def _price(self, field: GraphQLField, meta: str | None) -> Price:
        first = field.args.get("first")
        declared = _declared(field)
        length = self._lengths.get(meta, 1) if meta else declared.length
        if first is not None:
            default = first.default_value
            length = min(default, PAGE) if isinstance(default, int) else PAGE
        return Price(
            get_named_type(field.type).name,
            max(length, 1),
            declared.weight,
            paged=first is not None,
            meta=meta is not None,
        )


def _page(value: object, default: int) -> int:
    if isinstance(value, VariableNode):
        return PAGE
    if isinstance(value, IntValueNode):
        # The service refuses what is out of range, in better words than a cost.
        text = value.value
        return PAGE if len(text) > 3 else max(1, min(int(text), PAGE))
    return default


def _declared(field: GraphQLField) -> Cost:
    definition = field.extensions.get("strawberry-definition")
    for directive in getattr(definition, "directives", ()):
        if isinstance(directive, Cost):
            return directive
    return Cost()


def _introspection_lengths(schema: GraphQLSchema) -> dict[str, int]:
    """How long introspection's lists are in this schema, on average, by the field's name."""
    types = list(schema.type_map.values())
    fields = [field for t in types for field in getattr(t, "fields", {}).values()]
    arguments = sum(len(getattr(field, "args", ())) for field in fields)

    def average(total: int, among: int) -> int:
        return ceil(total / max(among, 1))

    return {
        "types": len(types),
        "directives": len(schema.directives),
        "fields": average(len(fields), len(types)),
        "inputFields": average(len(fields), len(types)),
        "args": average(arguments, len(fields)),
        "enumValues": average(sum(len(getattr(t, "values", ())) for t in types), len(types)),
        "interfaces": average(sum(len(getattr(t, "interfaces", ())) for t in types), len(types)),
        "possibleTypes": average(sum(len(getattr(t, "types", ())) for t in types), len(types)),
    }
