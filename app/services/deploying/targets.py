"""The objects of a run: what is to be done to each, and what has become of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from app.documents.inventories import digest_of
from app.domain.manifest import Manifest
from app.domain.planning import ObjectKey, Plan, PlanAction, PlannedObject
from app.domain.planning.binding import digest_of_manifest
from app.domain.planning.objects import Object
from app.domain.planning.waves import applying, removing


class Outdated(Exception):
    """The plan is not what the program makes of the version today; says of which object."""


@dataclass(slots=True, eq=False)
class Target:
    """One object. `mark` stands for it in the work and the inventory.

    `uid` is that of the object as the run wants it, as soon as it is known; `answer` is what the
    cluster answered last to us.
    """

    planned: PlannedObject
    manifest: Manifest | None
    mark: str
    is_done: bool = False
    uid: str | None = None
    answer: Object | None = None

    @property
    def key(self) -> ObjectKey:
        return self.planned.key

    @property
    def node_id(self) -> str | None:
        return self.planned.node_id

    @property
    def is_removed(self) -> bool:
        """Whether it is to be gone in the end."""
        return self.planned.action is PlanAction.DELETE

    @property
    def is_written(self) -> bool:
        return self.planned.action is not PlanAction.UNCHANGED

    def __str__(self) -> str:
        return str(self.key)


class Targets:
    """All objects of a run, in the order of the plan."""

    def __init__(self, plan: Plan, manifests: Iterable[Manifest], done: Mapping[str, str]) -> None:
        """`done` are the marks of what was dealt with before. Raises Outdated."""
        made = {manifest.identity: manifest for manifest in manifests}
        self.all: list[Target] = []
        for planned in plan.objects:
            manifest = None
            if planned.action is not PlanAction.DELETE:
                manifest = made.pop(planned.key.identity, None)
                if manifest is None or digest_of_manifest(manifest) != planned.digest:
                    raise Outdated(str(planned.key))
            mark = digest_of(planned.key)
            is_unchanged = planned.action is PlanAction.UNCHANGED
            uid = planned.uid if is_unchanged else done.get(mark) or None
            self.all.append(Target(planned, manifest, mark, is_unchanged or mark in done, uid))
        if made:
            raise Outdated(str(ObjectKey.of_manifest(next(iter(made.values())))))
        self.of_node: dict[str, list[Target]] = {}
        for target in self.all:
            if target.node_id is not None:
                self.of_node.setdefault(target.node_id, []).append(target)
        self._by_key = {target.key: target for target in self.all}

    def __getitem__(self, key: ObjectKey) -> Target:
        return self._by_key[key]

    @property
    def is_applied(self) -> bool:
        """Whether nothing is left to do."""
        return all(target.is_done for target in self.all)

    @property
    def namespaces(self) -> frozenset[str | None]:
        """Where the objects are; None for those of the whole cluster."""
        return frozenset(target.key.namespace for target in self.all)

    def applied(self) -> list[list[Target]]:
        """What is to be there in the end, by waves."""
        return self._waves(applying(t.key for t in self.all if not t.is_removed))

    def removed(self) -> list[list[Target]]:
        """What is to be gone in the end, by waves."""
        return self._waves(removing(t.key for t in self.all if t.is_removed))

    def _waves(self, waves: Sequence[Sequence[ObjectKey]]) -> list[list[Target]]:
        return [[self._by_key[key] for key in wave] for wave in waves]
