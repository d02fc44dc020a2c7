"""createVersion: keeps the canvas as it is now."""

from typing import Annotated

import strawberry
from pydantic import BaseModel

from app.domain.workflow import VersionRow
from app.services.changing import VersionDraft
from schema.context import Info
from schema.errors import (
    Conflict,
    Forbidden,
    NotFound,
    RevisionConflict,
    Unauthenticated,
    ValidationError,
)
from schema.workflow.inputs import AnyRevision, Description, OptionalName, OptionalTag, WorkflowId
from schema.workflow.versions import VersionType


@strawberry.pydantic.input
class CreateVersionInput(BaseModel):
    workflow_id: WorkflowId
    expected_revision: AnyRevision = None
    name: OptionalName = None
    tag: OptionalTag = None
    description: Description = ""


@strawberry.type
class CreateVersionPayload:
    version: VersionRow = strawberry.field(graphql_type=VersionType)


CreateVersionResult = Annotated[
    CreateVersionPayload
    | RevisionConflict
    | Conflict
    | ValidationError
    | Forbidden
    | NotFound
    | Unauthenticated,
    strawberry.union("CreateVersionResult"),
]


@strawberry.mutation(description="Keeps the canvas as it is now under the next number.")
async def create_version(info: Info, input: CreateVersionInput) -> CreateVersionResult:
    draft = VersionDraft(name=input.name, tag=input.tag, description=input.description)
    version = await info.context.services.versions.create(
        info.context.signed_in(), input.workflow_id, draft, expected=input.expected_revision
    )
    return CreateVersionPayload(version=version)
