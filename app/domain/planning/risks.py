"""What follows from a change for those who use the application: pods that stop, data that goes.

Told from the live object, because it is that which stops. Rolling updates of a Deployment are no
risk: new pods are ready before old ones go.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from app.domain.health.seen import number, part, plain, word
from app.domain.planning.changes import Changes
from app.domain.planning.findings import Risk, RiskCode
from app.domain.planning.objects import Object, ObjectKey
from app.domain.planning.secretkeys import SecretKeys

_TEMPLATE = "spec.template"
_REPLICAS = "spec.replicas"

_Rule = Callable[[ObjectKey, Object, Changes], Iterator[Risk]]


def of_update(key: ObjectKey, live: Object, changes: Changes) -> tuple[Risk, ...]:
    """The risks of changing a live object."""
    rule = _UPDATES.get((key.group, key.kind))
    found = list(rule(key, live, changes)) if rule is not None else []
    if changes.more:
        message = f"{changes.more} more changes of {key} are not shown."
        found.append(Risk(RiskCode.CHANGES_NOT_SHOWN, message))
    return tuple(found)


def of_deletion(key: ObjectKey, live: Object) -> tuple[Risk, ...]:
    """The risks of deleting a live object for good."""
    if key.kind == "PersistentVolumeClaim":
        return (Risk(RiskCode.DATA_LOSS, f"{key} is deleted, and with it the data on its volume."),)
    policy = part(live, "spec", "persistentVolumeClaimRetentionPolicy")
    if key.kind == "StatefulSet" and word(policy, "whenDeleted") == "Delete":
        message = f"The cluster deletes the claims of {key} with it, and with them their data."
        return (Risk(RiskCode.DATA_LOSS, message),)
    return ()


def of_warnings(warnings: Sequence[str]) -> tuple[Risk, ...]:
    """The risks that the cluster warns of, in its `Warning` headers."""
    found = []
    for text in warnings:
        deprecated = " is deprecated" in text or " unavailable in v" in text
        code = RiskCode.DEPRECATED_API if deprecated else RiskCode.CLUSTER_WARNING
        found.append(Risk(code, f"The cluster warns: {plain(text)}."))
    return tuple(found)


def of_keys(keys: SecretKeys) -> tuple[Risk, ...]:
    """The risks of taking values out of a Secret."""
    if not keys.stale:
        return ()
    names = ", ".join(keys.stale)
    message = f"The values of {names} are deleted from {keys.key}: they are not on the canvas."
    return (Risk(RiskCode.DATA_LOSS, message),)


def _deployment(key: ObjectKey, live: Object, changes: Changes) -> Iterator[Risk]:
    yield from _stopped(key, live, changes)
    recreates = word(part(live, "spec", "strategy"), "type") == "Recreate"
    if recreates and changes.below(_TEMPLATE) and number(part(live, "spec"), "replicas", 1):
        yield Risk(
            RiskCode.DISRUPTION,
            f"All pods of {key} stop before new ones start: its strategy is Recreate.",
        )


def _stateful_set(key: ObjectKey, live: Object, changes: Changes) -> Iterator[Risk]:
    yield from _stopped(key, live, changes)
    if changes.below(_TEMPLATE) and number(part(live, "spec"), "replicas", 1):
        yield Risk(
            RiskCode.DISRUPTION,
            f"The pods of {key} are replaced one by one; each is away until its successor is "
            "ready.",
        )


def _daemon_set(key: ObjectKey, _: Object, changes: Changes) -> Iterator[Risk]:
    if changes.below(_TEMPLATE):
        yield Risk(
            RiskCode.DISRUPTION,
            f"The pods of {key} are replaced node by node; each is away until its successor is "
            "ready.",
        )


def _stopped(key: ObjectKey, _: Object, changes: Changes) -> Iterator[Risk]:
    for change in changes.shown:
        if change.path == _REPLICAS and change.after == 0 and change.before:
            yield Risk(RiskCode.DISRUPTION, f"All pods of {key} stop: it is scaled to 0.")


_UPDATES: Mapping[tuple[str, str], _Rule] = {
    ("apps", "DaemonSet"): _daemon_set,
    ("apps", "Deployment"): _deployment,
    ("apps", "ReplicaSet"): _stopped,
    ("apps", "StatefulSet"): _stateful_set,
}
