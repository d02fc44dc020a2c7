"""`kubeorch sandbox`: a process of its own, which says where it is but not what its token is."""

import asyncio
import os
import signal
import ssl
import stat
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import yaml

from app.commands import sandbox as command
from tests.sandbox.asking import MAPS

PATIENCE = 60.0


@dataclass(frozen=True)
class Started:
    process: asyncio.subprocess.Process
    printed: str
    url: str
    token: str
    data_dir: Path

    def client(self) -> httpx.AsyncClient:
        authority = (self.data_dir / "sandbox" / "ca.crt").read_text()
        return httpx.AsyncClient(
            base_url=self.url,
            verify=ssl.create_default_context(cadata=authority),
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=PATIENCE,
            trust_env=False,
        )


@asynccontextmanager
async def started(data_dir: Path, *options: str) -> AsyncIterator[Started]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "app.cli", "sandbox", "--port", "0", *options),
        env={**os.environ, "KUBEORCH_DATA_DIR": str(data_dir)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    lines = []
    try:
        async with asyncio.timeout(PATIENCE):
            async for line in process.stdout:
                lines.append(line.decode())
                if line.startswith(b"Ctrl-C"):
                    break
        printed = "".join(lines)
        url = next((line.split()[-1] for line in lines if " URL " in line), "")
        assert url, printed
        token = (data_dir / "sandbox" / "token").read_text().strip()
        yield Started(process, printed, url, token, data_dir)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_says_where_it_is_and_ends_in_good_order(tmp_path: Path) -> None:
    async with started(tmp_path) as served:
        assert served.url.startswith("https://127.0.0.1:")
        assert "nothing is executed" in served.printed
        assert served.token not in served.printed
        assert str(tmp_path / "sandbox" / "token") in served.printed
        private = [path for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".crt"]
        assert {path.name for path in private} == {
            "token",
            "ca.key",
            "server.key",
            "sandbox.kubeconfig",
        }
        assert {stat.S_IMODE(path.stat().st_mode) for path in private} == {0o600}
        config = yaml.safe_load((tmp_path / "sandbox.kubeconfig").read_text())
        assert config["clusters"][0]["cluster"]["server"] == served.url
        assert config["users"][0]["user"]["token"] == served.token
        async with (
            served.client() as http,
            http.stream("GET", f"{MAPS}?watch=1") as watch,
        ):
            assert watch.status_code == 200
            served.process.send_signal(signal.SIGTERM)
            # The open watch ends in order, and does not hold the process.
            async with asyncio.timeout(PATIENCE):
                await watch.aread()
        async with asyncio.timeout(PATIENCE):
            assert await served.process.wait() == 0


async def test_is_known_again_after_a_restart(tmp_path: Path) -> None:
    async with started(tmp_path) as first:
        authority = (tmp_path / "sandbox" / "ca.crt").read_bytes()
        async with first.client() as http:
            version = (await http.get(MAPS)).json()["metadata"]["resourceVersion"]
    async with started(tmp_path) as second:
        assert second.token == first.token
        assert (tmp_path / "sandbox" / "ca.crt").read_bytes() == authority
        async with second.client() as http:
            assert (await http.get("/version")).json()["gitVersion"] == "v1.36.0-sandbox"
            watch = await http.get(f"{MAPS}?watch=1&resourceVersion={version}")
            assert watch.json()["type"] == "ERROR"
            assert watch.json()["object"]["code"] == 410


async def test_speaks_plain_http_when_told_to(tmp_path: Path) -> None:
    async with started(tmp_path, "--no-tls") as served:
        assert served.url.startswith("http://127.0.0.1:")
        async with served.client() as http:
            assert (await http.get(MAPS)).status_code == 200
            assert (await http.get(MAPS, headers={"Authorization": ""})).status_code == 401


@pytest.mark.parametrize("speed", ["0", "-1", "nan", "inf", "1e9", "fast"])
def test_a_speed_that_is_none(speed: str) -> None:
    with pytest.raises(SystemExit) as end:
        command.parser().parse_args(["--speed", speed])
    assert end.value.code == 2
