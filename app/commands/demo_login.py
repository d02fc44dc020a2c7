"""The demo login in the data folder, for people and scripts that want to try the API.

It is also where the password lives between runs: one per data folder, made once.
"""

import os
import secrets
import tempfile
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError


class DemoFile(BaseModel):
    """`<data_dir>/demo.json`: where the server is, and who may sign in to look around."""

    model_config = ConfigDict(populate_by_name=True)

    url: str
    """The server's address: GraphQL is there and at `/graphql`, which is also GraphiQL's page."""
    email: str
    password: str
    workflow_id: str = Field(alias="workflowId")

    @classmethod
    def path(cls, data_dir: Path) -> Path:
        """Where it is kept."""
        return data_dir / "demo.json"

    @classmethod
    def read(cls, data_dir: Path) -> Self | None:
        """The file of the last run; None when there is none that can be read."""
        try:
            return cls.model_validate_json(cls.path(data_dir).read_bytes())
        except (OSError, ValidationError):
            return None

    def write(self, data_dir: Path) -> Path:
        """Write the file for its owner's eyes only; a reader sees the old one or all of it."""
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Temporary files are made with mode 0600.
        descriptor, temporary = tempfile.mkstemp(dir=data_dir, prefix=".demo")
        with os.fdopen(descriptor, "w") as file:
            file.write(self.model_dump_json(by_alias=True, indent=2) + "\n")
            file.flush()
            os.fsync(descriptor)
        return Path(temporary).replace(self.path(data_dir))


def password(data_dir: Path) -> str:
    """The demo user's password: that of the last run, else a new one."""
    last = DemoFile.read(data_dir)
    return last.password if last is not None else secrets.token_urlsafe(12)
