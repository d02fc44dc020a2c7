"""Clusters through the API: the front end's operations, every way to sign in, and no secret out."""

import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from graphql import GraphQLObjectType, build_schema
from pydantic import ValidationError
from structlog.testing import capture_logs

import schema
from app.bootstrap import vault
from app.documents.credentials import CredentialStore
from app.domain.access import Access, BearerToken, ClientCertificate, OidcSession
from app.domain.cluster import ClusterRole
from app.domain.ids import Id
from app.domain.user import Actor
from app.services import Services
from app.services.accessing import Place
from app.services.sealing import open_access
from app.settings import Settings
from schema.cluster.inputs import ClusterCredentialsInput
from schema.cluster.mutations.add_cluster import AddClusterInput
from tests.apiservers import ApiServers
from tests.asking import Asker, asker
from tests.clusters import NOBODY, bring_in, certificate_and_key, kubeconfig
from tests.secrecy import search, secret


@pytest.fixture
def ask(services: Services, owner: Actor) -> Asker:
    return asker(services, owner)


@pytest.fixture
def ask_stranger(services: Services, stranger: Actor) -> Asker:
    return asker(services, stranger)


def token_input(**more: Any) -> dict[str, Any]:
    return {
        "name": "prod",
        "server": NOBODY,
        "credentials": {"token": {"token": secret("a cluster's token")}},
    } | more


async def kept(settings: Settings, id_: str) -> Access:
    stored = await CredentialStore().get(Id(id_))
    assert stored is not None
    return open_access(vault(settings), Id(id_), stored.sealed)


async def add(ask: Asker, **more: Any) -> dict[str, Any]:
    payload = await ask.one("AddCluster", input=token_input(**more))
    assert payload["__typename"] == "AddClusterPayload", payload
    cluster: dict[str, Any] = payload["cluster"]
    return cluster


async def refusal(ask: Asker, **more: Any) -> dict[str, Any]:
    """The errors of a cluster that is refused, each path with its message."""
    document = """mutation ($input: AddClusterInput!) { addCluster(input: $input) { __typename
      ... on ValidationError { path errors { path code message } } } }"""
    answer = await ask.one(document, input=token_input(**more))
    assert answer["__typename"] == "ValidationError", answer
    assert answer["path"] == answer["errors"][0]["path"]
    return {".".join(error["path"]): error["message"] for error in answer["errors"]}


# The front end's operations


async def test_a_cluster_is_brought_in_and_read(ask: Asker, owner: Actor) -> None:
    made = await add(
        ask,
        displayName="Production",
        description="In Europe.",
        labels={"example.com/tier": "gold"},
        default=False,
    )
    allowed = {"allowed": True, "reason": None}
    assert made == {
        "id": made["id"],
        "name": "prod",
        "displayName": "Production",
        "description": "In Europe.",
        "server": NOBODY,
        "authType": "TOKEN",
        "status": "DISCONNECTED",
        "statusMessage": made["statusMessage"],
        "lastCheck": made["lastCheck"],
        "latencyMs": None,
        "default": True,
        "labels": {"example.com/tier": "gold"},
        "createdAt": made["createdAt"],
        "updatedAt": made["updatedAt"],
        "metadata": {
            "version": None,
            "platform": None,
            "nodeCount": None,
            "namespaces": [],
            "capabilities": [],
        },
        "owner": {"id": owner.id, "name": "owner"},
        "sharedWith": [],
        "viewerCan": {"deploy": allowed, "administer": allowed},
    }
    assert made["statusMessage"]
    assert made["lastCheck"]
    assert await ask.one("Cluster", id=made["id"]) == made
    assert await ask.one("DefaultCluster") == {"defaultCluster": made}
    listed = await ask.one("Clusters", first=10)
    assert listed["edges"] == [{"node": made}]
    assert listed["totalCount"] == 1
    assert listed["pageInfo"]["hasNextPage"] is False


