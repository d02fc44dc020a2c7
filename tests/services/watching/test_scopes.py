"""What belongs to the whole cluster is not for who is held to some of its namespaces, whatever
namespace its manifest names."""

from typing import Any

import pytest

from app.domain.cluster import ClusterRole
from app.domain.deploying import DeployDraft
from app.domain.errors import Forbidden
from app.domain.health import HealthState
from app.domain.user import Actor
from app.services import Services
from tests.deploying import There, deployments, published
from tests.domain.drawing import node
from tests.kubernetes.asking import ok
from tests.services.watching.placing import Stage

WHOLE = "The workflow has objects that belong to the whole cluster."
PROVIDER = ("providers", "pkg.crossplane.io", "Provider", {"plugin_id": "crossplane"})
CERTIFICATE = (
    "certificates",
    "cert-manager.io",
    "Certificate",
    {"plugin_id": "certmanager", "template_id": "certificate"},
)
FIELDS = {
    "Provider": {"package": "example.com/cloud:v1"},
    "Certificate": {"secretName": "tls", "issuerName": "any", "dnsNames": ["example.com"]},
}


def definition(plural: str, group: str, kind: str) -> dict[str, Any]:
    """Makes the kind one of the whole cluster."""
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"plural": plural, "singular": kind.lower(), "kind": kind}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {"group": group, "scope": "Cluster", "names": names, "versions": [version]},
    }


@pytest.mark.parametrize(("one", "namespace"), [(PROVIDER, None), (CERTIFICATE, "shop")])
async def test_who_is_held_to_namespaces(
    *,
    services: Services,
    owner: Actor,
    stranger: Actor,
    there: There,
    one: tuple[str, str, str, dict[str, Any]],
    namespace: str | None,
) -> None:
    plural, group, kind, names = one

    async def share(*only: str, role: ClusterRole) -> None:
        await services.sharing.share(
            owner, there.known.id, "stranger@example.com", role=role, namespaces=only
        )

    stage = Stage(services, stranger)
    whole = node(
        "plugin",
        "whole",
        name="whole",
        fields=FIELDS[kind],
        **names,
    )
    settings = node("configmap", "settings", name="settings", data={"a": "b"})
    async with there.cluster.client() as http:
        path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
        ok(await http.post(path, json=definition(plural, group, kind)), 201)
    await share(role=ClusterRole.DEPLOYER)
    workflow = await published(services, stranger, there, nodes=[whole, settings], edges=())
    deploys = deployments(services)
    run = await deploys.deploy(stranger, DeployDraft(workflow.id))
    planned = await stage.inventories.get(workflow.id, there.known.id)
    assert planned is not None
    assert {(each.key.kind, each.key.namespace, each.place) for each in planned.entries} == {
        (kind, namespace, None),
        ("ConfigMap", "shop", "shop"),
    }
    await deploys.cancel(stranger, run.id)
    await stage.deploy(workflow, there)
    await stage.note(workflow, there, planned.entries, version=run.version)
    async with stage.keeping(), stage.watching(workflow.id) as followed:
        await followed.until_all(HealthState.HEALTHY, "settings", "whole")

    assert await stage.drifts.check(stranger, workflow) is not None
    assert await stage.drifts.last(stranger, [workflow.id]) != {}
    assert await stage.shown.of(stranger, [workflow.id]) != {}

    await share("shop", role=ClusterRole.VIEWER)
    with pytest.raises(Forbidden, match=WHOLE):
        await stage.drifts.check(stranger, workflow)
    assert await stage.drifts.last(stranger, [workflow.id]) == {}
    assert await stage.shown.of(stranger, [workflow.id]) == {}
    with pytest.raises(Forbidden, match=WHOLE):
        async with stage.watching(workflow.id) as followed:
            await followed.next()
    with pytest.raises(Forbidden, match=WHOLE):
        await services.inspecting.diagnose(stranger, workflow, "whole")
    assert (await services.inspecting.diagnose(stranger, workflow, "settings")) is not None
