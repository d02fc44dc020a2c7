"""The front end's day: every operation that it has, as written, against a real server."""

import json
from typing import Any

import httpx
import websockets

from tests.apiservers import ApiServers
from tests.contract import operations
from tests.e2e.client import Client
from tests.e2e.shipping import ship
from tests.secrecy import secret

WEB = {"id": "web", "data": {"deployment": {"name": "web", "image": "nginx:1.29", "port": 80}}}
FRONT = {"id": "front", "data": {"service": {"name": "front", "port": 80}}}
EDGE = {"id": "e", "source": "front", "target": "web"}
PASSWORDS = ("a long enough password", "another long password")


class Day:
    """A client that remembers which operations it has sent."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.sent: set[str] = set()

    async def __call__(self, name: str, **variables: Any) -> Any:
        self.sent.add(name)
        return await self.client.one(name, **variables)


async def test_every_operation_works_as_written(server: Any) -> None:
    async with httpx.AsyncClient(timeout=30) as http:
        day = Day(Client(http, server.url))
        await sign_up(day, http, server.url)
        await edit(day)
        await bring_in(day, server)
        await ship(day)
        await administer(day, http, server)
    assert day.sent == set(operations())


async def sign_up(day: Day, http: httpx.AsyncClient, url: str) -> None:
    email = "front.end@example.com"
    joined = await day(
        "Register", input={"name": "Front End", "email": email, "password": PASSWORDS[0]}
    )
    assert joined["__typename"] == "RegisterPayload"
    assert joined["user"]["role"] == "USER"
    assert await day("Viewer") is None

    login = await day("Login", input={"email": email.upper(), "password": PASSWORDS[0]})
    token = login["session"]["refreshToken"]
    refreshed = await day("RefreshSession", input={"refreshToken": token})
    assert refreshed["user"]["email"] == email
    day.client = Client(http, url, refreshed["session"]["accessToken"])

    changed = await day(
        "ChangePassword",
        input={"currentPassword": PASSWORDS[0], "newPassword": PASSWORDS[1]},
    )
    day.client = Client(http, url, changed["session"]["accessToken"])
    renamed = await day("UpdateProfile", input={"name": "Somebody Else"})
    assert renamed["user"]["name"] == (await day("Viewer"))["name"] == "Somebody Else"


async def edit(day: Day) -> None:
    created = await day(
        "CreateWorkflow", input={"name": "Day", "nodes": [WEB, FRONT], "edges": [EDGE]}
    )
    id_ = created["workflow"]["id"]
    named = {"workflowId": id_}
    assert await day("Workflow", id=id_) == created["workflow"]
    assert len(await day("Palette")) == 13

    moved = {"moveNode": {"id": "web", "position": {"x": 10, "y": 20}}}
    edited = await day("EditWorkflow", input=named | {"expectedRevision": 1, "operations": [moved]})
    assert edited["workflow"]["revision"] == 2
    saved = await day(
        "SaveCanvas",
        input=named | {"expectedRevision": 2, "nodes": [WEB, FRONT], "edges": [EDGE]},
    )
    assert saved["workflow"]["revision"] == 3
    await day("UpdateWorkflow", input=named | {"expectedRevision": 3, "name": "Evening"})

    for name in ("PublishWorkflow", "ArchiveWorkflow", "PublishWorkflow", "DeleteWorkflow"):
        assert (await day(name, input=named))["__typename"] == f"{name}Payload"
    assert await day("Workflow", id=id_) is None
    assert (await day("RestoreWorkflow", input=named))["workflow"]["name"] == "Evening"
    assert (await day("CloneWorkflow", input=named))["workflow"]["name"] == "Evening (copy)"
    assert (await day("Workflows", first=10))["totalCount"] == 2

    await day("CreateVersion", input=named | {"name": "One"})
    await day("RestoreVersion", input=named | {"version": 1})
    assert (await day("Versions", id=id_, first=5))["versions"]["totalCount"] == 2
    assert len((await day("Version", id=id_, number=2))["version"]["nodes"]) == 2
    diff = await day("CompareVersions", id=id_, **{"from": 1, "to": 2})
    assert diff["versionDiff"]["nodes"] == []

    yaml = (await day("Export", id=id_, format="YAML"))["manifests"]
    assert "kind: Deployment" in yaml
    assert "image: nginx:1.29" in yaml
    assert json.loads((await day("Export", id=id_, format="JSON"))["manifests"])
    for format_, beginning in (("MERMAID", "flowchart"), ("DOT", "digraph"), ("SVG", "<svg")):
        drawn = (await day("Diagram", id=id_, format=format_))["diagram"]
        assert drawn.lstrip().startswith(beginning)
    await watch(day, id_)


async def watch(day: Day, workflow_id: str) -> None:
    """Sees its own edit arrive, and comes back behind it."""
    day.sent.add("WorkflowChanged")
    url = day.client.url.replace("http://", "ws://")
    protocol = websockets.Subprotocol("graphql-transport-ws")
    async with websockets.connect(url, subprotocols=[protocol]) as socket:

        async def send(**message: Any) -> None:
            await socket.send(json.dumps(message))

        async def next_event() -> dict[str, Any]:
            while True:
                message = json.loads(await socket.recv())
                if message["type"] == "next":
                    assert "errors" not in message["payload"], message
                    event: dict[str, Any] = message["payload"]["data"]["workflowChanged"]
                    return event

        async def subscribe(id_: str, **variables: Any) -> None:
            payload = {"query": operations()["WorkflowChanged"], "variables": variables}
            await send(id=id_, type="subscribe", payload=payload)

        await send(type="connection_init", payload={"authorization": f"Bearer {day.client.token}"})
        await subscribe("1", id=workflow_id)
        snapshot = await next_event()
        assert snapshot["__typename"] == "WorkflowSnapshot"
        assert snapshot["workflow"] == await day("Workflow", id=workflow_id)
        await day("UpdateWorkflow", input={"workflowId": workflow_id, "name": "Seen"})
        event = await next_event()
        assert event["__typename"] == "WorkflowEdited"
        assert event["seq"] == snapshot["seq"] + 1
        assert event["workflow"]["name"] == "Seen"
        assert event["actor"]["name"] == "Somebody Else"

        await subscribe("2", id=workflow_id, after=snapshot["seq"])
        assert await next_event() == event


async def bring_in(day: Day, server: Any) -> None:
    """Brings a cluster in, watches it, lets the demo user have a part of it, and removes it."""
    api = ApiServers()
    api.token = secret("the token of a cluster")
    async with api.running():
        token = {"token": {"token": api.token}}
        described = {"name": "prod", "server": f"{api.url}/prod", "credentials": token}
        added = await day("AddCluster", input=described)
        cluster = added["cluster"]
        assert (cluster["status"], cluster["default"]) == ("CONNECTED", True)
        named = {"clusterId": cluster["id"]}
        assert await day("Cluster", id=cluster["id"]) == cluster
        assert await day("DefaultCluster") == {"defaultCluster": cluster}
        assert (await day("Clusters", first=10))["edges"] == [{"node": cluster}]

        first = await first_event(day, "ClusterStatus", id=cluster["id"])
        assert (first["__typename"], first["cluster"]) == ("ClusterSnapshot", cluster)
        assert (await first_event(day, "ClustersStatus"))["__typename"] == "ClustersSnapshot"

        changed = await day("UpdateCluster", input=named | {"displayName": "Production"})
        assert changed["cluster"]["displayName"] == "Production"
        account = {"serviceaccount": token["token"]}
        renewed = await day("UpdateClusterCredentials", input=named | {"credentials": account})
        assert renewed["cluster"]["authType"] == "SERVICEACCOUNT"
        assert (await day("TestCluster", input=named))["permissions"]
        refreshed = await day("RefreshCluster", input=named)
        assert refreshed["cluster"]["status"] == "CONNECTED"

        part = {"email": server.email, "role": "DEPLOYER", "namespaces": ["shop"]}
        shared = await day("ShareCluster", input=named | part)
        (share,) = shared["cluster"]["sharedWith"]
        assert (share["user"]["email"], share["namespaces"]) == (server.email, ["shop"])
        ended = await day("UnshareCluster", input=named | {"userId": share["user"]["id"]})
        assert ended["cluster"]["sharedWith"] == []
        default = await day("SetDefaultCluster", input=named)
        assert default["cluster"]["default"] is True
        assert (await day("RemoveCluster", input=named))["clusterId"] == cluster["id"]
        assert await day("DefaultCluster") == {"defaultCluster": None}


async def first_event(day: Day, name: str, **variables: Any) -> dict[str, Any]:
    """What a subscription begins with."""
    day.sent.add(name)
    url = day.client.url.replace("http://", "ws://")
    protocol = websockets.Subprotocol("graphql-transport-ws")
    async with websockets.connect(url, subprotocols=[protocol]) as socket:
        for message in (
            {
                "type": "connection_init",
                "payload": {"authorization": f"Bearer {day.client.token}"},
            },
            {
                "id": "1",
                "type": "subscribe",
                "payload": {"query": operations()[name], "variables": variables},
            },
        ):
            await socket.send(json.dumps(message))
        while True:
            message = json.loads(await socket.recv())
            if message["type"] == "next":
                payload: dict[str, Any] = message["payload"]
                assert "errors" not in payload, payload
                (event,) = payload["data"].values()
                return dict(event)


async def administer(day: Day, http: httpx.AsyncClient, server: Any) -> None:
    refused = await day.client.send("Users", first=5)
    assert refused.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert (await day("Logout", input={}))["ok"] is True
    assert await day("Viewer") is None
    day.client = await Client.sign_in(http, server)
    found = await day("Users", first=5, search="somebody")
    assert [edge["node"]["name"] for edge in found["edges"]] == ["Somebody Else"]
