"""What the file of a kind declares about reading its objects."""

from collections.abc import Callable
from typing import NamedTuple

from app.domain.importing.manifests.form import Form
from app.domain.importing.manifests.objects import Source
from app.domain.importing.manifests.scene import Arrow, Reading, Scene


def _no_edges(_reading: Reading, _scene: Scene) -> list[Arrow]:
    return []


class Reader(NamedTuple):
    """`read` fills in the node's fields; `link` then finds its edges among all nodes.

    `objects` are the groups and kinds that it reads. `link` may change the node's data, and raises
    Unfit when the node would be something else than its source.
    """

    objects: frozenset[tuple[str, str]]
    read: Callable[[Form, Source, Scene], None]
    link: Callable[[Reading, Scene], list[Arrow]] = _no_edges
