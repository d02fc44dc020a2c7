"""What the sandbox cluster itself shows: when the last object of a deploy was there."""

import asyncio
import json
import ssl
import time
from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import yaml

from bench.fanout.figures import worked

KINDS = (
    "/apis/apps/v1/namespaces/{}/deployments",
    "/api/v1/namespaces/{}/services",
    "/api/v1/namespaces/{}/configmaps",
    "/apis/networking.k8s.io/v1/namespaces/{}/ingresses",
    "/apis/batch/v1/namespaces/{}/cronjobs",
    "/apis/autoscaling/v2/namespaces/{}/horizontalpodautoscalers",
)
APPLIED = "kubeorch.io/workflow-id"
"""A label that every object of the canvas has, whoever applies it, and nothing else."""


def client(kubeconfig: Path) -> httpx.AsyncClient:
    """A client of the cluster of a kubeconfig."""
    config = yaml.safe_load(kubeconfig.read_text())
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    authority = b64decode(cluster["certificate-authority-data"]).decode()
    return httpx.AsyncClient(
        base_url=cluster["server"],
        verify=ssl.create_default_context(cadata=authority),
        headers={"authorization": f"Bearer {user['token']}"},
        timeout=60,
        trust_env=False,
    )


class Arrivals:
    """The objects of a namespace as they appear."""

    def __init__(self) -> None:
        self.times: list[float] = []
        """By the clock of `time.monotonic`, in the order in which they came."""
        self._bell = asyncio.Event()

    def add(self) -> None:
        self.times.append(time.monotonic())
        self._bell.set()
        self._bell = asyncio.Event()

    async def until(self, count: int) -> float:
        """When the last of so many was there."""
        async with asyncio.timeout(120):
            while len(self.times) < count:
                await self._bell.wait()
        return self.times[count - 1]


@asynccontextmanager
async def arriving(cluster: httpx.AsyncClient, namespace: str) -> AsyncIterator[Arrivals]:
    """Watches every kind meanwhile."""
    arrivals = Arrivals()
    async with AsyncExitStack() as stack:
        tasks = []
        for kind in KINDS:
            path = kind.format(namespace)
            listed = (await cluster.get(path)).raise_for_status().json()
            asked = {
                "watch": "true",
                "labelSelector": APPLIED,
                "resourceVersion": listed["metadata"]["resourceVersion"],
            }
            stream = cluster.stream("GET", path, params=asked, timeout=None)
            answer = await stack.enter_async_context(stream)
            tasks.append(asyncio.create_task(_count(answer, arrivals)))
        try:
            yield arrivals
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _count(answer: httpx.Response, arrivals: Arrivals) -> None:
    async for line in answer.aiter_lines():
        if line.startswith('{"type":"ADDED"') or json.loads(line)["type"] == "ADDED":
            arrivals.add()


async def namespace(cluster: httpx.AsyncClient, name: str) -> None:
    """Makes one, in which pods can be."""
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    (await cluster.post("/api/v1/namespaces", json=body)).raise_for_status()
    account = f"/api/v1/namespaces/{name}/serviceaccounts/default"
    while (await cluster.get(account)).status_code == 404:  # noqa: ASYNC110
        await asyncio.sleep(0.05)


async def removed(cluster: httpx.AsyncClient, name: str) -> None:
    """Deletes a namespace with everything in it, and waits until it is gone."""
    (await cluster.delete(f"/api/v1/namespaces/{name}")).raise_for_status()
    while (await cluster.get(f"/api/v1/namespaces/{name}")).status_code != 404:  # noqa: ASYNC110
        await asyncio.sleep(0.1)


async def version(cluster: httpx.AsyncClient) -> str:
    found: dict[str, Any] = (await cluster.get("/version")).json()
    return str(found["gitVersion"])


async def idle(*pids: int) -> None:
    """Waits until processes have nothing left to do from what was before."""
    pids_and_theirs = [each for pid in pids for each in (pid, *_children(pid))]
    async with asyncio.timeout(60):
        before = sum(map(worked, pids_and_theirs))
        while True:
            await asyncio.sleep(_WHILE)
            now = sum(map(worked, pids_and_theirs))
            if now - before <= _LITTLE * _WHILE:
                return
            before = now


_WHILE = 1.0
"""Seconds."""
_LITTLE = 0.05
"""Share of a processor."""


def _children(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
