"""Plugin: a custom resource of an operator that the cluster has installed."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from app.domain.fields import DnsSubdomain, Line
from app.domain.manifest import Manifest
from app.domain.maps import Json
from app.domain.node import NodeData, NodeKind, NodeType, WorkflowNode
from app.domain.place import Place
from app.domain.text import Text

PluginId = Annotated[
    str,
    Text(
        "Write the plugin's id, such as certmanager: lower-case letters, digits and '-'.",
        63,
        r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?",
    ),
]


class PluginNodeData(NodeData):
    """A custom resource, with the fields that its plugin defines."""

    name: DnsSubdomain = Field(description="Name of the object.")
    plugin_id: PluginId = Field(description="The plugin, as `plugins` lists it.")
    plugin_category: Line | None = Field(default=None, description="The plugin's category.")
    display_name: Line | None = Field(
        default=None, description="What the node is called on the canvas."
    )
    fields: Json = Field(
        default_factory=dict,
        description="Values of the plugin's fields, by their id: any JSON, at most 20 levels and "
        "64 KiB.",
    )


class PluginNode(WorkflowNode):
    """A custom resource on the canvas."""

    type: NodeType = Field(default=NodeType("plugin"), description="The kind.")
    data: PluginNodeData = Field(description="What it is made of.")


def manifests(data: PluginNodeData, place: Place) -> Iterator[Manifest]:
    """The custom resource."""
    del data, place
    yield from ()


KIND = NodeKind(
    type=NodeType("plugin"),
    label="Plugin",
    description="A custom resource of an operator that the cluster has installed.",
    category="plugin",
    data=PluginNodeData,
    node=PluginNode,
    manifests=manifests,
    defaults={"fields": {}},
)
