"""The application that a compose file describes, with everything that it includes and extends."""

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.domain.editing import Limits
from app.domain.errors import Invalid, LimitExceeded
from app.domain.importing.compose import dotenv
from app.domain.importing.compose.files import Files
from app.domain.importing.compose.interpolation import TooLong
from app.domain.importing.compose.merging import merge, merge_files
from app.domain.importing.compose.part import Part, Scope
from app.domain.importing.compose.report import Report
from app.domain.importing.secrecy import clean
from app.domain.importing.source import Dialect, documents

_MOST_FILES = 64
"""Files that may be included or extended, or give variables to those that are included.

One that is there several times is counted each time.
"""
_DEEPEST = 32
_SPARE = 4
"""Services of a file for each node that a workflow may have."""
_RESOURCES = ("services", "volumes", "configs", "secrets", "networks", "models")


@dataclass(slots=True)
class Project:
    """The parts of an application by kind and name, and the files that they come from."""

    report: Report
    files: Files
    resources: dict[str, dict[str, Part]] = field(default_factory=dict)
    roots: list[Part] = field(default_factory=list)
    name: str | None = None
    variables: dict[str, str] = field(default_factory=dict)
    """Those that were given, and the defaults of `.env`."""


def read_project(
    text: str, files: Mapping[str, str], variables: Mapping[str, str], limits: Limits
) -> Project:
    """Everything that the file describes. The variables win over those of the file `.env`.

    Raises Invalid when one of the texts is no compose file, LimitExceeded.
    """
    report = Report()
    project = Project(report, Files(files))
    given = {clean(name): clean(value) for name, value in variables.items()}
    scope = Scope(_with_defaults(given, project, (".env",)), "", report)
    project.variables = scope.variables
    reading = _Reading(project, limits)
    root = reading.file(text, (), scope, ("content",))
    name = root.get("name")
    project.name = given.get("COMPOSE_PROJECT_NAME") or (name.text() if name else None)
    if project.name:
        scope.variables.setdefault("COMPOSE_PROJECT_NAME", project.name)
    reading.take(root, project.resources, depth=0)
    if not project.resources.get("services"):
        raise Invalid.field(("content",), "There are no services: a compose file has at least one.")
    reading.extend()
    return project


def _with_defaults(
    given: dict[str, str], project: Project, paths: tuple[str, ...]
) -> dict[str, str]:
    """The variables, and those of `.env` files that nobody gave; these may have marks.

    The same ones when nothing is added. Raises Invalid.
    """
    variables = given
    for path in paths:
        found = project.files.find(path)
        if found is None:
            continue
        try:
            values = dotenv.parse(found[1], variables, project.report.count_text).values
        except TooLong as error:
            says = "Its variables make it longer than 1 MiB."
            raise Invalid.field(("files", path), says) from error
        variables = {**values, **variables}
        for name in variables:
            project.report.count_text(name)
    return variables


