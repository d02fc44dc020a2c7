"""Plans made from what API servers really answer: to golden manifests, changes, and refusals.

Asked over plain HTTP, in the server's own words; what is done with the answers is what a deploy
does.
"""

import copy
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from app.domain import labels
from app.domain.errors import ClusterError
from app.domain.manifest import Manifest, Wave
from app.domain.planning import (
    Consents,
    InventoryEntry,
    Leftover,
    ObjectKey,
    Observed,
    Plan,
    PlanAction,
    Question,
    make_plan,
)
from app.domain.planning.objects import owner_labels
from app.domain.planning.replicas import REPLICAS_MANAGER, ReplicasMove
from app.domain.planning.secretkeys import (
    VALUES_MANAGER,
    ValuesMethod,
    rehearsed,
    values_write,
)
from app.domain.planning.waves import applying
from app.kube.answers import refusal, warnings
from app.kube.endpoint import Endpoint
from tests.domain.test_golden import CASES, compiled
from tests.kubernetes.asking import PLACES, Api, Object, ok, refused

pytestmark = pytest.mark.api

WORKFLOW = "65f000000000000000000001"
ENDPOINT = Endpoint("cluster.example.test:6443")
NOTHING: Mapping[str, Mapping[str, str]] = {}


async def observe(api: Api, manifest: Manifest) -> Observed:
    """What a cluster says of a manifest at one moment: controllers may write in between."""
    while (seen := await _observe(api, manifest)).is_torn:
        pass
    return seen


async def _observe(api: Api, manifest: Manifest) -> Observed:
    """The live object, and a dry run's answer or refusal."""
    key = ObjectKey.of_manifest(manifest)
    if key.kind not in PLACES:
        return Observed(manifest, refusal=_refusal(404, b"404 page not found", key))
    found = await api.get(key.kind, key.name)
    live = ok(found) if found.status_code != 404 else None
    answer = await _apply(api, rehearsed(manifest, live), dryRun="All")
    if answer.status_code >= 400:
        return Observed(manifest, live, refusal=_refusal(answer.status_code, answer.content, key))
    told = tuple(warnings(answer.headers.get_list("warning"), ENDPOINT))
    return Observed(manifest, live, answer.json(), warnings=told)


def _refusal(status: int, raw: bytes, key: ObjectKey) -> ClusterError:
    return refusal(status, raw, {}, ENDPOINT, confidential=key.is_secret)


async def _apply(api: Api, obj: Object, manager: str = labels.MANAGER, **query: str) -> Any:
    query = {"force": "false", "fieldValidation": "Strict", **query}
    return await api.apply(obj, manager, **query)


async def plan_of(api: Api, manifests: Sequence[Manifest], **question: Any) -> Plan:
    left = question.pop("left", ())
    observed = [await observe(api, manifest) for manifest in manifests]
    return make_plan(observed, Question(WORKFLOW, **question), left=left)


async def fill(api: Api, manifests: Sequence[Manifest], values: Mapping[str, str]) -> None:
    """Put the same values into every Secret, as a deploy does before it is queued."""
    for manifest in manifests:
        if not manifest.keys:
            continue
        found = await api.get("Secret", manifest.name)
        live = ok(found) if found.status_code != 404 else None
        write = values_write(manifest, live, manifest.keys, workflow_id=WORKFLOW)
        assert write is not None
        body = write.body(values)
        if write.method is ValuesMethod.CREATE:
            await api.made(body, fieldManager=VALUES_MANAGER)
        else:
            ok(await api.patch("Secret", manifest.name, body=body, fieldManager=VALUES_MANAGER))


async def deploy(api: Api, plan: Plan, manifests: Sequence[Manifest]) -> None:
    """Apply what a plan creates and updates, wave by wave."""
    planned = {one.key.identity: one for one in plan.objects}
    for wave in applying(manifests):
        for manifest in wave:
            one = planned[manifest.identity]
            if one.action is PlanAction.UNCHANGED:
                continue
            step = one.replicas
            if step is not None:
                force = "true" if step.force else "false"
                ok(await _apply(api, step.body, REPLICAS_MANAGER, force=force))
            answer = await _apply(api, manifest.object, force="true" if one.force else "false")
            assert answer.status_code in {200, 201}, answer.text
            if step is not None and step.release is not None:
                ok(await _apply(api, step.release, REPLICAS_MANAGER))


