"""How the nodes of a workflow are, from what is deployed and what is on the cluster: pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from app.domain import labels
from app.domain.health import RULES, Health, HealthState, Object, combined, generic, health
from app.domain.health.seen import part, word
from app.domain.manifest import Identity
from app.domain.node import NodeStatus
from app.domain.planning import InventoryEntry, ObjectKey, PlanAction
from app.domain.run import WorkflowRun


@dataclass(frozen=True, slots=True)
class Judged:
    """The status of each deployed node, by its id; None where the cluster does not tell now.

    After `recheck_after` seconds time alone may have changed it; None when it can't.
    """

    nodes: Mapping[str, NodeStatus | None] = field(default_factory=dict)
    recheck_after: float | None = None


@dataclass(frozen=True, slots=True)
class Moving:
    """A run is changing what is deployed. `removed` are the nodes of which it leaves nothing."""

    removed: frozenset[str] = frozenset()

    @classmethod
    def by(cls, run: WorkflowRun) -> "Moving":
        return cls(
            frozenset(
                node.node_id
                for node in run.nodes
                if node.objects and all(one.action is PlanAction.DELETE for one in node.objects)
            )
        )


_APPLYING = Health(HealthState.PENDING, "Applying", "It is about to be applied.")
_REMOVING = Health(HealthState.TERMINATING, "Removing", "It is being removed.")


def judged(
    entries: Iterable[InventoryEntry],
    objects: Iterable[Object],
    *,
    is_known: Callable[[ObjectKey], bool],
    now: datetime,
    moving: Moving | None = None,
) -> Judged:
    """What becomes of a workflow's nodes.

    `entries` are what is deployed, `objects` what is on the cluster of the workflow, with
    apiVersion and kind. `is_known` says of which entries that tells whether they are there. While a
    run is `moving` what is deployed, what is not there is not missing; and of a node that it
    removes, what is left says nothing.
    """
    live: dict[Identity, Object] = {}
    related: dict[str, list[Object]] = {}
    for one in objects:
        live[ObjectKey.of(one).identity] = one
        node = word(part(one, "metadata", "labels"), labels.NODE_ID)
        related.setdefault(node, []).append(one)
    deployed: dict[str, list[ObjectKey]] = {}
    for entry in entries:
        if entry.node_id is not None:
            key = replace(entry.key, namespace=None) if entry.of_cluster else entry.key
            deployed.setdefault(entry.node_id, []).append(key)
    nodes: dict[str, NodeStatus | None] = {}
    times: list[float] = []
    for node_id, keys in deployed.items():
        if moving is not None and node_id in moving.removed:
            nodes[node_id] = status_of(node_id, _REMOVING, now=now)
            continue
        told = [key for key in keys if is_known(key)]
        if any(not _works_at_once(key) for key in keys if not is_known(key)) or not told:
            nodes[node_id] = None
            continue
        own = related.get(labels.of_id(node_id), [])
        verdict = combined([_health(key, live.get(key.identity), own, now, moving) for key in told])
        nodes[node_id] = status_of(node_id, verdict, now=now)
        if verdict.recheck_after is not None:
            times.append(verdict.recheck_after)
    return Judged(nodes, min(times, default=None))


def status_of(node_id: str, verdict: Health, *, now: datetime) -> NodeStatus:
    """The health of a node as it is shown."""
    return NodeStatus(
        node_id=node_id,
        state=verdict.state,
        reason=verdict.reason or None,
        message=verdict.message or None,
        ready_replicas=verdict.ready,
        desired_replicas=verdict.desired,
        updated_at=now,
    )


def says_the_same(one: NodeStatus | None, other: NodeStatus) -> bool:
    """Whether nothing differs but since when it is known."""
    return one is not None and one.having(updated_at=None) == other.having(updated_at=None)


def _health(
    key: ObjectKey,
    one: Object | None,
    node: Sequence[Object],
    now: datetime,
    moving: Moving | None,
) -> Health:
    if one is None and moving is not None:
        return _APPLYING
    inside = [each for each in node if each is not one and _is_near(each, key)]
    return health(one, now=now, related=inside)


def _is_near(one: Object, key: ObjectKey) -> bool:
    """Whether an object of the node can belong to this one."""
    return key.namespace is None or word(part(one, "metadata"), "namespace") == key.namespace


def _works_at_once(key: ObjectKey) -> bool:
    """Whether it is well as soon as it is there: then it tells nothing of its node."""
    return RULES.get((key.group, key.kind)) is generic.there
