"""Compose files, after the specification that the reference tools follow.

`read_compose` is the whole of it. A file is read into parts that remember whether anybody asked for
them (`part`), put together with what it includes and extends (`project`), read service by service
(`service`), and drawn (`workload`, `exposure`, `storage`, `contents`).
"""

from app.domain.importing.compose.reading import read_compose

__all__ = ["read_compose"]
