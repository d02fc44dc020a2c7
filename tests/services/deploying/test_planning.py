"""Plans that people look at: what is in them, who may make them, and how they are kept."""

from collections.abc import Mapping
from datetime import timedelta

import pytest

from app.documents.plans import PlanStore
from app.domain.cluster import ClusterRole
from app.domain.deploying import DeployDraft, PlanDraft
from app.domain.editing import AddNode, NodeDraft, RemoveNode, UpdateNode
from app.domain.errors import ClusterError, ClusterFault, Conflict, Forbidden, Invalid, NotFound
from app.domain.planning import Plan, PlanAction
from app.domain.problems import Severity
from app.domain.run import RunKind
from app.domain.user import Actor
from app.domain.workflow import Workflow
from app.services import Services
from app.services.deploying.deployments import Deployments
from tests.clusters import bring_in
from tests.commands import commands
from tests.deploying import DEMO_KINDS, DEMO_NODES, There, bring, demo_values, published
from tests.domain.drawing import deployment, node
from tests.kubernetes.asking import ok
from tests.services.deploying.byhand import carried_out

CREATED = {PlanAction.CREATE}


def actions(plan: Plan) -> dict[str, PlanAction]:
    """By kind and name, without those that stay."""
    return {
        f"{one.key.kind} {one.key.name}": one.action
        for one in plan.objects
        if one.action is not PlanAction.UNCHANGED
    }


def missing(plan: Plan) -> Mapping[str, tuple[str, ...]]:
    return {one.node_id: one.keys for one in plan.missing_secret_keys}


def told(plan: Plan) -> list[tuple[str, str | None]]:
    return [(one.code, one.node_id) for one in plan.problems]


async def test_the_demo_application_is_all_to_be_made(
    deploys: Deployments, owner: Actor, there: There, shop: Workflow
) -> None:
    stored = await deploys.plan(owner, PlanDraft(shop.id))
    assert tuple(one.key.kind for one in stored.plan.objects) == DEMO_KINDS
    assert {one.action for one in stored.plan.objects} == CREATED
    assert {one.key.namespace for one in stored.plan.objects} == {there.namespace}
    assert stored.plan.problems == ()
    assert missing(stored.plan) == {
        "credentials": ("api-token",),
        "web": ("DATABASE_PASSWORD",),
    }
    assert (stored.cluster_id, stored.namespace) == (there.known.id, there.namespace)
    assert (stored.revision, stored.kind, stored.version) == (2, RunKind.DEPLOY, None)
    assert stored.expires_at - stored.created_at == timedelta(hours=1)
    assert await PlanStore().get(stored.id) == stored
    assert ok(await there.api.get("ConfigMap"))["items"][1:] == []  # the cluster's own authority


async def deployed(
    services: Services, deploys: Deployments, owner: Actor, there: There, shop: Workflow
) -> None:
    run = await deploys.deploy(owner, DeployDraft(shop.id, values=demo_values()))
    await carried_out(services, there, run)


async def test_only_what_has_changed_is_in_the_next_plan(
    services: Services, deploys: Deployments, owner: Actor, there: There, shop: Workflow
) -> None:
    await deployed(services, deploys, owner, there, shop)
    again = await deploys.plan(owner, PlanDraft(shop.id))
    assert actions(again.plan) == {}
    assert (again.plan.problems, missing(again.plan)) == ((), {})

    web = next(one for one in DEMO_NODES if one.id == "web")
    data = web.data.model_copy(update={"image": "nginx:1.30"})
    change = [
        UpdateNode("web", data),
        RemoveNode("report"),
        AddNode(node("configmap", "words", name="words", data={"a": "b"})),
    ]
    await services.workflows.edit(owner, shop.id, change, expected=shop.revision)
    stored = await deploys.plan(owner, PlanDraft(shop.id))
    assert actions(stored.plan) == {
        "ConfigMap words": PlanAction.CREATE,
        "Deployment web": PlanAction.UPDATE,
        "CronJob report": PlanAction.DELETE,
    }
    [web_planned] = [one for one in stored.plan.objects if one.key.kind == "Deployment"]
    assert [(one.path, one.before, one.after) for one in web_planned.changes] == [
        ("spec.template.spec.containers[web].image", "nginx:1.29", "nginx:1.30")
    ]


