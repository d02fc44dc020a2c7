"""A cluster in the test's own process, and the room that watches what is deployed on it."""

from collections.abc import AsyncIterator

import pytest

from app.domain.user import Actor
from app.services import Services
from tests.deploying import There, on_sandbox
from tests.services.watching.placing import Stage


@pytest.fixture
async def there(services: Services, owner: Actor) -> AsyncIterator[There]:
    async with on_sandbox(services, owner) as cluster:
        yield cluster


@pytest.fixture
async def stage(services: Services, owner: Actor) -> AsyncIterator[Stage]:
    made = Stage(services, owner)
    yield made
    await made.drifts.close()
