"""Documents that a client might send, by accident or on purpose: good, broken and hostile."""

import json
import random
import string
from collections.abc import Callable
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    is_leaf_type,
)
from graphql.type import GraphQLInputType, GraphQLOutputType

Body = bytes

WORDS = ["", "x", "web", "nginx:1", "a" * 300, "💥", "\0", "..", "$where", "{{", "-1", "\u202e"]
NUMBERS = [0, 1, -1, 80, 2**31 - 1, 2**31, -(2**31) - 1, 2**53, 10**40, 0.5, 1e308]


class Writer:
    """Writes bodies of requests; the same seed writes the same ones."""

    def __init__(self, schema: GraphQLSchema, seed: int, ids: list[str]) -> None:
        self._schema = schema
        self._random = random.Random(seed)
        self._ids = ids
        self._kinds: list[Callable[[], Body]] = [
            self._valid,
            self._valid,
            self._valid,
            self._mangled,
            self._mangled,
            self._wrong_variables,
            self._wrong_variables,
            self._fragment_bomb,
            self._many_aliases,
            self._deep_selection,
            self._deep_value,
            self._many_fields,
            self._many_directives,
            self._introspection,
            self._noise,
            self._odd_body,
        ]

    def body(self) -> Body:
        return self._random.choice(self._kinds)()

    # ------------------------------------------------------------------------- from the schema

    def _document(self) -> str:
        operation, type_ = self._random.choice(
            [("query", self._schema.query_type), ("mutation", self._schema.mutation_type)]
        )
        assert type_ is not None
        names = self._random.sample(sorted(type_.fields), k=self._random.randint(1, 3))
        return f"{operation} {{ {' '.join(self._field(type_, name, 4) for name in names)} }}"

    def _field(self, type_: GraphQLObjectType | GraphQLInterfaceType, name: str, depth: int) -> str:
        field = type_.fields[name]
        arguments = [
            f"{key}: {self._literal(argument.type, 4)}"
            for key, argument in field.args.items()
            if isinstance(argument.type, GraphQLNonNull) or self._random.random() < 0.3
        ]
        called = name + (f"({', '.join(arguments)})" if arguments else "")
        return called + self._selection(field.type, depth - 1)

    def _selection(self, type_: GraphQLOutputType, depth: int) -> str:
        named = get_named_type(type_)
        if is_leaf_type(named):
            return ""
        if isinstance(named, GraphQLUnionType | GraphQLInterfaceType):
            member = self._random.choice(sorted(self._schema.get_possible_types(named), key=str))
            return f" {{ __typename ... on {member.name} {self._object(member, depth)} }}"
        assert isinstance(named, GraphQLObjectType)
        return f" {self._object(named, depth)}"

    def _object(self, type_: GraphQLObjectType, depth: int) -> str:
        names = [
            name
            for name, field in type_.fields.items()
            if depth > 0 or is_leaf_type(get_named_type(field.type))
        ]
        chosen = self._random.sample(names, k=min(len(names), self._random.randint(1, 6)))
        return f"{{ __typename {' '.join(self._field(type_, name, depth) for name in chosen)} }}"

    def _literal(self, type_: GraphQLInputType, depth: int) -> str:
        if isinstance(type_, GraphQLNonNull):
            return self._literal(type_.of_type, depth)
        if self._random.random() < 0.03:
            return self._random.choice(["null", "1", '"x"', "{}", "[]", "RED", "$x", "true"])
        if isinstance(type_, GraphQLList):
            count = self._random.choice([0, 1, 1, 2, 3])
            return f"[{', '.join(self._literal(type_.of_type, depth) for _ in range(count))}]"
        if isinstance(type_, GraphQLEnumType):
            return self._random.choice(sorted(type_.values))
        if isinstance(type_, GraphQLInputObjectType):
            fields = list(type_.fields.items())
            if type_.is_one_of:
                fields = [self._random.choice(fields)]
            given = [
                f"{key}: {self._literal(field.type, depth - 1)}"
                for key, field in fields
                if type_.is_one_of
                or isinstance(field.type, GraphQLNonNull)
                or (depth > 0 and self._random.random() < 0.3)
            ]
            return f"{{{', '.join(given)}}}"
        return self._scalar(type_.name)

    def _scalar(self, name: str) -> str:
        word = json.dumps(self._random.choice(WORDS))
        number = str(self._random.choice(NUMBERS))
        return {
            "Int": number,
            "Float": number,
            "Boolean": self._random.choice(["true", "false"]),
            "ID": json.dumps(self._random.choice([*self._ids, *WORDS])),
            "StringMap": f"{{a: {word}}}",
            "JSON": f"{{a: [{number}, {word}, {{b: null}}]}}",
            "IntOrString": self._random.choice([number, word]),
        }.get(name, word)

    # ---------------------------------------------------------------------------- the requests

    def _post(self, query: object, variables: object = None, **more: object) -> Body:
        return json.dumps({"query": query, "variables": variables} | more).encode()

    def _valid(self) -> Body:
        return self._post(self._document())

    def _mangled(self) -> Body:
        text = list(self._document())
        for _ in range(self._random.randint(1, 6)):
            at = self._random.randrange(len(text))
            match self._random.randrange(3):
                case 0:
                    del text[at]
                case 1:
                    text.insert(at, self._random.choice('{}()[]!:$@"\\#.|&= \n\0é'))
                case _:
                    text[at] = self._random.choice(string.printable)
        return self._post("".join(text))

    def _wrong_variables(self) -> Body:
        field = self._random.choice(sorted(self._schema.mutation_type.fields))  # type: ignore[union-attr]
        name = field[0].upper() + field[1:]
        query = f"mutation ($input: {name}Input!) {{ {field}(input: $input) {{ __typename }} }}"
        return self._post(query, {"input": self._json(5)})

    def _json(self, depth: int) -> Any:
        pick = self._random.randrange(8 if depth > 0 else 5)
        if pick < 2:
            return self._random.choice(WORDS)
        if pick == 2:
            return self._random.choice(NUMBERS)
        if pick < 5:
            return self._random.choice([None, True, False])
        if pick == 5:
            return [self._json(depth - 1) for _ in range(self._random.randint(0, 3))]
        keys = ["workflowId", "name", "nodes", "data", "deployment", "operations", "addNode", "x"]
        return {
            self._random.choice(keys): self._json(depth - 1)
            for _ in range(self._random.randint(0, 5))
        }

    def _fragment_bomb(self) -> Body:
        length = self._random.choice([5, 20, 60, 200])
        chain = [f"fragment f{i} on Query {{ ...f{i + 1} ...f{i + 1} }}" for i in range(length)]
        end = self._random.choice(["viewer { id }", "...f0", "...nowhere"])
        return self._post(f"{{ ...f0 }} {' '.join(chain)} fragment f{length} on Query {{ {end} }}")

    def _many_aliases(self) -> Body:
        count = self._random.choice([10, 100, 1_000, 10_000])
        return self._post("{" + " ".join(f"a{i}: __typename" for i in range(count)) + "}")

    def _many_fields(self) -> Body:
        count = self._random.choice([10, 500, 2_000])
        same = " ".join(["serverInfo { version }"] * count)
        return self._post(f"{{ {same} }}")

    def _deep_selection(self) -> Body:
        depth = self._random.choice([5, 50, 1_000, 50_000])
        return self._post("{a" * depth + "}" * self._random.choice([depth, 0]))

    def _deep_value(self) -> Body:
        depth = self._random.choice([10, 500, 900, 5_000])
        if self._random.random() < 0.5:
            return self._post(f"{{ workflow(id: {'[' * depth}{']' * depth}) {{ id }} }}")
        value = "[" * depth + "]" * depth
        return (
            b'{"query": "query ($x: JSON) { __typename }", "variables": {"x": '
            + value.encode()
            + b"}}"
        )

    def _many_directives(self) -> Body:
        count = self._random.choice([5, 100, 3_000])
        return self._post("{ __typename " + "@skip(if: false) " * count + "}")

    def _introspection(self) -> Body:
        depth = self._random.choice([3, 8, 40])
        nested = "fields { type { " * depth + "name" + " } }" * depth
        return self._post(f'{{ __type(name: "Query") {{ {nested} }} }}')

    def _noise(self) -> Body:
        return self._random.randbytes(self._random.randint(0, 2_000))

    def _odd_body(self) -> Body:
        odd: list[object] = [
            None,
            [],
            [{"query": "{ __typename }"}],
            {},
            {"query": None},
            {"query": 1},
            {"query": "{ __typename }", "variables": []},
            {"query": "{ __typename }", "operationName": 1},
            {"query": "{ __typename }", "extensions": "x"},
            {"query": "query a { __typename } query b { __typename }"},
            {"query": "subscription { workflowChanged(workflowId: 1) { __typename } }"},
            {"query": "#" * 100_000},
            {"query": "{ __typename }", "variables": {"x": "y" * 500_000}},
            {"query": '{ workflow(id: "\ud800") { id } }'},
        ]
        return json.dumps(self._random.choice(odd)).encode()
