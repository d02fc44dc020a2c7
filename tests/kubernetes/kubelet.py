"""A test that plays the kubelet: on a control plane without nodes it makes pods what they would be.

Controllers believe the status of a pod, whoever wrote it.
"""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

from tests.kubernetes.asking import Api, Object, ok


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def running(pod: Object) -> Object:
    """The status of a pod whose containers all run and are ready."""
    status = _status(pod, "Running", "True", {"running": {"startedAt": _now()}})
    # Without an address it would be no endpoint; any will do.
    address = f"10.1.{random.randrange(256)}.{random.randrange(1, 255)}"
    return {**status, "podIP": address, "podIPs": [{"ip": address}]}


def ended(pod: Object, exit_code: int) -> Object:
    """The status of a pod whose containers all ended."""
    reason = "Error" if exit_code else "Completed"
    state = {"exitCode": exit_code, "reason": reason, "startedAt": _now(), "finishedAt": _now()}
    phase = "Failed" if exit_code else "Succeeded"
    return _status(pod, phase, "False", {"terminated": state})


def _status(pod: Object, phase: str, ready: str, state: Object) -> Object:
    at = _now()
    return {
        "phase": phase,
        "startTime": at,
        "conditions": [
            {"type": type_, "status": ready, "lastTransitionTime": at}
            for type_ in ("Initialized", "Ready", "ContainersReady", "PodScheduled")
        ],
        "containerStatuses": [
            {
                "name": each["name"],
                "image": each["image"],
                "imageID": each["image"],
                "ready": ready == "True",
                "started": ready == "True",
                "restartCount": 0,
                "state": state,
            }
            for each in pod["spec"]["containers"]
        ],
    }


@asynccontextmanager
async def playing(api: Api, *, exit_code: int | None = None) -> AsyncIterator[None]:
    """Make every pod of the namespace run, or end, while the block runs."""
    task = asyncio.create_task(_play(api, exit_code))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _play(api: Api, exit_code: int | None) -> None:
    async with api.watch("Pod", resourceVersion="0") as watch:
        while True:
            type_, pod = await watch.next()
            phase = pod.get("status", {}).get("phase", "Pending")
            if type_ == "DELETED" or phase != "Pending":
                continue
            status = running(pod) if exit_code is None else ended(pod, exit_code)
            name = pod["metadata"]["name"]
            answer = await api.patch("Pod", name, "status", body={"status": status})
            if answer.status_code != 404:
                ok(answer)
