"""Workflows on a real database: revisions, conflicts, status rules, the bin, who sees what."""

import asyncio
from datetime import UTC, datetime

import pytest

from app.documents.clusters import ClusterStore
from app.documents.database import new_id
from app.domain.cluster import AuthType, Cluster
from app.domain.editing import AddEdge, AddNode, EdgeDraft, MoveNode, RemoveNode, UpdateNode
from app.domain.errors import (
    Forbidden,
    Invalid,
    LimitExceeded,
    NotFound,
    RevisionConflict,
)
from app.domain.ids import Id
from app.domain.node import Position
from app.domain.paging import Keyset
from app.domain.user import Actor
from app.domain.workflow import Workflow, WorkflowFilter, WorkflowRow, WorkflowStatus
from app.services import Services
from app.services.workflows import WorkflowDraft
from tests.domain.drawing import deployment, node, service


async def shop(services: Services, owner: Actor) -> Workflow:
    return await services.workflows.create(
        owner,
        WorkflowDraft(
            name="Shop",
            nodes=[deployment("web"), service("front")],
            edges=[EdgeDraft("front", "web", id="front-web")],
        ),
    )


def plain(workflow: WorkflowRow) -> dict[str, object]:
    """All that the domain knows of it."""
    return {
        name: getattr(workflow, name) for name in Workflow.model_fields if hasattr(workflow, name)
    }


async def stored(services: Services, owner: Actor, id_: Id) -> Workflow:
    found = await services.workflows.get(owner, id_)
    assert found is not None
    return found


async def test_a_new_workflow_is_a_draft_at_revision_one(services: Services, owner: Actor) -> None:
    made = await shop(services, owner)
    found = await stored(services, owner, made.id)
    assert plain(found) == plain(made)
    assert (found.status, found.revision, found.current_version) == (WorkflowStatus.DRAFT, 1, 0)
    assert list(found.nodes) == ["web", "front"]
    assert (found.owner_id, found.namespace) == (owner.id, "default")


async def test_what_is_answered_is_what_is_stored(services: Services, owner: Actor) -> None:
    made = await shop(services, owner)
    edited = await services.workflows.edit(
        owner,
        made.id,
        [
            AddNode(deployment("api", env={"A.B": "$1"}, labels={"a.b/c": "d"})),
            AddNode(service("api-front")),
            AddEdge(EdgeDraft("api-front", "api", id="api")),
            UpdateNode("web", deployment("web", image="nginx:2", replicas=0).data),
            MoveNode("front", Position(x=1.5, y=-2)),
        ],
        expected=1,
    )
    assert edited.revision == 2
    assert plain(await stored(services, owner, made.id)) == plain(edited)
    removed = await services.workflows.edit(
        owner, made.id, [RemoveNode("web"), MoveNode("api", Position(x=3))], expected=2
    )
    found = await stored(services, owner, made.id)
    assert plain(found) == plain(removed)
    assert set(found.nodes) == {"front", "api", "api-front"}
    assert set(found.edges) == {"api"}


async def test_a_stale_revision_changes_nothing_and_shows_the_current_workflow(
    services: Services, owner: Actor
) -> None:
    made = await shop(services, owner)
    await services.workflows.edit(owner, made.id, [MoveNode("web", Position(x=1))], expected=1)
    with pytest.raises(RevisionConflict) as conflict:
        await services.workflows.edit(owner, made.id, [RemoveNode("web")], expected=1)
    assert conflict.value.expected == 1
    assert plain(conflict.value.current) == plain(await stored(services, owner, made.id))
    assert conflict.value.current.revision == 2
    assert "web" in conflict.value.current.nodes


async def test_an_invalid_operation_saves_nothing_at_all(services: Services, owner: Actor) -> None:
    made = await shop(services, owner)
    with pytest.raises(Invalid):
        await services.workflows.edit(
            owner, made.id, [RemoveNode("web"), RemoveNode("ghost")], expected=1
        )
    assert plain(await stored(services, owner, made.id)) == plain(made)


async def test_an_edit_that_changes_nothing_makes_no_revision(
    services: Services, owner: Actor
) -> None:
    made = await shop(services, owner)
    same = await services.workflows.save_canvas(
        owner,
        made.id,
        [deployment("web"), service("front")],
        [EdgeDraft("front", "web", id="front-web")],
        expected=1,
    )
    assert same.revision == 1


