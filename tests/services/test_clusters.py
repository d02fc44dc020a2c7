"""Clusters on a real database: brought in, changed, made the default, removed; and their secrets.

The services keep nothing in memory, so tasks that race on the database race as replicas do.
"""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from bson import ObjectId
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase

from app.bootstrap import bootstrap, vault
from app.documents.clusters import ClusterStore
from app.documents.credentials import CredentialStore
from app.domain.cluster import AuthType, Cluster, ClusterMetadata, ClusterRole, ClusterStatus
from app.domain.errors import (
    ClusterError,
    ClusterFault,
    Conflict,
    Forbidden,
    Invalid,
    LimitExceeded,
    NotFound,
)
from app.domain.events import cluster_stream
from app.domain.ids import Id
from app.domain.paging import Keyset
from app.domain.user import Actor
from app.services import Services
from app.services.accessing import KubeconfigDraft, Place, TokenDraft
from app.services.sealing import open_access
from app.services.workflows import WorkflowDraft
from app.settings import Settings
from tests.clusters import NOBODY, bring_in, credentials, draft
from tests.commands import commands
from tests.secrecy import search_database, secret
from tests.wiring import sign_up

Raw = AsyncDatabase[dict[str, Any]]


@pytest.fixture
def raw(mongodb: AsyncMongoClient[dict[str, Any]], database_name: str) -> Raw:
    return mongodb[database_name]


@pytest.fixture
async def shared(services: Services, owner: Actor, stranger: Actor) -> Cluster:
    """A cluster of the owner's that the stranger is ADMIN of."""
    made = await bring_in(services, owner, "shared")
    return await share(services, owner, made, stranger, ClusterRole.ADMIN)


async def share(
    services: Services, owner: Actor, cluster: Cluster, person: Actor, role: ClusterRole
) -> Cluster:
    return await services.sharing.share(
        owner, cluster.id, person.user.email, role=role, namespaces=[]
    )


async def stored(id_: Id) -> Cluster:
    found = await ClusterStore().get(id_)
    assert found is not None
    return found


async def everything(raw: Raw) -> dict[str, list[dict[str, Any]]]:
    """Every document of what a change of a cluster may touch."""
    names = ("clusters", "cluster_credentials", "cluster_checks", "events", "cluster_feeds")
    return {name: [d async for d in raw[name].find(sort=[("_id", 1)])] for name in names}


async def kept_token(settings: Settings, id_: Id) -> str:
    """The token that is kept for a cluster."""
    kept = await CredentialStore().get(id_)
    assert kept is not None
    proof = open_access(vault(settings), id_, kept.sealed).proof
    assert proof.kind == "token"
    return proof.token


# Bringing in


async def test_a_cluster_is_kept_as_it_was_described(services: Services, owner: Actor) -> None:
    made = await services.clusters.add(
        owner,
        draft(
            "prod",
            display_name="Production",
            description="In Europe.",
            labels={"tier": "gold"},
            server=f" {NOBODY}/ ",
        ),
    )
    found = await stored(made.id)
    assert found.model_dump(
        exclude={"id", "created_at", "updated_at", "status", "status_message", "last_check"}
    ) == {
        "name": "prod",
        "display_name": "Production",
        "description": "In Europe.",
        "server": NOBODY,
        "auth_type": AuthType.TOKEN,
        "latency_ms": None,
        "default": True,
        "metadata": ClusterMetadata().model_dump(),
        "owner_id": owner.id,
        "shared_with": [],
        "labels": {"tier": "gold"},
        "credentials_version": 1,
        "server_by": None,
        "seq": found.seq,
    }
    assert await services.clusters.get(owner, made.id) == found == made


async def test_what_is_answered_is_what_the_first_look_has_found(
    services: Services, owner: Actor
) -> None:
    made = await bring_in(services, owner)
    assert made.status is ClusterStatus.DISCONNECTED
    assert made.status_message
    assert made.last_check is not None
    assert made.seq == 2


