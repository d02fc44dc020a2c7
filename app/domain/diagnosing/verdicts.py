"""How an object of the node is doing, by the rules of health, with all that they may look at."""

from collections.abc import Callable, Mapping, Sequence

from app.domain.diagnosing import looks
from app.domain.diagnosing.kinds import AUTOSCALER, CLAIM, SERVICE, WORKLOADS, GroupKind
from app.domain.diagnosing.scene import Scene, Sight, Subject
from app.domain.health import Cause, Health, health
from app.domain.health.seen import Object, listed, part, word
from app.domain.health.workloads import is_owned, youngest

_PODS_ASKED = 8
"""Pods of one workload whose events are read: those that are not ready first."""


def verdict(scene: Scene, subject: Subject) -> Health:
    """The health of an object that is there, or is known not to be."""
    place = scene.subjects.index(subject)
    known = scene.verdicts.get(place)
    if known is None:
        known = scene.verdicts[place] = _judged(scene, subject)
    return known


def _judged(scene: Scene, subject: Subject) -> Health:
    live = subject.live
    if live is None:
        return health(None, now=scene.now)
    related = _RELATED.get(subject.group_kind, _none)(scene, subject)
    events = [*scene.events(live), *_events_of_pods(scene, related)]
    return health(live, now=scene.now, related=related, events=events)


def causes(scene: Scene, workload: Subject) -> Sequence[Cause]:
    """What keeps the pods of a workload from working; of a CronJob, those of its newest Job."""
    if workload.key.kind != "CronJob":
        return verdict(scene, workload).causes
    newest = newest_job(scene, workload)
    if newest is None:
        return ()
    pods = pods_of(scene, workload)
    events = [*scene.events(newest), *_events_of_pods(scene, pods)]
    return health(newest, now=scene.now, related=pods, events=events).causes


def newest_job(scene: Scene, cronjob: Subject) -> Object | None:
    """The Job that a CronJob made last."""
    uid = word(part(cronjob.live, "metadata"), "uid")
    return youngest(job for job in scene.look(looks.jobs(cronjob)).objects if is_owned(job, uid))


def seen_pods(scene: Scene, workload: Subject) -> Sight:
    """What is known of the pods of a workload, or why nothing is."""
    return scene.look(looks.pods_of(workload))


def pods_of(scene: Scene, workload: Subject) -> list[Object]:
    """The pods of a workload, by their owners; of a CronJob those of its newest Job."""
    uid = word(part(workload.live, "metadata"), "uid")
    owners = {uid}
    if workload.key.kind == "Deployment":
        owners |= {
            _uid(each)
            for each in scene.look(looks.replica_sets(workload)).objects
            if is_owned(each, uid)
        }
    if workload.key.kind == "CronJob":
        newest = newest_job(scene, workload)
        owners = {_uid(newest)} if newest is not None else set()
    return [pod for pod in seen_pods(scene, workload).objects if _owner(pod) in owners]


def _uid(obj: Object) -> str:
    return word(part(obj, "metadata"), "uid")


def _owner(pod: Object) -> str:
    owners = listed(part(pod, "metadata"), "ownerReferences")
    return next((word(each, "uid") for each in owners if each.get("controller") is True), "")


def _none(_scene: Scene, _subject: Subject) -> list[Object]:
    return []


def _of_workload(scene: Scene, workload: Subject) -> list[Object]:
    return pods_of(scene, workload)


def _of_deployment(scene: Scene, deployment: Subject) -> list[Object]:
    sets = scene.look(looks.replica_sets(deployment)).objects
    return [*sets, *pods_of(scene, deployment)]


def _of_cronjob(scene: Scene, cronjob: Subject) -> list[Object]:
    return list(scene.look(looks.jobs(cronjob)).objects)


def _of_service(scene: Scene, service: Subject) -> list[Object]:
    return list(scene.look(looks.slices(service.key.namespace, service.key.name)).objects)


def _of_claim(scene: Scene, claim: Subject) -> list[Object]:
    chosen = word(claim.spec, "storageClassName")
    classes = scene.look(looks.storage_classes()).objects
    return [each for each in classes if word(part(each, "metadata"), "name") == chosen]


_RELATED: Mapping[GroupKind, Callable[[Scene, Subject], list[Object]]] = {
    **dict.fromkeys(WORKLOADS, _of_workload),
    ("apps", "Deployment"): _of_deployment,
    ("batch", "CronJob"): _of_cronjob,
    SERVICE: _of_service,
    CLAIM: _of_claim,
    AUTOSCALER: _none,
}


def _events_of_pods(scene: Scene, objects: Sequence[Object]) -> list[Object]:
    pods = [obj for obj in objects if obj.get("kind") == "Pod"]
    # False sorts first: those that are not ready, the youngest first.
    pods.sort(key=lambda pod: word(part(pod, "metadata"), "creationTimestamp"), reverse=True)
    pods.sort(key=_is_ready)
    return [event for pod in pods[:_PODS_ASKED] for event in scene.events(pod)]


def _is_ready(pod: Object) -> bool:
    return any(
        word(each, "type") == "Ready" and each.get("status") == "True"
        for each in listed(part(pod, "status"), "conditions")
    )
