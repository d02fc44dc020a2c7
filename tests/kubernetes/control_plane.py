"""A real control plane from the programs in a folder: etcd, kube-apiserver, controllers if there.

The folder is that of `KUBEBUILDER_ASSETS`, as envtest has it. There is no scheduler and no node.
"""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.kube.provider import CLIENT, Provider
from tests.kube.serving import Server, context
from tests.kube.serving import serving as answering
from tests.kubernetes.accounts import lent
from tests.kubernetes.certificates import Authority, signing_key
from tests.kubernetes.clusters import Cluster
from tests.kubernetes.processes import free_ports, serving

ETCD, API_SERVER = "etcd", "kube-apiserver"
CONTROLLERS = "kube-controller-manager"
_USER = "tests"
_ISSUER = "https://kubernetes.default.svc"
_ADDRESSES = "10.0.0.0/24"
_API = frozenset({"api", "certificates", "accounts", "oidc"})

OIDC_PREFIX = "oidc:"
"""Before the names of users whom the provider knows."""


class NoControlPlane(Exception):
    """The folder lacks a program."""


def provided(assets: Path) -> frozenset[str]:
    """What tests can get of the programs in a folder."""
    return _API | {"controllers"} if (assets / CONTROLLERS).exists() else _API


@dataclass(frozen=True, slots=True)
class Etcd:
    """How etcd is started. It listens to this machine alone, without TLS."""

    port: int
    peers: int
    data: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def arguments(self) -> list[str]:
        peers = f"http://127.0.0.1:{self.peers}"
        return [
            f"--data-dir={self.data}",
            f"--listen-client-urls={self.url}",
            f"--advertise-client-urls={self.url}",
            f"--listen-peer-urls={peers}",
            f"--initial-advertise-peer-urls={peers}",
            f"--initial-cluster=default={peers}",
            "--unsafe-no-fsync=true",
        ]


@dataclass(frozen=True, slots=True)
class ApiServer:
    """How kube-apiserver is started, and what its controllers share with it.

    `provider` is the URL of the provider of OpenID Connect whose tokens it believes; its
    certificate has to be one of the authority of the files.
    """

    port: int
    etcd: str
    provider: str
    files: Path
    has_controllers: bool

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def write(self, authority: Authority, token: str) -> None:
        """Write the files that the programs read."""
        authority.server("127.0.0.1", "localhost").write(self.files, "server")
        (self.files / "ca.crt").write_bytes(authority.pem)
        (self.files / "accounts.key").write_bytes(signing_key())
        (self.files / "tokens.csv").write_text(f'{token},{_USER},{_USER},"system:masters"\n')

    def arguments(self) -> list[str]:
        files = self.files
        chosen = [
            f"--etcd-servers={self.etcd}",
            f"--cert-dir={files}",
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            f"--secure-port={self.port}",
            f"--tls-cert-file={files / 'server.crt'}",
            f"--tls-private-key-file={files / 'server.key'}",
            f"--client-ca-file={files / 'ca.crt'}",
            f"--token-auth-file={files / 'tokens.csv'}",
            f"--service-cluster-ip-range={_ADDRESSES}",
            "--authorization-mode=RBAC",
            "--allow-privileged=true",
            f"--service-account-issuer={_ISSUER}",
            f"--service-account-key-file={files / 'accounts.key'}",
            f"--service-account-signing-key-file={files / 'accounts.key'}",
            f"--oidc-issuer-url={self.provider}",
            f"--oidc-client-id={CLIENT}",
            f"--oidc-ca-file={files / 'ca.crt'}",
            "--oidc-username-claim=sub",
            f"--oidc-username-prefix={OIDC_PREFIX}",
        ]
        if not self.has_controllers:
            # Nobody makes the account that this plugin asks of every namespace with a pod.
            chosen.append("--disable-admission-plugins=ServiceAccount")
        return chosen

    def controllers(self) -> list[str]:
        """The arguments of kube-controller-manager."""
        files = self.files
        return [
            f"--kubeconfig={files / 'controllers.yaml'}",
            f"--service-account-private-key-file={files / 'accounts.key'}",
            f"--root-ca-file={files / 'ca.crt'}",
            "--leader-elect=false",
            "--bind-address=127.0.0.1",
            "--secure-port=0",
            "--horizontal-pod-autoscaler-sync-period=1s",
            "--pvclaimbinder-sync-period=1s",
        ]


@asynccontextmanager
async def control_plane(assets: Path, folder: Path) -> AsyncIterator[Cluster]:
    """The real thing on loopback ports, with its files in `folder`, while the block runs."""
    for program in (ETCD, API_SERVER):
        if not (assets / program).is_file():
            raise NoControlPlane(
                f"KUBEBUILDER_ASSETS is {assets}, which has no {program}: name a folder with "
                f"{ETCD}, {API_SERVER} and perhaps {CONTROLLERS}, or unset it."
            )
    authority, token = Authority(), secrets.token_hex(16)
    etcd_port, peers, port = free_ports(3)
    etcd = Etcd(etcd_port, peers, folder / "etcd")
    async with AsyncExitStack() as stack:
        provider = await stack.enter_async_context(_provider(authority, folder / "provider"))
        server = ApiServer(port, etcd.url, provider.url, folder, (assets / CONTROLLERS).exists())
        server.write(authority, token)
        answers = _answers(f"{server.url}/readyz", authority, token)
        await stack.enter_async_context(started_etcd(assets / ETCD, etcd, folder))
        api = await stack.enter_async_context(AsyncExitStack())  # it stops before etcd does

        async def start() -> None:
            command = [assets / API_SERVER, *server.arguments()]
            await api.enter_async_context(serving(command, folder / "apiserver.log", answers))

        async def restart() -> None:
            await api.aclose()
            await start()

        await start()
        cluster = Cluster(
            name="control-plane",
            server=server.url,
            ca=authority.pem,
            token=token,
            user=_USER,
            platform=None,
            nodes=0,
            has_kubelet=False,
            restart=restart,
            lend=lambda: lent(cluster.client()),
            people=authority,
            provider=provider,
        )
        if server.has_controllers:
            (folder / "controllers.yaml").write_text(cluster.kubeconfig("default"))
            command = [assets / CONTROLLERS, *server.controllers()]
            log = folder / "controllers.log"
            await stack.enter_async_context(serving(command, log, answers))
        yield cluster


@asynccontextmanager
async def started_etcd(program: Path, etcd: Etcd, folder: Path) -> AsyncIterator[None]:
    """etcd alone, healthy, while the block runs."""
    healthy = _answers(f"{etcd.url}/health", None, "")
    async with serving([program, *etcd.arguments()], folder / "etcd.log", healthy):
        yield


@asynccontextmanager
async def _provider(authority: Authority, folder: Path) -> AsyncIterator[Provider]:
    """It is there before the API server, which asks for its keys as soon as it starts."""
    folder.mkdir()
    tls = context(authority.server("127.0.0.1"), folder)
    async with answering(Server(), tls) as server:
        yield Provider(server)


def _answers(url: str, authority: Authority | None, token: str) -> Callable[[], Awaitable[bool]]:
    """Whether a URL answers 200."""
    verify = authority.trusted() if authority else False
    headers = {"Authorization": f"Bearer {token}"} if token else {}

    async def ask() -> bool:
        async with httpx.AsyncClient(verify=verify, headers=headers, trust_env=False) as http:
            try:
                return (await http.get(url, timeout=5)).status_code == httpx.codes.OK
            except httpx.TransportError:
                return False

    return ask
