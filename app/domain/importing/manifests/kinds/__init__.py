"""How objects of each kind are read: one file each, called as the kind of the node.

The inverse of the node kind's `manifests`. An object whose kind no file here reads is reported.
"""

import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module

from app.domain.importing.manifests.reader import Reader
from app.domain.node import NodeType


@cache
def readers() -> Mapping[tuple[str, str], tuple[NodeType, Reader]]:
    """The kind of node and its reader, by the group and the kind of an object."""
    found: dict[tuple[str, str], tuple[NodeType, Reader]] = {}
    for module in pkgutil.iter_modules(__path__):
        reader: Reader = import_module(f"{__name__}.{module.name}").READER
        for key in reader.objects:
            found[key] = (NodeType(module.name), reader)
    return found
