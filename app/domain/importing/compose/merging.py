"""How one part goes over another: in `extends`, in `include` and in files of several documents.

The rules are those of the specification's chapter on merging. Lists and mappings that say the same
in two forms are kept side by side in a list; who reads them takes the later one of two names.
"""

from app.domain.importing.compose.part import Part

_REPLACED = {"command", "entrypoint", "test"}
_SIDE_BY_SIDE = {
    *("annotations", "args", "depends_on", "dns", "dns_opt", "dns_search", "env_file"),
    *("environment", "extra_hosts", "label_file", "labels", "models", "networks", "sysctls"),
    "tmpfs",
}
"""Keys of a service that have a short form and a long one."""


def merge(base: Part, over: Part, key: str = "") -> Part:
    """`over` over `base`, as new parts; each keeps its own path. Neither is changed."""
    if over.value is None:
        return base.copy()
    if key in _REPLACED or base.value is None:
        return over.copy()
    if key in _SIDE_BY_SIDE:
        return _with(over, [*_listed(base), *_listed(over)])
    if isinstance(base.value, dict) and isinstance(over.value, dict):
        return _mapping(base, over)
    if isinstance(base.value, list) and isinstance(over.value, list):
        return _with(over, [part.copy() for part in (*base.value, *over.value)])
    return over.copy()


def merge_files(base: Part, over: Part) -> Part:
    """Two whole files. Below `services` and the like, names come first and rules after."""
    if not isinstance(base.value, dict) or not isinstance(over.value, dict):
        return over.copy()
    merged = {key: part.copy() for key, part in base.value.items() if key not in over.value}
    for key, part in over.value.items():
        under = base.value.get(key)
        if under is None:
            merged[key] = part.copy()
        elif isinstance(under.value, dict) and isinstance(part.value, dict):
            merged[key] = _mapping(under, part)
        else:
            merged[key] = merge(under, part)
    return _with(over, merged)


def _mapping(base: Part, over: Part) -> Part:
    merged = {
        key: merge(part, over.value[key], key) if key in over.value else part.copy()
        for key, part in base.value.items()
    }
    merged.update((k, part.copy()) for k, part in over.value.items() if k not in base.value)
    return _with(over, merged)


def _listed(part: Part) -> list[Part]:
    if isinstance(part.value, list):
        return [item.copy() for item in part.value]
    return [part.copy()]


def _with(part: Part, value: object) -> Part:
    """A part in the place of another, with another value."""
    part.scope.report.count_value()
    return Part(value, part.path, part.order, part.scope)
