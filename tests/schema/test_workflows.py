"""The front end's workflow operations, as written, against the schema."""

from typing import Any

import pytest

from app.domain.user import Actor
from app.services import Services
from tests.asking import Asker, asker

WEB = {"id": "web", "data": {"deployment": {"name": "web", "image": "nginx:1.29", "port": 8080}}}
FRONT = {"id": "front", "data": {"service": {"name": "front", "port": 80}}}
EDGE = {"id": "e", "source": "front", "target": "web"}


@pytest.fixture
def ask(services: Services, owner: Actor) -> Asker:
    return asker(services, owner)


@pytest.fixture
def ask_stranger(services: Services, stranger: Actor) -> Asker:
    return asker(services, stranger)


async def create(ask: Asker, **more: Any) -> dict[str, Any]:
    created = await ask.one("CreateWorkflow", input={"name": "Shop"} | more)
    assert created["__typename"] == "CreateWorkflowPayload", created
    workflow: dict[str, Any] = created["workflow"]
    return workflow


async def shop(ask: Asker) -> dict[str, Any]:
    return await create(ask, nodes=[WEB, FRONT], edges=[EDGE])


async def test_a_workflow_is_created_and_read(ask: Asker, owner: Actor) -> None:
    made = await shop(ask)
    assert (made["status"], made["revision"], made["currentVersion"]) == ("DRAFT", 1, 0)
    assert made["owner"]["name"] == owner.user.name
    assert made["viewerCan"]["edit"] == {"allowed": True, "reason": None}
    assert made["viewerCan"]["deploy"]["allowed"] is False
    assert "Publish it first" in made["viewerCan"]["deploy"]["reason"]
    assert await ask.one("Workflow", id=made["id"]) == made


async def test_edges_supply_what_nodes_leave_out(ask: Asker) -> None:
    made = await shop(ask)
    front = next(node for node in made["nodes"] if node["id"] == "front")
    assert front["__typename"] == "ServiceNode"
    assert front["type"] == "SERVICE"
    data = front["data"]
    assert (data["targetApp"], data["targetPort"], data["linkedDeployment"]) == ("web", 8080, "web")
    renamed = await ask.one(
        "EditWorkflow",
        input={
            "workflowId": made["id"],
            "expectedRevision": 1,
            "operations": [
                {
                    "updateNode": {
                        "id": "web",
                        "data": {"deployment": {"name": "site", "image": "nginx:1.29"}},
                    }
                }
            ],
        },
    )
    front = next(node for node in renamed["workflow"]["nodes"] if node["id"] == "front")
    assert front["data"]["targetApp"] == "site"


async def test_every_broken_rule_is_told_with_its_path(ask: Asker) -> None:
    nodes = [
        WEB,
        FRONT,
        {"data": {"deployment": {"name": "Bad Name", "image": "nginx:1.29", "replicas": -1}}},
    ]
    answer = await ask.one(
        """mutation ($input: CreateWorkflowInput!) { createWorkflow(input: $input) {
             ... on ValidationError { code path errors { path code message } } } }""",
        input={"name": "x", "nodes": nodes},
    )
    assert answer["code"] == "VALIDATION_FAILED"
    assert answer["path"] == ["nodes", "2", "data", "name"]
    assert [error["path"] for error in answer["errors"]] == [
        ["nodes", "2", "data", "name"],
        ["nodes", "2", "data", "replicas"],
    ]
    assert await ask.one("Workflows", first=1) == {
        "edges": [],
        "pageInfo": {"hasNextPage": False, "endCursor": None},
        "totalCount": 0,
    }


async def test_unknown_keys_are_refused(ask: Asker) -> None:
    node = {"data": {"deployment": {"name": "a", "image": "b:1", "colour": "red"}}}
    result = await ask.raw("CreateWorkflow", input={"name": "x", "nodes": [node]})
    assert result["data"] is None
    assert "colour" in result["errors"][0]["message"]


async def test_a_bad_edge_is_refused_where_it_was_sent(ask: Asker) -> None:
    answer = await ask.one(
        "CreateWorkflow",
        input={"name": "x", "nodes": [WEB], "edges": [{"source": "web", "target": "ghost"}]},
    )
    assert answer["__typename"] == "ValidationError"
    assert answer["path"] == ["edges", "0", "target"]


