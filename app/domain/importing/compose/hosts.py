"""Who talks to whom, and on which port: host names in variables and commands.

Containers of compose reach each other on any port, whether it is declared or not. A Service of
Kubernetes leads to the ports that it names, so they are gathered from everything that says one.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from app.domain.importing.compose.environment import Variable
from app.domain.importing.compose.service import Service
from app.domain.importing.secrecy import is_secret

_TOKEN = re.compile(r"(?<![\w.\-$])([A-Za-z0-9_][A-Za-z0-9_.\-]{0,252})(?::([0-9]{1,5})(?![\w.]))?")
_HOSTLIKE = {
    *("HOST", "HOSTS", "HOSTNAME", "SERVER", "SERVERS", "ADDR", "ADDRESS", "ADDRESSES", "URL"),
    *("URLS", "URI", "ENDPOINT", "ENDPOINTS", "BROKER", "BROKERS", "NODES", "PEERS", "SEEDS"),
    *("UPSTREAM", "BACKEND", "DSN", "CONNECT", "LISTENERS", "SERVICE", "ORIGIN"),
}
_USER = re.compile(r"[^\s/@]{0,256}@")
"""What follows a name that is a user's, not a host's."""
_SCHEMES = {"http": 80, "https": 443, "ws": 80, "wss": 443}


@dataclass(frozen=True, slots=True)
class Mention:
    """A host name in a text: where, with which port, and whether it can hardly be anything else."""

    start: int
    end: int
    port: int | None
    is_sure: bool
    is_entry: bool
    """Whether it begins the text, or an entry of a list in it."""


@dataclass(slots=True)
class Reached:
    """How others reach a host name."""

    ports: dict[int, None] = field(default_factory=dict)
    is_sure: bool = False


def find_mentions(services: Sequence[Service], names: set[str]) -> dict[str, Reached]:
    """The names that anybody talks to, with the ports that are said along."""
    reached: dict[str, Reached] = {}
    for service in services:
        for name, found in _of(service, names):
            here = reached.setdefault(name, Reached())
            here.is_sure |= found.is_sure
            if found.port is not None:
                here.ports[found.port] = None
    return reached


def _of(service: Service, names: set[str]) -> Iterator[tuple[str, Mention]]:
    for variable, said in service.environment.variables.items():
        if said.value is not None:
            hostlike = _is_hostlike(variable)
            for name, mention in mentions(said.value, names):
                yield name, replace(mention, is_sure=mention.is_sure or hostlike)
    for words in (service.entrypoint, service.command):
        if words is not None:
            yield from mentions(words.text(), names)


def _is_hostlike(variable: str) -> bool:
    return bool(_HOSTLIKE & set(re.split("[^A-Z]+", variable.upper())))


def mentions(text: str, names: set[str]) -> Iterator[tuple[str, Mention]]:
    """Every place of a text where one of the names stands."""
    for match in _TOKEN.finditer(text):
        name, port = match[1], int(match[2]) if match[2] else None
        if name not in names:
            continue
        if _USER.match(text, match.end(1)):
            continue
        before = text[max(0, match.start() - 12) : match.start()]
        scheme = re.search(r"([a-z][a-z0-9+.\-]*)://$", before)
        is_sure = port is not None or scheme is not None or before.endswith("@")
        if port is None and scheme is not None:
            port = _SCHEMES.get(scheme[1])
        valid = port if port is not None and 1 <= port <= 65535 else None
        is_entry = not before or before[-1] in ", ;="
        yield name, Mention(match.start(1), match.end(1), valid, is_sure, is_entry)


def rename(services: Sequence[Service], renamed: Mapping[str, str]) -> None:
    """Host names that Kubernetes does not take are written anew, where it is sure that they are."""
    if not renamed:
        return
    for service in services:
        for variable, said in service.environment.variables.items():
            if said.value is not None:
                said.value = _renamed(variable, said, renamed)
        for words in (service.entrypoint, service.command):
            if words is None:
                continue
            for i, word in enumerate(words.words):
                new = _replace(word, renamed, sure=False)
                if new != word:
                    words.words[i] = new
                    words.part.changed("Host names in it are written as their Services are called.")


def _renamed(variable: str, said: Variable, renamed: Mapping[str, str]) -> str:
    value = said.value or ""
    found = {name: renamed[name] for name, _ in mentions(value, set(renamed))}
    if not found:
        return value
    new = _replace(value, renamed, sure=_is_hostlike(variable))
    listed = ", ".join(f"{old[:64]} as {name}" for old, name in list(found.items())[:5])
    if is_secret(variable, value):
        said.part.changed(f"When its value is given, write the host {listed}.")
    elif new != value:
        said.part.changed(f"It has the host {listed}, as the Service is called.")
    else:
        said.part.changed(f"If it means the host, write {listed}, as the Service is called.")
    return new


def _replace(text: str, renamed: Mapping[str, str], *, sure: bool) -> str:
    pieces: list[str] = []
    done = 0
    for name, mention in mentions(text, set(renamed)):
        if mention.is_sure or (sure and mention.is_entry):
            pieces += [text[done : mention.start], renamed[name]]
            done = mention.end
    return "".join([*pieces, text[done:]])
