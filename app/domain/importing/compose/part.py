"""A compose file as a tree of parts that know where they come from and whether they were read.

No key can be forgotten: a reader asks for the parts it understands, and whatever nobody asked for
gets a note in the end. A part also keeps what it needs to be read: the variables and the folder of
its own file, which are not those of a file that includes it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from app.domain.importing.compose import units
from app.domain.importing.compose.interpolation import TooLong, expand
from app.domain.importing.compose.report import Report
from app.domain.importing.imported import ImportCode
from app.domain.importing.secrecy import clean, holds_secret, marks
from app.domain.text import is_fit

_SHOWN = 128
"""Characters of a key that are repeated in a path."""


@dataclass(slots=True)
class Scope:
    """What a file is read with: its variables, its folder, and where its notes go."""

    variables: dict[str, str]
    folder: str
    report: Report


@dataclass(slots=True, eq=False)
class Part:
    """A value of the file: parts by key, a list of parts, or a plain value."""

    value: Any
    path: tuple[str, ...]
    order: int
    scope: Scope
    owner: str | None = None
    is_read: bool = False
    is_done: bool = False

    @classmethod
    def plant(cls, value: Any, path: tuple[str, ...], scope: Scope) -> "Part":
        """The tree of a value as YAML gives it."""
        part = cls(None, path, scope.report.count_value(), scope)
        if isinstance(value, dict):
            part.value = {
                clean(key): cls.plant(item, (*path, _shown(key)), scope)
                for key, item in value.items()
            }
        elif isinstance(value, list):
            part.value = [cls.plant(item, (*path, str(i)), scope) for i, item in enumerate(value)]
        else:
            part.value = clean(value) if isinstance(value, str) else value
        return part

    def copy(self) -> "Part":
        """The same tree, unread."""
        self.scope.report.count_value()
        made = Part(self.value, self.path, self.order, self.scope)
        if isinstance(self.value, dict):
            made.value = {key: part.copy() for key, part in self.value.items()}
        elif isinstance(self.value, list):
            made.value = [part.copy() for part in self.value]
        return made

    def belongs_to(self, node_id: str) -> None:
        """Notes about this tree are about the node."""
        self.owner = node_id
        for part in self._children():
            part.belongs_to(node_id)

    def _children(self) -> Iterator["Part"]:
        if isinstance(self.value, dict):
            yield from self.value.values()
        elif isinstance(self.value, list):
            yield from self.value

    # ------------------------------------------------------------------------------------ telling

    def note(self, code: ImportCode, message: str) -> None:
        self.scope.report.add(self.order, code, self.path, message, self.owner)

    def ignored(self, message: str) -> None:
        """Not carried over, and nothing below needs a note of its own."""
        self.done()
        self.note(ImportCode.IGNORED, message)

    def note_ignored(self, message: str) -> None:
        """Something of it is not carried over; the rest is read as ever."""
        self.note(ImportCode.IGNORED, message)

    def changed(self, message: str) -> None:
        self.note(ImportCode.CHANGED, message)

    def unsupported(self, message: str) -> None:
        """Nothing at all is made of it."""
        self.done()
        self.note(ImportCode.UNSUPPORTED, message)

    def missing(self, message: str) -> None:
        self.note(ImportCode.MISSING, message)

    def done(self) -> None:
        """Read with all that is below."""
        self.is_read = self.is_done = True

    def unread(self, keys: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], "Part"]]:
        """The topmost parts that nobody asked for, with the keys that lead there.

        `x-` keys are nobody's business.
        """
        if self.is_done:
            return
        if not self.is_read:
            yield keys, self
        elif isinstance(self.value, dict):
            for key, part in self.value.items():
                if not key.startswith("x-"):
                    yield from part.unread((*keys, key))
        elif isinstance(self.value, list):
            for part in self.value:
                yield from part.unread(keys)

    # ------------------------------------------------------------------------------------ reading

    def get(self, key: str) -> "Part | None":
        """The part of a key; None when it is not there or null."""
        self.is_read = True
        part = self.value.get(key) if isinstance(self.value, dict) else None
        if part is None:
            return None
        part.is_read = True
        return part if part.value is not None else None

    def section(self, key: str) -> "Part | None":
        """The part of a key, when it is a mapping."""
        part = self.get(key)
        return part.mapping() if part is not None else None

    def mapping(self) -> "Part | None":
        """Itself, when it is one; null is an empty one."""
        self.is_read = True
        if isinstance(self.value, dict):
            return self
        if self.value is not None:
            self.ignored("Write a mapping here: it is left out.")
        return None

    def entries(self) -> list[tuple[str, "Part"]]:
        """The parts of a mapping with their keys, all read. `x-` keys are not among them."""
        if self.mapping() is None:
            return []
        found = [(key, part) for key, part in self.value.items() if not key.startswith("x-")]
        for _, part in found:
            part.is_read = True
        return found

    def items(self, *, single: bool = False) -> list["Part"]:
        """The parts of a list, all read. With `single`, a plain value is a list of one."""
        self.is_read = True
        if isinstance(self.value, list):
            for part in self.value:
                part.is_read = True
            return list(self.value)
        if single and not isinstance(self.value, dict) and self.value is not None:
            return [self]
        if self.value is not None:
            self.ignored("Write a list here: it is left out.")
        return []

    def pairs(self) -> list[tuple[str, str | None, "Part"]]:
        """Names and values of a mapping or of a list of `name=value`; None where there is none.

        Values may have marks. A later name replaces an earlier one.
        """
        self.is_read = True
        if not isinstance(self.value, list):
            return [
                (key, None if part.value is None else part.marked(), part)
                for key, part in self.all_entries()
                if part.value is None or part.is_plain()
            ]
        found: list[tuple[str, str | None, Part]] = []
        for part in self.items():
            if isinstance(part.value, dict):
                found.extend(part.pairs())
                continue
            text = part.marked()
            if text is None:
                continue
            name, has_value, value = text.partition("=")
            if marks(name):
                part.ignored("The name of a variable cannot be secret: it is left out.")
            else:
                found.append((name, value if has_value else None, part))
        return found

    def all_entries(self) -> list[tuple[str, "Part"]]:
        """Names are the author's own here: one may begin with `x-`."""
        if self.mapping() is None:
            return []
        for part in self.value.values():
            part.is_read = True
        return list(self.value.items())

    def names(self) -> list[tuple[str, "Part | None", "Part"]]:
        """Names with what is said about each: a list of names, or a mapping by name."""
        self.is_read = True
        if not isinstance(self.value, list):
            entries = self.entries()
            return [(key, None if p.value is None else p, p) for key, p in entries]
        found: list[tuple[str, Part | None, Part]] = []
        for part in self.items():
            if isinstance(part.value, dict):
                found.extend(part.names())
            elif (name := part.text()) is not None:
                found.append((name, None, part))
        return found

    def is_plain(self) -> bool:
        """Whether it is a text, a number or a truth; a note when it is not."""
        if isinstance(self.value, dict | list):
            self.ignored("Write one value here, not a list or a mapping: it is left out.")
            return False
        return self.value is not None

    def marked(self) -> str | None:
        """Its text with variables replaced and marks for those that are secret."""
        self.is_read = True
        if not self.is_plain():
            return None
        if isinstance(self.value, bool):
            return str(self.value).lower()
        if isinstance(self.value, int | float):
            return units.number(self.value)
        text = str(self.value)
        if not is_fit(text):
            self.ignored("It holds characters that cannot be stored: it is left out.")
            return None
        try:
            expansion = expand(text, self.scope.variables)
        except TooLong:
            self.ignored("Its variables make it longer than 1 MiB: it is left out.")
            return None
        for code, message in expansion.faults:
            self.note(code, message)
        return self.scope.report.count_text(expansion.text)

    def text(self) -> str | None:
        """Its text; None with a note when a secret would be in it."""
        text = self.marked()
        if text is not None and (hidden := marks(text)):
            self.done()
            says = f"The value of {hidden[0]} is secret and is not kept: it is left out here."
            self.note(ImportCode.SECRET_LEFT_OUT, says)
            return None
        if text is not None and holds_secret(text):
            self.done()
            says = "It says a secret itself, which is not kept: it is left out here."
            self.note(ImportCode.SECRET_LEFT_OUT, says)
            return None
        return text

    def flag(self) -> bool | None:
        text = self.text()
        if text is None:
            return None
        value = units.truth(text)
        if value is None:
            self.ignored("Write true or false: it is left out.")
        return value

    def count(self) -> int | None:
        """A whole number from 0 to 2147483647."""
        text = self.text()
        if text is None:
            return None
        if not text.isascii() or not text.isdigit() or len(text) > 10 or int(text) > 2**31 - 1:
            self.ignored("Write a whole number from 0 to 2147483647: it is left out.")
            return None
        return int(text)

    def seconds(self, *, least: int = 0) -> int | None:
        """A duration in whole seconds, rounded up with a note."""
        text = self.text()
        if text is None:
            return None
        duration = units.seconds(text)
        if duration is None:
            self.ignored("Write a duration such as 1m30s: it is left out.")
            return None
        whole = units.whole_seconds(duration, least=least)
        if whole != duration:
            self.changed(f"Kubernetes counts whole seconds: it is {whole}s.")
        return whole

    def size(self) -> str | None:
        """An amount of bytes, as a quantity."""
        text = self.text()
        if text is None:
            return None
        amount = units.size(text)
        if amount is None:
            self.ignored("Write an amount such as 512m or 1.5gb: it is left out.")
        return amount


def _shown(key: str) -> str:
    """A key as paths repeat it."""
    return key[:_SHOWN].encode("utf-8", "replace").decode().replace("\x00", "\ufffd")
