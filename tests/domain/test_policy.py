"""Who may do what with a cluster: the whole table, and what is cut from it for whom."""

from datetime import UTC, datetime, timedelta

import pytest

from app.domain import policy
from app.domain.cluster import AuthType, Cluster, ClusterMetadata, ClusterRole, ClusterShare
from app.domain.ids import Id
from app.domain.policy import ClusterAction, WorkflowAction
from app.domain.user import Actor, User
from app.domain.workflow import WorkflowRow, WorkflowStatus

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
OWNER, GUEST, OTHER = (Id(f"{n:024x}") for n in (1, 2, 3))


def _actor(id_: Id) -> Actor:
    user = User(id=id_, name="A", email="a@example.com", created_at=NOW, updated_at=NOW)
    return Actor(user=user, session_id=id_)


def _cluster(*shares: ClusterShare) -> Cluster:
    return Cluster(
        id=Id(f"{9:024x}"),
        name="prod",
        display_name="Production",
        server="https://k8s.example.com",
        auth_type=AuthType.TOKEN,
        owner_id=OWNER,
        shared_with=list(shares),
        metadata=ClusterMetadata(namespaces=["default", "shop", "staging"]),
        created_at=NOW,
        updated_at=NOW,
    )


def _share(
    user: Id = GUEST, role: ClusterRole = ClusterRole.DEPLOYER, **more: object
) -> ClusterShare:
    return ClusterShare.model_validate({"user_id": user, "role": role, **more})


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        (ClusterRole.VIEWER, {ClusterAction.VIEW}),
        (ClusterRole.DEPLOYER, {ClusterAction.VIEW, ClusterAction.DEPLOY}),
        (
            ClusterRole.ADMIN,
            {
                ClusterAction.VIEW,
                ClusterAction.DEPLOY,
                ClusterAction.SHARE,
                ClusterAction.ADMINISTER,
            },
        ),
    ],
)
def test_each_role_contains_the_one_before(role: ClusterRole, allowed: set[ClusterAction]) -> None:
    cluster = _cluster(_share(role=role))
    may = {
        action
        for action in ClusterAction
        if policy.on_cluster(_actor(GUEST), action, cluster, now=NOW).allowed
    }
    assert may == allowed


def test_the_owner_may_everything_everywhere() -> None:
    for action in ClusterAction:
        decision = policy.on_cluster(
            _actor(OWNER), action, _cluster(), now=NOW, namespace="kube-system"
        )
        assert decision.allowed, action


def test_a_stranger_sees_nothing() -> None:
    cluster = _cluster(_share())
    assert not policy.sees_cluster(_actor(OTHER), cluster, now=NOW)
    for action in ClusterAction:
        assert not policy.on_cluster(_actor(OTHER), action, cluster, now=NOW).allowed, action


def test_a_share_ends_at_the_moment_it_names() -> None:
    cluster = _cluster(_share(expires_at=NOW))
    before = NOW - timedelta(milliseconds=1)
    assert policy.sees_cluster(_actor(GUEST), cluster, now=before)
    assert not policy.sees_cluster(_actor(GUEST), cluster, now=NOW)
    assert not policy.on_cluster(_actor(GUEST), ClusterAction.DEPLOY, cluster, now=NOW).allowed


def test_a_share_in_some_namespaces_reaches_no_further() -> None:
    cluster = _cluster(_share(namespaces=["shop"]))
    actor = _actor(GUEST)

    def deploys(namespace: str | None) -> policy.Decision:
        return policy.on_cluster(actor, ClusterAction.DEPLOY, cluster, now=NOW, namespace=namespace)

    assert deploys("shop").allowed
    assert deploys(None).allowed
    assert deploys("default") == policy.Decision(
        allowed=False,
        reason="This cluster is shared with you in these namespaces only: shop.",
    )
    assert policy.namespaces_of(actor, cluster, now=NOW) == ["shop"]
    assert policy.namespaces_of(_actor(OWNER), cluster, now=NOW) == []
    seen = policy.cluster_seen_by(actor, cluster, now=NOW)
    assert seen.metadata.namespaces == ["shop"]
    assert cluster.metadata.namespaces == ["default", "shop", "staging"]


def test_whoever_has_some_namespaces_shares_them_and_changes_nothing_for_the_others() -> None:
    cluster = _cluster(_share(role=ClusterRole.ADMIN, namespaces=["shop"]))
    actor = _actor(GUEST)
    assert policy.on_cluster(actor, ClusterAction.SHARE, cluster, now=NOW).allowed
    assert policy.on_cluster(actor, ClusterAction.ADMINISTER, cluster, now=NOW) == policy.Decision(
        allowed=False,
        reason="This cluster is shared with you in these namespaces only: shop.",
    )


