"""What a client asks for with a deploy: whether it can be taken, and whether it is the same."""

from app.domain.deploying import DeployDraft, PlanDraft
from app.domain.errors import Invalid
from app.domain.manifest import Identity
from app.domain.planning import Consents
from app.domain.planning.binding import digest_of
from app.domain.planning.observed import Chosen
from app.domain.stored_plan import StoredPlan
from app.services.deploying.values import check_size

LONGEST_KEY = 200
"""Characters of an idempotency key."""
LONGEST_MESSAGE = 2_000
"""Characters of what somebody says of a deploy."""


def check(draft: DeployDraft) -> None:
    """Raises Invalid, and LimitExceeded for values."""
    key, message = draft.idempotency_key, draft.message
    if key is not None and not 0 < len(key) <= LONGEST_KEY:
        raise Invalid.field(["idempotencyKey"], f"Write 1 to {LONGEST_KEY} characters.")
    if message is not None and len(message) > LONGEST_MESSAGE:
        raise Invalid.field(["message"], f"Write at most {LONGEST_MESSAGE} characters.")
    check_size(draft.values)


def digest_of_request(draft: DeployDraft) -> str:
    """Stands for everything that is asked for; of the values, for their names alone."""
    consents = draft.consents
    return digest_of(
        [
            [draft.workflow_id, draft.kind.value, draft.plan_id, draft.cluster_id],
            [draft.namespace, draft.version, draft.message],
            [*map(_chosen, (consents.adopt, consents.take_over, consents.replace))],
            consents.delete_data,
            names(draft),
        ]
    )


def names(draft: DeployDraft) -> dict[str, list[str]]:
    """The names of the values that were given, by node."""
    return {node_id: sorted(given) for node_id, given in draft.values.items() if given}


def aimed(draft: DeployDraft, stored: StoredPlan | None) -> PlanDraft:
    """What is to be planned for a deploy. Raises Invalid where it says otherwise than its plan."""
    if stored is None:
        return PlanDraft(
            workflow_id=draft.workflow_id,
            cluster_id=draft.cluster_id,
            namespace=draft.namespace,
            kind=draft.kind,
            version=draft.version,
            consents=draft.consents,
        )
    if stored.kind is not draft.kind:
        raise Invalid.field(["planId"], f"This is the plan of a {stored.kind.value}.")
    for field, named, planned in (
        ("clusterId", draft.cluster_id, stored.cluster_id),
        ("namespace", draft.namespace, stored.namespace),
        ("version", draft.version, stored.version),
    ):
        if named is not None and named != planned:
            raise Invalid.field([field], "The plan says otherwise. Leave it out, or plan again.")
    return PlanDraft(
        workflow_id=stored.workflow_id,
        cluster_id=stored.cluster_id,
        namespace=stored.namespace,
        kind=stored.kind,
        version=stored.version,
        consents=_both(stored.consents, draft.consents),
    )


def _both(planned: Consents, given: Consents) -> Consents:
    """What was agreed to when it was planned, and now. Who deploys a plan has seen what is made
    anew."""
    return Consents(
        adopt=_either(planned.adopt, given.adopt),
        take_over=_either(planned.take_over, given.take_over),
        replace=True,
        delete_data=planned.delete_data or given.delete_data,
    )


def _either(one: Chosen, other: Chosen) -> Chosen:
    if one is True or other is True:
        return True
    return _some(one) | _some(other)


def _some(chosen: Chosen) -> frozenset[Identity]:
    return frozenset() if isinstance(chosen, bool) else chosen


def _chosen(chosen: Chosen) -> bool | list[Identity]:
    return chosen if isinstance(chosen, bool) else sorted(chosen)
