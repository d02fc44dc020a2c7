"""`${VARIABLE}` in the values of a compose file, as its specification has it.

A variable that is called like a secret leaves a mark instead of its value, whatever default the
file gives. What comes out is bounded: a short text can refer to long values many times over.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from app.domain.importing.imported import ImportCode
from app.domain.importing.secrecy import looks_secret, mark

LONGEST = 1024 * 1024
"""Characters that one text may become."""
_DEEPEST = 32
_NAME = re.compile("[A-Za-z_][A-Za-z0-9_]*")
_OPERATOR = re.compile(r":?[-?+]")


class TooLong(Exception):
    """A text that would become longer than is allowed."""


@dataclass(slots=True)
class Expansion:
    """A text after interpolation, and what was wrong with it."""

    text: str = ""
    faults: list[tuple[ImportCode, str]] = field(default_factory=list)


def expand(template: str, variables: Mapping[str, str]) -> Expansion:
    """`template` with its variables replaced; `$$` is a dollar. Raises TooLong."""
    made = Expansion()
    made.text = _Reading(variables, made).expand(template, 0)
    return made


@dataclass(slots=True)
class _Reading:
    variables: Mapping[str, str]
    made: Expansion
    spent: int = 0

    def expand(self, text: str, depth: int) -> str:
        if "$" not in text:
            return text
        if depth > _DEEPEST:
            message = f"Its variables are nested more than {_DEEPEST} levels deep."
            self.made.faults.append((ImportCode.IGNORED, message))
            return ""
        pieces: list[str] = []
        for piece in self._pieces(text, depth):
            self.spent += len(piece)
            if self.spent > LONGEST:
                raise TooLong
            pieces.append(piece)
        return "".join(pieces)

    def _pieces(self, text: str, depth: int) -> Iterator[str]:
        done = 0
        while (at := text.find("$", done)) >= 0:
            yield text[done:at]
            following = text[at + 1 : at + 2]
            if following == "$":
                yield "$"
                done = at + 2
            elif following == "{":
                end = _closing(text, at + 1)
                yield self._braced(text[at + 2 : end], depth) if end > 0 else text[at:]
                if end < 0:
                    self._not_a_variable()
                    return
                done = end + 1
            elif match := _NAME.match(text, at + 1):
                yield self._value(match[0])
                done = match.end()
            else:
                yield "$"
                done = at + 1
        yield text[done:]

    def _braced(self, inside: str, depth: int) -> str:
        match = _NAME.match(inside)
        rest = inside[match.end() :] if match else ""
        operator = _OPERATOR.match(rest)
        if match is None or (rest and operator is None):
            self._not_a_variable()
            return "${" + inside + "}"
        if operator is None:
            return self._value(match[0])
        return self._with_operator(match[0], operator[0], rest[operator.end() :], depth)

    def _with_operator(self, name: str, operator: str, other: str, depth: int) -> str:
        value = self.variables.get(name)
        is_there = bool(value) if operator.startswith(":") else value is not None
        if operator.endswith("+"):
            return self.expand(other, depth + 1) if is_there else ""
        if looks_secret(name):
            return mark(name)
        if is_there or operator.endswith("-"):
            return (value or "") if is_there else self.expand(other, depth + 1)
        self._missing(name, "The file requires it.")
        return ""

    def _value(self, name: str) -> str:
        if looks_secret(name):
            return mark(name)
        if name not in self.variables:
            self._missing(name, "It is taken as empty.")
            return ""
        return self.variables[name]

    def _missing(self, name: str, what: str) -> None:
        message = f"The variable {name[:64]} has no value. {what} Give it with the variables."
        self.made.faults.append((ImportCode.MISSING, message))

    def _not_a_variable(self) -> None:
        message = "A '${' that names no variable is kept as it is: write '$$' for a dollar."
        self.made.faults.append((ImportCode.CHANGED, message))


def _closing(text: str, opening: int) -> int:
    """The index of the brace that closes the one at `opening`, or -1."""
    depth = 0
    for match in re.compile("[{}]").finditer(text, opening):
        depth += 1 if match[0] == "{" else -1
        if depth == 0:
            return match.start()
    return -1
