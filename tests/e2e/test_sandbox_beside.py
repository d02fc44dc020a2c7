"""`kubeorch serve` brings a sandbox cluster along, which belongs to the demo user."""

import asyncio
from pathlib import Path
from typing import Any

import httpx

from tests.e2e.client import Client
from tests.e2e.conftest import StartServer
from tests.e2e.running import RunningServer
from tests.secrecy import keep_secret


async def _sandbox_of(server: RunningServer) -> dict[str, Any] | None:
    async with httpx.AsyncClient(timeout=60) as http:
        client = await Client.sign_in(http, server)
        cluster: dict[str, Any] | None = (await client.one("DefaultCluster"))["defaultCluster"]
        return cluster


async def _gone(pid: int) -> None:
    """Returns when a process that is not ours has ended. Polls: nobody else's child is told of."""
    async with asyncio.timeout(20):
        while Path(f"/proc/{pid}").exists():  # noqa: ASYNC110
            await asyncio.sleep(0.05)


def _process(data_dir: Path) -> int:
    """The sandbox cluster's process, known by its data folder."""
    for entry in Path("/proc").iterdir():
        try:
            command = (entry / "cmdline").read_bytes()
            environment = (entry / "environ").read_bytes()
        except OSError:
            continue
        if b"\0sandbox\0" in command and str(data_dir).encode() in environment:
            return int(entry.name)
    raise AssertionError("there is no sandbox cluster")


async def test_the_demo_user_has_a_cluster_and_the_demo_deploys_to_it(
    server: RunningServer,
) -> None:
    cluster = await _sandbox_of(server)
    assert cluster is not None
    assert (cluster["name"], cluster["status"]) == ("sandbox", "CONNECTED")
    assert cluster["metadata"]["platform"] == "sandbox"
    assert "Nothing is executed" in cluster["description"]
    token = (server.data_dir / "sandbox" / "token").read_text().strip()
    keep_secret(token, "the token of the sandbox cluster")
    async with httpx.AsyncClient(timeout=60) as http:
        client = await Client.sign_in(http, server)
        workflow = await client.one(
            "query ($id: ID!) { workflow(id: $id) { cluster { id } } }", id=server.workflow_id
        )
        assert workflow["cluster"]["id"] == cluster["id"]
        tested = await client.one("TestCluster", input={"clusterId": cluster["id"]})
    assert tested["permissions"]
    assert all(permission["allowed"] for permission in tested["permissions"])


async def test_it_is_found_again_at_its_new_address(start_server: StartServer) -> None:
    first = await start_server(KUBEORCH_SANDBOX="true")
    before = await _sandbox_of(first)
    await first.stop()
    second = await start_server(KUBEORCH_SANDBOX="true")
    after = await _sandbox_of(second)
    assert before is not None
    assert after is not None
    assert after["id"] == before["id"]
    assert after["server"] != before["server"]
    assert after["status"] == "CONNECTED"


async def test_it_ends_when_the_server_is_killed(start_server: StartServer) -> None:
    server = await start_server(KUBEORCH_SANDBOX="true")
    process = _process(server.data_dir)
    await server.kill()
    await _gone(process)


async def test_without_it_there_is_no_cluster(start_server: StartServer) -> None:
    server = await start_server(KUBEORCH_SANDBOX="false")
    assert await _sandbox_of(server) is None
