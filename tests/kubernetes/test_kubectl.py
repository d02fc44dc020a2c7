"""`kubectl`, old and new, from apply to delete: what it prints is what people see.

The kubelet of the cluster makes the pods ready, so the suite's other clusters are not asked.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.kubernetes.asking import Api
from tests.kubernetes.clusters import Cluster

pytestmark = pytest.mark.pods

DEMO = """
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {colour: blue}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop, labels: {app: shop}}
spec:
  replicas: 2
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec:
      containers:
      - name: web
        image: registry.example.test/shop:1
        ports: [{containerPort: 8080}]
        envFrom: [{configMapRef: {name: settings}}]
---
apiVersion: v1
kind: Service
metadata: {name: shop}
spec:
  selector: {app: shop}
  ports: [{port: 80, targetPort: 8080}]
"""


class Kubectl:
    """The program with a kubeconfig of its own; nothing of the user's is read or written."""

    def __init__(self, program: str, home: Path, kubeconfig: str) -> None:
        self._program = program
        self._home = home
        (home / "config").write_text(kubeconfig)

    async def start(self, *arguments: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            self._program,
            *arguments,
            env={"HOME": str(self._home), "KUBECONFIG": str(self._home / "config")},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def tried(self, *arguments: str, stdin: str = "") -> tuple[int, str, str]:
        """The exit code and what was printed."""
        process = await self.start(*arguments)
        async with asyncio.timeout(60):
            out, err = await process.communicate(stdin.encode())
        assert process.returncode is not None
        return process.returncode, out.decode(), err.decode()

    async def __call__(self, *arguments: str, stdin: str = "") -> str:
        """What it printed; it has to succeed."""
        code, out, err = await self.tried(*arguments, stdin=stdin)
        assert code == 0, f"kubectl {' '.join(arguments)}: {out}{err}"
        return out


@pytest.fixture
def kubectl(cluster: Cluster, api: Api, requires: Callable[..., str], tmp_path: Path) -> Kubectl:
    return Kubectl(requires("kubectl"), tmp_path, cluster.kubeconfig(api.namespace))


@pytest.mark.parametrize("way", ["", "--server-side"], ids=["by itself", "by the server"])
async def test_a_demo_from_apply_to_delete(kubectl: Kubectl, api: Api, way: str) -> None:
    apply = ["apply", "-f", "-", *([way] if way else [])]
    done = "serverside-applied" if way else "created"
    assert (await kubectl(*apply, stdin=DEMO)).splitlines() == [
        f"configmap/settings {done}",
        f"deployment.apps/shop {done}",
        f"service/shop {done}",
    ]
    await kubectl("rollout", "status", "deployment/shop", "--timeout=30s")
    unchanged = "serverside-applied" if way else "unchanged"
    assert (await kubectl(*apply, stdin=DEMO)).splitlines() == [
        f"configmap/settings {unchanged}",
        f"deployment.apps/shop {unchanged}",
        f"service/shop {unchanged}",
    ]
    listed = await kubectl("get", "deployments,services")
    assert {line.split()[0] for line in listed.splitlines() if line} == {
        "NAME",
        "deployment.apps/shop",
        "service/shop",
    }
    described = await kubectl("describe", "deployment", "shop")
    assert "2 desired | 2 updated | 2 total | 2 available | 0 unavailable" in described
    assert "ScalingReplicaSet" in described
    await kubectl("scale", "deployment/shop", "--replicas=3")
    await kubectl("wait", "deployment/shop", "--for=condition=Available", "--timeout=30s")
    names = await kubectl("get", "pods", "-l", "app=shop", "-o", "name")
    assert len(names.splitlines()) == 3
    pod = await kubectl("describe", names.splitlines()[0])
    assert "Started container web" in pod
    assert "settings" in pod
    assert await kubectl("delete", "-f", "-", stdin=DEMO)
    await api.until_some("Pod", lambda pods: not pods)
    code, _, said = await kubectl.tried("get", "deployment", "shop")
    assert (code, said.strip()) == (
        1,
        'Error from server (NotFound): deployments.apps "shop" not found',
    )


async def test_a_change_is_rolled_out_and_back(kubectl: Kubectl) -> None:
    await kubectl("apply", "-f", "-", stdin=DEMO)
    await kubectl("rollout", "status", "deployment/shop", "--timeout=30s")
    await kubectl("set", "image", "deployment/shop", "web=registry.example.test/shop:2")
    await kubectl("rollout", "status", "deployment/shop", "--timeout=30s")
    history = await kubectl("rollout", "history", "deployment/shop")
    assert [line.split()[0] for line in history.split("\n") if line[:1].isdigit()] == ["1", "2"]
    await kubectl("rollout", "undo", "deployment/shop")
    await kubectl("rollout", "status", "deployment/shop", "--timeout=30s")
    image = "-o=jsonpath={.spec.template.spec.containers[0].image}"
    assert await kubectl("get", "deployment", "shop", image) == "registry.example.test/shop:1"


async def test_a_change_is_watched(kubectl: Kubectl) -> None:
    await kubectl("apply", "-f", "-", stdin=DEMO)
    watch = await kubectl.start("get", "configmap", "settings", "--watch", "-o", "name")
    assert watch.stdout is not None
    try:
        async with asyncio.timeout(60):
            assert await watch.stdout.readline() == b"configmap/settings\n"
            patch = '{"data":{"colour":"red"}}'
            await kubectl("patch", "configmap", "settings", "--type=merge", "-p", patch)
            assert await watch.stdout.readline() == b"configmap/settings\n"
    finally:
        watch.terminate()
        await watch.wait()


async def test_a_conflict_is_told(kubectl: Kubectl) -> None:
    await kubectl("apply", "--server-side", "-f", "-", stdin=DEMO)
    other = ("apply", "--server-side", "--field-manager=other", "-f", "-")
    code, _, said = await kubectl.tried(*other, stdin=DEMO.replace("blue", "red"))
    assert code == 1
    assert 'conflict with "kubectl": .data.colour' in said
    await kubectl(*other, "--force-conflicts", stdin=DEMO.replace("blue", "red"))


async def test_what_is_wrong_is_told(kubectl: Kubectl) -> None:
    wrong = DEMO.replace("colour: blue", "a b: c")
    code, _, said = await kubectl.tried("apply", "-f", "-", "--validate=false", stdin=wrong)
    assert code == 1
    assert 'The ConfigMap "settings" is invalid' in said


async def test_logs(kubectl: Kubectl) -> None:
    await kubectl("apply", "-f", "-", stdin=DEMO)
    await kubectl("rollout", "status", "deployment/shop", "--timeout=30s")
    said = await kubectl("logs", "deployment/shop")
    assert "nothing is executed" in said
