"""Accounts for tests: cheap hashes, a clock that moves when told, and people."""

from datetime import UTC, datetime, timedelta
from typing import Any

from app.documents.database import Database
from app.domain.session import SignedIn
from app.domain.user import Actor
from app.identity.keyring import KeyRing
from app.identity.passwords import Passwords
from app.identity.tokens import AccessTokens
from app.metrics import Metrics
from app.realtime.hub import Hub
from app.realtime.outbox import Outbox
from app.services.accounts import Accounts
from app.services.attempts import AttemptLimits
from app.settings import SignUp

PASSWORD = "correct horse battery staple"
HOME = "192.0.2.1"
ELSEWHERE = "198.51.100.7"
KEY = "k1:MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0dXY"


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2030, 1, 31, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> None:
        self.now += timedelta(**by)


def accounts_on(database: Database, clock: Clock, **more: Any) -> Accounts:
    """Accounts on `database`; `more` overrides what they are made of."""
    outbox = Outbox(database.raw)
    parts: dict[str, Any] = {
        "database": database,
        "outbox": outbox,
        "hub": Hub(outbox, ring_size=8, ring_bytes=2**20, metrics=Metrics()),
        "passwords": Passwords(rounds=4),
        "tokens": AccessTokens(KeyRing.parse([KEY]), seconds=900),
        "session_lifetime": timedelta(days=30),
        "sign_up": SignUp.OPEN,
        "limits": AttemptLimits(failures=5),
        "now": clock,
    }
    return Accounts(**(parts | more))


async def joined(accounts: Accounts, name: str, *, address: str = HOME, **more: Any) -> SignedIn:
    """Somebody who has just registered."""
    return await accounts.register(
        name=name,
        email=f"{name.lower()}@example.com",
        password=PASSWORD,
        address=address,
        **more,
    )


async def actor(accounts: Accounts, signed_in: SignedIn) -> Actor:
    """Whom the access token speaks for."""
    return (await accounts.actor_of(signed_in.session.access_token)).actor


async def login(accounts: Accounts, password: str = PASSWORD, address: str = HOME) -> SignedIn:
    return await accounts.login(email="ada@example.com", password=password, address=address)


# Signing in
