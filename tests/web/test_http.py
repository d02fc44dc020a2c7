"""GraphQL over HTTP: what is understood, what is refused and how, and when a query stops."""

import json

import pytest
from structlog.testing import capture_logs

from app.settings import Settings, SpecMode
from app.web.requests import stack
from app.web.responses import negotiate
from schema.limits import Limits
from tests.web.serving import live

GRAPHQL = {"accept": "application/graphql-response+json"}
JSON = {"accept": "application/json"}
BOTH = (SpecMode.AUDIT, SpecMode.DRAFT)


@pytest.mark.parametrize(
    ("query", "audit", "draft"),
    [
        ("{ hello }", 200, 200),
        ("{ boom hello }", 200, 294),
        ("{ nothing }", 200, 294),
        ("{ hello", 400, 400),
        ("{ unknown }", 400, 422),
        ("query A { hello } query B { hello }", 400, 422),
        ("fragment F on Query { hello }", 400, 422),
        ("query ($n: String!) { hello(name: $n) }", 400, 422),
        ("{ a: hello b: hello c: hello }", 400, 422),
    ],
)
async def test_the_status_says_how_far_it_came(query: str, audit: int, draft: int) -> None:
    for mode, status in zip(BOTH, (audit, draft), strict=True):
        async with live(spec_mode=mode, limits=Limits(aliases=2)) as server:
            with capture_logs():
                answer = await server.post(query, headers=GRAPHQL)
                legacy = await server.post(query, headers=JSON)
        assert answer.status_code == status
        assert answer.headers["content-type"].startswith(GRAPHQL["accept"])
        executed = status in {200, 294}
        assert ("data" in answer.json()) is executed
        if mode is SpecMode.AUDIT:
            assert legacy.status_code == 200, "old clients know no other status"
            assert legacy.headers["content-type"].startswith("application/json")
        else:
            expected = JSON if executed else GRAPHQL
            assert legacy.status_code == status
            assert legacy.headers["content-type"].startswith(expected["accept"])


MALFORMED: list[bytes] = [
    b"",
    b"{",
    b"nonsense",
    b"[]",
    b"1",
    b"null",
    b'"text"',
    b'{"query": 1}',
    b'{"query": null}',
    b'{"query": ""}',
    b'{"qeury": "{ hello }"}',
    b'{"query": ["{ hello }"]}',
    b'[{"query": "{ hello }"}]',
    b'{"query": "{ hello }", "variables": []}',
    b'{"query": "{ hello }", "variables": "{}"}',
    b'{"query": "{ hello }", "operationName": {}}',
    b'{"query": "{ hello }", "operationName": 0}',
    b'{"query": "{ hello }", "extensions": "x"}',
    b'{"query": "{ hello }", "variables": {"a": NaN}}',
    b'{"query": "{ hello }", "variables": {"a": "\\ud800"}}',
    b'{"query": "{ hello }", "variables": {"a": "\\u0000"}}',
    b'{"query": "{ hello }", "variables": {"a\\u0000": 1}}',
    b'{"query": "{ hello \xff }"}',
    b'\xef\xbb\xbf{"query": "{ hello }"}',
    b'{"query": "{ hello }"\x00}',
    b'{"query": "{ hello }", "variables": {"a": ' + b"[" * 65 + b"]" * 65 + b"}}",
    b'{"query": "{ hello }", "variables": {"a": ' + b"[" * 5000 + b"]" * 5000 + b"}}",
    b"[" * 100_000,
]


