"""Input fields that several account mutations share, each with its limits, written once.

Inside a union pydantic ignores what is said of a field: descriptions, and the `repr=False` of a
secret, are written where the field is.
"""

from typing import Annotated

from pydantic import Field

from app.domain.credentials import MAX_EMAIL, MAX_NAME, MAX_PASSWORD, MIN_PASSWORD

Name = Annotated[
    str,
    Field(min_length=1, max_length=MAX_NAME, description=f"1 to {MAX_NAME} characters."),
]
Email = Annotated[str, Field(max_length=MAX_EMAIL, description="Case is ignored.")]
Password = Annotated[str, Field(max_length=MAX_PASSWORD, description="As it is now.")]
NewPassword = Annotated[
    str,
    Field(
        min_length=MIN_PASSWORD,
        max_length=MAX_PASSWORD,
        description=f"{MIN_PASSWORD} to {MAX_PASSWORD} characters; length makes it strong.",
    ),
]
RefreshToken = Annotated[str, Field(max_length=512, description="The session's newest one.")]
