"""Configs, secrets and files of the host: ConfigMaps and Secrets, mounted where they are expected.

A Secret holds keys and no values. A file whose name or content is secret becomes one, too.
"""

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from app.domain.importing.compose.board import Board, Fields
from app.domain.importing.compose.files import Files
from app.domain.importing.compose.naming import Names, dns_label
from app.domain.importing.compose.part import Part
from app.domain.importing.compose.service import Service
from app.domain.importing.compose.storage import is_external, own_name
from app.domain.importing.compose.volumes import Mount, plain_path
from app.domain.importing.imported import ImportCode
from app.domain.importing.secrecy import (
    is_secret_content,
    is_secret_file,
    looks_secret,
    marks,
)

_TYPES = {"configmap": "configMap", "secret": "secret"}


@dataclass(frozen=True, slots=True)
class Held:
    """A file in a ConfigMap or a Secret; no node when the object is there already."""

    kind: str
    name: str
    key: str
    node_id: str | None


class Contents:
    """The files of an application, each drawn when the first service mounts it."""

    def __init__(self, board: Board, files: Files, resources: Mapping[str, Mapping[str, Part]]):
        self._board = board
        self._files = files
        self._resources = resources
        self._names = {"configmap": Names(), "secret": Names()}
        self._held: dict[tuple[str, str], Held | None] = {}
        self._secret: dict[tuple[str, str], bool] = {}

    # -------------------------------------------------------------------------- configs, secrets

    def mount_all(self, service: Service, fields: Fields) -> None:
        """What a service says below `configs` and `secrets`."""
        for kind, folder in (("configs", "/"), ("secrets", "/run/secrets/")):
            said = service.part.get(kind)
            for part in said.items() if said is not None else ():
                self._mount(kind, folder, part, fields)

    def _mount(self, kind: str, folder: str, part: Part, fields: Fields) -> None:
        is_long = isinstance(part.value, dict)
        source = part.get("source") if is_long else part
        name = source.text() if source is not None else None
        if not name:
            part.ignored("Write the name of the source: it is left out.")
            return
        if name not in self._resources.get(kind, {}):
            part.missing(f"Nothing below '{kind}' is called {name[:64]}: it is left out.")
            return
        held = self._resource(kind, name)
        target = part.get("target") if is_long else None
        path = (target.text() if target is not None else None) or name
        said = part.get("mode") if is_long else None
        mode = _mode(said) if said is not None else None
        if held is not None:
            full = plain_path(posixpath.join(folder, path))
            self._put(held, full, fields, part=part, mode=mode)

    def _resource(self, kind: str, name: str) -> Held | None:
        place = (kind, name)
        if place not in self._held:
            part = self._resources[kind][name]
            part.is_read = True
            self._held[place] = self._draw_resource(kind, name, part)
        return self._held[place]

    def _draw_resource(self, kind: str, name: str, part: Part) -> Held | None:
        if part.mapping() is None:
            part.missing("Say what it is: a file, an environment or a content.")
            return None
        called = own_name(part) or name
        made = "secret" if kind == "secrets" else "configmap"
        if is_external(part):
            held = Held(made, self._name(made, called), _key(name), None)
            says = f"It is not drawn: {held.name} has to be in the namespace already, with the key "
            part.changed(f"{says}{held.key}.")
            return held
        if kind == "secrets":
            for key in ("file", "environment", "content"):
                if (said := part.get(key)) is not None:
                    said.done()
            return self._draw("secret", called, _key(name), None, part)
        text = self._text(part)
        if text is None or marks(text) or is_secret_content(text):
            made = "secret"
        return self._draw(made, called, _key(name), text, part)

    def _text(self, part: Part) -> str | None:
        """The content of a config, which may have marks; None when it is secret."""
        if (content := part.get("content")) is not None:
            return content.marked() or ""
        if (variable := part.get("environment")) is not None:
            name = variable.text() or ""
            if looks_secret(name):
                return None
            if name not in part.scope.variables:
                variable.missing(f"The variable {name[:64]} has no value: write the content.")
            return part.scope.variables.get(name, "")
        file = part.get("file")
        path = file.text() if file is not None else None
        found = self._files.find(path, part.scope.folder) if path else None
        if found is None:
            (file or part).missing("The file is not given: write its content into the ConfigMap.")
            return ""
        return None if self._is_secret(found[0], found[1]) else found[1]

    def _is_secret(self, path: str, text: str) -> bool:
        """Whether a file is secret, which is found out once for all that mount it."""
        if (path, text) not in self._secret:
            self._secret[path, text] = is_secret_file(path, text)
        return self._secret[path, text]

    # ------------------------------------------------------------------------------ host folders

    def mount_host(self, service: Service, mount: Mount, fields: Fields) -> None:
        """A file or a folder of the host, when its content is given."""
        part = mount.part
        folder = part.scope.folder
        if (found := self._files.find(mount.source, folder)) is not None:
            place = ("file", found[0])
            if place not in self._held:
                name = posixpath.basename(found[0])
                is_secret = self._is_secret(found[0], found[1])
                kind, text = ("secret", None) if is_secret else ("configmap", found[1])
                called = f"{service.label}-{name}"
                self._held[place] = self._draw(kind, called, _key(name), text, part)
            held = self._held[place]
            if held is not None:
                self._put(held, mount.target, fields, part=part)
            if not mount.read_only:
                part.changed("The file cannot be changed from inside the container.")
        elif posixpath.normpath(mount.source) == ".":
            part.ignored("The folder of the project is not there on a cluster: it is in the image.")
        elif files := self._files.below(mount.source, folder):
            self._mount_folder(service, mount, files, fields)
        elif mount.source.endswith(".sock"):
            part.ignored("A socket of the host is not there on a cluster: it is left out.")
        elif "." in posixpath.basename(mount.source.rstrip("/")).strip("."):
            part.missing(
                "The file is not given: give its content with the files, and it becomes a "
                "ConfigMap."
            )
        else:
            part.ignored(
                "A folder of the host is not there on a cluster: use a named volume, or give its "
                "files."
            )

    def _mount_folder(
        self, service: Service, mount: Mount, files: dict[str, str], fields: Fields
    ) -> None:
        """The files of a folder: one object when they are of one kind, else each by itself."""
        part = mount.part
        called = f"{service.label}-{posixpath.basename(mount.target)}"
        is_mixed = len({self._is_secret(path, text) for path, text in files.items()}) > 1
        drawn: dict[str, tuple[Held, Fields, dict[str, str]]] = {}
        for path, text in files.items():
            kind = "secret" if self._is_secret(path, text) else "configmap"
            if kind not in drawn:
                held = Held(kind, self._name(kind, called), "", self._board.new_id())
                drawn[kind] = (held, Fields(kind, part), {})
                drawn[kind][1].put("name", held.name)
            held, node, keys = drawn[kind]
            key = _key(path)
            while key in keys:
                key += "_"
            keys[key] = path
            if kind == "secret":
                node.add("keys", {"name": key}, part)
                says = f"{path[:128]} is secret and not kept: give the key {key} of the Secret "
                part.note(ImportCode.SECRET_LEFT_OUT, f"{says}{held.name} on deploy.")
            else:
                node.set("data", key, text, part)
            if is_mixed:
                full = posixpath.join(mount.target, path)
                self._put(replace(held, key=key), full, fields, part=part)
        for held, node, keys in drawn.values():
            if held.node_id is None or not self._board.put(held.node_id, node):
                continue
            if not is_mixed:
                nested = keys if any(key != path for key, path in keys.items()) else None
                said = {
                    "type": _TYPES[held.kind],
                    "node_id": held.node_id,
                    "mount_path": mount.target,
                    "items": nested,
                }
                fields.add("volume_mounts", said, part)
        if not mount.read_only:
            part.changed("The files cannot be changed from inside the container.")

    # ----------------------------------------------------------------------------------- drawing

    def _draw(self, kind: str, called: str, key: str, text: str | None, part: Part) -> Held:
        node_id = self._board.new_id()
        if part.owner is None:
            part.belongs_to(node_id)
        fields = Fields(kind, part)
        name = self._name(kind, called)
        fields.put("name", name)
        if kind == "secret":
            fields.add("keys", {"name": key}, part)
            says = f"Its value is not kept: give the key {key} of the Secret {name} when the "
            part.note(ImportCode.SECRET_LEFT_OUT, f"{says}workflow deploys.")
        else:
            fields.set("data", key, text or "", part)
        self._board.put(node_id, fields)
        return Held(kind, name, key, node_id)

    def _name(self, kind: str, called: str) -> str:
        return self._names[kind].take(dns_label(called, fallback="files"))

    def _put(
        self,
        held: Held,
        path: str,
        fields: Fields,
        *,
        part: Part,
        mode: int | None = None,
    ) -> None:
        source = {"node_id": held.node_id} if held.node_id else {"name": held.name}
        said = {
            "type": _TYPES[held.kind],
            **source,
            "mount_path": path,
            "sub_path": held.key,
            "default_mode": mode,
        }
        fields.add("volume_mounts", said, part)


def _mode(part: Part) -> int | None:
    """Permission bits: a number as YAML reads it, or octal digits in a text."""
    if isinstance(part.value, int) and not isinstance(part.value, bool):
        mode = part.value
    else:
        text = (part.text() or "").lower().removeprefix("0o")
        mode = int(text, 8) if re.fullmatch("[0-7]{1,6}", text) else -1
    if not 0 <= mode <= 0o777:
        part.ignored("Write permissions such as 0440: they are left out.")
        return None
    return mode


def _key(name: str) -> str:
    key = re.sub("[^-._a-zA-Z0-9]", "-", name)[:253]
    return f"file-{key.lstrip('.')}" if key.startswith("..") or key in {"", "."} else key
