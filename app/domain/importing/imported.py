"""What a reader hands back: a canvas that can be saved, and what it could not carry over."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.canvas import Canvas


class ImportCode(enum.StrEnum):
    """What happened to a part of the source."""

    IGNORED = "ignored"
    """It is not carried over."""
    CHANGED = "changed"
    """It is carried over, but not as it was."""
    SECRET_LEFT_OUT = "secret_left_out"  # noqa: S105  # the name of a code, no secret
    """A value that is secret: its key is kept, the value is given when the workflow deploys."""
    UNSUPPORTED = "unsupported"
    """A whole object or service that no kind of node stands for."""
    MISSING = "missing"
    """It refers to something that the source does not have: a file, a variable, an object."""


@dataclass(frozen=True, slots=True)
class ImportNote:
    """One part of the source that the canvas does not carry as it was.

    `path` leads from the top of the source to the part, list indexes as text; `message` says what
    happened and what to do. `node_id` is the node that would have carried it, when there is one.
    """

    code: ImportCode
    path: tuple[str, ...]
    message: str
    node_id: str | None = None


@dataclass(frozen=True, slots=True)
class Imported:
    """A canvas as `app.domain.editing.draw` would have made it, and the notes in source order.

    `name` and `namespace` are what the source itself calls the application, when it does.
    """

    canvas: Canvas
    notes: Sequence[ImportNote] = ()
    name: str | None = None
    namespace: str | None = None
