"""What a node becomes: objects for the API server, as plain dictionaries, in an order of waves."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Identity = tuple[str, str, str, str]
"""Kind, group, namespace (empty for the whole cluster) and name."""


class Wave(enum.IntEnum):
    """When an object is applied: all of a wave before any of the next."""

    PREREQUISITES = 0
    """Configuration, secrets, claims."""
    SERVICES = 1
    WORKLOADS = 2
    ROUTES = 3
    """Ingresses, autoscalers, policies."""
    CUSTOM_RESOURCES = 4
    """Their definitions are installed on the cluster."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """An object as it is applied.

    `keys` names the values that a Secret gets at deploy time. The object itself has no data, so
    that no value is ever part of a manifest, a version or a comparison.
    """

    node_id: str
    object: dict[str, Any]
    wave: int
    keys: tuple[str, ...] = ()

    @property
    def api_version(self) -> str:
        value: str = self.object["apiVersion"]
        return value

    @property
    def kind(self) -> str:
        value: str = self.object["kind"]
        return value

    @property
    def name(self) -> str:
        value: str = self.object["metadata"]["name"]
        return value

    @property
    def namespace(self) -> str | None:
        """None for an object of the whole cluster."""
        value: str | None = self.object["metadata"].get("namespace")
        return value

    @property
    def identity(self) -> Identity:
        """What no two objects of a cluster share."""
        metadata = self.object["metadata"]
        return (
            self.object["kind"],
            self.object["apiVersion"].rpartition("/")[0],
            metadata.get("namespace", ""),
            metadata["name"],
        )


def given(fields: Mapping[str, Any]) -> dict[str, Any]:
    """What is said of the fields: None is left out; zero, false and empty texts are kept."""
    return {
        # The property `value` takes longer than all the rest of this.
        name: value._value_ if isinstance(value, enum.Enum) else value
        for name, value in fields.items()
        if value is not None
    }
