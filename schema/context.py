"""What every resolver gets: who is asking, the services, and loaders that live for one operation.

The transport makes a new context for every operation on a websocket, and for every event of a
subscription, because a loader remembers what it loaded.
"""

from dataclasses import dataclass, field

import strawberry

from app.domain.errors import Unauthenticated
from app.domain.ids import Id
from app.domain.user import Actor
from app.services import Ending, Services
from schema.loaders import Loaders


@dataclass(slots=True)
class Context:
    """The context of one operation."""

    services: Services
    request_id: str
    address: str
    """The client's network address, for throttling."""
    actor: Actor | None = None
    refused: Unauthenticated | None = None
    """Why the token that was sent is no good, when one was."""
    ending: Ending = field(default_factory=Ending)
    """How the caller's streams are told to end."""
    cluster_mates: set[Id] = field(default_factory=set)
    """People whom this operation reached through a cluster that the caller sees."""
    loaders: Loaders = field(init=False)

    def __post_init__(self) -> None:
        self.renew_loaders()

    def renew_loaders(self) -> None:
        """Forget what was loaded."""
        self.loaders = Loaders(self.services, self.actor)

    def sign_in(self, actor: Actor) -> None:
        """The rest of the operation is done as `actor`, who has just proved who they are."""
        self.actor = actor
        self.renew_loaders()

    def signed_in(self) -> Actor:
        """Who is asking. Raises Unauthenticated when nobody is signed in."""
        if self.actor is None:
            raise self.refused or Unauthenticated()
        return self.actor


Info = strawberry.Info[Context, None]
