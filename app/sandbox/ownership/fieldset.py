"""Sets of field paths, and the form in which managedFields carries them (FieldsV1).

Follows structured-merge-diff's `fieldpath`. An element of a path is a pair whose first member tells
what the second is, so that elements sort as Kubernetes sorts them:

    (FIELD, "spec")   (KEY, (("name", (1, "web")),))   (VALUE, (1, "x"))   (INDEX, 3)

A scalar inside is a pair too, (rank, value): in Python `1 == True`, in Kubernetes it is not.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

FIELD, KEY, VALUE, INDEX = range(4)
Scalar = tuple[int, Any]
Element = tuple[int, Any]
Path = tuple[Element, ...]

RANKS: dict[type, int] = {int: 0, float: 0, str: 1, bool: 2, type(None): 5}
LETTERS = "fkvi"
# Go's encoder escapes these, and keys of FieldsV1 hold what Go's encoder wrote.
ESCAPES = str.maketrans(
    {mark: f"\\u{ord(mark):04x}" for mark in ("<", ">", "&", "\u2028", "\u2029")}
)


def scalar(value: Any) -> Scalar:
    return RANKS[type(value)], value


def encode(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).translate(ESCAPES)


def to_key(element: Element) -> str:
    """`f:spec`, `k:{"name":"web"}`, `v:"x"`, `i:3`."""
    kind, what = element
    if kind == KEY:
        what = encode({name: value for name, (_, value) in what})
    elif kind == VALUE:
        what = encode(what[1])
    return f"{LETTERS[kind]}:{what}"


def from_key(text: str) -> Element:
    """ValueError if it is none."""
    kind = LETTERS.index(text[:1] or "?")
    if text[1:2] != ":":
        raise ValueError(f"missing colon: {text}")
    if kind == FIELD:
        return FIELD, text[2:]
    read = json.loads(text[2:])
    try:
        if kind == KEY:
            return KEY, tuple((name, scalar(value)) for name, value in sorted(read.items()))
        return (VALUE, scalar(read)) if kind == VALUE else (INDEX, int(read))
    except (AttributeError, KeyError, TypeError) as wrong:
        raise ValueError(f"not a path element: {text}") from wrong


def to_text(path: Path) -> str:
    """As errors name a field: `.spec.containers[name="web"].args[=1]`."""
    return "".join(map(element_to_text, path))


def element_to_text(element: Element) -> str:
    kind, what = element
    if kind == FIELD:
        return f".{what}"
    if kind == KEY:
        return "[" + ",".join(f"{name}={quoted(value)}" for name, (_, value) in what) + "]"
    return f"[={quoted(what[1])}]" if kind == VALUE else f"[{what}]"


def quoted(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


@dataclass(slots=True)
class FieldSet:
    """Paths, as a tree: `members` end here, `children` go on. No child is empty."""

    members: set[Element] = field(default_factory=set)
    children: "dict[Element, FieldSet]" = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.members or self.children)

    def __iter__(self) -> Iterator[Path]:
        for element in sorted(self.members):
            yield (element,)
        for element in sorted(self.children):
            for path in self.children[element]:
                yield (element, *path)

    def add(self, path: Path) -> None:
        if path:
            node = self
            for element in path[:-1]:
                node = node.children.setdefault(element, FieldSet())
            node.members.add(path[-1])

    def has(self, element: Element) -> bool:
        return element in self.members

    def below(self, element: Element) -> "FieldSet":
        return self.children.get(element) or FieldSet()

    def __or__(self, other: "FieldSet") -> "FieldSet":
        children = {
            element: self.below(element) | other.below(element)
            for element in {*self.children, *other.children}
        }
        return FieldSet(self.members | other.members, children)

    def __and__(self, other: "FieldSet") -> "FieldSet":
        both = {
            element: child & other.children[element]
            for element, child in self.children.items()
            if element in other.children
        }
        return FieldSet(self.members & other.members, filled(both))

    def __sub__(self, other: "FieldSet") -> "FieldSet":
        """Without the paths of the other; what is below them stays."""
        rest = {element: child - other.below(element) for element, child in self.children.items()}
        return FieldSet(self.members - other.members, filled(rest))

    def without(self, other: "FieldSet") -> "FieldSet":
        """Without the paths of the other, and without all that is below them."""
        rest = {
            element: child.without(other.below(element))
            for element, child in self.children.items()
            if element not in other.members
        }
        return FieldSet(self.members - other.members, filled(rest))

    def to_fields_v1(self) -> dict[str, Any]:
        written: dict[str, Any] = {}
        for element in sorted({*self.members, *self.children}):
            here: dict[str, Any] = (
                {".": {}} if element in self.members and element in self.children else {}
            )
            written[to_key(element)] = here | self.below(element).to_fields_v1()
        return written

    @classmethod
    def from_fields_v1(cls, written: dict[str, Any]) -> "FieldSet":
        """Unknown kinds of elements are left out, as Kubernetes does. ValueError if malformed."""
        read = cls()
        for key, below in written.items():
            if key == "." or key[:1] not in LETTERS:
                continue
            element = from_key(key)
            child = cls.from_fields_v1(below)
            if child:
                read.children[element] = child
            if not child or "." in below:
                read.members.add(element)
        return read


def filled(children: dict[Element, FieldSet]) -> dict[Element, FieldSet]:
    return {element: child for element, child in children.items() if child}


def fields(*names: str) -> Path:
    """The path of nested fields: fields("metadata", "name")."""
    return tuple((FIELD, name) for name in names)