async def test_save_canvas_replaces_everything(services: Services, owner: Actor) -> None:
    made = await shop(services, owner)
    saved = await services.workflows.save_canvas(
        owner, made.id, [deployment("other")], [], expected=1
    )
    found = await stored(services, owner, made.id)
    assert plain(found) == plain(saved)
    assert (list(found.nodes), found.edges, found.revision) == (["other"], {}, 2)


async def test_concurrent_editors_lose_nothing(services: Services, owner: Actor) -> None:
    made = await shop(services, owner)
    editors, each = 10, 3

    async def editor(number: int) -> None:
        revision = 1
        for i in range(each):
            while True:
                try:
                    await services.workflows.edit(
                        owner,
                        made.id,
                        [AddNode(deployment(f"n-{number}-{i}"))],
                        expected=revision,
                    )
                    break
                except RevisionConflict as conflict:
                    revision = conflict.current.revision

    await asyncio.gather(*map(editor, range(editors)))
    found = await stored(services, owner, made.id)
    assert found.revision == 1 + editors * each
    assert set(found.nodes) == {"web", "front"} | {
        f"n-{number}-{i}" for number in range(editors) for i in range(each)
    }


async def test_unconditional_changes_all_happen(services: Services, owner: Actor) -> None:
    made = await shop(services, owner)
    await asyncio.gather(
        *(services.workflows.update(owner, made.id, {"name": f"Shop {i}"}) for i in range(8)),
        *(services.workflows.update(owner, made.id, {"tags": [f"{i}"]}) for i in range(8)),
    )
    found = await stored(services, owner, made.id)
    assert found.revision == 17
    assert found.name.startswith("Shop ")
    assert len(found.tags) == 1


async def test_publishing_twice_changes_nothing(services: Services, owner: Actor) -> None:
    made = await shop(services, owner)
    first = await services.workflows.publish(owner, made.id)
    second = await services.workflows.publish(owner, made.id)
    assert (first.status, first.revision) == (WorkflowStatus.PUBLISHED, 2)
    assert plain(second) == plain(first)


async def test_an_edit_leaves_the_status_as_it_is(services: Services, owner: Actor) -> None:
    made = await shop(services, owner)
    await services.workflows.publish(owner, made.id)
    edited = await services.workflows.edit(
        owner, made.id, [MoveNode("web", Position(x=1))], expected=2
    )
    assert edited.status is WorkflowStatus.PUBLISHED


async def test_an_archived_workflow_is_read_only_until_published(
    services: Services, owner: Actor
) -> None:
    made = await shop(services, owner)
    await services.workflows.archive(owner, made.id)
    for change in (
        services.workflows.edit(owner, made.id, [RemoveNode("web")], expected=2),
        services.workflows.save_canvas(owner, made.id, [], [], expected=2),
        services.workflows.update(owner, made.id, {"name": "x"}),
    ):
        with pytest.raises(Forbidden, match="archived"):
            await change
    assert len((await stored(services, owner, made.id)).nodes) == 2
    await services.workflows.publish(owner, made.id)
    await services.workflows.update(owner, made.id, {"name": "x"})


async def test_the_bin(services: Services, owner: Actor) -> None:
    made = await shop(services, owner)
    deleted = await services.workflows.delete(owner, made.id)
    assert deleted.deleted_at is not None
    assert await services.workflows.get(owner, made.id) is None
    for change in (
        services.workflows.edit(owner, made.id, [RemoveNode("web")], expected=2),
        services.workflows.update(owner, made.id, {"name": "x"}),
        services.workflows.publish(owner, made.id),
        services.workflows.delete(owner, made.id),
        services.workflows.clone(owner, made.id),
    ):
        with pytest.raises(NotFound):
            await change
    keyset = Keyset(field="updated_at", descending=True)
    assert (await services.workflows.page(owner, WorkflowFilter(), keyset)).rows == []
    (row,) = (await services.workflows.page(owner, WorkflowFilter(deleted=True), keyset)).rows
    assert row.id == made.id
    restored = await services.workflows.restore(owner, made.id)
    assert restored.deleted_at is None
    assert (await stored(services, owner, made.id)).nodes == made.nodes
    assert (await services.workflows.restore(owner, made.id)).revision == restored.revision


async def test_a_clone_has_a_history_of_its_own(services: Services, owner: Actor) -> None:
    made = await shop(services, owner)
    await services.workflows.publish(owner, made.id)
    copy = await services.workflows.clone(owner, made.id)
    assert (copy.name, copy.status, copy.revision) == ("Shop (copy)", WorkflowStatus.DRAFT, 1)
    assert (copy.nodes, copy.edges) == (made.nodes, made.edges)
    await services.workflows.edit(owner, copy.id, [RemoveNode("web")], expected=1)
    assert len((await stored(services, owner, made.id)).nodes) == 2


