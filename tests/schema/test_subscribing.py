"""What is asked of an event: the same for all whose answers are the same."""

from contextlib import aclosing
from typing import Any

import pytest
from strawberry.types import ExecutionResult

from app.domain.user import Actor
from app.domain.workflow import Workflow
from app.services import Services
from app.services.workflows import WorkflowDraft
from schema.subscribing import Subscription
from tests.asking import BUILT, asker

WATCH = """subscription W($id: ID!, $after: Int, $names: Boolean = false) {
  workflowChanged(workflowId: $id, after: $after) { __typename ... on StreamEvent { seq }
    ... on WorkflowEdited { workflow { name @include(if: $names) } } } }"""
SPREAD = """fragment Root on Subscription { workflowChanged(workflowId: $id, after: $after) {
  ... on StreamEvent { seq } ...Edited } }
fragment Edited on WorkflowEdited { workflow { name @include(if: $names) } }
subscription ($id: ID!, $after: Int, $names: Boolean = false) { ...Root }"""


@pytest.fixture
async def workflow(services: Services, owner: Actor) -> Workflow:
    return await services.workflows.create(owner, WorkflowDraft(name="Shop"))


class Asked:
    """Begins subscriptions as the owner."""

    def __init__(self, services: Services, owner: Actor, workflow: Workflow) -> None:
        self.context = asker(services, owner).context
        self._workflow = workflow

    async def begin(self, document: str = WATCH, **variables: Any) -> Subscription:
        begun = await BUILT.begin(
            document,
            variables={"id": self._workflow.id, **variables},
            context=self.context(),
            operation_name=None,
        )
        assert isinstance(begun, Subscription), begun
        return begun

    async def question(self, document: str = WATCH, **variables: Any) -> object:
        return (await self.begin(document, **variables)).question()


@pytest.fixture
def asked(services: Services, owner: Actor, workflow: Workflow) -> Asked:
    return Asked(services, owner, workflow)


@pytest.mark.parametrize("document", [WATCH, SPREAD])
async def test_where_a_subscriber_begins_is_no_part_of_the_question(
    asked: Asked, document: str
) -> None:
    assert await asked.question(document, after=3) == await asked.question(document)


@pytest.mark.parametrize("document", [WATCH, SPREAD])
async def test_what_a_subscriber_wants_to_see_is(asked: Asked, document: str) -> None:
    plain, named = [await asked.question(document, names=names) for names in (False, True)]
    assert plain != named


async def test_another_document_is_another_question(asked: Asked) -> None:
    assert await asked.question(WATCH) != await asked.question(SPREAD)


@pytest.mark.parametrize("document", [WATCH, SPREAD])
async def test_the_field_is_found_through_fragments(asked: Asked, document: str) -> None:
    assert (await asked.begin(document)).field == "workflowChanged"


async def test_a_variable_that_does_not_fit_is_refused(asked: Asked) -> None:
    begun = await BUILT.begin(
        WATCH, variables={"id": "x", "after": "y"}, context=asked.context(), operation_name=None
    )
    assert isinstance(begun, ExecutionResult)
    (error,) = begun.errors or []
    assert (error.extensions or {})["code"] == "BAD_USER_INPUT"


async def test_an_event_is_executed_as_whoever_asks(
    asked: Asked, services: Services, stranger: Actor
) -> None:
    document = """subscription ($id: ID!) { workflowChanged(workflowId: $id) {
      ... on WorkflowSnapshot { workflow { viewerCan { edit { allowed } } } } } }"""
    begun = await asked.begin(document)
    async with aclosing(begun.source) as events:
        event = await anext(events)
        seen = []
        for ask in (asked.context(), asker(services, stranger).context()):
            result = await begun.execute(event, ask)
            assert result.data is not None
            workflow = result.data["workflowChanged"]["workflow"]
            seen.append(workflow["viewerCan"]["edit"]["allowed"])
    assert seen == [True, False]
