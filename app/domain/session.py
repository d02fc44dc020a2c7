"""Being signed in: what a client holds, and what the server answers."""

from dataclasses import dataclass, field
from datetime import datetime

from app.domain.user import Actor, User


@dataclass(frozen=True, slots=True)
class Session:
    """What a client holds. `expires_at` is the access token's end."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Somebody who has just proved who they are."""

    session: Session
    actor: Actor

    @property
    def user(self) -> User:
        return self.actor.user


@dataclass(frozen=True, slots=True)
class Access:
    """Whom an access token speaks for, and until when."""

    actor: Actor
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Invite:
    """An invitation. `code` is known now and never again."""

    code: str = field(repr=False)
    email: str | None
    expires_at: datetime