@pytest.mark.parametrize("id_", ["f" * 24, "no id", ""])
async def test_what_is_not_there_is_null_or_not_found(ask: Asker, id_: str) -> None:
    assert await ask.one("Cluster", id=id_) is None
    if len(id_) == 24:
        removed = await ask.one("RemoveCluster", input={"clusterId": id_})
        assert removed == {
            "__typename": "NotFound",
            "code": "NOT_FOUND",
            "message": "There is no such cluster.",
            "path": ["clusterId"],
        }


async def test_a_cluster_is_changed(ask: Asker, settings: Settings) -> None:
    made = await add(ask, description="Old.", labels={"a": "b"})
    changed = await ask.one("UpdateCluster", input={"clusterId": made["id"], "displayName": " P "})
    assert changed["cluster"] == made | {
        "displayName": "P",
        "updatedAt": changed["cluster"]["updatedAt"],
    }
    emptied = await ask.one(
        "UpdateCluster", input={"clusterId": made["id"], "description": None, "labels": {}}
    )
    assert (emptied["cluster"]["description"], emptied["cluster"]["labels"]) == (None, {})
    new = secret("a newer token")
    renewed = await ask.one(
        "UpdateClusterCredentials",
        input={"clusterId": made["id"], "credentials": {"serviceaccount": {"token": new}}},
    )
    assert renewed["cluster"]["authType"] == "SERVICEACCOUNT"
    assert renewed["cluster"]["server"] == NOBODY
    assert await kept(settings, made["id"]) == Access(server=NOBODY, proof=BearerToken(token=new))


async def test_the_address_cannot_change_without_the_credentials(ask: Asker) -> None:
    """Else whom a cluster is shared with could have the owner's token sent to themselves."""
    input_ = build_schema(schema.sdl()).type_map["UpdateClusterInput"]
    assert set(input_.fields) == {"clusterId", "displayName", "description", "labels"}  # type: ignore[attr-defined]
    credentials = build_schema(schema.sdl()).type_map["UpdateClusterCredentialsInput"]
    assert str(credentials.fields["credentials"].type) == "ClusterCredentialsInput!"  # type: ignore[attr-defined]


async def test_the_default_moves_and_a_cluster_goes(ask: Asker) -> None:
    first, second = await add(ask, name="first"), await add(ask, name="second")
    moved = await ask.one("SetDefaultCluster", input={"clusterId": second["id"]})
    assert moved["cluster"]["default"] is True
    assert (await ask.one("DefaultCluster"))["defaultCluster"]["name"] == "second"
    assert (await ask.one("Cluster", id=first["id"]))["default"] is False
    removed = await ask.one("RemoveCluster", input={"clusterId": second["id"]})
    assert removed == {"__typename": "RemoveClusterPayload", "clusterId": second["id"]}
    assert await ask.one("DefaultCluster") == {"defaultCluster": None}


async def test_a_cluster_that_is_chosen_is_kept(ask: Asker) -> None:
    made = await add(ask)
    await ask.one("CreateWorkflow", input={"name": "w", "clusterId": made["id"]})
    kept_ = await ask.one("RemoveCluster", input={"clusterId": made["id"]})
    assert (kept_["__typename"], kept_["message"][:34]) == (
        "Conflict",
        "1 workflow chooses this cluster. C",
    )
    forced = await ask.one("RemoveCluster", input={"clusterId": made["id"], "force": True})
    assert forced["__typename"] == "RemoveClusterPayload"


async def test_a_name_twice_is_a_conflict(ask: Asker) -> None:
    await add(ask)
    again = await ask.one("AddCluster", input=token_input())
    assert (again["__typename"], again["code"], again["path"]) == ("Conflict", "CONFLICT", ["name"])


