"""A closer look at what is deployed: how far it has drifted, what is wrong, pods and their logs."""

from datetime import datetime

import strawberry

from app.domain.comparing import FieldChange
from app.domain.drift import DriftedObject, DriftState
from app.domain.health import HealthState
from app.domain.inspecting import Check, CheckOutcome, ContainerSeen
from schema.pricing import Cost
from schema.workflow.versions import FieldChangeType

strawberry.enum(DriftState, description=DriftState.__doc__)
strawberry.enum(CheckOutcome, description=CheckOutcome.__doc__)


@strawberry.type(name="DriftedObject", description="One deployed object, as it was found.")
class DriftedObjectType:
    node_id: str | None
    kind: str
    namespace: str | None = strawberry.field(description="Null for an object of the whole cluster.")
    name: str
    state: DriftState
    message: str | None = strawberry.field(description="What there is to say of it.")
    changes: list[FieldChange] = strawberry.field(
        graphql_type=list[FieldChangeType],
        directives=[Cost(length=3)],
        description="From what is there to what was deployed.",
    )


@strawberry.type(
    name="Drift", description="How far what is on the cluster has moved from what was deployed."
)
class DriftType:
    checked_at: datetime
    has_drifted: bool = strawberry.field(description="Whether anything is modified or missing.")
    objects: list[DriftedObject] = strawberry.field(
        graphql_type=list[DriftedObjectType],
        directives=[Cost(length=100)],
        description="All that is deployed.",
    )


@strawberry.type(name="DiagnosticCheck", description="One question that was asked of the cluster.")
class CheckType:
    name: str = strawberry.field(description="Which question, such as `endpoints`.")
    outcome: CheckOutcome
    message: str = strawberry.field(description="What came of it, in a sentence.")
    suggestion: str | None = strawberry.field(description="What to do, if anything.")


@strawberry.type(name="Diagnosis", description="What is wrong with a node, if anything.")
class DiagnosisType:
    node_id: str
    state: HealthState
    message: str = strawberry.field(description="The whole of it, in a sentence.")
    checks: list[Check] = strawberry.field(
        graphql_type=list[CheckType],
        directives=[Cost(length=20)],
        description="The worst first.",
    )
    checked_at: datetime


@strawberry.type(name="PodContainer", description="A container of a pod.")
class ContainerType:
    name: str
    image: str
    state: str = strawberry.field(description="`running`, `waiting` or `terminated`.")
    reason: str | None = strawberry.field(description="Such as `CrashLoopBackOff`.")
    message: str | None
    ready: bool
    restarts: int
    is_init: bool = strawberry.field(description="Whether it runs before the others.")


@strawberry.type(name="Pod", description="A pod of a node.")
class PodType:
    name: str
    namespace: str
    phase: str = strawberry.field(description="In Kubernetes' words, such as `Running`.")
    ready: bool
    restarts: int = strawberry.field(description="Of all of its containers together.")
    node: str | None = strawberry.field(description="The machine that it runs on.")
    ip: str | None
    created_at: datetime | None
    message: str | None = strawberry.field(description="Why it is not ready.")
    containers: list[ContainerSeen] = strawberry.field(
        graphql_type=list[ContainerType], directives=[Cost(length=3)]
    )


@strawberry.type(name="LogLine", description="A line that a container wrote.")
class LogLineType:
    pod: str
    container: str
    at: datetime | None = strawberry.field(description="When, by the clock of its machine.")
    text: str