def test_only_who_may_share_sees_with_whom_it_is_shared() -> None:
    mine, admin, over = (
        _share(),
        _share(OTHER, ClusterRole.ADMIN),
        _share(Id(f"{4:024x}"), expires_at=NOW),
    )
    cluster = _cluster(mine, admin, over)
    assert policy.cluster_seen_by(_actor(GUEST), cluster, now=NOW).shared_with == [mine]
    for person in (OWNER, OTHER):
        seen = policy.cluster_seen_by(_actor(person), cluster, now=NOW)
        assert seen.shared_with == [mine, admin]


def test_a_refusal_says_what_it_takes() -> None:
    viewer = _cluster(_share(role=ClusterRole.VIEWER))
    refused = policy.on_cluster(_actor(GUEST), ClusterAction.DEPLOY, viewer, now=NOW)
    assert refused.reason == ("You are VIEWER of this cluster; this takes DEPLOYER. Ask its owner.")
    admin = _cluster(_share(role=ClusterRole.ADMIN))
    refused = policy.on_cluster(_actor(GUEST), ClusterAction.OWN, admin, now=NOW)
    assert refused.reason == "Only the owner of the cluster may do this."


def _deploys(*namespaces: str | None, share: ClusterShare | None = None) -> str | None:
    """Why not, for the guest of a share, or for the owner."""
    cluster = _cluster(share) if share is not None else _cluster()
    actor = _actor(GUEST if share is not None else OWNER)
    decision = policy.deploys_in(actor, cluster, namespaces, now=NOW)
    assert decision.allowed is (decision.reason is None)
    return decision.reason


def test_a_deploy_takes_every_namespace_that_it_touches() -> None:
    everywhere, shop = _share(), _share(namespaces=["shop", "staging"])
    assert _deploys("shop", "default", None) is None
    assert _deploys("shop", "default", None, share=everywhere) is None
    assert _deploys("shop", "staging", share=shop) is None
    only = "This cluster is shared with you in these namespaces only: shop, staging. "
    assert _deploys("shop", "default", "a", share=shop) == f"{only}The workflow has objects in a."
    assert _deploys("shop", None, share=shop) == (
        f"{only}The workflow has objects that belong to the whole cluster."
    )
    assert _deploys("default", None, share=shop) == f"{only}The workflow has objects in default."


def test_a_look_takes_every_namespace_that_it_sees() -> None:
    cluster = _cluster(_share(role=ClusterRole.VIEWER, namespaces=["shop"]))
    actor = _actor(GUEST)
    assert policy.looks_in(actor, cluster, ["shop"], now=NOW).allowed
    only = "This cluster is shared with you in these namespaces only: shop. "
    for there, why in (("blog", "in blog"), (None, "that belong to the whole cluster")):
        refused = policy.looks_in(actor, cluster, ["shop", there], now=NOW)
        assert refused.reason == f"{only}The workflow has objects {why}."
    everywhere = _cluster(_share(role=ClusterRole.VIEWER))
    assert policy.looks_in(actor, everywhere, ["shop", None], now=NOW).allowed


def test_a_deploy_takes_a_deployer() -> None:
    viewer = "You are VIEWER of this cluster; this takes DEPLOYER. Ask its owner."
    for namespaces in ([], ["shop"]):
        share = _share(role=ClusterRole.VIEWER, namespaces=namespaces)
        assert _deploys("shop", share=share) == viewer
    over = _share(expires_at=NOW)
    assert _deploys("shop", share=over) == "This cluster is not shared with you."


WORKFLOW = WorkflowRow(
    id=Id(f"{8:024x}"), name="Shop", owner_id=OWNER, created_at=NOW, updated_at=NOW
)


@pytest.mark.parametrize(
    ("status", "deploys", "undeploys"),
    [
        (WorkflowStatus.DRAFT, False, False),
        (WorkflowStatus.PUBLISHED, True, True),
        (WorkflowStatus.ARCHIVED, False, True),
    ],
)
def test_what_is_archived_can_be_removed_but_not_deployed(
    status: WorkflowStatus, deploys: bool, undeploys: bool
) -> None:
    workflow = WORKFLOW.model_copy(update={"status": status, "cluster_id": Id(f"{9:024x}")})
    for action, allowed in (
        (WorkflowAction.DEPLOY, deploys),
        (WorkflowAction.UNDEPLOY, undeploys),
    ):
        assert policy.on_workflow(_actor(OWNER), action, workflow).allowed is allowed
        assert not policy.on_workflow(_actor(GUEST), action, workflow).allowed
