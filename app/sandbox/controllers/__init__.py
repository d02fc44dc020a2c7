"""What moves by itself in the sandbox cluster: controllers, scheduler, kubelet, garbage collector.

One task looks at one object at a time. While nothing changes and nothing is due it sleeps.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from time import monotonic

from app.sandbox.controllers import (
    autoscalers,
    claims,
    cronjobs,
    daemonsets,
    deployments,
    garbage,
    ingresses,
    jobs,
    namespaces,
    replicasets,
    services,
    statefulsets,
)
from app.sandbox.errors import ApiError
from app.sandbox.node import kubelet
from app.sandbox.objects import Object
from app.sandbox.resources import Registry, Resource
from app.sandbox.store import Store
from app.sandbox.world import Key, World

Sync = Callable[[World, Resource, Object], None]

SYNC: Mapping[tuple[str, str], Sync] = {
    ("", "Endpoints"): services.sync_endpoints,
    ("", "Namespace"): namespaces.sync,
    ("", "PersistentVolume"): claims.sync_volume,
    ("", "PersistentVolumeClaim"): claims.sync,
    ("", "Pod"): kubelet.sync,
    ("", "Service"): services.sync,
    ("apps", "DaemonSet"): daemonsets.sync,
    ("apps", "Deployment"): deployments.sync,
    ("apps", "ReplicaSet"): replicasets.sync,
    ("apps", "StatefulSet"): statefulsets.sync,
    ("autoscaling", "HorizontalPodAutoscaler"): autoscalers.sync,
    ("batch", "CronJob"): cronjobs.sync,
    ("batch", "Job"): jobs.sync,
    ("networking.k8s.io", "Ingress"): ingresses.sync,
}
"""Who looks after a kind. Kinds that are missing here have no life of their own."""

TRIGGERS = (
    autoscalers.targeting,
    claims.using,
    daemonsets.on_nodes,
    deployments.after_pods,
    kubelet.waiting,
    namespaces.around,
    services.behind,
)

_TURN = 0.003
"""Seconds of work after which everybody else has a turn. A timer waits for up to three of them."""

_RETRY = 1.0
"""Seconds of ours after which something that failed is tried again."""

_log = logging.getLogger(__name__)


@contextlib.asynccontextmanager
async def running(store: Store, registry: Registry, speed: float = 1.0) -> AsyncIterator[None]:
    """Let things move while the block runs, `speed` times as fast as in a real cluster."""
    task = asyncio.create_task(_run(World(store, registry, speed, TRIGGERS)))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _run(world: World) -> None:
    turn = monotonic()
    while True:
        if not world.absorb():
            await asyncio.sleep(0)
            continue
        key = world.next()
        if key is None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(world.patience()):
                    await world.store.beyond(world.version)
            turn = monotonic()
            continue
        look(world, key)
        if monotonic() - turn > _TURN:
            await asyncio.sleep(0)
            turn = monotonic()


def look(world: World, key: Key) -> None:
    """Look at one object: its own controller, then the garbage collector."""
    obj = world.at(key)
    if obj is None:
        return
    try:
        sync = SYNC.get((key.resource.group, key.resource.kind))
        if sync is not None:
            sync(world, key.resource, obj)
        live = world.at(key)
        if live is not None:
            garbage.sync(world, key.resource, live)
    except ApiError as error:
        # Such as a lost race with a client's write, which has put the object into the queue again.
        _log.debug("%s %s: %s", key.resource.kind, key.name, error)
        world.after(_RETRY * world.speed, key.resource, obj)
    except Exception:
        # One object that nobody thought of must not stop all others.
        _log.exception("%s %s/%s", key.resource.kind, key.namespace, key.name)
        world.after(_RETRY * world.speed, key.resource, obj)
