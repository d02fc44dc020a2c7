"""What is kept of an object that is followed: what its health hangs on, and no more.

Whoever asks how an object is doing never looks at what a pod is made of, only at what became of it.
"""

from itertools import islice
from typing import Any

_UNREAD = frozenset(
    {
        "affinity",
        "args",
        "command",
        "env",
        "envFrom",
        "ephemeralContainers",
        "jobTemplate",
        "kubectl.kubernetes.io/last-applied-configuration",
        "managedFields",
        "securityContext",
        "template",
        "tolerations",
        "topologySpreadConstraints",
        "volumeClaimTemplates",
        "volumeDevices",
        "volumeMounts",
        "volumes",
    }
)
"""Fields that no rule of health reads, wherever they are, and that are most of an object."""
_LONGEST = 4_096
"""Characters of a text; rules read 2,400 at the most."""
_MOST = 1_000
"""Entries of a list or a mapping."""


def trimmed(value: Any) -> Any:
    """An object, or a part of one, without what nobody looks at; texts and lists are cut.

    The value is not changed. It is nested no deeper than what `answers.read` lets in.
    """
    if type(value) is str:
        return value if len(value) <= _LONGEST else value[:_LONGEST]
    if isinstance(value, dict):
        kept = ((name, each) for name, each in value.items() if name not in _UNREAD)
        return {name[:_LONGEST]: trimmed(each) for name, each in islice(kept, _MOST)}
    if type(value) is list:
        return [trimmed(each) for each in islice(value, _MOST)]
    return value