async def test_a_revision_conflict_carries_the_current_workflow(ask: Asker) -> None:
    made = await shop(ask)
    move = [{"moveNode": {"id": "web", "position": {"x": 1, "y": 2}}}]
    edit = {"workflowId": made["id"], "expectedRevision": 1, "operations": move}
    first = await ask.one("EditWorkflow", input=edit)
    assert first["workflow"]["revision"] == 2
    second = await ask.one("EditWorkflow", input=edit)
    assert (second["__typename"], second["code"]) == ("RevisionConflict", "REVISION_CONFLICT")
    assert second["workflow"] == first["workflow"]
    save = {"workflowId": made["id"], "expectedRevision": 1, "nodes": [], "edges": []}
    third = await ask.one("SaveCanvas", input=save)
    assert third["workflow"]["revision"] == 2
    renamed = await ask.one(
        "UpdateWorkflow", input={"workflowId": made["id"], "expectedRevision": 1, "name": "x"}
    )
    assert renamed["__typename"] == "RevisionConflict"


async def test_the_canvas_is_saved_whole(ask: Asker) -> None:
    made = await shop(ask)
    saved = await ask.one(
        "SaveCanvas",
        input={"workflowId": made["id"], "expectedRevision": 1, "nodes": [FRONT], "edges": []},
    )
    assert [node["id"] for node in saved["workflow"]["nodes"]] == ["front"]
    assert saved["workflow"]["edges"] == []


async def test_every_operation_of_an_edit(ask: Asker) -> None:
    made = await shop(ask)
    operations = [
        {"addNode": {"data": {"job": {"name": "once", "image": "busybox:1"}}}},
        {"moveNode": {"id": "web", "position": {"x": 1, "y": 2}}},
        {"updateNode": {"id": "front", "data": {"service": {"name": "door", "port": 81}}}},
        {"removeEdge": {"id": "e"}},
        {"addEdge": {"id": "f", "source": "front", "target": "web"}},
        {"updateEdge": {"id": "f", "source": "front", "target": "web", "type": "smooth"}},
        {"addNode": WEB | {"id": "gone"}},
        {"removeNode": {"id": "gone"}},
    ]
    answer = await ask.one(
        "EditWorkflow",
        input={"workflowId": made["id"], "expectedRevision": 1, "operations": operations},
    )
    workflow = answer["workflow"]
    assert workflow["revision"] == 2
    nodes = {node["id"]: node for node in workflow["nodes"]}
    assert len(nodes) == 3
    assert nodes["web"]["position"] == {"x": 1, "y": 2}
    assert (nodes["front"]["data"]["name"], nodes["front"]["data"]["port"]) == ("door", 81)
    assert [(e["id"], e["type"]) for e in workflow["edges"]] == [("f", "smooth")]


async def test_metadata_is_updated_and_null_chooses_no_cluster(ask: Asker) -> None:
    made = await shop(ask)
    answer = await ask.one(
        "UpdateWorkflow",
        input={
            "workflowId": made["id"],
            "expectedRevision": 1,
            "name": "  New  ",
            "description": "Words",
            "tags": ["a", "b"],
            "namespace": "shop",
            "clusterId": None,
        },
    )
    row = answer["workflow"]
    assert (row["name"], row["description"], row["tags"], row["namespace"]) == (
        "New",
        "Words",
        ["a", "b"],
        "shop",
    )
    assert (row["revision"], row["cluster"]) == (2, None)


async def test_the_life_of_a_workflow(ask: Asker) -> None:
    made = await shop(ask)
    named = {"workflowId": made["id"]}
    published = await ask.one("PublishWorkflow", input=named)
    again = await ask.one("PublishWorkflow", input=named)
    assert published == again
    assert published["workflow"]["status"] == "PUBLISHED"
    archived = await ask.one("ArchiveWorkflow", input=named)
    assert archived["workflow"]["status"] == "ARCHIVED"
    refused = await ask.one("UpdateWorkflow", input=named | {"name": "x"})
    assert (refused["__typename"], refused["code"]) == ("Forbidden", "FORBIDDEN")
    shown = await ask.one("Workflow", id=made["id"])
    assert shown["viewerCan"]["edit"] == {"allowed": False, "reason": refused["message"]}
    deleted = await ask.one("DeleteWorkflow", input=named)
    assert deleted["workflow"]["deletedAt"] is not None
    assert await ask.one("Workflow", id=made["id"]) is None
    bin_ = await ask.one("Workflows", first=5, filter={"deleted": True})
    assert [edge["node"]["id"] for edge in bin_["edges"]] == [made["id"]]
    restored = await ask.one("RestoreWorkflow", input=named)
    assert restored["workflow"]["deletedAt"] is None
    copy = await ask.one("CloneWorkflow", input=named | {"name": "Copy"})
    assert copy["workflow"]["id"] != made["id"]
    assert copy["workflow"]["nodes"] == shown["nodes"]


