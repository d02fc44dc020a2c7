"""Documents of any shape: read, or refused in words; never anything else, and no value of a Secret.

The shapes are those of real objects with some parts replaced by others, so that they are strange in
every place that a reader looks at.
"""

import base64
import copy
import json
import time
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.domain import labels
from app.domain.editing import Limits
from app.domain.errors import Invalid, LimitExceeded
from app.domain.importing.imported import ImportCode
from app.domain.importing.manifests import MOST_NOTES
from tests.domain import test_golden
from tests.domain.importing.manifests.test_foreign import CASES, read, told

SECRET = "purple-elephant"
WHOLE = [
    [document for document in yaml.safe_load_all(file.read_text()) if document]
    for file in [*CASES, *(case.with_suffix(".yaml") for case in test_golden.CASES)]
]
STRANGE = [
    *(None, True, 0, -1, 1.5, 1e300, 2**70, "", "a", "A b", "\x01x", "\u2028", "x" * 300),
    *("1", "10.0.0.1/8", "everything", "None"),
    *([], [[]], [None], ["a"], [1], [{}], [{"name": ["x"]}], [{"name": "a"}, {"name": "a"}]),
    *({}, {"a": 1}, {"": ""}, {"name": None}, {"name": "a"}, {"key": {}}, {"\x00": "\x00"}),
    *({"matchExpressions": 1}, {"matchExpressions": [1]}, {"matchLabels": ["a"]}),
    {"kind": "List", "items": [{}, 1]},
]
KINDS = sorted({document["kind"] for documents in WHOLE[5:] for document in documents})


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    below = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    return [path, *(place for key, item in below for place in places(item, (*path, key)))]


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    made = copy.copy(value)
    made[path[0]] = replaced(value[path[0]], path[1:], new)
    return made


@st.composite
def strange(draw: st.DrawFn) -> list[Any]:
    """Documents with up to five places replaced; half of them as if no workflow had made them."""
    documents = copy.deepcopy(draw(st.sampled_from(WHOLE)))
    if draw(st.booleans()):
        for document in documents:
            if isinstance(document, dict):
                document.get("metadata", {}).get("labels", {}).pop(labels.WORKFLOW_ID, None)
    for _ in range(draw(st.integers(1, 5))):
        place = draw(st.sampled_from(places(documents)[1:] or [()]))
        word = place[-1:] == ("kind",) and draw(st.booleans())
        documents = replaced(documents, place, draw(st.sampled_from(KINDS if word else STRANGE)))
    return documents if isinstance(documents, list) else [documents]


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(strange())
def test_any_shape_is_read_or_refused(documents: list[Any]) -> None:
    try:
        imported = read("".join(f"---\n{json.dumps(document)}\n" for document in documents))
    except (Invalid, LimitExceeded) as error:
        assert error.path == ["content"]
    else:
        assert all(
            step.isprintable() and len(step) <= 253
            for note in imported.notes
            for step in (*note.path, note.message[:253])
        )


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(KINDS), st.sampled_from(["v1", "apps/v1", "batch/v1", "a/b/c"]), json_values)
def test_any_json_below_a_kind(kind: str, version: str, value: Any) -> None:
    document = {"apiVersion": version, "kind": kind, "metadata": {"name": "a"}, "spec": value}
    try:
        read(json.dumps(document))
    except Invalid as error:
        assert error.path == ["content"]


SECRETS = [
    {"data": {"a": base64.b64encode(SECRET.encode()).decode()}},
    {"stringData": {"a": SECRET}},
    {"stringData": {"a": [SECRET], "b": {"c": SECRET}}},
    {"stringData": SECRET},
    {"data": [SECRET]},
    {"data": {"bad key": SECRET}, "type": "kubernetes.io/basic-auth"},
    {"stringData": {"a": SECRET}, "metadata": {"name": "Bad Name!"}},
    {"stringData": {"a": SECRET}, "metadata": {"name": "a", "namespace": "Bad Namespace"}},
    {"stringData": {"a": SECRET}, "metadata": {"name": "a" * 300}},
    {"stringData": {"a": SECRET}, "metadata": {}},
    {
        "data": {"a": SECRET},
        "metadata": {
            "name": "a",
            "annotations": {
                "kubectl.kubernetes.io/last-applied-configuration": f'{{"data":"{SECRET}"}}'
            },
        },
    },
]


