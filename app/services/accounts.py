"""Accounts: coming in, staying in, going out, and what people may change about themselves."""

import contextlib
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from app.documents.database import Database, Transaction
from app.documents.invites import InviteStore
from app.documents.sessions import SessionStore
from app.documents.throttles import ThrottleStore
from app.documents.users import Credentials, EmailTaken, UserStore
from app.domain import policy
from app.domain.credentials import name_problems, password_problems
from app.domain.errors import Conflict, Invalid, RateLimited, Unauthenticated
from app.domain.ids import Id
from app.domain.paging import Keyset, Page
from app.domain.session import Access, Invite, SignedIn
from app.domain.user import Actor, User
from app.identity import emails
from app.identity.passwords import Passwords
from app.identity.tokens import AccessTokens
from app.realtime.hub import Hub
from app.realtime.outbox import Outbox
from app.services.attempts import AttemptLimits, Attempts
from app.services.joining import Joining, email_taken
from app.services.sessions import Sessions
from app.settings import SignUp


class Accounts:
    """What people do with accounts. `address` is the caller's network address."""

    def __init__(
        self,
        *,
        database: Database,
        outbox: Outbox,
        hub: Hub,
        passwords: Passwords,
        tokens: AccessTokens,
        session_lifetime: timedelta,
        sign_up: SignUp,
        limits: AttemptLimits,
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._users = UserStore(database)
        self._passwords = passwords
        self._now = now
        self._attempts = Attempts(
            store=ThrottleStore(database), passwords=passwords, limits=limits, now=now
        )
        self._sessions = Sessions(
            database=database,
            store=SessionStore(database),
            outbox=outbox,
            hub=hub,
            tokens=tokens,
            lifetime=session_lifetime,
            now=now,
        )
        self._joining = Joining(
            database=database,
            users=self._users,
            invites=InviteStore(database),
            sessions=self._sessions,
            passwords=passwords,
            sign_up=sign_up,
            now=now,
        )

    async def register(
        self,
        *,
        name: str,
        email: str,
        password: str,
        invite_code: str | None = None,
        address: str,
    ) -> SignedIn:
        """Makes an account and signs in; the first one is an administrator's.

        Raises RateLimited, Forbidden (the sign-up policy), Invalid, and Conflict at `email`.
        """
        await self._attempts.registration(address)
        signed_in = await self._joining.register(
            name=name, email=email, password=password, invite_code=invite_code
        )
        await self._attempts.remember(emails.key(email), address)
        return signed_in

    async def create_admin(self, *, name: str, email: str, password: str) -> User:
        """Makes an administrator whatever the sign-up policy says: for whoever runs the server.

        Raises Invalid, and Conflict at `email`.
        """
        return await self._joining.create_admin(name=name, email=email, password=password)

    async def create_invite(
        self, actor: Actor, *, email: str | None = None, lifetime: timedelta
    ) -> Invite:
        """Invites somebody, once, if an address is given only them.

        Raises Forbidden, Invalid, Conflict.
        """
        return await self._joining.create_invite(actor, email=email, lifetime=lifetime)

    async def login(self, *, email: str, password: str, address: str) -> SignedIn:
        """Signs in. Raises InvalidCredentials and RateLimited, for whom exists and who does not."""
        account = emails.key(email)
        found = await self._users.credentials(email_key=account)
        proven = await self._attempts.password(password, found, account=account, address=address)
        await self._rehash(proven, password)
        return await self._sessions.open(proven.user, generation=proven.generation)

    async def refresh(self, refresh_token: str, *, address: str) -> SignedIn:
        """Exchanges a refresh token for new tokens. Raises InvalidCredentials and RateLimited."""
        await self._attempts.refresh(address)
        return await self._sessions.refresh(refresh_token)

    async def logout(self, actor: Actor | None, *, refresh_token: str | None = None) -> None:
        """Ends the caller's session and the refresh token's; what has ended stays so."""
        if actor is not None:
            await self._sessions.end(actor.session_id)
        if refresh_token is not None:
            await self._sessions.end_of_token(refresh_token)

    async def change_password(
        self, actor: Actor, *, current: str, new: str, address: str
    ) -> SignedIn:
        """Changes the password, ends every session of the caller and opens a new one.

        Raises InvalidCredentials at `currentPassword`, Invalid at `newPassword`, Conflict,
        RateLimited.
        """
        user = actor.user
        problems = password_problems(new, field="newPassword", email=user.email, name=user.name)
        if problems:
            raise Invalid(problems)
        proven = await self._prove(actor, current, address)
        hashed = await self._passwords.hash(new)

        async def work(transaction: Transaction) -> Credentials | None:
            changed = await self._users.set_password(
                user.id,
                hashed,
                instead_of=proven.password_hash,
                now=self._now(),
                transaction=transaction,
            )
            if changed is not None:
                await self._sessions.end_older(
                    user.id, generation=changed.generation, transaction=transaction
                )
            return changed

        changed = await self._database.transaction(work)
        if changed is None:
            raise Conflict("The password was changed by somebody else just now. Sign in again.")
        return await self._sessions.open(changed.user, generation=changed.generation)

    async def update_profile(
        self,
        actor: Actor,
        *,
        name: str | None = None,
        email: str | None = None,
        current_password: str | None = None,
        address: str,
    ) -> User:
        """Changes what is given. A new e-mail needs the password, because it is a way in.

        Raises Invalid, Conflict at `email`, InvalidCredentials at `currentPassword`, RateLimited.
        """
        fields: dict[str, Any] = {}
        if name is not None and name.strip() != actor.user.name:
            if problems := name_problems(name):
                raise Invalid(problems)
            fields["name"] = name.strip()
        if email is not None and (parsed := emails.parse(email)) != actor.user.email:
            if current_password is None:
                raise Invalid.field(["currentPassword"], "Changing the e-mail needs the password.")
            await self._prove(actor, current_password, address)
            fields |= {"email": parsed, "email_key": emails.key(parsed)}
        if not fields:
            return actor.user

        async def work(transaction: Transaction) -> User | None:
            return await self._users.update_profile(
                actor.id, fields, now=self._now(), transaction=transaction
            )

        try:
            user = await self._database.transaction(work)
        except EmailTaken:
            raise email_taken() from None
        if user is None:
            raise Unauthenticated("The account does not exist any more.")
        return user

    async def actor_of(self, access_token: str) -> Access:
        """Whom the token speaks for, with one database command. Raises Unauthenticated."""
        return await self._sessions.actor_of(access_token)

    async def session_ended(self, session_id: Id) -> None:
        """Returns when the session has ended, on whatever replica."""
        await self._sessions.ended(session_id)

    async def by_ids(self, ids: Sequence[Id]) -> dict[Id, User]:
        """Those of the users that exist."""
        return {user.id: user for user in await self._users.by_ids(ids)}

    async def page(self, actor: Actor, search: str | None, keyset: Keyset) -> Page[User]:
        """Users by when they came; `search` is for beginnings of words. Raises Forbidden."""
        policy.administer_users(actor).enforce()
        return await self._users.page(search, keyset)

    async def count(self, actor: Actor, search: str | None) -> int:
        """How many `page` would walk through. Raises Forbidden."""
        policy.administer_users(actor).enforce()
        return await self._users.count(search)

    async def _prove(self, actor: Actor, password: str, address: str) -> Credentials:
        """The caller's credentials, when `password` is theirs."""
        found = await self._users.credentials(user_id=actor.id)
        if found is None:
            raise Unauthenticated("The account does not exist any more.")
        if found.password_hash is None:
            raise Conflict("This account has no password: it signs in with another provider.")
        return await self._attempts.password(
            password,
            found,
            account=emails.key(found.user.email),
            address=address,
            path=["currentPassword"],
        )

    async def _rehash(self, proven: Credentials, password: str) -> None:
        """Brings the hash up to today's work factor; when the server is busy, another time."""
        stored = proven.password_hash
        if stored is None or self._passwords.is_current(stored):
            return
        with contextlib.suppress(RateLimited):
            hashed = await self._passwords.hash(password)
            await self._users.rehash(proven.user.id, hashed, instead_of=stored)
