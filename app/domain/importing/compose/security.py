"""What the container's process may do, and who it is."""

import re
from typing import Any

from app.domain.importing.compose.part import Part


def read_security(service: Part, *, has_scratch: bool) -> dict[str, Any] | None:
    """The fields of a security context. `has_scratch`: parts of its disk must stay writable."""
    made: dict[str, Any] = {}
    _read_user(service, made)
    read_only = service.get("read_only")
    if read_only is not None and read_only.flag():
        if has_scratch:
            read_only.ignored(
                "The folders in memory or without a name that stay writable are not drawn, so the "
                "whole disk stays writable."
            )
        else:
            made["read_only_root_filesystem"] = True
    privileged = service.get("privileged")
    if privileged is not None and privileged.flag():
        made["privileged"] = True
    for key, name in (("cap_add", "add_capabilities"), ("cap_drop", "drop_capabilities")):
        said = service.get(key)
        for part in said.items() if said is not None else ():
            capability = (part.text() or "").upper().removeprefix("CAP_")
            if re.fullmatch("[A-Z][A-Z0-9_]{0,63}", capability):
                made.setdefault(name, []).append(capability)
            else:
                part.ignored("Write a capability such as NET_ADMIN: it is left out.")
    _read_options(service, made)
    return made or None


def _read_user(service: Part, made: dict[str, Any]) -> None:
    part = service.get("user")
    text = part.text() if part is not None else None
    if part is None or not text:
        return
    user, _, group = text.partition(":")
    for word, name in ((user, "run_as_user"), (group, "run_as_group")):
        if re.fullmatch("[0-9]{1,10}", word) and int(word) <= 2**31 - 1:
            made[name] = int(word)
        elif word:
            part.note_ignored("Kubernetes knows users and groups by number: write the number.")


def _read_options(service: Part, made: dict[str, Any]) -> None:
    said = service.get("security_opt")
    for part in said.items() if said is not None else ():
        option = re.sub(r"\s*[:=]\s*", ":", (part.text() or "").strip())
        if option in {"no-new-privileges", "no-new-privileges:true"}:
            if made.get("privileged"):
                part.ignored("A privileged container may always gain privileges: it is left out.")
            else:
                made["allow_privilege_escalation"] = False
        elif option != "no-new-privileges:false":
            part.ignored("No field of a security context stands for this: it is left out.")