def within(api: Api, manifests: Sequence[Manifest]) -> list[Manifest]:
    """The manifests in the test's namespace; of two that have one name then, the first."""
    moved: dict[Any, Manifest] = {}
    for manifest in manifests:
        obj = copy.deepcopy(manifest.object)
        if manifest.namespace is not None:
            obj["metadata"]["namespace"] = api.namespace
        made = dataclasses.replace(manifest, object=obj)
        moved.setdefault(made.identity, made)
    return list(moved.values())


def actions(plan: Plan) -> dict[str, PlanAction]:
    return {one.key.kind: one.action for one in plan.objects}


VALUES = {
    "tls.crt": "certificate",
    "tls.key": "key",
    ".dockerconfigjson": '{"auths": {}}',
}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}/{case.stem}")
async def test_golden_manifests_are_made_once_and_then_left_alone(api: Api, case: Path) -> None:
    manifests = within(api, compiled(case))
    plan = await plan_of(api, manifests)
    assert {one.action for one in plan.objects} <= {PlanAction.CREATE}
    foreign = {m.node_id for m in manifests if m.kind not in PLACES}
    assert {(p.code, p.node_id) for p in plan.problems} == {("KIND_MISSING", n) for n in foreign}
    needed = {m.node_id for m in manifests if m.keys}
    assert {missing.node_id for missing in plan.missing_secret_keys} == needed

    served = [m for m in manifests if m.node_id not in foreign]
    values = {key: VALUES.get(key, "hunter2") for m in served for key in m.keys}
    await fill(api, served, values)
    plan = await plan_of(api, served)
    assert plan.obstacles == ()
    await deploy(api, plan, served)

    again = await plan_of(api, served)
    assert [one for one in again.objects if one.action is not PlanAction.UNCHANGED] == []
    assert (again.problems, again.missing_secret_keys) == ((), ())
    assert again.hash == (await plan_of(api, served)).hash
    assert "hunter2" not in repr(again)


def of(api: Api, kind: str, version: str, name: str = "web", **body: Any) -> Manifest:
    metadata = {
        "name": name,
        "namespace": api.namespace,
        "labels": {**owner_labels(WORKFLOW), labels.NODE_ID: "n1"},
    }
    keys = body.pop("keys", ())
    obj = {"apiVersion": version, "kind": kind, "metadata": metadata, **body}
    return Manifest("n1", obj, Wave.WORKLOADS, keys)


def pods(image: str = "registry.k8s.io/pause:3.10", **spec: Any) -> Object:
    container = {"name": "web", "image": image}
    return {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container], **spec}}


def deployment(api: Api, app: str = "web", image: str = "pause:1", **spec: Any) -> Manifest:
    template = pods(image)
    template["metadata"]["labels"] = {"app": app}
    selector = {"matchLabels": {"app": app}}
    return of(
        api, "Deployment", "apps/v1", spec={"selector": selector, "template": template, **spec}
    )


async def deployed(api: Api, *manifests: Manifest) -> None:
    await deploy(api, await plan_of(api, manifests), manifests)


async def test_only_the_change_shows(api: Api) -> None:
    config = of(api, "ConfigMap", "v1", data={"a": "1", "b": "2"})
    await deployed(api, config, deployment(api, replicas=2))
    plan = await plan_of(api, [config, deployment(api, image="pause:2")])
    assert actions(plan) == {"ConfigMap": PlanAction.UNCHANGED, "Deployment": PlanAction.UPDATE}
    assert [(c.path, c.before, c.after) for c in plan.objects[1].changes] == [
        ("spec.template.spec.containers[web].image", "pause:1", "pause:2")
    ]


