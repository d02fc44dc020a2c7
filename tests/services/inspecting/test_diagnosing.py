"""What a diagnosis says of workflows on a cluster: what is well, and each thing that is not."""

import pytest

from app.domain.editing import EdgeDraft
from app.domain.errors import ClusterError, ClusterFault, NotFound
from app.domain.health import HealthState
from app.domain.inspecting import Check, CheckOutcome, Diagnosis
from app.domain.user import Actor
from app.services import Services
from app.services.accessing import Place as Address
from app.services.accessing import TokenDraft
from app.services.inspecting import Inspecting
from tests.clusters import NOBODY, credentials
from tests.deploying import DEMO_EDGES, DEMO_NODES
from tests.domain.drawing import deployment, node, service
from tests.secrecy import keep_secret, secret
from tests.services.inspecting.conftest import Place
from tests.services.inspecting.placing import note

FAILED, WARNING = CheckOutcome.FAILED, CheckOutcome.WARNING
PASSED, SKIPPED = CheckOutcome.PASSED, CheckOutcome.SKIPPED


def check(diagnosis: Diagnosis, name: str) -> Check:
    return {each.name: each for each in diagnosis.checks}[name]


def outcomes(diagnosis: Diagnosis) -> dict[str, CheckOutcome]:
    return {each.name: each.outcome for each in diagnosis.checks}


async def test_what_is_well(placed: Place) -> None:
    there = await placed(
        deployment("web", replicas=2, readiness_probe={"tcp_socket": {}}),
        service("entry"),
        EdgeDraft("entry", "web", id="e"),
    )
    found = await there.until_check("web", "Rollout", PASSED)
    assert (found.node_id, found.state) == ("web", HealthState.HEALTHY)
    assert outcomes(found) == {
        "Objects exist": PASSED,
        "Rollout": PASSED,
        "Pods can be created": PASSED,
        "Pods are scheduled": PASSED,
        "Image can be pulled": PASSED,
        "Configuration is there": PASSED,
        "Containers run": PASSED,
        "Probes": PASSED,
        "Recent warnings": PASSED,
    }
    assert all(each.suggestion is None for each in found.checks)
    behind = await there.until_check("entry", "Endpoints are ready", PASSED, "2 pods")
    assert outcomes(behind) == {
        "Objects exist": PASSED,
        "Selector matches pods": PASSED,
        "Ports match": PASSED,
        "Endpoints are ready": PASSED,
        "Recent warnings": PASSED,
    }


async def test_the_demo_application_without_its_values(placed: Place) -> None:
    there = await placed(*DEMO_NODES, *DEMO_EDGES)
    found = await there.until_check("web", "Configuration is there", FAILED)
    told = check(found, "Configuration is there")
    assert told.message.startswith(
        "The variable DATABASE_PASSWORD of container web needs the key DATABASE_PASSWORD of the "
        "Secret env-"
    )
    assert told.suggestion == "Give its value with the next deploy."
    assert check(await there.diagnosis("credentials"), "Configuration is there").outcome is WARNING
    waits = await there.diagnosis("entry")
    assert check(waits, "Ingress backends").message == (
        "shop.example.com/ leads to the Service web, and no pod behind it is ready."
    )
    fine = await there.until_check("database", "Claims are bound", PASSED, "data-database-0")
    assert FAILED not in outcomes(fine).values()
    for node_id in ("scaler", "report", "wall", "settings", "database-service"):
        assert FAILED not in outcomes(await there.diagnosis(node_id)).values(), node_id


async def test_values_of_secrets_are_never_read(placed: Place) -> None:
    """The test's database and logs are searched for it too."""
    value = secret("a value of a Secret on the cluster")
    there = await placed(
        node("secret", "credentials", name="credentials", keys=[{"name": "token"}]),
        deployment("web"),
        EdgeDraft("credentials", "web", id="e"),
        values={"token": value},
    )
    found = await there.until_check("web", "Configuration is there", PASSED)
    told = await there.diagnosis("credentials")
    assert check(told, "Configuration is there").message == "Secret credentials has 1 key."
    assert value not in repr((found, told))


@pytest.mark.parametrize(
    ("image", "name", "says", "suggestion"),
    [
        ("crash:1", "Containers run", "keeps ending", "Look at its previous log."),
        (
            "oom:1",
            "Containers run",
            "keeps being killed",
            "Raise its memory limit, or make it use less. Look at its previous log.",
        ),
        (
            "missing:1",
            "Image can be pulled",
            "cannot pull the image missing:1",
            "The registry has no such image or tag: correct the name or the tag.",
        ),
    ],
)
async def test_images_that_fail(
    placed: Place, image: str, name: str, says: str, suggestion: str
) -> None:
    there = await placed(deployment("web", image=image))
    found = await there.until_check("web", name, FAILED, says)
    assert check(found, name).suggestion == suggestion
    assert found.state is HealthState.DEGRADED
    assert found.checks[0].outcome is FAILED
    assert check(found, "Recent warnings").outcome is WARNING


