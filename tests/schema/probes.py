"""Documents made from the schema alone: every root field, every selection down to a depth.

A new field is probed from the day it exists. Arguments are given where they are needed or name
something; of an input that takes one of several, the first is taken.
"""

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    is_leaf_type,
    is_required_argument,
    is_required_input_field,
)
from graphql.type import GraphQLInputType, GraphQLOutputType

DEPTH = 5


class Prober:
    """Writes a document for a root field, naming the same ids wherever an id can be named."""

    def __init__(self, schema: GraphQLSchema, *, id_: str, text: str) -> None:
        self._schema = schema
        self._id = id_
        self._text = text

    def document(self, operation: str, name: str, field: GraphQLField) -> str:
        return f"{operation} {{ {self._field(name, field, DEPTH)} }}"

    def _field(self, name: str, field: GraphQLField, depth: int, alias: str = "") -> str:
        arguments = [
            f"{key}: {self._value(argument.type, key)}"
            for key, argument in field.args.items()
            if is_required_argument(argument) or key in ("id", "search", "filter")
        ]
        called = f"{alias}{name}" + (f"({', '.join(arguments)})" if arguments else "")
        return called + self._selection(field.type, depth)

    def _selection(self, type_: GraphQLOutputType, depth: int) -> str:
        named = get_named_type(type_)
        if is_leaf_type(named):
            return ""
        parts = ["__typename"]
        if isinstance(named, GraphQLUnionType | GraphQLInterfaceType):
            # Fields of the same name may differ in type from member to member: keep them apart.
            for member in self._schema.get_possible_types(named):
                fields = self._fields(member, depth, prefix=f"{member.name}_")
                parts.append(f"... on {member.name} {{ __typename {fields} }}")
        elif isinstance(named, GraphQLObjectType):
            parts.append(self._fields(named, depth))
        return f" {{ {' '.join(parts)} }}"

    def _fields(self, type_: GraphQLObjectType, depth: int, prefix: str = "") -> str:
        return " ".join(
            self._field(name, field, depth - 1, f"{prefix}{name}: " if prefix else "")
            for name, field in type_.fields.items()
            if depth > 1 or is_leaf_type(get_named_type(field.type))
        )

    def _value(self, type_: GraphQLInputType, name: str) -> str:  # noqa: PLR0911
        if isinstance(type_, GraphQLNonNull):
            return self._value(type_.of_type, name)
        if isinstance(type_, GraphQLList):
            if get_named_type(type_).name == "EdgeInput":
                return "[]"  # one edge alone would dangle
            return f"[{self._value(type_.of_type, name)}]"
        if isinstance(type_, GraphQLEnumType):
            return next(iter(type_.values))
        if isinstance(type_, GraphQLInputObjectType):
            fields = list(type_.fields.items())
            if type_.is_one_of:
                fields = fields[:1]
            given = [
                f"{key}: {self._value(field.type, key)}"
                for key, field in fields
                if type_.is_one_of
                or is_required_input_field(field)
                or (key.lower().endswith("id") and key != "clusterId")
                or key == "search"
            ]
            return f"{{{', '.join(given)}}}"
        assert isinstance(type_, GraphQLScalarType)
        if type_.name == "ID" or name == "id":
            return f'"{self._id}"'
        return {
            "Int": "1",
            "Float": "1",
            "Boolean": "true",
            "StringMap": "{}",
            "JSON": "{}",
            "IntOrString": "1",
        }.get(type_.name, f'"{self._text}"')