async def test_what_the_manifest_drops_goes(api: Api) -> None:
    await deployed(api, of(api, "ConfigMap", "v1", data={"a": "1", "b": "2"}))
    plan = await plan_of(api, [of(api, "ConfigMap", "v1", data={"a": "1"})])
    assert [(c.path, c.before, c.after) for c in plan.objects[0].changes] == [("data.b", "2", None)]


def job(api: Api, image: str) -> Manifest:
    spec = {"template": pods(image, restartPolicy="Never"), "suspend": True}
    return of(api, "Job", "batch/v1", spec=spec)


def claim(api: Api, mode: str) -> Manifest:
    spec = {"accessModes": [mode], "resources": {"requests": {"storage": "1Gi"}}}
    return of(api, "PersistentVolumeClaim", "v1", spec=spec)


def stateful(api: Api, service: str) -> Manifest:
    spec = {
        "replicas": 0,
        "serviceName": service,
        "selector": {"matchLabels": {"app": "web"}},
        "template": pods(),
    }
    return of(api, "StatefulSet", "apps/v1", spec=spec)


def service(api: Api, **spec: Any) -> Manifest:
    return of(api, "Service", "v1", spec={"ports": [{"port": 80}], **spec})


FIXED: dict[
    str, tuple[Callable[[Api], Manifest], Callable[[Api], Manifest], PlanAction, list[str]]
] = {
    "a Deployment's selector": (
        lambda api: deployment(api, "a", replicas=0),
        lambda api: deployment(api, "b", replicas=0),
        PlanAction.REPLACE,
        ["REPLACE_UNCONFIRMED"],
    ),
    "a Job's template": (
        lambda api: job(api, "pause:1"),
        lambda api: job(api, "pause:2"),
        PlanAction.REPLACE,
        [],
    ),
    "a Service's address": (
        service,
        lambda api: service(api, clusterIP="None"),
        PlanAction.REPLACE,
        ["REPLACE_UNCONFIRMED"],
    ),
    "a StatefulSet's service": (
        lambda api: stateful(api, "a"),
        lambda api: stateful(api, "b"),
        PlanAction.UPDATE,
        ["IMMUTABLE_FIELD"],
    ),
    "a claim's modes": (
        lambda api: claim(api, "ReadWriteOnce"),
        lambda api: claim(api, "ReadWriteMany"),
        PlanAction.UPDATE,
        ["IMMUTABLE_FIELD"],
    ),
    "an immutable ConfigMap": (
        lambda api: of(api, "ConfigMap", "v1", data={"a": "1"}, immutable=True),
        lambda api: of(api, "ConfigMap", "v1", data={"a": "2"}, immutable=True),
        PlanAction.REPLACE,
        [],
    ),
    "a Secret's type": (
        lambda api: of(api, "Secret", "v1", type="Opaque"),
        lambda api: of(api, "Secret", "v1", type="example.test/own"),
        PlanAction.REPLACE,
        [],
    ),
    "a Secret's type, for one that needs keys": (
        lambda api: of(api, "Secret", "v1", type="Opaque"),
        lambda api: of(api, "Secret", "v1", type="kubernetes.io/tls"),
        PlanAction.REPLACE,
        [],
    ),
}


@pytest.mark.parametrize("case", FIXED)
async def test_what_cannot_be_changed_any_more(api: Api, case: str) -> None:
    before, after, action, forbids = FIXED[case]
    await deployed(api, before(api))
    plan = await plan_of(api, [after(api)])
    (one,) = plan.objects
    assert (one.action, [p.code for p in plan.problems]) == (action, forbids)
    assert "IMMUTABLE_FIELD" in {risk.code.value for risk in one.risks}
    assert one.changes


async def test_a_mistake_is_no_reason_to_replace(api: Api) -> None:
    await deployed(api, deployment(api, "a", replicas=0))
    plan = await plan_of(api, [deployment(api, "b", replicas=-1)])
    assert (actions(plan), [p.code for p in plan.problems]) == (
        {"Deployment": PlanAction.UPDATE},
        ["INVALID"],
    )


