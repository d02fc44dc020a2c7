"""A sandbox cluster whose time a test moves on: controllers and kubelet, without a server."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from app.sandbox.admission.defaults import default
from app.sandbox.admission.preparing import prepare
from app.sandbox.beginning import begin
from app.sandbox.cluster import Cluster, SandboxSettings
from app.sandbox.controllers import TRIGGERS, look
from app.sandbox.objects import Object, copied
from app.sandbox.store import Store
from app.sandbox.world import World

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


class Moving:
    """`seconds` have passed. Everything that was due by then has happened, in its order."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.cluster = Cluster(SandboxSettings(token="any"))
        self.cluster.store = Store(now=lambda: BEGIN + timedelta(seconds=self.seconds))
        begin(self.cluster)
        self.world = self.started()
        self.settle()

    @property
    def store(self) -> Store:
        return self.cluster.store

    def started(self) -> World:
        """Controllers that have just been started, and know what is stored alone."""
        self.world = World(
            self.store, self.cluster.registry, 1.0, TRIGGERS, clock=lambda: self.seconds
        )
        return self.world

    def settle(self, each: Callable[[], None] = lambda: None) -> None:
        """Do what is to be done at this moment."""
        for _ in range(100_000):
            while not self.world.absorb():
                pass
            key = self.world.next()
            if key is None:
                return
            look(self.world, key)
            each()
        raise AssertionError("it never settles")

    def go(self, seconds: float, each: Callable[[], None] = lambda: None) -> None:
        """Let time pass; `each` is called after every look at an object."""
        end = self.seconds + seconds
        self.settle(each)
        while (patience := self.world.patience()) is not None and self.seconds + patience <= end:
            self.seconds += max(patience, 1e-6)
            self.settle(each)
        self.seconds = end
        self.settle(each)

    def make(self, obj: Object, namespace: str = "default", **metadata: Any) -> Object:
        """Create an object as a client would, with what the server adds."""
        kind = self.cluster.registry.by_kind(obj["apiVersion"], obj["kind"])
        assert kind is not None
        place = {"namespace": namespace} if kind.namespaced else {}
        made = {**obj, "metadata": {**obj["metadata"], **place, **metadata}}
        made["metadata"].setdefault("uid", f"{kind.plural}-{len(self.store.list(kind))}")
        default(kind, made)
        prepare(self.store, kind, made, None)
        return self.store.create(kind, made)

    def change(self, kind: str, name: str, **spec: Any) -> Object:
        """Store an object with other fields in its spec."""
        resource, live = self.world.of(kind), self.get(kind, name)
        changed = copied({**live, "spec": {**live["spec"], **spec}})
        default(resource, changed)
        return self.store.update(resource, changed)

    def delete(self, kind: str, name: str, propagation: str = "Background") -> None:
        resource = self.world.of(kind)
        self.store.delete(resource, "default", name, propagation=propagation)

    def get(self, kind: str, name: str) -> Object:
        found = self.world.get(kind, "default", name)
        assert found is not None, f"there is no {kind} {name}"
        return found

    def list(self, kind: str) -> list[Object]:
        return self.world.list(kind, "default")

    def pod(self) -> Object:
        """The only pod."""
        (found,) = self.list("Pod")
        return found

    def state(self) -> tuple[str, str]:
        """The state of the only container of the only pod, and the reason for it."""
        (status,) = self.pod()["status"]["containerStatuses"]
        ((name, said),) = status["state"].items()
        return name, said.get("reason", "")
