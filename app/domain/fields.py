"""The field types that node kinds share, named by what Kubernetes calls them.

Every type says what is allowed in a sentence, is bounded, and draws itself as JSON Schema. The
rules are those of the API server, or stricter where a value that it takes can never work.
"""

import ipaddress
import re
import zoneinfo
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, NewType

from pydantic import AfterValidator, BeforeValidator, Field, StrictBool, WithJsonSchema

from app.domain import cron, image, quantity
from app.domain.text import Text, refusal

# ---------------------------------------------------------------------------------------- names

_LABEL = r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
SUBDOMAIN = rf"{_LABEL}(?:\.{_LABEL})*"


def _parts_fit(value: str) -> bool:
    return all(len(part) <= 63 for part in value.split("."))


def _label(limit: int) -> Text:
    return Text(
        f"Use lower-case letters, digits and '-', starting and ending with a letter or digit, "
        f"at most {limit} characters.",
        limit,
        _LABEL,
    )


DnsLabel = Annotated[str, _label(63)]
"""An RFC 1123 label: what a label value, a container or a namespace can be called."""

ShortDnsLabel = Annotated[str, _label(52)]
"""A label short enough for the controllers that append 11 characters to it."""

DnsSubdomain = Annotated[
    str,
    Text(
        "Use lower-case letters, digits, '-' and '.', each part starting and ending with a letter "
        "or digit, at most 253 characters.",
        253,
        SUBDOMAIN,
    ),
]
"""An RFC 1123 subdomain: what most objects can be called."""

ServiceName = Annotated[
    str,
    Text(
        "Use lower-case letters, digits and '-', starting with a letter and ending with a letter "
        "or digit, at most 63 characters.",
        63,
        r"[a-z](?:[-a-z0-9]*[a-z0-9])?",
    ),
]
"""An RFC 1035 label: what a Service can be called on every supported version."""

Namespace = DnsLabel

ElementId = Annotated[
    str,
    Text(
        "Use letters, digits, '-' and '_', at most 64 characters.",
        64,
        r"[A-Za-z0-9_-]+",
    ),
]
"""The id of a node or an edge. It is a key in storage, so it has no '.' and no '$'."""

EntryId = Annotated[
    str, Text("Use printable characters, at most 128.", 128, r"[^\x00-\x1f\x7f]*", minimum=0)
]
"""The id of an entry in a list, unique in that list; left out, the server makes one."""

Line = Annotated[
    str, Text("Use one line of at most 256 characters.", 256, r"[^\x00-\x1f\x7f]*", minimum=0)
]
"""A short text for people."""

Argument = Annotated[str, Text("Use at most 32768 characters, without NUL.", 32_768, minimum=0)]
"""One word of a command line."""

IngressHost = Annotated[
    str,
    Text(
        "Write a host name such as app.example.com or *.example.com, in lower case; not an IP "
        "address.",
        253,
        rf"(?:\*\.)?{SUBDOMAIN}",
        also=lambda v: _parts_fit(v) and re.fullmatch(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}", v) is None,
    ),
]

HostName = Annotated[
    str,
    Text(
        "Write a host name such as db.example.com, in lower case.", 253, SUBDOMAIN, also=_parts_fit
    ),
]

# -------------------------------------------------------------------------------------- numbers

Count = Annotated[int, Field(strict=True, ge=0, le=2**31 - 1)]
"""0 to 2147483647, the largest integer that GraphQL and Kubernetes both have."""
Positive = Annotated[int, Field(strict=True, ge=1, le=2**31 - 1)]
Seconds = Count
Percent = Annotated[int, Field(strict=True, ge=1, le=100)]
Port = Annotated[int, Field(strict=True, ge=1, le=65535)]
Flag = StrictBool

if TYPE_CHECKING:
    IntOrString = int | str
else:
    IntOrString = NewType("IntOrString", int | str)

_PORT_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_PORT_SAYS = (
    "Write a port from 1 to 65535, or a port's name: at most 15 lower-case letters, digits and "
    "'-', with at least one letter."
)


def _is_port_name(value: str) -> bool:
    return (
        len(value) <= 15
        and _PORT_NAME.fullmatch(value) is not None
        and re.search("[a-z]", value) is not None
    )


def _number_if_digits(value: Any) -> Any:
    """A form's text field hands over "80": Kubernetes has no name or percentage like that."""
    if isinstance(value, str) and re.fullmatch("[0-9]{1,9}", value):
        return int(value)
    if isinstance(value, bool | float):
        raise refusal("Write a whole number or a text.")
    return value


def _port_or_name(value: int | str) -> int | str:
    fine = _is_port_name(value) if isinstance(value, str) else 1 <= value <= 65535
    if not fine:
        raise refusal(_PORT_SAYS)
    return value


def _count_or_percent(value: int | str) -> int | str:
    if isinstance(value, str):
        fine = re.fullmatch("[0-9]{1,3}%", value) is not None and int(value[:-1]) <= 100
    else:
        fine = 0 <= value <= 2**31 - 1
    if not fine:
        raise refusal("Write a number of pods, or a percentage from 0% to 100%.")
    return value


PortOrName = Annotated[
    IntOrString,
    BeforeValidator(_number_if_digits),
    AfterValidator(_port_or_name),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 1, "maximum": 65535},
                {"type": "string", "pattern": f"^{_PORT_NAME.pattern}$", "maxLength": 15},
            ]
        }
    ),
]
CountOrPercent = Annotated[
    IntOrString,
    BeforeValidator(_number_if_digits),
    AfterValidator(_count_or_percent),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 0, "maximum": 2**31 - 1},
                {"type": "string", "pattern": "^(?:100|[0-9]{1,2})%$"},
            ]
        }
    ),
]