async def test_a_typo_is_told_with_its_field(api: Api) -> None:
    plan = await plan_of(api, [deployment(api, replicsa=1)])
    assert [(p.code, p.path[-1]) for p in plan.problems] == [("INVALID", "spec.replicsa")]


async def test_what_somebody_else_has_set(api: Api) -> None:
    await deployed(api, deployment(api, replicas=1))
    by = {"fieldManager": "kubectl-edit"}
    ok(await api.patch("Deployment", "web", body={"spec": {"replicas": 2}}, **by))
    plan = await plan_of(api, [deployment(api, replicas=1)])
    (one,) = plan.objects
    assert [risk.message for risk in one.risks] == [
        f"spec.replicas of Deployment {api.namespace}/web is set by kubectl-edit."
    ]
    assert [(c.path, c.before, c.after) for c in one.changes] == [("spec.replicas", 2, 1)]
    assert [(p.code, p.path[-1]) for p in plan.problems] == [("CONFLICT", "spec.replicas")]
    taken = await plan_of(api, [deployment(api, replicas=1)], consents=Consents(take_over=True))
    assert (taken.obstacles, taken.hash) == ((), plan.hash)
    await deploy(api, taken, [deployment(api, replicas=1)])
    assert (await plan_of(api, [deployment(api, replicas=1)])).is_idle


async def test_a_namespace_that_is_not_there(api: Api) -> None:
    lost = Api(api.http, "not-there")
    plan = await plan_of(lost, [deployment(lost), of(lost, "Secret", "v1", type="Opaque")])
    assert [(p.code, p.node_id) for p in plan.problems] == [("NAMESPACE_MISSING", None)]


