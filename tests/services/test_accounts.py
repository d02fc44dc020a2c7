"""Accounts on a real database: signing in, staying signed in, going out, changing oneself."""

import asyncio
import statistics
import time
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from app.documents.database import Database
from app.domain.errors import (
    Conflict,
    Invalid,
    InvalidCredentials,
    Unauthenticated,
)
from app.domain.session import SignedIn
from app.domain.user import Role
from app.identity.passwords import Passwords
from app.services.accounts import Accounts
from app.services.attempts import AttemptLimits
from tests.accounts import ELSEWHERE, HOME, PASSWORD, Clock, accounts_on, actor, joined, login

NEW_PASSWORD = "a quite different phrase"


async def test_signing_in_with_any_spelling_of_the_address(
    accounts: Accounts, ada: SignedIn
) -> None:
    again = await accounts.login(email=" ADA@Example.com", password=PASSWORD, address=HOME)
    assert again.user == ada.user
    assert again.actor.session_id != ada.actor.session_id
    assert (await actor(accounts, again)).id == ada.user.id


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("ada@example.com", "wrong"),
        ("nobody@example.com", PASSWORD),
        ("no address", PASSWORD),
        ("", ""),
        ("\ud800", "\ud800"),
    ],
)
async def test_all_failures_to_sign_in_look_the_same(
    accounts: Accounts, ada: SignedIn, email: str, password: str
) -> None:
    with pytest.raises(InvalidCredentials) as refused:
        await accounts.login(email=email, password=password, address=HOME)
    assert refused.value.message == "The e-mail or the password is wrong."
    assert refused.value.path is None


async def test_somebody_without_a_password_fails_like_nobody(
    accounts: Accounts, database: Database, ada: SignedIn
) -> None:
    await database.raw["users"].update_one({}, {"$unset": {"password_hash": ""}})
    with pytest.raises(InvalidCredentials, match="The e-mail or the password is wrong"):
        await login(accounts)


async def test_an_unknown_address_takes_as_long_as_a_wrong_password(
    database: Database, clock: Clock
) -> None:
    accounts = accounts_on(
        database,
        clock,
        passwords=Passwords(rounds=8),
        limits=AttemptLimits(failures=1_000),
    )
    await joined(accounts, "Ada")

    async def seconds(email: str) -> float:
        started = time.perf_counter()
        with pytest.raises(InvalidCredentials):
            await accounts.login(email=email, password="wrong", address=HOME)
        return time.perf_counter() - started

    wrong, unknown = [], []
    for _ in range(25):
        wrong.append(await seconds("ada@example.com"))
        unknown.append(await seconds("nobody@example.com"))
    assert 0.5 < statistics.median(unknown) / statistics.median(wrong) < 2


async def test_signing_in_brings_an_old_hash_up_to_date(
    database: Database, clock: Clock, accounts: Accounts, ada: SignedIn
) -> None:
    stricter = accounts_on(database, clock, passwords=Passwords(rounds=5))
    await login(stricter)
    stored = await database.raw["users"].find_one({})
    assert stored is not None
    assert stored["password_hash"].startswith("$2b$05$")
    await actor(accounts, ada)
    await login(stricter)


# Staying signed in


async def test_an_access_token_speaks_for_its_user_until_it_expires(
    accounts: Accounts, clock: Clock, ada: SignedIn
) -> None:
    access = await accounts.actor_of(ada.session.access_token)
    assert access.actor.user == ada.user
    assert access.expires_at == ada.session.expires_at == clock.now + timedelta(minutes=15)
    clock.move(minutes=15)
    with pytest.raises(Unauthenticated, match="expired"):
        await accounts.actor_of(ada.session.access_token)


async def test_role_and_existence_are_read_and_not_trusted(
    accounts: Accounts, database: Database, ada: SignedIn
) -> None:
    assert (await actor(accounts, ada)).user.role is Role.ADMIN
    await database.raw["users"].update_one({}, {"$set": {"role": "user"}})
    assert (await actor(accounts, ada)).user.role is Role.USER
    await database.raw["users"].delete_one({})
    with pytest.raises(Unauthenticated, match="session has ended"):
        await actor(accounts, ada)