@dataclass(slots=True)
class _Reading:
    project: Project
    limits: Limits
    opened: int = 0
    documents: dict[tuple[str, ...], list[Any]] = field(default_factory=dict)
    """The documents of each file, which is parsed once."""
    including: list[str] = field(default_factory=list)
    extended: dict[str, Part | None] = field(default_factory=dict)
    planted: dict[str, Mapping[str, Part]] = field(default_factory=dict)
    scopes: dict[tuple[int, tuple[str, ...]], dict[str, str]] = field(default_factory=dict)
    """Variables by those around them and the files that add to them, each read once."""

    def file(self, text: str, path: tuple[str, ...], scope: Scope, source: tuple[str, ...]) -> Part:
        """The tree of a file; later documents of it go over earlier ones. Raises Invalid."""
        root: Part | None = None
        if source not in self.documents:
            self.documents[source] = documents(text, Dialect.COMPOSE, path=source)
        for document in self.documents[source]:
            if document is None:
                continue
            if not isinstance(document, dict):
                raise Invalid.field(source, "A compose file is a mapping: begin with 'services:'.")
            self._check_services(document)
            planted = Part.plant(document, path, scope)
            root = planted if root is None else merge_files(root, planted)
        if root is None:
            raise Invalid.field(source, "The file is empty: begin with 'services:'.")
        self.project.roots.append(root)
        root.is_read = True
        if (version := root.get("version")) is not None:
            version.done()
        return root

    def _check_services(self, document: dict[str, Any]) -> None:
        """Refuse what can be no workflow before it is copied; some may be left out by profiles."""
        services = document.get("services")
        if isinstance(services, dict) and len(services) > _SPARE * self.limits.nodes:
            says = (
                f"A workflow holds at most {self.limits.nodes} nodes: there are far more services."
            )
            raise LimitExceeded(says, limit=self.limits.nodes, path=("content",))

    def _open(self, part: Part, path: str, scope: Scope) -> tuple[str, Part] | None:
        """Another compose file, with its own folder; None with a note when it is not given."""
        found = self.project.files.find(path, part.scope.folder)
        if found is None:
            part.missing(f"The file {path[:128]} is not given: give its content with the files.")
            return None
        self._count_files(1)
        return found[0], self.file(found[1], part.path, scope, ("files", found[0]))

    def _count_files(self, number: int) -> None:
        self.opened += number
        if self.opened > _MOST_FILES:
            says = f"More than {_MOST_FILES} files are included or extended."
            raise Invalid.field(("content",), says)

    # ---------------------------------------------------------------------------------- including

    def take(self, root: Part, into: dict[str, dict[str, Part]], depth: int) -> None:
        """Adds what a file describes, and before it what it includes; the file's own goes over."""
        include = root.get("include")
        for part in include.items(single=True) if include is not None else ():
            self._include(part, into, depth)
        for kind in _RESOURCES:
            found = root.get(kind)
            for name, part in found.all_entries() if found is not None else ():
                under = into.setdefault(kind, {}).get(name)
                into[kind][name] = merge(under, part) if under is not None else part.copy()
            if found is not None:
                found.done()

    def _include(self, part: Part, into: dict[str, dict[str, Part]], depth: int) -> None:
        said = part.get("path") if isinstance(part.value, dict) else part
        paths = [(p, p.text()) for p in said.items(single=True)] if said is not None else []
        if not paths:
            part.missing("Name the file that is included.")
            return
        if depth >= _DEEPEST:
            says = f"More than {_DEEPEST} files include each other."
            raise Invalid.field(("content",), says)
        first = paths[0][1] or ""
        folder = posixpath.join(part.scope.folder, posixpath.dirname(first))
        if isinstance(part.value, dict) and (given := part.get("project_directory")) is not None:
            folder = posixpath.join(part.scope.folder, given.text() or "")
        scope = Scope(self._variables_of(part, folder), folder, self.project.report)
        roots: list[tuple[str, Part]] = []
        for place, path in paths:
            opened = self._open(place, path, scope) if path else None
            if opened is not None:
                roots.append(opened)
        if not roots:
            return
        normal = roots[0][0]
        if normal in self.including:
            says = f"{normal} includes itself: remove one of the includes."
            raise Invalid.field(("files", normal), says)
        self.including.append(normal)
        whole = roots[0][1]
        for _, root in roots[1:]:
            whole = merge_files(whole, root)
            root.done()
        if len(roots) > 1:
            roots[0][1].done()
            self.project.roots.append(whole)
            whole.is_read = True
        self.take(whole, into, depth + 1)
        self.including.pop()
        if (name := whole.get("name")) is not None:
            name.done()

    def _variables_of(self, part: Part, folder: str) -> dict[str, str]:
        said = part.get("env_file") if isinstance(part.value, dict) else None
        if said is None:
            paths = [posixpath.join(folder, ".env")]
        else:
            paths = []
            places = said.items(single=True)
            self._count_files(len(places))
            for place in places:
                path = place.text()
                if path is None:
                    continue
                found = self.project.files.find(path, part.scope.folder)
                if found is None:
                    says = f"The file {path[:128]} is not given: give its content with the files."
                    place.missing(says)
                else:
                    paths.append(found[0])
        around = part.scope.variables
        key = (id(around), tuple(dict.fromkeys(paths)))
        if key not in self.scopes:
            self.scopes[key] = _with_defaults(around, self.project, key[1])
        return self.scopes[key]

    # ---------------------------------------------------------------------------------- extending

    def extend(self) -> None:
        """Puts every service over the one that it extends."""
        services = self.project.resources["services"]
        for name in list(services):
            services[name] = self._extended(services, "", name, 0) or services[name]

    def _extended(
        self, services: Mapping[str, Part], file: str, name: str, depth: int
    ) -> Part | None:
        """A service with what it extends under it; None while it is being made."""
        key = f"{file}\x00{name}"
        if key not in self.extended:
            self.extended[key] = None
            self.extended[key] = self._extend(services, file, name, depth)
        return self.extended[key]

    def _extend(self, services: Mapping[str, Part], file: str, name: str, depth: int) -> Part:
        part = services[name]
        extends = part.get("extends") if isinstance(part.value, dict) else None
        base = self._base(extends, services, file, depth) if extends is not None else None
        if base is None:
            return part
        merged = merge(base, part)
        if (said := merged.get("extends")) is not None:
            said.get("service")
            said.get("file")
        return merged

    def _base(
        self, extends: Part, services: Mapping[str, Part], file: str, depth: int
    ) -> Part | None:
        """The service that is extended; None with a note when it cannot be had."""
        wanted = extends.get("service") if isinstance(extends.value, dict) else extends
        name = wanted.text() if wanted is not None else None
        if name is None:
            extends.missing("Name the service that is extended.")
            return None
        said = extends.get("file") if isinstance(extends.value, dict) else None
        if said is not None:
            path = said.text()
            opened = self._services_of(said, path) if path is not None else None
            if opened is None:
                return None
            file, services = opened
        if name not in services:
            extends.missing(f"There is no service {name[:64]} to extend.")
            return None
        if depth >= _DEEPEST:
            extends.ignored(f"More than {_DEEPEST} services extend each other: it is left out.")
            return None
        base = self._extended(services, file, name, depth + 1)
        if base is None:
            extends.ignored("The service extends itself: it is left out.")
        return base

    def _services_of(self, said: Part, path: str) -> tuple[str, Mapping[str, Part]] | None:
        """The services of another file, which is read once."""
        found = self.project.files.find(path, said.scope.folder)
        normal = found[0] if found is not None else ""
        if found is None or normal not in self.planted:
            folder = posixpath.dirname(normal)
            scope = Scope(said.scope.variables, folder, self.project.report)
            opened = self._open(said, path, scope)
            if opened is None:
                return None
            root = opened[1]
            section = root.section("services")
            self.planted[normal] = dict(section.all_entries()) if section is not None else {}
            root.done()
        return normal, self.planted[normal]
