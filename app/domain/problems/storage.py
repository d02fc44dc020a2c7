"""Mounts: each at a path of its own, of something that is there, with the keys it has."""

from collections.abc import Iterator

from app.domain.node import WorkflowNode
from app.domain.nodes.configmap import ConfigMapNodeData
from app.domain.nodes.deployment import DeploymentNodeData
from app.domain.nodes.persistentvolumeclaim import PersistentVolumeClaimNodeData
from app.domain.nodes.secret import SecretNodeData
from app.domain.nodes.statefulset import StatefulSetNodeData
from app.domain.pod import MountUsage, VolumeMount, VolumeMountType
from app.domain.problems.scene import Problem, ProblemCode, Scene, Severity, at
from app.domain.storage import AccessMode
from app.domain.workload import WorkloadData, default_mount_path

_NODE_TYPES = {
    VolumeMountType.CONFIG_MAP: "configmap",
    VolumeMountType.SECRET: "secret",
    VolumeMountType.PERSISTENT_VOLUME_CLAIM: "persistentvolumeclaim",
}
_ALONE = {AccessMode.READ_WRITE_ONCE, AccessMode.READ_WRITE_ONCE_POD}


def mounts(scene: Scene) -> Iterator[Problem]:
    """Two mounts can't be at one path, and a mount's source is there."""
    for node, data in scene.each(WorkloadData):
        yield from _left_behind(scene, node, data)
        taken: dict[str, str] = {}
        if isinstance(data, StatefulSetNodeData):
            for i, claim in enumerate(data.volume_claim_templates):
                path = (claim.mount_path or f"/data/{claim.name}").rstrip("/")
                if path in taken:
                    where = ("volume_claim_templates", i, "mount_path")
                    yield _conflict(node, *where, path=path, first=taken[path], second=claim.name)
                taken.setdefault(path, claim.name)
        for i, mount in enumerate(data.volume_mounts):
            if mount.node_id is None and _source(scene, mount, data) is None:
                yield at(
                    node,
                    "volume_mounts",
                    i,
                    "name",
                    code=ProblemCode.REFERENCE_DANGLING,
                    severity=Severity.WARNING,
                    says=f"No {_NODE_TYPES[mount.type]} on the canvas is called {mount.name}: "
                    f"connect it, unless it is on the cluster already.",
                )
            if mount.usage is MountUsage.ENVIRONMENT:
                continue
            path = (mount.mount_path or default_mount_path(mount.type, mount.name or "")).rstrip(
                "/"
            )
            if path in taken:
                where = ("volume_mounts", i, "mount_path")
                yield _conflict(node, *where, path=path, first=taken[path], second=mount.name or "")
            taken.setdefault(path, mount.name or "")


def _conflict(node: WorkflowNode, *where: str | int, path: str, first: str, second: str) -> Problem:
    return at(
        node,
        *where,
        code=ProblemCode.MOUNT_CONFLICT,
        severity=Severity.ERROR,
        says=f"{first} is mounted at {path or '/'} already: write another mount path for {second}.",
    )


def _left_behind(scene: Scene, node: WorkflowNode, data: WorkloadData) -> Iterator[Problem]:
    """A mount that came with an edge which is gone; reading drops it."""
    linked = {mount.node_id for mount in data.volume_mounts}
    stored = scene.canvas.nodes[node.id].data
    for i, mount in enumerate(stored.volume_mounts if isinstance(stored, WorkloadData) else ()):
        if mount.node_id is not None and mount.node_id not in linked:
            yield at(
                node,
                "volume_mounts",
                i,
                "node_id",
                code=ProblemCode.MOUNT_WITHOUT_EDGE,
                severity=Severity.WARNING,
                says=f"No edge leads here from {mount.name or mount.node_id}, so it is not "
                f"mounted: draw the edge, or clear the node id to mount it by name.",
            )


def _source(scene: Scene, mount: VolumeMount, data: WorkloadData) -> WorkflowNode | None:
    if mount.node_id is not None:
        return scene.nodes.get(mount.node_id)
    return scene.named(_NODE_TYPES[mount.type], mount.name or "", data)


def keys(scene: Scene) -> Iterator[Problem]:
    """The keys that a mount picks are there."""
    for node, data in scene.each(WorkloadData):
        for i, mount in enumerate(data.volume_mounts):
            source = _source(scene, mount, data)
            if source is None or not mount.items or mount.optional:
                continue
            match source.data:
                case ConfigMapNodeData():
                    have = {*source.data.data, *(source.data.binary_data or {})}
                case SecretNodeData():
                    have = {entry.name for entry in source.data.keys}
                case _:
                    continue
            for key in mount.items:
                if key not in have:
                    yield at(
                        node,
                        "volume_mounts",
                        i,
                        "items",
                        code=ProblemCode.KEY_MISSING,
                        severity=Severity.ERROR,
                        says=f"{source.data.name} has no key {key}: add it there, or remove it "
                        f"here.",
                    )


def claims(scene: Scene) -> Iterator[Problem]:
    """A disk for one node of the cluster can't serve pods on several."""
    for node, data in scene.each(DeploymentNodeData):
        if data.replicas < 2:
            continue
        for i, mount in enumerate(data.volume_mounts):
            source = _source(scene, mount, data)
            if (
                source is not None
                and isinstance(source.data, PersistentVolumeClaimNodeData)
                and _ALONE.issuperset(source.data.access_modes)
            ):
                yield at(
                    node,
                    "volume_mounts",
                    i,
                    code=ProblemCode.CLAIM_SHARED,
                    severity=Severity.WARNING,
                    says=f"{data.replicas} pods share {source.data.name}, which one cluster node "
                    f"at a time can use: write 1 replica, give the claim READ_WRITE_MANY, or use "
                    f"a StatefulSet with claim templates.",
                )
