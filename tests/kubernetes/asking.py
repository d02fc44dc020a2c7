"""Asking a Kubernetes API in a test, over plain HTTP: a session with one namespace of its own."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx

Object = dict[str, Any]

MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"
APPLY = "application/apply-patch+yaml"

PATIENCE = 15.0
"""Seconds after which something that should come does not: a real collector takes its time."""

PLACES: Mapping[str, tuple[str, str, bool]] = {
    "ConfigMap": ("/api/v1", "configmaps", True),
    "Endpoints": ("/api/v1", "endpoints", True),
    "Event": ("/api/v1", "events", True),
    "Namespace": ("/api/v1", "namespaces", False),
    "PersistentVolumeClaim": ("/api/v1", "persistentvolumeclaims", True),
    "Pod": ("/api/v1", "pods", True),
    "Secret": ("/api/v1", "secrets", True),
    "Service": ("/api/v1", "services", True),
    "ServiceAccount": ("/api/v1", "serviceaccounts", True),
    "DaemonSet": ("/apis/apps/v1", "daemonsets", True),
    "Deployment": ("/apis/apps/v1", "deployments", True),
    "ReplicaSet": ("/apis/apps/v1", "replicasets", True),
    "StatefulSet": ("/apis/apps/v1", "statefulsets", True),
    "HorizontalPodAutoscaler": ("/apis/autoscaling/v2", "horizontalpodautoscalers", True),
    "CronJob": ("/apis/batch/v1", "cronjobs", True),
    "Job": ("/apis/batch/v1", "jobs", True),
    "EndpointSlice": ("/apis/discovery.k8s.io/v1", "endpointslices", True),
    "Ingress": ("/apis/networking.k8s.io/v1", "ingresses", True),
    "IngressClass": ("/apis/networking.k8s.io/v1", "ingressclasses", False),
    "NetworkPolicy": ("/apis/networking.k8s.io/v1", "networkpolicies", True),
    "ClusterRole": ("/apis/rbac.authorization.k8s.io/v1", "clusterroles", False),
    "Role": ("/apis/rbac.authorization.k8s.io/v1", "roles", True),
    "RoleBinding": ("/apis/rbac.authorization.k8s.io/v1", "rolebindings", True),
    "PriorityClass": ("/apis/scheduling.k8s.io/v1", "priorityclasses", False),
    "StorageClass": ("/apis/storage.k8s.io/v1", "storageclasses", False),
    "CustomResourceDefinition": (
        "/apis/apiextensions.k8s.io/v1",
        "customresourcedefinitions",
        False,
    ),
}


def ok(answer: httpx.Response, code: int = 200) -> Object:
    """The body of an answer that has to have this status."""
    assert answer.status_code == code, f"{answer.status_code}: {answer.text}"
    body: Object = answer.json()
    return body


def refused(answer: httpx.Response, code: int, reason: str | None) -> Object:
    """The `Status` of a refusal with this code and reason; None: it has to have none."""
    assert answer.status_code == code, f"{answer.status_code}: {answer.text}"
    body: Object = answer.json()
    said = {key: body.get(key) for key in ("kind", "apiVersion", "status", "code", "reason")}
    assert said == {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "code": code,
        "reason": reason,
    }
    return body


def causes(answer: httpx.Response) -> set[tuple[str, str]]:
    """The reason and the field of every cause of a 422."""
    body = refused(answer, 422, "Invalid")
    return {(each["reason"], each["field"]) for each in body["details"]["causes"]}


class Watch:
    """An open watch."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self._lines = answer.aiter_lines()

    async def next(self) -> tuple[str, Object]:
        """The type and the object of the next event; StopAsyncIteration at the end."""
        async with asyncio.timeout(PATIENCE):
            event = json.loads(await anext(self._lines))
        return event["type"], event["object"]

    async def names(self, count: int) -> list[tuple[str, str]]:
        """The type and the object's name of so many events."""
        found = [await self.next() for _ in range(count)]
        return [(type_, obj["metadata"]["name"]) for type_, obj in found]

    async def rest(self) -> list[tuple[str, Object]]:
        """All events until the server ends the watch."""
        found = []
        with suppress(StopAsyncIteration):
            while True:
                found.append(await self.next())
        return found