@pytest.mark.parametrize("operation", ["TestCluster", "RefreshCluster"])
async def test_a_cluster_out_of_reach_says_which_failure_it_is(ask: Asker, operation: str) -> None:
    made = await add(ask)
    answer = await ask.one(operation, input={"clusterId": made["id"]})
    assert (answer["__typename"], answer["code"]) == ("ClusterUnreachable", "CLUSTER_UNREACHABLE")
    assert answer["message"] == made["statusMessage"]
    document = f"""mutation ($id: ID!) {{ {operation[0].lower()}{operation[1:]}
      (input: {{clusterId: $id}}) {{ ... on ClusterUnreachable {{ fault retryAfter }} }} }}"""
    assert await ask.one(document, id=made["id"]) == {"fault": "UNREACHABLE", "retryAfter": None}


@pytest.fixture
async def api() -> AsyncIterator[ApiServers]:
    servers = ApiServers()
    servers.token = secret("the token of a cluster")
    async with servers.running():
        yield servers


async def test_a_cluster_that_answers_is_tested_and_refreshed(
    *,
    ask: Asker,
    ask_stranger: Asker,
    services: Services,
    owner: Actor,
    stranger: Actor,
    api: ApiServers,
) -> None:
    credentials = {"token": {"token": api.token}}
    made = await add(ask, server=f"{api.url}/prod", credentials=credentials)
    assert (made["status"], made["statusMessage"]) == ("CONNECTED", None)
    assert made["metadata"]["version"] == "v1.36.2"
    tested = await ask.one("TestCluster", input={"clusterId": made["id"]})
    assert tested["__typename"] == "TestClusterPayload", tested
    assert {each["allowed"] for each in tested["permissions"]} == {True}
    assert {each["namespace"] for each in tested["permissions"]} == {None}
    api.version = "v1.37.0"
    refreshed = await ask.one("RefreshCluster", input={"clusterId": made["id"]})
    assert refreshed["cluster"]["metadata"]["version"] == "v1.37.0"
    person = stranger.user.email
    await services.sharing.share(owner, Id(made["id"]), person, role=ClusterRole.VIEWER)
    refused = await ask_stranger.one("TestCluster", input={"clusterId": made["id"]})
    assert (refused["__typename"], refused["message"]) == (
        "Forbidden",
        "You are VIEWER of this cluster; this takes DEPLOYER. Ask its owner.",
    )
    seen = await ask_stranger.one("RefreshCluster", input={"clusterId": made["id"]})
    assert seen["cluster"]["status"] == "CONNECTED"


# Sharing


async def test_a_cluster_is_shared_seen_and_taken_back(
    ask: Asker, ask_stranger: Asker, stranger: Actor
) -> None:
    made = await add(ask)
    share = {
        "clusterId": made["id"],
        "email": "stranger@example.com",
        "role": "DEPLOYER",
        "namespaces": ["shop"],
        "expiresAt": "2999-12-31T23:59:59.1239+01:00",
    }
    shared = await ask.one("ShareCluster", input=share)
    person = {"id": stranger.id, "name": "stranger", "email": "stranger@example.com"}
    expected = [
        {
            "user": person,
            "role": "DEPLOYER",
            "namespaces": ["shop"],
            "expiresAt": "2999-12-31T22:59:59.123Z",
        }
    ]
    assert shared["cluster"]["sharedWith"] == expected
    seen = await ask_stranger.one("Cluster", id=made["id"])
    assert seen["sharedWith"] == expected
    assert seen["viewerCan"] == {
        "deploy": {"allowed": True, "reason": None},
        "administer": {
            "allowed": False,
            "reason": "You are DEPLOYER of this cluster; this takes ADMIN. Ask its owner.",
        },
    }
    assert seen["owner"] == {"id": made["owner"]["id"], "name": "owner"}
    refused = await ask_stranger.one(
        "UpdateCluster", input={"clusterId": made["id"], "displayName": "Mine"}
    )
    assert (refused["__typename"], refused["message"]) == (
        "Forbidden",
        seen["viewerCan"]["administer"]["reason"],
    )
    back = await ask.one("UnshareCluster", input={"clusterId": made["id"], "userId": stranger.id})
    assert back["cluster"]["sharedWith"] == []
    assert await ask_stranger.one("Cluster", id=made["id"]) is None
    assert (await ask_stranger.one("Clusters", first=1))["totalCount"] == 0


