"""YAML of strangers, read within bounds and as plain data.

Values mean what Kubernetes and compose take them for, which is not what every reader of YAML does:
`22:22` is no number, `2026-01-01` no date, and a key that is there twice is a mistake. The bounds
are on what comes out, because a few lines of aliases can stand for millions of values.
"""

import enum
import json
import re
from math import isfinite
from typing import Any

import yaml
from yaml.events import CollectionEndEvent, CollectionStartEvent
from yaml.nodes import CollectionNode, MappingNode, Node, ScalarNode

from app.domain.errors import Invalid

try:
    from yaml import CSafeLoader as _SafeLoader
except ImportError:  # a build of PyYAML without libyaml
    from yaml import SafeLoader as _SafeLoader  # type: ignore[assignment]

MOST_VALUES = 200_000
"""Keys, items and scalars of one source, each alias counted as what it stands for."""
DEEPEST = 64
"""Levels of lists and mappings."""
_MOST_DIGITS = 64
"""Of a number: what is longer is none that anybody means."""

_TAG = "tag:yaml.org,2002:"
_NO_YAML = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_PLAIN = {_TAG + name for name in ("str", "int", "float", "bool", "null", "map", "seq", "merge")}


class Dialect(enum.Enum):
    """Which words are truths: `true` alone, or `yes` and `on` too, as Kubernetes reads them."""

    COMPOSE = "compose"
    KUBERNETES = "kubernetes"


def documents(text: str, dialect: Dialect, *, path: tuple[str, ...] = ("content",)) -> list[Any]:
    """The documents of a YAML or JSON text: mappings, lists, text, numbers, truths and None.

    Raises Invalid, whose path is `path` and whose message names the line.
    """
    text = _escaped(text)
    try:
        _check_depth(text)
        nodes = [node for node in yaml.compose_all(text, Loader=_LOADERS[dialect]) if node]
        _check(nodes)
        return [_construct(node, dialect) for node in nodes]
    except _Bad as error:
        raise Invalid.field(path, str(error)) from None
    except yaml.MarkedYAMLError as error:
        what = error.problem or error.context or "it cannot be read"
        line = _line(error.problem_mark or error.context_mark)
        raise Invalid.field(path, f"This is not valid YAML{line}: {what}.") from error
    except yaml.YAMLError as error:
        raise Invalid.field(path, "This is not valid YAML: send UTF-8 text.") from error
    except (ValueError, KeyError) as error:
        raise Invalid.field(path, "A value does not fit its tag, or is out of range.") from error


def _escaped(text: str) -> str:
    """JSON with those characters escaped that YAML has no place for, or takes for a line break."""
    if not text.lstrip().startswith(("{", "[")) or _NO_YAML.search(text) is None:
        return text
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return text
    return _NO_YAML.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


class _Bad(Exception):
    """A sentence about a text that is YAML, but not for us."""


def _check_depth(text: str) -> None:
    """Refuse deep nesting before anything that calls itself for each level reads it."""
    depth = 0
    for event in yaml.parse(text, Loader=_SafeLoader):
        if isinstance(event, CollectionStartEvent):
            depth += 1
            if depth > DEEPEST:
                line = _line(event.start_mark)
                raise _Bad(f"It is nested more than {DEEPEST} levels deep{line}.")
        elif isinstance(event, CollectionEndEvent):
            depth -= 1


def _check(nodes: list[Node]) -> None:
    sizes: dict[int, int] = {}
    if sum(_size(node, sizes) for node in nodes) > MOST_VALUES:
        raise _Bad(f"It holds more than {MOST_VALUES} values, aliases counted.")


def _size(node: Node, sizes: dict[int, int], depth: int = 0) -> int:
    """How many values a node stands for; its tag and its keys are looked at on the way."""
    if depth > DEEPEST:
        raise _Bad(f"Its aliases are nested more than {DEEPEST} levels deep.")
    if id(node) not in sizes:
        if node.tag not in _PLAIN:
            where = _line(node.start_mark)
            raise _Bad(f"A tag{where} is not supported: quote a value that begins with '!'.")
        if isinstance(node, MappingNode):
            _read_keys(node)
            children = [part for pair in node.value for part in pair]
        else:
            children = node.value if isinstance(node, CollectionNode) else []
        sizes[id(node)] = 1 + sum(_size(child, sizes, depth + 1) for child in children)
    return sizes[id(node)]


def _read_keys(node: MappingNode) -> None:
    """Every key is text, as in JSON, and there once."""
    seen: set[str] = set()
    for key, _ in node.value:
        if not isinstance(key, ScalarNode):
            raise _Bad(f"A key{_line(key.start_mark)} is no text.")
        if key.tag == _TAG + "merge":
            continue
        if key.value in seen:
            raise _Bad(f"A key is there twice{_line(key.start_mark)}.")
        seen.add(key.value)
        key.tag = _TAG + "str"


def _construct(node: Node, dialect: Dialect) -> Any:
    loader = _LOADERS[dialect]("")
    try:
        return loader.construct_document(node)
    finally:
        loader.dispose()


def _line(mark: Any) -> str:
    return f" (line {mark.line + 1})" if mark is not None else ""


class _ComposeLoader(_SafeLoader):
    """Knows the words of `_resolve`, and no others."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  # the library's own form


class _KubernetesLoader(_SafeLoader):
    """The same, and more truths."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012


def _resolve(loader: type[_SafeLoader], truths: str) -> None:
    """Which plain words are more than text."""
    rules = (
        ("bool", truths, "tTfFyYnNoO"),
        ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
        ("int", r"[-+]?(?:0b[01_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+|[1-9][0-9_]*|0)", "-+0123456789"),
        (
            "float",
            r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?",
            "-+.0123456789",
        ),
        ("merge", "<<", "<"),
    )
    for tag, pattern, first in rules:
        loader.add_implicit_resolver(_TAG + tag, re.compile(f"(?:{pattern})$"), list(first))


def _number(loader: _SafeLoader, node: ScalarNode) -> float:
    number = float(str(loader.construct_scalar(node)))
    if not isfinite(number):
        raise ValueError("a number out of range")
    return number


def _integer(loader: _SafeLoader, node: ScalarNode) -> int:
    """Go's way: `0x`, `0b`, `0o` and a leading zero choose the base."""
    text = str(loader.construct_scalar(node)).replace("_", "")
    if len(text) > _MOST_DIGITS:
        raise ValueError("a number of too many digits")
    sign, digits = (-1, text[1:]) if text.startswith("-") else (1, text.removeprefix("+"))
    if digits.startswith("0") and digits[1:2].isdigit():
        return sign * int(digits, 8)
    return sign * int(digits, 0)


_TRUTHS = "true|True|TRUE|false|False|FALSE"
_MORE_TRUTHS = "[yY]|yes|Yes|YES|[nN]|no|No|NO|on|On|ON|off|Off|OFF"
_resolve(_ComposeLoader, _TRUTHS)
_resolve(_KubernetesLoader, f"{_TRUTHS}|{_MORE_TRUTHS}")
_KubernetesLoader.bool_values = {**_SafeLoader.bool_values, "y": True, "n": False}
for _loader in (_ComposeLoader, _KubernetesLoader):
    _loader.add_constructor(_TAG + "int", _integer)
    _loader.add_constructor(_TAG + "float", _number)
_LOADERS = {Dialect.COMPOSE: _ComposeLoader, Dialect.KUBERNETES: _KubernetesLoader}
