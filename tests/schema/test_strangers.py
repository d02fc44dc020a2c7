"""A stranger's token sees and changes nothing of another's workflow, through any root field.

The probes are made from the schema, so a new field is probed without anybody thinking of it; and
each root field is listed here with whether its owner sees the workflow through it, so a probe that
has stopped reaching anything is noticed, and so is a field that nobody has listed.
"""

import json
from contextlib import aclosing
from functools import cache

import pytest
from graphql import GraphQLField, GraphQLSchema, build_schema
from strawberry.types import ExecutionResult

import schema
from app.domain.errors import DomainError
from app.domain.ids import Id
from app.domain.user import Actor
from app.domain.workflow import Workflow
from app.services import Services
from app.services.changing import VersionDraft
from app.services.workflows import WorkflowDraft
from tests.asking import BUILT, Asker, asker
from tests.domain.drawing import deployment
from tests.schema.probes import Prober

SECRET = "purple-elephant"
CLUSTERS = {
    "query": {"cluster", "clusters"},
    "mutation": {
        "addCluster",
        "refreshCluster",
        "removeCluster",
        "setDefaultCluster",
        "shareCluster",
        "testCluster",
        "unshareCluster",
        "updateCluster",
        "updateClusterCredentials",
    },
    "subscription": {"clusterStatus", "clustersStatus"},
}
DEPLOYMENTS = {
    "query": {"plan", "run", "runs"},
    "mutation": {
        "cancelRun",
        "deployWorkflow",
        "detectDrift",
        "planWorkflow",
        "rollbackWorkflow",
        "undeployWorkflow",
    },
    "subscription": {"podLogs", "runProgress", "workflowStatus"},
}
SHOWN_TO_ITS_OWNER = {
    "query": {"workflow", "workflows"},
    "mutation": {
        "archiveWorkflow",
        "cloneWorkflow",
        "createVersion",
        "deleteWorkflow",
        "editWorkflow",
        "publishWorkflow",
        "restoreVersion",
        "restoreWorkflow",
        "saveCanvas",
        "updateWorkflow",
    },
    "subscription": {"workflowChanged"},
}
SHOWN_TO_NOBODY = {
    "query": {
        "nodeTypes",
        "serverInfo",
        "user",
        "users",
        "viewer",
        *CLUSTERS["query"],
        *DEPLOYMENTS["query"],
    },
    "mutation": {
        "changePassword",
        "createInvite",
        "createWorkflow",
        "importCompose",
        "importManifests",
        "login",
        "logout",
        "refreshSession",
        "register",
        "updateProfile",
        *CLUSTERS["mutation"],
        *DEPLOYMENTS["mutation"],
    },
    "subscription": {*CLUSTERS["subscription"], *DEPLOYMENTS["subscription"]},
}


@cache
def api() -> GraphQLSchema:
    return build_schema(schema.sdl())


def roots() -> dict[str, dict[str, GraphQLField]]:
    types = {
        "query": api().query_type,
        "mutation": api().mutation_type,
        "subscription": api().subscription_type,
    }
    return {operation: dict(type_.fields) for operation, type_ in types.items() if type_}


PROBES = [(operation, name) for operation, fields in roots().items() for name in fields]


@pytest.fixture
async def workflow(services: Services, owner: Actor) -> Workflow:
    made = await services.workflows.create(
        owner,
        WorkflowDraft(
            name=SECRET,
            description=SECRET,
            tags=[SECRET],
            nodes=[deployment(SECRET), deployment("web")],
        ),
    )
    await services.versions.create(owner, made.id, VersionDraft(name=SECRET))
    found = await services.workflows.get(owner, made.id)
    assert found is not None
    return found


async def probe(ask: Asker, operation: str, name: str, id_: Id) -> str:
    """All that comes back, as text."""
    prober = Prober(api(), id_=id_, text="purple")
    document = prober.document(operation, name, roots()[operation][name])
    if operation != "subscription":
        answer = await ask.raw(document)
        failures = [error["message"] for error in answer["errors"] or [] if "path" not in error]
        assert failures == [], "the probe itself is not valid"
        return json.dumps(answer, default=str)
    begun = await BUILT.begin(document, variables=None, context=ask.context(), operation_name=None)
    if isinstance(begun, ExecutionResult):
        return str(begun)
    async with aclosing(begun.source) as events:
        try:
            result = await begun.execute(await anext(events), ask.context())
        except DomainError as error:
            return error.message
    return json.dumps({"data": result.data, "errors": str(result.errors)}, default=str)


def test_every_root_field_is_listed() -> None:
    listed = {
        operation: SHOWN_TO_ITS_OWNER[operation] | SHOWN_TO_NOBODY[operation]
        for operation in roots()
    }
    assert {operation: set(fields) for operation, fields in roots().items()} == listed


@pytest.mark.parametrize(("operation", "name"), PROBES)
async def test_a_stranger_sees_and_changes_nothing(
    *,
    services: Services,
    owner: Actor,
    stranger: Actor,
    workflow: Workflow,
    operation: str,
    name: str,
) -> None:
    for caller in (stranger, None):
        answer = await probe(asker(services, caller), operation, name, workflow.id)
        assert SECRET not in answer
    found = await services.workflows.get(owner, workflow.id)
    assert found is not None
    assert dict(found) == dict(workflow)


@pytest.mark.parametrize(
    ("operation", "name"),
    [
        (operation, name)
        for operation, names in SHOWN_TO_ITS_OWNER.items()
        for name in sorted(names)
    ],
)
async def test_the_same_probe_shows_it_to_its_owner(
    services: Services, owner: Actor, workflow: Workflow, operation: str, name: str
) -> None:
    answer = await probe(asker(services, owner), operation, name, workflow.id)
    assert SECRET in answer, answer[:2000]


@pytest.mark.parametrize(
    ("operation", "name"),
    [(operation, name) for operation, names in SHOWN_TO_NOBODY.items() for name in names],
)
async def test_fields_that_show_no_workflow_show_none(
    services: Services, owner: Actor, workflow: Workflow, operation: str, name: str
) -> None:
    assert SECRET not in await probe(asker(services, owner), operation, name, workflow.id)
