"""What is handed in to plan and to deploy, each field with its limits, written once."""

from collections.abc import Sequence
from typing import Annotated, Any

import strawberry
from pydantic import BaseModel, BeforeValidator, Field

from app.domain.deploying import DeployDraft, Values
from app.domain.errors import FieldProblem, Invalid
from app.domain.fields import DnsSubdomain, ElementId, Namespace
from app.domain.ids import Id
from app.domain.manifest import Identity
from app.domain.maps import ConfigData, Environment
from app.domain.planning import Consents
from app.domain.run import RunKind
from app.domain.text import Text
from schema.cluster.inputs import SecretInput
from schema.workflow.inputs import RunMessage, WorkflowId

MOST = 1_000
"""Nodes that values are given for, and objects that something is agreed to for, at once."""

_Kind = Annotated[
    str, Text("Write a kind as Kubernetes does, such as Deployment.", 63, r"[A-Za-z][A-Za-z0-9]*")
]
_Group = Annotated[
    str,
    Text(
        "Write an API group such as apps or networking.k8s.io; nothing for the core one.",
        253,
        r"(?:[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?)?",
        minimum=0,
    ),
]
IdempotencyKey = Annotated[
    str, Text("Write 1 to 128 letters, digits, signs and spaces, in ASCII.", 128, r"[ -~]+")
]
VersionNumber = Annotated[int, Field(ge=1, le=2**31 - 1)]

Target = Namespace | None
TARGET_SAYS = "Where nodes without a namespace go. Left out: the workflow's."


def _nothing_if_null(value: Any) -> Any:
    return [] if value is None else value


_Listed = BeforeValidator(_nothing_if_null)


@strawberry.pydantic.input(description="One object of a cluster.")
class ObjectInput(BaseModel):
    kind: _Kind
    group: _Group = Field(default="", description="The API group; nothing for the core one.")
    namespace: Namespace | None = Field(
        default=None, description="Left out: an object of the whole cluster."
    )
    name: DnsSubdomain

    def identity(self) -> Identity:
        return (self.kind, self.group, self.namespace or "", self.name)


@strawberry.pydantic.input(
    description="Values of a Secret node. Keys that are given change, the others stay."
)
class SecretValuesInput(SecretInput):
    node_id: ElementId
    values: ConfigData = Field(
        repr=False,
        description="By key, as text. They go to the cluster, and are kept nowhere else.",
    )


@strawberry.pydantic.input(
    description="Values for the `envKeys` of a workload. Those that are given change, the others "
    "stay."
)
class EnvValuesInput(SecretInput):
    node_id: ElementId
    values: Environment = Field(
        repr=False,
        description="By variable, as text. They go to the cluster, and are kept nowhere else.",
    )


class OnCluster(SecretInput):
    """Which workflow, and where."""

    workflow_id: WorkflowId
    cluster_id: Id | None = Field(default=None, description="Left out: the workflow's.")


class RunOrder(OnCluster):
    """What every run is asked for with."""

    plan_id: Id | None = Field(
        default=None,
        description="Do exactly this plan, or nothing: a Conflict tells what has moved since.",
    )
    message: RunMessage | None = Field(
        default=None, description="What the run is for; shown with it. At most 2,000 characters."
    )
    idempotency_key: IdempotencyKey | None = Field(
        default=None,
        description="Sent again with the same input, it answers the same run.",
    )


class Consenting(BaseModel):
    """What the caller agrees to, of objects that are on the cluster."""

    adopt: Annotated[list[ObjectInput], _Listed] = Field(
        default_factory=list,
        max_length=MOST,
        description="Objects of somebody else's that become this workflow's.",
    )
    take_over: Annotated[list[ObjectInput], _Listed] = Field(
        default_factory=list,
        max_length=MOST,
        description="Objects of which fields may be set that somebody else has set.",
    )
    replace: Annotated[list[ObjectInput], _Listed] = Field(
        default_factory=list,
        max_length=MOST,
        description="Objects that may be deleted and made anew where a field cannot change. Who "
        "deploys a plan agrees to those that it replaces.",
    )
    delete_data: bool = Field(
        default=False, description="Whether volume claims and what is in them may be deleted."
    )

    def consents(self) -> Consents:
        return Consents(
            adopt=_identities(self.adopt),
            take_over=_identities(self.take_over),
            replace=_identities(self.replace),
            delete_data=self.delete_data,
        )


class DeployOrder(Consenting, RunOrder):
    """What a deploy and a rollback are asked for with: secret values may come along."""

    namespace: Target = Field(default=None, description=TARGET_SAYS)
    secret_values: Annotated[list[SecretValuesInput], _Listed] = Field(
        default_factory=list, max_length=MOST, repr=False, description="Of Secret nodes."
    )
    env_values: Annotated[list[EnvValuesInput], _Listed] = Field(
        default_factory=list, max_length=MOST, repr=False, description="Of workloads' `envKeys`."
    )

    def values(self) -> Values:
        """The values by node and key. Raises Invalid where one is given twice."""
        merged: dict[str, dict[str, str]] = {}
        twice: list[FieldProblem] = []
        given: tuple[tuple[str, Sequence[SecretValuesInput | EnvValuesInput]], ...] = (
            ("secretValues", self.secret_values),
            ("envValues", self.env_values),
        )
        for name, entries in given:
            for number, entry in enumerate(entries):
                node = merged.setdefault(entry.node_id, {})
                twice += (
                    FieldProblem(
                        (name, str(number), "values", key),
                        "There is a value for it already: send one.",
                        "DUPLICATE",
                    )
                    for key in entry.values
                    if key in node
                )
                node.update(entry.values)
        if twice:
            raise Invalid(twice[:100])
        return merged

    def draft(self, kind: RunKind, version: int | None = None) -> DeployDraft:
        """What is to be done. Raises Invalid."""
        return DeployDraft(
            workflow_id=self.workflow_id,
            kind=kind,
            plan_id=self.plan_id,
            cluster_id=self.cluster_id,
            namespace=self.namespace,
            version=version,
            message=self.message,
            idempotency_key=self.idempotency_key,
            values=self.values(),
            consents=self.consents(),
        )


def _identities(objects: Sequence[ObjectInput]) -> frozenset[Identity]:
    return frozenset(one.identity() for one in objects)


RunId = Annotated[Id, Field(description="The run.")]
