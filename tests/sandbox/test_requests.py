"""Requests that nobody should send, and people who may not: what is answered, and what is not."""

import json

import httpx
import pytest

from tests.sandbox.asking import MAPS, TOKEN, client, cluster

MAP = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"a": "1"}}


def status(answer: httpx.Response) -> tuple[int, str, str]:
    body = answer.json()
    assert (body["kind"], body["status"], body["code"]) == (
        "Status",
        "Failure",
        answer.status_code,
    )
    return answer.status_code, body.get("reason", ""), body["message"]


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", f"Basic {TOKEN}", f"Bearer {TOKEN}x", TOKEN]
)
async def test_nobody_comes_in_without_a_token(header: str | None) -> None:
    async with client(cluster()) as http:
        http.headers.pop("Authorization")
        headers = {} if header is None else {"Authorization": header}
        for path in ("/version", "/api", "/openapi/v2", MAPS, "/nowhere"):
            answer = await http.get(path, headers=headers)
            assert status(answer) == (401, "Unauthorized", "Unauthorized")
            assert TOKEN not in answer.text


async def test_a_token_is_taken_away_while_the_cluster_runs() -> None:
    served = cluster()
    served.authority.grant("another", "eve")
    async with client(served, "another") as http:
        assert (await http.get(MAPS)).status_code == 200
        served.authority.revoke("another")
        assert status(await http.get(MAPS))[0] == 401


async def test_a_token_may_do_what_its_rules_say() -> None:
    served = cluster()
    served.authority.grant("another", "eve", {("list", "configmaps"), ("get", "pods/log")})
    async with client(served, "another") as http:
        assert (await http.get(MAPS)).status_code == 200
        assert status(await http.post(MAPS, json=MAP)) == (
            403,
            "Forbidden",
            'configmaps is forbidden: User "eve" cannot create resource "configmaps" in API group '
            '"" in the namespace "default"',
        )
        assert status(await http.get("/apis/apps/v1/namespaces/default/deployments/web")) == (
            403,
            "Forbidden",
            'deployments.apps "web" is forbidden: User "eve" cannot get resource "deployments" in '
            'API group "apps" in the namespace "default"',
        )
        assert status(await http.get("/api/v1/nodes"))[2].endswith(
            'cannot list resource "nodes" in API group "" at the cluster scope'
        )
    assert served.store.list(served.registry.of("ConfigMap")) == []


@pytest.mark.parametrize(
    ("verb", "plural", "allowed"),
    [("list", "configmaps", True), ("create", "configmaps", False), ("list", "secrets", False)],
)
async def test_one_can_ask_what_one_may_do(verb: str, plural: str, *, allowed: bool) -> None:
    served = cluster()
    served.authority.grant("another", "eve", {("list", "configmaps")})
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    asked = {"resourceAttributes": {"verb": verb, "resource": plural, "namespace": "default"}}
    async with client(served, "another") as http:
        answer = await http.post(path, json={"spec": asked})
    assert (answer.status_code, answer.json()["status"]["allowed"]) == (201, allowed)


async def test_a_token_that_is_asked_about_is_not_repeated() -> None:
    path = "/apis/authentication.k8s.io/v1/tokenreviews"
    async with client(cluster()) as http:
        known = await http.post(path, json={"spec": {"token": TOKEN}})
        unknown = await http.post(path, json={"spec": {"token": "x"}})
    assert known.json()["status"]["user"]["username"] == "sandbox-admin"
    assert unknown.json()["status"]["authenticated"] is False
    assert TOKEN not in known.text


@pytest.mark.parametrize(
    ("sent", "media_type", "expected"),
    [
        (b"{", "application/json", (400, "BadRequest")),
        (b"[1]", "application/json", (400, "BadRequest")),
        (b'{"a": NaN}', "application/json", (400, "BadRequest")),
        (b"\xff\xfe", "application/json", (400, "BadRequest")),
        (b"[" * 100_000, "application/json", (400, "BadRequest")),
        (b'{"a":' * 101 + b"1" + b"}" * 101, "application/json", (400, "BadRequest")),
        (b"a: &a [x]\nb: [*a, *a]", "application/yaml", (400, "BadRequest")),
        (b"a: !!python/object:os.system x", "application/yaml", (400, "BadRequest")),
        (b"a: [", "application/yaml", (400, "BadRequest")),
        (b"k8s\x00\n\x0c", "application/vnd.kubernetes.protobuf", (415, "UnsupportedMediaType")),
        (b" " * (3 * 2**20 + 1), "application/json", (413, "RequestEntityTooLarge")),
        (b"", "application/json", (400, "BadRequest")),
    ],
    ids=lambda value: None if isinstance(value, bytes) else str(value),
)
async def test_a_body_that_cannot_be_read(
    sent: bytes, media_type: str, expected: tuple[int, str]
) -> None:
    served = cluster()
    async with client(served) as http:
        answer = await http.post(MAPS, content=sent, headers={"Content-Type": media_type})
    assert status(answer)[:2] == expected
    assert served.store.list(served.registry.of("ConfigMap")) == []


