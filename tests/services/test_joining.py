"""How accounts come to be: the first one, the sign-up policy, invitations."""

import asyncio
from datetime import timedelta

import pytest

from app.documents.database import Database
from app.domain.errors import Conflict, Forbidden, Invalid, RateLimited
from app.domain.session import SignedIn
from app.domain.user import Role
from app.services.accounts import Accounts
from app.services.attempts import AttemptLimits
from app.settings import SignUp
from tests.accounts import ELSEWHERE, HOME, PASSWORD, Clock, accounts_on, actor, joined


@pytest.fixture
def invited(database: Database, clock: Clock) -> Accounts:
    """Accounts that are joined by invitation."""
    return accounts_on(database, clock, sign_up=SignUp.INVITE)


async def test_registering_signs_in(accounts: Accounts, clock: Clock) -> None:
    ada = await accounts.register(
        name=" Ada Lovelace ", email="Ada@EXAMPLE.com", password=PASSWORD, address=HOME
    )
    assert (ada.user.name, ada.user.email) == ("Ada Lovelace", "Ada@example.com")
    assert ada.user.created_at == ada.user.updated_at == clock.now
    assert await actor(accounts, ada) == ada.actor
    assert await accounts.refresh(ada.session.refresh_token, address=HOME)


async def test_only_the_first_is_an_admin(accounts: Accounts) -> None:
    assert (await joined(accounts, "Ada")).user.role is Role.ADMIN
    assert (await joined(accounts, "Bob")).user.role is Role.USER


async def test_of_twenty_who_come_first_one_is_an_admin(
    accounts: Accounts, database: Database
) -> None:
    people = await asyncio.gather(*(joined(accounts, f"Person{n}") for n in range(20)))
    assert len({person.user.id for person in people}) == 20
    assert [person.user.role for person in people].count(Role.ADMIN) == 1
    assert await database.raw["users"].count_documents({"role": "admin"}) == 1


async def test_an_address_is_taken_in_every_spelling(accounts: Accounts) -> None:
    await joined(accounts, "Ada")
    with pytest.raises(Conflict) as refused:
        await accounts.register(
            name="Eve", email="ADA@Example.com", password=PASSWORD, address=ELSEWHERE
        )
    assert refused.value.path == ["email"]


async def test_of_twenty_with_one_address_one_gets_it(
    accounts: Accounts, database: Database
) -> None:
    results = await asyncio.gather(
        *(joined(accounts, "Ada") for _ in range(20)), return_exceptions=True
    )
    won = [result for result in results if isinstance(result, SignedIn)]
    lost = [result for result in results if isinstance(result, Conflict)]
    assert (len(won), len(lost)) == (1, 19)
    assert won[0].user.role is Role.ADMIN
    assert await database.raw["users"].count_documents({}) == 1
    assert await database.raw["sessions"].count_documents({}) == 1


async def test_everything_that_is_wrong_is_told_at_once(
    accounts: Accounts, database: Database
) -> None:
    with pytest.raises(Invalid) as refused:
        await accounts.register(name=" ", email="nowhere", password="short", address=HOME)
    assert [problem.path for problem in refused.value.problems] == [
        ("name",),
        ("email",),
        ("password",),
    ]
    assert "8 to 128 characters" in refused.value.problems[2].message
    assert await database.raw["users"].count_documents({}) == 0


@pytest.mark.parametrize(
    "password",
    [
        "seven77",
        "x" * 129,
        "sunshine",
        "SUNSHINE",
        "12345678",
        "abcdefgh",
        "aaaaaaaa",
        "ada@example.com",
        "ada lovelace",
    ],
)
async def test_passwords_that_are_tried_first_are_refused(
    accounts: Accounts, password: str
) -> None:
    with pytest.raises(Invalid) as refused:
        await accounts.register(
            name="Ada Lovelace", email="ada@example.com", password=password, address=HOME
        )
    assert refused.value.path == ["password"]
    assert password not in refused.value.message


@pytest.mark.parametrize("password", ["eight888", "x1y" * 42, "\U0001f40e" * 128, " " * 30])
async def test_other_passwords_are_fine(accounts: Accounts, password: str) -> None:
    await accounts.register(name="Ada", email="ada@example.com", password=password, address=HOME)
    await accounts.login(email="ada@example.com", password=password, address=HOME)


async def test_a_closed_server_takes_nobody(database: Database, clock: Clock) -> None:
    closed = accounts_on(database, clock, sign_up=SignUp.CLOSED)
    with pytest.raises(Forbidden, match="closed"):
        await joined(closed, "Ada")
    admin = await closed.create_admin(name="Ada", email="ada@example.com", password=PASSWORD)
    assert admin.role is Role.ADMIN
    with pytest.raises(Forbidden):
        await joined(closed, "Bob")
    ada = await closed.login(email="ada@example.com", password=PASSWORD, address=HOME)
    with pytest.raises(Conflict, match="closed"):
        await closed.create_invite(ada.actor, lifetime=timedelta(days=1))


