"""What a client asks for, read from whatever it sent; strict, so that nothing behind it need be.

HTTP bodies, query strings and websocket payloads all become an Operation here or a Malformed.
Queries by GET need no preflight header: callers are known by a bearer token that no browser
attaches of its own accord, never by a cookie.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from json import JSONDecodeError
from typing import Any, Final

import orjson

MAX_NESTING: Final = 64
"""Levels of lists and objects in variables: what reads them calls itself for each level."""

FORM: Final = (
    ("query", str, "a string"),
    ("operationName", str, "a string"),
    ("variables", dict, "an object"),
    ("extensions", dict, "an object"),
)


class Malformed(Exception):
    """What came is no GraphQL request. `unreadable` when it is not even JSON."""

    def __init__(self, message: str, *, unreadable: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.unreadable = unreadable


@dataclass(frozen=True, slots=True)
class Operation:
    """A well-formed request; whether the document is any good is another question."""

    query: str
    name: str | None
    variables: dict[str, Any] | None
    extensions: dict[str, Any] | None

    @classmethod
    def of(cls, payload: object) -> "Operation":
        """From decoded JSON. Raises Malformed."""
        if isinstance(payload, list):
            raise Malformed("Batches are not supported: send one operation per request.")
        if not isinstance(payload, dict):
            raise Malformed("A GraphQL request is a JSON object with a `query`.")
        for field, type_, words in FORM:
            value = payload.get(field)
            if value is not None and not isinstance(value, type_):
                raise Malformed(f"`{field}` must be {words} or null.")
        if not payload.get("query"):
            raise Malformed("The request has no `query`: send the GraphQL document there.")
        variables = payload.get("variables")
        _check(variables)
        return cls(
            query=payload["query"],
            name=payload.get("operationName") or None,
            variables=variables,
            extensions=payload.get("extensions"),
        )

    @classmethod
    def of_body(cls, body: bytes) -> "Operation":
        """From the body of a POST request. Raises Malformed."""
        return cls.of(decode(body))

    @classmethod
    def of_parameters(cls, parameters: Mapping[str, str]) -> "Operation":
        """From a query string, where variables and extensions are JSON. Raises Malformed."""
        payload: dict[str, object] = dict(parameters)
        for field in ("variables", "extensions"):
            text = parameters.get(field)
            payload[field] = decode(text.encode(errors="replace")) if text else None
        return cls.of(payload)


def decode(text: bytes | str) -> object:
    """JSON in UTF-8, nothing else: no NaN, no lone surrogates. Raises Malformed."""
    try:
        return orjson.loads(text)
    except JSONDecodeError as error:
        raise Malformed("This is not valid JSON in UTF-8.", unreadable=True) from error


def _check(variables: object) -> None:
    """Refuse what some reader further in would stumble over."""
    level = [variables]
    for _ in range(MAX_NESTING):
        inner: list[object] = []
        for value in level:
            if isinstance(value, dict):
                inner += value.keys()
                inner += value.values()
            elif isinstance(value, list):
                inner += value
            elif isinstance(value, str) and "\0" in value:
                raise Malformed("Text must not contain the NUL character.")
        if not inner:
            return
        level = inner
    raise Malformed(f"The variables are nested more than {MAX_NESTING} levels deep.")
