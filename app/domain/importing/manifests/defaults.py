"""What a server writes into objects by itself: no part of what their author said.

The defaults are those of the Kubernetes API reference: what a server takes a field for that is left
out. Where an object says the same as the default, leaving it out loses nothing.
"""

from collections.abc import Mapping
from typing import Any

SERVED = {
    "creationTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "selfLink",
    "uid",
}
"""Fields of metadata that the server sets."""
ASSIGNED = {"clusterIP", "clusterIPs", "healthCheckNodePort", "ipFamilies"}
"""Fields of a Service's spec that the server chooses."""

_NO = {
    "hostIPC",
    "hostNetwork",
    "hostPID",
    "immutable",
    "optional",
    "paused",
    "publishNotReadyAddresses",
    "readOnly",
    "setHostnameAsFQDN",
    "shareProcessNamespace",
    "stdin",
    "stdinOnce",
    "suspend",
    "tty",
}
"""Fields that are false when they are left out."""
_DEFAULTS: Mapping[str, Any] = {
    "allocateLoadBalancerNodePorts": True,
    "defaultMode": 420,
    "dnsPolicy": "ClusterFirst",
    "enableServiceLinks": True,
    "internalTrafficPolicy": "Cluster",
    "ipFamilyPolicy": "SingleStack",
    "maxSurge": 0,
    "nodePort": 0,
    "ordinals": {"start": 0},
    "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
    "podReplacementPolicy": "TerminatingOrFailed",
    "preemptionPolicy": "PreemptLowerPriority",
    "recursiveReadOnly": "Disabled",
    "restartPolicy": "Always",
    "schedulerName": "default-scheduler",
    "sessionAffinity": "None",
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
    "volumeMode": "Filesystem",
}
_NEIGHBOURS: Mapping[str, str] = {
    # In the network of its node, a container has these ports anyway.
    "hostPort": "containerPort",
    "serviceAccount": "serviceAccountName",
    "targetPort": "port",
}
"""Fields that say what a neighbour says when they are left out."""


def says_nothing(key: str, value: Any, beside: Mapping[str, Any]) -> bool:
    """Whether a field that is left out would mean the same; `beside` are its neighbours."""
    if key in _NO:
        return value is None or value is False
    said = beside.get(_NEIGHBOURS[key]) if key in _NEIGHBOURS else _DEFAULTS.get(key)
    return value is None or bool(value == said)