async def test_a_pod_that_no_node_takes(placed: Place) -> None:
    there = await placed(deployment("web", image="unschedulable:1"))
    found = await there.until_check("web", "Pods are scheduled", WARNING)
    assert "waits for a node" in check(found, "Pods are scheduled").message
    assert check(found, "Image can be pulled").outcome is SKIPPED
    warned = check(found, "Recent warnings").message
    assert warned.startswith("FailedScheduling")


async def test_services_that_lead_nowhere(placed: Place) -> None:
    there = await placed(
        deployment("web"),
        service("wrong", target_port=9999),
        EdgeDraft("wrong", "web", id="wrong"),
        service("lonely"),
    )
    await there.until_check("web", "Rollout", PASSED)
    found = await there.diagnosis("wrong")
    assert check(found, "Ports match").message == (
        "Service wrong sends to the TCP port 9999, and its pods say that they listen on 80."
    )
    assert check(await there.diagnosis("lonely"), "Endpoints are ready").outcome is WARNING


async def test_what_was_deleted_by_somebody(placed: Place) -> None:
    there = await placed(deployment("web"), leave_out=["Deployment"])
    found = await there.diagnosis("web")
    assert found.state is HealthState.MISSING
    assert outcomes(found) == {"Objects exist": FAILED}
    assert await there.pods("web") == []


async def test_what_was_never_deployed(placed: Place) -> None:
    there = await placed(deployment("web"))
    await note(there.services, there.workflow, there.there.known, [])
    found = await there.diagnosis("web")
    assert (found.state, outcomes(found)) == (HealthState.MISSING, {"Objects exist": SKIPPED})
    assert found.message == "Nothing of this node is on a cluster: deploy the workflow first."
    assert await there.pods("web") == []


async def test_what_is_not_the_callers(placed: Place, stranger: Actor, looking: Inspecting) -> None:
    there = await placed(deployment("web"))
    for call in (looking.diagnose, looking.pods):
        with pytest.raises(NotFound) as lost:
            await call(stranger, there.workflow, "web")
        assert (lost.value.kind, lost.value.path) == ("workflow", ["workflowId"])
        with pytest.raises(NotFound) as lost:
            await call(there.owner, there.workflow, "nowhere")
        assert (lost.value.kind, lost.value.path) == ("node", ["nodeId"])


async def test_what_the_cluster_does_not_let_us_read(placed: Place, services: Services) -> None:
    there = await placed(deployment("web"), service("entry"))
    async with there.there.cluster.lend() as token:
        keep_secret(token, "a token that may do nothing")
        draft = TokenDraft(token=token, ca=there.there.cluster.ca.decode())
        await services.clusters.update_credentials(
            there.owner, there.there.known.id, draft, Address(there.there.cluster.server)
        )
        found = await there.diagnosis("web")
        assert found.state is HealthState.PENDING
        [only] = found.checks
        assert only.outcome is SKIPPED
        assert only.message.startswith("Deployment web cannot be looked at: The credentials")
        with pytest.raises(ClusterError) as refused:
            await there.pods("web")
        assert refused.value.fault is ClusterFault.FORBIDDEN


async def test_a_cluster_that_does_not_answer(placed: Place) -> None:
    there = await placed(deployment("web"))
    await there.services.clusters.update_credentials(
        there.owner, there.there.known.id, credentials(), Address(NOBODY)
    )
    for call in (there.diagnosis, there.pods):
        with pytest.raises(ClusterError) as failed:
            await call("web")
        assert failed.value.fault is ClusterFault.UNREACHABLE


async def test_pods(placed: Place) -> None:
    there = await placed(
        deployment("web", replicas=2), deployment("other", image="crash:1"), service("entry")
    )
    await there.until_check("web", "Rollout", PASSED)
    found = await there.pods("web")
    assert len(found) == 2
    for each in found:
        assert (each.namespace, each.phase, each.ready) == ("shop", "Running", True)
        assert (each.restarts, each.node, each.message) == (0, "sandbox-1", None)
        [container] = each.containers
        assert (container.name, container.image) == ("web", "nginx:1.29")
        assert (container.state, container.reason, container.is_init) == ("running", None, False)
    await there.until_check("other", "Containers run", FAILED, "restarted 2 times")
    [crashed] = await there.pods("other")
    assert not crashed.ready
    assert crashed.restarts >= 2
    assert crashed.message is not None
    assert await there.pods("entry") == []
