"""What a sandbox cluster has before anybody asks: namespaces, a node, classes."""

from app.sandbox.cluster import VERSION, Cluster
from app.sandbox.node import ADDRESS, NAME, NETWORK, NOTHING_RUNS
from app.sandbox.objects import Object
from app.sandbox.store import stamp

_AMOUNTS = {"cpu": "8", "memory": "32Gi", "pods": "110", "ephemeral-storage": "100Gi"}


def begin(cluster: Cluster) -> None:
    """Make the first objects."""
    registry, store = cluster.registry, cluster.store
    for name in ("default", "kube-system", "kube-public", "kube-node-lease"):
        store.create(
            registry.of("Namespace", ""),
            {
                "metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": name}},
                "spec": {"finalizers": ["kubernetes"]},
                "status": {"phase": "Active"},
            },
        )
    store.create(registry.of("Node"), _node(stamp(store.now())))
    store.create(
        registry.of("IngressClass"),
        {
            "metadata": {
                "name": "sandbox",
                "annotations": {"ingressclass.kubernetes.io/is-default-class": "true"},
            },
            "spec": {"controller": "sandbox.invalid/ingress"},
        },
    )
    _storage(cluster, "standard", "Immediate", default=True)
    _storage(cluster, "standard-late", "WaitForFirstConsumer", default=False)


def _storage(cluster: Cluster, name: str, mode: str, *, default: bool) -> None:
    mark = {"storageclass.kubernetes.io/is-default-class": "true"} if default else {}
    cluster.store.create(
        cluster.registry.of("StorageClass"),
        {
            "metadata": {"name": name, "annotations": mark},
            "provisioner": "sandbox.invalid/storage",
            "reclaimPolicy": "Delete",
            "volumeBindingMode": mode,
            "allowVolumeExpansion": default,
        },
    )


def _node(now: str) -> Object:
    conditions = {
        "MemoryPressure": ("False", "KubeletHasSufficientMemory"),
        "DiskPressure": ("False", "KubeletHasNoDiskPressure"),
        "PIDPressure": ("False", "KubeletHasSufficientPID"),
        "Ready": ("True", "KubeletReady"),
    }
    return {
        "metadata": {
            "name": NAME,
            "labels": {
                "kubernetes.io/hostname": NAME,
                "kubernetes.io/os": "linux",
                "kubernetes.io/arch": "amd64",
                "node-role.kubernetes.io/control-plane": "",
            },
        },
        "spec": {"podCIDR": f"{NETWORK}.0/24", "providerID": f"sandbox://{NAME}"},
        "status": {
            "capacity": dict(_AMOUNTS),
            "allocatable": dict(_AMOUNTS),
            "conditions": [
                {
                    "type": kind,
                    "status": status,
                    "reason": reason,
                    "message": NOTHING_RUNS,
                    "lastHeartbeatTime": now,
                    "lastTransitionTime": now,
                }
                for kind, (status, reason) in conditions.items()
            ],
            "addresses": [
                {"type": "InternalIP", "address": ADDRESS},
                {"type": "Hostname", "address": NAME},
            ],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
            "nodeInfo": {
                "machineID": "",
                "systemUUID": "",
                "bootID": "",
                "kernelVersion": "none",
                "osImage": "Sandbox",
                "containerRuntimeVersion": "none://0",
                "kubeletVersion": VERSION,
                "kubeProxyVersion": "",
                "operatingSystem": "linux",
                "architecture": "amd64",
            },
        },
    }
