"""What is planned for each object, what is to be known of it, and what forbids the deploy."""

import dataclasses

import pytest
from pydantic import TypeAdapter

from app.domain import labels
from app.domain.comparing import FieldChange
from app.domain.planning import (
    Consents,
    InventoryEntry,
    Leftover,
    ObjectKey,
    Observed,
    Plan,
    Question,
    make_plan,
)
from app.domain.planning.plan import PlanAction, PlanSummary
from app.domain.planning.replicas import ReplicasMove
from app.domain.problems import Problem, Severity
from tests.domain.planning.scenes import (
    CONFIG,
    OTHER,
    SCALED,
    WEB,
    WORKFLOW,
    changed,
    codes,
    conflict,
    immutable,
    manifest,
    on_cluster,
    planned,
    refused,
    refusing,
    risks,
    same,
    secret,
    updated,
)

CREATE, UPDATE, REPLACE = PlanAction.CREATE, PlanAction.UPDATE, PlanAction.REPLACE
DELETE, UNCHANGED = PlanAction.DELETE, PlanAction.UNCHANGED


def test_an_empty_cluster_gets_everything() -> None:
    plan = planned(Observed(WEB), Observed(CONFIG))
    assert [(str(one.key), one.action, one.changes) for one in plan.objects] == [
        ("ConfigMap shop/config", CREATE, ()),
        ("Deployment shop/web", CREATE, ()),
    ]
    assert plan.summary == PlanSummary(create=2)
    assert (plan.problems, plan.obstacles, plan.is_idle) == ((), (), False)


def test_what_is_as_it_should_be_is_left_alone() -> None:
    plan = planned(same(WEB), same(CONFIG))
    assert plan.summary == PlanSummary(unchanged=2)
    assert plan.is_idle


def test_only_what_changes_is_told() -> None:
    plan = planned(same(CONFIG), updated(WEB, "spec.template.spec.x", 2))
    web = plan.objects[1]
    assert web.action is UPDATE
    assert web.changes == (FieldChange("spec.template.spec.x", 1, 2),)
    assert (web.node_id, web.uid, web.version) == ("n1", web.uid, "7")
    assert plan.summary == PlanSummary(update=1, unchanged=1)


def test_a_dry_run_of_another_moment_is_known_by_its_version() -> None:
    live = on_cluster(WEB)
    later = changed(live, "metadata.resourceVersion", "8")
    assert Observed(WEB, live, later).is_torn
    assert not Observed(WEB, live, changed(live, "spec.replicas", 3)).is_torn
    assert not Observed(WEB, None, live).is_torn
    assert not Observed(WEB, live, refusal=CLASH).is_torn


def test_warnings_of_the_cluster_are_risks() -> None:
    warned = dataclasses.replace(
        same(WEB),
        warnings=(
            "autoscaling/v2beta2 HorizontalPodAutoscaler is deprecated in v1.23+, unavailable in "
            "v1.26+",
            'would violate PodSecurity "restricted:latest": runAsNonRoot != true',
        ),
    )
    plan = planned(warned)
    assert risks(plan) == ["DEPRECATED_API", "CLUSTER_WARNING"]
    assert plan.objects[0].risks[1].message == (
        'The cluster warns: would violate PodSecurity "restricted:latest": runAsNonRoot != true.'
    )
    assert plan.obstacles == ()


# --- whose it is -----------------------------------------------------------------------------

STRANGERS = {
    "another workflow's": (
        {labels.MANAGED_BY: "kubeorch", labels.WORKFLOW_ID: OTHER},
        "Deployment shop/web belongs to another workflow.",
    ),
    "a tool's": ({labels.MANAGED_BY: "Helm"}, "Deployment shop/web belongs to Helm."),
    "nobody's": ({}, "Deployment shop/web is there already, and was not made by this workflow."),
}


@pytest.mark.parametrize("whose", STRANGERS)
def test_what_is_not_ours_is_refused(whose: str) -> None:
    carried, said = STRANGERS[whose]
    plan = planned(updated(WEB, "spec.replicas", 3, metadata={"labels": carried}))
    assert (plan.objects[0].action, risks(plan), codes(plan)) == (
        UPDATE,
        ["NOT_OWNED"],
        ["NOT_OWNED"],
    )
    assert plan.obstacles == plan.problems
    assert plan.problems[0].message == (
        f"{said} Adopt it explicitly, or give the node another name or namespace."
    )
    assert plan.problems[0].path == ("manifests", "Deployment", "web")
    assert not plan.objects[0].force


