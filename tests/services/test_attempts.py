"""Failing to sign in: how often, for whom, and who is not shut out by it."""

import asyncio

import pytest

from app.documents.database import Database
from app.documents.throttles import ThrottleStore
from app.domain.errors import InvalidCredentials, RateLimited
from app.domain.session import SignedIn
from app.identity.passwords import Passwords
from app.services.accounts import Accounts
from app.services.attempts import AttemptLimits, Attempts
from tests.accounts import ELSEWHERE, HOME, PASSWORD, Clock, accounts_on, joined

LIMIT = 5
PER_ADDRESS = 8
LIMITS = AttemptLimits(failures=LIMIT, failures_per_address=PER_ADDRESS)


@pytest.fixture
async def accounts(database: Database, clock: Clock) -> Accounts:
    """Ada has an account, and has been at home with it."""
    accounts = accounts_on(database, clock, limits=LIMITS)
    await joined(accounts, "Ada")
    return accounts


async def attempt(
    accounts: Accounts,
    password: str = PASSWORD,
    *,
    email: str = "ada@example.com",
    address: str = ELSEWHERE,
) -> str:
    """What became of it: `in`, `wrong` or `limited`."""
    try:
        await accounts.login(email=email, password=password, address=address)
    except InvalidCredentials:
        return "wrong"
    except RateLimited as error:
        assert 1 <= error.retry_after <= 900
        assert str(error.retry_after) in error.message
        return "limited"
    return "in"


async def fail(accounts: Accounts, times: int = LIMIT, **where: str) -> list[str]:
    return [await attempt(accounts, "wrong", **where) for _ in range(times)]


@pytest.mark.parametrize("email", ["ada@example.com", "nobody@example.com"])
async def test_an_account_closes_after_its_failures_whether_it_exists_or_not(
    accounts: Accounts, email: str
) -> None:
    for number in range(LIMIT):
        assert await attempt(accounts, "wrong", email=email, address=f"203.0.113.{number}") == (
            "wrong"
        )
    assert await attempt(accounts, email=email, address="203.0.113.99") == "limited"


async def test_an_address_closes_after_its_failures_for_everybody(accounts: Accounts) -> None:
    for number in range(PER_ADDRESS):
        assert await attempt(accounts, "wrong", email=f"nobody{number}@example.com") == "wrong"
    assert await attempt(accounts) == "limited"
    assert await attempt(accounts, address=HOME) == "in"


async def test_a_window_ends_by_itself_however_often_it_is_tried(
    accounts: Accounts, clock: Clock
) -> None:
    assert set(await fail(accounts)) == {"wrong"}
    for _ in range(3):
        clock.move(minutes=4)
        assert set(await fail(accounts, 3)) == {"limited"}
    clock.move(minutes=3)
    assert await attempt(accounts) == "in"


async def test_a_stranger_does_not_shut_out_whoever_is_at_home(accounts: Accounts) -> None:
    for number in range(LIMIT * 3):
        await attempt(accounts, "wrong", address=f"203.0.113.{number}")
    assert await attempt(accounts, address="203.0.113.99") == "limited"
    assert await attempt(accounts, address=HOME) == "in"


async def test_at_home_failures_are_limited_too(accounts: Accounts) -> None:
    assert set(await fail(accounts, address=HOME)) == {"wrong"}
    assert await attempt(accounts, address=HOME) == "limited"


async def test_where_somebody_signed_in_becomes_a_home(accounts: Accounts) -> None:
    assert await attempt(accounts, address="203.0.113.1") == "in"
    for number in range(LIMIT):
        await attempt(accounts, "wrong", address=f"198.51.100.{number}")
    assert await attempt(accounts, address="203.0.113.1") == "in"
    assert await attempt(accounts, address="203.0.113.2") == "limited"


async def test_what_somebody_mistypes_at_home_does_not_shut_them_out_elsewhere(
    accounts: Accounts,
) -> None:
    await fail(accounts, LIMIT - 1, address=HOME)
    assert await attempt(accounts, address=HOME) == "in"
    assert await attempt(accounts, "wrong", address=ELSEWHERE) == "wrong"
    assert await attempt(accounts, address=ELSEWHERE) == "in"