async def test_whoever_gives_up_a_share_sees_no_cluster(
    services: Services, ask_stranger: Asker, owner: Actor, stranger: Actor
) -> None:
    made = await bring_in(services, owner)
    person = stranger.user.email
    await services.sharing.share(owner, made.id, person, role=ClusterRole.VIEWER)
    given_up = await ask_stranger.one(
        "UnshareCluster", input={"clusterId": made.id, "userId": stranger.id}
    )
    assert given_up == {"__typename": "UnshareClusterPayload", "cluster": None}


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"email": "nobody@example.com"}, ["email"]),
        ({"namespaces": ["Shop"]}, ["namespaces", "0"]),
        ({"namespaces": ["a"] * 101}, ["namespaces"]),
        ({"expiresAt": "2000-01-01T00:00:00Z"}, ["expiresAt"]),
        ({"expiresAt": "2999-01-01T00:00:00"}, ["expiresAt"]),
        ({"expiresAt": "9999-12-31T23:59:59-12:00"}, ["expiresAt"]),
        ({"expiresAt": "0001-01-01T00:00:00+12:00"}, ["expiresAt"]),
    ],
)
async def test_a_share_that_will_not_do_is_refused(
    ask: Asker, stranger: Actor, wrong: dict[str, Any], path: list[str]
) -> None:
    made = await add(ask)
    share = {"clusterId": made["id"], "email": stranger.user.email, "role": "VIEWER"} | wrong
    refused = await ask.one("ShareCluster", input=share)
    assert (refused["__typename"], refused["path"]) == ("ValidationError", path), refused
    assert (await ask.one("Cluster", id=made["id"]))["sharedWith"] == []


async def test_only_ones_own_default_is_shown(services: Services, owner: Actor, ask: Asker) -> None:
    await add(ask)
    document = "{ users { nodes { name defaultCluster { name } } } }"
    people = (await ask.one(document))["nodes"]
    assert people == [{"name": "owner", "defaultCluster": {"name": "prod"}}]
    nobody = await asker(services, None).one("DefaultCluster")
    assert nobody is None


async def test_an_admin_of_the_server_sees_no_cluster_of_others(
    services: Services, owner: Actor, stranger: Actor
) -> None:
    """The first user is the server's administrator: of people, not of their clusters."""
    made = await bring_in(services, stranger)
    admin = asker(services, owner)
    assert await admin.one("Cluster", id=made.id) is None
    document = "query ($id: ID!) { user(id: $id) { defaultCluster { name } } }"
    assert await admin.one(document, id=stranger.id) == {"defaultCluster": None}


# Credentials


async def test_every_way_to_sign_in_is_kept_as_it_was_given(ask: Asker, settings: Settings) -> None:
    certificate, key = certificate_and_key()
    authority, _ = certificate_and_key()
    token, refresh, client, id_token = (secret(f"secret {i}") for i in range(4))
    in_base64 = base64.b64encode(certificate.encode()).decode()
    issuer = "https://127.0.0.1:2/realms/kube"
    oidc = {
        "issuerUrl": issuer,
        "clientId": "kube",
        "clientSecret": client,
        "refreshToken": refresh,
        "idToken": id_token,
        "issuerCa": authority,
        "scopes": ["openid"],
        "insecure": False,
    }
    given: dict[str, tuple[dict[str, Any], Access]] = {
        "token": (
            {"token": f"{token}\n", "caData": authority},
            Access(server=NOBODY, ca=authority, proof=BearerToken(token=token)),
        ),
        "serviceaccount": (
            {"token": token},
            Access(server=NOBODY, proof=BearerToken(token=token)),
        ),
        "certificate": (
            {"clientCertificate": in_base64, "clientKey": key, "caData": in_base64},
            Access(
                server=NOBODY,
                ca=certificate,
                proof=ClientCertificate(certificate=certificate, key=key),
            ),
        ),
        "kubeconfig": (
            {"content": kubeconfig(token), "context": "x"},
            Access(server=NOBODY, proof=BearerToken(token=token)),
        ),
        "oidc": (
            oidc,
            Access(
                server=NOBODY,
                proof=OidcSession(
                    issuer_url=issuer,
                    client_id="kube",
                    client_secret=client,
                    refresh_token=refresh,
                    id_token=id_token,
                    issuer_ca=authority,
                ),
            ),
        ),
    }
    members = build_schema(schema.sdl()).type_map["ClusterCredentialsInput"].fields  # type: ignore[attr-defined]
    assert set(given) == set(members)
    for member, (input_, access) in given.items():
        server = {} if member == "kubeconfig" else {"server": NOBODY}
        described = {"name": member, "credentials": {member: input_}, **server}
        payload = await ask.one("AddCluster", input=described)
        assert payload["__typename"] == "AddClusterPayload", payload
        assert payload["cluster"]["authType"] == member.upper()
        assert await kept(settings, payload["cluster"]["id"]) == access