async def test_a_rollback_and_an_undeploy_are_planned_the_same_way(
    services: Services, deploys: Deployments, owner: Actor, there: There, shop: Workflow
) -> None:
    await deployed(services, deploys, owner, there, shop)
    change = [RemoveNode("report"), AddNode(node("configmap", "words", name="words"))]
    edited = await services.workflows.edit(owner, shop.id, change, expected=shop.revision)
    back = await deploys.plan(owner, PlanDraft(shop.id, kind=RunKind.ROLLBACK, version=1))
    assert (actions(back.plan), back.version, back.revision) == ({}, 1, edited.revision)

    away = await deploys.plan(owner, PlanDraft(shop.id, kind=RunKind.UNDEPLOY))
    assert sorted(one.key.kind for one in away.plan.objects) == sorted(DEMO_KINDS)
    assert {one.action for one in away.plan.objects} == {PlanAction.DELETE}
    assert [one.key.name for one in away.plan.kept] == ["data-database-0"]
    assert told(away.plan) == [("KEPT", "database")]


async def test_what_a_plan_cannot_be_made_of(
    services: Services, deploys: Deployments, owner: Actor, there: There, shop: Workflow
) -> None:
    lost = shop.id.translate(str.maketrans("0123456789abcdef", "fedcba9876543210"))
    elsewhere = type(shop.id)(lost)
    for draft, error, path in (
        (PlanDraft(elsewhere), NotFound, ["workflowId"]),
        (PlanDraft(shop.id, cluster_id=elsewhere), NotFound, ["clusterId"]),
        (PlanDraft(shop.id, kind=RunKind.ROLLBACK, version=1), NotFound, ["version"]),
        (PlanDraft(shop.id, kind=RunKind.ROLLBACK), Invalid, ("version",)),
        (PlanDraft(shop.id, version=1), Invalid, ("version",)),
        (PlanDraft(shop.id, kind=RunKind.UNDEPLOY), Conflict, None),
    ):
        with pytest.raises(error) as refused:
            await deploys.plan(owner, draft)
        assert refused.value.path == (list(path) if path is not None else None)


async def test_only_published_workflows_are_planned(
    services: Services, deploys: Deployments, owner: Actor, there: There, shop: Workflow
) -> None:
    await services.workflows.archive(owner, shop.id)
    with pytest.raises(Forbidden, match="Publish it first"):
        await deploys.plan(owner, PlanDraft(shop.id))
    copy = await services.workflows.clone(owner, shop.id)
    with pytest.raises(Forbidden, match="Publish it first"):
        await deploys.plan(owner, PlanDraft(copy.id))
    await services.workflows.publish(owner, copy.id)
    await services.workflows.update(owner, copy.id, {"cluster_id": None})
    with pytest.raises(Forbidden, match="Choose one first"):
        await deploys.plan(owner, PlanDraft(copy.id))
    named = await deploys.plan(owner, PlanDraft(copy.id, cluster_id=there.known.id))
    assert {one.action for one in named.plan.objects} == CREATED


async def test_an_archived_workflow_can_still_be_undeployed(
    services: Services, deploys: Deployments, owner: Actor, there: There, shop: Workflow
) -> None:
    await deployed(services, deploys, owner, there, shop)
    await services.workflows.archive(owner, shop.id)
    await services.workflows.publish(owner, shop.id)
    await services.workflows.update(owner, shop.id, {"cluster_id": None})
    await services.workflows.archive(owner, shop.id)
    away = await deploys.plan(owner, PlanDraft(shop.id, kind=RunKind.UNDEPLOY))
    assert (away.cluster_id, away.namespace) == (there.known.id, there.namespace)
    assert away.plan.summary.delete == len(DEMO_KINDS)


async def test_a_stranger_finds_nothing(
    deploys: Deployments, stranger: Actor, shop: Workflow
) -> None:
    for kind in RunKind:
        with pytest.raises(NotFound) as refused:
            await deploys.plan(stranger, PlanDraft(shop.id, kind=kind))
        assert refused.value.path == ["workflowId"]


def plugin(id_: str, template: str, **fields: object) -> NodeDraft:
    return node("plugin", "p", name="p", plugin_id=id_, template_id=template, fields=fields)


async def shared(
    services: Services, owner: Actor, guest: Actor, there: There, role: ClusterRole, *only: str
) -> Workflow:
    """The guest's workflow on the owner's cluster."""
    await services.sharing.share(
        owner, there.known.id, email=guest.user.email, role=role, namespaces=list(only)
    )
    return await published(services, guest, there)


