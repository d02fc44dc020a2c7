"""Files of `NAME=value` lines: `.env` and what `env_file` names."""

import re
from collections import ChainMap
from collections.abc import Callable
from dataclasses import dataclass, field

from app.domain.importing.compose.interpolation import expand
from app.domain.importing.secrecy import clean

MOST_SHOWN = 10
_EXPORT = re.compile(r"export[ \t]+")
_KEY = re.compile(r"([\w.\-\[\]]+)[ \t]*(=|:|(?=\r?\n)|\Z)[ \t]*")
_BLANK = re.compile(r"(?:\s+|#[^\n]*)+")
_QUOTED = {
    "'": re.compile(r"'((?:\\.|[^\\'])*)'", re.DOTALL),
    '"': re.compile(r'"((?:\\.|[^\\"])*)"', re.DOTALL),
}
_ESCAPE = re.compile(r"\\(0[0-7]{0,3}|[abcfnrtv$\"\\])")
_LETTERS = {
    "a": "\a",
    "b": "\b",
    "c": "\\c",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
    '"': '"',
    "\\": "\\",
    "$": "$$",
}


@dataclass(slots=True)
class EnvFile:
    """The variables of a file in their order, and the lines that cannot be read."""

    values: dict[str, str] = field(default_factory=dict)
    bad_lines: list[int] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    """Sentences about variables that the file refers to: the first few of them."""

    def bad(self, text: str, at: int) -> None:
        """The line of a place cannot be read; the first few of them are kept."""
        if len(self.bad_lines) < MOST_SHOWN:
            self.bad_lines.append(text.count("\n", 0, at) + 1)

    def is_missing(self, message: str) -> None:
        """A variable that the file refers to is not there; each is said once."""
        if len(self.missing) < MOST_SHOWN and message not in self.missing:
            self.missing.append(message)


def parse(text: str, around: dict[str, str], count: Callable[[str], object]) -> EnvFile:
    """The variables of a file. `around` are those from outside: they win in `${NAME}`.

    A name without `=` takes its value from `around`. Variables that are called like secrets leave
    marks. `count` is told the text and every value that is made of variables: each is bounded, but
    not their sum. Raises TooLong, and what `count` raises.
    """
    made = EnvFile()
    count(text)
    text = clean(text).removeprefix("\ufeff").replace("\r\n", "\n")
    reading = _Reading(text, around, made, count)
    at = 0
    while at < len(text):
        if blank := _BLANK.match(text, at):
            at = blank.end()
            continue
        start = at
        if export := _EXPORT.match(text, at):
            at = export.end()
        key = _KEY.match(text, at)
        if key is None:
            made.bad(text, start)
            at = _end_of_line(text, start)
            continue
        at = key.end()
        if not key[2]:
            if key[1] in around:
                made.values[key[1]] = around[key[1]]
            continue
        at = reading.value(key[1], at)
    return made


def raw(text: str) -> EnvFile:
    """The variables of a file of the format `raw`: everything after the first `=` is the value."""
    made = EnvFile()
    for number, line in enumerate(clean(text).removeprefix("\ufeff").splitlines(), 1):
        name, is_pair, value = line.partition("=")
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if is_pair:
            made.values[name.strip()] = value
        elif len(made.bad_lines) < MOST_SHOWN:
            made.bad_lines.append(number)
    return made


def _end_of_line(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


@dataclass(frozen=True, slots=True)
class _Reading:
    """What values are read with, and where they go."""

    text: str
    around: dict[str, str]
    made: EnvFile
    count: Callable[[str], object]

    def value(self, name: str, at: int) -> int:
        """Reads the value that begins at `at`; where to go on."""
        quote = self.text[at : at + 1]
        if quote in _QUOTED:
            return self._quoted(name, at, quote)
        end = _end_of_line(self.text, at)
        plain = self.text[at:end].partition(" #")[0].rstrip()
        self.made.values[name] = self._expanded(plain)
        return end

    def _quoted(self, name: str, at: int, quote: str) -> int:
        body = _QUOTED[quote].match(self.text, at)
        if body is None:
            self.made.bad(self.text, at)
            return _end_of_line(self.text, at)
        value = body[1].replace(f"\\{quote}", quote)
        if quote == '"':
            value = self._expanded(_ESCAPE.sub(_unescaped, body[1]))
        self.made.values[name] = value
        return body.end()

    def _expanded(self, text: str) -> str:
        around = ChainMap(self.around, self.made.values)
        expansion = expand(text, around)
        for _, message in expansion.faults:
            self.made.is_missing(message)
        if "$" in text:
            self.count(expansion.text)
        return expansion.text


def _unescaped(match: re.Match[str]) -> str:
    letter = match[1]
    return chr(int(letter, 8) & 0xFF or 0xFFFD) if letter.startswith("0") else _LETTERS[letter]