def broken() -> dict[str, tuple[dict[str, Any], str]]:
    """Credentials with secrets in them that will not do, and where that is told."""
    certificate, key = certificate_and_key()
    _, other = certificate_and_key("another key")
    hidden = secret("a hidden secret")
    oidc = {"issuerUrl": "https://127.0.0.1:2", "clientId": "kube", "refreshToken": hidden}
    pair = {"clientCertificate": certificate, "clientKey": key}
    return {
        "token with a space": ({"token": {"token": f"{hidden} {hidden}"}}, "token.token"),
        "token with a line": ({"token": {"token": f"{hidden}\n{hidden}"}}, "token.token"),
        "token of letters": ({"token": {"token": f"{hidden}\u00e9"}}, "token.token"),
        "empty token": ({"token": {"token": ""}}, "token.token"),
        "blank token": ({"serviceaccount": {"token": "  "}}, "serviceaccount.token"),
        "long token": ({"token": {"token": hidden * 1_000}}, "token.token"),
        "secret as authority": (
            {"token": {"token": hidden, "caData": hidden}},
            "token.caData",
        ),
        "key as authority": ({"token": {"token": hidden, "caData": key}}, "token.caData"),
        "long authority": (
            {"token": {"token": hidden, "caData": hidden * 3_000}},
            "token.caData",
        ),
        "insecure": (
            {"token": {"token": hidden, "insecure": True}},
            "token.insecure",
        ),
        "another key": (
            {"certificate": pair | {"clientKey": other}},
            "certificate.clientKey",
        ),
        "secret as key": (
            {"certificate": pair | {"clientKey": hidden}},
            "certificate.clientKey",
        ),
        "spoilt key": (
            {"certificate": pair | {"clientKey": key.replace("-----\n", "-----\n!", 1)}},
            "certificate.clientKey",
        ),
        "key as certificate": (
            {"certificate": pair | {"clientCertificate": key}},
            "certificate.clientCertificate",
        ),
        "issuer with a secret": (
            {"oidc": oidc | {"issuerUrl": f"https://me:{hidden}@127.0.0.1"}},
            "oidc.issuerUrl",
        ),
        "issuer that is none": (
            {"oidc": oidc | {"issuerUrl": hidden}},
            "oidc.issuerUrl",
        ),
        "refresh token with a space": (
            {"oidc": oidc | {"refreshToken": f"{hidden} {hidden}"}},
            "oidc.refreshToken",
        ),
        "client secret with a line": (
            {"oidc": oidc | {"clientSecret": f"{hidden}\n{hidden}"}},
            "oidc.clientSecret",
        ),
        "id token with a tab": (
            {"oidc": oidc | {"idToken": f"{hidden}\t{hidden}"}},
            "oidc.idToken",
        ),
        "secret as issuer's authority": (
            {"oidc": oidc | {"issuerCa": hidden}},
            "oidc.issuerCa",
        ),
        "no kubeconfig": ({"kubeconfig": {"content": hidden}}, "kubeconfig"),
        "no YAML": (
            {"kubeconfig": {"content": f"a: [{hidden}\nb: {hidden}: {hidden}"}},
            "kubeconfig",
        ),
        "kubeconfig that runs something": (
            {"kubeconfig": {"content": kubeconfig(hidden, exec={"command": hidden})}},
            "kubeconfig.users[0].user.exec",
        ),
        "kubeconfig with a password": (
            {"kubeconfig": {"content": kubeconfig(hidden, password=hidden)}},
            "kubeconfig.users[0].user.password",
        ),
        "kubeconfig that reads a file": (
            {"kubeconfig": {"content": kubeconfig(hidden, tokenFile=hidden)}},
            "kubeconfig.users[0].user.tokenFile",
        ),
        "long kubeconfig": (
            {"kubeconfig": {"content": hidden * 9_000}},
            "kubeconfig.content",
        ),
    }


