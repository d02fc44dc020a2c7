"""Input fields that several account mutations share, each with its limits, written once."""

from typing import Annotated

from pydantic import Field

from app.domain.credentials import MAX_EMAIL, MAX_NAME, MAX_PASSWORD, MIN_PASSWORD

Name = Annotated[
    str,
    Field(min_length=1, max_length=MAX_NAME, description=f"1 to {MAX_NAME} characters."),
]
Email = Annotated[str, Field(max_length=MAX_EMAIL, description="An address; case is ignored.")]
Password = Annotated[str, Field(max_length=MAX_PASSWORD, repr=False, description="As it is now.")]
NewPassword = Annotated[
    str,
    Field(
        min_length=MIN_PASSWORD,
        max_length=MAX_PASSWORD,
        repr=False,
        description=f"{MIN_PASSWORD} to {MAX_PASSWORD} characters; length makes it strong.",
    ),
]
RefreshToken = Annotated[
    str, Field(max_length=512, repr=False, description="The newest one of the session.")
]
