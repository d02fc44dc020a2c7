"""A compose file as a canvas: read all, name all, then draw."""

from collections.abc import Callable, Collection, Mapping

from app.domain.editing import Limits
from app.domain.errors import LimitExceeded
from app.domain.importing.compose import exposure, reasons
from app.domain.importing.compose.board import Board
from app.domain.importing.compose.calling import call
from app.domain.importing.compose.contents import Contents
from app.domain.importing.compose.kinds import choose_kind
from app.domain.importing.compose.part import Part
from app.domain.importing.compose.project import Project, read_project
from app.domain.importing.compose.service import COMPLETED, Service, read_service
from app.domain.importing.compose.storage import Storage
from app.domain.importing.compose.workload import put_workload
from app.domain.importing.imported import ImportCode, Imported


def read_compose(
    text: str,
    *,
    files: Mapping[str, str] | None = None,
    variables: Mapping[str, str] | None = None,
    profiles: Collection[str] = (),
    limits: Limits,
    new_id: Callable[[str], str],
) -> Imported:
    """The canvas of a compose file, and a note for every part of it that is not as it was.

    `files` are the contents of the files that it names, by the paths it writes: of `env_file`,
    `configs`, `secrets`, `include`, `extends` and mounted files; `.env` gives defaults for
    `variables`. Services of other `profiles` than these are left out, `*` chooses all. The paths of
    notes lead from the top of the file; what comes from another file has the path of the key that
    names it in front. Raises Invalid for a text that is no compose file, LimitExceeded.
    """
    project = read_project(text, files or {}, variables or {}, limits)
    board = Board(new_id, limits)
    services = _read_services(project, set(profiles), board, limits)
    _check_references(project, services)
    storage = Storage(board, project.resources.get("volumes", {}), list(services.values()))
    waited_for = {
        name
        for service in services.values()
        for name, (condition, _) in service.waits_for.items()
        if condition.removesuffix("?") == COMPLETED
    }
    for service in services.values():
        choose_kind(service, is_waited_for=service.name in waited_for, is_shared=storage.is_shared)
    _draw(project, services, board, storage)
    _note_the_rest(project, services)
    canvas = board.canvas()
    return Imported(canvas, project.report.notes(canvas.nodes), name=project.name)


def _read_services(
    project: Project, profiles: set[str], board: Board, limits: Limits
) -> dict[str, Service]:
    """The services of the chosen profiles that run a container, by name."""
    chosen = profiles | {p for p in project.variables.get("COMPOSE_PROFILES", "").split(",") if p}
    services: dict[str, Service] = {}
    for name, part in project.resources["services"].items():
        if not _is_chosen(part, chosen):
            continue
        if len(services) >= limits.nodes:
            says = f"A workflow holds at most {limits.nodes} nodes, and there are more services."
            raise LimitExceeded(says, limit=limits.nodes, path=("content",))
        id_ = board.new_id()
        part.belongs_to(id_)
        services[name] = read_service(name, id_, part, project.files)
    return services


def _is_chosen(part: Part, profiles: set[str]) -> bool:
    """Whether a service is drawn; a note says why not."""
    part.is_read = True
    if not isinstance(part.value, dict):
        part.unsupported("Write a mapping with an image: it is left out.")
        return False
    said = part.get("profiles")
    listed = [p.text() or "" for p in said.items(single=True)] if said is not None else []
    if listed and "*" not in profiles and not profiles & set(listed):
        names = ", ".join(profile[:64] for profile in listed[:10])
        part.ignored(f"It is left out with its profiles: choose one of {names} to have it.")
        return False
    if part.get("image") is None and part.get("build") is None:
        what = "is not a container" if part.get("provider") else "has no image"
        part.unsupported(f"It {what}, so no node can stand for it: it is left out.")
        return False
    return True


def _check_references(project: Project, services: Mapping[str, Service]) -> None:
    """What a service waits for, links to or is connected with is there."""
    everything = project.resources["services"]
    networks = {"default", *project.resources.get("networks", {})}
    for service in services.values():
        wanted = dict(service.waits_for)
        wanted.update((other, ("", part)) for other, part in service.links.values())
        for name, (condition, part) in wanted.items():
            if name in services or condition.endswith("?"):
                continue
            what = "is left out" if name in everything else "does not exist"
            part.missing(f"The service {name[:64]} {what}.")
        said = service.part.get("networks")
        for name, _, part in said.names() if said is not None else ():
            if name not in networks:
                part.missing(f"There is no network {name[:64]}: name it below 'networks'.")
        for alias, (other, part) in service.links.items():
            if other in services and alias != other:
                services[other].aliases.setdefault(alias, part)


def _draw(
    project: Project, services: Mapping[str, Service], board: Board, storage: Storage
) -> None:
    called = call(services)
    contents = Contents(board, project.files, project.resources)
    for service in services.values():
        its = called[service.name]
        exposure.complete_ports(service, its.reached)
        put_workload(service, board, storage, contents, project.name or "")
        exposure.put_services(service, its.names, board, is_reached=its.is_reached)


def _note_the_rest(project: Project, services: Mapping[str, Service]) -> None:
    """A note for everything that nobody asked for."""
    for service in services.values():
        for keys, part in service.part.unread():
            part.note(ImportCode.IGNORED, reasons.of_service(keys))
    for kind, resources in project.resources.items():
        for resource in resources.values() if kind != "services" else ():
            for keys, part in resource.unread():
                part.note(ImportCode.IGNORED, reasons.of_resource(kind, keys))
    for root in project.roots:
        for _, part in root.unread():
            part.note(ImportCode.IGNORED, reasons.GENERAL)