@pytest.mark.parametrize("whose", STRANGERS)
def test_what_is_adopted_is_taken_over_and_still_told(whose: str) -> None:
    seen = updated(WEB, "spec.replicas", 3, metadata={"labels": STRANGERS[whose][0]})
    plan = planned(seen, consents=Consents(adopt=frozenset({WEB.identity})))
    assert (risks(plan), codes(plan), plan.objects[0].force) == (["NOT_OWNED"], [], True)
    assert plan.hash == planned(seen).hash


def test_another_object_is_not_adopted_by_it() -> None:
    seen = same(WEB, metadata={"labels": {}})
    consents = Consents(adopt=frozenset({CONFIG.identity}))
    assert codes(planned(seen, consents=consents)) == ["NOT_OWNED"]


def test_what_the_inventory_knows_is_ours_without_labels() -> None:
    seen = same(WEB, uid="u1", metadata={"labels": {}})
    entry = InventoryEntry(ObjectKey.of_manifest(WEB), "u1")
    assert codes(planned(seen, inventory=(entry,))) == []
    assert codes(planned(seen, inventory=(dataclasses.replace(entry, uid="u2"),))) == ["NOT_OWNED"]


def test_what_is_being_deleted_has_to_be_gone_first() -> None:
    plan = planned(same(WEB, metadata={"deletionTimestamp": "2026-11-01T10:00:00Z"}))
    assert codes(plan) == ["TERMINATING"]


# --- refusals --------------------------------------------------------------------------------

CLASH = conflict(("spec.replicas", '"kubectl-edit"'), ("spec.paused", '"x"'))


def test_a_conflict_is_told_field_by_field_and_refused() -> None:
    plan = planned(refusing(WEB, CLASH, spec={"replicas": 5}))
    web = plan.objects[0]
    assert (web.action, risks(plan), codes(plan)) == (UPDATE, ["CONFLICT"] * 2, ["CONFLICT"])
    assert [risk.message for risk in web.risks] == [
        "spec.replicas of Deployment shop/web is set by kubectl-edit.",
        "spec.paused of Deployment shop/web is set by x.",
    ]
    assert web.changes[0] == FieldChange("spec.replicas", 5, 2)
    assert plan.problems[0].path == ("manifests", "Deployment", "web", "spec.replicas")


def test_fields_are_taken_over_by_consent_alone() -> None:
    seen = refusing(WEB, CLASH)
    plan = planned(seen, consents=Consents(take_over=True))
    assert (risks(plan), codes(plan), plan.objects[0].force) == (["CONFLICT"] * 2, [], True)
    assert plan.hash == planned(seen).hash


def test_what_is_adopted_is_taken_over_field_by_field() -> None:
    seen = refusing(WEB, CLASH, metadata={"labels": {}})
    assert codes(planned(seen)) == ["CONFLICT", "NOT_OWNED"]
    plan = planned(seen, consents=Consents(adopt=frozenset({WEB.identity})))
    assert (codes(plan), plan.objects[0].force) == ([], True)
    plan = planned(seen, consents=Consents(take_over=True))
    assert codes(plan) == ["NOT_OWNED"]


def test_a_conflict_with_the_answer_of_a_take_over() -> None:
    live = on_cluster(WEB, spec={"replicas": 5})
    seen = Observed(WEB, live, changed(live, "spec.replicas", 2), CLASH)
    assert planned(seen).objects[0].changes == (FieldChange("spec.replicas", 5, 2),)


REPLACED = {
    "Deployment": ("spec.selector", ["IMMUTABLE_FIELD", "DISRUPTION"], ["REPLACE_UNCONFIRMED"]),
    "DaemonSet": ("spec.selector", ["IMMUTABLE_FIELD", "DISRUPTION"], ["REPLACE_UNCONFIRMED"]),
    "Service": (
        "spec.clusterIPs[0]",
        ["IMMUTABLE_FIELD", "DISRUPTION"],
        ["REPLACE_UNCONFIRMED"],
    ),
    "Job": ("spec.template", ["IMMUTABLE_FIELD"], []),
    "ConfigMap": ("data", ["IMMUTABLE_FIELD"], []),
}


