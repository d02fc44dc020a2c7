"""StatefulSets: pods with a number, one after the other, each with claims of its own."""

from typing import NamedTuple

from app.sandbox.controllers import histories
from app.sandbox.objects import Object, copied, is_leaving
from app.sandbox.resources import Resource
from app.sandbox.world import World
from app.sandbox.world.pods import available, create_pod, delete_pod, has_ended, is_ready
from app.sandbox.world.references import claimed, reference
from app.sandbox.world.telling import tell

_RETRY = 10.0
_AT_ONCE = 50
"""Pods made in one go, so that the loop is not held up."""


class Revisions(NamedTuple):
    """What pods are made of: the version that was, and the one that is to be."""

    current: Object
    update: Object

    def of(self, obj: Object, ordinal: int) -> Object:
        """Which of them a new pod of this number gets."""
        partition = _partition(obj)
        first = obj["spec"].get("ordinals", {}).get("start", 0)
        moves = obj["spec"]["updateStrategy"]["type"] == "RollingUpdate"
        return self.update if moves and ordinal >= first + partition else self.current


def _partition(obj: Object) -> int:
    rolling = obj["spec"]["updateStrategy"].get("rollingUpdate") or {}
    return int(rolling.get("partition", 0))


def sync(world: World, resource: Resource, obj: Object) -> None:
    """One step, and the status."""
    pods = {
        number: pod
        for pod in claimed(world, resource, obj, "Pod")
        if (number := _ordinal(obj, pod)) is not None
    }
    if is_leaving(obj):
        return
    update, known = histories.revised(world, resource, obj)
    named = {str(each["metadata"]["name"]): each for each in known}
    current = named.get(str(obj.get("status", {}).get("currentRevision")), update)
    revisions = Revisions(current, update)
    _step(world, resource, obj, pods, revisions)
    live = [pod for pod in pods.values() if world.lives(pod["metadata"]["uid"])]
    _count(world, resource, obj, live, revisions)
    used = {str(pod["metadata"]["labels"].get(histories.LABEL)) for pod in live}
    used |= {str(each["metadata"]["name"]) for each in revisions}
    histories.forget_old(world, obj, known, used)


def _ordinal(obj: Object, pod: Object) -> int | None:
    text = str(pod["metadata"]["name"]).removeprefix(f"{obj['metadata']['name']}-")
    return int(text) if text.isdigit() and len(text) < 10 else None


def _step(
    world: World, resource: Resource, obj: Object, pods: dict[int, Object], revisions: Revisions
) -> None:
    spec = obj["spec"]
    first = spec.get("ordinals", {}).get("start", 0)
    wanted = range(first, first + spec["replicas"])
    in_order = spec.get("podManagementPolicy", "OrderedReady") == "OrderedReady"
    seconds = spec.get("minReadySeconds", 0)
    usable = {p["metadata"]["uid"] for p in available(world, resource, obj, pods.values(), seconds)}
    begun = 0
    for number in wanted:
        pod = pods.get(number)
        if pod is not None and has_ended(pod) and not is_leaving(pod):
            delete_pod(world, resource, obj, pod)
        if pod is None:
            made = _made(world, resource, obj, number, revisions.of(obj, number))
            if made is not None:
                pods[number] = made
            if made is None or in_order:
                return
            begun += 1
            if begun == _AT_ONCE:
                world.look(resource, obj)
                return
        elif in_order and (is_leaving(pod) or pod["metadata"]["uid"] not in usable):
            return
    for number in sorted(set(pods) - set(wanted), reverse=True):
        if not is_leaving(pods[number]):
            delete_pod(world, resource, obj, pods[number])
            _forget_claims(world, obj, number)
        if in_order:
            return
    there = {number: pods[number] for number in wanted}
    _update(world, resource, obj, there, revisions=revisions, usable=usable)


def _update(
    world: World,
    resource: Resource,
    obj: Object,
    pods: dict[int, Object],
    *,
    revisions: Revisions,
    usable: set[str],
) -> None:
    """Replace pods of another version, the highest number first, one at a time."""
    if obj["spec"]["updateStrategy"]["type"] != "RollingUpdate":
        return
    name = revisions.update["metadata"]["name"]
    lowest = obj["spec"].get("ordinals", {}).get("start", 0) + _partition(obj)
    for number in sorted(pods, reverse=True):
        pod = pods[number]
        if number < lowest:
            return
        if pod["metadata"]["labels"].get(histories.LABEL) != name:
            if not is_leaving(pod):
                delete_pod(world, resource, obj, pod)
            return
        if is_leaving(pod) or pod["metadata"]["uid"] not in usable:
            return


