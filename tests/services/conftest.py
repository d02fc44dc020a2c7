"""Accounts, a clock that moves when told, and somebody who has one."""

import pytest

from app.documents.database import Database
from app.domain.session import SignedIn
from app.services.accounts import Accounts
from tests.accounts import Clock, accounts_on, joined


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def accounts(database: Database, clock: Clock) -> Accounts:
    return accounts_on(database, clock)


@pytest.fixture
async def ada(accounts: Accounts) -> SignedIn:
    return await joined(accounts, "Ada")