async def test_a_viewer_does_not_deploy(
    services: Services, deploys: Deployments, owner: Actor, stranger: Actor, there: There
) -> None:
    theirs = await shared(services, owner, stranger, there, ClusterRole.VIEWER)
    with pytest.raises(Forbidden, match="this takes DEPLOYER"):
        await deploys.plan(stranger, PlanDraft(theirs.id))


async def test_a_share_of_some_namespaces_holds_everything_to_them(
    services: Services, deploys: Deployments, owner: Actor, stranger: Actor, there: There
) -> None:
    only = there.namespace
    theirs = await shared(services, owner, stranger, there, ClusterRole.DEPLOYER, only)
    good = await deploys.plan(stranger, PlanDraft(theirs.id))
    assert {one.action for one in good.plan.objects} == CREATED
    with pytest.raises(Forbidden, match="objects in default"):
        await deploys.plan(stranger, PlanDraft(theirs.id, namespace="default"))

    far = node("configmap", "far", name="far", namespace="kube-system")
    theirs = await services.workflows.edit(
        stranger, theirs.id, [AddNode(far)], expected=theirs.revision
    )
    with pytest.raises(Forbidden, match="objects in kube-system"):
        await deploys.plan(stranger, PlanDraft(theirs.id))
    whole = plugin("certmanager", "clusterissuer", email="nobody@example.com")
    theirs = await services.workflows.edit(
        stranger, theirs.id, [RemoveNode("far"), AddNode(whole)], expected=theirs.revision
    )
    with pytest.raises(Forbidden, match="belong to the whole cluster"):
        await deploys.plan(stranger, PlanDraft(theirs.id))


async def test_a_namespace_in_a_manifest_does_not_make_its_kind_namespaced(
    services: Services, deploys: Deployments, owner: Actor, stranger: Actor, there: There
) -> None:
    """It is the cluster that says whether the namespace means anything."""
    names = {"plural": "certificates", "singular": "certificate", "kind": "Certificate"}
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "certificates.cert-manager.io"},
        "spec": {"group": "cert-manager.io", "scope": "Cluster", "names": names}
        | {"versions": [version]},
    }
    fields = {"secretName": "tls", "issuerName": "any", "dnsNames": ["example.com"]}
    certificate = plugin("certmanager", "certificate", **fields)
    only = there.namespace
    theirs = await shared(services, owner, stranger, there, ClusterRole.DEPLOYER, only)
    theirs = await services.workflows.save_canvas(
        stranger, theirs.id, [certificate], [], expected=theirs.revision
    )
    await there.api.made(definition)
    try:
        with pytest.raises(Forbidden, match="belong to the whole cluster"):
            await deploys.plan(stranger, PlanDraft(theirs.id))
    finally:
        ok(await there.api.delete("CustomResourceDefinition", "certificates.cert-manager.io"))


async def test_a_share_of_some_namespaces_does_not_prune_in_others(
    services: Services, deploys: Deployments, owner: Actor, stranger: Actor, there: There
) -> None:
    theirs = await shared(services, owner, stranger, there, ClusterRole.DEPLOYER)
    await deployed(services, deploys, stranger, there, theirs)
    await services.sharing.share(
        owner,
        there.known.id,
        email=stranger.user.email,
        role=ClusterRole.DEPLOYER,
        namespaces=["default"],
    )
    for draft in (
        PlanDraft(theirs.id, namespace="default"),
        PlanDraft(theirs.id, kind=RunKind.UNDEPLOY),
    ):
        with pytest.raises(Forbidden) as forbidden:
            await deploys.plan(stranger, draft)
        assert forbidden.value.message == (
            "This cluster is shared with you in these namespaces only: default. The workflow has "
            f"objects in {there.namespace}. What an earlier run has made there would be deleted: "
            "ask the cluster's owner to let you deploy there again, or somebody who may to "
            "undeploy the workflow."
        )


async def test_what_stands_in_the_way_is_in_the_plan(
    services: Services, deploys: Deployments, owner: Actor, there: There, shop: Workflow
) -> None:
    taken = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}}
    await there.api.made(taken)
    stored = await deploys.plan(owner, PlanDraft(shop.id))
    assert told(stored.plan) == [("NOT_OWNED", "settings")]
    assert [one.code for one in stored.plan.obstacles] == [
        "NOT_OWNED",
        "SECRET_VALUES_MISSING",
        "SECRET_VALUES_MISSING",
    ]
    nowhere = await deploys.plan(owner, PlanDraft(shop.id, namespace="not-there"))
    assert told(nowhere.plan) == [("NAMESPACE_MISSING", None)]
    none = await deploys.plan(owner, PlanDraft(shop.id, namespace="../../default?x="))
    assert {one.code for one in none.plan.problems} == {"INVALID"}