async def test_refreshing_gives_new_tokens_of_the_same_session(
    accounts: Accounts, clock: Clock, ada: SignedIn
) -> None:
    clock.move(minutes=20)
    fresh = await accounts.refresh(ada.session.refresh_token, address=HOME)
    assert fresh.actor.session_id == ada.actor.session_id
    assert fresh.session.refresh_token != ada.session.refresh_token
    assert (await actor(accounts, fresh)).id == ada.user.id


async def test_a_session_lives_as_long_as_it_is_used(
    accounts: Accounts, clock: Clock, ada: SignedIn
) -> None:
    signed_in = ada
    for _ in range(4):
        clock.move(days=20)
        signed_in = await accounts.refresh(signed_in.session.refresh_token, address=HOME)
    clock.move(days=30)
    with pytest.raises(InvalidCredentials, match="Sign in again"):
        await accounts.refresh(signed_in.session.refresh_token, address=HOME)


async def test_a_refresh_token_that_comes_back_ends_the_whole_session(
    accounts: Accounts, ada: SignedIn
) -> None:
    second = await accounts.refresh(ada.session.refresh_token, address=HOME)
    third = await accounts.refresh(second.session.refresh_token, address=HOME)
    other = await login(accounts)
    with pytest.raises(InvalidCredentials) as refused:
        await accounts.refresh(ada.session.refresh_token, address=ELSEWHERE)
    assert refused.value.path == ["refreshToken"]
    for signed_in in (ada, second, third):
        with pytest.raises(Unauthenticated, match="session has ended"):
            await actor(accounts, signed_in)
        with pytest.raises(InvalidCredentials):
            await accounts.refresh(signed_in.session.refresh_token, address=HOME)
    assert (await actor(accounts, other)).id == ada.user.id


async def test_of_many_parallel_refreshes_one_wins(accounts: Accounts, ada: SignedIn) -> None:
    results = await asyncio.gather(
        *(accounts.refresh(ada.session.refresh_token, address=HOME) for _ in range(20)),
        return_exceptions=True,
    )
    won = [result for result in results if isinstance(result, SignedIn)]
    lost = [result for result in results if isinstance(result, InvalidCredentials)]
    assert (len(won), len(lost)) == (1, 19)


@pytest.mark.parametrize("token", ["", "x", "\ud800", "a" * 512])
async def test_what_is_no_refresh_token_is_refused(accounts: Accounts, token: str) -> None:
    with pytest.raises(InvalidCredentials, match="Sign in again") as refused:
        await accounts.refresh(token, address=HOME)
    assert refused.value.path == ["refreshToken"]


async def test_no_secret_is_stored_or_shown(
    accounts: Accounts, database: Database, ada: SignedIn
) -> None:
    admin = await actor(accounts, ada)
    invite = await accounts.create_invite(admin, lifetime=timedelta(days=1))
    fresh = await accounts.refresh(ada.session.refresh_token, address=HOME)
    with capture_logs() as logged:
        with pytest.raises(InvalidCredentials) as refused:
            await accounts.refresh(ada.session.refresh_token, address=HOME)
        with pytest.raises(InvalidCredentials) as wrong:
            await login(accounts, "a wrong phrase")
    stored = [
        str(document)
        for name in await database.raw.list_collection_names()
        async for document in database.raw[name].find()
    ]
    credentials = await accounts._users.credentials(user_id=admin.id)
    assert credentials is not None
    assert credentials.password_hash is not None
    assert "session ended" in logged[0]["event"]
    seen = [repr(ada), repr(fresh), repr(invite), repr(accounts), repr(credentials)]
    seen += [repr(refused.value), repr(wrong.value), repr(logged)]
    secrets = [ada.session.access_token, ada.session.refresh_token, fresh.session.refresh_token]
    for secret in [*secrets, invite.code, PASSWORD, "a wrong phrase"]:
        assert not any(secret in text for text in stored + seen)
    assert not any(credentials.password_hash in text for text in seen)


# Going out


