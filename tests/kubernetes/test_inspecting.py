"""Looking closer, on every cluster that the tests have: what is read is what clusters say."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from app.domain.editing import EdgeDraft
from app.domain.inspecting import CheckOutcome
from app.domain.user import Actor
from app.services import Ending, Services
from app.services.inspecting import Inspecting
from tests.deploying import There, bring
from tests.domain.drawing import deployment, node, service
from tests.kubernetes.asking import Api, Object
from tests.kubernetes.clusters import Cluster
from tests.secrecy import secret
from tests.services.inspecting.conftest import Place
from tests.services.inspecting.placing import Placed, inspecting, place

FAILED, PASSED = CheckOutcome.FAILED, CheckOutcome.PASSED


@pytest.fixture
async def looking(services: Services) -> AsyncIterator[Inspecting]:
    async with inspecting(services) as made:
        yield made


@pytest.fixture
async def placed(
    services: Services, owner: Actor, cluster: Cluster, api: Api, looking: Inspecting
) -> Place:
    """`await placed(*nodes_and_edges)`: their objects are in the test's namespace."""
    there = There(await bring(services, owner, cluster), cluster, api)

    async def make(*parts: Any, **more: Any) -> Placed:
        return await place(services, owner, there, looking, *parts, **more)

    return make


def is_ready(found: Object) -> bool:
    return bool(found.get("status", {}).get("readyReplicas"))


async def told(there: Placed, node_id: str, name: str) -> tuple[CheckOutcome, str]:
    found = await there.diagnosis(node_id)
    check = {each.name: each for each in found.checks}[name]
    return check.outcome, check.message


@pytest.mark.api
async def test_keys_are_known_without_their_values(placed: Place) -> None:
    name = "Configuration is there"
    value = secret("a value of a Secret on the cluster")
    parts = (
        node("secret", "credentials", name="credentials", keys=[{"name": "token"}]),
        node("configmap", "settings", name="settings", data={"a": "1", "b.yaml": "2"}),
        deployment("web", env_keys=[{"id": "token", "name": "token"}]),
    )
    there = await placed(*parts, values={"token": value})
    assert await told(there, "credentials", name) == (PASSED, "Secret credentials has 1 key.")
    assert await told(there, "settings", name) == (PASSED, "ConfigMap settings has 2 keys.")
    outcome, message = await told(there, "web", name)
    assert outcome is PASSED
    assert message.startswith("Everything that Deployment web names is there.")
    secrets = await there.there.api.read("Secret", labelSelector="kubeorch.io/node-id=web")
    [env] = [each["metadata"]["name"] for each in secrets["items"]]
    body = {"data": {"token": None}}
    await there.there.api.patch("Secret", env, body=body)
    outcome, message = await told(there, "web", name)
    assert outcome is FAILED
    assert message.endswith(f"needs the key token of the Secret {env}, which has none.")


@pytest.mark.api
@pytest.mark.controllers
async def test_what_leads_to_pods(
    placed: Place, pods_run: Callable[[], AbstractAsyncContextManager[None]]
) -> None:
    async with pods_run():
        there = await placed(
            deployment("web"),
            service("entry"),
            EdgeDraft("entry", "web", id="e"),
            service("wrong", target_port=9999),
            EdgeDraft("wrong", "web", id="w"),
        )
        api = there.there.api
        await api.until("Deployment", "web", is_ready)
        await api.until_some(
            "EndpointSlice",
            lambda slices: any(each.get("endpoints") for each in slices),
            labelSelector="kubernetes.io/service-name=entry",
        )
        sentence = "Service entry chooses 1 pod."
        assert await told(there, "entry", "Selector matches pods") == (PASSED, sentence)
        outcome, _ = await told(there, "entry", "Endpoints are ready")
        assert outcome is PASSED
        outcome, _ = await told(there, "wrong", "Ports match")
        assert outcome is CheckOutcome.WARNING
        assert (await told(there, "web", "Containers run"))[0] is PASSED
        [pod] = await there.pods("web")
        assert (pod.phase, pod.ready, pod.containers[0].state) == ("Running", True, "running")


@pytest.mark.api
@pytest.mark.controllers
async def test_pods_that_cannot_be_created(placed: Place) -> None:
    there = await placed(deployment("web", service_account_name="nobody"))
    await there.there.api.until(
        "Deployment",
        "web",
        lambda found: any(
            each["type"] == "ReplicaFailure"
            for each in found.get("status", {}).get("conditions", [])
        ),
    )
    assert await told(there, "web", "Pods can be created") == (
        FAILED,
        "Its pods need the ServiceAccount nobody, which does not exist.",
    )
    outcome, message = await told(there, "web", "Configuration is there")
    assert outcome is FAILED
    assert message == "Its pods need the ServiceAccount nobody, which does not exist."
    outcome, message = await told(there, "web", "Recent warnings")
    assert outcome is CheckOutcome.WARNING
    assert message.startswith("FailedCreate")


@pytest.mark.api
@pytest.mark.pods
async def test_what_pods_write(placed: Place) -> None:
    there = await placed(node("job", "job", name="job", image="busybox:1.37"))
    async with asyncio.timeout(60):
        lines = there.looking.logs(
            there.owner, there.workflow.id, "job", follow=True, until=Ending()
        )
        found = [line async for line in lines]
    assert found
    assert [line.at for line in found] == sorted(line.at for line in found if line.at)