@pytest.mark.parametrize("what", broken())
async def test_credentials_that_will_not_do_are_told_without_their_values(
    ask: Asker, services: Services, owner: Actor, what: str
) -> None:
    credentials, path = broken()[what]
    server = {"server": None} if "kubeconfig" in credentials else {}
    with capture_logs() as logs:
        refused = await refusal(ask, credentials=credentials, **server)
    assert set(refused) == {f"credentials.{path}"}, refused
    assert all(refused.values())
    assert logs == []
    assert await services.clusters.count(owner) == 0


def misshapen() -> list[dict[str, Any]]:
    """Variables that are not even of the input's type."""
    hidden = secret("a hidden secret")
    return [
        {"credentials": hidden},
        {"credentials": [hidden]},
        {"credentials": {"token": hidden}},
        {"credentials": {"token": [hidden]}},
        {"credentials": {"token": {"token": [hidden]}}},
        {"credentials": {"token": {"token": {"value": hidden}}}},
        {"credentials": {"token": {"token": hidden, "tokn": hidden}}},
        {"credentials": {"token": {"token": hidden, "insecure": hidden}}},
        {"credentials": {"token": {"token": hidden}, "serviceaccount": {"token": hidden}}},
        {"credentials": {"token": None, "serviceaccount": {"token": hidden}}},
        {"credentials": {"token": {"token": hidden}, "tokn": {"token": hidden}}},
        {"credentials": {"certificate": {"clientKey": hidden}}},
        {"credentials": {"oidc": {"refreshToken": hidden}}},
        {"credentials": {"oidc": {"scopes": [{"a": hidden}]}}},
        {"credentials": {"kubeconfig": {"content": {"users": hidden}}}},
        {"default": hidden},
        {"labels": hidden},
        {"labels": {"a": [hidden]}},
    ]


@pytest.mark.parametrize("number", range(len(misshapen())))
@pytest.mark.parametrize("inline", [False, True])
async def test_misshapen_input_is_told_without_its_values(
    ask: Asker, number: int, inline: bool
) -> None:
    """In a variable as in the document itself."""
    given = token_input(**misshapen()[number])
    with capture_logs() as logs:
        if inline:
            text = f"mutation {{ addCluster(input: {literal(given)}) {{ __typename }} }}"
            answer = await ask.raw(text)
        else:
            answer = await ask.raw("AddCluster", input=given)
    assert answer["data"] is None
    codes = {error["extensions"]["code"] for error in answer["errors"]}
    assert codes == {"GRAPHQL_VALIDATION_FAILED" if inline else "BAD_USER_INPUT"}
    search("a log", str(logs))


