"""A cluster for diagnoses in tests: objects that looks find by name, labels and fields."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.domain.diagnosing import Look, Scene, Sight, Subject, diagnose
from app.domain.inspecting import Check, Diagnosis
from app.domain.planning import ObjectKey
from tests.domain.health.objects import NOW, Fields, event, live

ROUNDS = 6


class Board:
    """Objects on a cluster. `hidden` says which kinds may not be read, and why."""

    def __init__(self, *objects: Fields, hidden: Mapping[str, str] | None = None) -> None:
        self.objects = list(objects)
        self.hidden = hidden or {}
        self.looks: list[Look] = []

    def tell(self, about: Fields, **said: Any) -> None:
        """An event about an object."""
        made = event(said, about)
        made["metadata"]["name"] = f"event-{len(self.objects)}"
        self.objects.append(made | {"count": said.get("count", 1)})

    def diagnosis(self, *subjects: Fields | ObjectKey) -> Diagnosis:
        """Of a node with these objects; a key stands for one that is not there."""
        found = [self._subject(each) for each in subjects]
        sights: dict[Look, Sight] = {}
        for _ in range(ROUNDS):
            scene = Scene(found, NOW, sights)
            made = diagnose("node", scene)
            if not scene.unseen:
                return made
            self.looks += scene.unseen
            sights |= {look: self._sight(look) for look in scene.unseen}
        raise AssertionError(f"it never sees enough: {list(scene.unseen)}")

    def check(self, name: str, *subjects: Fields | ObjectKey) -> Check:
        """One of its checks."""
        checks = {each.name: each for each in self.diagnosis(*subjects).checks}
        return checks[name]

    def _subject(self, given: Fields | ObjectKey) -> Subject:
        if isinstance(given, ObjectKey):
            return Subject(given)
        key = ObjectKey.of(given)
        if key.kind in self.hidden:
            return Subject(key, hidden=self.hidden[key.kind])
        return Subject(key, given)

    def _sight(self, look: Look) -> Sight:
        if look.kind in self.hidden:
            return Sight(hidden=self.hidden[look.kind])
        return Sight([each for each in self.objects if _fits(each, look)])


def _fits(obj: Fields, look: Look) -> bool:
    metadata = obj["metadata"]
    if (obj["kind"], metadata.get("namespace")) != (look.kind, look.namespace):
        return False
    if look.name is not None:
        return bool(metadata["name"] == look.name)
    labels = metadata.get("labels", {})
    wanted = dict(term.split("=") for term in look.labels.split(",") if "=" in term)
    if "=" not in look.labels and look.labels:
        return False
    _, _, uid = look.fields.partition("involvedObject.uid=")
    about = not uid or obj["involvedObject"]["uid"] == uid
    return about and all(labels.get(key) == value for key, value in wanted.items())


def named(kind: str, name: str, **given: Any) -> Fields:
    """An object of this name."""
    metadata = {"name": name, **given.pop("metadata", {})}
    return live(kind, {"metadata": metadata, **given})


def owned(obj: Fields, by: Fields) -> Fields:
    """The object, made by another one."""
    owner = {"uid": by["metadata"]["uid"], "kind": by["kind"], "controller": True}
    return {**obj, "metadata": {**obj["metadata"], "ownerReferences": [owner]}}


def holding(kind: str, name: str, *keys: str) -> Fields:
    """A ConfigMap or Secret as it is known without its values."""
    fields = {"f:data": {".": {}, **{f"f:{key}": {} for key in keys}}}
    return named(kind, name, metadata={"managedFields": [{"fieldsV1": fields}]})


def pod(name: str, *statuses: Fields, **given: Any) -> Fields:
    """A pod on a node, with the statuses of its containers."""
    spec = {"nodeName": "node-1", **given.pop("spec", {})}
    status = {"phase": "Running", "containerStatuses": list(statuses), **given.pop("status", {})}
    return named("Pod", name, spec=spec, status=status, **given)


RUNNING: Fields = {"ready": True, "state": {"running": {"startedAt": "2026-01-01T11:00:00Z"}}}
READY: Fields = {"conditions": [{"type": "Ready", "status": "True"}]}


def deployed(*pods: Fields, ready: int = 0, spec: Fields | None = None) -> list[Fields]:
    """A Deployment `web` that wants one pod, its ReplicaSet, and these pods of it."""
    template = (spec or {}).pop("template", None) if spec else None
    more = {"replicas": 1, **(spec or {})}
    if template is not None:
        more["template"] = {"metadata": {"labels": {"app": "web"}}, "spec": template}
    conditions: Sequence[Fields] = (
        [
            {"type": "Available", "status": "True"},
            {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"},
        ]
        if ready
        else []
    )
    counts = dict.fromkeys(("readyReplicas", "availableReplicas"), ready)
    status = {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, **counts}
    workload = named("Deployment", "web", spec=more, status=status | {"conditions": conditions})
    replica_set = owned(named("ReplicaSet", "web-1"), workload)
    return [workload, replica_set, *(owned(each, replica_set) for each in pods)]
