"""The user, and the actor: who is asking."""

import enum
import hashlib
from dataclasses import dataclass
from datetime import datetime

from app.domain.ids import Id
from app.domain.workflow import Entity


class Role(enum.StrEnum):
    """What a person may do on this server. An admin manages people, not other people's work."""

    ADMIN = "admin"
    USER = "user"


class User(Entity):
    """A person with an account. `email` is compared without regard to case."""

    name: str
    email: str
    role: Role = Role.USER
    picture: str | None = None
    """Address of the picture that the sign-in provider gave."""
    auth_provider: str | None = None
    provider_user_id: str | None = None
    created_at: datetime
    updated_at: datetime

    @property
    def avatar_url(self) -> str:
        """The provider's picture, else Gravatar's, which is found by the address's MD5."""
        if self.picture:
            return self.picture
        digest = hashlib.md5(self.email.strip().lower().encode(), usedforsecurity=False).hexdigest()
        return f"https://www.gravatar.com/avatar/{digest}?s=200&d=identicon"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who is asking: a user, through a session. Read from the database for every operation."""

    user: User
    session_id: Id

    @property
    def id(self) -> Id:
        return self.user.id
