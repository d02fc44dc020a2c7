"""The provider of OpenID Connect as a process of its own, as providers are."""

import asyncio
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.kube.provider import Provider
from tests.kube.serving import Server, serving
from tests.kubernetes.certificates import Authority

LIFETIME = 30.0
"""Seconds of an id token: too few for one that is kept to be used again."""


@asynccontextmanager
async def provider_process(
    authority: Authority, folder: Path, refresh_token: str
) -> AsyncIterator[str]:
    """Its URL. It takes `refresh_token` once: with every renewal it gives another."""
    authority.server("127.0.0.1").write(folder, "provider")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", __name__, str(folder)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(f"{refresh_token}\n".encode())
        async with asyncio.timeout(30):
            yield (await process.stdout.readline()).decode().strip()
    finally:
        process.kill()
        await process.communicate()


async def _serve(folder: Path, refresh_token: str) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(folder / "provider.crt", folder / "provider.key")
    async with serving(Server(), tls) as server:
        Provider(server, refreshes={refresh_token}, rotates=True, lifetime=LIFETIME)
        print(server.url, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1]), sys.stdin.readline().strip()))
