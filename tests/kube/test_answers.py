"""Refusals in the words of Kubernetes 1.36.2, and what becomes of them."""

import json
from typing import Any

import pytest

from app.domain.errors import ClusterFault, StatusCause
from app.kube.answers import refusal, retry_after, warnings
from app.kube.endpoint import Endpoint
from tests.kube.serving import status

HERE = Endpoint("cluster.example:6443")
TYPED = "failed to create typed patch object (a/web; apps/v1, Kind=Deployment): "


def refused(code: int, message: str, **more: Any) -> Any:
    return refusal(code, json.dumps(status(code, message, **more)).encode(), {}, HERE)


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        (302, ClusterFault.NOT_KUBERNETES),
        (400, ClusterFault.INVALID),
        (401, ClusterFault.UNAUTHORIZED),
        (403, ClusterFault.FORBIDDEN),
        (404, ClusterFault.NOT_FOUND),
        (405, ClusterFault.INVALID),
        (409, ClusterFault.CONFLICT),
        (410, ClusterFault.GONE),
        (415, ClusterFault.INVALID),
        (422, ClusterFault.INVALID),
        (429, ClusterFault.THROTTLED),
        (500, ClusterFault.UNAVAILABLE),
        (503, ClusterFault.UNAVAILABLE),
        (504, ClusterFault.TIMED_OUT),
    ],
)
def test_each_status_has_its_fault(code: int, fault: ClusterFault) -> None:
    error = refused(code, "because")

    assert (error.fault, error.status) == (fault, code)
    assert "cluster.example:6443" in error.message


@pytest.mark.parametrize(
    ("message", "causes"),
    [
        (
            f"{TYPED}.spec.replicsa: field not declared in schema",
            [("spec.replicsa", "field not declared in schema")],
        ),
        (
            f"{TYPED}errors:\n"
            "  .spec.replicas: expected numeric (int or float), got string\n"
            '  .spec.template.spec.containers[name="a b"].env: duplicate entries for key '
            '[name="A"]',
            [
                ("spec.replicas", "expected numeric (int or float), got string"),
                (
                    'spec.template.spec.containers[name="a b"].env',
                    'duplicate entries for key [name="A"]',
                ),
            ],
        ),
        (
            f"{TYPED}.metadata.labels.app.kubernetes.io/name: expected string, got 7",
            [("metadata.labels.app.kubernetes.io/name", "expected string, got 7")],
        ),
        ("failed to convert new object (a/web; apps/v1, Kind=X) to proper version: quantities", []),
    ],
)
def test_an_internal_error_that_is_the_clients(message: str, causes: list[tuple[str, str]]) -> None:
    """What server-side apply cannot type is a 500 without a reason."""
    error = refused(500, message)

    assert error.fault is ClusterFault.INVALID
    assert [(cause.field, cause.message) for cause in error.causes] == causes


def test_fields_of_strict_decoding() -> None:
    error = refused(
        400,
        'Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: '
        'unknown field "spec.replicsa", duplicate field "spec.paused"',
    )

    assert [(cause.field, cause.message) for cause in error.causes] == [
        ("spec.replicsa", "unknown field"),
        ("spec.paused", "duplicate field"),
    ]


def test_causes_of_an_invalid_object() -> None:
    cause = {"reason": "FieldValueInvalid", "message": "field is immutable", "field": "spec.x"}

    error = refused(422, "Deployment is invalid", details={"causes": [cause]})

    assert error.causes == [StatusCause("FieldValueInvalid", "field is immutable", "spec.x")]
    assert error.message.endswith("It says: Deployment is invalid")


def test_a_secret_is_not_quoted() -> None:
    told = status(
        422,
        "Secret is invalid: s3cret",
        details={"causes": [{"reason": "R", "message": "s3cret", "field": "data.a"}]},
    )

    error = refusal(422, json.dumps(told).encode(), {}, HERE, confidential=True)

    assert "s3cret" not in error.message
    assert error.causes == [StatusCause("R", "", "data.a")]
    assert "data.a" in error.message


def test_plain_text_is_no_status() -> None:
    error = refusal(404, b"404 page not found\n", {}, HERE)

    assert error.fault is ClusterFault.NOT_FOUND
    assert "page" not in error.message


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0),
        ("7", 7),
        (" 7 ", 7),
        ("100000", 3_600),
        ("-1", None),
        ("7.5", None),
        ("1e3", None),
        ("inf", None),
        ("", None),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
        ("9" * 5_000, None),
    ],
)
def test_when_to_come_back(header: str, seconds: float | None) -> None:
    assert retry_after({"Retry-After": header}) == seconds


def test_warnings_are_bounded() -> None:
    many = [f'299 - "warning {number}"' for number in range(1_000)]

    assert len(warnings(many, HERE)) == 20
    assert warnings(['299 - "same"'] * 5, HERE) == ["same"]
    assert warnings(['299 - "a\x1b[31mb"', '299 - "unfinished', ""], HERE) == ["a [31mb"]


@pytest.mark.parametrize("part", [".a", ".[", "[", '"', "\\", ".a[", "errors:\n .a", "299 - "])
def test_messages_that_are_made_to_be_slow(part: str) -> None:
    """Patterns that try everything would take for ever; the test would never end."""
    long = part * 200_000

    refused(500, TYPED + long)
    refused(400, "strict decoding error: " + long)
    warnings([long], HERE)


def test_secrets_are_taken_out() -> None:
    key = "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49\n-----END PRIVATE KEY-----\n"
    endpoint = Endpoint.of("here", ["token", None, "", key, "token-and-more"])

    assert endpoint.clean("a token-and-more token b") == "a *** *** b"
    assert endpoint.clean("x MIGHAgEAMBMGByqGSM49 y") == "x *** y"
    assert endpoint.clean(f"x {key} y") == "x *** y"
    assert endpoint.clean("x" * 490 + "token" * 3) == "x" * 490 + "*" * 9
    assert endpoint.clean("x" * 600) == "x" * 499 + "…"
    assert endpoint.clean("a\x00\u202e\n\tb") == "a b"
    assert "token" not in repr(endpoint)
