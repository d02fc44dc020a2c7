"""The variables of a service: `environment` over the files of `env_file`."""

from dataclasses import dataclass, field

from app.domain.fields import EnvName
from app.domain.importing.compose.files import Files
from app.domain.importing.compose.interpolation import TooLong
from app.domain.importing.compose.part import Part
from app.domain.importing.imported import ImportCode
from app.domain.importing.secrecy import (
    for_kubernetes,
    is_secret,
    looks_secret,
    mark,
    marks,
    only_mark,
    replace_marks,
)
from app.domain.text import Text

_NAME: Text = EnvName.__metadata__[0]  # type: ignore[attr-defined]


@dataclass(slots=True)
class Variable:
    """A variable's value, which may have marks, and where it is said. None: secret, not given."""

    value: str | None
    part: Part


@dataclass(slots=True)
class Environment:
    """The variables of a service by name, and those whose values are given at deploy time."""

    variables: dict[str, Variable] = field(default_factory=dict)
    keys: dict[str, Part] = field(default_factory=dict)
    _named: dict[str, str] = field(default_factory=dict)
    _own: dict[str, str] | None = None

    def values(self) -> dict[str, tuple[str, Part]]:
        """What can be stored; everything secret becomes a key."""
        kept: dict[str, tuple[str, Part]] = {}
        for name, variable in self.variables.items():
            value, part = variable.value, variable.part
            if value is None or only_mark(value) or is_secret(name, value):
                self._keep_out(name, part)
        for name, variable in self.variables.items():
            if name not in self.keys and variable.value is not None:
                kept[name] = (self.refer(variable.value, variable.part), variable.part)
        return kept

    def keys_in_order(self) -> dict[str, Part]:
        """The keys as the variables stand in the file; those that are made for a text come last."""
        own = {name: self.keys[name] for name in self.variables if name in self.keys}
        return {**own, **self.keys}

    def refer(self, text: str, part: Part) -> str:
        """A text for the cluster, whose marks refer to variables of this container."""
        return for_kubernetes(self.named(text, part))

    def named(self, text: str, part: Part) -> str:
        """The same with marks that name variables of this container, which are made for it."""
        for name in marks(text):
            if name not in self._named:
                self._named[name] = self._key_for(name, part)
                self._keep_out(self._named[name], part)
        return replace_marks(text, lambda name: f"\x00{self._named[name]}\x00")

    def _key_for(self, name: str, part: Part) -> str:
        """The variable that has the value of a secret: its own one, if the container has that."""
        if self._own is None:
            entries = self.variables.items()
            self._own = {v.value: own for own, v in reversed(entries) if v.value is not None}
        if (own := self._own.get(mark(name))) is not None:
            return own
        own_value = self.variables[name].value if name in self.variables else None
        if own_value is None or own_value == part.scope.variables.get(name):
            return name
        number = 2
        while f"{name}_{number}" in self.variables:
            number += 1
        return f"{name}_{number}"

    def _keep_out(self, name: str, part: Part) -> None:
        if name in self.keys:
            return
        if name in self.variables:
            part = self.variables[name].part
        self.keys[name] = part
        says = f"{name} is secret, so its value is not kept: give it when the workflow deploys."
        part.note(ImportCode.SECRET_LEFT_OUT, says)


def read_environment(service: Part, files: Files) -> Environment:
    """The variables that a service says itself, in its files, or takes from outside."""
    made = Environment()
    said = service.get("env_file")
    for part in said.items(single=True) if said is not None else ():
        _read_file(part, files, made)
    own = service.get("environment")
    for name, value, part in own.pairs() if own is not None else ():
        outside = part.scope.variables.get(name)
        if value is None and looks_secret(name):
            _put(made, name, None, part)
        elif value is None and outside is None:
            made.variables.pop(name, None)
            # What has no '=' may be a value whose name was forgotten: it is not repeated.
            part.missing("This variable has no value: it is left out. Give it.")
        else:
            _put(made, name, outside if value is None else value, part)
    return made


def _put(made: Environment, name: str, value: str | None, part: Part) -> None:
    if _NAME.allows(name):
        made.variables.pop(name, None)
        made.variables[name] = Variable(value, part)
    else:
        says = "Its name is no name of a variable: it is left out."
        part.note(ImportCode.IGNORED, says)


def _read_file(part: Part, files: Files, made: Environment) -> None:
    is_long = isinstance(part.value, dict)
    said = part.get("path") if is_long else part
    path = said.text() if said is not None else None
    if said is None or path is None:
        part.ignored("Write the path of a file: it is left out.")
        return
    required = part.get("required") if is_long else None
    written = part.get("format") if is_long else None
    is_required = required is None or required.flag() is not False
    found = files.find(path, part.scope.folder)
    if found is None:
        if is_required:
            said.missing(f"The file {path[:128]} is not given: give its content with the files.")
        return
    try:
        form = written.text() if written is not None else None
        count = part.scope.report.count_text
        file = files.variables(found[0], form, part.scope.variables, count)
    except TooLong:
        said.ignored("Its variables make it longer than 1 MiB: it is left out.")
        return
    for message in file.missing:
        said.missing(message)
    if file.bad_lines:
        listed = ", ".join(map(str, file.bad_lines))
        said.changed(f"Lines of {path[:128]} that are no NAME=value are left out: {listed}.")
    for name, value in file.values.items():
        part.scope.report.count_text(f"{name}={value}")
        _put(made, name, value, said)
