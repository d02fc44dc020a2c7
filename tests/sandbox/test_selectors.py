"""Label and field selectors, and the words in which they are refused."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.sandbox.selectors import (
    SelectorError,
    from_label_selector,
    parse_fields,
    parse_labels,
)

WEB = {"app": "web", "tier": "front", "size": "3", "example.com/x": ""}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", True),
        (" ", True),
        ("app=web", True),
        ("app==web", True),
        ("app = web", True),
        ("app=api", False),
        ("app!=api", True),
        ("app!=web", False),
        ("missing!=x", True),
        ("missing=", False),
        ("example.com/x=", True),
        ("example.com/x", True),
        ("app", True),
        ("missing", False),
        ("!missing", True),
        ("!app", False),
        ("app in (web,api)", True),
        ("app in (api)", False),
        ("app notin (api)", True),
        ("app notin (web)", False),
        ("missing notin (x)", True),
        ("missing in (x)", False),
        ("example.com/x in ()", True),
        ("app in (,web)", True),
        ("app=web,tier=front", True),
        ("app=web,tier=back", False),
        ("app=web,!missing,tier in (front)", True),
        ("size>2", True),
        ("size>3", False),
        ("size<4", True),
        ("app>2", False),
        ("missing<2", False),
        ("in=in", False),
        ("notin notin (in)", True),
        ("\tapp\nin\r( web , api )", True),
    ],
)
def test_which_labels_match(text: str, found: bool) -> None:
    assert parse_labels(text).matches(WEB) is found


def test_an_object_may_have_no_labels() -> None:
    assert parse_labels("!app").matches(None)
    assert not parse_labels("app").matches(None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("=", "found '=', expected: !, identifier, or 'end of string'"),
        (",", "found ',', expected: !, identifier, or 'end of string'"),
        ("(a)", "found '(', expected: !, identifier, or 'end of string'"),
        ("a=b,", "found '', expected: identifier after ','"),
        ("a,,b", "found ',', expected: identifier after ','"),
        ("a=b c", "found 'c', expected: ',' or 'end of string'"),
        ("!a=b", "found '=', expected: ',' or 'end of string'"),
        ("!", "unable to parse requirement: found '', expected: identifier"),
        ("!!a", "unable to parse requirement: found '!', expected: identifier"),
        ("a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"),
        ("a=!", "unable to parse requirement: found '!', expected: identifier"),
        ("a in b", "unable to parse requirement: found 'b' expected: '('"),
        ("a in (", "unable to parse requirement: found '', expected: ',', ')' or identifier"),
        ("a in (b", "unable to parse requirement: found '', expected: ',' or ')'"),
        ("a in (b c)", "unable to parse requirement: found 'c', expected: ',' or ')'"),
        (
            "a>x",
            'unable to parse requirement: values[0]: Invalid value: "x": '
            "for 'Gt', 'Lt' operators, the value must be an integer",
        ),
        (
            "a=-",
            'unable to parse requirement: values[0][a]: Invalid value: "-": a valid label must be '
            "an empty string or consist of alphanumeric characters, '-', '_' or '.', and must "
            "start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or "
            "'12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
        ),
        (
            "a in (b," + "c" * 64 + ")",
            f'unable to parse requirement: values[1][a]: Invalid value: "{"c" * 64}": '
            "must be no more than 63 bytes",
        ),
        (
            "-a",
            'unable to parse requirement: <nil>: Invalid value: "-a": name part must consist of '
            "alphanumeric characters, '-', '_' or '.', and must start and end with an "
            "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "
            "validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
        ),
        (
            "A.b/c",
            'unable to parse requirement: <nil>: Invalid value: "A.b/c": prefix part a lowercase '
            "RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "
            "and must start and end with an alphanumeric character (e.g. 'example.com', regex "
            "used for validation is "
            r"'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
        ),
    ],
)
def test_how_a_label_selector_is_refused(text: str, message: str) -> None:
    with pytest.raises(SelectorError) as caught:
        parse_labels(text)
    assert str(caught.value) == message


@given(st.text("ab=!<>(), in", max_size=12))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    try:
        parse_labels(text).matches({"a": "b"})
    except SelectorError as error:
        assert "expected: " in str(error) or "Invalid value: " in str(error)


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        (None, False),
        ({}, True),
        ({"matchLabels": {"app": "web"}}, True),
        ({"matchLabels": {"app": "api"}}, False),
        ({"matchExpressions": [{"key": "app", "operator": "In", "values": ["web"]}]}, True),
        ({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["web"]}]}, False),
        ({"matchExpressions": [{"key": "app", "operator": "Exists"}]}, True),
        ({"matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]}, False),
        (
            {
                "matchLabels": {"app": "web"},
                "matchExpressions": [{"key": "tier", "operator": "Exists"}],
            },
            True,
        ),
    ],
)
def test_the_selector_of_an_object(selector: Any, found: bool) -> None:
    assert from_label_selector(selector).matches(WEB) is found


def test_an_object_with_an_unknown_operator_is_refused() -> None:
    with pytest.raises(SelectorError, match='"Is" is not a valid label selector operator'):
        from_label_selector({"matchExpressions": [{"key": "a", "operator": "Is"}]})


POD = {
    "metadata": {"name": "web", "namespace": "demo"},
    "spec": {"nodeName": "node-1", "hostNetwork": True},
    "status": {"phase": "Running"},
}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", True),
        (",", True),
        ("metadata.name=web", True),
        ("metadata.name==web", True),
        ("metadata.name!=web", False),
        ("metadata.name=web,metadata.namespace=demo", True),
        ("metadata.name=web,metadata.namespace=other", False),
        ("status.phase=Running", True),
        ("status.phase!=Running", False),
        ("status.podIP=", True),
        ("spec.host=node-1", True),
        ("spec.hostNetwork=true", True),
        ("spec.restartPolicy=Always", False),
        (r"metadata.name=a\,b", False),
    ],
)
def test_which_pods_match(text: str, found: bool) -> None:
    assert parse_fields(text, "v1", "Pod").matches(POD) is found


@pytest.mark.parametrize(
    ("api_version", "kind", "text", "obj"),
    [
        ("v1", "Node", "spec.unschedulable=false", {}),
        ("v1", "Node", "spec.unschedulable=true", {"spec": {"unschedulable": True}}),
        ("v1", "Namespace", "status.phase=Active", {"status": {"phase": "Active"}}),
        ("v1", "Secret", "type=Opaque", {"type": "Opaque"}),
        ("v1", "Service", "spec.type=ClusterIP", {"spec": {"type": "ClusterIP"}}),
        ("v1", "Event", "involvedObject.name=web", {"involvedObject": {"name": "web"}}),
        ("v1", "Event", "source=kubelet", {"source": {"component": "kubelet"}}),
        ("apps/v1", "ReplicaSet", "status.replicas=0", {}),
        ("batch/v1", "Job", "status.successful=2", {"status": {"succeeded": 2}}),
        ("batch/v1", "Job", "status.successful!=1", {"status": None}),
    ],
)
def test_fields_of_other_kinds(api_version: str, kind: str, text: str, obj: Any) -> None:
    assert parse_fields(text, api_version, kind).matches(obj)


def test_the_selectable_fields_of_a_custom_resource() -> None:
    selector = parse_fields("spec.colour=red", "x/v1", "Car", (".spec.colour",))
    assert selector.matches({"spec": {"colour": "red"}})
    assert not selector.matches({"spec": {}})
    with pytest.raises(SelectorError, match=r"^field label not supported: spec\.size$"):
        parse_fields("spec.size=1", "x/v1", "Car", (".spec.colour",))


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        ("Pod", "spec.image=x", "field label not supported: spec.image"),
        ("Node", "metadata.namespace=x", "field label not supported: metadata.namespace"),
        (
            "ConfigMap",
            "data.a=x",
            '"data.a" is not a known field selector: only "metadata.name", "metadata.namespace"',
        ),
        ("Pod", "type", "invalid selector: 'type'; can't understand 'type'"),
        (
            "Pod",
            "metadata.name=a=b",
            "invalid field selector: unescaped character in value: 61",
        ),
        (
            "Pod",
            r"metadata.name=a\b",
            r"invalid field selector: invalid escape sequence: \b",
        ),
        ("Pod", "metadata.name=a\\", "invalid field selector: invalid escape sequence: \\"),
    ],
)
def test_how_a_field_selector_is_refused(kind: str, text: str, message: str) -> None:
    with pytest.raises(SelectorError) as caught:
        parse_fields(text, "v1", kind)
    assert str(caught.value) == message


@given(st.text())
def test_any_value_can_be_selected_when_escaped(value: str) -> None:
    escaped = "".join(f"\\{char}" if char in "\\,=" else char for char in value)
    selector = parse_fields(f"metadata.name={escaped},metadata.namespace=demo", "v1", "Pod")
    assert selector.matches({"metadata": {"name": value, "namespace": "demo"}})
