"""What earlier deploys made and the canvas lost: deleted in reverse order, never data unasked."""

from typing import Any

import pytest

from app.domain import labels
from app.domain.planning import Consents, InventoryEntry, Leftover, ObjectKey, Observed, leftovers
from app.domain.planning.claims import claims_of
from app.domain.planning.plan import PlanAction, PlanSummary
from tests.domain.planning.scenes import (
    OTHER,
    WORKFLOW,
    codes,
    manifest,
    on_cluster,
    planned,
    risks,
    same,
)

DATA = Consents(delete_data=True)


def entry(kind: str, name: str = "web", uid: str | None = "u1") -> InventoryEntry:
    return InventoryEntry(ObjectKey.of_manifest(manifest(kind, name)), uid, "n1")


def left(kind: str, name: str = "web", *, made: str | None = "u1", **fields: Any) -> Leftover:
    """What a deploy made, as it is on the cluster with the uid `u1`."""
    live = on_cluster(manifest(kind, name), uid="u1", **fields)
    return Leftover(entry(kind, name, made), live)


def test_what_the_canvas_still_has_is_no_leftover() -> None:
    inventory = [entry("Deployment"), entry("Service"), entry("Service", "old")]
    assert leftovers(inventory, [manifest("Deployment"), manifest("Service")]) == [inventory[2]]


def test_a_new_api_version_is_the_same_object() -> None:
    old = InventoryEntry(
        ObjectKey("autoscaling/v1", "HorizontalPodAutoscaler", "shop", "web"), "u1", "n1"
    )
    assert leftovers([old], [manifest("HorizontalPodAutoscaler")]) == []


def test_an_undeploy_removes_everything_in_reverse_order() -> None:
    kinds = ["ConfigMap", "Secret", "Service", "Deployment", "Ingress", "RabbitmqCluster"]
    plan = planned(left=[left(kind) for kind in kinds])
    assert [one.key.kind for one in plan.objects] == kinds[::-1]
    assert {one.action for one in plan.objects} == {PlanAction.DELETE}
    assert plan.summary == PlanSummary(delete=6)
    assert (plan.problems, plan.kept) == ((), ())


def test_what_is_deleted_comes_after_what_is_applied() -> None:
    plan = planned(Observed(manifest("Ingress")), left=[left("ConfigMap")])
    assert [(one.key.kind, one.action) for one in plan.objects] == [
        ("Ingress", PlanAction.CREATE),
        ("ConfigMap", PlanAction.DELETE),
    ]
    assert (plan.objects[1].uid, plan.objects[1].node_id) == ("u1", "n1")


def test_what_is_gone_already_is_not_mentioned() -> None:
    plan = planned(left=[Leftover(entry("Service"))])
    assert (plan.objects, plan.kept, plan.problems) == ((), (), ())


def test_an_entry_whose_uid_was_never_known_is_deleted_by_its_labels() -> None:
    plan = planned(left=[left("Service", made=None)])
    assert [(one.action, one.uid) for one in plan.objects] == [(PlanAction.DELETE, "u1")]


@pytest.mark.parametrize(
    ("metadata", "owner"),
    [
        ({"labels": {labels.MANAGED_BY: "Helm"}}, "Helm"),
        ({"labels": {labels.MANAGED_BY: "kubeorch", labels.WORKFLOW_ID: OTHER}}, "somebody else"),
        ({"labels": {}, "uid": "u2"}, "somebody else"),
    ],
)
def test_what_is_somebody_elses_now_stays_and_is_forgotten(
    metadata: dict[str, Any], owner: str
) -> None:
    plan = planned(left=[left("Service", metadata=metadata)])
    assert (plan.objects, plan.kept, plan.obstacles) == ((), (), ())
    assert [(p.code, p.severity.value, p.message) for p in plan.problems] == [
        (
            "KEPT",
            "info",
            f"Service shop/web is not on the canvas any more, and stays: it belongs to {owner}.",
        )
    ]


