"""A server as tutorials write it: Strawberry on Starlette, and a change stream per subscriber.

Prints its port and the workflow's id when it is ready. Reads MONGODB_URI and DATABASE.
"""

import asyncio
import os
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, Any

import strawberry
import uvicorn
import uvloop
from bson import ObjectId
from pymongo import AsyncMongoClient
from starlette.applications import Starlette
from starlette.routing import Route, WebSocketRoute
from strawberry.asgi import GraphQL

from bench.fanout.documents import NODES

# Every open change stream holds a connection while it waits: the pool's usual 100 would starve.
client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(
    os.environ["MONGODB_URI"], maxPoolSize=None, tz_aware=True
)
database = client[os.environ["DATABASE"]]
workflows, edits = database["workflows"], database["edits"]


@strawberry.type
class Position:
    x: float
    y: float


@strawberry.interface
class WorkflowNode:
    id: str
    type: str
    position: Position


@strawberry.type
class DeploymentNode(WorkflowNode):
    pass


@strawberry.type
class Workflow:
    id: strawberry.ID
    name: str
    revision: int


@strawberry.interface
class StreamEvent:
    seq: int


@strawberry.type
class WorkflowSnapshot(StreamEvent):
    workflow: Workflow


@strawberry.type
class WorkflowEdited(StreamEvent):
    at: datetime
    revision: int
    nodes_changed: list[DeploymentNode]
    nodes_removed: list[str]
    workflow: Workflow


@strawberry.input
class PositionInput:
    x: float
    y: float


@strawberry.input
class MoveNodeInput:
    id: str
    position: PositionInput


@strawberry.input
class CanvasOperationInput:
    move_node: MoveNodeInput


@strawberry.input
class EditWorkflowInput:
    workflow_id: strawberry.ID
    expected_revision: int
    operations: list[CanvasOperationInput]


@strawberry.interface
class UserError:
    message: str


@strawberry.type
class RevisionConflict(UserError):
    pass


@strawberry.type
class EditWorkflowPayload:
    workflow: Workflow


def workflow_of(document: dict[str, Any]) -> Workflow:
    return Workflow(
        id=strawberry.ID(str(document["_id"])),
        name=document["name"],
        revision=document["revision"],
    )


def edited_of(document: dict[str, Any]) -> WorkflowEdited:
    return WorkflowEdited(
        seq=document["seq"],
        at=document["at"],
        revision=document["workflow"]["revision"],
        nodes_changed=[
            DeploymentNode(id=node["id"], type=node["type"], position=Position(**node["position"]))
            for node in document["nodes_changed"]
        ],
        nodes_removed=[],
        workflow=workflow_of(document["workflow"]),
    )


@strawberry.type
class Query:
    ok: bool = True


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def edit_workflow(
        self, input: EditWorkflowInput
    ) -> Annotated[EditWorkflowPayload | RevisionConflict, strawberry.union("EditWorkflowResult")]:
        id_ = ObjectId(input.workflow_id)
        before = await workflows.find_one({"_id": id_, "revision": input.expected_revision})
        if before is None:
            return RevisionConflict(message="Somebody was faster.")
        move = input.operations[0].move_node
        place = next(i for i, node in enumerate(before["nodes"]) if node["id"] == move.id)
        node = before["nodes"][place] | {"position": {"x": move.position.x, "y": move.position.y}}
        row = {"_id": id_, "name": before["name"], "revision": before["revision"] + 1}
        edit = {
            "workflow_id": id_,
            "seq": before["seq"] + 1,
            "at": datetime.now(UTC),
            "nodes_changed": [node],
            "workflow": row,
        }

        async def write(session: Any) -> int:
            done = await workflows.update_one(
                {"_id": id_, "revision": before["revision"]},
                {"$set": {f"nodes.{place}": node}, "$inc": {"revision": 1, "seq": 1}},
                session=session,
            )
            if done.modified_count:
                await edits.insert_one(edit, session=session)
            return done.modified_count

        async with client.start_session() as session:
            written = await session.with_transaction(write)
        if not written:
            return RevisionConflict(message="Somebody was faster.")
        return EditWorkflowPayload(workflow=workflow_of(row))


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def workflow_changed(
        self, workflow_id: strawberry.ID
    ) -> AsyncGenerator[
        Annotated[WorkflowSnapshot | WorkflowEdited, strawberry.union("WorkflowChangedEvent")],
        None,
    ]:
        id_ = ObjectId(workflow_id)
        inserted = {"operationType": "insert", "fullDocument.workflow_id": id_}
        async with await edits.watch([{"$match": inserted}]) as changes:
            workflow = await workflows.find_one({"_id": id_})
            assert workflow is not None
            seq = workflow["seq"]
            yield WorkflowSnapshot(seq=seq, workflow=workflow_of(workflow))
            async for change in changes:
                if change["fullDocument"]["seq"] > seq:
                    yield edited_of(change["fullDocument"])


schema = strawberry.Schema(
    Query, Mutation, Subscription, types=[DeploymentNode, WorkflowSnapshot, WorkflowEdited]
)


async def seed() -> str:
    """One workflow; its id."""
    await database.create_collection("edits")
    nodes = [
        {"id": f"n{i}", "type": "DEPLOYMENT", "position": {"x": 0.0, "y": 0.0}}
        for i in range(NODES)
    ]
    document = {"name": "bench", "revision": 1, "seq": 1, "nodes": nodes}
    return str((await workflows.insert_one(document)).inserted_id)


def main() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=2048) as listener:
        port = listener.getsockname()[1]

        @asynccontextmanager
        async def lifespan(_: Starlette) -> AsyncGenerator[None, None]:
            print(port, await seed(), flush=True)
            yield

        endpoint: Any = GraphQL(schema)
        routes = [Route("/graphql", endpoint), WebSocketRoute("/graphql", endpoint)]
        app = Starlette(routes=routes, lifespan=lifespan)
        config = uvicorn.Config(
            app, log_level="error", ws="websockets-sansio", ws_per_message_deflate=False
        )
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(uvicorn.Server(config).serve([listener]))


if __name__ == "__main__":
    main()