def test_an_input_does_not_print_its_secrets() -> None:
    certificate, key = certificate_and_key()
    hidden = secret("a hidden secret")
    for credentials in (
        {"token": {"token": hidden}},
        {"serviceaccount": {"token": hidden}},
        {"certificate": {"client_certificate": certificate, "client_key": key}},
        {"kubeconfig": {"content": kubeconfig(hidden)}},
        {
            "oidc": {
                "issuer_url": "https://127.0.0.1:2",
                "client_id": "kube",
                "client_secret": hidden,
                "refresh_token": hidden,
                "id_token": hidden,
            }
        },
    ):
        (member,) = credentials
        model = ClusterCredentialsInput.model_validate(credentials)
        search("an input", repr(model))
        search("an input", str(model))
        draft = getattr(model, member).value.draft()
        search("a draft", repr(draft))
        place = Place() if member == "kubeconfig" else Place(NOBODY)
        search("an access", repr(draft.access(place)))
        with pytest.raises(ValidationError) as refused:
            AddClusterInput.model_validate({"name": "a", "credentials": {member: [credentials]}})
        search("an error", str(refused.value))


async def test_a_secret_that_breaks_the_document_is_not_told(ask: Asker) -> None:
    hidden = secret("a hidden secret")
    for text in (
        f'mutation {{ addCluster(input: {{ name "{hidden}" }}) {{ __typename }} }}',
        f'mutation {{ addCluster(input: {{ name """{hidden}""" }}) {{ __typename }} }}',
        f'mutation {{ addCluster(input: {{ name: "{hidden} }}) {{ __typename }} }}',
    ):
        (error,) = (await ask.raw(text))["errors"]
        assert error["extensions"]["code"] == "GRAPHQL_PARSE_FAILED"


def literal(value: Any) -> str:
    """A value as GraphQL writes it."""
    if isinstance(value, dict):
        fields = ", ".join(f"{key}: {literal(each)}" for key, each in value.items())
        return f"{{{fields}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    return json.dumps(value)


async def test_our_own_mistake_with_a_secret_at_hand_does_not_tell_it(
    ask: Asker, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is logged in full is the traceback: of code, not of values."""

    async def fails(*_: object, **__: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(services.clusters._changes, "insert", fails)
    for credentials in (
        {"token": {"token": secret("a cluster's token")}},
        {"kubeconfig": {"content": kubeconfig()}},
    ):
        server = {"server": None} if "kubeconfig" in credentials else {}
        with capture_logs() as logs:
            answer = await ask.raw(
                "AddCluster", input=token_input(credentials=credentials, **server)
            )
        assert answer["errors"][0]["extensions"]["code"] == "INTERNAL"
        (line,) = logs
        search("a log", repr(line))


def test_nothing_that_is_answered_has_credentials() -> None:
    type_ = build_schema(schema.sdl()).type_map["Cluster"]
    assert isinstance(type_, GraphQLObjectType)
    assert set(type_.fields) == {
        "id", "name", "displayName", "description", "server", "authType", "status",
        "statusMessage", "lastCheck", "latencyMs", "default", "labels", "metadata", "createdAt",
        "updatedAt", "seq", "sharedWith", "owner", "viewerCan",
    }  # fmt: skip


# Limits


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"name": ""}, "name"),
        ({"name": "Prod"}, "name"),
        ({"name": "a" * 64}, "name"),
        ({"name": "-a"}, "name"),
        ({"name": "a/b"}, "name"),
        ({"displayName": "\u200b\x07"}, "displayName"),
        ({"displayName": "a" * 201}, "displayName"),
        ({"description": "a" * 5_001}, "description"),
        ({"labels": {f"a{i}": "b" for i in range(51)}}, "labels"),
        ({"labels": {"a": "b c"}}, "labels"),
        ({"server": "https://" + "a" * 2_050}, "server"),
        ({"server": ""}, "server"),
        ({"tlsServerName": "a" * 254}, "tlsServerName"),
    ],
)
async def test_what_is_too_much_or_of_the_wrong_form_is_refused(
    ask: Asker, services: Services, owner: Actor, wrong: dict[str, Any], path: str
) -> None:
    assert set(await refusal(ask, **wrong)) == {path}
    assert await services.clusters.count(owner) == 0


async def test_fifty_labels_are_not_too_many(ask: Asker) -> None:
    labels = {f"a{i}": "b" for i in range(50)}
    assert (await add(ask, labels=labels))["labels"] == labels
