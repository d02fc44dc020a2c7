"""Who says how many pods a workload has, when an autoscaler comes or goes.

A manifest under an autoscaler does not mention `spec.replicas`. Dropping a field that we owned lets
the server put its default, one pod, until the autoscaler acts: so the live number is first written
under a manager of its own, whose ownership ends by itself when the autoscaler changes the number.
When the autoscaler goes, the number is its property, or that manager's; a manifest that says it
again would be refused as a conflict. So it is taken back first, that field alone.
"""

import enum
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.domain.errors import StatusCause
from app.domain.health.seen import part
from app.domain.planning.objects import Object, ObjectKey

REPLICAS_MANAGER = "kubeorch-replicas"
"""The field manager that holds the number while it changes hands."""

PATH = "spec.replicas"
_SCALED = frozenset({("apps", "Deployment"), ("apps", "ReplicaSet"), ("apps", "StatefulSet")})
_AUTOSCALER = re.compile(r'"(?:kube-controller-manager|horizontal-pod-autoscaler)"')


class ReplicasMove(enum.StrEnum):
    """Which way the number goes."""

    HAND_OVER = "hand_over"
    """To an autoscaler: before the manifest is applied, once, and never again with that manager."""
    TAKE_BACK = "take_back"
    """From an autoscaler: before the manifest is applied, by force; after it `release` is applied,
    so that the manager holds nothing any more."""


@dataclass(frozen=True, slots=True)
class ReplicasStep:
    """One server-side apply of `spec.replicas` alone, under REPLICAS_MANAGER.

    `after` is the autoscaler that has to be deleted before, though other deletions come last: as
    long as it lives it sets the number again.
    """

    move: ReplicasMove
    key: ObjectKey
    replicas: int
    after: ObjectKey | None = None

    @property
    def force(self) -> bool:
        return self.move is ReplicasMove.TAKE_BACK

    @property
    def body(self) -> dict[str, Any]:
        """What is applied before the manifest."""
        return {**self._frame(), "spec": {"replicas": self.replicas}}

    @property
    def release(self) -> dict[str, Any] | None:
        """What is applied after the manifest under the same manager, if anything."""
        return self._frame() if self.move is ReplicasMove.TAKE_BACK else None

    def _frame(self) -> dict[str, Any]:
        return {
            "apiVersion": self.key.api_version,
            "kind": self.key.kind,
            "metadata": {"name": self.key.name, "namespace": self.key.namespace},
        }


def hand_over(
    key: ObjectKey, manifest: Object, live: Object, answer: Object
) -> ReplicasStep | None:
    """The step before a manifest that leaves the number to others, if it would change it."""
    if (key.group, key.kind) not in _SCALED or _number(manifest) is not None:
        return None
    now, then = _number(live), _number(answer)
    if now is None or now == then:
        return None
    return ReplicasStep(ReplicasMove.HAND_OVER, key, now)


def take_back(
    key: ObjectKey,
    manifest: Object,
    causes: Sequence[StatusCause],
    *,
    autoscaler: ObjectKey | None,
) -> ReplicasStep | None:
    """The step that solves a conflict about the number and nothing else.

    `autoscaler` is that of the workload, if this deploy deletes it. Without one the number is taken
    back only from our own manager of it: a live autoscaler keeps it.
    """
    number = _number(manifest)
    if (key.group, key.kind) not in _SCALED or number is None or not causes:
        return None
    for cause in causes:
        if cause.field != PATH:
            return None
        ours = f'"{REPLICAS_MANAGER}"' in cause.message
        if not ours and not (autoscaler and _AUTOSCALER.search(cause.message)):
            return None
    return ReplicasStep(ReplicasMove.TAKE_BACK, key, number, autoscaler)


def scales(autoscaler: Object) -> tuple[str, str, str]:
    """Kind, namespace and name of what a live HorizontalPodAutoscaler scales."""
    target = part(autoscaler, "spec", "scaleTargetRef")
    namespace = part(autoscaler, "metadata").get("namespace")
    return str(target.get("kind")), str(namespace), str(target.get("name"))


def _number(obj: Object) -> int | None:
    found = part(obj, "spec").get("replicas")
    return found if type(found) is int else None
