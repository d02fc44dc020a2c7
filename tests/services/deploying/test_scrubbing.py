"""What a cluster says of any object may quote a secret value; what is answered never does."""

import base64
import json
from collections.abc import Awaitable, Callable
from urllib.parse import quote, quote_plus

import pytest

from app.domain.deploying import DeployDraft, DeployRefused, Values
from app.domain.errors import (
    ClusterError,
    ClusterFault,
    Conflict,
    DomainError,
    FieldProblem,
    Invalid,
    StatusCause,
)
from app.domain.problems import Problem, Severity
from app.domain.user import Actor
from app.domain.workflow import Workflow
from app.kube.client import Answer, Request
from app.services import Services
from app.services.deploying.scrubbing import scrubbed
from tests.deploying import demo_values, deployments, parts
from tests.services.deploying.working import Wire

VALUE = 'p"a\\s/s ü=?'
PEM = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG\n9w0BAQEFAASC\n-----END KEY-----\n"


def raised(error: DomainError, *values: str) -> DomainError:
    """The error as it leaves a request that has these values."""
    given: Values = {"n1": {f"key-{number}": value for number, value in enumerate(values)}}
    with pytest.raises(type(error)) as caught, scrubbed(given):
        raise error
    assert caught.value is error
    return error


def said(text: str, *values: str) -> str:
    return raised(Conflict(text), *values).message


@pytest.mark.parametrize(
    "spelling",
    [
        VALUE,
        json.dumps(VALUE)[1:-1],
        json.dumps(VALUE, ensure_ascii=False)[1:-1],
        base64.b64encode(VALUE.encode()).decode(),
        base64.urlsafe_b64encode(VALUE.encode()).decode().rstrip("="),
        quote(VALUE),
        quote(VALUE, safe=""),
        quote_plus(VALUE),
    ],
)
def test_a_value_is_found_in_every_spelling(spelling: str) -> None:
    message = said(f"It says: {spelling}, and {spelling}.", "other", VALUE)
    assert message.replace("=", "") == "It says: ***, and ***."


def test_a_long_value_is_known_by_its_lines_and_without_its_line_breaks() -> None:
    assert said("It says: MIIEvQIBADANBgkqhkiG is bad.", PEM) == "It says: *** is bad."
    assert said(f"It says: {' '.join(PEM.split())} is bad.", PEM) == "It says: *** is bad."


def test_a_value_that_is_cut_off_is_none_the_less_one() -> None:
    assert said("It says: token abcdefgh…. (and 2 more)", "abcdefghijklm") == (
        "It says: token ***…. (and 2 more)"
    )
    assert said("It says: abcx…", "abcdefgh") == "It says: abcx…"


def test_the_longer_of_two_values_goes_as_a_whole() -> None:
    assert said("It says: password-2.", "password", "password-2") == "It says: ***."


def test_values_of_three_characters_are_not_looked_for() -> None:
    assert said("It says: web is not up.", "web", "") == "It says: web is not up."


def test_everything_that_an_error_carries_is_clean() -> None:
    value = "hunter-2"
    error = raised(
        ClusterError(
            ClusterFault.INVALID,
            f"no {value}",
            causes=[
                StatusCause("Bad", f"not {value}", f"spec.{value}"),
                StatusCause("Bad", "none"),
            ],
        ),
        value,
    )
    assert isinstance(error, ClusterError)
    assert (str(error), error.message, error.fault) == ("no ***", "no ***", ClusterFault.INVALID)
    assert error.causes == [
        StatusCause("Bad", "not ***", "spec.***"),
        StatusCause("Bad", "none"),
    ]
    path = ("manifests", "Deployment", value, f"env[{value}]")
    problems = [Problem("INVALID", f"no {value}", "n1", path, Severity.ERROR)]
    refused = raised(DeployRefused(problems), value)
    assert isinstance(refused, DeployRefused)
    path = (*path[:3], "env[***]")
    assert refused.problems == [Problem("INVALID", "no ***", "n1", path, Severity.ERROR)]
    assert (refused.message, refused.path) == ("no ***", list(path))
    invalid = raised(Invalid([FieldProblem(("message",), f"no {value}")]), value)
    assert isinstance(invalid, Invalid)
    assert invalid.problems == [FieldProblem(("message",), "no ***")]


@pytest.mark.parametrize("of", ["deployments", "secrets", "configmaps"])
@pytest.mark.parametrize("status", [400, 403, 409, 422, 500])
async def test_what_a_webhook_quotes_is_not_repeated(
    services: Services, owner: Actor, shop: Workflow, of: str, status: int
) -> None:
    values = demo_values()
    value = values["web"]["DATABASE_PASSWORD"]
    encoded = base64.b64encode(value.encode()).decode()
    wire = Wire(parts(services).connect)

    async def answers(request: Request, go_on: Callable[[], Awaitable[Answer]]) -> Answer:
        if request.method == "GET" or f"/{of}" not in request.path:
            return await go_on()
        fault = {403: ClusterFault.FORBIDDEN, 409: ClusterFault.CONFLICT}.get(status)
        quoted = f'admission webhook "w" denied the request: {value} {encoded}'
        raise ClusterError(
            fault or (ClusterFault.UNAVAILABLE if status == 500 else ClusterFault.INVALID),
            f"It refuses (HTTP {status}). It says: {quoted}",
            status=status,
            causes=[StatusCause("FieldValueInvalid", quoted, f"env[{value}]")],
        )

    wire.answers = answers
    with pytest.raises(DomainError) as caught:
        await deployments(services, connect=wire.connect).deploy(
            owner, DeployDraft(shop.id, values=values)
        )
    error = caught.value
    told = f"{error.message} {error.path} {error} {getattr(error, 'problems', '')}"
    assert value not in told
    assert encoded not in told