async def test_signing_out_ends_the_session_at_once_and_again(
    accounts: Accounts, ada: SignedIn
) -> None:
    other = await login(accounts)
    await accounts.logout(ada.actor)
    await accounts.logout(ada.actor)
    with pytest.raises(Unauthenticated, match="session has ended"):
        await actor(accounts, ada)
    with pytest.raises(InvalidCredentials):
        await accounts.refresh(ada.session.refresh_token, address=HOME)
    assert await actor(accounts, other)


async def test_a_refresh_token_is_enough_to_sign_out(
    accounts: Accounts, clock: Clock, ada: SignedIn
) -> None:
    clock.move(hours=1)
    await accounts.logout(None, refresh_token=ada.session.refresh_token)
    await accounts.logout(None, refresh_token=ada.session.refresh_token)
    await accounts.logout(None, refresh_token="unknown")
    await accounts.logout(None)
    with pytest.raises(InvalidCredentials):
        await accounts.refresh(ada.session.refresh_token, address=HOME)


# Changing the password


async def test_a_new_password_ends_every_session_but_the_new_one(
    accounts: Accounts, database: Database, ada: SignedIn
) -> None:
    other = await login(accounts)
    fresh = await accounts.change_password(
        ada.actor, current=PASSWORD, new=NEW_PASSWORD, address=HOME
    )
    assert (await actor(accounts, fresh)).id == ada.user.id
    assert await accounts.refresh(fresh.session.refresh_token, address=HOME)
    for signed_in in (ada, other):
        with pytest.raises(Unauthenticated):
            await actor(accounts, signed_in)
        with pytest.raises(InvalidCredentials):
            await accounts.refresh(signed_in.session.refresh_token, address=HOME)
    with pytest.raises(InvalidCredentials):
        await login(accounts)
    assert await login(accounts, NEW_PASSWORD)
    assert await database.raw["sessions"].count_documents({}) == 2


async def test_a_session_opened_with_the_old_password_meanwhile_is_over(
    accounts: Accounts, database: Database, ada: SignedIn
) -> None:
    """Somebody proves the old password, it is changed, and only then their session is written."""
    proven = await accounts._users.credentials(user_id=ada.user.id)
    assert proven is not None
    await accounts.change_password(ada.actor, current=PASSWORD, new=NEW_PASSWORD, address=HOME)
    late = await accounts._sessions.open(proven.user, generation=proven.generation)
    with pytest.raises(Unauthenticated):
        await actor(accounts, late)
    with pytest.raises(InvalidCredentials):
        await accounts.refresh(late.session.refresh_token, address=HOME)


async def test_of_two_parallel_changes_one_wins(accounts: Accounts, ada: SignedIn) -> None:
    results = await asyncio.gather(
        *(
            accounts.change_password(
                ada.actor, current=PASSWORD, new=f"{NEW_PASSWORD} {number}", address=HOME
            )
            for number in range(2)
        ),
        return_exceptions=True,
    )
    won = [number for number, result in enumerate(results) if isinstance(result, SignedIn)]
    assert len(won) == 1
    assert await login(accounts, f"{NEW_PASSWORD} {won[0]}")


async def test_changing_the_password_needs_the_current_one(
    accounts: Accounts, ada: SignedIn
) -> None:
    with pytest.raises(InvalidCredentials) as refused:
        await accounts.change_password(ada.actor, current="wrong", new=NEW_PASSWORD, address=HOME)
    assert refused.value.path == ["currentPassword"]
    assert await login(accounts)
    assert await actor(accounts, ada)


@pytest.mark.parametrize("new", ["short", "x" * 129, "password", "ada@example.com"])
async def test_a_new_password_is_checked_like_a_first_one(
    accounts: Accounts, ada: SignedIn, new: str
) -> None:
    with pytest.raises(Invalid) as refused:
        await accounts.change_password(ada.actor, current=PASSWORD, new=new, address=HOME)
    assert refused.value.path == ["newPassword"]
    assert await login(accounts)


async def test_whoever_has_no_password_cannot_change_it(
    accounts: Accounts, database: Database, ada: SignedIn
) -> None:
    await database.raw["users"].update_one({}, {"$unset": {"password_hash": ""}})
    with pytest.raises(Conflict, match="no password"):
        await accounts.change_password(ada.actor, current=PASSWORD, new=NEW_PASSWORD, address=HOME)


# The profile
