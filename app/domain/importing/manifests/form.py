"""A node's data in the making: what a source says, as far as the kind takes it.

What the kind refuses is left out, in parts that make sense alone: an entry of a list goes whole,
because half a mount or half a rule would say something else than the source does.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from app.domain.importing.imported import ImportCode
from app.domain.importing.manifests.objects import Path, at

Loc = tuple[str | int, ...]
_Model = TypeVar("_Model", bound=BaseModel)
_ROUNDS = 25

WHOLE = {"liveness_probe", "readiness_probe", "startup_probe"}
"""Fields that are kept as a whole or not at all."""


class Unfit(Exception):
    """The kind cannot take the object at all; `loc` is the field at fault."""

    def __init__(self, loc: Loc, message: str) -> None:
        super().__init__(message)
        self.loc = loc
        self.message = message


@dataclass(slots=True)
class Form:
    """Values by field, and where in the object they come from.

    Without a `vital` field the object would be more open than its source, or another one. Of a list
    that is vital, entries can go, but not all.
    """

    object: Mapping[str, Any]
    values: dict[str, Any] = field(default_factory=dict)
    origins: dict[Loc, Path] = field(default_factory=dict)
    reasons: dict[Path, str] = field(default_factory=dict)
    """What to say where the result differs, by the place in the object."""
    changed: dict[Path, str] = field(default_factory=dict)
    """What to say where the node says it in another way."""
    firm: list[tuple[ImportCode, Path, str]] = field(default_factory=list)
    """Notes that hold whatever the result is."""
    vital: Collection[str] = ()

    def take(self, name: str, *path: str) -> None:
        """The value at a place in the object, as it is."""
        self.put(name, at(self.object, *path), *path)

    def put(self, name: str, value: Any, *path: str) -> None:
        if value is not None:
            self.values[name] = value
            self.origins[(name,)] = path

    def add(self, name: str, value: Any, *path: str) -> None:
        """One more entry of a list."""
        entries = self.values.setdefault(name, [])
        self.origins[name, len(entries)] = path
        entries.append(value)

    def origin(self, loc: Loc) -> Path:
        """Where in the object a field comes from, as exactly as it is known."""
        known = next((loc[:end] for end in range(len(loc), 0, -1) if loc[:end] in self.origins), ())
        path = self.origins.get(known, ())
        for step in loc[len(known) :]:
            if at(self.object, *path, str(step)) is None:
                break
            path = (*path, str(step))
        return path

    def reason(self, path: Path) -> str | None:
        """Why a place is not as it was: what is known of it, of what it is in, or what is in it."""
        ways = (path[:end] for end in range(len(path), 0, -1))
        for way in ways:
            if way in self.reasons:
                return self.reasons[way]
        inside = (known for known in self.reasons if known[: len(path)] == path)
        return next((self.reasons[known] for known in inside), None)

    def read(self, model: type[_Model]) -> _Model:
        """The data. Raises Unfit."""
        made, dropped = fit(model, self.values, vital=self.vital)
        for loc, message in dropped:
            self.reasons.setdefault(self.origin(loc), message)
        return made


def fit(
    model: type[_Model], values: Mapping[str, Any], *, vital: Collection[str] = ()
) -> tuple[_Model, list[tuple[Loc, str]]]:
    """The model of what it accepts, and what was left out with the reasons. Raises Unfit."""
    dropped: list[tuple[Loc, str]] = []
    for _ in range(_ROUNDS):
        try:
            return model.model_validate(values), dropped
        except ValidationError as error:
            faults = error.errors(include_url=False, include_input=False, include_context=False)
        cuts: dict[Loc, str] = {}
        for fault in faults:
            loc = _cut(values, fault["loc"])
            if not loc or (loc[0] in vital and not isinstance((*loc, "")[1], int)):
                said = dict(dropped).get(fault["loc"], fault["msg"])
                raise Unfit(loc or fault["loc"], said)
            cuts.setdefault(loc, fault["msg"])
        dropped.extend(cuts.items())
        values = _without(values, cuts)
    raise Unfit((), "Too much of it is not allowed.")


def _cut(values: Any, loc: Loc) -> Loc:
    """The part that goes when something at `loc` is wrong: the deepest that makes sense alone."""
    found: list[str | int] = []
    for step in loc:
        if isinstance(values, list) and isinstance(step, int) and step < len(values):
            whole = isinstance(values[step], Mapping)
            return (*found, step) if whole else tuple(found)
        if not isinstance(values, Mapping) or step not in values:
            break
        values = values[step]
        found.append(step)
        if step in WHOLE:
            break
    return tuple(found)


_Tree = dict[str | int, "_Tree"]


def _without(values: Any, cuts: Collection[Loc]) -> Any:
    tree: _Tree = {}
    for loc in sorted(cuts, key=len, reverse=True):
        branch = tree
        for step in loc[:-1]:
            branch = branch.setdefault(step, {})
        branch[loc[-1]] = {}  # what is cut whole needs no cuts inside
    return _pruned(values, tree)


def _pruned(values: Any, tree: _Tree) -> Any:
    """The value without the leaves of the tree."""
    if isinstance(values, Mapping):
        return {
            key: _pruned(item, tree[key]) if key in tree else item
            for key, item in values.items()
            if tree.get(key) != {}
        }
    return [
        _pruned(item, tree[i]) if i in tree else item
        for i, item in enumerate(values)
        if tree.get(i) != {}
    ]
