"""Label selectors: `app=web,tier in (a,b),!old`, and those that objects hold.

Follows apimachinery's `labels`, to the words of its errors.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.sandbox.formats import label_key, label_value

Labels = Mapping[str, str]

TOKEN = re.compile(r"[ \t\r\n]*(==|!=|[=!(),<>]|[^=!(),<> \t\r\n]+)")
SPECIAL = "=!(),<>"
OPERATORS = {"=": "in", "==": "in", "in": "in", "!=": "notin", "notin": "notin", ">": ">", "<": "<"}
EXPECTED = "in, notin, =, ==, !=, gt, lt"
END = ""


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
        check(label_key(key), "<nil>", key)
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
            check(label_value(value), f"values[{index}][{key}]", value)
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


def check(wrong: list[str], at: str, value: str) -> None:
    if wrong:
        raise SelectorError(f'{at}: Invalid value: "{value}": {"; ".join(wrong)}')


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
