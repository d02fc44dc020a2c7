"""The files that come with a compose file, by the paths that it writes."""

import posixpath
from collections.abc import Callable, Iterator, Mapping

from app.domain.importing.compose.dotenv import EnvFile, parse, raw


class Files:
    """Contents by path. `./a`, `a` and `b/../a` are one path."""

    def __init__(self, contents: Mapping[str, str]) -> None:
        self._parsed: dict[tuple[str, str, int], EnvFile] = {}
        self._contents = {posixpath.normpath(path): text for path, text in contents.items()}

    def find(self, path: str, folder: str = "") -> tuple[str, str] | None:
        """The normal path and the content; relative to a folder first, then as it is written."""
        for wanted in (posixpath.join(folder, path), path):
            normal = posixpath.normpath(wanted)
            if normal in self._contents:
                return normal, self._contents[normal]
        return None

    def variables(
        self,
        path: str,
        form: str | None,
        around: dict[str, str],
        count: Callable[[str], object],
    ) -> EnvFile:
        """The variables in a file that is there, read once; see `dotenv.parse`. Raises TooLong."""
        key = (path, form or "", id(around))
        if key not in self._parsed:
            text = self._contents[path]
            self._parsed[key] = raw(text) if form == "raw" else parse(text, around, count)
        return self._parsed[key]

    def below(self, path: str, folder: str = "") -> dict[str, str]:
        """The files in a folder, by their paths from there on."""
        for wanted in (posixpath.join(folder, path), path):
            prefix = posixpath.normpath(wanted) + "/"
            found = dict(self._below("" if prefix == "./" else prefix))
            if found:
                return found
        return {}

    def _below(self, prefix: str) -> Iterator[tuple[str, str]]:
        for path, text in self._contents.items():
            if path.startswith(prefix):
                yield path[len(prefix) :], text