PortName = Annotated[
    str,
    Text(
        "Use at most 15 lower-case letters, digits and single '-', with at least one letter.",
        15,
        _PORT_NAME.pattern,
        also=_is_port_name,
    ),
]
"""The name of a container's port."""

_QUANTITY_SAYS = "Write a quantity such as 500m, 0.5, 128Mi, 1Gi or 1e3: not negative, no spaces."

Quantity = Annotated[
    str, Text(_QUANTITY_SAYS, quantity.LIMIT, quantity.PATTERN, also=quantity.is_quantity)
]
"""An amount of CPU (cores) or memory and storage (bytes), kept as it was written."""


def _above_zero(value: str) -> str:
    if not quantity.amount(value):
        raise refusal("Write a size greater than 0, such as 10Gi.")
    return value


StorageSize = Annotated[Quantity, AfterValidator(_above_zero)]

# ------------------------------------------------------------------------------ references, time

ImageReference = Annotated[str, Text(image.SAYS, image.LIMIT, also=image.is_reference)]


def _schedule(value: str) -> str:
    try:
        cron.parse(value)
    except ValueError as error:
        sentence = str(error)
        raise refusal(f"{sentence[0].upper()}{sentence[1:]}.") from error
    return value


Schedule = Annotated[
    str,
    Text("Write a cron schedule such as 0 2 * * * or @daily.", 256, r"[ -~]+"),
    AfterValidator(_schedule),
]


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(
        name
        for name in zoneinfo.available_timezones()
        if re.fullmatch(r"[A-Za-z._0-9+-]{1,14}(?:/[A-Za-z._0-9+-]{1,14})*", name)
        and name not in {"Local", "localtime", "Factory", "posixrules"}
    )


TimeZone = Annotated[
    str,
    Text(
        "Write the name of an IANA time zone, such as Europe/Berlin or Etc/UTC.",
        64,
        also=lambda value: value in _time_zones(),
    ),
]


_CIDR = re.compile(r"[0-9A-Fa-f:.]{2,45}/(?:0|[1-9][0-9]{0,2})")


def _cidr(value: str) -> str:
    says = "Write an address range such as 10.0.0.0/8 or 2001:db8::/32."
    if not _CIDR.fullmatch(value):
        raise refusal(says)
    try:
        network = ipaddress.ip_network(value)
    except ValueError as error:
        try:
            whole = ipaddress.ip_network(value, strict=False)
        except ValueError:
            raise refusal(says) from error
        raise refusal(f"The address has bits beyond its prefix: write {whole}.") from error
    if _is_mapped(network.network_address):
        raise refusal(says)
    return value


def _is_mapped(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """An IPv4 address in the dress of IPv6: readers differ on what it is, so servers refuse it."""
    return isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None


Cidr = Annotated[str, AfterValidator(_cidr), WithJsonSchema({"type": "string", "maxLength": 64})]


def _ip(value: str) -> str:
    """An address without a zone: a zone means something on one machine only."""
    says = "Write an IP address such as 192.0.2.10 or 2001:db8::1."
    if "%" in value or len(value) > 45:
        raise refusal(says)
    try:
        address = ipaddress.ip_address(value)
    except ValueError as error:
        raise refusal(says) from error
    if _is_mapped(address):
        raise refusal(says)
    return value


IpAddress = Annotated[str, AfterValidator(_ip), WithJsonSchema({"type": "string", "maxLength": 45})]

# ---------------------------------------------------------------------------------------- paths

MountPath = Annotated[
    str,
    Text(
        "Write an absolute path such as /etc/config, without ':', at most 1024 characters.",
        1024,
        r"/[^:\x00-\x1f\x7f]*",
        also=lambda value: ".." not in value.split("/"),
    ),
]
RelativePath = Annotated[
    str,
    Text(
        "Write a path without a leading '/' and without '..', at most 1024 characters.",
        1024,
        r"[^/\x00-\x1f\x7f][^\x00-\x1f\x7f]*",
        also=lambda value: ".." not in value.split("/"),
    ),
]
FilePath = Annotated[
    str,
    Text(
        "Write a path without a leading '/' and without '..', at most 1024 characters.",
        1024,
        r"[^/\x00-\x1f\x7f][^\x00-\x1f\x7f]*",
        also=lambda value: ".." not in value.split("/") and not value.startswith(".."),
    ),
]
"""Where a key of a ConfigMap or a Secret appears in a volume."""
HttpPath = Annotated[
    str,
    Text(
        "Write a path that starts with '/', without spaces, at most 1024 characters.",
        1024,
        r"/[!-~\x80-\uffff]*",
    ),
]

# ----------------------------------------------------------------------------------------- keys

EnvName = Annotated[
    str,
    Text(
        "Use letters, digits, '_', '-' and '.', not starting with a digit, at most 253 characters.",
        253,
        r"[-._a-zA-Z][-._a-zA-Z0-9]*",
        also=lambda value: value != "." and not value.startswith(".."),
    ),
]
"""The name of a variable; it is also the key of a Secret when its value is kept in one."""
DataKey = Annotated[
    str,
    Text(
        "Use letters, digits, '-', '_' and '.', at most 253 characters, not starting with '..'.",
        253,
        r"[-._a-zA-Z0-9]+",
        also=lambda value: value != "." and not value.startswith(".."),
    ),
]
"""The key of a ConfigMap or a Secret: a file name when it is mounted."""