@pytest.mark.parametrize("kind", REPLACED)
def test_what_can_be_made_anew(kind: str) -> None:
    field, told, forbids = REPLACED[kind]
    made = manifest(kind, spec={"a": 1})
    seen = refusing(made, immutable(field), spec={"a": 0})
    plan = planned(seen)
    assert (plan.objects[0].action, risks(plan), codes(plan)) == (REPLACE, told, forbids)
    assert plan.objects[0].changes == (FieldChange("spec.a", 0, 1),)
    agreed = planned(seen, consents=Consents(replace=True))
    assert (codes(agreed), agreed.hash) == ([], plan.hash)


@pytest.mark.parametrize(
    "kind",
    [
        "StatefulSet",
        "PersistentVolumeClaim",
        "Namespace",
        "RabbitmqCluster",
    ],
)
def test_what_is_never_made_anew(kind: str) -> None:
    made = manifest(kind, spec={"a": 1})
    plan = planned(
        refusing(made, immutable("spec")), consents=Consents(replace=True, take_over=True)
    )
    assert (plan.objects[0].action, risks(plan), codes(plan)) == (
        UPDATE,
        ["IMMUTABLE_FIELD"],
        ["IMMUTABLE_FIELD"],
    )


def test_what_the_cluster_refuses() -> None:
    invalid = refused(422, "", ("FieldValueInvalid", "spec.replicas", "must be ≥ 0"))
    plan = planned(Observed(WEB, refusal=invalid))
    assert (plan.objects[0].action, codes(plan)) == (CREATE, ["INVALID"])
    assert plan.problems[0].path == ("manifests", "Deployment", "web", "spec.replicas")
    assert plan.problems[0].node_id == "n1"


def test_a_quota_is_a_risk_and_forbids() -> None:
    plan = planned(Observed(WEB, refusal=refused(403, "exceeded quota: small, used: pods=3")))
    assert (risks(plan), codes(plan)) == (["QUOTA"], ["QUOTA"])


def test_a_missing_namespace_is_said_once() -> None:
    missing = refused(404, 'namespaces "shop" not found')
    plan = planned(Observed(WEB, refusal=missing), Observed(CONFIG, refusal=missing))
    assert [(p.code, p.node_id) for p in plan.problems] == [("NAMESPACE_MISSING", None)]


def test_what_the_plan_makes_first_can_only_be_checked_later() -> None:
    missing = refused(404, 'namespaces "shop" not found')
    plan = planned(Observed(manifest("Namespace", "shop")), Observed(WEB, refusal=missing))
    assert [one.action for one in plan.objects] == [CREATE, CREATE]
    assert (risks(plan, 1), plan.obstacles) == (["UNVERIFIED"], ())
    spec = {"group": "rabbitmq.com", "names": {"kind": "RabbitmqCluster"}}
    definition = manifest("CustomResourceDefinition", "x", spec=spec)
    queue = Observed(manifest("RabbitmqCluster"), refusal=refused(404, "404 page not found"))
    plan = planned(queue, Observed(definition))
    assert [one.key.kind for one in plan.objects] == ["CustomResourceDefinition", "RabbitmqCluster"]
    assert (risks(plan, 1), plan.obstacles) == (["UNVERIFIED"], ())


def test_a_webhook_without_dry_runs_leaves_it_unverified() -> None:
    refusal = refused(400, 'admission webhook "x" does not support dry run')
    plan = planned(refusing(WEB, refusal))
    assert (plan.objects[0].action, risks(plan), codes(plan)) == (UPDATE, ["UNVERIFIED"], [])


def test_an_object_without_a_dry_run_is_unverified() -> None:
    plan = planned(Observed(WEB, on_cluster(WEB)))
    assert (plan.objects[0].action, risks(plan)) == (UPDATE, ["UNVERIFIED"])


# --- disruption ------------------------------------------------------------------------------

