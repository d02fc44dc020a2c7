"""Somebody who keeps changing a workflow, through whichever server answers."""

import asyncio
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import httpx

from tests.e2e.client import Client

MOST_NODES = 12
KNOWN = """fragment Known on Workflow {
  revision nodes { __typename ... on WorkflowNode { id } } edges { id source target }
}"""
EDIT = f"""mutation ($input: EditWorkflowInput!) {{ editWorkflow(input: $input) {{ __typename
  ... on EditWorkflowPayload {{ workflow {{ ...Known }} }}
  ... on RevisionConflict {{ workflow {{ ...Known }} }}
  ... on UserError {{ message path }}
}} }} {KNOWN}"""
LOOK = f"query ($id: ID!) {{ workflow(id: $id) {{ ...Known }} }} {KNOWN}"

Operation = dict[str, Any]


class OurFault(Exception):
    """The server could not do it, and says that it is not the caller's doing."""


class Editor:
    """Draws at random: nodes that come, change and go, and edges that supply things to them."""

    def __init__(
        self, clients: Callable[[], Sequence[Client]], workflow_id: str, random: Random
    ) -> None:
        self._clients = clients
        self._workflow_id = workflow_id
        self._random = random
        self._known: dict[str, Any] | None = None
        self._drawn = 0
        self.failures = 0
        """Requests that a server left unanswered, or could not do."""

    async def keep_on(self, stop: asyncio.Event, *, pause: float) -> None:
        """Until it is told to stop; `pause` is the mean time for thinking, in seconds."""
        while not stop.is_set():
            await self.edit()
            await asyncio.sleep(self._random.expovariate(1 / pause))

    async def edit(self, *operations: Operation) -> int:
        """One edit, at random unless it is given; the revision after it.

        Tries again until a server says that it is done. Of one that was not answered nobody knows
        whether it was done: it is looked up.
        """
        while True:
            try:
                if self._known is None:
                    self._known = (await self._ask(LOOK, id=self._workflow_id))["workflow"]
                result = (
                    await self._ask(
                        EDIT,
                        input={
                            "workflowId": self._workflow_id,
                            "expectedRevision": self._known["revision"],
                            "operations": operations or self.operations(),
                        },
                    )
                )["editWorkflow"]
            except (httpx.TransportError, OurFault):
                self.failures += 1
                self._known = None
                continue
            assert result["__typename"] in {"EditWorkflowPayload", "RevisionConflict"}, result
            self._known = result["workflow"]
            if result["__typename"] == "EditWorkflowPayload":
                return int(result["workflow"]["revision"])

    async def _ask(self, document: str, **variables: Any) -> dict[str, Any]:
        client = self._random.choice(self._clients())
        answer = (await client.send(document, **variables)).json()
        if "errors" in answer:
            codes = {error["extensions"]["code"] for error in answer["errors"]}
            assert codes <= {"INTERNAL", "TIMEOUT"}, answer["errors"]
            raise OurFault
        data: dict[str, Any] = answer["data"]
        return data

    def operations(self) -> list[Operation]:
        """A change that suits the canvas as it was last seen."""
        assert self._known is not None
        nodes, edges = self._known["nodes"], self._known["edges"]
        if len(nodes) < 3:
            return [self._new_node("deployment"), self._new_node("service")]
        possible = [self._move, self._rename, self._rename]
        if len(nodes) < MOST_NODES:
            possible += [lambda: self._new_node("deployment"), lambda: self._new_node("service")]
        else:
            possible += [lambda: {"removeNode": {"id": self._random.choice(nodes)["id"]}}]
        if self._free_services():
            possible += [self._connect] * 3
        if edges:
            possible += [lambda: {"removeEdge": {"id": self._random.choice(edges)["id"]}}]
        return [self._random.choice(possible)()]

    def _name(self) -> str:
        self._drawn += 1
        return f"n{self._drawn}-{self._random.randrange(10**9)}"

    def _new_node(self, kind: str) -> Operation:
        return {"addNode": {"id": self._name(), "data": self._data(kind)}}

    def _data(self, kind: str) -> dict[str, Any]:
        name, port = self._name(), self._random.randint(1, 65535)
        image = {"image": "nginx:1.29"} if kind == "deployment" else {}
        return {kind: {"name": name, "port": port} | image}

    def _of(self, typename: str) -> list[str]:
        assert self._known is not None
        return [node["id"] for node in self._known["nodes"] if node["__typename"] == typename]

    def _free_services(self) -> list[str]:
        """Services that may have an edge, where there is something that it can lead to."""
        assert self._known is not None
        taken = {edge["source"] for edge in self._known["edges"]}
        free = [id_ for id_ in self._of("ServiceNode") if id_ not in taken]
        return free if self._of("DeploymentNode") else []

    def _connect(self) -> Operation:
        source = self._random.choice(self._free_services())
        target = self._random.choice(self._of("DeploymentNode"))
        return {"addEdge": {"id": self._name(), "source": source, "target": target}}

    def _move(self) -> Operation:
        assert self._known is not None
        id_ = self._random.choice(self._known["nodes"])["id"]
        position = {"x": self._random.randrange(1000), "y": self._random.randrange(1000)}
        return {"moveNode": {"id": id_, "position": position}}

    def _rename(self) -> Operation:
        """A Deployment's new name and port are told with every Service that leads to it."""
        assert self._known is not None
        node = self._random.choice(self._known["nodes"])
        kind = "deployment" if node["__typename"] == "DeploymentNode" else "service"
        return {"updateNode": {"id": node["id"], "data": self._data(kind)}}