async def test_what_is_there_already_is_not_taken(api: Api) -> None:
    await api.made({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web"}})
    config = of(api, "ConfigMap", "v1", data={"a": "1"})
    assert [p.code for p in (await plan_of(api, [config])).problems] == ["NOT_OWNED"]
    consents = Consents(adopt=frozenset({config.identity}))
    plan = await plan_of(api, [config], consents=consents)
    await deploy(api, plan, [config])
    assert (await plan_of(api, [config])).is_idle


async def test_an_autoscaler_comes_and_goes(api: Api) -> None:
    """The number of pods is never the default in between, and nobody is left with it."""
    await deployed(api, deployment(api, replicas=3))
    plan = await plan_of(api, [deployment(api)])
    (one,) = plan.objects
    assert one.replicas is not None
    assert (one.replicas.move, one.changes) == (ReplicasMove.HAND_OVER, ())
    await deploy(api, plan, [deployment(api)])
    assert (await api.read("Deployment", "web"))["spec"]["replicas"] == 3
    assert (await plan_of(api, [deployment(api)])).is_idle

    plan = await plan_of(api, [deployment(api, replicas=2)])
    (one,) = plan.objects
    assert one.replicas is not None
    assert (one.replicas.move, plan.obstacles) == (ReplicasMove.TAKE_BACK, ())
    assert [(c.path, c.before, c.after) for c in one.changes] == [("spec.replicas", 3, 2)]
    await deploy(api, plan, [deployment(api, replicas=2)])
    assert (await api.read("Deployment", "web"))["spec"]["replicas"] == 2
    await deployed(api, deployment(api, replicas=4))
    assert (await api.read("Deployment", "web"))["spec"]["replicas"] == 4


async def test_an_autoscaler_that_has_scaled(api: Api) -> None:
    await deployed(api, deployment(api))
    scale = {"spec": {"replicas": 5}}
    by = {"fieldManager": "kube-controller-manager"}
    ok(await api.patch("Deployment", "web", "scale", body=scale, **by))
    wanted = [deployment(api, replicas=2)]
    assert [p.code for p in (await plan_of(api, wanted)).problems] == ["CONFLICT"]
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    scaler = of(api, "HorizontalPodAutoscaler", "autoscaling/v2", spec={"scaleTargetRef": target})
    left = Leftover(InventoryEntry(ObjectKey.of_manifest(scaler), None), scaler.object)
    plan = await plan_of(api, wanted, left=[left])
    assert plan.obstacles == ()
    await deploy(api, plan, wanted)
    assert (await api.read("Deployment", "web"))["spec"]["replicas"] == 2
    await deployed(api, deployment(api, replicas=4))
    assert (await api.read("Deployment", "web"))["spec"]["replicas"] == 4


def tls(api: Api, *keys: str, **body: Any) -> Manifest:
    return of(api, "Secret", "v1", keys=keys, type="kubernetes.io/tls", **body)


async def test_values_come_key_by_key_and_go_with_the_canvas(api: Api) -> None:
    made = tls(api, "tls.crt", "tls.key", "old")
    values = {"tls.crt": "1", "tls.key": "2", "old": "3"}
    await fill(api, [made], values)
    plan = await plan_of(api, [made])
    assert plan.obstacles == ()
    await deploy(api, plan, [made])

    fewer = tls(api, "tls.crt", "tls.key")
    plan = await plan_of(api, [fewer])
    assert [(c.path, c.before, c.after) for c in plan.objects[0].changes] == [
        ("data.old", "*** (before)", None)
    ]
    live = await api.read("Secret", "web")
    write = values_write(fewer, live, ["tls.key"], workflow_id=WORKFLOW)
    assert write is not None
    body = write.body({"tls.key": "4"})
    ok(await api.patch("Secret", "web", body=body, fieldManager=VALUES_MANAGER))
    assert (await api.read("Secret", "web"))["data"] == {"tls.crt": "MQ==", "tls.key": "NA=="}
    assert (await plan_of(api, [fewer])).is_idle


async def test_values_do_not_go_into_a_secret_that_took_the_name(api: Api) -> None:
    made = of(api, "Secret", "v1", keys=("a",), type="Opaque")
    await fill(api, [made], {"a": "1"})
    live = await api.read("Secret", "web")
    write = values_write(made, live, ["a"], workflow_id=WORKFLOW)
    assert write is not None
    ok(await api.delete("Secret", "web"))
    await api.made({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "web"}})
    answer = await api.patch("Secret", "web", body=write.body({"a": "2"}))
    refused(answer, 409, "Conflict")
    assert "data" not in await api.read("Secret", "web")


async def test_a_secret_can_be_immutable_from_the_start(api: Api) -> None:
    made = of(api, "Secret", "v1", keys=("a",), type="Opaque", immutable=True)
    await fill(api, [made], {"a": "1"})
    await deployed(api, made)
    live = await api.read("Secret", "web")
    assert (live["data"], live["immutable"]) == ({"a": "MQ=="}, True)
    assert (await plan_of(api, [made])).is_idle
    plan = await plan_of(api, [made], given={"n1": ["a"]})
    assert (actions(plan), plan.obstacles) == ({"Secret": PlanAction.REPLACE}, ())


async def test_an_undeploy_deletes_what_was_made(api: Api) -> None:
    config, web = of(api, "ConfigMap", "v1"), deployment(api)
    await deployed(api, config, web)
    left = []
    for manifest in (config, web):
        live = await api.read(manifest.kind, "web")
        entry = InventoryEntry(ObjectKey.of_manifest(manifest), live["metadata"]["uid"])
        left.append(Leftover(entry, live))
    plan = await plan_of(api, [], left=left)
    assert [(one.key.kind, one.action) for one in plan.objects] == [
        ("Deployment", PlanAction.DELETE),
        ("ConfigMap", PlanAction.DELETE),
    ]


async def test_a_status_that_moves_keeps_a_plan(api: Api) -> None:
    await deployed(api, deployment(api))
    before = await plan_of(api, [deployment(api)])
    status = {"status": {"observedGeneration": 1, "replicas": 1}}
    ok(await api.patch("Deployment", "web", "status", body=status))
    assert before.conflicts_with(await plan_of(api, [deployment(api)])) == ()
    ok(await api.patch("Deployment", "web", body={"spec": {"paused": True}}))
    assert before.conflicts_with(await plan_of(api, [deployment(api)])) == (
        f"Deployment {api.namespace}/web was changed on the cluster.",
    )
