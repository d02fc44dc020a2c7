"""Our side: one server with its sandbox cluster, asked as a front end asks it."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from bench.deploy.canvas import Edge, Node
from bench.fanout.contestants import CREATE, LOGIN, ask, line_of, running, serving

CLUSTERS = "{ clusters(first: 1) { edges { node { id name } } } }"
PUBLISH = """mutation ($input: PublishWorkflowInput!) { publishWorkflow(input: $input) {
  ... on PublishWorkflowPayload { workflow { id } } ... on UserError { message } } }"""
MANIFESTS = "query ($id: ID!) { workflow(id: $id) { manifests(format: YAML) } }"
PLAN = """mutation ($input: PlanWorkflowInput!) { planWorkflow(input: $input) {
  ... on PlanWorkflowPayload { plan { id summary { create } problems { message } } }
  ... on UserError { message } } }"""
DEPLOY = """mutation ($input: DeployWorkflowInput!) { deployWorkflow(input: $input) {
  ... on DeployWorkflowPayload { run { id } } ... on UserError { message } } }"""
RUN = "query ($id: ID!) { run(id: $id) { status error message startedAt } }"
PATIENCE = 120.0
"""Seconds for one run."""
PROGRESS = """subscription ($id: ID!) { runProgress(runId: $id) { __typename
  ... on RunFinished { run { status error } } } }"""


@dataclass(frozen=True)
class Server:
    """A server that is there, and who is signed in."""

    http: httpx.AsyncClient
    url: str
    cluster_id: str
    kubeconfig: Path
    pid: int

    async def _ask(self, query: str, **given: Any) -> dict[str, Any]:
        found = await ask(self.http, self.url, query, given)
        [payload] = found.values()
        assert "message" not in payload, payload["message"]
        return dict(payload)

    async def workflow(
        self, name: str, namespace: str, nodes: list[Node], edges: list[Edge]
    ) -> str:
        """The id of a new workflow that is published."""
        place = {"clusterId": self.cluster_id, "namespace": namespace}
        made = await self._ask(CREATE, name=name, nodes=nodes, edges=edges, **place)
        id_: str = made["workflow"]["id"]
        await self._ask(PUBLISH, workflowId=id_)
        return id_

    async def manifests(self, workflow_id: str) -> str:
        body = {"query": MANIFESTS, "variables": {"id": workflow_id}}
        answer = (await self.http.post(self.url, json=body)).json()
        text: str = answer["data"]["workflow"]["manifests"]
        return text

    async def plan(self, workflow_id: str) -> dict[str, Any]:
        plan: dict[str, Any] = (await self._ask(PLAN, workflowId=workflow_id))["plan"]
        return plan

    async def deploy(self, workflow_id: str, plan_id: str) -> str:
        """The id of the run."""
        made = await self._ask(DEPLOY, workflowId=workflow_id, planId=plan_id)
        id_: str = made["run"]["id"]
        return id_

    async def completed(self, run_id: str) -> float:
        """When the run has ended, by `time.monotonic`; it has to be COMPLETED."""
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._finished(run_id)
        except TimeoutError:
            body = {"query": RUN, "variables": {"id": run_id}}
            now = (await self.http.post(self.url, json=body)).text
            raise AssertionError(f"the run has not ended after {PATIENCE:g} s: {now}") from None

    async def _finished(self, run_id: str) -> float:
        body = {"query": PROGRESS, "variables": {"id": run_id}}
        headers = {"accept": "text/event-stream"}
        stream = self.http.stream("POST", self.url, json=body, headers=headers, timeout=None)
        async with stream as answer:
            async for line in answer.aiter_lines():
                if not line.startswith("data: {"):
                    continue
                event = json.loads(line.removeprefix("data: "))["data"]["runProgress"]
                if event["__typename"] == "RunFinished":
                    ended = time.monotonic()
                    assert event["run"]["status"] == "COMPLETED", event["run"]
                    return ended
        raise AssertionError("the stream of the run has ended without its end")


@asynccontextmanager
async def ours(uri: str, folder: Path) -> AsyncIterator[Server]:
    """`kubeorch serve`, which does runs too, and its sandbox cluster beside it."""
    serve, settings = serving(uri, "bench", folder)
    async with running(*serve, folder=folder, environment=settings) as process:
        await line_of(process, folder, "Ctrl-C")
        demo = json.loads((folder / "demo.json").read_text())
        url = f"{demo['url']}/graphql"
        async with httpx.AsyncClient(timeout=120) as http:
            person = {"email": demo["email"], "password": demo["password"]}
            login = await ask(http, url, LOGIN, person)
            token = login["login"]["session"]["accessToken"]
            http.headers["authorization"] = f"Bearer {token}"
            found = (await http.post(url, json={"query": CLUSTERS})).json()
            [edge] = found["data"]["clusters"]["edges"]
            kubeconfig = folder / "sandbox.kubeconfig"
            yield Server(http, url, edge["node"]["id"], kubeconfig, process.pid)