DISRUPTED: dict[str, tuple[Observed, list[str]]] = {
    "a rolling update": (updated(WEB, "spec.template.spec.x", 2), []),
    "a Deployment that recreates": (
        updated(
            manifest("Deployment", spec={"strategy": {"type": "Recreate"}}), "spec.template.a", 1
        ),
        ["DISRUPTION"],
    ),
    "one without pods": (
        updated(
            manifest("Deployment", spec={"replicas": 0, "strategy": {"type": "Recreate"}}),
            "spec.template.a",
            1,
        ),
        [],
    ),
    "a Deployment that stops": (updated(WEB, "spec.replicas", 0), ["DISRUPTION"]),
    "more pods of a StatefulSet": (
        updated(manifest("StatefulSet", spec={"replicas": 1}), "spec.replicas", 2),
        [],
    ),
    "other pods of a StatefulSet": (
        updated(manifest("StatefulSet", spec={"replicas": 1}), "spec.template.a", 2),
        ["DISRUPTION"],
    ),
    "other pods of a DaemonSet": (
        updated(manifest("DaemonSet", spec={}), "spec.template.a", 2),
        ["DISRUPTION"],
    ),
}


@pytest.mark.parametrize("case", DISRUPTED)
def test_disruption(case: str) -> None:
    seen, expected = DISRUPTED[case]
    assert risks(planned(seen)) == expected


def test_many_changes_are_counted() -> None:
    data = {f"k{i:03}": "1" for i in range(102)}
    plan = planned(updated(CONFIG, "data", {"a": "1", **data}))
    assert risks(plan) == ["CHANGES_NOT_SHOWN"]
    assert (
        plan.objects[0].risks[0].message == "2 more changes of ConfigMap shop/config are not shown."
    )


# --- autoscaling -----------------------------------------------------------------------------


def test_the_number_of_pods_is_handed_over_in_a_step_of_its_own() -> None:
    plan = planned(updated(SCALED, "spec.replicas", 1, spec={"replicas": 5}))
    web = plan.objects[0]
    assert (web.action, web.changes, risks(plan)) == (UPDATE, (), ["REPLICAS_MOVE"])
    assert web.replicas is not None
    assert (web.replicas.move, web.replicas.replicas) == (ReplicasMove.HAND_OVER, 5)
    assert codes(plan) == []


def test_once_it_is_handed_over_there_is_nothing_to_do() -> None:
    plan = planned(same(SCALED, spec={"replicas": 5}))
    assert (plan.objects[0].action, plan.objects[0].replicas) == (UNCHANGED, None)


def test_the_number_is_taken_back_when_the_autoscaler_goes() -> None:
    owner = '"kube-controller-manager" with subresource "scale"'
    seen = refusing(WEB, conflict(("spec.replicas", owner)), spec={"replicas": 5})
    assert codes(planned(seen)) == ["CONFLICT"]
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    scaler = manifest("HorizontalPodAutoscaler", spec={"scaleTargetRef": target})
    left = Leftover(InventoryEntry(ObjectKey.of_manifest(scaler), None), on_cluster(scaler))
    plan = planned(seen, left=(left,))
    assert ([one.action for one in plan.objects], codes(plan)) == ([UPDATE, DELETE], [])
    web = plan.objects[0]
    assert web.replicas is not None
    assert (web.replicas.move, web.replicas.replicas, web.force) == (
        ReplicasMove.TAKE_BACK,
        2,
        False,
    )
    assert web.replicas.after == plan.objects[1].key
    kept = dataclasses.replace(left, live=changed(on_cluster(scaler), "metadata.labels", {}))
    assert codes(planned(seen, left=(kept,))) == ["CONFLICT", "KEPT"]


def test_problems_of_the_canvas_come_with_it_worst_first() -> None:
    warning = Problem("A", "Look.", "n1", ("data",), Severity.WARNING)
    error = Problem("B", "Stop.", "n1", ("data",), Severity.ERROR)
    plan = make_plan([Observed(WEB)], Question(WORKFLOW), problems=[warning, error, warning])
    assert plan.problems == (error, warning)
    assert plan.obstacles == (error,)


def test_a_plan_can_be_stored_and_read() -> None:
    plan = planned(
        updated(SCALED, "spec.replicas", 1, spec={"replicas": 5}),
        secret("user"),
        refusing(CONFIG, immutable("data")),
    )
    adapter = TypeAdapter(Plan)
    read = adapter.validate_json(adapter.dump_json(plan))
    assert read == plan
    assert read.hash == plan.hash
