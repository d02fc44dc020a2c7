"""What a test knows of the cluster that it asks: where it is, who asks, and what it can do."""

import ssl
from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

import httpx
import yaml

from tests.kube.provider import Provider
from tests.kubernetes.certificates import Authority

NEEDS = frozenset({"api", "controllers", "pods", "certificates", "accounts", "oidc"})
"""What a test can need: an API server, the controllers beside it, and nodes that run pods; and of
the API server that it believes client certificates, issues tokens of service accounts, and believes
a provider of OpenID Connect."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A Kubernetes API over TLS, and a token with which everything is allowed.

    `user` is whose token that is. `platform` and `nodes` are what discovery has to find.
    `has_kubelet` says whether pods become ready by themselves; where they don't, a test plays the
    kubelet. `restart` stops the API server and starts it again at the same address. `lend` gives a
    token of somebody who may do nothing, for a block, and revokes it at its end. `people` signs the
    client certificates, `provider` the id tokens that are believed.
    """

    name: str
    server: str
    ca: bytes
    token: str = field(repr=False)
    user: str
    platform: str | None
    nodes: int
    has_kubelet: bool
    restart: Callable[[], Awaitable[None]]
    lend: Callable[[], AbstractAsyncContextManager[str]]
    people: Authority | None = None
    provider: Provider | None = field(default=None, repr=False)

    def client(self, token: str | None = None) -> httpx.AsyncClient:
        """A client of the API, as the all-mighty user or with another token."""
        return httpx.AsyncClient(
            base_url=self.server,
            verify=ssl.create_default_context(cadata=self.ca.decode()),
            headers={
                "Authorization": f"Bearer {token or self.token}",
                "User-Agent": "tests/1",
                "Accept": "application/json",
            },
            timeout=30,
            trust_env=False,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=20),
        )

    def kubeconfig(self, namespace: str, user: Mapping[str, str] | None = None) -> str:
        """The kubeconfig of the all-mighty user or of another, with everything inline."""
        return yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "tests",
                "clusters": [
                    {
                        "name": "tests",
                        "cluster": {
                            "server": self.server,
                            "certificate-authority-data": b64encode(self.ca).decode(),
                        },
                    }
                ],
                "users": [{"name": "tests", "user": dict(user or {"token": self.token})}],
                "contexts": [
                    {
                        "name": "tests",
                        "context": {"cluster": "tests", "user": "tests", "namespace": namespace},
                    }
                ],
            }
        )
