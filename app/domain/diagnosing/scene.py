"""What was seen of a node on its cluster, and what else has to be looked at to judge it.

A check asks the scene for what it needs. What nobody has looked at yet is remembered in `unseen`,
and the answer is then worthless: it is looked at, and asked again, until nothing is unseen. So a
check says in one place what it reads and what it thinks of it, and stays pure.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from app.domain.health import Health
from app.domain.health.seen import Object, part, word
from app.domain.planning.objects import ObjectKey

MOST = 500
"""Objects that one look brings at the most."""


@dataclass(frozen=True, slots=True)
class Look:
    """One thing to read from a cluster: an object by its name, or else a list by selectors.

    With `names_only` no value is wanted: metadata with its managedFields, which name the keys of a
    Secret and nothing more. `namespace` is None for kinds of the whole cluster.
    """

    api_version: str
    kind: str
    namespace: str | None
    name: str | None = None
    labels: str = ""
    fields: str = ""
    names_only: bool = False


@dataclass(frozen=True, slots=True)
class Sight:
    """What a look brought. `hidden` says why it brought nothing, when it could not be looked at.

    Items carry their kind and API version. `more` tells that there are more than were read.
    """

    objects: Sequence[Object] = ()
    hidden: str | None = None
    more: bool = False

    @property
    def one(self) -> Object | None:
        """The object that was looked for by its name; None when there is none."""
        return self.objects[0] if self.objects else None


@dataclass(frozen=True, slots=True)
class Subject:
    """An object of the node as the last deploy left it: `live` is None when it is not there.

    `hidden` says why it could not be looked at.
    """

    key: ObjectKey
    live: Object | None = None
    hidden: str | None = None

    @property
    def spec(self) -> Object:
        return part(self.live, "spec")

    @property
    def named(self) -> str:
        """As sentences call it; the namespace is the node's."""
        return f"{self.key.kind} {self.key.name}"

    @property
    def group_kind(self) -> tuple[str, str]:
        return self.key.group, self.key.kind


_UNSEEN = Sight(hidden="It has not been looked at yet.")


@dataclass(slots=True)
class Scene:
    """A node's objects at one moment, and everything that was looked at besides."""

    subjects: Sequence[Subject]
    now: datetime
    sights: Mapping[Look, Sight] = field(default_factory=dict)
    unseen: dict[Look, None] = field(default_factory=dict)
    verdicts: dict[int, Health] = field(default_factory=dict)
    """What was made of a subject already, by its place."""

    def look(self, look: Look) -> Sight:
        """What is known of it."""
        found = self.sights.get(look)
        if found is None:
            self.unseen[look] = None
            return _UNSEEN
        return found

    def objects(self, looks: Iterable[Look]) -> list[Object]:
        """What several looks brought, without what is hidden."""
        return [obj for look in looks for obj in self.look(look).objects]

    def events(self, obj: Object) -> Sequence[Object]:
        """The events about an object; none where they may not be read."""
        metadata = part(obj, "metadata")
        uid, namespace = word(metadata, "uid"), word(metadata, "namespace")
        if not uid or not namespace:
            return ()
        about = f"involvedObject.uid={uid}"
        return self.look(Look("v1", "Event", namespace, fields=about)).objects
