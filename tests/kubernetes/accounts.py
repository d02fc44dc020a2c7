"""Service accounts in tests: their tokens, and what they are allowed."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from tests.kubernetes.asking import Api, Object, ok
from tests.secrecy import keep_secret


async def token_of(api: Api, name: str) -> str:
    """A token of a service account of the namespace, which is good for ten minutes."""
    request = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"expirationSeconds": 600},
    }
    answer = await api.http.post(api.path("ServiceAccount", name, "token"), json=request)
    token: str = ok(answer, 201)["status"]["token"]
    return keep_secret(token, "a service account's token")


async def account(api: Api, name: str) -> str:
    """A new service account, which may do nothing: a token of it."""
    metadata = {"name": name}
    await api.made({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata})
    return await token_of(api, name)


async def allow(api: Api, subject: Object, resource: str, *verbs: str) -> None:
    """Let somebody do something in the namespace, from some moment soon on.

    By a role of our own: without controllers nobody fills those that are made of others.
    """
    group = "rbac.authorization.k8s.io"
    metadata = {"name": f"{resource}-{secrets.token_hex(4)}"}
    await api.made(
        {
            "apiVersion": f"{group}/v1",
            "kind": "Role",
            "metadata": metadata,
            "rules": [{"apiGroups": [""], "resources": [resource], "verbs": list(verbs)}],
        }
    )
    await api.made(
        {
            "apiVersion": f"{group}/v1",
            "kind": "RoleBinding",
            "metadata": metadata,
            "roleRef": {"apiGroup": group, "kind": "Role", "name": metadata["name"]},
            "subjects": [subject],
        }
    )


def user(name: str) -> Object:
    """Somebody as the subject of a binding."""
    return {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": name}


@asynccontextmanager
async def lent(http: httpx.AsyncClient) -> AsyncIterator[str]:
    """A token of somebody who may do nothing; it is revoked with the account at the end."""
    async with http:
        api = Api(http, f"lent-{secrets.token_hex(4)}")
        metadata = {"name": api.namespace}
        await api.made({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
        try:
            yield await account(api, "guest")
        finally:
            ok(await api.delete("ServiceAccount", "guest"))
            ok(await api.delete("Namespace", api.namespace))
