"""Secret: the names of secret values. The values themselves go straight to the cluster."""

import enum
from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator, Field

from app.domain.fields import DataKey, DnsSubdomain, EntryId, Flag, MountPath
from app.domain.lists import identified, unique
from app.domain.manifest import Manifest, Wave, given
from app.domain.node import Connection, NodeData, NodeKind, NodeType, Value, WorkflowNode
from app.domain.place import Place

_MEANING = "The workload sees the secret values, as files or as environment variables."


class SecretType(enum.StrEnum):
    """What a Secret is for; the cluster requires certain keys of TLS and DOCKERCONFIGJSON."""

    OPAQUE = "Opaque"
    TLS = "kubernetes.io/tls"
    DOCKERCONFIGJSON = "kubernetes.io/dockerconfigjson"

    @property
    def required_keys(self) -> tuple[str, ...]:
        if self is SecretType.TLS:
            return ("tls.crt", "tls.key")
        return (".dockerconfigjson",) if self is SecretType.DOCKERCONFIGJSON else ()


class SecretKeyEntry(Value):
    """The name of one secret value."""

    id: EntryId = Field(default="", description="Unique in the list; the name when left out.")
    name: DataKey = Field(description="Key in the Secret; a file name when mounted.")


class SecretNodeData(NodeData):
    """The names of secret values; the values are given at deploy time and never stored here."""

    name: DnsSubdomain = Field(description="Name of the Secret.")
    secret_type: SecretType = Field(default=SecretType.OPAQUE, description="What it is for.")
    keys: Annotated[
        list[SecretKeyEntry],
        AfterValidator(identified("key", "name")),
        AfterValidator(unique("name")),
    ] = Field(
        default_factory=list,
        max_length=256,
        examples=[[{"name": "password"}]],
        description="Names of the values, without values.",
    )
    immutable: Flag = Field(
        default=False, description="The cluster refuses every later change of the values."
    )
    mount_path: MountPath | None = Field(
        default=None, description="Where workloads see the files; left out: `/etc/secrets`."
    )


class SecretNode(WorkflowNode):
    """A Secret on the canvas."""

    type: NodeType = Field(default=NodeType("secret"), description="The kind.")
    data: SecretNodeData = Field(description="What it is made of.")


def manifests(data: SecretNodeData, place: Place) -> Iterator[Manifest]:
    """The Secret's frame, without values: those are given at deploy time."""
    body = {"type": data.secret_type, "immutable": data.immutable or None}
    yield place.manifest(
        "v1",
        "Secret",
        given(body),
        wave=Wave.PREREQUISITES,
        keys=[entry.name for entry in data.keys],
    )


KIND = NodeKind(
    type=NodeType("secret"),
    label="Secret",
    description="Passwords, keys and certificates. Only their names are kept here.",
    category="configuration",
    data=SecretNodeData,
    node=SecretNode,
    manifests=manifests,
    defaults={"secret_type": SecretType.OPAQUE, "keys": [], "mount_path": "/etc/secrets"},
    connects_to=tuple(
        Connection(kind, _MEANING)
        for kind in ("deployment", "statefulset", "job", "cronjob", "daemonset")
    ),
)
