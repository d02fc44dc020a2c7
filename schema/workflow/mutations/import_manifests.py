"""importManifests: Kubernetes objects become a workflow."""

from typing import Annotated

import strawberry
from pydantic import Field

from schema.context import Info
from schema.errors import LimitExceeded, NotFound, Unauthenticated, ValidationError
from schema.pricing import IMPORT
from schema.workflow.importing import ImportFields, ImportPayload, import_as

Manifests = Annotated[
    str, Field(description="YAML of many documents, or JSON; lists of objects too.")
]


@strawberry.pydantic.input
class ImportManifestsInput(ImportFields):
    content: Manifests


@strawberry.type
class ImportManifestsPayload(ImportPayload):
    pass


ImportManifestsResult = Annotated[
    ImportManifestsPayload | ValidationError | LimitExceeded | NotFound | Unauthenticated,
    strawberry.union("ImportManifestsResult"),
]


@strawberry.mutation(
    description="Draws a workflow from Kubernetes objects. The values of Secrets are not kept.",
    directives=[IMPORT],
)
async def import_manifests(info: Info, input: ImportManifestsInput) -> ImportManifestsResult:
    info.context.signed_in()
    read = info.context.services.importing.manifests(input.content)
    return await import_as(ImportManifestsPayload, info, input, read)
