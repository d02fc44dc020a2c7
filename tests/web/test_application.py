"""The whole application on a real port and a real database: what only shows when all is wired."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from app.main import create_app, limits_of
from app.settings import Explorer, Settings, SpecMode
from schema.limits import Limits
from tests.web.serving import connected, serving
from tests.wiring import PASSWORD

REGISTER = """mutation ($input: RegisterInput!) { register(input: $input) {
  ... on RegisterPayload { session { accessToken refreshToken } } } }"""
REFRESH = """mutation ($input: RefreshSessionInput!) { refreshSession(input: $input) {
  ... on RefreshSessionPayload { session { accessToken } } } }"""
ORIGIN = "https://editor.example"


@dataclass
class Running:
    """The application, served."""

    app: Starlette
    address: str
    http: httpx.AsyncClient

    async def ask(self, query: str, token: str | None = None, **variables: Any) -> Any:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        body = {"query": query, "variables": variables}
        return (await self.http.post("/graphql", json=body, headers=headers)).json()

    async def register(self) -> dict[str, str]:
        """The session of a new person."""
        person = {"name": "Ada", "email": "ada@example.com", "password": PASSWORD}
        answer = await self.ask(REGISTER, input=person)
        session: dict[str, str] = answer["data"]["register"]["session"]
        return session


Run = Callable[..., AbstractAsyncContextManager[Running]]


@pytest.fixture
def running(settings: Settings) -> Run:
    @asynccontextmanager
    async def run(**changes: Any) -> AsyncIterator[Running]:
        app = create_app(settings.model_copy(update=changes))
        async with (
            serving(app, lifespan="on") as address,
            httpx.AsyncClient(base_url=f"http://{address}") as http,
        ):
            yield Running(app, address, http)

    return run


async def test_routes_and_probes(running: Run) -> None:
    async with running(explorer=Explorer.OFF) as server:
        home = await server.http.get("/")
        assert (home.status_code, home.headers["location"]) == (307, "/graphql")
        for path in ("/", "/graphql"):
            asked = await server.http.post(path, json={"query": "{ __typename }"})
            assert asked.json() == {"data": {"__typename": "Query"}}
        page = await server.http.get("/graphql", headers={"accept": "text/html"})
        assert page.status_code == 404, "the explorer is off"
        assert (await server.http.get("/healthz")).status_code == 200
        assert (await server.http.get("/readyz")).status_code == 200
        server.app.state.services.stopping.set()
        assert (await server.http.get("/readyz")).status_code == 503
        assert (await server.http.get("/nowhere")).status_code == 404


async def test_a_stale_token_can_still_be_refreshed(running: Run) -> None:
    async with running() as server:
        session = await server.register()
        stale = session["accessToken"][:-2]
        viewer = await server.ask("{ workflows(first: 1) { totalCount } }", stale)
        assert viewer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
        assert "token" in viewer["errors"][0]["message"]
        refresh = {"refreshToken": session["refreshToken"]}
        answer = await server.ask(REFRESH, stale, input=refresh)
        fresh = answer["data"]["refreshSession"]["session"]["accessToken"]
        assert (await server.ask("{ viewer { email } }", fresh))["data"]["viewer"] == {
            "email": "ada@example.com"
        }


async def test_logging_out_closes_the_sockets(running: Run) -> None:
    async with running() as server:
        token = (await server.register())["accessToken"]
        async with connected(server.address, {"token": token}) as talk:
            await talk.subscribe("1", "{ viewer { email } }")
            assert (await talk.hear())["payload"]["data"] == {
                "viewer": {"email": "ada@example.com"}
            }
            await server.ask("mutation { logout(input: {}) { __typename } }", token)
            code, reason = await talk.closed()
    assert (code, reason[:10]) == (4403, "Forbidden:")


async def test_a_subscription_has_fresh_data_in_every_event(running: Run) -> None:
    """What an earlier event loaded, here the actor's name, is not what a later one shows."""
    create = """mutation { createWorkflow(input: {name: "w"}) {
      ... on CreateWorkflowPayload { workflow { id revision } } } }"""
    watch = """subscription ($id: ID!) { workflowChanged(workflowId: $id) {
      ... on WorkflowEdited { revision actor { name } } } }"""
    rename = """mutation ($input: UpdateWorkflowInput!) { updateWorkflow(input: $input) {
      ... on UpdateWorkflowPayload { workflow { revision } } } }"""
    profile = """mutation ($input: UpdateProfileInput!) {
      updateProfile(input: $input) { __typename } }"""
    async with running() as server:
        token = (await server.register())["accessToken"]
        made = (await server.ask(create, token))["data"]["createWorkflow"]["workflow"]
        async with connected(server.address, {"token": token}) as talk:
            await talk.subscribe("1", watch, variables={"id": made["id"]})
            await talk.hear()
            names = []
            for number, name in enumerate(("Ada", "Countess")):
                await server.ask(profile, token, input={"name": name})
                change = {
                    "workflowId": made["id"],
                    "expectedRevision": made["revision"] + number,
                    "name": f"w{number}",
                }
                await server.ask(rename, token, input=change)
                event = (await talk.hear())["payload"]["data"]["workflowChanged"]
                names.append(event["actor"]["name"])
    assert names == ["Ada", "Countess"]


