"""The launcher of a real control plane, as far as a machine without one can show it."""

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.kubernetes.certificates import Authority
from tests.kubernetes.control_plane import (
    ApiServer,
    Etcd,
    NoControlPlane,
    control_plane,
    provided,
    started_etcd,
)
from tests.kubernetes.processes import NotServing, free_ports, serving


def api_server(files: Path, *, has_controllers: bool = True) -> ApiServer:
    return ApiServer(
        6443,
        "http://127.0.0.1:2379",
        "https://127.0.0.1:8443",
        files,
        has_controllers=has_controllers,
    )


async def test_a_folder_without_the_programs(tmp_path: Path) -> None:
    (tmp_path / "etcd").touch()
    with pytest.raises(NoControlPlane) as refused:
        async with control_plane(tmp_path, tmp_path):
            pass
    assert str(refused.value) == (
        f"KUBEBUILDER_ASSETS is {tmp_path}, which has no kube-apiserver: name a folder with "
        "etcd, kube-apiserver and perhaps kube-controller-manager, or unset it."
    )


def test_what_the_programs_provide(tmp_path: Path) -> None:
    alone = {"api", "certificates", "accounts", "oidc"}
    assert provided(tmp_path) == alone
    (tmp_path / "kube-controller-manager").touch()
    assert provided(tmp_path) == alone | {"controllers"}


def test_without_controllers_accounts_are_not_asked_for(tmp_path: Path) -> None:
    unasked = "--disable-admission-plugins=ServiceAccount"
    assert unasked in api_server(tmp_path, has_controllers=False).arguments()
    beside = api_server(tmp_path)
    assert unasked not in beside.arguments()
    assert "--secure-port=6443" in beside.arguments()


def test_every_file_that_is_named_is_there(tmp_path: Path) -> None:
    server = api_server(tmp_path)
    server.write(Authority(), "secret")
    named = [
        Path(value)
        for _, _, value in (each.partition("=") for each in server.arguments())
        if value.startswith(str(tmp_path))
    ]
    assert len(named) == 8
    assert all(path.exists() for path in named)
    tokens = tmp_path / "tokens.csv"
    assert tokens.read_text() == 'secret,tests,tests,"system:masters"\n'


def test_whom_the_provider_knows_is_somebody_else(tmp_path: Path) -> None:
    """Without the prefix a token could make anybody the user of the token file."""
    asked = [each for each in api_server(tmp_path).arguments() if each.startswith("--oidc")]
    assert asked == [
        "--oidc-issuer-url=https://127.0.0.1:8443",
        "--oidc-client-id=kubernetes",
        f"--oidc-ca-file={tmp_path / 'ca.crt'}",
        "--oidc-username-claim=sub",
        "--oidc-username-prefix=oidc:",
    ]


async def test_a_program_that_ends_says_why(tmp_path: Path) -> None:
    async def never() -> bool:
        return False

    command = ["/bin/sh", "-c", "echo no such flag; exit 3"]
    with pytest.raises(NotServing, match=r"^sh ended with 3:\nno such flag\n$"):
        async with serving(command, tmp_path / "log", never):
            pass


async def test_a_program_that_is_never_ready(tmp_path: Path) -> None:
    async def never() -> bool:
        return False

    with pytest.raises(NotServing, match=r"^sleep was not ready within 0\.2 s"):
        async with serving(["sleep", "60"], tmp_path / "log", never, patience=0.2):
            pass


async def test_a_server_that_does_not_start_leaves_nothing_behind(
    tmp_path: Path, requires: Callable[..., str]
) -> None:
    (tmp_path / "etcd").symlink_to(requires("etcd"))
    files = tmp_path / "files"
    files.mkdir()
    server = tmp_path / "kube-apiserver"
    server.write_text('#!/bin/sh\necho "$1" > "$0.asked"\necho unknown flag\nexit 1\n')
    server.chmod(0o700)
    with pytest.raises(NotServing, match=r"^kube-apiserver ended with 1:\nunknown flag\n$"):
        async with control_plane(tmp_path, files):
            pass
    url = Path(f"{server}.asked").read_text().strip().removeprefix("--etcd-servers=")
    async with httpx.AsyncClient(trust_env=False) as http:
        with pytest.raises(httpx.ConnectError):
            await http.get(f"{url}/health")


async def test_etcd_starts_and_ends(tmp_path: Path, requires: Callable[..., str]) -> None:
    port, peers = free_ports(2)
    etcd = Etcd(port, peers, tmp_path / "data")
    async with (
        started_etcd(Path(requires("etcd")), etcd, tmp_path),
        httpx.AsyncClient(trust_env=False) as http,
    ):
        assert (await http.get(f"{etcd.url}/health")).json()["health"] == "true"
    async with httpx.AsyncClient(trust_env=False) as http:
        with pytest.raises(httpx.ConnectError):
            await http.get(f"{etcd.url}/health")
