"""What every node kind shares. The kinds themselves are the files of `app/domain/nodes/`.

A kind is one file: its name is the stored word for the kind (`deployment.py` is `"deployment"`),
and its `KIND` tells everything else. Nothing here changes when a kind is added.
"""

import enum
import pkgutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.fields import FieldInfo

from app.domain.fields import DnsSubdomain, Line, Namespace
from app.domain.health.verdict import HealthState
from app.domain.manifest import Manifest
from app.domain.maps import Annotations, Labels

if TYPE_CHECKING:
    from app.domain.place import Place

_KINDS = sorted(m.name for m in pkgutil.iter_modules([str(Path(__file__).with_name("nodes"))]))

NodeType = enum.StrEnum("NodeType", {name.upper(): name for name in _KINDS})  # type: ignore[misc]
NodeType.__doc__ = "The kind of a node; stored as the lower-case word."

DERIVED: dict[str, Any] = {"readOnly": True}
"""`json_schema_extra` of a field that edges supply on read: never an input, never stored."""

IRREGULAR_NAMES: dict[str, str] = {
    "except_": "except",
    "host_ipc": "hostIPC",
    "host_pid": "hostPID",
    "linked_pvcs": "linkedPVCs",
    "load_balancer_ip": "loadBalancerIP",
    "target_cpu_utilization": "targetCPUUtilization",
}
"""Python names whose public spelling is not simply camelCase: Kubernetes' own, or a keyword."""


def is_derived(field: FieldInfo) -> bool:
    """Whether edges supply the field, on read."""
    return field.json_schema_extra == DERIVED


class Value(BaseModel):
    """An immutable value with no unknown keys. An explicit null means "left out"."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _null_is_left_out(cls, data: Any) -> Any:
        if not isinstance(data, Mapping) or None not in data.values():
            return data
        fields = cls.model_fields
        return {
            key: value
            for key, value in data.items()
            if value is not None or key not in fields or fields[key].is_required()
        }

    def having(self, **update: Any) -> Self:
        """This value with other values, unchecked; the same object when they are its own.

        Every reading of a canvas makes thousands of these, and `model_copy` takes ten times longer.
        """
        own = self.__dict__
        for name, value in update.items():
            if own[name] is not value and own[name] != value:
                break
        else:
            return self
        made = self.__class__.__new__(self.__class__)
        object.__setattr__(made, "__dict__", {**own, **update})
        object.__setattr__(made, "__pydantic_fields_set__", self.model_fields_set | update.keys())
        object.__setattr__(made, "__pydantic_extra__", None)
        object.__setattr__(made, "__pydantic_private__", None)
        return made


class NodeData(Value):
    """What all kinds have in their `data`; each kind adds its own name rule and fields.

    A kind whose edges mean something overrides `anchor`, `wired` and `unwired`. They are pure.
    """

    one_edge: ClassVar[bool] = False
    """Whether only one edge may start at each anchor."""

    name: DnsSubdomain = Field(description="Name of the Kubernetes object.")
    namespace: Namespace | None = Field(
        default=None, description="Where the object goes; left out: the workflow's namespace."
    )
    labels: Labels | None = Field(
        default=None, description="Labels of the object, beside those that the server sets."
    )
    annotations: Annotations | None = Field(
        default=None, description="Annotations of the object; keys and values at most 256 KiB."
    )
    template_id: Line | None = Field(
        default=None, description="The template that the node was made from."
    )

    def anchor(self, handle: str | None) -> str:  # noqa: ARG002
        """The place where an edge with this source handle starts.

        Raises ValueError with a sentence when no edge can start there. A kind without such places
        takes every handle for the same: its handles only say how an edge is drawn.
        """
        return ""

    def wired(
        self,
        outgoing: Sequence["Link"],  # noqa: ARG002
        incoming: Sequence["Link"],  # noqa: ARG002
    ) -> Self:
        """This data with everything filled in that edges supply. Edges win over explicit copies."""
        return self

    def unwired(
        self,
        outgoing: Sequence["Link"],  # noqa: ARG002
        incoming: Sequence["Link"],  # noqa: ARG002
    ) -> Self:
        """This data without the copies of what edges supply: the form that is stored."""
        return self

    def out_label(self, link: "Link") -> str:  # noqa: ARG002
        """A few words that a picture shows on an edge from here, or nothing."""
        return ""

    def in_label(self, link: "Link") -> str:  # noqa: ARG002
        """The same for an edge that ends here and about which its source says nothing."""
        return ""

    @property
    def scales(self) -> tuple[str, str] | None:
        """The kind and name of the workload whose number of pods this one decides."""
        return None


class Position(Value):
    """Canvas coordinates in pixels; finite numbers."""

    x: float = Field(default=0, allow_inf_nan=False, ge=-1e9, le=1e9, description="Pixels right.")
    y: float = Field(default=0, allow_inf_nan=False, ge=-1e9, le=1e9, description="Pixels down.")


class NodeStatus(Value):
    """What a node's objects are doing on the cluster, as last seen; not part of the canvas."""

    node_id: str = Field(description="The node.")
    state: HealthState = Field(description="How its objects are doing.")
    reason: str | None = Field(
        default=None, description="One word for machines, such as `CrashLoopBackOff`."
    )
    message: str | None = Field(default=None, description="A sentence that says why.")
    ready_replicas: int | None = Field(
        default=None, description="Pods that are ready; null for kinds that count none."
    )
    desired_replicas: int | None = Field(
        default=None, description="Pods that there are to be; null for kinds that count none."
    )
    updated_at: datetime | None = Field(
        default=None, description="Since when it is known to be so."
    )


class WorkflowNode(Value):
    """A box on the canvas; it stands for one or more Kubernetes objects."""

    id: str = Field(description="Unique in the workflow; made by the server when left out.")
    type: NodeType = Field(description="The kind.")
    position: Position = Field(default_factory=Position, description="Where it is drawn.")
    if TYPE_CHECKING:
        data: NodeData
    status: NodeStatus | None = Field(
        default=None,
        json_schema_extra=DERIVED,
        description="Live status after a deploy; null when it was never deployed.",
    )


class Link(NamedTuple):
    """An edge as seen from one of its ends: the other end, and the anchor at its source."""

    edge: str
    anchor: str
    node_id: str
    type: NodeType
    data: NodeData


@dataclass(frozen=True, slots=True)
class Connection:
    """An edge that this kind may start: the target's kind, and what the edge means."""

    type: str
    meaning: str


_DataClass = type[NodeData]
_NodeClass = type[WorkflowNode]


@dataclass(frozen=True, slots=True)
class NodeKind:
    """A node kind, as its file declares it.

    `defaults` are what a palette puts into a new node's data, by Python field name; they need not
    be complete (a Deployment has no default image). `manifests` makes the objects of a node from
    its data with everything that edges supply; what cannot be made is left out.
    """

    type: NodeType
    label: str
    description: str
    category: str
    data: _DataClass
    node: _NodeClass
    manifests: Callable[[Any, "Place"], Iterable[Manifest]]
    defaults: Mapping[str, Any] = field(default_factory=dict)
    connects_to: tuple[Connection, ...] = ()