class Api:
    """A client with a namespace. Answers are httpx' responses: see `ok` and `refused`."""

    def __init__(self, http: httpx.AsyncClient, namespace: str) -> None:
        self.http = http
        self.namespace = namespace
        self.places = dict(PLACES)

    def path(self, kind: str, *names: str) -> str:
        """The path of a kind, of one object of it, of a subresource of that."""
        prefix, plural, namespaced = self.places[kind]
        within = f"/namespaces/{self.namespace}" if namespaced else ""
        return "/".join([prefix + within, plural, *names])

    async def create(self, obj: Object, **query: str) -> httpx.Response:
        return await self.http.post(self.path(obj["kind"]), json=obj, params=query)

    async def made(self, obj: Object, **query: str) -> Object:
        """Create an object that has to be accepted."""
        return ok(await self.create(obj, **query), 201)

    async def get(self, kind: str, *names: str, **query: str) -> httpx.Response:
        return await self.http.get(self.path(kind, *names), params=query)

    async def read(self, kind: str, *names: str, **query: str) -> Object:
        """Get what has to be there."""
        return ok(await self.get(kind, *names, **query))

    async def put(self, obj: Object, *names: str, **query: str) -> httpx.Response:
        path = self.path(obj["kind"], *(names or (obj["metadata"]["name"],)))
        return await self.http.put(path, json=obj, params=query)

    async def patch(
        self, kind: str, *names: str, body: object, type_: str = MERGE, **query: str
    ) -> httpx.Response:
        return await self.http.patch(
            self.path(kind, *names),
            content=json.dumps(body),
            headers={"Content-Type": type_},
            params=query,
        )

    async def apply(
        self, obj: Object, manager: str = "tests", *names: str, **query: str
    ) -> httpx.Response:
        """Server-side apply."""
        return await self.patch(
            obj["kind"],
            *(names or (obj["metadata"]["name"],)),
            body=obj,
            type_=APPLY,
            fieldManager=manager,
            **query,
        )

    async def delete(
        self, kind: str, *names: str, options: Object | None = None, **query: str
    ) -> httpx.Response:
        path = self.path(kind, *names)
        return await self.http.request("DELETE", path, json=options, params=query)

    @asynccontextmanager
    async def watch(self, kind: str, **query: str) -> AsyncIterator[Watch]:
        """Watch a kind in the namespace. `query` has the API's names."""
        chosen = {"watch": "true", **query}
        async with self.http.stream(
            "GET", self.path(kind), params=chosen, timeout=httpx.Timeout(30, read=None)
        ) as answer:
            assert answer.status_code == 200, await answer.aread()
            yield Watch(answer)

    async def until(self, kind: str, name: str, is_so: Callable[[Object], bool]) -> Object:
        """Wait, by a watch, until an object is as it should be."""
        found = await self._until(kind, name, lambda obj: obj is not None and is_so(obj))
        assert found is not None
        return found

    async def until_gone(self, kind: str, name: str) -> None:
        """Wait, by a watch, until there is no such object."""
        await self._until(kind, name, lambda obj: obj is None)

    async def _until(
        self, kind: str, name: str, is_so: Callable[[Object | None], bool]
    ) -> Object | None:
        selector = f"metadata.name={name}"
        listed = await self.read(kind, fieldSelector=selector)
        live: Object | None = next(iter(listed["items"]), None)
        if is_so(live):
            return live
        version = listed["metadata"]["resourceVersion"]
        try:
            async with (
                asyncio.timeout(PATIENCE),
                self.watch(kind, fieldSelector=selector, resourceVersion=version) as watch,
            ):
                while not is_so(live):
                    type_, obj = await watch.next()
                    live = None if type_ == "DELETED" else obj
        except TimeoutError:
            raise AssertionError(f"{kind} {name} stayed as it is: {live}") from None
        return live

    async def until_some(
        self, kind: str, are_so: Callable[[list[Object]], bool], **query: str
    ) -> list[Object]:
        """Wait, by a watch, until the objects of a kind are as they should be."""
        listed = await self.read(kind, **query)
        live = {obj["metadata"]["name"]: obj for obj in listed["items"]}
        version = listed["metadata"]["resourceVersion"]
        try:
            async with (
                asyncio.timeout(PATIENCE),
                self.watch(kind, resourceVersion=version, **query) as watch,
            ):
                while not are_so(list(live.values())):
                    type_, obj = await watch.next()
                    live[obj["metadata"]["name"]] = obj
                    if type_ == "DELETED":
                        del live[obj["metadata"]["name"]]
        except TimeoutError:
            raise AssertionError(f"{kind} stayed as they are: {list(live.values())}") from None
        return list(live.values())
