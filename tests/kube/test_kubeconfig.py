"""Kubeconfigs: what is read, and what is refused by name without repeating a value."""

import base64
import json
from typing import Any

import pytest
import yaml

from app.domain.access import BearerToken, ClientCertificate
from app.domain.errors import Invalid
from app.kube.kubeconfig import LONGEST, read_kubeconfig
from tests.kubernetes.certificates import Authority

SERVER = "https://cluster.example:6443"
TOKEN = "t0ken-of-the-kubeconfig"


def kubeconfig(
    server: str = SERVER,
    ca: bytes | None = None,
    *,
    cluster: dict[str, Any] | None = None,
    user: dict[str, Any] | None = None,
    token: str = TOKEN,
    **top: Any,
) -> str:
    """A kubeconfig with one context."""
    held = {"server": server, **(cluster or {})}
    if ca is not None:
        held["certificate-authority-data"] = base64.b64encode(ca).decode()
    config: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": held}],
        "users": [{"name": "u", "user": {"token": token} if user is None else user}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u", "namespace": "n"}}],
        "current-context": "x",
        "preferences": {},
        **top,
    }
    return yaml.safe_dump({key: value for key, value in config.items() if value is not None})


def problems(text: str, **arguments: Any) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as refused:
        read_kubeconfig(text, **arguments)
    assert all(problem.path[0] == "kubeconfig" for problem in refused.value.problems)
    return [(".".join(one.path[1:]), one.message) for one in refused.value.problems]


def test_a_token_and_an_authority(authority: Authority) -> None:
    text = kubeconfig(ca=authority.pem, cluster={"tls-server-name": "kubernetes"})

    access = read_kubeconfig(text)

    assert access.server == SERVER
    assert access.ca == authority.pem.decode()
    assert access.tls_server_name == "kubernetes"
    assert access.proof == BearerToken(token=TOKEN)


def test_a_certificate_and_its_key(authority: Authority) -> None:
    pair = authority.client("alice")
    user = {
        "client-certificate-data": base64.b64encode(pair.certificate).decode(),
        "client-key-data": base64.b64encode(pair.key).decode(),
    }

    proof = read_kubeconfig(kubeconfig(user=user)).proof

    assert isinstance(proof, ClientCertificate)
    assert proof.certificate == pair.certificate.decode()
    assert proof.key.startswith("-----BEGIN PRIVATE KEY-----")


def test_json_is_read_too() -> None:
    text = json.dumps(yaml.safe_load(kubeconfig()))

    assert read_kubeconfig(text).server == SERVER


COMMAND = {"exec": {"command": "touch", "args": ["s3cret"]}}


@pytest.mark.parametrize(
    ("user", "field"),
    [
        (COMMAND, "exec"),
        ({"auth-provider": {"name": "s3cret"}}, "auth-provider"),
        ({"tokenFile": "/etc/s3cret"}, "tokenFile"),
        ({"client-certificate": "/etc/s3cret"}, "client-certificate"),
        ({"client-key": "/etc/s3cret"}, "client-key"),
        ({"username": "s3cret"}, "username"),
        ({"password": "s3cret"}, "password"),
        ({"as": "s3cret"}, "as"),
        ({"as-groups": ["s3cret"]}, "as-groups"),
        ({"as-uid": "s3cret"}, "as-uid"),
        ({"as-user-extra": {"s3cret": ["x"]}}, "as-user-extra"),
        ({"something-else": "s3cret"}, "something-else"),
    ],
)
def test_what_a_user_may_not_have(user: dict[str, Any], field: str) -> None:
    """Also beside a token that would do."""
    [(path, message)] = problems(kubeconfig(user={"token": "t", **user}))

    assert path == f"users[0].user.{field}"
    assert "s3cret" not in message


@pytest.mark.parametrize(
    ("cluster", "field"),
    [
        ({"certificate-authority": "/etc/s3cret"}, "certificate-authority"),
        ({"insecure-skip-tls-verify": True}, "insecure-skip-tls-verify"),
        ({"proxy-url": "http://s3cret"}, "proxy-url"),
    ],
)
def test_what_a_cluster_may_not_have(cluster: dict[str, Any], field: str) -> None:
    [(path, message)] = problems(kubeconfig(cluster=cluster))

    assert path == f"clusters[0].cluster.{field}"
    assert "s3cret" not in message


def test_all_problems_are_told_at_once() -> None:
    text = kubeconfig(cluster={"proxy-url": "http://p"}, user=COMMAND)

    assert [path for path, _ in problems(text)] == [
        "clusters[0].cluster.proxy-url",
        "users[0].user.exec",
    ]


def test_what_is_switched_off_is_not_there() -> None:
    text = kubeconfig(
        cluster={"insecure-skip-tls-verify": False, "proxy-url": ""},
        user={"token": "t", "exec": None, "as": "", "as-groups": []},
    )

    assert read_kubeconfig(text).proof == BearerToken(token="t")


