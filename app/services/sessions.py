"""Sessions: opened, refreshed, ended, and asked whom an access token speaks for."""

from collections.abc import Callable
from contextlib import aclosing
from datetime import datetime, timedelta

import structlog

from app.documents.database import Database, Transaction, new_id
from app.documents.sessions import SessionStore
from app.domain.errors import InvalidCredentials, Unauthenticated
from app.domain.events import Event, session_stream
from app.domain.ids import Id
from app.domain.session import Access, Session, SignedIn
from app.domain.user import Actor, User
from app.identity.opaque import digest, new_secret
from app.identity.tokens import AccessTokens
from app.realtime.hub import Hub
from app.realtime.outbox import Outbox

log = structlog.get_logger("kubeorch.accounts")

_REFUSED = "The refresh token is not valid any more. Sign in again."
_RACED = "The refresh token was used by another request at the same time. Use what that one got."


class Sessions:
    """Being signed in. An access token lives for minutes; a session lives while it is used."""

    def __init__(
        self,
        *,
        database: Database,
        store: SessionStore,
        outbox: Outbox,
        hub: Hub,
        tokens: AccessTokens,
        lifetime: timedelta,
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._store = store
        self._outbox = outbox
        self._hub = hub
        self._tokens = tokens
        self._lifetime = lifetime
        self._now = now

    async def open(
        self, user: User, *, generation: int, transaction: Transaction | None = None
    ) -> SignedIn:
        """Signs in somebody whose `generation` was read together with what they proved."""
        now, session_id, secret = self._now(), new_id(), new_secret()
        expires_at = now + self._lifetime
        await self._store.insert(
            session_id,
            user_id=user.id,
            generation=generation,
            now=now,
            expires_at=expires_at,
            transaction=transaction,
        )
        await self._store.insert_token(
            digest(secret), session_id, expires_at=expires_at, transaction=transaction
        )
        return self._signed_in(user, session_id, secret, now)

    async def refresh(self, refresh_token: str) -> SignedIn:
        """Exchanges a refresh token for the next one; of any number at once one succeeds.

        A token that had been used before is in two hands: the session ends, for both of them.
        Raises InvalidCredentials.
        """
        old, secret, now = digest(refresh_token), new_secret(), self._now()
        token = await self._store.find_token(old, now=now)
        if token is None:
            raise _refused(_REFUSED)
        if token.used:
            await self.end(token.session_id)
            log.warning("used refresh token came back, session ended", session=token.session_id)
            raise _refused(_REFUSED)
        session_id, expires_at = token.session_id, now + self._lifetime

        async def work(transaction: Transaction) -> User | None:
            if not await self._store.use_token(old, now=now, transaction=transaction):
                raise _refused(_RACED)
            user = await self._store.user_of(session_id, now=now, transaction=transaction)
            if user is not None:
                await self._store.extend(session_id, expires_at=expires_at, transaction=transaction)
                await self._store.insert_token(
                    digest(secret), session_id, expires_at=expires_at, transaction=transaction
                )
            return user

        user = await self._database.transaction(work)
        if user is None:
            raise _refused(_REFUSED)
        return self._signed_in(user, session_id, secret, now)

    async def actor_of(self, access_token: str) -> Access:
        """Whom the token speaks for, with one database command. Raises Unauthenticated."""
        now = self._now()
        claims = self._tokens.read(access_token, now=now)
        user = await self._store.user_of(claims.session_id, now=now)
        if user is None or user.id != claims.user_id:
            raise Unauthenticated("The session has ended. Sign in again.")
        return Access(Actor(user, claims.session_id), claims.expires_at)

    async def end(self, session_id: Id) -> None:
        """Ends a session, alive or not, and tells every replica."""

        async def work(transaction: Transaction) -> None:
            await self._end(session_id, transaction)

        await self._database.transaction(work)

    async def end_of_token(self, refresh_token: str) -> None:
        """Ends the session that the token belongs to, if it belongs to one."""
        token = await self._store.find_token(digest(refresh_token), now=self._now())
        if token is not None:
            await self.end(token.session_id)

    async def end_older(self, user_id: Id, *, generation: int, transaction: Transaction) -> None:
        """Ends the user's sessions of generations before this one."""
        older = await self._store.of_user(
            user_id, before_generation=generation, transaction=transaction
        )
        for session_id in older:
            await self._end(session_id, transaction)

    async def ended(self, session_id: Id) -> None:
        """Returns when the session has ended, on whatever replica; at once when it had before."""
        async with aclosing(self._hub.events(session_stream(session_id), after=0)) as events:
            async for _ in events:
                return

    async def _end(self, session_id: Id, transaction: Transaction) -> None:
        if await self._store.end(session_id, transaction):
            event = Event(
                stream=session_stream(session_id),
                seq=1,
                type="SessionEnded",
                payload={},
                actor_id=None,
                at=self._now(),
            )
            await self._outbox.append(event, transaction)

    def _signed_in(self, user: User, session_id: Id, secret: str, now: datetime) -> SignedIn:
        token, expires_at = self._tokens.issue(user.id, session_id, now=now)
        return SignedIn(Session(token, secret, expires_at), Actor(user, session_id))


def _refused(message: str) -> InvalidCredentials:
    return InvalidCredentials(message, path=["refreshToken"])
