"""From a document's text to one that may run, or to the reasons why not; remembered by its text.

The order is what keeps it cheap: a bound on tokens while parsing, our own linear walk, and only
then the standard rules, whose worst cases the first two keep out of reach.
"""

import re
from typing import Final, NamedTuple

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLSchema,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    Source,
    TokenKind,
    parse,
    specified_rules,
    validate,
)
from graphql.validation.rules import overlapping_fields_can_be_merged
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule

from schema.limits import Limiter, Limits

MAX_ERRORS: Final = 10
"""Broken rules that one document is told of: some of them print a whole argument, each time."""

MAX_MESSAGE: Final = 500
"""Characters of an error's message: many of them repeat what the client sent."""

MAX_LINES: Final = 10_000
"""Every location in an error is found by counting lines from the start."""

RULES: Final = (*specified_rules, MaybeNullValidationRule)

CACHE_TOKENS: Final = 50_000
"""Tokens remembered, in all: up to 30 MB, since a token and what it becomes take some 500 bytes."""

CACHED_CHARACTERS: Final = 32_768
"""The longest text that is remembered: longer ones are made for one occasion."""

# Comparing fields with fields is quadratic at worst; the library's own bound is half a second.
overlapping_fields_can_be_merged.MAX_COMPLEXITY_BUDGET = 50_000


class Prepared(NamedTuple):
    """A document that may run, when it has no errors; each error has a code."""

    document: DocumentNode | None
    errors: list[GraphQLError]

    def operation(self, name: str | None) -> OperationDefinitionNode | GraphQLError:
        """The operation that is meant; an error with a code when that is not clear."""
        definitions = self.document.definitions if self.document else ()
        operations = [each for each in definitions if isinstance(each, OperationDefinitionNode)]
        if name is None and len(operations) == 1:
            return operations[0]
        for operation in operations:
            if name is not None and operation.name and operation.name.value == name:
                return operation
        if name is not None:
            message = f"There is no operation named {name[:64]!r} in the document."
        elif operations:
            message = f"Say with operationName which of the {len(operations)} operations to run."
        else:
            message = "The document has no operation, only fragments."
        return GraphQLError(message, extensions={"code": "OPERATION_UNCLEAR"})


class CacheInfo(NamedTuple):
    """How the cache does: look-ups that found something, that did not, and what it holds."""

    hits: int
    misses: int
    documents: int
    tokens: int


class Documents:
    """Prepares documents for one schema, and remembers those used last."""

    def __init__(self, schema: GraphQLSchema, limits: Limits) -> None:
        self._schema = schema
        self._limits = limits
        self._limiter = Limiter(schema, limits)
        self._cache: dict[str, Prepared] = {}
        self._tokens = self._hits = self._misses = 0

    def prepare(self, text: str) -> Prepared:
        """Parse and validate `text`, or remember how that ended. Never raises."""
        prepared = self._cache.pop(text, None)
        if prepared is not None:
            self._hits += 1
            self._cache[text] = prepared
            return prepared
        self._misses += 1
        prepared = self._prepare(text)
        if len(text) <= CACHED_CHARACTERS:
            self._cache[text] = prepared
            self._tokens += _weight(text, prepared)
            while self._tokens > CACHE_TOKENS:
                oldest = next(iter(self._cache))
                self._tokens -= _weight(oldest, self._cache.pop(oldest))
        return prepared

    def info(self) -> CacheInfo:
        """How the cache does."""
        return CacheInfo(self._hits, self._misses, len(self._cache), self._tokens)

    def _prepare(self, text: str) -> Prepared:
        lines = text.count("\n") + text.count("\r")
        if lines > MAX_LINES:
            return Prepared(None, [_too_many("lines", MAX_LINES)])
        try:
            document = parse(Source(text), max_tokens=self._limits.tokens)
        except GraphQLSyntaxError as error:
            return Prepared(None, [self._unreadable(error)])
        errors = _nul_characters(text, document) or self._limiter.refusals(document)
        if not errors:
            broken = validate(
                self._schema, document, RULES, max_errors=MAX_ERRORS, hide_suggestions=True
            )
            errors = [_broken_rule(error) for error in broken]
        return Prepared(document, errors)

    def _unreadable(self, error: GraphQLSyntaxError) -> GraphQLError:
        if "Document contains more than" in error.message:
            return _too_many("tokens", self._limits.tokens)
        if "nested too deeply" in error.message:
            return GraphQLError(
                "The document is nested too deeply to be read.",
                extensions={"code": "QUERY_TOO_DEEP"},
            )
        return _coded(error, "GRAPHQL_PARSE_FAILED")


def follow_one_of(schema: GraphQLSchema) -> None:
    """Let the standard rules know the `@oneOf` inputs that Strawberry declares in its own way.

    Strawberry's rule for them fails on a variable that is used in a fragment.
    """
    for type_ in schema.type_map.values():
        if isinstance(type_, GraphQLInputObjectType):
            definition = type_.extensions.get("strawberry-definition")
            type_.is_one_of = bool(getattr(definition, "is_one_of", False))


def _weight(text: str, prepared: Prepared) -> int:
    tokens = prepared.document.token_count if prepared.document else 0
    return (tokens or 0) + len(text) // 64


def _too_many(what: str, limit: int) -> GraphQLError:
    return GraphQLError(
        f"The document has more {what} than the limit of {limit}.",
        extensions={"code": f"TOO_MANY_{what.upper()}", "limit": limit},
    )


def _broken_rule(error: GraphQLError) -> GraphQLError:
    if error.message == "Validation aborted.":
        return GraphQLError(
            "The document is too complicated: too many fields and fragments meet in one place.",
            extensions={"code": "QUERY_TOO_COMPLEX"},
        )
    return _coded(error, "GRAPHQL_VALIDATION_FAILED")


def shortened(message: str) -> str:
    """The message, at a length that is sane to send."""
    return message if len(message) <= MAX_MESSAGE else f"{message[: MAX_MESSAGE - 1]}…"


_FOUND: Final = re.compile(r"[,;] found: .*\Z", re.DOTALL)
_VALUE: Final = re.compile(r"(?P<why>cannot represent [^:]*value): .*\Z", re.DOTALL)
_STRING: Final = re.compile(r"(?P<why>\b(?:Block)?String) '.*\Z", re.DOTALL)


def without_value(message: str) -> str:
    """What is wrong with a value, but not the value itself: it may hold a password."""
    for pattern in (_VALUE, _STRING):
        message = pattern.sub(r"\g<why>.", message)
    return _FOUND.sub(".", message)


def _coded(error: GraphQLError, code: str) -> GraphQLError:
    message = shortened(without_value(error.message))
    return GraphQLError(
        message, error.nodes, error.source, error.positions, extensions={"code": code}
    )


def _nul_characters(text: str, document: DocumentNode) -> list[GraphQLError]:
    """NUL in a string literal: no name or value of ours can have it, and databases choke on it."""
    if ("\0" not in text and "\\u" not in text) or document.loc is None:
        return []
    token = document.loc.start_token
    while token.kind is not TokenKind.EOF and token.next is not None:
        if "\0" in (token.value or ""):
            return [
                GraphQLError(
                    "Text must not contain the NUL character.",
                    source=document.loc.source,
                    positions=[token.start],
                    extensions={"code": "BAD_USER_INPUT"},
                )
            ]
        token = token.next
    return []