def several(**top: Any) -> str:
    return kubeconfig(
        clusters=[
            {"name": "c", "cluster": {"server": "https://one.example"}},
            {"name": "d", "cluster": {"server": "https://two.example"}},
        ],
        contexts=[
            {"name": "one", "context": {"cluster": "c", "user": "u"}},
            {"name": "two", "context": {"cluster": "d", "user": "u"}},
        ],
        **top,
    )


def test_the_context_is_chosen() -> None:
    assert read_kubeconfig(several(**{"current-context": "two"})).server == "https://two.example"
    assert read_kubeconfig(several(), context="one").server == "https://one.example"
    assert read_kubeconfig(kubeconfig(**{"current-context": None})).server == SERVER


def test_several_contexts_and_none_is_named() -> None:
    assert problems(several(**{"current-context": ""})) == [
        ("current-context", "It has several contexts, say which: 'one', 'two'.")
    ]


def test_missing_entries_are_named() -> None:
    assert problems(kubeconfig(), context="nope") == [
        ("context", "There is no entry 'nope' in contexts: 'x'.")
    ]
    assert problems(kubeconfig(users=[])) == [
        ("contexts[0].context.user", "There is no entry 'u' in users: none.")
    ]
    assert problems(kubeconfig(contexts=None, **{"current-context": None})) == [
        ("contexts", "It has no context.")
    ]
    assert problems(kubeconfig(contexts=[{"name": "x", "context": {"user": "u"}}])) == [
        ("contexts[0].context.cluster", "The context doesn't name its cluster.")
    ]


def test_a_server_is_needed() -> None:
    assert problems(kubeconfig(server="")) == [
        ("clusters[0].cluster.server", "The address of the API server is missing.")
    ]


def test_a_proof_is_needed_and_one_is_enough(authority: Authority) -> None:
    pair = authority.client("alice")
    both = {
        "token": "t",
        "client-certificate-data": base64.b64encode(pair.certificate).decode(),
        "client-key-data": base64.b64encode(pair.key).decode(),
    }
    half = {"client-certificate-data": both["client-certificate-data"]}

    assert [path for path, _ in problems(kubeconfig(user={}))] == ["users[0].user"]
    assert [path for path, _ in problems(kubeconfig(user=both))] == ["users[0].user"]
    assert problems(kubeconfig(user=half)) == [
        ("users[0].user.client-key-data", "This is missing: certificate and key go together.")
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "just words",
        "---\na: 1\n---\nb: 2\n",
        "clusters: 5\ncurrent-context: x\ncontexts: []",
        "contexts: 7",
        "contexts: [7]",
        "contexts: [{name: 7}]",
        "contexts: [{name: x, context: 7}]",
        "a: [",
        "{" * 10_000,
        "a: &a [x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"
        "d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\n"
        "f: [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]\n",
        "x" * (LONGEST + 1),
        "!!python/object/apply:os.system ['true']",
        "a: \ud800",
    ],
)
def test_what_is_no_kubeconfig(text: str) -> None:
    assert len(problems(text)) == 1


@pytest.mark.parametrize(
    "line",
    [
        "token: *s3cret",
        "token: !s3cret x",
        "token: 's3cret",
        "token: s3cret: x",
        "? s3cret\n? s3cret",
    ],
)
def test_what_cannot_be_read_is_not_repeated(line: str) -> None:
    [(_, message)] = problems(f"users:\n- name: u\n  {line}")

    assert "s3cret" not in message


def test_a_value_in_the_place_of_a_field_is_not_repeated() -> None:
    [(path, message)] = problems(kubeconfig(user={"token": "t", "eyJh.s3cret.1": "x"}))

    assert path == "users[0].user"
    assert "s3cret" not in message


def test_certificates_are_checked(authority: Authority) -> None:
    pair, other = authority.client("alice"), authority.client("bob")
    user = {
        "client-certificate-data": base64.b64encode(pair.certificate).decode(),
        "client-key-data": base64.b64encode(other.key).decode(),
    }

    assert problems(kubeconfig(ca=b"nonsense", user=user)) == [
        (
            "clusters[0].cluster.certificate-authority-data",
            "It has to be PEM, or base64 of PEM.",
        ),
        ("users[0].user.client-key-data", "The key does not belong to the certificate."),
    ]


def test_a_tls_server_name_is_a_name() -> None:
    [(path, _)] = problems(kubeconfig(cluster={"tls-server-name": "a b"}))

    assert path == "clusters[0].cluster.tls-server-name"


@pytest.mark.parametrize("token", ["t" * 65_537, "two words", "line\nbreak", "t\u00f6ken"])
def test_a_token_fits_into_a_header(token: str) -> None:
    [(path, message)] = problems(kubeconfig(token=token))

    assert path == "users[0].user.token"
    assert token not in message