async def test_whoever_made_an_admin_was_the_first(accounts: Accounts) -> None:
    await accounts.create_admin(name="Ada", email="ada@example.com", password=PASSWORD)
    assert (await joined(accounts, "Bob")).user.role is Role.USER
    second = await accounts.create_admin(name="Eve", email="eve@example.com", password=PASSWORD)
    assert second.role is Role.ADMIN
    with pytest.raises(Conflict) as refused:
        await accounts.create_admin(name="Bob", email="bob@example.com", password=PASSWORD)
    assert refused.value.path == ["email"]
    with pytest.raises(Invalid):
        await accounts.create_admin(name="", email="", password="")


async def test_an_invitation_lets_one_person_in(invited: Accounts) -> None:
    ada = await joined(invited, "Ada")
    with pytest.raises(Forbidden, match="inviteCode"):
        await joined(invited, "Bob")
    invite = await invited.create_invite(ada.actor, lifetime=timedelta(days=1))
    bob = await joined(invited, "Bob", invite_code=invite.code)
    assert bob.user.role is Role.USER
    with pytest.raises(Invalid) as refused:
        await joined(invited, "Carol", invite_code=invite.code)
    assert refused.value.path == ["inviteCode"]


async def test_of_ten_with_one_invitation_one_gets_in(
    invited: Accounts, database: Database
) -> None:
    ada = await joined(invited, "Ada")
    invite = await invited.create_invite(ada.actor, lifetime=timedelta(days=1))
    results = await asyncio.gather(
        *(joined(invited, f"Person{n}", invite_code=invite.code) for n in range(10)),
        return_exceptions=True,
    )
    assert len([result for result in results if isinstance(result, SignedIn)]) == 1
    assert len([result for result in results if isinstance(result, Invalid)]) == 9
    assert await database.raw["users"].count_documents({}) == 2


async def test_of_ten_who_come_first_without_an_invitation_one_gets_in(invited: Accounts) -> None:
    results = await asyncio.gather(
        *(joined(invited, f"Person{n}") for n in range(10)), return_exceptions=True
    )
    assert len([result for result in results if isinstance(result, SignedIn)]) == 1
    assert len([result for result in results if isinstance(result, Forbidden)]) == 9


async def test_an_invitation_may_be_for_one_address(invited: Accounts) -> None:
    ada = await joined(invited, "Ada")
    invite = await invited.create_invite(
        ada.actor, email="Bob@Example.com", lifetime=timedelta(days=1)
    )
    assert invite.email == "Bob@example.com"
    with pytest.raises(Invalid) as refused:
        await joined(invited, "Eve", invite_code=invite.code)
    assert refused.value.path == ["inviteCode"]
    assert await joined(invited, "Bob", invite_code=invite.code)
    with pytest.raises(Conflict) as taken:
        await invited.create_invite(ada.actor, email="bob@example.com", lifetime=timedelta(days=1))
    assert taken.value.path == ["email"]


async def test_an_invitation_ends(invited: Accounts, clock: Clock) -> None:
    ada = await joined(invited, "Ada")
    invite = await invited.create_invite(ada.actor, lifetime=timedelta(hours=1))
    assert invite.expires_at == clock.now + timedelta(hours=1)
    clock.move(hours=1)
    with pytest.raises(Invalid):
        await joined(invited, "Bob", invite_code=invite.code)


async def test_only_an_admin_invites(accounts: Accounts) -> None:
    await joined(accounts, "Ada")
    bob = await joined(accounts, "Bob")
    with pytest.raises(Forbidden):
        await accounts.create_invite(bob.actor, lifetime=timedelta(days=1))


async def test_without_an_invitation_nobody_learns_which_addresses_are_taken(
    invited: Accounts,
) -> None:
    await joined(invited, "Ada")
    messages = set()
    for name in ("Ada", "Bob"):
        for code in (None, "guessed"):
            with pytest.raises((Forbidden, Invalid)) as refused:
                await joined(invited, name, invite_code=code)
            messages.add((code, refused.value.message))
    assert len(messages) == 2


async def test_registering_is_limited_per_address(database: Database, clock: Clock) -> None:
    accounts = accounts_on(database, clock, limits=AttemptLimits(registrations=2))
    await joined(accounts, "Ada")
    await joined(accounts, "Bob")
    with pytest.raises(RateLimited) as refused:
        await joined(accounts, "Carol")
    assert refused.value.retry_after == 900
    assert await joined(accounts, "Carol", address=ELSEWHERE)
    clock.move(minutes=15)
    assert await joined(accounts, "Dave")