KEPT: dict[str, tuple[Leftover, str]] = {
    "a claim": (
        left("PersistentVolumeClaim"),
        "PersistentVolumeClaim shop/web is not on the canvas any more, and stays with its data. "
        "Deploy with deleteData to delete it.",
    ),
    "a namespace": (
        left("Namespace", "shop"),
        "Namespace shop is not on the canvas any more, and stays: others may use what is in it.",
    ),
    "a definition": (
        left("CustomResourceDefinition", "x"),
        "CustomResourceDefinition x is not on the canvas any more, and stays: others may use what "
        "is in it.",
    ),
    "what says so": (
        left("Service", metadata={"annotations": {"kubeorch.io/prune": "false"}}),
        "Service shop/web is not on the canvas any more, and stays: its annotation "
        "kubeorch.io/prune says so.",
    ),
}


@pytest.mark.parametrize("case", KEPT)
def test_what_stays(case: str) -> None:
    one, message = KEPT[case]
    plan = planned(left=[one])
    assert (plan.objects, plan.kept, plan.obstacles) == ((), (one.entry,), ())
    assert [p.message for p in plan.problems] == [message]


def test_what_is_being_deleted_stays_in_the_inventory_until_it_is_gone() -> None:
    one = left("Service", metadata={"deletionTimestamp": "2026-11-01T10:00:00Z"})
    plan = planned(left=[one])
    assert (plan.objects, plan.kept, plan.problems) == ((), (one.entry,), ())


def test_data_is_deleted_when_it_is_asked_for() -> None:
    plan = planned(left=[left("PersistentVolumeClaim")], consents=DATA)
    assert (plan.objects[0].action, risks(plan)) == (PlanAction.DELETE, ["DATA_LOSS"])
    assert (plan.kept, codes(plan)) == ((), [])


TEMPLATES = [{"metadata": {"name": "data"}}, {"metadata": {"name": "log"}}]
NAMES = ["data-web-0", "data-web-12", "log-web-0", "data-web-x", "data-web", "data-website-0"]
SELECTED = {labels.WORKFLOW_ID: WORKFLOW, labels.NODE_ID: "n1"}
"""The labels of the set's selector, which its controller puts on the claims that it makes."""


def claim(name: str, *, namespace: str = "shop", **metadata: Any) -> dict[str, Any]:
    """A claim as a list has it, without a kind; of the set, if nothing else is said."""
    made = {"name": name, "namespace": namespace, "uid": f"u-{name}", "labels": SELECTED}
    return {"metadata": made | metadata}


def stateful(*claims: dict[str, Any], **spec: Any) -> Leftover:
    """A StatefulSet with these claims; without any, with its own, others', and another
    namespace's."""
    spec = {"volumeClaimTemplates": TEMPLATES, "selector": {"matchLabels": SELECTED}, **spec}
    live = on_cluster(manifest("StatefulSet"), uid="u1", spec=spec)
    several = (*map(claim, NAMES), claim("data-web-1", namespace="other", uid="u"))
    return Leftover(entry("StatefulSet"), live, claims or several)


def test_the_claims_of_a_stateful_set_are_found_by_their_names() -> None:
    one = stateful()
    assert one.live is not None
    assert [c["metadata"]["name"] for c in claims_of(one.live, one.claims)] == NAMES[:3]


def test_the_claims_of_a_stateful_set_stay_and_are_known_from_then_on() -> None:
    plan = planned(left=[stateful()])
    assert [one.key.name for one in plan.objects] == ["web"]
    assert [(kept.key.name, kept.uid, kept.node_id) for kept in plan.kept] == [
        (name, f"u-{name}", "n1") for name in NAMES[:3]
    ]
    assert [p.message for p in plan.problems] == [
        "The claims of StatefulSet shop/web stay with their data. Deploy with deleteData to "
        "delete them."
    ]


