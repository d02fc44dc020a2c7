"""Input fields that several workflow mutations share, each with its limits, written once."""

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, Field

from app.domain.fields import Namespace
from app.domain.ids import Id


def _visible(value: str) -> str:
    text = value.strip()
    if not text:
        raise ValueError("Write at least one character that can be seen.")
    if not text.isprintable():
        raise ValueError("Leave out control characters and line breaks.")
    return text


def _legible(value: str) -> str:
    lines = value.translate({ord(blank): " " for blank in "\n\r\t"})
    if any(unicodedata.category(character) == "Cc" for character in lines):
        raise ValueError("Leave out control characters other than line breaks and tabs.")
    return value


Name = Annotated[
    str,
    Field(max_length=200, description="1 to 200 characters."),
    AfterValidator(_visible),
]
Description = Annotated[
    str,
    Field(max_length=5_000, description="At most 5,000 characters, of several lines if you like."),
    AfterValidator(_legible),
]
RunMessage = Annotated[str, Field(max_length=2_000), AfterValidator(_legible)]
Tag = Annotated[str, Field(max_length=64), AfterValidator(_visible)]
Tags = Annotated[
    list[Tag],
    Field(max_length=50, description="At most 50, of 64 characters each; each once."),
    AfterValidator(lambda tags: list(dict.fromkeys(tags))),
]
NamespaceName = Annotated[
    Namespace, Field(description="Where nodes without a namespace of their own go.")
]
_EXPECTED = "The revision that the change was made for; another one is a RevisionConflict."

WorkflowId = Annotated[Id, Field(description="The workflow.")]
ExpectedRevision = Annotated[int, Field(ge=1, description=_EXPECTED)]
AnyRevision = Annotated[
    int | None, Field(ge=1, description=f"{_EXPECTED} Left out, the change is made to any.")
]
OptionalCluster = Annotated[Id | None, Field(description="A cluster that the caller sees.")]
OptionalName = Annotated[Name | None, Field(description="1 to 200 characters.")]
OptionalTag = Annotated[Tag | None, Field(description="1 to 64 characters, such as `v1.2`.")]
