"""Whose a live object is: ours only by our labels, or by the inventory where they were lost."""

from typing import Any

import pytest

from app.domain import labels
from app.domain.planning.objects import (
    ObjectKey,
    Owner,
    Ownership,
    is_kept,
    is_terminating,
    name_of,
    owner_labels,
    ownership,
    uid_of,
    version_of,
)
from tests.domain.planning.scenes import OTHER, WORKFLOW, manifest, on_cluster
from tests.domain.test_golden import CASES, compiled

BARE = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "shop"}}


def live(**metadata: Any) -> dict[str, Any]:
    return on_cluster(BARE, uid="u1", metadata=metadata)


CASES_OF_OWNERS: dict[str, tuple[dict[str, Any], Ownership]] = {
    "ours": ({"labels": owner_labels(WORKFLOW)}, Ownership(Owner.OURS)),
    "another workflow's": (
        {"labels": owner_labels(OTHER)},
        Ownership(Owner.OTHER_WORKFLOW, workflow=OTHER),
    ),
    "another manager's": (
        {"labels": {labels.MANAGED_BY: "Helm"}},
        Ownership(Owner.SOMEBODY_ELSE, "Helm"),
    ),
    "another manager's, with our workflow's label": (
        {"labels": {**owner_labels(WORKFLOW), labels.MANAGED_BY: "kustomize"}},
        Ownership(Owner.SOMEBODY_ELSE, "kustomize"),
    ),
    "a release's": (
        {"annotations": {"meta.helm.sh/release-name": "shop"}},
        Ownership(Owner.SOMEBODY_ELSE, "Helm"),
    ),
    "an application's": (
        {"annotations": {"argocd.argoproj.io/tracking-id": "x"}},
        Ownership(Owner.SOMEBODY_ELSE, "Argo CD"),
    ),
    "a kustomization's": (
        {"labels": {"kustomize.toolkit.fluxcd.io/name": "x"}},
        Ownership(Owner.SOMEBODY_ELSE, "Flux"),
    ),
    "a controller's, in spite of our labels": (
        {
            "labels": owner_labels(WORKFLOW),
            "ownerReferences": [{"kind": "CronJob", "name": "nightly", "controller": True}],
        },
        Ownership(Owner.SOMEBODY_ELSE, "CronJob nightly"),
    ),
    "ours, in something else's collection": (
        {
            "labels": owner_labels(WORKFLOW),
            "ownerReferences": [{"kind": "App", "name": "shop"}],
        },
        Ownership(Owner.OURS),
    ),
    "nobody's": ({}, Ownership(Owner.NOBODY)),
    "managed by us, and for no workflow": (
        {"labels": {labels.MANAGED_BY: labels.MANAGER}},
        Ownership(Owner.NOBODY),
    ),
    "of no sense": ({"labels": "x", "ownerReferences": 1}, Ownership(Owner.NOBODY)),
}


@pytest.mark.parametrize("case", CASES_OF_OWNERS)
def test_owners(case: str) -> None:
    metadata, expected = CASES_OF_OWNERS[case]
    assert ownership(live(**metadata), WORKFLOW) == expected


def test_what_lost_its_labels_is_ours_by_the_inventory() -> None:
    assert ownership(live(), WORKFLOW, made="u1").owner is Owner.OURS
    assert ownership(live(), WORKFLOW, made="u2").owner is Owner.NOBODY


def test_what_somebody_took_over_is_theirs_in_spite_of_the_inventory() -> None:
    taken = live(labels={labels.MANAGED_BY: "Helm"})
    assert ownership(taken, WORKFLOW, made="u1").owner is Owner.SOMEBODY_ELSE
    taken = live(labels=owner_labels(OTHER))
    assert ownership(taken, WORKFLOW, made="u1").owner is Owner.OTHER_WORKFLOW


def test_everything_that_is_compiled_is_ours() -> None:
    """The labels by which an object is recognised are those that the compiler puts on it."""
    for case in CASES:
        for made in compiled(case):
            assert ownership(made.object, WORKFLOW) == Ownership(Owner.OURS), made
            carried = made.object["metadata"]["labels"]
            assert owner_labels(WORKFLOW).items() <= carried.items()


def test_a_key_says_what_is_meant() -> None:
    made = manifest("Deployment")
    key = ObjectKey.of_manifest(made)
    assert key == ObjectKey("apps/v1", "Deployment", "shop", "web") == ObjectKey.of(made.object)
    assert str(key) == "Deployment shop/web"
    assert (key.group, key.identity) == ("apps", made.identity)
    wide = ObjectKey.of_manifest(manifest("Namespace", "shop"))
    assert (str(wide), wide.namespace, wide.group) == ("Namespace shop", None, "")


def test_metadata_is_read_of_anything() -> None:
    assert (uid_of(live()), version_of(live()), name_of(live())) == ("u1", "7", "a")
    assert (uid_of(None), version_of(None), uid_of({}), version_of({})) == (None,) * 4
    assert is_terminating(live(deletionTimestamp="2026-11-01T10:00:00Z"))
    assert not is_terminating(live())
    assert is_kept(live(annotations={"kubeorch.io/prune": "false"}))
    assert not is_kept(live(annotations={"kubeorch.io/prune": "true"}))
