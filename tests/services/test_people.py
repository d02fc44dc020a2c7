"""People on a real database: profiles, and finding each other."""

import asyncio

import pytest

from app.documents.database import Database
from app.domain.errors import (
    Conflict,
    Forbidden,
    Invalid,
    InvalidCredentials,
    RateLimited,
)
from app.domain.ids import Id
from app.domain.paging import Keyset
from app.domain.session import SignedIn
from app.identity.passwords import Passwords
from app.services.accounts import Accounts
from tests.accounts import HOME, PASSWORD, Clock, accounts_on, actor, joined, login


async def test_a_name_changes_alone(accounts: Accounts, clock: Clock, ada: SignedIn) -> None:
    clock.move(minutes=1)
    user = await accounts.update_profile(ada.actor, name="  Ada Lovelace ", address=HOME)
    assert user == ada.user.model_copy(update={"name": "Ada Lovelace", "updated_at": clock.now})
    assert (await actor(accounts, ada)).user == user


async def test_nothing_given_changes_nothing(
    accounts: Accounts, clock: Clock, ada: SignedIn
) -> None:
    clock.move(minutes=1)
    assert await accounts.update_profile(ada.actor, address=HOME) == ada.user
    same = await accounts.update_profile(
        ada.actor, name="Ada", email="ada@example.com", address=HOME
    )
    assert same == ada.user


async def test_a_new_address_needs_the_password_and_is_the_way_in_then(
    accounts: Accounts, ada: SignedIn
) -> None:
    with pytest.raises(Invalid) as missing:
        await accounts.update_profile(ada.actor, email="new@example.com", address=HOME)
    assert missing.value.path == ["currentPassword"]
    with pytest.raises(InvalidCredentials) as wrong:
        await accounts.update_profile(
            ada.actor, email="new@example.com", current_password="wrong", address=HOME
        )
    assert wrong.value.path == ["currentPassword"]
    assert (await actor(accounts, ada)).user.email == "ada@example.com"

    user = await accounts.update_profile(
        ada.actor, email="New@Example.com", current_password=PASSWORD, address=HOME
    )
    assert user.email == "New@example.com"
    with pytest.raises(InvalidCredentials):
        await login(accounts)
    assert await accounts.login(email="new@example.com", password=PASSWORD, address=HOME)


async def test_somebody_elses_address_is_refused(accounts: Accounts, ada: SignedIn) -> None:
    await joined(accounts, "Bob")
    with pytest.raises(Conflict) as refused:
        await accounts.update_profile(
            ada.actor, email="BOB@example.com", current_password=PASSWORD, address=HOME
        )
    assert refused.value.path == ["email"]


async def test_ones_own_address_may_change_its_case(accounts: Accounts, ada: SignedIn) -> None:
    user = await accounts.update_profile(
        ada.actor, email="ADA@example.com", current_password=PASSWORD, address=HOME
    )
    assert user.email == "ADA@example.com"


@pytest.mark.parametrize(("name", "email"), [("  ", None), ("a\nb", None), (None, "no address")])
async def test_a_profile_is_checked(
    accounts: Accounts, ada: SignedIn, name: str | None, email: str | None
) -> None:
    with pytest.raises(Invalid) as refused:
        await accounts.update_profile(
            ada.actor, name=name, email=email, current_password=PASSWORD, address=HOME
        )
    assert refused.value.path == (["name"] if name else ["email"])


# Looking people up


async def test_people_are_found_by_id(accounts: Accounts, ada: SignedIn) -> None:
    bob = await joined(accounts, "Bob")
    nobody = Id("f" * 24)
    assert await accounts.by_ids([ada.user.id, bob.user.id, nobody]) == {
        ada.user.id: ada.user,
        bob.user.id: bob.user,
    }
    assert await accounts.by_ids([]) == {}


async def test_an_admin_walks_through_everybody_and_searches(
    accounts: Accounts, ada: SignedIn
) -> None:
    names = [f"Person{number}" for number in range(7)]
    for name in names:
        await joined(accounts, name)
    first = await accounts.page(ada.actor, None, Keyset(first=5))
    rest = await accounts.page(ada.actor, None, Keyset(first=5, after=first.cursors[-1]))
    assert [user.name for user in [*first.rows, *rest.rows]] == ["Ada", *names]
    assert (first.has_next, rest.has_next) == (True, False)
    assert await accounts.count(ada.actor, None) == 8

    assert await accounts.count(ada.actor, "person") == 7
    found = await accounts.page(ada.actor, "PERSON3 exam", Keyset())
    assert [user.name for user in found.rows] == ["Person3"]
    assert (await accounts.page(ada.actor, "erson", Keyset())).rows == []


async def test_a_search_follows_the_name_and_the_address(accounts: Accounts, ada: SignedIn) -> None:
    await accounts.update_profile(ada.actor, name="Augusta", address=HOME)
    assert await accounts.count(ada.actor, "august") == 1
    assert await accounts.count(ada.actor, "ada") == 1  # still in the address
    await accounts.update_profile(
        ada.actor, email="king@example.com", current_password=PASSWORD, address=HOME
    )
    assert await accounts.count(ada.actor, "ada") == 0


async def test_only_an_admin_sees_everybody(accounts: Accounts, ada: SignedIn) -> None:
    bob = await joined(accounts, "Bob")
    with pytest.raises(Forbidden):
        await accounts.page(bob.actor, None, Keyset())
    with pytest.raises(Forbidden):
        await accounts.count(bob.actor, None)


async def test_searching_walks_an_index(
    accounts: Accounts, database: Database, ada: SignedIn
) -> None:
    for name in ["Bob", "Beatrice", "Carol"]:
        await joined(accounts, name)
    await database.raw.command("profile", 2)
    await accounts.page(ada.actor, "b", Keyset())
    await accounts.page(ada.actor, None, Keyset())
    await accounts.login(email="bob@example.com", password=PASSWORD, address=HOME)
    await database.raw.command("profile", 0)
    seen = await database.raw["system.profile"].find({"planSummary": {"$exists": True}}).to_list()
    assert len(seen) > 3
    assert not [command for command in seen if "COLLSCAN" in command["planSummary"]]


async def test_a_busy_server_says_so(database: Database, clock: Clock) -> None:
    passwords = Passwords(rounds=4, threads=1, queue=1)
    accounts = accounts_on(database, clock, passwords=passwords)
    async with passwords.turn():
        waiting = asyncio.create_task(joined(accounts, "Ada"))
        refused = asyncio.create_task(joined(accounts, "Bob"))
        done, _ = await asyncio.wait([waiting, refused], return_when=asyncio.FIRST_COMPLETED)
        with pytest.raises(RateLimited, match="busy"):
            await done.pop()
    await asyncio.wait([waiting, refused])