STRANGERS: dict[str, tuple[dict[str, Any], str]] = {
    "of Helm": (
        {"labels": {**SELECTED, labels.MANAGED_BY: "Helm"}},
        "Helm",
    ),
    "of a release": ({"annotations": {"meta.helm.sh/release-name": "db"}}, "Helm"),
    "of another workflow": (
        {"labels": {**SELECTED, labels.MANAGED_BY: "kubeorch", labels.WORKFLOW_ID: OTHER}},
        "somebody else",
    ),
    "of another workflow's set": (
        {"labels": {**SELECTED, labels.WORKFLOW_ID: OTHER}},
        "somebody else",
    ),
    "of another node": ({"labels": {**SELECTED, labels.NODE_ID: "n2"}}, "somebody else"),
    "made by hand": ({"labels": {}}, "somebody else"),
    "of a controller": (
        {"ownerReferences": [{"kind": "Cluster", "name": "pg", "uid": "u9", "controller": True}]},
        "Cluster pg",
    ),
}


@pytest.mark.parametrize("consents", [Consents(), DATA], ids=["kept", "deleteData"])
@pytest.mark.parametrize("case", STRANGERS)
def test_what_is_only_called_like_a_claim_of_the_set_is_not_touched(
    case: str, consents: Consents
) -> None:
    metadata, owner = STRANGERS[case]
    plan = planned(left=[stateful(claim("data-web-7", **metadata))], consents=consents)
    assert ([str(o.key) for o in plan.objects], plan.kept) == (["StatefulSet shop/web"], ())
    assert [(p.code, p.severity.value, p.message) for p in plan.problems] == [
        (
            "KEPT",
            "info",
            "Claims that are only called like those of StatefulSet shop/web stay: data-web-7 "
            f"belongs to {owner}.",
        )
    ]


def test_a_set_that_selects_by_nothing_has_no_claims_of_its_own() -> None:
    """Its controller puts no labels on them, so nothing tells them from others'."""
    one = stateful(claim("data-web-0"), selector={"matchLabels": {}})
    plan = planned(left=[one], consents=DATA)
    assert [one.key.kind for one in plan.objects] == ["StatefulSet"]


def test_a_few_strangers_are_named() -> None:
    strangers = [claim(f"data-web-{number}", labels={}) for number in range(7)]
    [told] = planned(left=[stateful(*strangers)], consents=DATA).problems
    assert told.message.endswith("; data-web-4 belongs to somebody else, and 2 more.")


def test_a_claim_that_the_cluster_deletes_with_its_set_is_the_sets() -> None:
    reference = {"kind": "StatefulSet", "name": "web", "uid": "u1", "controller": True}
    one = stateful(claim("data-web-0", ownerReferences=[reference]))
    plan = planned(left=[one], consents=DATA)
    assert [(o.key.name, o.uid) for o in plan.objects] == [
        ("web", "u1"),
        ("data-web-0", "u-data-web-0"),
    ]


def test_claims_that_were_left_behind_can_be_deleted_later() -> None:
    """They carry the labels of pods, which say no manager; the inventory has their uid."""
    left_behind = on_cluster(
        manifest("PersistentVolumeClaim", "data-web-0"),
        uid="u1",
        metadata={"labels": {labels.NODE_ID: "n1"}},
    )
    one = Leftover(entry("PersistentVolumeClaim", "data-web-0"), left_behind)
    assert [o.action for o in planned(left=[one], consents=DATA).objects] == [PlanAction.DELETE]


def test_the_claims_of_a_stateful_set_go_after_it() -> None:
    plan = planned(left=[stateful()], consents=DATA)
    assert [str(one.key) for one in plan.objects] == [
        "StatefulSet shop/web",
        "PersistentVolumeClaim shop/log-web-0",
        "PersistentVolumeClaim shop/data-web-12",
        "PersistentVolumeClaim shop/data-web-0",
    ]
    assert [risks(plan, i) for i in range(4)] == [[], *[["DATA_LOSS"]] * 3]
    assert (plan.kept, plan.problems) == ((), ())


def test_a_stateful_set_whose_claims_the_cluster_deletes() -> None:
    policy = {"whenDeleted": "Delete"}
    plan = planned(left=[stateful(persistentVolumeClaimRetentionPolicy=policy)])
    assert risks(plan) == ["DATA_LOSS"]


def test_a_claim_that_is_still_on_the_canvas_stays() -> None:
    plan = planned(same(manifest("PersistentVolumeClaim")), consents=DATA)
    assert plan.is_idle