@pytest.mark.parametrize("parts", SECRETS, ids=str)
@pytest.mark.parametrize("twice", [False, True])
def test_no_value_of_a_secret_comes_out(parts: dict[str, Any], *, twice: bool) -> None:
    document = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}, **parts}
    other = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
    items = [document, other, *([document] if twice else [])]
    out = json.dumps(told(read(json.dumps({"kind": "List", "apiVersion": "v1", "items": items}))))
    assert SECRET not in out
    assert base64.b64encode(SECRET.encode()).decode() not in out


def test_the_keys_of_a_secret_are_kept_and_told() -> None:
    document = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "login"},
        "data": {"user": "YQ==", "password": "YQ=="},
        "stringData": {"token": "a", "user": "b"},
    }
    imported = read(json.dumps(document))
    (node,) = imported.canvas.nodes.values()
    assert [key.name for key in node.data.keys] == ["user", "password", "token"]  # type: ignore[attr-defined]
    assert {note.code for note in imported.notes} == {ImportCode.SECRET_LEFT_OUT}
    assert [".".join(note.path) for note in imported.notes] == [
        "documents.0.data.user",
        "documents.0.data.password",
        "documents.0.stringData.token",
        "documents.0.stringData.user",
    ]


@pytest.mark.parametrize("text", ["", "---\n", "hello", "[]", "{}", "- 1\n- 2", "null"])
def test_a_text_without_any_object_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        read(text)
    assert refused.value.path == ["content"]
    assert "no Kubernetes object" in refused.value.message


def test_more_objects_than_a_workflow_holds_are_refused_early() -> None:
    text = "".join(
        f"---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c{i}}}\n" for i in range(3)
    )
    assert len(read(text, Limits(nodes=3)).canvas.nodes) == 3
    with pytest.raises(LimitExceeded) as refused:
        read(text, Limits(nodes=2))
    assert (refused.value.limit, refused.value.path) == (2, ["content"])


def test_more_notes_than_anybody_reads_are_counted() -> None:
    names = ", ".join(f"x{i}: 1" for i in range(1500))
    spec = f"{{ports: [{{port: 1}}], {names}}}"
    text = f"{{apiVersion: v1, kind: Service, metadata: {{name: a}}, spec: {spec}}}"
    notes = read(text).notes
    assert len(notes) == MOST_NOTES + 1
    assert notes[-1].message == "There are 500 more places that are not carried over."


LONG = {
    "empty ports": lambda count: "ports: [" + "{}, " * count + "]",
    "ports": lambda count: f"ports: [{', '.join(f'{{port: {i}}}' for i in range(count))}]",
    "labels": lambda count: f"selector: {{{', '.join(f'k{i}: v' for i in range(count))}}}",
    "texts": lambda count: "loadBalancerSourceRanges: [" + "a, " * count + "]",
}


@pytest.mark.parametrize("part", LONG)
def test_the_time_grows_with_the_length_and_no_faster(part: str) -> None:
    def seconds(count: int) -> float:
        spec = f"{{{LONG[part](count)}}}"
        text = f"{{apiVersion: v1, kind: Service, metadata: {{name: a}}, spec: {spec}}}"
        taken = []
        for _ in range(3):
            start = time.process_time()
            read(text)
            taken.append(time.process_time() - start)
        return min(taken)

    assert seconds(20_000) < 40 * seconds(2_000)  # its square would be a hundred times
