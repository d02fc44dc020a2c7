"""The objects of a run as they are now: by the watches that everybody shares, where there are any.

What an apply answered counts until a watch shows the same object at least as new. What may not be
watched is read now and then; and where even that is forbidden, nobody can say how it is.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from app.domain import labels
from app.domain.errors import ClusterError, ClusterFault
from app.domain.health import RULES, Health, HealthState, generic, health
from app.domain.health.seen import number, part, word
from app.domain.manifest import Identity
from app.domain.planning import ObjectKey
from app.domain.planning.objects import Object, uid_of, version_of
from app.kube.informers import PODS_AND_CO, Followed, Kind
from app.services.deploying.hearing import Warnings
from app.services.deploying.targets import Target, Targets

_LASTING = frozenset(
    {
        ClusterFault.FORBIDDEN,
        ClusterFault.UNAUTHORIZED,
        ClusterFault.SIGN_IN_AGAIN,
        ClusterFault.NOT_FOUND,
        ClusterFault.INVALID,
    }
)
"""Faults of a watch after which it is no use to wait for it."""

_STILL = Health(HealthState.HEALTHY, "Created", "It is on the cluster.")
_UNKNOWN = Health(
    HealthState.HEALTHY,
    "NotObservable",
    "It was applied. The cluster's credentials may not look at it, so nobody can say how it is.",
)


def kind_of(key: ObjectKey) -> Kind:
    return Kind(key.api_version, key.kind)


def is_still(key: ObjectKey) -> bool:
    """Whether objects of the kind work as soon as they are stored: then nobody has to look."""
    return RULES.get((key.group, key.kind)) is generic.there


def followed_kinds(targets: Targets) -> list[Kind]:
    """What has to be watched for a run: what is applied, and what explains it."""
    kinds = [kind_of(t.key) for t in targets.all if not t.is_removed and not is_still(t.key)]
    return list(dict.fromkeys([*kinds, *PODS_AND_CO])) if kinds else []


class Sight:
    """What is seen at one moment; `look` renews it."""

    def __init__(self, followed: Followed, workflow_id: str, warnings: Warnings) -> None:
        self._followed = followed
        self._warnings = warnings
        self._workflow = labels.of_id(workflow_id)
        self._troubles: Mapping[Kind, ClusterError] = {}
        self._live: dict[Identity, Object] = {}
        self._of_node: dict[str, list[Object]] = {}
        self._shown: set[str] = set()
        """The uids that a watch has shown."""
        self._blind: set[str] = set()
        """The marks of what may not even be read."""

    def look(self) -> None:
        """How everything is now."""
        self._troubles = self._followed.troubles()
        self._live.clear()
        self._of_node.clear()
        for one in self._followed.objects(self._workflow):
            key = ObjectKey.of(one)
            self._live[key.identity] = one
            node = word(part(one, "metadata", "labels"), labels.NODE_ID)
            self._of_node.setdefault(node, []).append(one)

    def troubles(self) -> Mapping[Kind, ClusterError]:
        """The kinds that cannot be watched, and not only at the moment."""
        return {kind: e for kind, e in self._troubles.items() if e.fault in _LASTING}

    def is_blind(self, target: Target) -> None:
        """It may not be read."""
        self._blind.add(target.mark)

    def signature(self, node_id: str, targets: Iterable[Target]) -> object:
        """Something that is different when anything of the node has changed."""
        seen = [(uid_of(one), version_of(one)) for one in self._related(node_id)]
        known = [(t.mark, version_of(t.answer), t.mark in self._blind) for t in targets]
        told = [kind_of(t.key) in self._troubles for t in targets]
        warned = [version_of(event) for event in self._events(node_id)]
        return (seen, known, told, warned)

    def health(self, target: Target, *, now: datetime) -> Health | None:
        """How an object is that was applied; None when nothing is known of it yet."""
        if is_still(target.key):
            return _STILL
        if target.mark in self._blind:
            return _UNKNOWN
        live = self._seen(target)
        kind = kind_of(target.key)
        if live is None and target.answer is None and kind in self._troubles:
            return None
        if live is None and target.answer is not None and not self._was_shown(target):
            live = target.answer
        node_id = target.node_id or ""
        related, events = self._related(node_id), self._events(node_id)
        return health(live, now=now, related=related, events=events)

    def unseen(self, targets: Iterable[Target]) -> Sequence[Target]:
        """What no watch shows, nor will: it has to be read."""
        lasting = self.troubles()
        return [
            target
            for target in targets
            if not is_still(target.key)
            and target.mark not in self._blind
            and (kind_of(target.key) in lasting or self._seen(target) is None)
        ]

    def _related(self, node_id: str) -> Sequence[Object]:
        return self._of_node.get(labels.of_id(node_id), ()) if node_id else ()

    def _events(self, node_id: str) -> Sequence[Object]:
        return self._warnings.of(uid_of(one) or "" for one in self._related(node_id))

    def _seen(self, target: Target) -> Object | None:
        """What the watch shows of it, if that is no older than what the apply answered."""
        live = self._live.get(target.key.identity)
        if live is None or kind_of(target.key) in self.troubles():
            return None
        if target.uid is not None and uid_of(live) != target.uid:
            return None
        if target.answer is not None and _generation(live) < _generation(target.answer):
            return None
        self._shown.add(uid_of(live) or "")
        return live

    def _was_shown(self, target: Target) -> bool:
        """Whether a watch that goes on has shown it: then its lack means that it is gone."""
        return target.uid in self._shown and kind_of(target.key) not in self._troubles


def _generation(obj: Object) -> int:
    return number(part(obj, "metadata"), "generation")
