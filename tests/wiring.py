"""Services on a real database, and people to use them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from app.bootstrap import bootstrap
from app.domain.user import Actor
from app.services import Services
from app.settings import Settings

PASSWORD = "correct horse battery"


@pytest.fixture
def settings(mongodb_uri: str, database_name: str, tmp_path: Path) -> Settings:
    return Settings(
        mongodb_uri=SecretStr(mongodb_uri),
        database=database_name,
        data_dir=tmp_path,
        bcrypt_rounds=4,
    )


@pytest.fixture
async def services(settings: Settings) -> AsyncIterator[Services]:
    async with bootstrap(settings) as wired:
        yield wired


async def sign_up(services: Services, name: str) -> Actor:
    """A new person, signed in."""
    signed_in = await services.accounts.register(
        name=name, email=f"{name}@example.com", password=PASSWORD, address="127.0.0.1"
    )
    access = await services.accounts.actor_of(signed_in.session.access_token)
    return access.actor


@pytest.fixture
async def owner(services: Services) -> Actor:
    return await sign_up(services, "owner")


@pytest.fixture
async def stranger(services: Services, owner: Actor) -> Actor:
    return await sign_up(services, "stranger")
