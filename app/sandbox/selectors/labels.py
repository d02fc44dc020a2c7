"""Label selectors: `app=web,tier in (a,b),!old`, and those that objects hold.

Follows apimachinery's `labels`, to the words of its errors.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Labels = Mapping[str, str]

TOKEN = re.compile(r"[ \t\r\n]*(==|!=|[=!(),<>]|[^=!(),<> \t\r\n]+)")
SPECIAL = "=!(),<>"
OPERATORS = {"=": "in", "==": "in", "in": "in", "!=": "notin", "notin": "notin", ">": ">", "<": "<"}
EXPECTED = "in, notin, =, ==, !=, gt, lt"
END = ""

NAME = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
DOMAIN = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
RULE = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
    "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "
    f"validation is '{NAME}')"
)
VALUE_RULE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or "
    f"'my_value',  or '12345', regex used for validation is '({NAME})?')"
)
DOMAIN_RULE = (
    "prefix part a lowercase RFC 1123 subdomain must consist of lower case alphanumeric "
    "characters, '-' or '.', and must start and end with an alphanumeric character (e.g. "
    f"'example.com', regex used for validation is '{DOMAIN}')"
)


class SelectorError(ValueError):
    """str(): the text of the 400."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One condition. operator: in, notin, exists, !, > or < (whole numbers)."""

    key: str
    operator: str
    values: frozenset[str] = frozenset()

    def matches(self, labels: Labels) -> bool:
        value = labels.get(self.key)
        match self.operator:
            case "in":
                return value in self.values
            case "notin":
                return value not in self.values
            case "exists":
                return value is not None
            case "!":
                return value is None
        (bound,) = self.values
        number = whole(value or "")
        if number is None:
            return False
        return number > int(bound) if self.operator == ">" else number < int(bound)


def whole(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[+-]?[0-9]{1,19}", text) else None


@dataclass(frozen=True, slots=True)
class LabelSelector:
    """All requirements together; none of them: everything. `nothing` matches nothing at all."""

    requirements: tuple[Requirement, ...] = ()
    nothing: bool = False

    def matches(self, labels: Labels | None) -> bool:
        return not self.nothing and all(each.matches(labels or {}) for each in self.requirements)


def parse_labels(text: str) -> LabelSelector:
    """`a=b,c!=d,e in (f,g),!h`; "" matches everything. SelectorError if malformed."""
    parser = Parser(text)
    found = []
    while parser.next != END:
        if parser.next in SPECIAL and parser.next != "!":
            raise SelectorError(
                f"found '{parser.next}', expected: !, identifier, or 'end of string'"
            )
        try:
            found.append(parser.requirement())
        except SelectorError as error:
            raise SelectorError(f"unable to parse requirement: {error}") from error
        if (separator := parser.take()) not in (",", END):
            raise SelectorError(f"found '{separator}', expected: ',' or 'end of string'")
        if separator == "," and (parser.next in SPECIAL and parser.next != "!"):
            raise SelectorError(f"found '{parser.next}', expected: identifier after ','")
    return LabelSelector(tuple(found))


class Parser:
    """The words of a label selector, one after the other; at the end they are empty."""

    def __init__(self, text: str) -> None:
        self.words = TOKEN.findall(text.rstrip(" \t\r\n"))
        self.at = 0

    @property
    def next(self) -> str:
        return str(self.words[self.at]) if self.at < len(self.words) else END

    def take(self) -> str:
        word = self.next
        self.at += 1
        return word

    def identifier(self, expected: str) -> str:
        word = self.take()
        if word == END or word in OPERATORS.keys() - {"in", "notin"} or word in SPECIAL:
            raise SelectorError(f"found '{word}', expected: {expected}")
        return word

    def requirement(self) -> Requirement:
        absent = self.next == "!" and bool(self.take())
        key = self.identifier("identifier")
        check_key(key)
        if absent or self.next in (END, ","):
            return Requirement(key, "!" if absent else "exists")
        operator = OPERATORS.get(written := self.take())
        if operator is None:
            raise SelectorError(f"found '{written}', expected: {EXPECTED}")
        values = self.listed() if written in ("in", "notin") else [self.exact()]
        for index, value in enumerate(sorted(set(values))):
            if operator in "<>" and whole(value) is None:
                raise SelectorError(
                    f'values[{index}]: Invalid value: "{value}": '
                    "for 'Gt', 'Lt' operators, the value must be an integer"
                )
            check_value(key, value, f"values[{index}]")
        return Requirement(key, operator, frozenset(values))

    def exact(self) -> str:
        return "" if self.next in (END, ",") else self.identifier("identifier")

    def listed(self) -> list[str]:
        if (word := self.take()) != "(":
            raise SelectorError(f"found '{word}' expected: '('")
        values = []
        while True:
            value = "" if self.next in (",", ")") else self.identifier("',', ')' or identifier")
            values.append(value)
            if (word := self.take()) == ")":
                return values
            if word != ",":
                raise SelectorError(f"found '{word}', expected: ',' or ')'")


def check_key(key: str) -> None:
    """A label's key: an optional domain and a slash, then a name of at most 63 characters."""
    parts = key.split("/")
    wrong = []
    if len(parts) > 2:
        example = "with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
        wrong.append(f"a valid label key {RULE} {example}")
    else:
        if len(parts) == 2 and not parts[0]:
            wrong.append("prefix part must be non-empty")
        elif len(parts) == 2 and not re.fullmatch(DOMAIN, parts[0]):
            wrong.append(DOMAIN_RULE)
        if not parts[-1]:
            wrong.append("name part must be non-empty")
        elif len(parts[-1]) > 63:
            wrong.append("name part must be no more than 63 bytes")
        if not re.fullmatch(NAME, parts[-1]):
            wrong.append(f"name part {RULE}")
    if wrong:
        raise SelectorError(f'<nil>: Invalid value: "{key}": {"; ".join(wrong)}')


def check_value(key: str, value: str, at: str) -> None:
    wrong = ["must be no more than 63 bytes"] if len(value) > 63 else []
    if not re.fullmatch(f"({NAME})?", value):
        wrong.append(VALUE_RULE)
    if wrong:
        raise SelectorError(f'{at}[{key}]: Invalid value: "{value}": {"; ".join(wrong)}')


EXPRESSIONS = {"In": "in", "NotIn": "notin", "Exists": "exists", "DoesNotExist": "!"}


def from_label_selector(selector: Mapping[str, Any] | None) -> LabelSelector:
    """Of a LabelSelector object; None matches nothing, {} everything. SelectorError if wrong."""
    if selector is None:
        return LabelSelector(nothing=True)
    found = [
        Requirement(key, "in", frozenset([value]))
        for key, value in (selector.get("matchLabels") or {}).items()
    ]
    for expression in selector.get("matchExpressions") or ():
        operator = EXPRESSIONS.get(expression.get("operator", ""))
        if operator is None:
            raise SelectorError(
                f'"{expression.get("operator", "")}" is not a valid label selector operator'
            )
        values = frozenset(expression.get("values") or ())
        found.append(Requirement(expression.get("key", ""), operator, values))
    return LabelSelector(tuple(found))
