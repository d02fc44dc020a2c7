"""One type: what a value of it may be, and how two of them merge."""

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(slots=True, eq=False, repr=False)
class TypeSchema:
    """One type. A value may be what `scalar`, `items` and `mapping` allow: mostly one of the three.

    scalar    string, bytes, boolean, int32, int64, number, quantity, int-or-string, time, formatted
              (a string with a format), any; None: no scalar
    items     the type of a list's elements; None: no list
    listing   "atomic" (owned as a whole), "set" (of scalars), "map" (elements have `keys`)
    mapping   whether it may be a map: a struct (`fields`), a free map (`values`), or both
    values    the type of what `fields` does not name; None: unknown to server-side apply
    keeps     whether what `fields` does not name is stored; otherwise it is pruned
    atomic    a map that is owned and replaced as a whole
    defaults  of fields; for built-in kinds only of those that are merge keys
    patch     field -> (strategies, merge key or "") of strategic merge patches
    """

    scalar: str | None = None
    items: "TypeSchema | None" = None
    listing: str = "atomic"
    keys: tuple[str, ...] = ()
    mapping: bool = False
    fields: "dict[str, TypeSchema]" = field(default_factory=dict)
    values: "TypeSchema | None" = None
    keeps: bool = False
    atomic: bool = False
    required: tuple[str, ...] = ()
    defaults: Json = field(default_factory=dict)
    patch: dict[str, tuple[tuple[str, ...], str]] = field(default_factory=dict)

    def of(self, name: str) -> "TypeSchema | None":
        """The type of a map's field; None: server-side apply does not know the field."""
        return self.fields.get(name, self.values)


# What has no type is merged by what it is: maps field by field, lists as a whole.
ANY = TypeSchema(scalar="any", mapping=True, keeps=True)
RAW = TypeSchema(scalar="any", mapping=True, keeps=True, atomic=True)
ANY.items, ANY.values = RAW, ANY
RAW.items, RAW.values = RAW, RAW
