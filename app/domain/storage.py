"""The words of storage, shared by claims and by the claim templates of a StatefulSet."""

import enum
from typing import Annotated

from pydantic import AfterValidator, Field

from app.domain.fields import SUBDOMAIN
from app.domain.lists import distinct
from app.domain.text import Text, refusal


class AccessMode(enum.StrEnum):
    """Who may use a volume at the same time."""

    READ_WRITE_ONCE = "ReadWriteOnce"
    READ_ONLY_MANY = "ReadOnlyMany"
    READ_WRITE_MANY = "ReadWriteMany"
    READ_WRITE_ONCE_POD = "ReadWriteOncePod"


class VolumeMode(enum.StrEnum):
    """Whether a volume is a folder of files or a raw device."""

    FILESYSTEM = "Filesystem"
    BLOCK = "Block"


def _pod_mode_alone(modes: list[AccessMode]) -> list[AccessMode]:
    if AccessMode.READ_WRITE_ONCE_POD in modes and len(modes) > 1:
        raise refusal("READ_WRITE_ONCE_POD stands alone: remove the other access modes.")
    return modes


AccessModes = Annotated[
    list[AccessMode],
    AfterValidator(distinct),
    AfterValidator(_pod_mode_alone),
    Field(min_length=1, max_length=4),
]

StorageClassName = Annotated[
    str,
    Text(
        "Write the name of a storage class: lower-case letters, digits, '-' and '.', at most 253 "
        "characters; empty for a volume that exists already.",
        253,
        f"(?:{SUBDOMAIN})?",
        minimum=0,
    ),
]
