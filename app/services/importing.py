"""What people already have, read as workflows."""

import asyncio
from collections.abc import Callable, Collection, Mapping

from app.domain.editing import Limits
from app.domain.importing.compose import read_compose
from app.domain.importing.imported import Imported
from app.domain.importing.manifests import read_manifests
from app.services.workflows import canvas_id

_AT_ONCE = 2
"""Sources that are read at once: each takes a processor for up to a second or two."""


class Importing:
    """Reads sources. Nothing is stored: what comes of it goes to `Workflows.create`."""

    def __init__(self, *, limits: Limits) -> None:
        self._limits = limits
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def manifests(self, content: str) -> Imported:
        """The canvas of Kubernetes manifests. Raises Invalid, LimitExceeded."""
        return await self._read(
            lambda: read_manifests(content, limits=self._limits, new_id=canvas_id)
        )

    async def compose(
        self,
        content: str,
        *,
        files: Mapping[str, str],
        variables: Mapping[str, str],
        profiles: Collection[str],
    ) -> Imported:
        """The canvas of a compose file. `files` are those it names, by the path it names them by.

        Raises Invalid, LimitExceeded.
        """
        return await self._read(
            lambda: read_compose(
                content,
                files=files,
                variables=variables,
                profiles=profiles,
                limits=self._limits,
                new_id=canvas_id,
            )
        )

    async def _read(self, read: Callable[[], Imported]) -> Imported:
        async with self._turns:
            return await asyncio.to_thread(read)
