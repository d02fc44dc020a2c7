"""Names, labels and annotations: the formats of the API server and what it says of the rest."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from app.sandbox.admission.causes import forbidden, invalid, required, too_long
from app.sandbox.errors import Cause
from app.sandbox.resources import RBAC, Resource

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_SERVICE = "[a-z]([-a-z0-9]*[a-z0-9])?"
_VALUE = "(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?"
_NAME_PART = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_KEY = "[-._a-zA-Z0-9]+"

_LABEL_TEXT = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and "
    "must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used "
    f"for validation is '{_LABEL}')"
)
_SUBDOMAIN_TEXT = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "
    f"for validation is '{_SUBDOMAIN}')"
)
_SERVICE_TEXT = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an "
    "alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', "
    f"regex used for validation is '{_SERVICE}')"
)
_VALUE_TEXT = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value', "
    f" or '12345', regex used for validation is '{_VALUE}')"
)
_NAME_PART_TEXT = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end "
    "with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "
    f"validation is '{_NAME_PART}')"
)

Check = Callable[[str], str | None]
"""What is wrong with a text, or None."""


def _format(pattern: str, most: int, text: str) -> Check:
    compiled = re.compile(pattern, re.ASCII)

    def check(value: str) -> str | None:
        if len(value) > most:
            return f"must be no more than {most} characters"
        return None if compiled.fullmatch(value) else text

    return check


dns_label = _format(_LABEL, 63, _LABEL_TEXT)
dns_subdomain = _format(_SUBDOMAIN, 253, _SUBDOMAIN_TEXT)
service_name = _format(_SERVICE, 63, _SERVICE_TEXT)
label_value = _format(_VALUE, 63, _VALUE_TEXT)
_name_part = _format(_NAME_PART, 63, _NAME_PART_TEXT)
_path_segment = _format(r"(?!\.\.?$)[^/%]+", 253, "may not be '.', '..' or contain '/' or '%'")


def label_key(value: str) -> str | None:
    """What is wrong with the key of a label or annotation."""
    prefix, slash, name = value.rpartition("/")
    if slash and (not prefix or dns_subdomain(prefix)):
        return f"prefix part {dns_subdomain(prefix) or 'must be non-empty'}"
    return _name_part(name)


def data_key(value: str) -> str | None:
    """What is wrong with a key of a ConfigMap or Secret."""
    if len(value) > 253:
        return "must be no more than 253 characters"
    if value in (".", "..") or value.startswith(".."):
        return "must not be '.', '..' or start with '..'"
    if re.fullmatch(_KEY, value, re.ASCII):
        return None
    return (
        "a valid config key must consist of alphanumeric characters, '-', '_' or '.' "
        f"(e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '{_KEY}')"
    )


def port_name(value: str) -> str | None:
    """What is wrong with the name of a container's port."""
    if len(value) > 15:
        return "must be no more than 15 characters"
    if not re.fullmatch(r"[-a-z0-9]+", value, re.ASCII):
        return "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"
    if not re.search(r"[a-z]", value):
        return "must contain at least one letter (a-z)"
    if "--" in value:
        return "must not contain consecutive hyphens"
    if value[0] == "-" or value[-1] == "-":
        return "must not begin or end with a hyphen"
    return None


def _cron_job(value: str) -> str | None:
    return "must be no more than 52 characters" if len(value) > 52 else dns_subdomain(value)


_OF_KIND: dict[tuple[str, str], Check] = {
    ("", "Namespace"): dns_label,
    ("", "Service"): service_name,
    ("apps", "StatefulSet"): dns_label,
    ("batch", "CronJob"): _cron_job,
    (RBAC, "Role"): _path_segment,
    (RBAC, "RoleBinding"): _path_segment,
    (RBAC, "ClusterRole"): _path_segment,
    (RBAC, "ClusterRoleBinding"): _path_segment,
}


def metadata(resource: Resource, given: Mapping[str, Any]) -> Iterator[Cause]:
    """What is wrong with an object's own metadata."""
    name = given.get("name", "")
    if not name:
        yield required("metadata.name")
    elif why := _OF_KIND.get((resource.group, resource.kind), dns_subdomain)(name):
        yield invalid("metadata.name", name, why)
    yield from labels(given.get("labels"), "metadata.labels")
    yield from annotations(given.get("annotations"), "metadata.annotations")
    for text in given.get("finalizers") or ():
        if why := label_key(text):
            yield invalid("metadata.finalizers", text, why)
        elif "/" not in text and text not in ("foregroundDeletion", "orphan", "kubernetes"):
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
        if why := label_key(key):
            yield invalid(path, key, why)
        if why := label_value(value):
            yield invalid(path, value, why)


def annotations(given: Mapping[str, str] | None, path: str) -> Iterator[Cause]:
    """What is wrong with annotations."""
    for key in given or ():
        if why := label_key(key.lower()):
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
        if why_key := label_key(rule.get("key", "")):
            yield invalid(f"{here}.key", rule.get("key", ""), why_key)
        for value in values or ():
            if why_value := label_value(value):
                yield invalid(f"{here}.values", value, why_value)