async def test_metrics_count_what_streams_do(running: Run) -> None:
    """Two sockets ask the same: one execution, two deliveries."""
    create = """mutation { createWorkflow(input: {name: "w"}) {
      ... on CreateWorkflowPayload { workflow { id } } } }"""
    watch = """subscription ($id: ID!) { workflowChanged(workflowId: $id) {
      __typename ... on StreamEvent { seq } } }"""
    rename = """mutation ($input: UpdateWorkflowInput!) { updateWorkflow(input: $input) {
      __typename } }"""
    async with running() as server:

        async def counted() -> dict[str, float]:
            response = await server.http.get("/metrics")
            assert response.headers["content-type"].startswith("text/plain; version=")
            lines = (line.rpartition(" ") for line in response.text.splitlines())
            return {name: float(value) for name, _, value in lines if not name.startswith("#")}

        token = (await server.register())["accessToken"]
        made = (await server.ask(create, token))["data"]["createWorkflow"]["workflow"]
        async with (
            connected(server.address, {"token": token}) as one,
            connected(server.address, {"token": token}) as two,
        ):
            for talk in (one, two):
                await talk.subscribe("1", watch, variables={"id": made["id"]})
                await talk.hear()
            change = {"workflowId": made["id"], "expectedRevision": 1, "name": "x"}
            await server.ask(rename, token, input=change)
            told = [await talk.hear() for talk in (one, two)]
            meanwhile = await counted()
    assert told[0] == told[1]
    assert told[0]["payload"]["data"]["workflowChanged"]["seq"] == 1
    assert meanwhile["kubeorch_stream_executions_total"] == 1
    assert meanwhile["kubeorch_stream_deliveries_total"] == 4, "two snapshots, two edits"
    assert meanwhile["kubeorch_stream_lag_seconds_count"] == 2
    assert meanwhile['kubeorch_stream_connections{transport="websocket"}'] == 2
    assert meanwhile['kubeorch_subscribers{field="workflowChanged"}'] == 2


async def test_other_origins_read_nothing_unless_they_are_named(running: Run) -> None:
    preflight = {
        "origin": ORIGIN,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type",
    }
    async with running(allowed_origins=[ORIGIN], max_request_bytes=2048) as server:
        asked = await server.http.options("/graphql", headers=preflight)
        assert asked.status_code == 200
        assert asked.headers["access-control-allow-origin"] == ORIGIN
        assert "access-control-allow-credentials" not in asked.headers
        foreign = {**preflight, "origin": "https://elsewhere.example"}
        assert (await server.http.options("/graphql", headers=foreign)).status_code == 400
        large = await server.http.post(
            "/graphql", json={"query": "x" * 3000}, headers={"origin": ORIGIN}
        )
        assert large.status_code == 413
        assert large.headers["access-control-allow-origin"] == ORIGIN, "or it would go unread"
        assert "x-request-id" in large.headers["access-control-expose-headers"].lower()
    async with running() as server:
        answer = await server.http.get(
            "/graphql", params={"query": "{ __typename }"}, headers={"origin": ORIGIN}
        )
        assert answer.json() == {"data": {"__typename": "Query"}}
        assert "access-control-allow-origin" not in answer.headers


async def test_the_settings_reach_the_limits(running: Run) -> None:
    assert limits_of(Settings()) == Limits(), "one default, not two"
    async with running(introspection=False, spec_mode=SpecMode.DRAFT) as server:
        answer = await server.http.post(
            "/graphql",
            json={"query": "{ __schema { queryType { name } } }"},
            headers={"accept": "application/graphql-response+json"},
        )
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["extensions"]["code"] == "INTROSPECTION_DISABLED"


async def test_an_origin_that_is_none_stops_the_start(settings: Settings) -> None:
    with pytest.raises(ValueError, match="Invalid origin"):
        create_app(settings.model_copy(update={"allowed_origins": ["https://x.example/path"]}))
