"""What may not change any more, in the words that clients look for (`field is immutable`, …)."""

from collections.abc import Callable, Iterator
from typing import Any

from app.sandbox.admission.causes import forbidden, invalid
from app.sandbox.admission.quantities import amount
from app.sandbox.errors import ApiError, Cause
from app.sandbox.errors import forbidden as refused
from app.sandbox.objects import Object, at
from app.sandbox.resources import RBAC, Resource
from app.sandbox.store import Store

FIXED = "field is immutable"
_STATEFUL = (
    "replicas",
    "ordinals",
    "template",
    "updateStrategy",
    "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy",
    "minReadySeconds",
)
_STATEFUL_TEXT = (
    "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', "
    "'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and "
    "'minReadySeconds' are forbidden"
)
_CLAIM_TEXT = (
    "spec is immutable after creation except resources.requests and volumeAttributesClassName "
    "for bound claims"
)
_POD_TEXT = (
    "pod updates may not change fields other than `spec.containers[*].image`,"
    "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only "
    "additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set "
    "to 1 if it was previously negative)"
)

Check = Callable[[Object, Object], Iterator[Cause]]


def _fixed(*paths: str) -> Check:
    def check(new: Object, old: Object) -> Iterator[Cause]:
        for path in paths:
            if at(new, path, {}) != at(old, path, {}):
                yield invalid(path, at(new, path, {}), FIXED)

    return check


def _stateful_set(new: Object, old: Object) -> Iterator[Cause]:
    names = new["spec"].keys() | old["spec"].keys()
    if any(new["spec"].get(n) != old["spec"].get(n) for n in names if n not in _STATEFUL):
        yield forbidden("spec", _STATEFUL_TEXT)


def _job(new: Object, old: Object) -> Iterator[Cause]:
    fields = ["selector", "completionMode", "podFailurePolicy", "successPolicy"]
    fields += ["backoffLimitPerIndex", "managedBy"]
    before, after = old["spec"], new["spec"]
    elastic = after.get("completionMode") == "Indexed" and after.get("completions") == after.get(
        "parallelism"
    )
    if before.get("completions") != after.get("completions") and not elastic:
        yield invalid("spec.completions", after.get("completions"), FIXED)
    for name in fields:
        if before.get(name) != after.get(name):
            yield invalid(f"spec.{name}", after.get(name), FIXED)
    if before.get("template") != after.get("template") and not _schedulable(new, old):
        yield invalid("spec.template", after.get("template"), FIXED)


def _schedulable(new: Object, old: Object) -> bool:
    """A Job that is suspended and never began may still be told where to run."""
    if not old["spec"].get("suspend") or (old.get("status") or {}).get("startTime"):
        return False

    def rest(obj: Object) -> Any:
        template = obj["spec"]["template"]
        free = ("nodeSelector", "tolerations", "affinity", "schedulingGates")
        return {key: value for key, value in template["spec"].items() if key not in free}

    return bool(rest(new) == rest(old))


def _claim(new: Object, old: Object) -> Iterator[Cause]:
    before, after = old["spec"], new["spec"]
    free = ("resources", "volumeAttributesClassName", "volumeName")
    names = (before.keys() | after.keys()) - set(free)
    unbound = not before.get("volumeName")
    if any(before.get(n) != after.get(n) for n in names) or (
        before.get("volumeName") != after.get("volumeName") and not unbound
    ):
        yield forbidden("spec", _CLAIM_TEXT)
    asked, had = _storage(after), _storage(before)
    bound = ((old.get("status") or {}).get("capacity") or {}).get("storage")
    if amount(asked) < amount(had):
        why = "field can not be less than "
        why += "status.capacity" if bound else "previous value"
        yield forbidden("spec.resources.requests.storage", why)


def _storage(spec: Object) -> Any:
    return ((spec.get("resources") or {}).get("requests") or {}).get("storage", "0")


def growth(store: Store, resource: Resource, new: Object, old: Object) -> ApiError | None:
    """403 when a claim would grow whose class cannot resize."""
    if resource.kind != "PersistentVolumeClaim":
        return None
    if amount(_storage(new["spec"])) <= amount(_storage(old["spec"])):
        return None
    name = old["spec"].get("storageClassName")
    kind = Resource("storage.k8s.io", "v1", "storageclasses", "", "", namespaced=False)
    found = store.get(kind, None, name) if name else None
    if found is not None and found.get("allowVolumeExpansion"):
        return None
    why = (
        "only dynamically provisioned pvc can be resized and the storageclass that provisions "
        "the pvc must support resize"
    )
    return refused(resource, new["metadata"]["name"], why)


