"""Every shared field type: what it takes up to its edge, and what it refuses just beyond."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from app.domain import fields, maps

LABEL_63 = "a" * 63
SUBDOMAIN_253 = ".".join(["a" * 63] * 3 + ["a" * 61])

ACCEPTED: list[tuple[str, list[Any]]] = [
    ("DnsLabel", ["a", "0", "a-b", "1a", LABEL_63]),
    ("ShortDnsLabel", ["a", "a" * 52]),
    ("DnsSubdomain", ["a", "a.b", "0.a-b.c", SUBDOMAIN_253]),
    ("ServiceName", ["a", "a-1", LABEL_63]),
    ("ElementId", ["a", "node-1", "A_9", "a" * 64]),
    ("EntryId", ["", "/api", "env_1", "é", "a" * 128]),
    ("Line", ["", "text for people", "x" * 256]),
    ("Argument", ["", "-c", "line\nline", "x" * 32768]),
    ("IngressHost", ["a", "app.example.com", "*.example.com", "*.a", SUBDOMAIN_253]),
    ("HostName", ["db", "db.example.com"]),
    ("Count", [0, 2**31 - 1]),
    ("Positive", [1, 2**31 - 1]),
    ("Percent", [1, 100]),
    ("Port", [1, 65535]),
    ("Flag", [True, False]),
    ("PortOrName", [1, 65535, "http", "a", "a1-b2", "a" * 15]),
    ("CountOrPercent", [0, 1, 2**31 - 1, "0%", "25%", "100%"]),
    ("PortName", ["http", "a", "p-1", "a" * 15]),
    ("Quantity", ["500m", "1Gi", "0", "1e3", "0.5"]),
    ("StorageSize", ["1", "10Gi"]),
    ("ImageReference", ["nginx", "ghcr.io/org/app:v1"]),
    ("Schedule", ["0 2 * * *", "@daily"]),
    ("TimeZone", ["Etc/UTC", "UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires"]),
    ("Cidr", ["10.0.0.0/8", "0.0.0.0/0", "192.0.2.1/32", "2001:db8::/32", "::/0"]),
    ("IpAddress", ["192.0.2.1", "2001:db8::1"]),
    ("MountPath", ["/", "/etc/config", "/a b", "/" + "x" * 1023]),
    ("RelativePath", ["a", "a/b.conf", "..a", "x" * 1024]),
    ("HttpPath", ["/", "/api", "/api(/|$)(.*)", "/ü", "/" + "x" * 1023]),
    ("EnvName", ["A", "_a", "a.b-c", ".a", "x" * 253]),
    ("DataKey", ["a", ".a", "a..b", "A_1-x.y", "x" * 253]),
]

REFUSED: list[tuple[str, list[Any], str]] = [
    (
        "DnsLabel",
        ["", "A", "a_b", "-a", "a-", "a.b", "a\n", "é", "a" * 64, "a\x00", "٣"],
        "Use lower-case letters, digits and '-', starting and ending with a letter or digit, "
        "at most 63 characters.",
    ),
    ("ShortDnsLabel", ["a" * 53], "at most 52 characters"),
    ("DnsSubdomain", ["", "a..b", ".a", "a.", "A", SUBDOMAIN_253 + "a"], "at most 253 characters"),
    ("ServiceName", ["1a", "a.b", "-", "a" * 64], "starting with a letter"),
    ("ElementId", ["", "a.b", "$a", "a b", "a" * 65], "Use letters, digits, '-' and '_'"),
    ("EntryId", ["a\n", "\x00", "a" * 129, "\ud800"], "printable"),
    ("Line", ["a\nb", "x" * 257], "one line"),
    ("Argument", ["a\x00", "x" * 32769, "\udfff"], "without NUL"),
    (
        "IngressHost",
        ["", "A.example.com", "a.*.b", "**.a", "*", "192.0.2.1", "a:80", "a" * 64, "http://a"],
        "Write a host name such as app.example.com",
    ),
    ("HostName", ["", "*.a", "a_b", "a" * 64 + ".b"], "Write a host name such as db.example.com"),
    ("Count", [-1, 2**31, 1.0, "1", True], ""),
    ("Positive", [0], "greater than or equal to 1"),
    ("Percent", [0, 101], ""),
    ("Port", [0, 65536, -1, 80.0, "80"], ""),
    ("Flag", ["true", 1, "yes"], ""),
    (
        "PortOrName",
        [0, 65536, -1, "", "1-2", "HTTP", "a--b", "-a", "a-", "a" * 16, "é", "http "],
        "Write a port from 1 to 65535, or a port's name",
    ),
    ("PortOrName", [True, 1.5], "Write a whole number or a text."),
    ("PortOrName", ["65536"], "Write a port from 1 to 65535"),
    (
        "CountOrPercent",
        [-1, 2**31, "101%", "-1%", "5 %", "%", "1.5%", "five"],
        "Write a number of pods, or a percentage from 0% to 100%.",
    ),
    ("PortName", ["", "80", "a--b", "a" * 16, "A"], "at most 15"),
    ("Quantity", ["", "1K", "1 Gi", "-1", "abc", "NaN"], "Write a quantity such as 500m"),
    ("StorageSize", ["0", "0Gi", "0.0"], "greater than 0"),
    ("StorageSize", ["10 Gi"], "Write a quantity"),
    ("ImageReference", ["", "Nginx", "a b"], "Write an image reference such as nginx:1.27"),
    ("Schedule", ["", "* * * *", "0 0 * * 7", "@reboot"], ""),
    ("Schedule", ["TZ=UTC * * * * *"], "Leave the time zone out of the schedule and set timeZone."),
    (
        "TimeZone",
        ["", "Local", "Mars/Olympus", "europe/berlin", "../etc/passwd", "Europe/Berlin\n", "CEST"],
        "Write the name of an IANA time zone, such as Europe/Berlin or Etc/UTC.",
    ),
    ("Cidr", ["10.0.0.1/8"], "The address has bits beyond its prefix: write 10.0.0.0/8."),
    (
        "Cidr",
        [
            "",
            "10.0.0.0",
            "10.0.0.0/33",
            "010.0.0.0/8",
            "10.0.0.0/255.0.0.0",
            "x/8",
            "::/129",
            "fe80::%a/64",
        ],
        "Write an address range such as 10.0.0.0/8",
    ),
    (
        "IpAddress",
        ["", "1.2.3", "10.0.0.0/8", "1.2.3.04", "fe80::1%eth0", "::ffff:10.0.0.1"],
        "Write an IP address",
    ),
    ("Cidr", ["::ffff:10.0.0.0/104"], "Write an address range"),
    (
        "MountPath",
        ["", "etc", "/a:b", "/a/../b", "/..", "/a\n", "/" + "x" * 1024],
        "Write an absolute path such as /etc/config, without ':'",
    ),
    ("RelativePath", ["", "/a", "../a", "a/..", "x" * 1025], "without a leading '/'"),
    ("HttpPath", ["", "api", "/a b", "/a\n", "/" + "x" * 1024], "starts with '/'"),
    ("EnvName", ["", "1A", "A=B", "A B", "É", "..", "x" * 254], "not starting with a digit"),
    ("DataKey", ["", ".", "..", "..a", "a/b", "a b", "x" * 254], "not starting with '..'"),
]


def check(name: str, value: Any) -> Any:
    return TypeAdapter(getattr(fields, name)).validate_python(value)


@pytest.mark.parametrize(("name", "values"), ACCEPTED)
def test_accepted_as_written(name: str, values: list[Any]) -> None:
    assert [check(name, value) for value in values] == values


@pytest.mark.parametrize(("name", "values", "says"), REFUSED)
def test_refused_with_what_is_allowed(name: str, values: list[Any], says: str) -> None:
    for value in values:
        with pytest.raises(ValidationError) as refused:
            check(name, value)
        (error, *_) = refused.value.errors()
        assert says in error["msg"], (value, error["msg"])


def test_digits_are_a_number_where_a_name_has_a_letter() -> None:
    assert check("PortOrName", "8080") == 8080
    assert check("CountOrPercent", "2") == 2


@pytest.mark.parametrize("name", [name for name, _ in ACCEPTED])
def test_the_json_schema_agrees(name: str) -> None:
    """What a form drawn from the schema lets through or stops early is never wrong."""
    drawn = TypeAdapter(getattr(fields, name)).json_schema()
    accepted = next(values for of, values in ACCEPTED if of == name)
    for value in accepted:
        if "pattern" in drawn:
            assert re.search(drawn["pattern"], value), value
        if "maxLength" in drawn:
            assert drawn.get("minLength", 0) <= len(value) <= drawn["maxLength"], value
        if "maximum" in drawn:
            assert drawn["minimum"] <= value <= drawn["maximum"], value


# ------------------------------------------------------------------------------------------ maps


def map_refusals(name: str, value: Any) -> dict[str, str]:
    try:
        TypeAdapter(getattr(maps, name)).validate_python(value)
    except ValidationError as error:
        return {".".join(map(str, e["loc"])): e["msg"] for e in error.errors()}
    return {}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Labels", {}),
        ("Labels", {"app": "web", "example.com/a": "", "a": "x" * 63, "A.b_c-d": "1.0"}),
        ("Labels", {f"{'a' * 63}.{'b' * 63}/{'c' * 63}": "v"}),
        ("Labels", {str(i): "" for i in range(64)}),
        ("Annotations", {"a": "any text\nwith lines"}),
        ("Annotations", {"a": "x" * (256 * 1024 - 1)}),
        ("Environment", {"A": "", "b.c": "x=y\n"}),
        ("ConfigData", {"app.conf": "a\nb"}),
        ("ConfigData", {"a": "x" * (1024 * 1024 - 1)}),
        ("KeyPaths", {"tls.crt": "certs/tls.crt"}),
        ("HttpHeaders", {"X-Probe": "1"}),
    ],
)
def test_map_accepted(name: str, value: Any) -> None:
    assert map_refusals(name, value) == {}


@pytest.mark.parametrize(
    ("name", "value", "path", "says"),
    [
        ("Labels", {"a b": "x"}, "a b", "A key is at most 63 letters"),
        ("Labels", {"": "x"}, "", "A key is at most 63 letters"),
        ("Labels", {"x/": "x"}, "x/", "A key is at most 63 letters"),
        ("Labels", {"X/a": "x"}, "X/a", "A key is at most 63 letters"),
        ("Labels", {"a" * 64: "x"}, "a" * 64, "A key is at most 63 letters"),
        ("Labels", {"a": "x" * 64}, "a", "A value is empty, or at most 63"),
        ("Labels", {"a": "-x"}, "a", "A value is empty, or at most 63"),
        ("Labels", {"a": "x\n"}, "a", "A value is empty, or at most 63"),
        ("Labels", {str(i): "" for i in range(65)}, "", "At most 64 entries"),
        ("Annotations", {"a": "x" * 256 * 1024}, "", "at most 256 KiB"),
        ("Annotations", {"a": "é" * 128 * 1024}, "", "at most 256 KiB"),
        ("Annotations", {"a": "\x00"}, "a", "no NUL"),
        ("Annotations", {"a": "\ud800"}, "a", "no NUL"),
        ("Environment", {"1A": "x"}, "1A", "not starting with a digit"),
        ("Environment", {"A\x00": "x"}, "A?", "not starting with a digit"),
        ("ConfigData", {"a/b": "x"}, "a/b", "not starting with '..'"),
        ("ConfigData", {"a": "x" * 1024 * 1024}, "", "at most 1024 KiB"),
        ("KeyPaths", {"a": "../b"}, "a", "without '..'"),
        ("HttpHeaders", {"X Probe": "1"}, "X Probe", "header name"),
        ("HttpHeaders", {"X": "1\r\nY: 2"}, "X", "one line"),
    ],
)
def test_map_refused_at_the_entry(name: str, value: Any, path: str, says: str) -> None:
    found = map_refusals(name, value)
    assert list(found) == [path]
    assert says in found[path]


def nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(depth - 1):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"a": [1, 2.5, "x", True, None, {"b": []}]},
        {"a": 2**63 - 1, "b": -(2**63)},
        nested(20),
        {"a": "x" * (64 * 1024 - 9)},
        {"$set": {"a.b": 1}},
    ],
)
def test_json_accepted(value: Any) -> None:
    assert map_refusals("Json", value) == {}


@pytest.mark.parametrize(
    ("value", "path", "says"),
    [
        ({"a": 2**63}, "a", "64 bits"),
        ({"a": [float("nan")]}, "a.0", "finite"),
        ({"a": float("inf")}, "a", "finite"),
        ({"a": "\x00"}, "a", "no NUL"),
        ({"a": {"b\x00": 1}}, "a", "A key"),
        ({"a": {1: 2}}, "a", "A key"),
        ({"a": {"x" * 254: 2}}, "a", "A key"),
        ({"a": object()}, "a", "Use text, numbers"),
        ({"a": (1,)}, "a", "Use text, numbers"),
        (nested(21), "", "20 levels"),
        (nested(5000), "", "20 levels"),
        ({"a": "x" * (64 * 1024 - 8)}, "", "64 KiB"),
        ({"a": [0] * 70_000}, "", "64 KiB"),
    ],
)
def test_json_refused(value: Any, path: str, says: str) -> None:
    found = map_refusals("Json", value)
    assert list(found) == [path]
    assert says in found[path]


@given(st.sampled_from([name for name, _ in ACCEPTED]), st.text() | st.integers() | st.floats())
def test_any_value_is_answered(name: str, value: Any) -> None:
    try:
        check(name, value)
    except ValidationError as error:
        assert all(e["msg"] for e in error.errors())