async def test_a_stranger_finds_nothing_and_changes_nothing(
    services: Services, owner: Actor, stranger: Actor
) -> None:
    made = await shop(services, owner)
    assert await services.workflows.get(stranger, made.id) is None
    for attempt in (
        services.workflows.edit(stranger, made.id, [RemoveNode("web")], expected=1),
        services.workflows.save_canvas(stranger, made.id, [], [], expected=99),
        services.workflows.update(stranger, made.id, {"name": "x"}),
        services.workflows.publish(stranger, made.id),
        services.workflows.archive(stranger, made.id),
        services.workflows.delete(stranger, made.id),
        services.workflows.restore(stranger, made.id),
        services.workflows.clone(stranger, made.id),
    ):
        with pytest.raises(NotFound):
            await attempt
    assert plain(await stored(services, owner, made.id)) == plain(made)


async def test_a_cluster_must_be_seen_to_be_chosen(
    services: Services, owner: Actor, stranger: Actor
) -> None:
    now = datetime.now(UTC)
    cluster = Cluster(
        id=new_id(),
        name="mine",
        display_name="Mine",
        server="https://192.0.2.1:6443",
        auth_type=AuthType.TOKEN,
        owner_id=owner.id,
        created_at=now,
        updated_at=now,
    )
    await ClusterStore().insert(cluster)
    made = await services.workflows.create(owner, WorkflowDraft(name="a", cluster_id=cluster.id))
    assert made.cluster_id == cluster.id
    with pytest.raises(NotFound) as refused:
        await services.workflows.create(stranger, WorkflowDraft(name="b", cluster_id=cluster.id))
    assert refused.value.path == ["clusterId"]
    with pytest.raises(NotFound):
        await services.workflows.update(owner, made.id, {"cluster_id": new_id()})
    chosen_none = await services.workflows.update(owner, made.id, {"cluster_id": None})
    assert chosen_none.cluster_id is None


BIG = "x" * 900_000
LARGE = [node("configmap", f"c{i}", name=f"c{i}", data={"f": BIG}) for i in range(5)]


async def test_a_canvas_cannot_outgrow_its_document(services: Services, owner: Actor) -> None:
    made = await services.workflows.create(owner, WorkflowDraft(name="Large"))
    revision = 1
    with pytest.raises(LimitExceeded):
        for i in range(10):
            edited = await services.workflows.edit(
                owner,
                made.id,
                [AddNode(node("configmap", f"c{i}", name=f"c{i}", data={"f": BIG}))],
                expected=revision,
            )
            revision = edited.revision
    shrunk = node("configmap", "c0", name="c0", data={"f": "small"})
    edited = await services.workflows.edit(
        owner, made.id, [UpdateNode("c0", shrunk.data)], expected=revision
    )
    revision = edited.revision
    with pytest.raises(LimitExceeded):
        await services.workflows.create(owner, WorkflowDraft(name="Copy", nodes=LARGE))
    smaller = await services.workflows.edit(owner, made.id, [RemoveNode("c0")], expected=revision)
    assert "c0" not in smaller.nodes


async def test_the_order_is_kept_as_answered(services: Services, owner: Actor) -> None:
    """MongoDB would put several new fields in an order of its own."""
    made = await shop(services, owner)
    added = [AddNode(deployment(id_)) for id_ in ("zz", "b", "10", "9")]
    edited = await services.workflows.edit(owner, made.id, added, expected=1)
    assert list(edited.nodes) == ["web", "front", "zz", "b", "10", "9"]
    assert list((await stored(services, owner, made.id)).nodes) == list(edited.nodes)

    again = [RemoveNode("web"), AddNode(deployment("web"))]
    edited = await services.workflows.edit(owner, made.id, again, expected=2)
    assert list(edited.nodes)[-1] == "web"
    assert list((await stored(services, owner, made.id)).nodes) == list(edited.nodes)

    saved = await services.workflows.save_canvas(
        owner,
        made.id,
        [deployment("b"), deployment("a"), service("front")],
        [],
        expected=3,
    )
    assert list(saved.nodes) == ["b", "a", "front"]
    assert list((await stored(services, owner, made.id)).nodes) == list(saved.nodes)
