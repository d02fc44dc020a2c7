"""The official client, typed and dynamic: what it cannot read, nobody can."""

import asyncio
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

import pytest
import yaml

from tests.kubernetes.asking import Api
from tests.kubernetes.clusters import Cluster
from tests.kubernetes.objects import (
    autoscaler,
    claim,
    config_map,
    container,
    cron_job,
    daemon_set,
    deployment,
    ingress,
    job,
    service,
    stateful_set,
)

pytestmark = pytest.mark.api

Found = TypeVar("Found")

KINDS = {
    "v1": ("Pod", "Service", "ConfigMap", "Secret", "Namespace", "PersistentVolumeClaim", "Event"),
    "apps/v1": ("Deployment", "StatefulSet", "DaemonSet"),
    "batch/v1": ("Job", "CronJob"),
    "networking.k8s.io/v1": ("Ingress", "NetworkPolicy"),
    "autoscaling/v2": ("HorizontalPodAutoscaler",),
    "apiextensions.k8s.io/v1": ("CustomResourceDefinition",),
}


async def asked(cluster: Cluster, api: Api, work: Callable[[Any], Found]) -> Found:
    """Do something with an official client, which blocks: in a thread."""
    # The package takes seconds to import, so nobody pays for it who does not run these.
    from kubernetes import client, config  # noqa: PLC0415

    def run() -> Found:
        loaded = yaml.safe_load(cluster.kubeconfig(api.namespace))
        settings = client.Configuration()
        config.load_kube_config_from_dict(loaded, client_configuration=settings)
        with closing(client.ApiClient(settings)) as official:
            return work(official)

    return await asyncio.to_thread(run)


async def test_the_dynamic_client_finds_kinds(cluster: Cluster, api: Api, tmp_path: Path) -> None:
    def work(official: Any) -> set[tuple[str, str]]:
        from kubernetes import dynamic  # noqa: PLC0415

        found = dynamic.DynamicClient(official, cache_file=str(tmp_path / "discovery"))
        return {
            (version, found.resources.get(api_version=version, kind=kind).kind)
            for version, kinds in KINDS.items()
            for kind in kinds
        }

    expected = {(version, kind) for version, kinds in KINDS.items() for kind in kinds}
    assert await asked(cluster, api, work) == expected


async def test_the_dynamic_client_patches(cluster: Cluster, api: Api, tmp_path: Path) -> None:
    await api.made(config_map("a", old="1"))
    operations = [{"op": "move", "from": "/data/old", "path": "/data/new"}]

    def work(official: Any) -> tuple[dict[str, str], dict[str, str]]:
        from kubernetes import dynamic  # noqa: PLC0415

        found = dynamic.DynamicClient(official, cache_file=str(tmp_path / "discovery"))
        maps = found.resources.get(api_version="v1", kind="ConfigMap")
        patched = maps.patch(
            name="a",
            namespace=api.namespace,
            body=operations,
            content_type="application/json-patch+json",
        )
        applied = maps.server_side_apply(
            body=config_map("b", key="1"),
            name="b",
            namespace=api.namespace,
            field_manager="one",
        )
        return patched.to_dict()["data"], applied.to_dict()["data"]

    assert await asked(cluster, api, work) == ({"new": "1"}, {"key": "1"})


async def test_the_typed_client(cluster: Cluster, api: Api) -> None:
    name = f"{api.namespace}-typed"
    await api.made(deployment("a", replicas=0))

    def work(official: Any) -> tuple[str, str, bool, str, int]:
        from kubernetes import client  # noqa: PLC0415

        core, apps = client.CoreV1Api(official), client.AppsV1Api(official)
        wanted = client.V1Namespace(metadata=client.V1ObjectMeta(name=name))
        made = core.create_namespace(wanted)
        read = core.read_namespace(name)
        listed = core.list_namespace()
        core.delete_namespace(name)
        typed = apps.read_namespaced_deployment("a", api.namespace)
        return (
            made.metadata.name,
            read.status.phase,
            name in {each.metadata.name for each in listed.items},
            typed.spec.template.spec.containers[0].name,
            typed.spec.replicas,
        )

    assert await asked(cluster, api, work) == (name, "Active", True, "web", 0)


@pytest.mark.pods
async def test_the_typed_client_reads_what_controllers_write(cluster: Cluster, api: Api) -> None:
    """Its models refuse an object that lacks a field which the API calls required."""
    template = {"metadata": {"name": "data"}, "spec": claim("data")["spec"]}
    for obj in (
        deployment("a", container("registry.example.test/crash:1")),
        stateful_set("b", volumeClaimTemplates=[template]),
        daemon_set("c"),
        job("d"),
        cron_job("e", "@every 1s"),
        service("b", type="LoadBalancer"),
        autoscaler("f", "a", least=2),
        ingress("b"),
    ):
        await api.made(obj)
    await api.until("Job", "d", lambda obj: "completionTime" in obj.get("status", {}))
    await api.until("StatefulSet", "b", lambda obj: obj["status"].get("readyReplicas") == 1)
    await api.until("CronJob", "e", lambda obj: "lastScheduleTime" in obj.get("status", {}))
    await api.until_some(
        "Event", lambda events: any(each["reason"] == "BackOff" for each in events)
    )

    def work(official: Any) -> dict[str, bool]:
        from kubernetes import client  # noqa: PLC0415

        core, apps, batch = (
            client.CoreV1Api(official),
            client.AppsV1Api(official),
            client.BatchV1Api(official),
        )
        scaling, networking = client.AutoscalingV2Api(official), client.NetworkingV1Api(official)
        discovery = client.DiscoveryV1Api(official)
        lists = (
            core.list_namespaced_pod,
            core.list_namespaced_event,
            core.list_namespaced_service,
            core.list_namespaced_persistent_volume_claim,
            core.list_namespaced_service_account,
            apps.list_namespaced_deployment,
            apps.list_namespaced_replica_set,
            apps.list_namespaced_stateful_set,
            apps.list_namespaced_daemon_set,
            apps.list_namespaced_controller_revision,
            batch.list_namespaced_job,
            batch.list_namespaced_cron_job,
            scaling.list_namespaced_horizontal_pod_autoscaler,
            networking.list_namespaced_ingress,
            discovery.list_namespaced_endpoint_slice,
        )
        found = {each.__name__: bool(each(api.namespace).items) for each in lists}
        found["list_node"] = bool(core.list_node().items)
        found["list_persistent_volume"] = bool(core.list_persistent_volume().items)
        return found

    found = await asked(cluster, api, work)
    assert [name for name, some in found.items() if not some] == []
