"""What a service mounts, in the short form and in the long one."""

import enum
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass

from app.domain.fields import MountPath
from app.domain.importing.compose.part import Part
from app.domain.text import Text

_PATH: Text = MountPath.__metadata__[0]  # type: ignore[attr-defined]
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")


class Source(enum.Enum):
    """Where a mount comes from."""

    VOLUME = "volume"
    ANONYMOUS = "anonymous"
    BIND = "bind"
    MEMORY = "tmpfs"


@dataclass(frozen=True, slots=True)
class Mount:
    """A mount; `source` is the name of a volume or a path on the host."""

    kind: Source
    target: str
    part: Part
    source: str = ""
    read_only: bool = False
    sub_path: str | None = None


def read_mounts(service: Part) -> list[Mount]:
    """The mounts by their targets; a later one replaces an earlier one at the same place."""
    mounts: dict[str, Mount] = {}
    said = service.get("volumes")
    for part in said.items() if said is not None else ():
        mount = _long(part) if isinstance(part.value, dict) else _short(part)
        _add(mounts, mount)
    said = service.get("tmpfs")
    for part in said.items(single=True) if said is not None else ():
        target = (part.text() or "").partition(":")[0]
        _add(mounts, _checked(Mount(Source.MEMORY, target, part)))
    return list(mounts.values())


def _add(mounts: dict[str, Mount], mount: Mount | None) -> None:
    if mount is None:
        return
    before = mounts.pop(mount.target, None)
    mounts[mount.target] = mount
    if before is not None and before.part.path[:-1] == mount.part.path[:-1]:
        before.part.ignored(f"Another one is mounted at {mount.target[:128]} too: it is left out.")


def _short(part: Part) -> Mount | None:
    text = part.text()
    if text is None:
        return None
    pieces = list(_pieces(text))
    if not text or not all(pieces) or len(pieces) > 3:
        part.ignored("Write a volume such as data:/var/lib/data:ro: it is left out.")
        return None
    if len(pieces) == 1:
        return _checked(Mount(Source.ANONYMOUS, pieces[0], part))
    source, target = pieces[0], pieces[1]
    options = pieces[2].split(",") if len(pieces) == 3 else []
    kind = Source.BIND if _is_path(source) else Source.VOLUME
    return _checked(Mount(kind, target, part, source, "ro" in options))


def _pieces(text: str) -> Iterator[str]:
    """What stands between colons; that of a drive letter is none."""
    for match in re.finditer(r"(?:(?<![^:])[A-Za-z]:(?=[\\/]))?[^:]*(?::|$)", text):
        if match[0] or match.start() < len(text):
            yield match[0].removesuffix(":")
        if match.end() == len(text):
            if match[0].endswith(":"):
                yield ""
            return


def _is_path(source: str) -> bool:
    return source[0] in "./~\\" or _DRIVE.match(source) is not None


def _long(part: Part) -> Mount | None:
    kind, target, source = part.get("type"), part.get("target"), part.get("source")
    word = (kind.text() if kind is not None else None) or "volume"
    to = target.text() if target is not None else None
    come = (source.text() if source is not None else None) or ""
    if word in {"npipe", "cluster", "image"} or word not in {"volume", "bind", "tmpfs"}:
        part.ignored("Only volumes, host folders and memory can be mounted: it is left out.")
        return None
    if not to:
        part.ignored("Write where it is mounted as target: it is left out.")
        return None
    said = part.get("read_only")
    read_only = said is not None and said.flag() is True
    options = part.section("volume")
    sub = options.get("subpath") if options is not None else None
    if (bind := part.get("bind")) is not None and word == "bind":
        bind.done()
    made = Source.MEMORY if word == "tmpfs" else Source.BIND
    if word == "volume":
        made = Source.VOLUME if come else Source.ANONYMOUS
    if made is Source.BIND and not come:
        part.ignored("Write the path on the host as source: it is left out.")
        return None
    sub_path = sub.text() if sub is not None else None
    return _checked(Mount(made, to, part, come, read_only, sub_path))


def _checked(mount: Mount) -> Mount | None:
    """The mount with a plain target; None with a note when nothing can be mounted there."""
    target = plain_path(mount.target)
    if target == "/" or not _PATH.allows(target):
        mount.part.ignored("Mount it at an absolute path such as /data: it is left out.")
        return None
    return Mount(mount.kind, target, mount.part, mount.source, mount.read_only, mount.sub_path)


def plain_path(path: str) -> str:
    """A path without `..` and doubled slashes."""
    plain = posixpath.normpath(path) if path else ""
    return f"/{plain.lstrip('/')}" if plain.startswith("/") else plain
