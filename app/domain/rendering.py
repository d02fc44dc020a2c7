"""Manifests as text: YAML of many documents, or JSON of one list. Both go into `kubectl apply`.

A string that any reader of YAML could take for something else is quoted: the readers of Kubernetes
know more numbers (`1e3`, `0o17`) and more truths (`y`, `on`) than the writer used here.
"""

import enum
import json
import re
from collections.abc import Iterable
from typing import Any

import yaml

from app.domain.manifest import Manifest

try:
    from yaml import CSafeDumper as _Dumper
except ImportError:  # a build of PyYAML without libyaml
    from yaml import SafeDumper as _Dumper  # type: ignore[assignment]


class ManifestFormat(enum.StrEnum):
    """How manifests are written."""

    YAML = "yaml"
    JSON = "json"


_AMBIGUOUS = re.compile(
    r"[-+]?\.?[0-9][0-9a-fA-F_.:xob]*(?:[eE][-+]?[0-9]+)?|[yYnN]|[-+]?\.(?:inf|nan)|~",
    re.IGNORECASE,
)


class _ManifestDumper(_Dumper):
    """No anchors, texts of several lines as blocks, ambiguous ones in quotes."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


def _string(dumper: yaml.representer.SafeRepresenter, text: str) -> yaml.ScalarNode:
    style = None
    if "\n" in text:
        style = "|" if _is_block(text) else '"'
    elif _AMBIGUOUS.fullmatch(text):
        style = "'"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _is_block(text: str) -> bool:
    """Whether a block literal keeps the text as it is."""
    return (
        all(char == "\n" or char.isprintable() for char in text)
        and not text.startswith((" ", "\n"))
        and " \n" not in text
        and not text.endswith((" ", "\n\n"))
    )


_ManifestDumper.add_representer(str, _string)


def to_yaml(manifests: Iterable[Manifest]) -> str:
    """One document per object, each after a line `---`; empty when there is none."""
    return yaml.dump_all(
        [manifest.object for manifest in manifests],
        Dumper=_ManifestDumper,
        sort_keys=False,
        allow_unicode=True,
        explicit_start=True,
        default_flow_style=False,
        width=2**20,
    )


def to_json(manifests: Iterable[Manifest]) -> str:
    """A `v1` List with every object, indented by two."""
    items = [manifest.object for manifest in manifests]
    whole = {"apiVersion": "v1", "kind": "List", "items": items}
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def render(manifests: Iterable[Manifest], format_: ManifestFormat) -> str:
    """The manifests in a format."""
    return to_yaml(manifests) if format_ is ManifestFormat.YAML else to_json(manifests)