def _made(
    world: World, resource: Resource, obj: Object, number: int, revision: Object
) -> Object | None:
    name = f"{obj['metadata']['name']}-{number}"
    template, labels = histories.template_of(revision), {}
    labels[histories.LABEL] = str(revision["metadata"]["name"])
    labels["apps.kubernetes.io/pod-index"] = str(number)
    labels["statefulset.kubernetes.io/pod-name"] = name
    spec = template["spec"]
    spec["hostname"] = name
    if obj["spec"].get("serviceName"):
        spec["subdomain"] = obj["spec"]["serviceName"]
    volumes = []
    for claim in obj["spec"].get("volumeClaimTemplates") or ():
        _claim(world, resource, obj, claim, name)
        title = claim["metadata"]["name"]
        volumes.append({"name": title, "persistentVolumeClaim": {"claimName": f"{title}-{name}"}})
    own = {each["name"] for each in volumes}
    volumes += [each for each in spec.get("volumes") or () if each["name"] not in own]
    if volumes:
        spec["volumes"] = volumes
    metadata: Object = {"name": name, "labels": labels}
    pod, _ = create_pod(world, resource, obj, template, metadata)
    if pod is None:
        world.after(_RETRY, resource, obj)
    return pod


def _claim(world: World, resource: Resource, obj: Object, template: Object, pod: str) -> None:
    kind, namespace = world.of("PersistentVolumeClaim"), obj["metadata"]["namespace"]
    name = f"{template['metadata']['name']}-{pod}"
    owners = [reference(resource, obj)] if _retains(obj, "whenDeleted") == "Delete" else None
    if world.store.get(kind, namespace, name) is not None:
        return
    made = copied(template)
    labels = obj["spec"]["selector"].get("matchLabels") or {}
    metadata = made["metadata"]
    made["metadata"] = {
        "name": name,
        "namespace": namespace,
        "labels": {**(metadata.get("labels") or {}), **labels},
        "annotations": metadata.get("annotations") or {},
        **({"ownerReferences": owners} if owners else {}),
    }
    if world.create(kind, made) is None:
        return
    message = f"create Claim {name} Pod {pod} in StatefulSet {obj['metadata']['name']} success"
    tell(world, resource, obj, "SuccessfulCreate", message, source="statefulset-controller")


def _retains(obj: Object, when: str) -> str:
    """`Retain` or `Delete`: what becomes of claims `whenDeleted` and `whenScaled`."""
    policy = obj["spec"].get("persistentVolumeClaimRetentionPolicy") or {}
    return str(policy.get(when, "Retain"))


def _forget_claims(world: World, obj: Object, number: int) -> None:
    """The claims of a pod that is not wanted any more; they go when it is gone."""
    if _retains(obj, "whenScaled") != "Delete":
        return
    pod, kind = f"{obj['metadata']['name']}-{number}", world.of("PersistentVolumeClaim")
    for template in obj["spec"].get("volumeClaimTemplates") or ():
        name = f"{template['metadata']['name']}-{pod}"
        live = world.store.get(kind, obj["metadata"]["namespace"], name)
        if live is not None and not is_leaving(live):
            world.delete(kind, live)


def _count(
    world: World, resource: Resource, obj: Object, pods: list[Object], revisions: Revisions
) -> None:
    spec, before = obj["spec"], obj.get("status", {})
    pods = [pod for pod in pods if not has_ended(pod)]
    names = [str(each["metadata"]["name"]) for each in revisions]
    of = [
        str(pod["metadata"]["labels"].get(histories.LABEL)) for pod in pods if not is_leaving(pod)
    ]
    ready = [pod for pod in pods if is_ready(pod) and not is_leaving(pod)]
    usable = available(world, resource, obj, ready, spec.get("minReadySeconds", 0))
    updated = of.count(names[1])
    is_done = updated == len(pods) == spec["replicas"] == len(ready)
    if spec["updateStrategy"]["type"] == "RollingUpdate" and is_done:
        names[0] = names[1]
    counts = {
        "readyReplicas": len(ready),
        "currentReplicas": of.count(names[0]),
        "updatedReplicas": updated,
    }
    status = {
        "observedGeneration": obj["metadata"]["generation"],
        "replicas": len(pods),
        **{name: count for name, count in counts.items() if count},
        "availableReplicas": len(usable),
        "currentRevision": names[0],
        "updateRevision": names[1],
        "collisionCount": before.get("collisionCount", 0),
    }
    world.status(resource, obj, status)