async def test_whoever_speaks_protobuf_is_told_what_to_do() -> None:
    headers = {"Content-Type": "application/vnd.kubernetes.protobuf"}
    async with client(cluster()) as http:
        answer = await http.post(MAPS, content=b"k8s\x00", headers=headers)
    assert "kubectl apply" in status(answer)[2]


@pytest.mark.parametrize(
    "query",
    [
        "limit=x",
        "resourceVersion=x",
        "watch=1&resourceVersion=x",
        "watch=1&timeoutSeconds=x",
        "watch=1&timeoutSeconds=-1",
        "continue=x",
        "labelSelector=a+in",
        "fieldSelector=spec.nodeName=x",
    ],
)
async def test_a_question_that_makes_no_sense(query: str) -> None:
    async with client(cluster()) as http:
        assert status(await http.get(f"{MAPS}?{query}"))[:2] == (400, "BadRequest")


async def test_a_page_that_is_too_old() -> None:
    served = cluster(history=5)
    kind = served.registry.of("ConfigMap")
    for name in "abc":
        served.store.create(kind, {"metadata": {"name": name, "namespace": "default"}})
    async with client(served) as http:
        first = (await http.get(f"{MAPS}?limit=1")).json()["metadata"]
        assert first["remainingItemCount"] == 2
        served.store.delete(kind, "default", "b")
        path = f"{MAPS}?limit=5&continue={first['continue']}"
        then = (await http.get(path)).json()
        # The moment of the first page, not this one.
        assert [item["metadata"]["name"] for item in then["items"]] == ["b", "c"]
        assert then["metadata"]["resourceVersion"] == first["resourceVersion"]
        served.store.compact()
        assert status(await http.get(path))[:2] == (410, "Expired")


async def test_a_list_from_the_future() -> None:
    served = cluster()
    async with client(served) as http:
        answer = await http.get(f"{MAPS}?resourceVersion={served.store.version + 1}")
    assert status(answer)[:2] == (504, "Timeout")


async def test_unknown_fields_are_warned_of() -> None:
    async with client(cluster()) as http:
        answer = await http.post(MAPS, json={**MAP, 'we"ird\nfield': 1})
    assert answer.status_code == 201
    assert answer.headers["Warning"] == '299 - "unknown field \\"we\\"ird field\\""'
    assert sorted(answer.json()) == ["apiVersion", "data", "kind", "metadata"]


async def test_nothing_is_executed() -> None:
    served = cluster()
    spec = {"containers": [{"name": "a", "image": "a"}]}
    pod = {"metadata": {"name": "a", "namespace": "default"}, "spec": spec}
    served.store.create(served.registry.of("Pod"), pod)
    async with client(served) as http:
        answer = await http.post("/api/v1/namespaces/default/pods/a/exec?command=ls")
    code, reason, message = status(answer)
    assert (code, reason) == (400, "BadRequest")
    assert message.startswith("nothing is executed in a sandbox cluster")


async def test_a_table_for_kubectl() -> None:
    table = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
    async with client(cluster()) as http:
        await http.post(MAPS, json=MAP)
        answer = (await http.get(MAPS, headers={"Accept": table})).json()
        watched = await http.get(f"{MAPS}?watch=1&timeoutSeconds=1", headers={"Accept": table})
        refused = await http.get(f"{MAPS}/missing", headers={"Accept": table})
    assert answer["kind"] == "Table"
    names = [each["name"] for each in answer["columnDefinitions"]]
    assert names == ["Name", "Data", "Age"]
    assert answer["rows"][0]["cells"][:2] == ["a", 1]
    assert answer["rows"][0]["object"]["kind"] == "PartialObjectMetadata"
    assert json.loads(watched.text.splitlines()[0])["object"]["kind"] == "Table"
    assert refused.json()["kind"] == "Status"


async def test_openapi_as_old_kubectls_read_it() -> None:
    """Field 8 of the document has the paths; every length must lead to the end."""
    accept = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
    async with client(cluster()) as http:
        answer = await http.get("/openapi/v2", headers={"Accept": accept})
    sent = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
    assert answer.headers["Content-Type"] == sent
    document = dict(fields(answer.content))
    assert document[1] == b"2.0"
    found = [dict(fields(item)) for number, item in fields(document[8]) if number == 2]
    paths = {item[1].decode(): item[2] for item in found}
    deployment = paths["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]
    operation = list(fields(dict(fields(deployment))[8]))
    extension = dict(fields(dict(operation)[13]))
    assert extension[1] == b"x-kubernetes-group-version-kind"
    kind = dict(fields(extension[2]))[2].decode()
    assert kind == 'group: "apps"\nversion: "v1"\nkind: "Deployment"\n'
    assert sum(b"dryRun" in value for number, value in operation if number == 8) == 1


def fields(message: bytes) -> list[tuple[int, bytes]]:
    """The length-delimited fields of a protobuf message."""
    found, at = [], 0

    def varint() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(message):
        key, length = varint(), varint()
        assert key & 7 == 2
        found.append((key >> 3, message[at : at + length]))
        at += length
    assert at == len(message)
    return found
