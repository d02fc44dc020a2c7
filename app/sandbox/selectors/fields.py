"""Field selectors: `status.phase=Running,metadata.name!=web`, for the fields that a kind has open.

Follows apimachinery's `fields`; which fields are open is what each kind's conversion in Kubernetes
lists. Fields that are absent read as their zero value.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.sandbox.objects import at
from app.sandbox.selectors.labels import SelectorError

NAMED = ("metadata.name", "metadata.namespace")
EVENT = ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")

PLACELESS = {("v1/Node", "metadata.namespace"), ("v1/Namespace", "metadata.namespace")}

# Field -> where its value stands, if elsewhere. "0" and "false" are what absence means there.
FIELDS: dict[str, dict[str, tuple[str, str]]] = {
    "v1/Pod": {
        "spec.nodeName": ("spec.nodeName", ""),
        "spec.host": ("spec.nodeName", ""),
        "spec.restartPolicy": ("spec.restartPolicy", ""),
        "spec.schedulerName": ("spec.schedulerName", ""),
        "spec.serviceAccountName": ("spec.serviceAccountName", ""),
        "spec.hostNetwork": ("spec.hostNetwork", "false"),
        "status.phase": ("status.phase", ""),
        "status.podIP": ("status.podIP", ""),
        "status.nominatedNodeName": ("status.nominatedNodeName", ""),
    },
    "v1/Node": {"spec.unschedulable": ("spec.unschedulable", "false")},
    "v1/Namespace": {"status.phase": ("status.phase", "")},
    "v1/Secret": {"type": ("type", "")},
    "v1/Service": {"spec.clusterIP": ("spec.clusterIP", ""), "spec.type": ("spec.type", "")},
    "v1/Event": {
        **{f"involvedObject.{name}": (f"involvedObject.{name}", "") for name in EVENT},
        "reason": ("reason", ""),
        "reportingComponent": ("reportingComponent", ""),
        "source": ("source.component", ""),
        "type": ("type", ""),
    },
    "apps/v1/ReplicaSet": {"status.replicas": ("status.replicas", "0")},
    "batch/v1/Job": {"status.successful": ("status.succeeded", "0")},
}


@dataclass(frozen=True, slots=True)
class Term:
    path: str
    absent: str
    value: str
    equal: bool

    def matches(self, obj: Mapping[str, Any]) -> bool:
        found = at(obj, self.path)
        if isinstance(found, bool):
            found = "true" if found else "false"
        text = self.absent if found is None else str(found)
        return (text == self.value) is self.equal


@dataclass(frozen=True, slots=True)
class FieldSelector:
    terms: tuple[Term, ...] = ()

    def matches(self, obj: Mapping[str, Any]) -> bool:
        return all(term.matches(obj) for term in self.terms)


def parse_fields(
    text: str, api_version: str, kind: str, selectable: tuple[str, ...] = ()
) -> FieldSelector:
    """`metadata.name=a,status.phase!=Running`; "" matches everything.

    selectable  the selectableFields of a custom resource, as ".spec.colour"

    SelectorError: malformed, or a field that the kind does not have open.
    """
    terms = []
    for part in filter(None, split(text)):
        match = re.match(r"(.*?)(!=|==|=)(.*)", part, re.DOTALL)
        if not match:
            raise SelectorError(f"invalid selector: '{text}'; can't understand '{part}'")
        field, operator, value = match.groups()
        path, absent = place(field, f"{api_version}/{kind}", selectable)
        terms.append(Term(path, absent, unescaped(value), operator != "!="))
    return FieldSelector(tuple(terms))


def place(field: str, kind: str, selectable: tuple[str, ...]) -> tuple[str, str]:
    known = FIELDS.get(kind)
    if field in NAMED and (kind, field) not in PLACELESS:
        return field, ""
    if known and field in known:
        return known[field]
    if f".{field}" in selectable:
        return field, ""
    if known or selectable:
        raise SelectorError(f"field label not supported: {field}")
    raise SelectorError(
        f'"{field}" is not a known field selector: only "metadata.name", "metadata.namespace"'
    )


def split(text: str) -> list[str]:
    """At the commas that no backslash escapes."""
    return re.findall(r"(?:^|,)((?:\\.|[^,\\])*\\?)", text, re.DOTALL)


def unescaped(value: str) -> str:
    """Commas, equals signs and backslashes in a value have a backslash before them."""
    if wrong := re.search(r"^(?:\\[\\,=]|[^\\,=])*?(\\(?:[^\\,=]|$)|[,=])", value, re.DOTALL):
        found = wrong[1]
        if found.startswith("\\"):
            raise SelectorError(f"invalid field selector: invalid escape sequence: {found}")
        raise SelectorError(f"invalid field selector: unescaped character in value: {ord(found)}")
    return re.sub(r"\\(.)", r"\1", value)