@pytest.mark.parametrize("address", [HOME, ELSEWHERE])
async def test_success_resets_the_accounts_count(accounts: Accounts, address: str) -> None:
    for _ in range(4):
        assert set(await fail(accounts, LIMIT - 1, address=address)) == {"wrong"}
        assert await attempt(accounts, address=address) == "in"


async def test_success_does_not_reset_what_else_came_from_the_address(accounts: Accounts) -> None:
    """Or else whoever has an account could try others' for ever, in between."""
    for number in range(PER_ADDRESS):
        assert await attempt(accounts, address=HOME) == "in"
        await attempt(accounts, "wrong", email=f"nobody{number}@example.com", address=HOME)
    assert await attempt(accounts, address=HOME) == "limited"


async def test_a_parallel_flood_gets_hardly_more_tries(database: Database, clock: Clock) -> None:
    accounts = accounts_on(
        database,
        clock,
        passwords=Passwords(rounds=4, threads=2),
        limits=LIMITS,
    )
    await joined(accounts, "Ada")
    tried = await asyncio.gather(*(attempt(accounts, "wrong") for _ in range(60)))
    assert LIMIT <= tried.count("wrong") <= LIMIT + 1
    assert set(tried) == {"wrong", "limited"}


async def test_a_parallel_crowd_with_good_passwords_gets_in(accounts: Accounts) -> None:
    assert set(await asyncio.gather(*(attempt(accounts) for _ in range(40)))) == {"in"}


async def test_who_hangs_up_is_counted(database: Database, clock: Clock) -> None:
    throttles = ThrottleStore(database)
    attempts = Attempts(
        store=throttles, passwords=Passwords(rounds=4), limits=AttemptLimits(), now=clock
    )
    for _ in range(3):
        trying = asyncio.create_task(
            attempts.password("wrong", None, account="ada@example.com", address=HOME)
        )
        await asyncio.sleep(0)
        trying.cancel()
        await asyncio.wait([trying])
        assert trying.cancelled()
    async with asyncio.timeout(10):
        while await database.raw["throttles"].count_documents({"events": 3}) < 3:
            pass  # account, address, and both together


async def test_replicas_count_together(
    accounts: Accounts, database: Database, clock: Clock
) -> None:
    replica = accounts_on(database, clock, limits=LIMITS)
    await fail(accounts, LIMIT - 2)
    await fail(replica, 2)
    assert await attempt(accounts) == "limited"
    assert await attempt(replica) == "limited"


async def test_counters_keep_no_addresses(accounts: Accounts, database: Database) -> None:
    await fail(accounts, email="nobody@example.com")
    kept = str([document async for document in database.raw["throttles"].find()])
    assert "nobody" not in kept
    assert ELSEWHERE not in kept


async def test_the_current_password_cannot_be_guessed_either(accounts: Accounts) -> None:
    bob: SignedIn = await joined(accounts, "Bob")
    results = []
    for _ in range(LIMIT + 1):
        try:
            await accounts.change_password(
                bob.actor, current="wrong", new="a quite different phrase", address=ELSEWHERE
            )
        except (InvalidCredentials, RateLimited) as error:
            results.append(type(error))
    assert results == [InvalidCredentials] * LIMIT + [RateLimited]


async def test_refreshing_is_limited_per_address(database: Database, clock: Clock) -> None:
    accounts = accounts_on(database, clock, limits=AttemptLimits(refreshes=2))
    ada = await joined(accounts, "Ada")
    for _ in range(2):
        with pytest.raises(InvalidCredentials):
            await accounts.refresh("unknown", address=ELSEWHERE)
    with pytest.raises(RateLimited):
        await accounts.refresh("unknown", address=ELSEWHERE)
    assert await accounts.refresh(ada.session.refresh_token, address=HOME)
