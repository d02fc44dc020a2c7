"""Who has set the fields that an apply would change: the causes of a conflict, as they are worded.

`conflict with "kube-controller-manager" with subresource "scale" using apps/v1`, one per field.
"""

import re

from app.domain.errors import ClusterError, StatusCause
from app.domain.health.seen import plain

_OWNER = re.compile(r'conflicts? with "((?:[^"\\]|\\.)*)"')
_SUBRESOURCE = re.compile(r'with subresource "([a-z]+)"')
_ITEM = re.compile(r'\[(?:[A-Za-z]+=)?"((?:[^"\\]|\\.)*)"\]')
_PORT = re.compile(r'\[(?:containerPort|port)=(\d+),protocol="([A-Z]+)"\]')
CONFLICT_REASON = "FieldManagerConflict"


def conflicts(refusal: ClusterError) -> tuple[StatusCause, ...]:
    """The causes of a conflict of field managers; none means a lost race, or no conflict."""
    if refusal.status != 409:
        return ()
    return tuple(cause for cause in refusal.causes if cause.reason == CONFLICT_REASON)


def owner_of_field(cause: StatusCause) -> str:
    """Who owns the field of a conflict, for people: the field manager's name."""
    found = _OWNER.search(cause.message)
    if found is None:
        return "somebody else"
    name = plain(found[1])
    subresource = _SUBRESOURCE.search(cause.message)
    return f"{name} (by {subresource[1]})" if subresource is not None else name


def path_of_field(field: str) -> str:
    """A field of a refusal as changes write it: `spec.ports[80/TCP]`, `containers[web].image`."""
    return _ITEM.sub(r"[\1]", _PORT.sub(r"[\1/\2]", field)).removeprefix(".")
