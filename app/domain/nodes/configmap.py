"""ConfigMap: settings that workloads see as files or as environment variables."""

import base64
import binascii
from collections.abc import Iterator
from typing import Self

from pydantic import Field, model_validator

from app.domain.fields import DnsSubdomain, Flag, MountPath
from app.domain.manifest import Manifest, Wave, given
from app.domain.maps import ConfigData
from app.domain.node import Connection, NodeData, NodeKind, NodeType, WorkflowNode
from app.domain.place import Place
from app.domain.text import Loc, refuse_at

_MEANING = "The workload sees the settings, as files or as environment variables."
_LIMIT = 1024 * 1024


class ConfigMapNodeData(NodeData):
    """Settings as key-value pairs. They are stored, so they are no place for passwords."""

    name: DnsSubdomain = Field(description="Name of the ConfigMap.")
    data: ConfigData = Field(
        default_factory=dict,
        examples=[{"LOG_LEVEL": "info"}],
        description="Texts by key; a key is a file name when mounted. At most 1 MiB in all.",
    )
    binary_data: ConfigData | None = Field(
        default=None, description="Bytes by key, in base64; no key of `data`."
    )
    immutable: Flag = Field(
        default=False, description="The cluster refuses every later change of the values."
    )
    mount_path: MountPath | None = Field(
        default=None, description="Where workloads see the files; left out: `/etc/config`."
    )

    @model_validator(mode="after")
    def _binary_data_fits(self) -> Self:
        faults: list[tuple[Loc, str]] = []
        size = sum(len(k.encode()) + len(v.encode()) for k, v in self.data.items())
        for key, text in (self.binary_data or {}).items():
            try:
                size += len(base64.b64decode(text, validate=True)) + len(key)
            except (binascii.Error, ValueError):
                faults.append((("binary_data", key), "Write the bytes in base64."))
            if key in self.data:
                faults.append((("binary_data", key), "This key is in data too: keep one of them."))
        refuse_at(faults)
        if size > _LIMIT:
            refuse_at([(("binary_data",), "With data, keys and values are at most 1 MiB.")])
        return self


class ConfigMapNode(WorkflowNode):
    """A ConfigMap on the canvas."""

    type: NodeType = Field(default=NodeType("configmap"), description="The kind.")
    data: ConfigMapNodeData = Field(description="What it is made of.")


def manifests(data: ConfigMapNodeData, place: Place) -> Iterator[Manifest]:
    """The ConfigMap."""
    body = {
        "data": dict(data.data) or None,
        "binaryData": dict(data.binary_data) if data.binary_data else None,
        "immutable": data.immutable or None,
    }
    yield place.manifest("v1", "ConfigMap", given(body), wave=Wave.PREREQUISITES)


KIND = NodeKind(
    type=NodeType("configmap"),
    label="ConfigMap",
    description="Settings that workloads see as files or as environment variables.",
    category="configuration",
    data=ConfigMapNodeData,
    node=ConfigMapNode,
    manifests=manifests,
    defaults={"data": {}, "mount_path": "/etc/config"},
    connects_to=tuple(
        Connection(kind, _MEANING)
        for kind in ("deployment", "statefulset", "job", "cronjob", "daemonset")
    ),
)
