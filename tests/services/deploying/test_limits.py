"""How many runs one person may have."""

import pytest

from app.domain.deploying import DeployDraft
from app.domain.errors import LimitExceeded
from app.domain.user import Actor
from app.services import Services
from app.services.deploying import queueing
from app.services.deploying.deployments import Deployments
from tests.deploying import There, published
from tests.domain.drawing import node


async def test_one_person_has_so_many_runs_and_others_have_theirs(
    services: Services,
    deploys: Deployments,
    owner: Actor,
    there: There,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(queueing, "MOST_RUNS", 2)
    one = node("configmap", "one", name="one", data={"a": "1"})
    first, second, third = [
        await published(services, owner, there, name=name, nodes=[one], edges=[]) for name in "abc"
    ]
    run = await deploys.deploy(owner, DeployDraft(first.id))
    await deploys.deploy(owner, DeployDraft(second.id))
    for _ in range(2):
        with pytest.raises(LimitExceeded) as refused:
            await deploys.deploy(owner, DeployDraft(third.id))
    assert refused.value.message == (
        "You have 2 runs that have not ended, and may have 2. Wait for some of them, or cancel "
        "them."
    )
    await deploys.cancel(owner, run.id)
    assert (await deploys.deploy(owner, DeployDraft(third.id))).workflow_id == third.id