async def test_the_problems_of_the_canvas_are_in_the_plan(
    services: Services, deploys: Deployments, owner: Actor, there: There
) -> None:
    twins = [node("configmap", id_, name="same") for id_ in ("a", "b")]
    workflow = await published(services, owner, there, nodes=twins, edges=[])
    stored = await deploys.plan(owner, PlanDraft(workflow.id))
    assert [(one.code, one.severity) for one in stored.plan.problems] == [
        ("NAME_TAKEN", Severity.ERROR)
    ]


async def test_rights_that_are_missing_are_told_before_anything_is_done(
    services: Services, deploys: Deployments, owner: Actor, there: There, shop: Workflow
) -> None:
    async with there.cluster.lend() as token:
        weak = await bring(services, owner, there.cluster, token=token)
        stored = await deploys.plan(owner, PlanDraft(shop.id, cluster_id=weak.id))
    assert {one.action for one in stored.plan.objects} == CREATED
    errors = [one for one in stored.plan.problems if one.severity is Severity.ERROR]
    assert {one.code for one in errors} == {"PERMISSION_MISSING"}
    nodes = {one.id for one in DEMO_NODES}
    assert {one.node_id for one in errors} == nodes
    assert (
        f"The cluster's credentials may not list and watch deployments.apps in the namespace "
        f"{there.namespace}. Have the right given to this account."
    ) in {one.message for one in errors}
    [pods] = [one for one in stored.plan.problems if one.severity is Severity.WARNING]
    assert "list and watch pods" in pods.message


async def test_a_cluster_out_of_reach_is_one_plain_error(
    services: Services, deploys: Deployments, owner: Actor, shop: Workflow
) -> None:
    gone = await bring_in(services, owner)
    with pytest.raises(ClusterError) as failed:
        await deploys.plan(owner, PlanDraft(shop.id, cluster_id=gone.id))
    assert failed.value.fault is ClusterFault.UNREACHABLE


async def test_a_plan_costs_as_many_commands_however_many_nodes_there_are(
    services: Services, deploys: Deployments, owner: Actor, there: There
) -> None:
    few = await published(services, owner, there, nodes=[deployment("a")], edges=[])
    many = [deployment(f"n-{number}") for number in range(120)]
    much = await published(services, owner, there, nodes=many, edges=[])
    await deploys.plan(owner, PlanDraft(few.id))
    with commands.during() as one:
        await deploys.plan(owner, PlanDraft(few.id))
    with commands.during() as hundred:
        stored = await deploys.plan(owner, PlanDraft(much.id))
    assert stored.plan.summary.create == 120
    assert sorted(hundred) == sorted(one)
    assert sorted(one) == ["find", "find", "find", "insert"]


async def test_a_plan_is_kept_however_much_has_changed(
    services: Services, deploys: Deployments, owner: Actor, there: There
) -> None:
    """Each of 20 ConfigMaps has 100 changes of a thousand characters: more than is shown."""

    def maps(letter: str) -> list[NodeDraft]:
        data = {f"k{number}": letter * 600 for number in range(100)}
        return [node("configmap", f"c{i}", name=f"c{i}", data=data) for i in range(20)]

    workflow = await published(services, owner, there, nodes=maps("a"), edges=[])
    run = await deploys.deploy(owner, DeployDraft(workflow.id))
    await carried_out(services, there, run)
    await services.workflows.save_canvas(
        owner, workflow.id, maps("ü"), [], expected=workflow.revision
    )
    stored = await deploys.plan(owner, PlanDraft(workflow.id))
    kept = await PlanStore().get(stored.id)
    assert kept == stored
    shown = [len(one.changes) for one in stored.plan.objects]
    assert (shown[0], shown[-1]) == (100, 0)
    hidden = [risk for one in stored.plan.objects for risk in one.risks]
    assert {risk.code.value for risk in hidden} == {"CHANGES_NOT_SHOWN"}
    run = await deploys.deploy(owner, DeployDraft(workflow.id, plan_id=stored.id))
    assert run.version == 2
