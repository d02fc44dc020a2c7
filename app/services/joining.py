"""How accounts come to be: registration, invitations, and the first administrator."""

from collections.abc import Callable
from datetime import datetime, timedelta

from app.documents.database import Database, Transaction, new_id
from app.documents.invites import InviteStore
from app.documents.users import EmailTaken, UserStore
from app.domain import policy
from app.domain.credentials import name_problems, password_problems
from app.domain.errors import Conflict, Forbidden, Invalid
from app.domain.session import Invite, SignedIn
from app.domain.user import Actor, Role, User
from app.identity import emails
from app.identity.opaque import digest, new_secret
from app.identity.passwords import Passwords
from app.services.sessions import Sessions
from app.settings import SignUp


class Joining:
    """Makes accounts, as the sign-up policy allows."""

    def __init__(
        self,
        *,
        database: Database,
        users: UserStore,
        invites: InviteStore,
        sessions: Sessions,
        passwords: Passwords,
        sign_up: SignUp,
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._users = users
        self._invites = invites
        self._sessions = sessions
        self._passwords = passwords
        self._sign_up = sign_up
        self._now = now

    async def register(
        self, *, name: str, email: str, password: str, invite_code: str | None
    ) -> SignedIn:
        """See `Accounts.register`. Who may not join is told so before anything else."""
        if self._sign_up is SignUp.CLOSED:
            raise Forbidden("Registration is closed. Ask an administrator for an account.")
        address = _check(name, email, password)
        key = emails.key(address)
        # The transaction looks again at all of this. It is looked at here first because hashing is
        # slow, and so that without an invitation nobody learns which addresses are taken.
        invite = await self._invitation(invite_code, key)
        if await self._users.has_email(key):
            raise email_taken()
        hashed = await self._passwords.hash(password)

        async def work(transaction: Transaction) -> SignedIn:
            user = self._user(name, address)
            if await self._users.claim_first(user.id, transaction):
                user.role = Role.ADMIN
            elif self._sign_up is SignUp.INVITE and not (
                invite
                and await self._invites.use(
                    invite, key, user.id, now=user.created_at, transaction=transaction
                )
            ):
                raise _no_invitation(invite_code)
            await self._users.insert(
                user, email_key=key, password_hash=hashed, transaction=transaction
            )
            return await self._sessions.open(user, generation=0, transaction=transaction)

        try:
            return await self._database.transaction(work)
        except EmailTaken:
            raise email_taken() from None

    async def create_admin(self, *, name: str, email: str, password: str) -> User:
        """See `Accounts.create_admin`. Nobody becomes the first administrator after this one."""
        address = _check(name, email, password)
        key = emails.key(address)
        hashed = await self._passwords.hash(password)

        async def work(transaction: Transaction) -> User:
            user = self._user(name, address)
            user.role = Role.ADMIN
            await self._users.claim_first(user.id, transaction)
            await self._users.insert(
                user, email_key=key, password_hash=hashed, transaction=transaction
            )
            return user

        try:
            return await self._database.transaction(work)
        except EmailTaken:
            raise email_taken() from None

    async def create_invite(
        self, actor: Actor, *, email: str | None, lifetime: timedelta
    ) -> Invite:
        """See `Accounts.create_invite`."""
        policy.administer_users(actor).enforce()
        if self._sign_up is SignUp.CLOSED:
            raise Conflict("Registration is closed: nobody could use an invitation.")
        address = None if email is None else emails.parse(email)
        if address is not None and await self._users.has_email(emails.key(address)):
            raise email_taken()
        now, code = self._now(), new_secret()
        expires_at = now + lifetime
        await self._invites.insert(
            digest(code),
            email_key=None if address is None else emails.key(address),
            created_by=actor.id,
            now=now,
            expires_at=expires_at,
        )
        return Invite(code, address, expires_at)

    async def _invitation(self, code: str | None, email_key: str) -> str | None:
        """The invitation's digest where one is needed. The first of all needs none."""
        if self._sign_up is not SignUp.INVITE:
            return None
        if code is not None and await self._invites.is_good(
            digest(code), email_key, now=self._now()
        ):
            return digest(code)
        if await self._users.anybody():
            raise _no_invitation(code)
        return None

    def _user(self, name: str, email: str) -> User:
        now = self._now()
        return User(id=new_id(), name=name.strip(), email=email, created_at=now, updated_at=now)


def email_taken() -> Conflict:
    return Conflict("There is an account with this e-mail. Sign in instead.", path=["email"])


def _no_invitation(code: str | None) -> Forbidden | Invalid:
    if code is None:
        return Forbidden("Registration needs an invitation: send its code as inviteCode.")
    return Invalid.field(
        ["inviteCode"], "This invitation is not for this e-mail, was used, or has expired."
    )


def _check(name: str, email: str, password: str) -> str:
    """The e-mail in its normal form. Raises Invalid with everything that is wrong."""
    problems = name_problems(name)
    address = email
    try:
        address = emails.parse(email)
    except Invalid as error:
        problems += error.problems
    problems += password_problems(password, email=address, name=name)
    if problems:
        raise Invalid(problems)
    return address
