"""A page of a list, found by the place where the last one ended and never by counting rows.

A list has one order: a field, and the id where the field says nothing. A cursor is the key of a
row in that order, as opaque text; `app.documents.keyset` writes and reads it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from app.domain.errors import Invalid

MAX_FIRST = 100
"""Most rows in one page."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyset:
    """Which page of a list, in which order.

    `field` is the stored name of what the rows are ordered by. A field that is `unique` among the
    rows needs no id behind it (nor does the id itself). Raises Invalid for a bad `first`.
    """

    field: str = "_id"
    descending: bool = False
    unique: bool = False
    first: int = 20
    after: str | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.first <= MAX_FIRST:
            raise Invalid.field(["first"], f"Ask for 1 to {MAX_FIRST} rows at once.")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Rows in order, with a cursor for each."""

    rows: Sequence[T]
    cursors: Sequence[str]
    has_next: bool
    has_previous: bool
