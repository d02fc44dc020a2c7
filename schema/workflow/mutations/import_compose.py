"""importCompose: a compose file becomes a workflow."""

from typing import Annotated

import strawberry
from pydantic import BaseModel, Field

from schema.context import Info
from schema.errors import LimitExceeded, NotFound, Unauthenticated, ValidationError
from schema.pricing import IMPORT
from schema.workflow.importing import ImportFields, ImportPayload, import_as


@strawberry.pydantic.input
class ComposeFileInput(BaseModel):
    path: str = Field(max_length=1024, description="As the compose file names it.")
    content: str


Files = Annotated[
    list[ComposeFileInput],
    Field(
        max_length=200,
        description="Files that it names: of variables, configs, and what it extends or includes. "
        "`.env` has defaults for the variables.",
    ),
]
Variables = Annotated[
    dict[str, str], Field(description="What `${NAME}` stands for. The values are not kept.")
]
Profiles = Annotated[
    list[str], Field(max_length=100, description="Those to start; `*` stands for all.")
]


@strawberry.pydantic.input
class ImportComposeInput(ImportFields):
    content: str = Field(description="The compose file.")
    files: Files = Field(default_factory=list)
    variables: Variables = Field(default_factory=dict)
    profiles: Profiles = Field(default_factory=list)


@strawberry.type
class ImportComposePayload(ImportPayload):
    pass


ImportComposeResult = Annotated[
    ImportComposePayload | ValidationError | LimitExceeded | NotFound | Unauthenticated,
    strawberry.union("ImportComposeResult"),
]


@strawberry.mutation(
    description="Draws a workflow from a compose file. Secret values are not kept: they are given "
    "when the workflow deploys.",
    directives=[IMPORT],
)
async def import_compose(info: Info, input: ImportComposeInput) -> ImportComposeResult:
    info.context.signed_in()
    read = info.context.services.importing.compose(
        input.content,
        files={file.path: file.content for file in input.files},
        variables=input.variables,
        profiles=input.profiles,
    )
    return await import_as(ImportComposePayload, info, input, read)