async def test_without_a_display_name_it_is_called_by_its_name(
    services: Services, owner: Actor
) -> None:
    assert (await bring_in(services, owner, "edge")).display_name == "edge"


async def test_a_look_that_takes_long_is_not_waited_for(
    services: Services, owner: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Id] = []

    async def never(cluster_id: Id) -> None:
        asked.append(cluster_id)
        await asyncio.Event().wait()

    monkeypatch.setattr("app.services.clusters._PATIENCE", 0.01)
    monkeypatch.setattr(services.clusters, "_look", never)
    made = await bring_in(services, owner)
    assert asked == [made.id]
    assert made.status is ClusterStatus.UNKNOWN


async def test_a_name_is_unique_among_the_owners_clusters(
    services: Services, owner: Actor, stranger: Actor, raw: Raw
) -> None:
    await bring_in(services, owner, "prod")
    before = await everything(raw)
    with pytest.raises(Conflict, match=r"^You have a cluster called prod already\.") as refused:
        await bring_in(services, owner, "prod")
    assert refused.value.path == ["name"]
    assert await everything(raw) == before
    assert (await bring_in(services, stranger, "prod")).owner_id == stranger.id


async def test_of_many_at_once_one_gets_the_name(
    services: Services, owner: Actor, raw: Raw
) -> None:
    results = await asyncio.gather(
        *(bring_in(services, owner, "prod") for _ in range(6)),
        return_exceptions=True,
    )
    made = [each for each in results if isinstance(each, Cluster)]
    assert len(made) == 1
    assert [type(each) for each in results if each not in made] == [Conflict] * 5
    for collection in ("clusters", "cluster_credentials", "cluster_checks"):
        assert await raw[collection].distinct("_id") == [ObjectId(made[0].id)]


async def test_of_many_first_clusters_one_is_the_default(
    services: Services, owner: Actor, raw: Raw
) -> None:
    made = await asyncio.gather(*(bring_in(services, owner, f"c{i}") for i in range(8)))
    defaults = [d["_id"] async for d in raw["clusters"].find({"default": True})]
    assert len(defaults) == 1
    assert [each.id for each in made if each.default] == [str(defaults[0])]


async def test_one_may_own_so_many(settings: Settings, owner: Actor, raw: Raw) -> None:
    few = settings.model_copy(update={"max_clusters": 2})
    async with bootstrap(few) as services:
        results = await asyncio.gather(
            *(bring_in(services, owner, f"c{i}") for i in range(6)),
            return_exceptions=True,
        )
        refused = [each for each in results if isinstance(each, LimitExceeded)]
        assert len(refused) == 4
        assert refused[0].limit == 2
        assert refused[0].message == "You have 2 clusters, and may have 2. Remove one first."
        for collection in ("clusters", "cluster_credentials", "cluster_checks"):
            assert await raw[collection].count_documents({}) == 2
        await services.clusters.remove(owner, (await services.clusters.default_of(owner)).id)  # type: ignore[union-attr]
        await bring_in(services, owner, "again")


@pytest.mark.parametrize(
    ("server", "says"),
    [
        (None, "Write the URL of the API server."),
        ("  ", "Write the URL of the API server."),
        ("ftp://192.0.2.1", "It has to begin with https://."),
        ("https://me:hunter2@192.0.2.1", "It may not hold a user name or password."),
        ("https://169.254.169.254/", "The address 169.254.169.254 is never dialled"),
        ("https://192.0.2.1/?a=b", "It may not have a query or fragment."),
    ],
)
async def test_an_address_that_will_not_do_is_refused_and_nothing_is_kept(
    services: Services, owner: Actor, raw: Raw, server: str | None, says: str
) -> None:
    with pytest.raises(Invalid) as refused:
        await services.clusters.add(owner, draft("prod", place=Place(server=server)))
    (problem,) = refused.value.problems
    assert problem.path == ("server",)
    assert problem.message.startswith(says)
    assert "hunter2" not in refused.value.message
    assert not any((await everything(raw)).values())


