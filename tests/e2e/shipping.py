"""The front end's deploys: an application goes to a sandbox cluster, is looked at, and goes again.

Everything is asked as the front end asks it, against a real server that does the runs itself.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Protocol

from tests.contract import operations
from tests.e2e.client import Client
from tests.e2e.subscribing import hear, socket_to, subscribe
from tests.kubernetes.asking import Api
from tests.kubernetes.sandbox import sandbox
from tests.secrecy import keep_secret, secret

NODES = [
    {
        "id": "web",
        "data": {
            "deployment": {
                "name": "web",
                "image": "nginx:1.29",
                "port": 80,
                "envKeys": [{"id": "password", "name": "PASSWORD"}],
            }
        },
    },
    {"id": "front", "data": {"service": {"name": "front", "port": 80}}},
    {"id": "keys", "data": {"secret": {"name": "keys", "keys": [{"name": "token"}]}}},
]
EDGES = [{"id": "e", "source": "front", "target": "web"}]
PATIENCE = 60


class Day(Protocol):
    """A client that remembers which operations it has sent."""

    client: Client
    sent: set[str]

    def __call__(self, name: str, **variables: Any) -> Awaitable[Any]: ...


async def ship(day: Day) -> None:
    """Plans, deploys, watches, looks closer, rolls back and removes."""
    async with a_cluster(day) as cluster_id:
        made = await day(
            "CreateWorkflow",
            input={
                "name": "Shipped",
                "clusterId": cluster_id,
                "namespace": "shop",
                "nodes": NODES,
                "edges": EDGES,
            },
        )
        id_ = made["workflow"]["id"]
        await day("PublishWorkflow", input={"workflowId": id_})
        await deploy(day, id_)
        await look(day, id_)
        await go_back(day, id_)


@asynccontextmanager
async def a_cluster(day: Day) -> AsyncIterator[str]:
    """A sandbox cluster that the front end has brought in; its id."""
    async with sandbox() as cluster, cluster.client() as http:
        api = Api(http, "shop")
        await api.made({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
        await api.until("ServiceAccount", "default", lambda _: True)
        token = keep_secret(cluster.token, "the token of a cluster")
        credentials = {"token": {"token": token, "caData": cluster.ca.decode()}}
        added = await day(
            "AddCluster",
            input={"name": "yard", "server": cluster.server, "credentials": credentials},
        )
        assert added["cluster"]["status"] == "CONNECTED"
        yield added["cluster"]["id"]


async def deploy(day: Day, id_: str) -> None:
    planned = await day("PlanWorkflow", input={"workflowId": id_})
    plan = planned["plan"]
    assert {one["action"] for one in plan["objects"]} == {"CREATE"}
    assert {each["nodeId"] for each in plan["missingSecretKeys"]} == {"web", "keys"}
    values = {
        "secretValues": [{"nodeId": "keys", "values": {"token": secret("a value of a Secret")}}],
        "envValues": [{"nodeId": "web", "values": {"PASSWORD": secret("a variable")}}],
    }
    refused = await day("DeployWorkflow", input={"workflowId": id_, "planId": plan["id"]})
    assert refused["__typename"] == "DeployRefused"
    given = {"workflowId": id_, "planId": plan["id"], "message": "The first"}
    run = (await day("DeployWorkflow", input=given | values))["run"]
    assert (run["version"], run["message"]) == (1, "The first")
    first, *events, last = await told(day, "RunProgress", id=run["id"])
    assert first["__typename"] == "RunSnapshot"
    assert (last["__typename"], last["run"]["status"]) == ("RunFinished", "COMPLETED")
    assert [event["seq"] for event in [*events, last]] == [
        first["seq"] + number for number in range(1, len(events) + 2)
    ]
    assert await day("Run", id=run["id"]) == last["run"]
    assert await told(day, "RunProgress", id=run["id"], after=last["seq"] - 1) == [last]
    late = await day("CancelRun", input={"runId": run["id"]})
    assert late["__typename"] == "Conflict"
    shown = await day("Runs", id=id_, first=5)
    assert shown["liveVersion"] == 1
    assert [edge["node"] for edge in shown["runs"]["edges"]] == [last["run"]]


async def look(day: Day, id_: str) -> None:
    def all_work(seen: dict[str, Any]) -> bool:
        return seen.keys() == {"web", "front", "keys"} and set(seen.values()) == {"HEALTHY"}

    states: dict[str, Any] = {}

    def fold(event: dict[str, Any]) -> bool:
        told_of = event["nodes"] if "nodes" in event else [event["status"]]
        for status in told_of:
            states[status["nodeId"]] = status["state"]
        return all_work(states)

    await told(day, "WorkflowStatus", until=fold, id=id_)
    nodes = (await day("Workflow", id=id_))["nodes"]
    assert {node["id"]: node["status"]["state"] for node in nodes} == states
    drift = (await day("Drift", id=id_))["drift"]
    assert {one["state"] for one in drift["objects"]} == {"IN_SYNC"}
    found = (await day("Diagnose", id=id_, nodeId="web"))["diagnostics"]
    assert found["state"] == "HEALTHY"
    assert found["checks"]
    (pod,) = (await day("Pods", id=id_, nodeId="web"))["pods"]
    assert (pod["namespace"], pod["ready"]) == ("shop", True)
    lines = await told(
        day, "PodLogs", id=id_, nodeId="web", pod=pod["name"], tailLines=5, follow=False
    )
    assert {line["pod"] for line in lines} == {pod["name"]}


async def go_back(day: Day, id_: str) -> None:
    back = await day("RollbackWorkflow", input={"workflowId": id_, "version": 1})
    *_, last = await told(day, "RunProgress", id=back["run"]["id"])
    assert (last["run"]["status"], last["run"]["version"]) == ("COMPLETED", 2)
    removed = await day("UndeployWorkflow", input={"workflowId": id_, "deleteData": True})
    *_, last = await told(day, "RunProgress", id=removed["run"]["id"])
    assert last["run"]["status"] == "COMPLETED"
    assert (await day("Runs", id=id_, first=1))["liveVersion"] is None


async def told(
    day: Day,
    name: str,
    *,
    until: Callable[[dict[str, Any]], bool] = lambda _: False,
    **variables: Any,
) -> list[dict[str, Any]]:
    """What a subscription tells, up to what is waited for or its own end."""
    day.sent.add(name)
    events: list[dict[str, Any]] = []
    assert day.client.token is not None
    url = day.client.url.replace("http", "ws", 1)
    async with asyncio.timeout(PATIENCE), socket_to(url, day.client.token) as socket:
        await subscribe(socket, operations()[name], **variables)
        while (message := await hear(socket))["type"] == "next":
            assert "errors" not in message["payload"], message
            (event,) = message["payload"]["data"].values()
            events.append(event)
            if until(event):
                break
        else:
            assert message["type"] == "complete", message
    return events
