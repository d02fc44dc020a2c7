"""What a test knows of the cluster that it asks: where it is, who asks, and what it can do."""

import ssl
from base64 import b64encode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import httpx
import yaml

EVERYTHING = frozenset({"api", "controllers", "pods"})
"""What a test can need: an API server, the controllers beside it, and nodes that run pods."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A Kubernetes API over TLS, and a token with which everything is allowed.

    `restart` stops the API server and starts it again at the same address. `has_kubelet` says
    whether pods become ready by themselves; where they don't, a test plays the kubelet.
    """

    name: str
    server: str
    ca: bytes
    token: str
    has_kubelet: bool
    restart: Callable[[], Awaitable[None]]

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

    def kubeconfig(self, namespace: str) -> str:
        """The kubeconfig of the all-mighty user, with everything inline."""
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
                "users": [{"name": "tests", "user": {"token": self.token}}],
                "contexts": [
                    {
                        "name": "tests",
                        "context": {"cluster": "tests", "user": "tests", "namespace": namespace},
                    }
                ],
            }
        )
