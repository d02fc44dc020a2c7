"""Whatever is written in the form of YAML: a canvas that can be saved, or a refusal of a field."""

import contextlib
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.compile import compile
from app.domain.editing import Limits
from app.domain.errors import Invalid, LimitExceeded
from app.domain.importing.imported import Imported
from app.domain.problems import Severity, problems
from tests.domain import apiserver
from tests.domain.importing.compose.reading import (
    CASES,
    case,
    notes,
    read,
    read_service,
    service,
    written,
)
from tests.domain.importing.compose.test_every_key import CONTENT, keys

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 70_000),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(
        [
            *("", "a", "web", "80", "80:80", "1-70000", "a:/b", "./a:/b:ro", "/c", "x=y", "A", "="),
            *("$", "$$", "${", "${A", "${A:-b}", "$TOKEN", "1m30s", "1g", "-1", "yes", "host"),
            *("service_healthy", "no", "on-failure:3", "global", "postgres", "redis:7", "CMD"),
            *("postgres://a:b@c/d", "db:5432", "http://web", "x" * 300, "ü☃", "a b\nc", "\x07"),
        ]
    ),
)
NAMES = st.sampled_from(
    sorted({step for path in keys(CONTENT) for step in path if not step.isdigit()} | {"a", "A B"})
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=4)),
    max_leaves=8,
)


def check(result: Imported) -> None:
    """What is true of every canvas that is read."""
    canvas = result.canvas
    errors = [p for p in problems(canvas) if p.severity is Severity.ERROR]
    assert errors == []
    for manifest in compile(
        canvas, workflow_id="65f000000000000000000001", workflow_name="x", namespace="default"
    ):
        assert apiserver.refusals(manifest.object, apiserver.NEWEST) == []
    for note in result.notes:
        assert note.message
        assert note.node_id is None or note.node_id in canvas.nodes
        assert all(isinstance(step, str) for step in note.path)


def read_or_refuse(text: str, **given_: Any) -> None:
    try:
        result = read(text, **given_)
    except Invalid as refused:
        assert all(problem.path for problem in refused.problems)
    except LimitExceeded as refused:
        assert refused.limit
    else:
        check(result)


@given(VALUES)
def test_any_file(value: Any) -> None:
    read_or_refuse(written(value) if isinstance(value, dict) else repr(value))


@given(st.dictionaries(NAMES, VALUES, max_size=8))
def test_any_service(content: dict[str, Any]) -> None:
    read_or_refuse(written({"services": {"web": {**content, "image": "a"}}}))


@given(st.data())
def test_the_file_with_every_key_and_anything_in_the_place_of_some(data: st.DataObject) -> None:
    _, given_ = case("every-key")
    paths = data.draw(st.lists(st.sampled_from(list(keys(CONTENT))), min_size=1, max_size=4))
    content: Any = CONTENT
    for path in paths:
        content = replaced(content, path, data.draw(VALUES))
    read_or_refuse(written(content), **given_)


def replaced(content: Any, path: tuple[str, ...], value: Any) -> Any:
    """The content with another value at a path, as far as the path still leads somewhere."""
    if not path:
        return value
    step, *rest = path
    if isinstance(content, dict) and step in content:
        return {**content, step: replaced(content[step], tuple(rest), value)}
    if isinstance(content, list) and step.isdigit() and int(step) < len(content):
        made = list(content)
        made[int(step)] = replaced(made[int(step)], tuple(rest), value)
        return made
    return content


@given(st.text(max_size=60), st.dictionaries(st.text("AB_", min_size=1), st.text(max_size=20)))
def test_any_text_as_a_value(text: str, variables: dict[str, str]) -> None:
    content = {"image": text, "environment": {"A": text}, "command": text, "ports": [text]}
    read_or_refuse(written({"services": {"web": content}}), variables=variables)


@given(st.text(max_size=200))
def test_any_env_file(text: str) -> None:
    content = {"services": {"web": {"image": "a", "env_file": "e"}}}
    read_or_refuse(written(content), files={"e": text, ".env": text})


@given(st.text(max_size=60))
def test_any_text_as_a_file(text: str) -> None:
    read_or_refuse(text)
    files = {"a": text}
    content = {"include": ["a"], "services": {"web": {"extends": {"file": "a", "service": "b"}}}}
    read_or_refuse(written(content), files=files)


@pytest.mark.parametrize("name", CASES)
def test_reading_twice_gives_the_same(name: str) -> None:
    text, given_ = case(name)
    assert read(text, **given_) == read(text, **given_)


