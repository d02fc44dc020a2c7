"""A service as it is read, before anything is drawn."""

from dataclasses import dataclass, field

from app.domain.importing.compose.commands import Words, read_command
from app.domain.importing.compose.environment import Environment, read_environment
from app.domain.importing.compose.files import Files
from app.domain.importing.compose.part import Part
from app.domain.importing.compose.ports import PublishedPort, read_ports
from app.domain.importing.compose.rollout import read_replicas
from app.domain.importing.compose.volumes import Mount, read_mounts

COMPLETED = "service_completed_successfully"


@dataclass(slots=True, eq=False)
class Service:
    """What a service says about itself; `id` is that of its workload's node."""

    name: str
    id: str
    part: Part
    label: str = ""
    """What its Service is called, and its host."""
    workload: str = ""
    """What its workload is called, which may have to be shorter."""
    kind: str = "deployment"
    image: str = ""
    deploy: Part | None = None
    replicas: int | None = None
    ports: list[PublishedPort] = field(default_factory=list)
    environment: Environment = field(default_factory=Environment)
    entrypoint: Words | None = None
    command: Words | None = None
    mounts: list[Mount] = field(default_factory=list)
    aliases: dict[str, Part] = field(default_factory=dict)
    """Other host names that lead to it, because somebody says so."""
    own_names: dict[str, Part] = field(default_factory=dict)
    """`container_name` and `hostname`: host names too, of which few know."""
    waits_for: dict[str, tuple[str, Part]] = field(default_factory=dict)
    """The services that start before it, each with the condition."""
    links: dict[str, tuple[str, Part]] = field(default_factory=dict)
    """Names by which this service knows others, each with the other's name."""
    has_check: bool = False

    @property
    def pods(self) -> int:
        return 1 if self.replicas is None else self.replicas


def read_service(name: str, id_: str, part: Part, files: Files) -> Service:
    """Everything that other services have to know, and what is read in one go."""
    service = Service(name, id_, part)
    image = part.get("image")
    service.image = (image.text() if image is not None else None) or ""
    service.deploy = part.section("deploy")
    service.replicas = read_replicas(part, service.deploy)
    service.ports = read_ports(part)
    service.environment = read_environment(part, files)
    service.entrypoint = read_command(part, "entrypoint")
    service.command = read_command(part, "command")
    service.mounts = read_mounts(part)
    check = part.get("healthcheck")
    service.has_check = check is not None and isinstance(check.value, dict)
    _read_names(service)
    _read_order(service)
    return service


def _read_names(service: Service) -> None:
    for key in ("container_name", "hostname"):
        part = service.part.get(key)
        text = part.text() if part is not None else None
        if part is not None and text and text != service.name:
            service.own_names[text] = part
    networks = service.part.get("networks")
    for _, settings, _ in networks.names() if networks is not None else ():
        aliases = None
        if settings is not None and settings.mapping() is not None:
            aliases = settings.get("aliases")
        for part in aliases.items() if aliases is not None else ():
            if (alias := part.text()) and alias != service.name:
                service.aliases.setdefault(alias, part)
    links = service.part.get("links")
    for part in links.items() if links is not None else ():
        other, _, alias = (part.text() or "").partition(":")
        if other:
            service.links[alias or other] = (other, part)


def _read_order(service: Service) -> None:
    depends = service.part.get("depends_on")
    if depends is None:
        return
    for other, settings, part in depends.names():
        condition, required = "service_started", True
        if settings is not None and settings.mapping() is not None:
            said, need = settings.get("condition"), settings.get("required")
            condition = (said.text() if said is not None else None) or condition
            required = need is None or need.flag() is not False
        service.waits_for[other] = (condition if required else f"{condition}?", part)
    depends.done()
    if service.waits_for:
        depends.note_ignored(
            "Kubernetes starts everything at once: a service that needs another one has to try "
            "until it is there, and a readiness probe says when it is."
        )
