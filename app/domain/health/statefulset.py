"""StatefulSets, by kstatus' ladder.

Beyond kstatus: a status that the controller has not written yet counts as not observed; a partition
of 0 is none (the API server writes it for everybody, and the revision would never be compared); and
with OnDelete the number of pods still has to be right.
"""

from app.domain.health.seen import Seen, number, part, word
from app.domain.health.verdict import CauseSeverity, Health, HealthState, Note
from app.domain.health.workloads import (
    REVISION_HASH,
    Rung,
    all_ready,
    counted,
    explained,
    label,
    own_pods,
    short,
)


def statefulset(seen: Seen) -> Health:
    """A StatefulSet; related are its pods."""
    want = number(seen.spec, "replicas", 1)
    ready = number(seen.status, "readyReplicas")
    health = _ladder(seen, want, ready)
    pods = own_pods(seen)
    revision = word(seen.status, "updateRevision")
    new = [pod for pod in pods if label(pod, REVISION_HASH) in {revision, ""}] if revision else pods
    told = explained(seen, health, new)
    if _is_stuck(told) and len(new) < len(pods):  # an old pod that is not ready holds the update up
        return explained(seen, health, pods)
    return told


def _is_stuck(health: Health) -> bool:
    waits = health.state is HealthState.PENDING
    return waits and not any(c.severity is CauseSeverity.ERROR for c in health.causes)


def _ladder(seen: Seen, want: int, ready: int) -> Health:
    status = seen.status
    if number(status, "observedGeneration") == 0:
        message = "The cluster has not looked at it yet."
        return Health(HealthState.PENDING, "NotObserved", message, ready, want)
    replicas = number(status, "replicas")
    behind = short(
        ready,
        want,
        Rung("LessReplicas", replicas, want, "created"),
        Rung("LessReady", ready, want, "ready"),
        Rung("ExtraPods", want, replicas),
    )
    if behind is not None:
        return behind
    strategy = part(seen.spec, "updateStrategy")
    if word(strategy, "type") == "OnDelete":
        return all_ready("Ready", ready, want).noting(*_waits_for_deletion(seen))
    partition = number(part(strategy, "rollingUpdate"), "partition")
    if partition > 0:
        return _partitioned(number(status, "updatedReplicas"), partition, ready, want)
    return _updated(seen, ready, want)


def _is_mixed(seen: Seen) -> bool:
    """Whether some pods may be of an older version than others."""
    return word(seen.status, "currentRevision") != word(seen.status, "updateRevision")


def _waits_for_deletion(seen: Seen) -> list[Note]:
    if not _is_mixed(seen):
        return []
    message = "Pods take the new version when they are deleted: the update strategy is OnDelete."
    return [Note("OnDelete", message)]


def _partitioned(updated: int, partition: int, ready: int, want: int) -> Health:
    """Pods with a number from the partition on are updated, the others are kept."""
    behind = short(
        ready, want, Rung("PartitionRollout", updated, max(want - partition, 0), "updated")
    )
    if behind is not None:
        return behind
    healthy = all_ready("Ready", ready, want)
    if updated >= want:
        return healthy
    message = f"{counted(updated, want, 'updated')} The partition keeps the others as they are."
    return healthy.noting(Note("Partitioned", message))


def _updated(seen: Seen, ready: int, want: int) -> Health:
    current = number(seen.status, "currentReplicas")
    if current < want:
        message = counted(number(seen.status, "updatedReplicas"), want, "updated")
        return Health(HealthState.PENDING, "LessCurrent", message, ready, want)
    if _is_mixed(seen):
        message = "The update is about to be completed."
        return Health(HealthState.PENDING, "RevisionMismatch", message, ready, want)
    return all_ready("Ready", ready, want)