HOSTILE = {
    "extends in a long chain": "services:\n"
    + "\n".join(f"  s{i}: {{extends: s{i + 1}, image: a}}" for i in range(2_000)),
    "depends on everything": "services:\n"
    + "\n".join(
        f"  s{i}: {{image: a, depends_on: [{', '.join(f's{j}' for j in range(60))}]}}"
        for i in range(500)
    ),
    "aliases": "services: {a: {image: a, ports: [80, 81], networks: {default: {aliases: ["
    + ", ".join(f"a{i}" for i in range(50_000))
    + "]}}}}",
    "disks": "services: {a: {image: mongo, volumes: ["
    + ", ".join(f"/data/d{i}" for i in range(50_000))
    + "]}}",
    "ranges": "services: {a: {image: a, ports: ["
    + ", ".join(f"'1-65535:{i}-65535'" for i in range(1, 20_000))
    + "]}}",
    "tokens": "services: {a: {image: a, command: ["
    + ", ".join(f"$TOKEN_{i}_TOKEN" for i in range(20_000))
    + "], environment: ["
    + ", ".join(f"V{i}=x" for i in range(20_000))
    + "]}}",
    "open braces": "services: {a: {image: '" + "${A:-" * 50_000 + "'}}",
    "many dollars": "services: {a: {image: a, command: '" + "$" * 200_000 + "'}}",
    "hosts in a list": "services: {a: {image: a, environment: {HOSTS: '" + "a," * 100_000 + "'}}}",
    "colons": "services: {a: {image: a, environment: {X: '" + "a:" * 100_000 + "'}}}",
    "words of options": "services: {a: {image: a, command: '" + "--token " * 30_000 + "'}}",
    "unknown keys": "services: {a: {image: a, "
    + ", ".join(f"k{i}: 1" for i in range(50_000))
    + "}}",
    "long names": "services: {" + "a" * 900 + ": {image: a, ports: ['" + "8" * 90_000 + "']}}",
    "the same range": "services: {a: {image: a, expose: ["
    + ", ".join(["'1-65535'"] * 50_000)
    + "]}}",
    "one long word": "services: {a: {image: a, command: '" + "${A_PASSWORD}" * 80_000 + "'}}",
    "many words": "services: {a: {image: a, command: [" + "a, " * 150_000 + "]}}",
    "more services than a workflow": "services: {"
    + ", ".join(f"s{i}: {{image: a}}" for i in range(40_000))
    + "}",
    "hyphens": "services: {a: {image: a, configs: [c]}}\nconfigs: {c: {content: '"
    + "-" * 900_000
    + "'}}",
    "users": "services: {a: {image: a, environment: {X: '" + "a:" * 450_000 + "'}}}",
    "options in options": "services: {a: {image: a, command: '" + "-a=" * 40_000 + "'}}",
    "blank lines": 'services: {a: {image: a, configs: [c]}}\nconfigs: {c: {content: "'
    + "\\n" * 100_000
    + '"}}',
}


def seconds(text: str) -> float:
    """Of computing, to read or to refuse a text."""
    begun = time.process_time()
    with contextlib.suppress(Invalid, LimitExceeded):
        read(text, limits=Limits(nodes=5_000))
    return time.process_time() - begun


@pytest.fixture(scope="module")
def pace() -> float:
    """Seconds for each character of an honest file of many services."""
    one = service(ports=["80:80"], environment={f"V{i}": "http://web:80" for i in range(20)})
    body = one.split("web:\n", 1)[1]
    many = "services:\n" + "".join(f"  web{i}:\n{body}" for i in range(200))
    return seconds(many) / len(many)


@pytest.mark.parametrize("name", HOSTILE)
def test_time_grows_with_the_text_alone(name: str, pace: float) -> None:
    """Anything quadratic would take hundreds of times as long as an honest file of that size."""
    assert seconds(HOSTILE[name]) < 10 * pace * len(HOSTILE[name]) + 1


FILES = {
    "defaults that double": (
        service(),
        {".env": "A0=" + "x" * 300_000 + "\n" + "".join(f"A{i + 1}=$A{i}\n" for i in range(3_000))},
    ),
    "an env_file that doubles": (
        service(env_file="e"),
        {"e": "A0=" + "x" * 300_000 + "\n" + "".join(f"A{i + 1}=$A{i}\n" for i in range(3_000))},
    ),
    "one env_file many times": (
        written({"include": [{"path": "b", "env_file": ["e"] * 65}], "services": {"a": {}}}),
        {"e": "A=b", "b": service()},
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_files_of_variables_are_bounded(name: str) -> None:
    text, files = FILES[name]
    with pytest.raises(Invalid, match=r"longer than 4 MiB|More than 64 files"):
        read(text, files=files)


def test_a_command_that_is_too_long_is_left_out() -> None:
    says = (
        "A command has at most 128 KiB and 4096 words: it is left out. Put it into a file of the "
        "image."
    )
    for command in ("a" * 131_073, ["a"] * 4_097):
        assert notes(read_service(command=command)) == [f"ignored services.web.command: {says}"]
