"""Which refusals mean that a field can't be changed any more, and what to do about each kind.

The API server says it in words (status 422, webhooks with 400 or 403). A refusal counts only if
every cause of it is of this sort: replacing an object because of a typo would delete it for
nothing. The words of a long object may be cut off, and those of a Secret are never read; there the
field tells.
"""

import enum
import re
from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.errors import ClusterError, StatusCause
from app.domain.planning.objects import ObjectKey

_WORDS = re.compile(
    r"immutable|forbidden: updates to|may not (?:be )?change|cannot change"
    r"|updates to [\w.]+ are forbidden",
    re.IGNORECASE,
)
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"|`[^`]*`')
_STATUSES = frozenset({400, 403, 422})
_CUT = "…"


class Replacing(enum.StrEnum):
    """Whether an object is deleted and made anew when a fixed field has to change."""

    ALLOWED = "allowed"
    """Nothing is lost by it."""
    AFTER_CONSENT = "after_consent"
    """Something stops or changes its address meanwhile: only if it was planned and agreed to."""
    REFUSED = "refused"
    """Data or everything inside would be lost: never done by a deploy."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """What is fixed of a kind. `fields` are those whose refusal means it even without words."""

    replacing: Replacing
    fields: frozenset[str]
    advice: str
    """What replacing it does, or where it is refused what to do instead; whole sentences."""


def _fixed(replacing: Replacing, advice: str, *fields: str) -> Fixed:
    return Fixed(replacing, frozenset(fields), advice)


_RESTARTS = "It is deleted and made anew: its pods stop before the new ones start."
_REVALUED = "It is deleted and made anew; pods see the new content when they start again."
_RIGHTS = "It is deleted and made anew: the rights that it gives are away for a moment."
_REMADE = "It is deleted and made anew. What uses it meanwhile may fail."
_JOB = "It is deleted with its pods and runs again from the start."
_RBAC = "rbac.authorization.k8s.io"

FIXED: dict[tuple[str, str], Fixed] = {
    ("apps", "DaemonSet"): _fixed(Replacing.AFTER_CONSENT, _RESTARTS, "spec.selector"),
    ("apps", "Deployment"): _fixed(Replacing.AFTER_CONSENT, _RESTARTS, "spec.selector"),
    ("apps", "ReplicaSet"): _fixed(Replacing.AFTER_CONSENT, _RESTARTS, "spec.selector"),
    ("apps", "StatefulSet"): _fixed(
        Replacing.REFUSED,
        "Undo the change, or give the node another name, which makes a new StatefulSet with empty "
        "disks. To keep pods and disks, delete it with `kubectl delete statefulset "
        "--cascade=orphan` and deploy again: it takes them over.",
        "spec",
    ),
    ("batch", "Job"): _fixed(
        Replacing.ALLOWED,
        _JOB,
        "spec.template",
        "spec.selector",
        "spec.completions",
        "spec.completionMode",
        "spec.podFailurePolicy",
        "spec.successPolicy",
        "spec.backoffLimitPerIndex",
        "spec.managedBy",
    ),
    ("", "PersistentVolumeClaim"): _fixed(
        Replacing.REFUSED,
        "Its data would be lost. Undo the change, or give the node another name, which makes a "
        "new, empty claim, and copy the data over.",
        "spec",
    ),
    ("", "Service"): _fixed(
        Replacing.AFTER_CONSENT,
        "It is deleted and made anew: it gets another address, and connections break.",
        "spec.clusterIP",
        "spec.clusterIPs",
        "spec.clusterIPs[0]",
        "spec.ipFamilies",
        "spec.ipFamilies[0]",
    ),
    ("", "ConfigMap"): _fixed(Replacing.ALLOWED, _REVALUED, "data", "binaryData", "immutable"),
    ("", "Secret"): _fixed(Replacing.ALLOWED, _REVALUED, "data", "immutable", "type"),
    ("", "Pod"): _fixed(Replacing.AFTER_CONSENT, _RESTARTS, "spec"),
    ("", "PersistentVolume"): _fixed(
        Replacing.REFUSED, "What is on it could be lost. Make a new volume of another name."
    ),
    ("", "Namespace"): _fixed(
        Replacing.REFUSED, "Everything in it would be deleted. Use another namespace."
    ),
    ("apiextensions.k8s.io", "CustomResourceDefinition"): _fixed(
        Replacing.REFUSED,
        "Every object of its kind on the cluster would be deleted. Serve a new version of the "
        "kind, or define another one.",
        "spec.scope",
        "spec.group",
        "spec.names.plural",
        "spec.names.kind",
    ),
    (_RBAC, "RoleBinding"): _fixed(Replacing.AFTER_CONSENT, _RIGHTS, "roleRef"),
    (_RBAC, "ClusterRoleBinding"): _fixed(Replacing.AFTER_CONSENT, _RIGHTS, "roleRef"),
    ("storage.k8s.io", "StorageClass"): _fixed(
        Replacing.AFTER_CONSENT, _REMADE, "parameters", "provisioner", "reclaimPolicy"
    ),
    ("networking.k8s.io", "IngressClass"): _fixed(
        Replacing.AFTER_CONSENT, _REMADE, "spec.controller"
    ),
    ("scheduling.k8s.io", "PriorityClass"): _fixed(Replacing.AFTER_CONSENT, _REMADE, "value"),
}
"""By API group and kind. An unlisted kind belongs to an operator, and may stand for a database."""

_UNKNOWN = _fixed(
    Replacing.REFUSED,
    "Undo the change, or give the node another name. What deleting this object would take with it "
    "only its operator knows; if nothing, delete it yourself and deploy again.",
)


def fixed(key: ObjectKey) -> Fixed:
    """What is known of a kind's fixed fields."""
    return FIXED.get((key.group, key.kind), _UNKNOWN)


def immutable_fields(key: ObjectKey, refusal: ClusterError) -> tuple[str, ...] | None:
    """The fields that an update may not change, if that and nothing else is why it was refused.

    Empty when the cluster does not say which; None when the refusal means something else. Only
    meaningful for an object that is there.
    """
    if refusal.status not in _STATUSES:
        return None
    if not refusal.causes:
        said = refusal.message.rpartition(" It says: ")[2]
        return () if _means_it(said) else None
    if not all(_is_fixed(cause, fixed(key).fields) for cause in refusal.causes):
        return None
    return fields_of(refusal.causes)


def fields_of(causes: Sequence[StatusCause]) -> tuple[str, ...]:
    """The fields that causes name, each once."""
    return tuple(dict.fromkeys(cause.field for cause in causes if cause.field))


def _is_fixed(cause: StatusCause, fields: frozenset[str]) -> bool:
    if _means_it(cause.message):
        return True
    unread = not cause.message or _CUT in cause.message
    return (
        unread
        and cause.field in fields
        and cause.reason in {"FieldValueInvalid", "FieldValueForbidden"}
    )


def _means_it(text: str) -> bool:
    """Whether the words are there, outside what the cluster quotes of the object."""
    return _WORDS.search(_QUOTED.sub('""', text)) is not None