def _service(new: Object, old: Object) -> Iterator[Cause]:
    before, after = old["spec"], new["spec"]
    if "ExternalName" in (before["type"], after["type"]):
        return
    had, has = before.get("clusterIP"), after.get("clusterIP")
    if had and has != had:
        yield invalid("spec.clusterIPs[0]", [has], "may not change once set")
    families = before.get("ipFamilies") or []
    if families and (after.get("ipFamilies") or families)[0] != families[0]:
        yield invalid("spec.ipFamilies[0]", after["ipFamilies"], "may not change once set")


def _data(kind: str) -> Check:
    def check(new: Object, old: Object) -> Iterator[Cause]:
        if old.get("immutable"):
            why = "field is immutable when `immutable` is set"
            if not new.get("immutable"):
                yield forbidden("immutable", why)
            for field in ("data", "binaryData"):
                if (new.get(field) or {}) != (old.get(field) or {}):
                    yield forbidden(field, why)
        if kind == "Secret" and new.get("type") != old.get("type"):
            yield invalid("type", new.get("type"), FIXED)

    return check


def _pod(new: Object, old: Object) -> Iterator[Cause]:
    def rest(obj: Object) -> Object:
        free = ("activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds", "nodeName")
        spec = {key: value for key, value in obj["spec"].items() if key not in free}
        for field in ("containers", "initContainers"):
            if field in spec:
                spec[field] = [{**each, "image": ""} for each in spec[field]]
        return spec

    if rest(new) != rest(old):
        yield forbidden("spec", _POD_TEXT)
    if old["spec"].get("nodeName") and new["spec"].get("nodeName") != old["spec"]["nodeName"]:
        yield forbidden("spec.nodeName", "may not be changed once set")


def _definition(new: Object, old: Object) -> Iterator[Cause]:
    for path in ("spec.group", "spec.names.plural", "spec.scope", "spec.names.kind"):
        if at(new, path, {}) != at(old, path, {}):
            yield invalid(path, at(new, path, {}), FIXED)


def _role(new: Object, old: Object) -> Iterator[Cause]:
    if new.get("roleRef") != old.get("roleRef"):
        yield invalid("roleRef", new.get("roleRef"), "cannot change roleRef")


def _storage_class(new: Object, old: Object) -> Iterator[Cause]:
    for field in ("parameters", "provisioner", "reclaimPolicy"):
        if new.get(field) != old.get(field):
            yield forbidden(field, f"updates to {field} are forbidden.")
    if new.get("volumeBindingMode") != old.get("volumeBindingMode"):
        yield invalid("volumeBindingMode", new.get("volumeBindingMode"), FIXED)


def _priority_class(new: Object, old: Object) -> Iterator[Cause]:
    for field in ("value", "preemptionPolicy"):
        if new.get(field, 0) != old.get(field, 0):
            yield forbidden(field, "may not be changed in an update.")


def _volume(new: Object, old: Object) -> Iterator[Cause]:
    free = {
        "capacity",
        "accessModes",
        "persistentVolumeReclaimPolicy",
        "mountOptions",
        "claimRef",
        "storageClassName",
        "volumeAttributesClassName",
    }
    names = (new["spec"].keys() | old["spec"].keys()) - free
    if any(new["spec"].get(n) != old["spec"].get(n) for n in names):
        why = "spec.persistentvolumesource is immutable after creation"
        yield forbidden("spec.persistentvolumesource", why)


_OF_KIND: dict[tuple[str, str], Check] = {
    ("", "ConfigMap"): _data("ConfigMap"),
    ("", "PersistentVolume"): _volume,
    ("", "PersistentVolumeClaim"): _claim,
    ("", "Pod"): _pod,
    ("", "Secret"): _data("Secret"),
    ("", "Service"): _service,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): _definition,
    ("apps", "DaemonSet"): _fixed("spec.selector"),
    ("apps", "Deployment"): _fixed("spec.selector"),
    ("apps", "ReplicaSet"): _fixed("spec.selector"),
    ("apps", "StatefulSet"): _stateful_set,
    ("batch", "Job"): _job,
    ("networking.k8s.io", "IngressClass"): _fixed("spec.controller"),
    ("scheduling.k8s.io", "PriorityClass"): _priority_class,
    ("storage.k8s.io", "StorageClass"): _storage_class,
    (RBAC, "RoleBinding"): _role,
    (RBAC, "ClusterRoleBinding"): _role,
}


def changes(resource: Resource, new: Object, old: Object) -> Iterator[Cause]:
    """What of a change is not allowed."""
    check = _OF_KIND.get((resource.group, resource.kind))
    if check is not None:
        yield from check(new, old)
