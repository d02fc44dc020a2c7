"""Versions: numbered without gaps, restored as new ones, compared field by field."""

import asyncio

import pytest

from app.domain.comparing import ChangeKind
from app.domain.editing import MoveNode, RemoveNode
from app.domain.errors import Forbidden, NotFound
from app.domain.node import Position
from app.domain.paging import Keyset
from app.domain.user import Actor
from app.domain.workflow import Workflow
from app.services import Services
from app.services.changing import VersionDraft
from app.services.workflows import WorkflowDraft
from tests.domain.drawing import deployment

NEWEST_FIRST = Keyset(field="number", descending=True, unique=True, first=100)


@pytest.fixture
async def workflow(services: Services, owner: Actor) -> Workflow:
    return await services.workflows.create(
        owner, WorkflowDraft(name="Shop", nodes=[deployment("web")])
    )


async def numbers(services: Services, workflow: Workflow) -> list[int]:
    page = await services.versions.page(workflow, NEWEST_FIRST)
    return [row.number for row in page.rows]


async def test_a_version_keeps_the_canvas_as_it_was(
    services: Services, owner: Actor, workflow: Workflow
) -> None:
    made = await services.versions.create(
        owner, workflow.id, VersionDraft(name="First", tag="v1", description="Words.")
    )
    assert (made.number, made.name, made.tag, made.created_by) == (1, "First", "v1", owner.id)
    await services.workflows.edit(owner, workflow.id, [RemoveNode("web")], expected=1)
    kept = await services.versions.get(workflow, 1)
    assert kept is not None
    assert kept.nodes == workflow.nodes


async def test_making_a_version_is_no_change_of_the_workflow(
    services: Services, owner: Actor, workflow: Workflow
) -> None:
    await services.versions.create(owner, workflow.id, VersionDraft())
    found = await services.workflows.get(owner, workflow.id)
    assert found is not None
    assert (found.revision, found.current_version, found.seq) == (1, 1, 1)


async def test_numbers_have_no_gap_under_concurrency(
    services: Services, owner: Actor, workflow: Workflow
) -> None:
    made = await asyncio.gather(
        *(services.versions.create(owner, workflow.id, VersionDraft()) for _ in range(20))
    )
    assert sorted(version.number for version in made) == list(range(1, 21))
    assert await numbers(services, workflow) == list(range(20, 0, -1))


async def test_restoring_appends(services: Services, owner: Actor, workflow: Workflow) -> None:
    await services.versions.create(owner, workflow.id, VersionDraft())
    await services.workflows.edit(owner, workflow.id, [RemoveNode("web")], expected=1)
    restored, version = await services.versions.restore(owner, workflow.id, 1)
    assert (version.number, version.restored_from) == (2, 1)
    assert (restored.revision, restored.current_version) == (3, 2)
    assert restored.nodes == workflow.nodes
    found = await services.workflows.get(owner, workflow.id)
    assert found is not None
    assert found.nodes == workflow.nodes
    assert await numbers(services, workflow) == [2, 1]


async def test_a_version_that_does_not_exist_cannot_be_restored(
    services: Services, owner: Actor, workflow: Workflow
) -> None:
    with pytest.raises(NotFound) as refused:
        await services.versions.restore(owner, workflow.id, 1)
    assert refused.value.path == ["version"]
    assert await numbers(services, workflow) == []


async def test_an_archived_workflow_gets_no_versions(
    services: Services, owner: Actor, workflow: Workflow
) -> None:
    await services.versions.create(owner, workflow.id, VersionDraft())
    await services.workflows.archive(owner, workflow.id)
    with pytest.raises(Forbidden):
        await services.versions.create(owner, workflow.id, VersionDraft())
    with pytest.raises(Forbidden):
        await services.versions.restore(owner, workflow.id, 1)
    assert await numbers(services, workflow) == [1]


async def test_a_stranger_makes_and_restores_nothing(
    services: Services, owner: Actor, stranger: Actor, workflow: Workflow
) -> None:
    await services.versions.create(owner, workflow.id, VersionDraft())
    with pytest.raises(NotFound):
        await services.versions.create(stranger, workflow.id, VersionDraft())
    with pytest.raises(NotFound) as refused:
        await services.versions.restore(stranger, workflow.id, 1)
    assert refused.value.kind == "workflow"
    assert await numbers(services, workflow) == [1]


async def test_two_versions_are_compared(
    services: Services, owner: Actor, workflow: Workflow
) -> None:
    await services.versions.create(owner, workflow.id, VersionDraft())
    await services.workflows.edit(owner, workflow.id, [MoveNode("web", Position(x=1))], expected=1)
    await services.versions.create(owner, workflow.id, VersionDraft())
    await services.workflows.edit(owner, workflow.id, [RemoveNode("web")], expected=2)
    await services.versions.create(owner, workflow.id, VersionDraft())

    moved = await services.versions.compare(workflow, 1, 2)
    assert moved is not None
    assert (moved.layout_only, moved.moved) == (True, ("web",))
    removed = await services.versions.compare(workflow, 2, 3)
    assert removed is not None
    assert [(n.change, n.node_id) for n in removed.nodes] == [(ChangeKind.REMOVED, "web")]
    assert await services.versions.compare(workflow, 1, 9) is None
