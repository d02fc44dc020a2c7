"""A subscriber in miniature: follows a workflow over websockets, and folds what it is told."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Self

from graphql import FragmentDefinitionNode, parse, print_ast
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.e2e.client import OPERATIONS, Client
from tests.secrecy import search

PROTOCOL = "graphql-transport-ws"

_FRAGMENTS = "\n".join(
    print_ast(each)
    for each in parse(OPERATIONS["Workflow"]).definitions
    if isinstance(each, FragmentDefinitionNode)
)
WATCH = f"""subscription ($id: ID!, $after: Int) {{
  workflowChanged(workflowId: $id, after: $after) {{ __typename ... on StreamEvent {{ seq }}
    ... on WorkflowSnapshot {{ workflow {{ ...Canvas seq }} }}
    ... on WorkflowEdited {{
      nodesChanged {{ ...CanvasNode }} nodesRemoved
      edgesChanged {{ id source target sourceHandle targetHandle type }} edgesRemoved
      workflow {{ ...WorkflowRow seq }}
    }}
    ... on StreamGap {{ from to }}
    ... on StreamEnded {{ reason }}
}} }} {_FRAGMENTS}"""
"""The canvas and everything that becomes of it."""
NUMBERS = """subscription ($id: ID!, $after: Int) {
  workflowChanged(workflowId: $id, after: $after) {
    __typename ... on StreamEvent { seq } ... on StreamEnded { reason }
} }"""
"""The same events, of which only the numbers are wanted."""
NOW = f"query ($id: ID!) {{ workflow(id: $id) {{ ...Canvas seq }} }} {_FRAGMENTS}"

Event = dict[str, Any]


class Refused(Exception):
    """The server answered a subscription with errors."""


@dataclass
class Canvas:
    """A workflow as a front end keeps it."""

    row: dict[str, Any]
    nodes: dict[str, Any]
    edges: dict[str, Any]

    @classmethod
    def of(cls, workflow: dict[str, Any]) -> Self:
        """From the `Canvas` fragment, without what is not stored in it."""
        row = dict(workflow)
        for computed in ("problems", "viewerCan"):
            del row[computed]
        nodes = [
            {name: value for name, value in node.items() if name != "status"}
            for node in row.pop("nodes")
        ]
        edges = row.pop("edges")
        return cls(row, {node["id"]: node for node in nodes}, {edge["id"]: edge for edge in edges})

    @classmethod
    async def now(cls, client: Client, workflow_id: str) -> Self:
        """As a query answers it."""
        return cls.of(await client.one(NOW, id=workflow_id))

    def fold(self, edited: Event) -> None:
        """Put these, remove those, take the row."""
        for id_ in edited["nodesRemoved"]:
            del self.nodes[id_]
        for id_ in edited["edgesRemoved"]:
            del self.edges[id_]
        self.nodes |= {node["id"]: node for node in edited["nodesChanged"]}
        self.edges |= {edge["id"]: edge for edge in edited["edgesChanged"]}
        self.row = edited["workflow"]


class Follower:
    """Follows one workflow from socket to socket; fails on an event that is missing or told twice.

    With `fold=False` it only looks at the numbers.
    """

    def __init__(self, token: str, workflow_id: str, *, fold: bool = True) -> None:
        self.token = token
        self.workflow_id = workflow_id
        self.seq: int | None = None
        self.canvas: Canvas | None = None
        self.heard: list[int] = []
        """The numbers of the edits."""
        self.gaps: list[tuple[int, int]] = []
        self.reason: str | None = None
        """Why the server said that the stream has ended."""
        self.completed = False
        self.close_code: int | None = None
        """Of the last socket; None when it was cut."""
        self._fold = fold
        self._fresh = True
        self._bell = asyncio.Event()

    async def live(self, url: str, *, stay: bool = False, until: int | None = None) -> None:
        """On one socket, until it closes or, unless it is to `stay`, the stream is complete.

        With `until`, no longer than up to that event.
        """
        async with socket_to(url, self.token) as socket, aclosing(self.follow(socket)) as events:
            async for event in events:
                if event["seq"] == until:
                    break
            if stay and self.completed:
                await socket.wait_closed()
                self.close_code = socket.close_code

    def knows(self, canvas: Canvas) -> None:
        """Begins behind what somebody has already."""
        self.canvas, self.seq, self._fresh = deepcopy(canvas), canvas.row["seq"], False

    def signed_in(self, token: str) -> None:
        """Comes back as somebody who may go on."""
        self.token, self.reason, self.completed = token, None, False

    async def follow(self, socket: ClientConnection) -> AsyncGenerator[Event, None]:
        """What is told on this socket behind the last event known, from the snapshot on if none."""
        await self.ask(socket)
        async for event in self.listen(socket):
            yield event

    async def ask(self, socket: ClientConnection) -> None:
        """Subscribes, and does not listen yet."""
        query = WATCH if self._fold else NUMBERS
        await subscribe(socket, query, id=self.workflow_id, after=self.seq)

    async def listen(self, socket: ClientConnection) -> AsyncGenerator[Event, None]:
        """What is told on a socket that has asked."""
        try:
            while (message := await hear(socket))["type"] == "next":
                if "errors" in message["payload"]:
                    raise Refused(message["payload"]["errors"])
                event = message["payload"]["data"]["workflowChanged"]
                self.take(event)
                yield event
            if message["type"] == "error":
                raise Refused(message["payload"])
            self.completed = True
        except ConnectionClosed as closed:
            self.close_code = closed.rcvd.code if closed.rcvd else None

    async def reached(self, seq: int) -> None:
        """Returns when everything up to `seq` has been told."""
        while self.seq is None or self.seq < seq:
            self._bell.clear()
            await self._bell.wait()

    def take(self, event: Event) -> None:
        """The next event."""
        assert self.reason is None, f"{event['__typename']} after the stream has ended"
        getattr(self, f"_take_{event['__typename']}")(event)
        self._bell.set()

    def _take_WorkflowSnapshot(self, event: Event) -> None:  # noqa: N802
        assert self._fresh, "a snapshot that nothing announced"
        assert self.seq in {None, event["seq"]}, (self.seq, event["seq"])
        self._fresh = False
        self.seq = event["seq"]
        if self._fold:
            self.canvas = Canvas.of(event["workflow"])

    def _take_WorkflowEdited(self, event: Event) -> None:  # noqa: N802
        assert not self._fresh, "no snapshot after a gap"
        assert self.seq is not None
        assert event["seq"] == self.seq + 1, f"{event['seq']} after {self.seq}"
        self.seq += 1
        self.heard.append(self.seq)
        if self.canvas is not None:
            self.canvas.fold(event)

    def _take_StreamGap(self, event: Event) -> None:  # noqa: N802
        assert self.seq is not None
        assert event["from"] == self.seq + 1, event
        assert event["seq"] == event["to"] >= event["from"], event
        self.gaps.append((event["from"], event["to"]))
        self.seq = event["to"]
        self._fresh = True

    def _take_StreamEnded(self, event: Event) -> None:  # noqa: N802
        assert event["seq"] == self.seq, event
        self.reason = event["reason"]


@asynccontextmanager
async def socket_to(url: str, token: str, **options: Any) -> AsyncIterator[ClientConnection]:
    """A websocket on which somebody is signed in."""
    async with connect(
        url,
        subprotocols=[PROTOCOL],  # type: ignore[list-item]
        ping_interval=None,
        compression=None,
        max_size=None,
        **options,
    ) as socket:
        hello = {"type": "connection_init", "payload": {"Authorization": f"Bearer {token}"}}
        await socket.send(json.dumps(hello))
        assert (await hear(socket))["type"] == "connection_ack"
        yield socket


async def subscribe(
    socket: ClientConnection, query: str, *, operation: str = "1", **variables: Any
) -> None:
    """Asks for a subscription."""
    payload = {"query": query, "variables": variables}
    await socket.send(json.dumps({"type": "subscribe", "id": operation, "payload": payload}))


async def hear(socket: ClientConnection) -> dict[str, Any]:
    """The next message that is not a ping; those are answered."""
    while True:
        text = await socket.recv()
        search("an event", text)
        message: dict[str, Any] = json.loads(text)
        if message["type"] != "ping":
            return message
        await socket.send('{"type":"pong"}')
