"""What tests of looking closer can ask for."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from app.domain.user import Actor
from app.services import Services
from app.services.inspecting import Inspecting
from tests.deploying import There
from tests.services.inspecting.placing import Placed, all_there, place

Place = Callable[..., Awaitable[Placed]]


@pytest.fixture
async def both(services: Services, owner: Actor) -> AsyncIterator[tuple[There, Inspecting]]:
    async with all_there(services, owner) as found:
        yield found


@pytest.fixture
def there(both: tuple[There, Inspecting]) -> There:
    """A sandbox cluster of the owner's."""
    return both[0]


@pytest.fixture
def looking(both: tuple[There, Inspecting]) -> Inspecting:
    """What looks closer."""
    return both[1]


@pytest.fixture
def placed(services: Services, owner: Actor, there: There, looking: Inspecting) -> Place:
    """`await placed(*nodes_and_edges)`: a workflow whose objects are on the cluster; the owner's,
    or that of another `actor`."""

    async def make(*parts: Any, actor: Actor = owner, **more: Any) -> Placed:
        return await place(services, actor, there, looking, *parts, **more)

    return make
