"""StatefulSets read back, with the disks of their pods."""

from app.domain.importing.manifests.form import Form
from app.domain.importing.manifests.mounts import link_mounts
from app.domain.importing.manifests.objects import Source, at, items
from app.domain.importing.manifests.pods import read_pods
from app.domain.importing.manifests.reader import Reader
from app.domain.importing.manifests.scene import Scene
from app.domain.nodes.statefulset import own_service

_CLAIMS = ("spec", "volumeClaimTemplates")
_CONTAINERS = ("spec", "template", "spec", "containers")


def read(form: Form, source: Source, scene: Scene) -> None:
    claims = {
        str(at(claim, "metadata", "name")): claim for _, claim in items(at(form.object, *_CLAIMS))
    }
    read_pods(form, source, scene, serves=True, disks=claims)
    form.take("replicas", "spec", "replicas")
    # A Service that the node makes by itself is no other Service's name.
    if at(form.object, "spec", "serviceName") != own_service(source.name):
        form.take("service_name", "spec", "serviceName")
    form.take("update_strategy", "spec", "updateStrategy", "type")
    form.take("partition", "spec", "updateStrategy", "rollingUpdate", "partition")
    form.take("pod_management_policy", "spec", "podManagementPolicy")
    form.take("min_ready_seconds", "spec", "minReadySeconds")
    form.take("revision_history_limit", "spec", "revisionHistoryLimit")
    _read_disks(form, source)


def _read_disks(form: Form, source: Source) -> None:
    """Claims with the places where the containers see them.

    In what a workflow has made, a disk without a place of its own wanted one that was taken.
    """
    places: dict[str, object] = {}
    for _, container in items(at(form.object, *_CONTAINERS)):
        for _, mount in items(container.get("volumeMounts")):
            places.setdefault(str(mount.get("name")), mount.get("mountPath"))
    for i, claim in items(at(form.object, *_CLAIMS)):
        name = at(claim, "metadata", "name")
        place = places.get(str(name))
        if place is None and source.workflow is not None:
            place = next(iter(places.values()), None)
        made = {
            "name": name,
            "storage_class_name": at(claim, "spec", "storageClassName"),
            "access_modes": at(claim, "spec", "accessModes"),
            "storage": at(claim, "spec", "resources", "requests", "storage"),
            "mount_path": place,
        }
        form.add("volume_claim_templates", made, *_CLAIMS, str(i))


READER = Reader(frozenset({("apps", "StatefulSet")}), read, link_mounts)