@pytest.mark.parametrize("mode", BOTH)
async def test_what_is_no_request_is_refused_in_graphqls_shape(mode: SpecMode) -> None:
    async with live(spec_mode=mode) as server:
        for body in MALFORMED:
            headers = {"content-type": "application/json"}
            answer = await server.http.post("/graphql", content=body, headers=headers)
            assert answer.status_code in {400, 422}, body[:80]
            (error,) = answer.json()["errors"]
            assert error["extensions"]["code"] == "MALFORMED_REQUEST"
            assert len(error["message"]) > 10


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{ hello(name: " + "[" * 3000, "QUERY_TOO_DEEP"),
        ("{" * 5000, "GRAPHQL_PARSE_FAILED"),
        ("{ " + "items { " * 3000, "QUERY_TOO_DEEP"),
        ('{ hello(name: "\\u0000") }', "BAD_USER_INPUT"),
        ('{ hello(name: "\\ud800") }', "GRAPHQL_PARSE_FAILED"),
        ("\x00", "GRAPHQL_PARSE_FAILED"),
        ("{ hello }" + "\n" * 20_000, "TOO_MANY_LINES"),
        ("{ hello }" + "#\n" * 6_000, "TOO_MANY_TOKENS"),
    ],
)
async def test_hostile_documents_get_an_error_with_a_code(query: str, code: str) -> None:
    async with live() as server:
        answer = await server.post(query, headers=GRAPHQL)
    assert answer.status_code == 400
    assert [error["extensions"]["code"] for error in answer.json()["errors"]] == [code]


@pytest.mark.parametrize(
    "content_type",
    [None, "text/plain", "application/graphql", "application/json; charset=latin-1", "x", ";"],
)
async def test_a_post_must_be_json_in_utf8(content_type: str | None) -> None:
    headers = {"content-type": content_type} if content_type else {}
    async with live() as server:
        answer = await server.http.post("/graphql", content=b'{"query":"{hello}"}', headers=headers)
    assert answer.status_code == 415
    assert answer.json()["errors"][0]["extensions"]["code"] == "UNSUPPORTED_MEDIA_TYPE"


@pytest.mark.parametrize("method", ["HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY"])
async def test_other_methods_are_refused_with_those_allowed(method: str) -> None:
    async with live() as server:
        answer = await server.http.request(method, "/graphql")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, POST"


async def test_queries_by_get_but_no_mutations() -> None:
    async with live() as server:
        parameters = {
            "query": "query A($n: String!) { hello(name: $n) } query B { hello }",
            "operationName": "A",
            "variables": json.dumps({"n": "Ada"}),
        }
        asked = await server.http.get("/graphql", params=parameters)
        changed = await server.http.get("/graphql", params={"query": "mutation { add }"})
        bare = await server.http.get("/graphql")
        broken = await server.http.get("/graphql", params={"query": "{a}", "variables": "{"})
        assert server.world.total == 0
    assert asked.json() == {"data": {"hello": "hello Ada"}}
    assert (changed.status_code, changed.headers["allow"]) == (405, "POST")
    assert bare.status_code == broken.status_code == 400


@pytest.mark.parametrize(
    ("accept", "media", "events"),
    [
        ("", "application/json", False),
        ("*/*", "application/json", False),
        ("application/*", "application/json", False),
        ("application/graphql-response+json", "application/graphql-response+json", False),
        (
            "application/json;q=0.9, application/graphql-response+json",
            "application/graphql-response+json",
            False,
        ),
        ("application/json, application/graphql-response+json;q=0.1", "application/json", False),
        ("APPLICATION/JSON; charset=utf-8", "application/json", False),
        ("text/event-stream", "text/event-stream", True),
        (
            "application/graphql-response+json, application/json, text/event-stream",
            "application/graphql-response+json",
            True,
        ),
        ("text/html", None, False),
        ("application/json;q=0", None, False),
        ("application/json;q=x", None, False),
        (",;,", "application/json", False),
    ],
)
def test_the_accept_header_is_respected(accept: str, media: str | None, events: bool) -> None:
    assert negotiate(accept) == (media, events)


async def test_nothing_acceptable_is_json_or_by_the_draft_406() -> None:
    async with live(spec_mode=SpecMode.AUDIT) as server:
        answer = await server.post("{ hello }", headers={"accept": "image/png"})
        assert (answer.status_code, answer.json()) == (200, {"data": {"hello": "hello world"}})
    async with live(spec_mode=SpecMode.DRAFT) as server:
        answer = await server.post("{ hello }", headers={"accept": "image/png"})
        assert answer.status_code == 406


async def test_a_subscription_without_a_stream_is_told_where_to_go() -> None:
    async with live() as server:
        answer = await server.post("subscription { count }")
    (error,) = answer.json()["errors"]
    assert error["extensions"]["code"] == "SUBSCRIPTION_NEEDS_STREAM"
    assert "text/event-stream" in error["message"]


async def test_answers_are_not_cached_by_anybody() -> None:
    async with live() as server:
        assert (await server.post("{ hello }")).headers["cache-control"] == "no-store"


async def test_large_numbers_and_odd_text_come_back() -> None:
    value = {"a": "\U0001f600 \u2028", "b": [1.5, None, True], "c": {"d": 2**53}}
    async with live() as server:
        answer = await server.ask("query ($v: JSON!) { echo(value: $v) }", variables={"v": value})
    assert answer == {"data": {"echo": value}}


async def test_the_answer_the_error_and_the_log_have_one_request_id() -> None:
    with capture_logs() as logs:
        async with live(middleware=stack(Settings())) as server:
            answer = await server.post("{ boom }", headers={"x-request-id": "mine-1"})
            async with server.talk(additional_headers={"x-request-id": "mine-2"}) as talk:
                await talk.subscribe("1", "{ boom }")
                (error,) = (await talk.hear())["payload"]["errors"]
    assert answer.headers["x-request-id"] == "mine-1"
    assert answer.json()["errors"][0]["extensions"] == {"code": "INTERNAL", "requestId": "mine-1"}
    assert error["extensions"] == {"code": "INTERNAL", "requestId": "mine-2-1"}
    failures = [line for line in logs if line["event"] == "unexpected error"]
    assert [line["request_id"] for line in failures] == ["mine-1", "mine-2-1"]