async def test_versions(ask: Asker) -> None:
    made = await shop(ask)
    named = {"workflowId": made["id"]}
    first = await ask.one("CreateVersion", input=named | {"name": "One", "tag": "v1"})
    assert first["version"] == {"number": 1, "name": "One", "tag": "v1", "description": ""}
    edit = [{"updateNode": {"id": "web", "data": {"deployment": {"name": "web", "image": "b:2"}}}}]
    await ask.one("EditWorkflow", input=named | {"expectedRevision": 1, "operations": edit})
    await ask.one("CreateVersion", input=named)

    diff = (await ask.one("CompareVersions", id=made["id"], **{"from": 1, "to": 2}))["versionDiff"]
    assert diff["layoutOnly"] is False
    assert diff["edges"] == []
    (node,) = diff["nodes"]
    assert (node["change"], node["nodeId"], node["type"]) == ("MODIFIED", "web", "DEPLOYMENT")
    assert node["fields"] == [
        {"path": "image", "before": "nginx:1.29", "after": "b:2"},
        {"path": "port", "before": 8080, "after": None},
    ]

    restored = await ask.one("RestoreVersion", input=named | {"version": 1})
    assert restored["version"] == {"number": 3, "restoredFrom": 1}
    assert restored["workflow"]["nodes"] == made["nodes"]
    missing = await ask.one("RestoreVersion", input=named | {"version": 9})
    assert (missing["__typename"], missing["path"]) == ("NotFound", ["version"])

    page = (await ask.one("Versions", id=made["id"], first=2))["versions"]
    assert [edge["node"]["number"] for edge in page["edges"]] == [3, 2]
    assert page["totalCount"] == 3
    rest = (await ask.one("Versions", id=made["id"], first=2, after=page["pageInfo"]["endCursor"]))[
        "versions"
    ]
    assert [edge["node"]["number"] for edge in rest["edges"]] == [1]
    assert rest["pageInfo"]["hasNextPage"] is False

    whole = (await ask.one("Version", id=made["id"], number=1))["version"]
    assert whole["nodes"] == [{k: v for k, v in n.items() if k != "status"} for n in made["nodes"]]
    assert (await ask.one("Version", id=made["id"], number=9))["version"] is None


async def test_lists_are_filtered_ordered_and_paged(ask: Asker) -> None:
    for name in ("Beta", "alpha", "Gamma", "beta two"):
        await create(ask, name=name, tags=["x"] if "eta" in name else [])

    async def names(**variables: Any) -> list[str]:
        found = await ask.one("Workflows", **({"first": 10} | variables))
        return [edge["node"]["name"] for edge in found["edges"]]

    assert await names() == ["beta two", "Gamma", "alpha", "Beta"]
    assert await names(orderBy={"field": "CREATED_AT", "direction": "ASC"}) == [
        "Beta",
        "alpha",
        "Gamma",
        "beta two",
    ]
    assert await names(filter={"search": "BETA"}) == ["beta two", "Beta"]
    assert await names(filter={"search": ".*"}) == []
    assert await names(filter={"tags": ["x"], "status": ["DRAFT"]}) == ["beta two", "Beta"]
    assert await names(filter={"status": ["PUBLISHED"]}) == []

    walked, after = [], None
    while True:
        page = await ask.one(
            "Workflows", first=1, after=after, orderBy={"field": "NAME", "direction": "ASC"}
        )
        walked += [edge["node"]["name"] for edge in page["edges"]]
        assert page["totalCount"] == 4
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert walked == ["Beta", "Gamma", "alpha", "beta two"]


@pytest.mark.parametrize("first", [0, -1, 101])
async def test_a_page_has_1_to_100_rows(ask: Asker, first: int) -> None:
    result = await ask.raw("Workflows", first=first)
    assert "1 to 100" in result["errors"][0]["message"]


@pytest.mark.parametrize("after", ["x", "!!!!", "e30", "A" * 5000])
async def test_a_bad_cursor_is_a_clear_error(ask: Asker, after: str) -> None:
    result = await ask.raw("Workflows", first=1, after=after)
    assert "cursor" in result["errors"][0]["message"]


