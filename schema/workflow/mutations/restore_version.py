"""restoreVersion: brings an old canvas back as a new version."""

from typing import Annotated

import strawberry
from pydantic import BaseModel, Field

from app.domain.workflow import VersionRow, Workflow
from schema.context import Info
from schema.errors import (
    Conflict,
    Forbidden,
    LimitExceeded,
    NotFound,
    RevisionConflict,
    Unauthenticated,
    ValidationError,
)
from schema.workflow.inputs import AnyRevision, WorkflowId
from schema.workflow.types import WorkflowType
from schema.workflow.versions import VersionType


@strawberry.pydantic.input
class RestoreVersionInput(BaseModel):
    workflow_id: WorkflowId
    version: int = Field(ge=1, description="Number of the version to bring back.")
    expected_revision: AnyRevision = None


@strawberry.type
class RestoreVersionPayload:
    version: VersionRow = strawberry.field(graphql_type=VersionType)
    workflow: Workflow = strawberry.field(graphql_type=WorkflowType)


RestoreVersionResult = Annotated[
    RestoreVersionPayload
    | RevisionConflict
    | Conflict
    | ValidationError
    | LimitExceeded
    | Forbidden
    | NotFound
    | Unauthenticated,
    strawberry.union("RestoreVersionResult"),
]


@strawberry.mutation(description="Brings the canvas of an old version back as a new version.")
async def restore_version(info: Info, input: RestoreVersionInput) -> RestoreVersionResult:
    workflow, version = await info.context.services.versions.restore(
        info.context.signed_in(),
        input.workflow_id,
        input.version,
        expected=input.expected_revision,
    )
    return RestoreVersionPayload(version=version, workflow=workflow)
