"""Volumes: claims on the canvas, and claim templates of a StatefulSet."""

from collections.abc import Mapping, Sequence

from app.domain.importing.compose.board import Board, Fields
from app.domain.importing.compose.kinds import is_data
from app.domain.importing.compose.naming import Names, dns_label
from app.domain.importing.compose.part import Part
from app.domain.importing.compose.service import Service
from app.domain.importing.compose.volumes import Mount, Source
from app.domain.storage import AccessMode

SIZE = "10Gi"
"""What a claim asks for: compose volumes have no size."""
_LINKED = {"deployment", "statefulset"}
"""Kinds that an edge from a claim may lead to; others mount it by name."""


class Storage:
    """The named volumes of an application, drawn when the first service mounts them."""

    def __init__(
        self, board: Board, volumes: Mapping[str, Part], services: Sequence[Service]
    ) -> None:
        self._board = board
        self._volumes = volumes
        self._names = Names()
        self._drawn: dict[str, tuple[str, str | None]] = {}
        self._users: dict[str, list[Service]] = {}
        for service in services:
            for source in dict.fromkeys(
                mount.source for mount in service.mounts if mount.kind is Source.VOLUME
            ):
                self._users.setdefault(source, []).append(service)
        self.is_shared = {
            name: len(self._users.get(name, ())) > 1 or self._is_external(name)
            for name in {*self._users, *volumes}
        }

    def _is_external(self, name: str) -> bool:
        part = self._volumes.get(name)
        return part is not None and is_external(part)

    def mount(self, service: Service, mount: Mount, fields: Fields) -> bool:
        """Mounts a volume, or data that becomes one; False when it is neither."""
        if service.kind == "statefulset" and is_data(service, mount, self.is_shared):
            self._template(service, mount, fields)
            return True
        if mount.kind is not Source.VOLUME:
            return False
        name, node_id = self._claim(mount.source, mount.part)
        source: dict[str, object] = {"name": name}
        if node_id is not None and service.kind in _LINKED:
            source = {"node_id": node_id}
        said = {
            "type": "persistentVolumeClaim",
            **source,
            "mount_path": mount.target,
            "sub_path": mount.sub_path,
            "read_only": True if mount.read_only else None,
        }
        fields.add("volume_mounts", said, mount.part)
        return True

    def has_single_disk(self, service: Service) -> bool:
        """Whether the service has a disk that only one pod at a time can use."""
        return any(
            mount.kind is Source.VOLUME
            and not mount.read_only
            and not self.is_shared.get(mount.source, False)
            and not self._is_used_by_many(mount.source)
            for mount in service.mounts
        )

    def _is_used_by_many(self, key: str) -> bool:
        users = self._users.get(key, [])
        pods = sum(2 if user.kind == "daemonset" else user.pods for user in users)
        return pods > 1 or len(users) > 1

    def _template(self, service: Service, mount: Mount, fields: Fields) -> None:
        wanted = mount.source if mount.kind is Source.VOLUME else "data"
        name = self._names.take(dns_label(wanted, fallback="data"))
        part = self._volumes.get(mount.source) if mount.kind is Source.VOLUME else None
        if part is not None:
            part.is_read = True
            part.belongs_to(service.id)
            self._set_aside(part)
            part.changed(f"Every pod gets a disk of its own, of {SIZE}, because it has no size.")
        else:
            mount.part.changed(f"It becomes a disk of {SIZE} that every pod gets for itself.")
        claim = {"name": name, "storage": SIZE, "mount_path": mount.target}
        fields.add("volume_claim_templates", claim, mount.part)

    def _claim(self, key: str, at: Part) -> tuple[str, str | None]:
        """The name of a volume's claim, and its node; no node when it is there already."""
        if key in self._drawn:
            return self._drawn[key]
        part = self._volumes.get(key)
        if part is None:
            at.missing(f"No volume is called {key[:64]}: name it below 'volumes'. It is drawn.")
            part = at
        elif part.value is not None:
            part.mapping()
        called = (own_name(part) if part is not at else None) or key
        name = self._names.take(dns_label(called, fallback="volume"))
        if part is not at and is_external(part):
            part.changed(f"It is not drawn: the claim {name} has to be in the namespace already.")
            self._drawn[key] = (name, None)
        else:
            node_id = self._board.new_id()
            if part is not at:
                part.belongs_to(node_id)
            self._drawn[key] = (name, node_id)
            self._draw(key, name, node_id, part)
        return self._drawn[key]

    def _draw(self, key: str, name: str, node_id: str, part: Part) -> None:
        fields = Fields("persistentvolumeclaim", part)
        fields.put("name", name)
        fields.put("storage", SIZE)
        says = f"It becomes the claim {name} of {SIZE}, which starts empty: change the size."
        if self._is_used_by_many(key):
            fields.put("access_modes", [AccessMode.READ_WRITE_MANY])
            says = f"{says} Several pods use it, so its storage class must offer ReadWriteMany."
        self._set_aside(part)
        part.changed(says)
        self._board.put(node_id, fields)

    @staticmethod
    def _set_aside(part: Part) -> None:
        """The local driver without options says nothing."""
        driver = part.get("driver")
        if driver is not None and driver.value != "local":
            driver.ignored("The storage class of the claim decides: choose one.")


def is_external(part: Part) -> bool:
    """Whether a volume, a config or a secret is there already, made by somebody else."""
    said = part.get("external") if isinstance(part.value, dict) else None
    if said is None:
        return False
    if isinstance(said.value, dict):
        said.is_read = True
        return True
    return said.flag() is True


def own_name(part: Part) -> str | None:
    """What the object itself is called; the name below `external` is the older form."""
    external = part.get("external")
    inner = external.get("name") if external is not None and external.value else None
    named = part.get("name") or inner
    return named.text() if named is not None else None
