"""`python -m bench.deploy`: both contestants in turn, as often as asked; then the table."""

import argparse
import asyncio
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from app.embedded import EmbeddedMongo
from bench.deploy.asking import Server, ours
from bench.deploy.canvas import canvas
from bench.deploy.seeing import arriving, client, idle, namespace, removed, version

REPORT = Path(__file__).parents[1] / "DEPLOY.md"


@dataclass(frozen=True)
class Round:
    """What one round has measured, in seconds."""

    kubectl: float
    """From its start to its end."""
    kubectl_last: float
    """From its start until the last object is there."""
    planned: float
    """From the asking for a plan to its answer."""
    queued: float
    """From the asking for a deploy of it to the answer, with the run."""
    last: float
    """From the asking for a deploy until the last object is there."""
    completed: float
    """From the asking for a deploy to the run's last event, with everything ready."""


async def kubectl(file: Path, kubeconfig: Path, home: Path) -> None:
    """`kubectl apply --server-side` of a file."""
    process = await asyncio.create_subprocess_exec(
        *("kubectl", "apply", "--server-side", "-f", str(file)),
        env={"PATH": os.environ["PATH"], "HOME": str(home), "KUBECONFIG": str(kubeconfig)},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, complaints = await process.communicate()
    assert process.returncode == 0, complaints.decode()


async def theirs(
    cluster: httpx.AsyncClient, server: Server, file: Path, name: str, count: int
) -> tuple[float, float]:
    """kubectl's times."""
    await namespace(cluster, name)
    await idle(server.pid)
    async with arriving(cluster, name) as arrivals:
        began = time.monotonic()
        await kubectl(file, server.kubeconfig, file.parent)
        took = time.monotonic() - began
        last = await arrivals.until(count) - began
    await removed(cluster, name)
    return took, last


async def own(
    cluster: httpx.AsyncClient, server: Server, workflow_id: str, name: str, count: int
) -> tuple[float, float, float, float]:
    """Our times."""
    await namespace(cluster, name)
    await idle(server.pid)
    async with arriving(cluster, name) as arrivals:
        began = time.monotonic()
        plan = await server.plan(workflow_id)
        planned = time.monotonic() - began
        assert plan["summary"]["create"] == count, plan
        began = time.monotonic()
        run_id = await server.deploy(workflow_id, plan["id"])
        queued = time.monotonic() - began
        completed = await server.completed(run_id) - began
        last = await arrivals.until(count) - began
    await removed(cluster, name)
    return planned, queued, last, completed


async def measure(options: argparse.Namespace) -> tuple[list[Round], str]:
    """All rounds, after one that warms everything up; and the cluster's version."""
    nodes, edges = canvas(options.objects)
    memory = Path("/dev/shm")  # noqa: S108
    parent = memory if os.access(memory, os.W_OK) else None
    rounds: list[Round] = []
    with tempfile.TemporaryDirectory(prefix="kubeorch-deploy-", dir=parent) as name:
        home = Path(name)
        async with (
            EmbeddedMongo(home, cache_gb=1.0) as uri,
            ours(uri, home) as server,
            client(server.kubeconfig) as cluster,
        ):
            found = await version(cluster)
            for number in range(options.rounds + 1):
                mine, other = f"ours-{number}", f"kubectl-{number}"
                workflow_id = await server.workflow(f"Bench {number}", mine, nodes, edges)
                text = await server.manifests(workflow_id)
                file = home / "manifests.yaml"
                file.write_text(
                    # As somebody else's, lest the server watches what kubectl does.
                    text.replace(f"namespace: {mine}", f"namespace: {other}").replace(
                        "managed-by: kubeorch", "managed-by: kubectl"
                    )
                )
                # Whoever comes second finds a cluster that has worked: they take turns at it.
                first_ours = number % 2 == 1
                if first_ours:
                    us = await own(cluster, server, workflow_id, mine, options.objects)
                them = await theirs(cluster, server, file, other, options.objects)
                if not first_ours:
                    us = await own(cluster, server, workflow_id, mine, options.objects)
                made = Round(*them, *us)
                what = "warming up" if number == 0 else f"round {number}"
                print(
                    f"{what}: kubectl {made.kubectl:.2f} s, plan {made.planned:.2f} s, deploy "
                    f"{made.last:.2f} s, completed {made.completed:.2f} s",
                    flush=True,
                )
                if number:
                    rounds.append(made)
    return rounds, found


def table(rounds: Sequence[Round]) -> Iterable[str]:
    """Medians with the extremes, and what they are to kubectl's time: Markdown."""
    base = statistics.median(each.kubectl for each in rounds)
    yield "| | seconds | / kubectl |"
    yield "|---|---:|---:|"
    for title, values in (
        ("`kubectl apply --server-side -f`", [each.kubectl for each in rounds]),
        ("the same, to the last object", [each.kubectl_last for each in rounds]),
        ("planning", [each.planned for each in rounds]),
        ("deploying that plan, to the answer", [each.queued for each in rounds]),
        ("deploying that plan, to the last object", [each.last for each in rounds]),
        ("deploying that plan, to COMPLETED", [each.completed for each in rounds]),
    ):
        middle = statistics.median(values)
        cell = f"{middle:.2f} ({min(values):.2f} to {max(values):.2f})"
        yield f"| {title} | {cell} | {middle / base:.2f} |"


def report(rounds: Sequence[Round], options: argparse.Namespace, cluster: str) -> str:
    """The page."""
    asked = [str(shutil.which("kubectl")), "version", "--client"]
    said = subprocess.run(asked, capture_output=True, text=True, check=True).stdout  # noqa: S603
    name = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    deploy = statistics.median(each.last / each.kubectl for each in rounds)
    plan = statistics.median(each.planned / each.last for each in rounds)
    head = f"""# How long a deploy takes

`python -m bench.deploy` has {options.objects} objects (Deployments with their Services, Ingresses
and autoscalers, ConfigMaps, CronJobs) applied to an empty namespace of the sandbox cluster, by
turns: by `kubectl apply --server-side -f`, and by `planWorkflow` and then `deployWorkflow` with
that plan, which is held against the cluster once more before anything is applied. The manifests are
the same. "To the last object" is until a watch on the cluster shows it; "to COMPLETED" is until the
run's last event is there, when every pod has been ready for a while. Each begins when the server
has come to rest.

All that a deploy does beside applying shares the processors with it here: MongoDB, the writing of
the run's events, the live status of the nodes. kubectl does none of it.

## Measured

{os.cpu_count()} cores ({name}), {platform.system()} {platform.release().split("-")[0]}, Python
{platform.python_version()}, kubectl {said.split()[2]}, cluster {cluster}. The server, MongoDB, the
cluster and kubectl share the cores. Medians of {len(rounds)} rounds, with the extremes:

"""
    tail = f"""

Round by round, the median of deploying (to the last object) / kubectl is {deploy:.2f}, that of
planning / deploying {plan:.2f}.
"""
    return head + "\n".join(table(rounds)) + tail


def main() -> int:
    """Prints the page and writes it to `bench/DEPLOY.md`."""
    parser = argparse.ArgumentParser(prog="python -m bench.deploy")
    parser.add_argument("--objects", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    if shutil.which("kubectl") is None:
        print("bench.deploy: this machine has no kubectl", file=sys.stderr)
        return 1
    rounds, cluster = asyncio.run(measure(options))
    text = report(rounds, options, cluster)
    print(f"\n{text}")
    REPORT.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
