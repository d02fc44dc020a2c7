"""The catalogue of plugins: which custom resources a plugin node can be, as data.

A category is a YAML file in this folder. A new plugin, or a new field, is a few lines there; the
facts in it (group, version, kind, plural, scope) are those of the operator's own definitions.
"""

from app.domain.plugins.catalogue import (
    FieldType,
    Plugin,
    PluginField,
    PluginType,
    Scope,
    find,
    plugins,
)
from app.domain.plugins.filling import Fault, body_of

__all__ = [
    "Fault",
    "FieldType",
    "Plugin",
    "PluginField",
    "PluginType",
    "Scope",
    "body_of",
    "find",
    "plugins",
]
