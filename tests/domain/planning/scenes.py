"""Manifests, what a cluster makes of them, and its refusals, in few words."""

import copy
import uuid
from collections.abc import Mapping
from typing import Any

from app.domain import labels
from app.domain.errors import ClusterError, ClusterFault, StatusCause
from app.domain.manifest import Manifest, Wave
from app.domain.planning import ObjectKey, Observed, Plan, Question, make_plan
from app.domain.planning.objects import owner_labels

WORKFLOW = "65f000000000000000000001"
OTHER = "65f000000000000000000002"
Object = dict[str, Any]

VERSIONS = {
    "ConfigMap": "v1",
    "Secret": "v1",
    "Service": "v1",
    "PersistentVolumeClaim": "v1",
    "Namespace": "v1",
    "Deployment": "apps/v1",
    "StatefulSet": "apps/v1",
    "DaemonSet": "apps/v1",
    "Job": "batch/v1",
    "HorizontalPodAutoscaler": "autoscaling/v2",
    "Ingress": "networking.k8s.io/v1",
    "NetworkPolicy": "networking.k8s.io/v1",
    "CustomResourceDefinition": "apiextensions.k8s.io/v1",
    "RabbitmqCluster": "rabbitmq.com/v1beta1",
}
CLUSTER_WIDE = {"Namespace", "CustomResourceDefinition"}


def manifest(
    kind: str, name: str = "web", *, keys: tuple[str, ...] = (), node: str = "n1", **body: Any
) -> Manifest:
    """An object of the workflow, in the namespace `shop`."""
    metadata: Object = {"name": name}
    if kind not in CLUSTER_WIDE:
        metadata["namespace"] = "shop"
    metadata["labels"] = {**owner_labels(WORKFLOW), labels.NODE_ID: node}
    return Manifest(
        node_id=node,
        object={"apiVersion": VERSIONS[kind], "kind": kind, "metadata": metadata, **body},
        wave=Wave.PREREQUISITES,
        keys=keys,
    )


def on_cluster(made: Manifest | Object, *, uid: str | None = None, **fields: Any) -> Object:
    """The object as a server answers it: with metadata of its own; `fields` replace the object's,
    those of `metadata` are added."""
    obj = copy.deepcopy(made.object if isinstance(made, Manifest) else made)
    key = ObjectKey.of(obj)
    obj["metadata"] |= {
        "uid": uid or str(uuid.uuid5(uuid.NAMESPACE_URL, str(key))),
        "resourceVersion": "7",
        "generation": 1,
        "creationTimestamp": "2026-11-01T10:00:00Z",
        "managedFields": [{"manager": "kubeorch", "operation": "Apply"}],
    }
    obj["metadata"] |= fields.pop("metadata", {})
    return {**obj, **fields}


def changed(obj: Object, path: str, value: Any) -> Object:
    """The object with another value at a dotted path; None removes the field."""
    obj = copy.deepcopy(obj)
    part = obj
    *steps, last = path.split(".")
    for one in steps:
        part = part.setdefault(one, {})
    if value is None:
        part.pop(last, None)
    else:
        part[last] = value
    return obj


def causes(*each: tuple[str, str, str]) -> list[StatusCause]:
    """Causes of reason, field and message."""
    return [StatusCause(reason, message, field) for reason, field, message in each]


def refused(
    status: int, words: str = "", *each: tuple[str, str, str], fault: ClusterFault | None = None
) -> ClusterError:
    """A refusal as `app.kube` hands it over."""
    faults = {
        403: ClusterFault.FORBIDDEN,
        404: ClusterFault.NOT_FOUND,
        409: ClusterFault.CONFLICT,
        429: ClusterFault.THROTTLED,
        503: ClusterFault.UNAVAILABLE,
    }
    said = f" It says: {words}" if words else ""
    return ClusterError(
        fault or faults.get(status, ClusterFault.INVALID),
        f"api.example.test:6443 refuses what was sent (HTTP {status}).{said}",
        status=status,
        causes=causes(*each),
    )


def immutable(field: str, words: str = "field is immutable") -> ClusterError:
    """An update of a fixed field, in the API server's words."""
    message = f"Invalid value: {{}}: {words}"
    return refused(
        422, f'x "web" is invalid: {field}: {message}', ("FieldValueInvalid", field, message)
    )


def conflict(*fields: tuple[str, str]) -> ClusterError:
    """A conflict of field managers: each field and its owner, as the server words it."""
    each = [
        ("FieldManagerConflict", field, f"conflict with {owner} using apps/v1")
        for field, owner in fields
    ]
    return refused(409, f"Apply failed with {len(each)} conflicts", *each)


def planned(*observed: Observed, given: Mapping[str, Any] | None = None, **more: Any) -> Plan:
    """The plan of a deploy of the workflow."""
    left = more.pop("left", ())
    question = Question(WORKFLOW, given=given or {}, **more)
    return make_plan(observed, question, left=left)


def same(made: Manifest, **fields: Any) -> Observed:
    """What a cluster says of an object that is there and as it should be."""
    live = on_cluster(made, **fields)
    return Observed(made, live, live)


def codes(plan: Plan) -> list[str]:
    return [problem.code for problem in plan.problems]


def risks(plan: Plan, index: int = 0) -> list[str]:
    return [risk.code.value for risk in plan.objects[index].risks]


def updated(made: Manifest, path: str, value: Any, **fields: Any) -> Observed:
    """An object of which a dry run changes one field."""
    live = on_cluster(made, **fields)
    return Observed(made, live, changed(live, path, value))


def refusing(made: Manifest, refusal: ClusterError, **fields: Any) -> Observed:
    """An object that is there, and whose dry run is refused."""
    return Observed(made, on_cluster(made, **fields), refusal=refusal)


WEB = manifest("Deployment", spec={"replicas": 2, "template": {"spec": {"x": 1}}})
CONFIG = manifest("ConfigMap", "config", data={"a": "1"})
SCALED = manifest("Deployment", spec={"template": {}})
SECRET = manifest("Secret", "db", keys=("user", "password"), node="n2", type="Opaque")


def managed(*keys: str) -> Object:
    """Metadata that says that we have written these values."""
    owned = {f"f:{key}": {} for key in keys}
    entry = {"manager": "kubeorch-values", "operation": "Update", "fieldsV1": {"f:data": owned}}
    return {"managedFields": [entry]}


def secret(*keys: str, **fields: Any) -> Observed:
    """SECRET as it is on the cluster, with values of these keys."""
    data = dict.fromkeys(keys, "c2VjcmV0")
    return same(SECRET, data=data, metadata=managed(*keys), **fields)
