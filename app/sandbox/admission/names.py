"""Names, labels, annotations and selectors: what is wrong with those that an object has."""

from collections.abc import Iterator, Mapping
from typing import Any

from app.sandbox.admission.causes import forbidden, invalid, malformed, required, too_long
from app.sandbox.errors import Cause
from app.sandbox.formats import (
    Check,
    dns_label,
    dns_subdomain,
    label_key,
    label_value,
    path_segment,
    service_name,
)
from app.sandbox.resources import RBAC, Resource


def _cron_job(value: str) -> list[str]:
    return ["must be no more than 52 characters"] if len(value) > 52 else dns_subdomain(value)


_OF_KIND: dict[tuple[str, str], Check] = {
    ("", "Namespace"): dns_label,
    ("", "Service"): service_name,
    ("apps", "StatefulSet"): dns_label,
    ("batch", "CronJob"): _cron_job,
    (RBAC, "Role"): path_segment,
    (RBAC, "RoleBinding"): path_segment,
    (RBAC, "ClusterRole"): path_segment,
    (RBAC, "ClusterRoleBinding"): path_segment,
}


def metadata(resource: Resource, given: Mapping[str, Any]) -> Iterator[Cause]:
    """What is wrong with an object's own metadata."""
    name = given.get("name", "")
    if not name:
        yield required("metadata.name")
    else:
        check = _OF_KIND.get((resource.group, resource.kind), dns_subdomain)
        yield from malformed(check, name, "metadata.name")
    yield from labels(given.get("labels"), "metadata.labels")
    yield from annotations(given.get("annotations"), "metadata.annotations")
    for text in given.get("finalizers") or ():
        yield from malformed(label_key, text, "metadata.finalizers")
        if "/" not in text and text not in ("foregroundDeletion", "orphan", "kubernetes"):
            why = "name is neither a standard finalizer name nor is it fully qualified"
            yield invalid("metadata.finalizers[0]", text, why)
    owners = given.get("ownerReferences") or ()
    for i, owner in enumerate(owners):
        for field in ("apiVersion", "kind", "name", "uid"):
            if not owner.get(field):
                path = f"metadata.ownerReferences[{i}].{field}"
                yield invalid(path, owner.get(field, ""), f"{field} must not be empty")
    if sum(bool(owner.get("controller")) for owner in owners) > 1:
        why = "Only one reference can have Controller set to true"
        yield invalid("metadata.ownerReferences", list(owners), why)


def template_metadata(given: Mapping[str, Any], path: str) -> Iterator[Cause]:
    """What is wrong with the metadata of a template."""
    yield from labels(given.get("labels"), f"{path}.labels")
    yield from annotations(given.get("annotations"), f"{path}.annotations")


def labels(given: Mapping[str, str] | None, path: str) -> Iterator[Cause]:
    """What is wrong with labels."""
    for key, value in (given or {}).items():
        yield from malformed(label_key, key, path)
        yield from malformed(label_value, value, path)


def annotations(given: Mapping[str, str] | None, path: str) -> Iterator[Cause]:
    """What is wrong with annotations."""
    for key in given or ():
        for why in label_key(key.lower()):
            yield invalid(path, key, why)
    size = sum(len(key.encode()) + len(value.encode()) for key, value in (given or {}).items())
    if size > 256 * 1024:
        yield too_long(path, 256 * 1024)


def selector(given: Mapping[str, Any] | None, path: str) -> Iterator[Cause]:
    """What is wrong with a LabelSelector."""
    given = given or {}
    yield from labels(given.get("matchLabels"), f"{path}.matchLabels")
    for i, rule in enumerate(given.get("matchExpressions") or ()):
        here, operator = f"{path}.matchExpressions[{i}]", rule.get("operator")
        values = rule.get("values")
        if operator in ("In", "NotIn"):
            if not values:
                why = "must be specified when `operator` is 'In' or 'NotIn'"
                yield required(f"{here}.values", why)
        elif operator in ("Exists", "DoesNotExist"):
            if values:
                why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
                yield forbidden(f"{here}.values", why)
        else:
            yield invalid(f"{here}.operator", operator or "", "not a valid selector operator")
        yield from malformed(label_key, rule.get("key", ""), f"{here}.key")
        for value in values or ():
            yield from malformed(label_value, value, f"{here}.values")