@pytest.mark.parametrize("id_", ["", "x", "0" * 24, "0" * 25, "\0", "💥"])
async def test_an_unknown_id_is_not_found(ask: Asker, id_: str) -> None:
    assert await ask.one("Workflow", id=id_) is None


async def test_nobody_sees_or_does_anything(services: Services, ask: Asker) -> None:
    made = await shop(ask)
    nobody = asker(services, None)
    result = await nobody.raw("Workflow", id=made["id"])
    assert result["data"] == {"workflow": None}
    assert "Sign in" in result["errors"][0]["message"]
    refused = await nobody.one("DeleteWorkflow", input={"workflowId": made["id"]})
    assert (refused["__typename"], refused["code"]) == ("Unauthenticated", "UNAUTHENTICATED")
    assert (await ask.one("Workflow", id=made["id"]))["deletedAt"] is None


async def test_the_palette_draws_every_kind(ask: Asker) -> None:
    kinds = {kind["type"]: kind for kind in await ask.one("Palette")}
    assert len(kinds) == 13
    deployment = kinds["DEPLOYMENT"]
    assert deployment["defaults"] == {"replicas": 1, "port": 8080}
    properties = deployment["dataSchema"]["properties"]
    assert set(deployment["dataSchema"]["required"]) == {"name", "image"}
    assert "envKeys" in properties
    assert "linkedPVCs" not in properties
    service = kinds["SERVICE"]
    assert service["defaults"]["serviceType"] == "CLUSTER_IP"
    assert {c["type"] for c in service["connectsTo"]} == {"DEPLOYMENT", "STATEFULSET", "DAEMONSET"}


async def test_a_palettes_defaults_are_valid_input(ask: Asker) -> None:
    """What a form begins with, with the required fields filled in, makes a node."""
    missing = {
        "DEPLOYMENT": {"image": "a:1"},
        "STATEFULSET": {"image": "a:1"},
        "DAEMONSET": {"image": "a:1"},
        "JOB": {"image": "a:1"},
        "CRONJOB": {"image": "a:1"},
        "PLUGIN": {
            "pluginId": "certmanager",
            "templateId": "certificate",
            "pluginCategory": "security",
            "displayName": "Certificate",
        },
    }
    nodes = [
        {
            "data": {
                kind["type"].lower(): {"name": "a"}
                | kind["defaults"]
                | missing.get(kind["type"], {})
            }
        }
        for kind in await ask.one("Palette")
    ]
    made = await create(ask, nodes=nodes)
    assert len(made["nodes"]) == 13


async def test_a_value_that_is_refused_is_not_repeated(ask: Asker) -> None:
    result = await ask.raw(
        "Login", input={"email": "a@example.com", "password": "hush; hush", "colour": "red"}
    )
    (error,) = result["errors"]
    assert "hush" not in str(result)
    assert error["message"] == (
        "Variable '$input' has invalid value: Expected value of type 'LoginInput' not to include "
        "unknown field 'colour'."
    )
    node = {"data": {"deployment": {"name": "a", "image": "b:1", "replicas": "many"}}}
    result = await ask.raw("CreateWorkflow", input={"name": "x", "nodes": [node]})
    (error,) = result["errors"]
    assert "many" not in error["message"]
    assert error["extensions"]["path"] == ["nodes", "0", "data", "deployment", "replicas"]


async def test_large_numbers_of_a_plugin_come_back_from_storage(ask: Asker) -> None:
    """The driver has a class of its own for them, which no YAML writer knows."""
    fields = {"servers": 3_000_000_000, "deep": [{"n": 2**62}]}
    plugin = {"name": "p", "pluginId": "minio", "templateId": "minio-tenant", "fields": fields}
    made = await create(ask, nodes=[{"id": "p", "data": {"plugin": plugin}}])
    found = await ask.one("Workflow", id=made["id"])
    assert found["nodes"][0]["data"]["fields"] == fields
    assert "3000000000" in (await ask.one("Export", id=made["id"], format="YAML"))["manifests"]


@pytest.mark.parametrize("text", ['"""a\0b"""', '"a\\u0000b"', '"a\0b"'])
async def test_no_text_has_a_nul(ask: Asker, text: str) -> None:
    document = (
        f'mutation {{ createWorkflow(input: {{name: "x", description: {text}}}) {{ __typename }} }}'
    )
    result = await ask.raw(document)
    assert result["data"] is None
    assert result["errors"]