async def test_a_kubeconfig_says_itself_where_the_server_is(
    services: Services, owner: Actor, settings: Settings
) -> None:
    token = secret("a kubeconfig's token")
    config = {
        "clusters": [{"name": "c", "cluster": {"server": f"{NOBODY}/"}}],
        "users": [{"name": "u", "user": {"token": token}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
    }
    given = KubeconfigDraft(content=json.dumps(config))
    made = await services.clusters.add(owner, draft("a", credentials=given, place=Place()))
    assert (made.server, made.auth_type) == (NOBODY, AuthType.KUBECONFIG)
    assert await kept_token(settings, made.id) == token
    for place, field in (
        (Place(server=NOBODY), "server"),
        (Place(tls_server_name="a.example"), "tlsServerName"),
    ):
        with pytest.raises(Invalid) as refused:
            await services.clusters.add(owner, draft("b", credentials=given, place=place))
        assert refused.value.problems[0].path == (field,)


# Secrets


async def test_credentials_are_kept_sealed_apart_and_nowhere_else(
    services: Services,
    owner: Actor,
    settings: Settings,
    mongodb: AsyncMongoClient[dict[str, Any]],
    database_name: str,
) -> None:
    token = secret("a cluster's token")
    made = await bring_in(services, owner, credentials=credentials(token))
    assert await kept_token(settings, made.id) == token
    await search_database(mongodb, database_name)
    document = await mongodb[database_name]["clusters"].find_one({})
    assert document is not None
    assert set(document) <= {"_id", *Cluster.model_fields}
    sealed = await mongodb[database_name]["cluster_credentials"].find_one({})
    assert sealed is not None
    assert set(sealed) == {"_id", "version", "key_id", "wrapped_key", "nonce", "ciphertext"}


async def test_reading_clusters_reads_no_secret(services: Services, owner: Actor, raw: Raw) -> None:
    made = await bring_in(services, owner)
    await raw["cluster_credentials"].drop()
    assert await services.clusters.get(owner, made.id) == made
    page = await services.clusters.page(owner, Keyset(field="name"))
    assert list(page.rows) == [made]


async def test_credentials_that_were_moved_to_another_cluster_do_not_open(
    services: Services, owner: Actor, settings: Settings, raw: Raw
) -> None:
    mine, theirs = [await bring_in(services, owner) for _ in range(2)]
    moved = await raw["cluster_credentials"].find_one({"_id": ObjectId(theirs.id)})
    assert moved is not None
    del moved["_id"]
    await raw["cluster_credentials"].update_one({"_id": ObjectId(mine.id)}, {"$set": moved})
    with pytest.raises(ClusterError) as refused:
        await kept_token(settings, mine.id)
    assert refused.value.fault is ClusterFault.UNREADABLE
    assert "Give them again with updateClusterCredentials" in refused.value.message


# Changing


async def test_only_what_differs_is_a_change(services: Services, owner: Actor, raw: Raw) -> None:
    made = await bring_in(services, owner, "prod", labels={"a": "b"})
    before = await everything(raw)
    same = await services.clusters.update(
        owner, made.id, {"display_name": "prod", "labels": {"a": "b"}}
    )
    assert same == made
    assert await everything(raw) == before
    changed = await services.clusters.update(
        owner, made.id, {"display_name": "Production", "labels": {}, "description": "New."}
    )
    assert (changed.display_name, changed.labels, changed.description) == ("Production", {}, "New.")
    assert changed.seq == made.seq + 1
    assert changed.updated_at > made.updated_at
    assert await stored(made.id) == changed


async def test_every_change_is_told_once_and_in_order(
    services: Services, owner: Actor, raw: Raw
) -> None:
    made = await bring_in(services, owner)
    await services.clusters.update(owner, made.id, {"description": "one"})
    await services.clusters.update_credentials(owner, made.id, credentials(), Place())
    await services.clusters.remove(owner, made.id)
    told = [e async for e in raw["events"].find({"stream": cluster_stream(made.id)}).sort("seq")]
    assert [event["seq"] for event in told] == list(range(1, len(told) + 1))
    assert [event["type"] for event in told][-1] == "ClusterRemoved"
    assert {event["type"] for event in told[:-1]} == {"ClusterStatusChanged"}
    for event in told[:-1]:
        assert event["payload"]["cluster"]["seq"] == event["seq"]


async def test_changes_at_once_all_happen(services: Services, owner: Actor) -> None:
    made = await bring_in(services, owner)
    await asyncio.gather(
        *(services.clusters.update(owner, made.id, {"description": str(i)}) for i in range(10))
    )
    assert (await stored(made.id)).seq == made.seq + 10


async def test_new_credentials_begin_anew(
    services: Services, owner: Actor, settings: Settings
) -> None:
    made = await bring_in(services, owner)
    before = await CredentialStore().get(made.id)
    looked_at = made.model_copy(
        update={"metadata": ClusterMetadata(version="v1.36.1"), "latency_ms": 3}
    )
    database = services.clusters._changes._database

    async def work(transaction: Any) -> None:
        await ClusterStore().record(looked_at, transaction=transaction)

    await database.transaction(work)
    token = secret("a newer token")
    changed = await services.clusters.update_credentials(
        owner, made.id, credentials(token), Place()
    )
    assert (changed.server, changed.credentials_version) == (NOBODY, 2)
    assert changed.metadata.version == "v1.36.1"
    assert changed.latency_ms is None
    assert changed.status is ClusterStatus.DISCONNECTED
    after = await CredentialStore().get(made.id)
    assert before is not None
    assert after is not None
    assert (before.version, after.version) == (1, 2)
    assert await kept_token(settings, made.id) == token
    elsewhere = await services.clusters.update_credentials(
        owner, made.id, credentials(), Place(server="https://localhost:1/prefix")
    )
    assert elsewhere.server == "https://localhost:1/prefix"
    assert elsewhere.metadata == ClusterMetadata()
    assert elsewhere.credentials_version == 3


async def test_nothing_of_the_old_credentials_is_kept(
    services: Services, owner: Actor, settings: Settings
) -> None:
    """A name that the old certificate had, for one, would make the new one fail."""
    made = await bring_in(
        services, owner, place=Place(server=NOBODY, tls_server_name="old.example")
    )
    await services.clusters.update_credentials(owner, made.id, credentials(), Place())
    kept = await CredentialStore().get(made.id)
    assert kept is not None
    assert open_access(vault(settings), made.id, kept.sealed).tls_server_name is None


async def test_credentials_that_are_refused_leave_everything_as_it_was(
    services: Services, owner: Actor, raw: Raw
) -> None:
    made = await bring_in(services, owner)
    before = await everything(raw)
    for bad, place in (
        (TokenDraft(token="two words"), Place()),
        (credentials(), Place(server="https://169.254.169.254")),
    ):
        with pytest.raises(Invalid):
            await services.clusters.update_credentials(owner, made.id, bad, place)
    assert await everything(raw) == before


# The default


async def test_the_default_is_one_and_moves(services: Services, owner: Actor) -> None:
    first, second = [await bring_in(services, owner, name) for name in ("first", "second")]
    assert (first.default, second.default) == (True, False)
    assert (await services.clusters.set_default(owner, second.id)).default
    assert not (await stored(first.id)).default
    assert (await stored(first.id)).seq == first.seq + 1
    again = await services.clusters.set_default(owner, second.id)
    assert again.seq == second.seq + 1
    third = await bring_in(services, owner, "third", default=True)
    assert third.default
    default = await services.clusters.default_of(owner)
    assert default is not None
    assert default.id == third.id


async def test_of_many_who_choose_a_default_at_once_the_last_wins(
    services: Services, owner: Actor, raw: Raw
) -> None:
    made = [await bring_in(services, owner) for _ in range(4)]
    await asyncio.gather(*(services.clusters.set_default(owner, cluster.id) for cluster in made))
    assert await raw["clusters"].count_documents({"default": True}) == 1


async def test_defaults_of_two_people_have_nothing_to_do_with_each_other(
    services: Services, owner: Actor, stranger: Actor
) -> None:
    mine, theirs = await bring_in(services, owner), await bring_in(services, stranger)
    assert (mine.default, theirs.default) == (True, True)


async def test_a_removed_default_has_no_heir(services: Services, owner: Actor) -> None:
    """Deploying somewhere by accident is worse than having to choose."""
    first, second = [await bring_in(services, owner) for _ in range(2)]
    await services.clusters.remove(owner, first.id)
    assert await services.clusters.default_of(owner) is None
    assert not (await stored(second.id)).default
    assert not (await bring_in(services, owner)).default


# Removing


async def test_removing_takes_the_credentials_and_the_checks_along(
    services: Services, owner: Actor, raw: Raw
) -> None:
    made, other = [await bring_in(services, owner) for _ in range(2)]
    await services.clusters.remove(owner, made.id)
    for collection in ("clusters", "cluster_credentials", "cluster_checks"):
        assert await raw[collection].distinct("_id") == [ObjectId(other.id)]
    assert await services.clusters.get(owner, made.id) is None
    with pytest.raises(NotFound):
        await services.clusters.remove(owner, made.id)


async def test_a_cluster_that_workflows_choose_stays_unless_forced(
    services: Services, owner: Actor, stranger: Actor, raw: Raw, shared: Cluster
) -> None:
    chosen = [
        await services.workflows.create(actor, WorkflowDraft(name="w", cluster_id=shared.id))
        for actor in (owner, stranger)
    ]
    before = await everything(raw)
    with pytest.raises(Conflict, match=r"^2 workflows choose this cluster\."):
        await services.clusters.remove(owner, shared.id)
    assert await everything(raw) == before
    await services.workflows.delete(owner, chosen[0].id)
    with pytest.raises(Conflict, match=r"^1 workflow chooses this cluster\."):
        await services.clusters.remove(owner, shared.id)
    await services.clusters.remove(owner, shared.id, force=True)
    assert await services.clusters.get(owner, shared.id) is None


# Who may


async def test_what_is_not_seen_is_not_found(
    services: Services, owner: Actor, stranger: Actor, raw: Raw
) -> None:
    made = await bring_in(services, owner)
    before = await everything(raw)
    clusters, sharing = services.clusters, services.sharing
    for attempt in (
        clusters.update(stranger, made.id, {"description": "mine"}),
        clusters.update_credentials(stranger, made.id, credentials(), Place()),
        clusters.remove(stranger, made.id, force=True),
        clusters.set_default(stranger, made.id),
        sharing.share(stranger, made.id, stranger.user.email, role=ClusterRole.ADMIN),
        sharing.unshare(stranger, made.id, stranger.id),
    ):
        with pytest.raises(NotFound) as refused:
            await attempt
        assert refused.value.path == ["clusterId"]
    assert await clusters.get(stranger, made.id) is None
    assert await everything(raw) == before


@pytest.mark.parametrize("role", [ClusterRole.VIEWER, ClusterRole.DEPLOYER])
async def test_viewers_and_deployers_change_nothing(
    services: Services, owner: Actor, stranger: Actor, raw: Raw, role: ClusterRole
) -> None:
    made = await bring_in(services, owner)
    await share(services, owner, made, stranger, role)
    other = await sign_up(services, "other")
    before = await everything(raw)
    says = f"You are {role.upper()} of this cluster; this takes ADMIN."
    for attempt in (
        services.clusters.update(stranger, made.id, {"description": "mine"}),
        services.clusters.update_credentials(stranger, made.id, credentials(), Place()),
        services.sharing.share(stranger, made.id, other.user.email, role=role),
        services.sharing.unshare(stranger, made.id, owner.id),
    ):
        with pytest.raises(Forbidden, match=f"^{says}"):
            await attempt
    assert await everything(raw) == before


async def test_an_admin_changes_and_does_not_own(
    services: Services, owner: Actor, stranger: Actor, raw: Raw, shared: Cluster
) -> None:
    changed = await services.clusters.update(stranger, shared.id, {"description": "by an admin"})
    assert changed.description == "by an admin"
    renewed = await services.clusters.update_credentials(
        stranger, shared.id, credentials(), Place(server=shared.server)
    )
    assert renewed.credentials_version == 2
    before = await everything(raw)
    for attempt in (
        services.clusters.remove(stranger, shared.id, force=True),
        services.clusters.set_default(stranger, shared.id),
    ):
        with pytest.raises(Forbidden, match="Only the owner"):
            await attempt
    assert await everything(raw) == before


async def test_nobody_but_the_owner_learns_whether_bad_credentials_are_bad(
    services: Services, owner: Actor, stranger: Actor
) -> None:
    """Being allowed comes before being right."""
    made = await bring_in(services, owner)
    with pytest.raises(NotFound):
        await services.clusters.update_credentials(
            stranger, made.id, TokenDraft(token="two words"), Place()
        )


# Lists


async def test_the_list_has_ones_own_and_what_is_shared_by_name(
    services: Services, owner: Actor, stranger: Actor
) -> None:
    names = ["d", "a", "c", "e", "b"]
    made = {name: await bring_in(services, owner, name) for name in names}
    theirs = await bring_in(services, stranger, "c")
    await bring_in(services, stranger, "hidden")
    await share(services, stranger, theirs, owner, ClusterRole.VIEWER)
    seen: list[Id] = []
    after: str | None = None
    while True:
        page = await services.clusters.page(owner, Keyset(field="name", first=2, after=after))
        seen += [row.id for row in page.rows]
        if not page.has_next:
            break
        after = page.cursors[-1]
    both = sorted([made["c"].id, theirs.id])
    assert seen == [made["a"].id, made["b"].id, *both, made["d"].id, made["e"].id]
    assert await services.clusters.count(owner) == 6
    assert await services.clusters.count(stranger) == 2


async def test_a_page_walks_along_indexes(services: Services, owner: Actor, raw: Raw) -> None:
    now = datetime.now(UTC)
    for i in range(300):
        await ClusterStore().insert(
            Cluster(
                id=Id(ObjectId()),
                name=f"c{i:03}",
                display_name="c",
                server=NOBODY,
                auth_type=AuthType.TOKEN,
                owner_id=owner.id if i % 3 == 0 else Id(ObjectId()),
                created_at=now,
                updated_at=now,
            )
        )
    await raw.command("profile", 2)
    try:
        first = await services.clusters.page(owner, Keyset(field="name", first=10))
        await services.clusters.page(owner, Keyset(field="name", first=10, after=first.cursors[-1]))
    finally:
        await raw.command("profile", 0)
    profile = raw["system.profile"].find({"ns": f"{raw.name}.clusters"})
    asked = [entry async for entry in profile]
    assert len(asked) == 2
    for entry in asked:
        assert entry["docsExamined"] <= 12, entry
        assert "COLLSCAN" not in entry["planSummary"]


async def test_changing_is_one_transaction(services: Services, owner: Actor) -> None:
    made = await bring_in(services, owner)
    with commands.during() as sent:
        await services.clusters.update(owner, made.id, {"description": "new"})
    assert sent == [
        "find",
        "update",
        "insert",
        "findAndModify",
        "insert",
        "commitTransaction",
    ]


async def test_nobody_sends_a_secret_where_somebody_else_has_moved_the_cluster(
    services: Services, owner: Actor, stranger: Actor, shared: Cluster
) -> None:
    elsewhere = Place(server="https://127.0.0.1:2")
    await services.clusters.update_credentials(stranger, shared.id, credentials(), elsewhere)
    with pytest.raises(Invalid, match=r"^server: Write the URL of the API server\."):
        await services.clusters.update_credentials(owner, shared.id, credentials(), Place())
    # Who chose it need not say it again; and once the owner has, neither need they.
    await services.clusters.update_credentials(stranger, shared.id, credentials(), Place())
    back = Place(server=shared.server)
    await services.clusters.update_credentials(owner, shared.id, credentials(), back)
    again = await services.clusters.update_credentials(owner, shared.id, credentials(), Place())
    assert again.server == shared.server
