"""Tables: what `kubectl get` prints, which the server makes when the Accept header asks for it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from app.sandbox.objects import Object
from app.sandbox.resources import Resource
from app.sandbox.web.call import Call
from app.sandbox.web.columns import OF_KIND, Column

Shown = Callable[[Object], Object]
_PARTIAL = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1"}


def asked(call: Call) -> bool:
    """Whether the first thing that the client accepts is a table."""
    first = call.request.headers.get("accept", "").split(",")[0].replace(" ", "").lower()
    return "as=table" in first and "v=v1" in first.split(";")


def shown(call: Call) -> Shown | None:
    """How an answer is turned into a table; None: it is answered as it is."""
    if not asked(call):
        return None
    include = call.query.get("includeObject", "Metadata")

    def table(body: Object) -> Object:
        if body.get("kind") == "Status":
            return body
        items = body.get("items", [body])
        columns = OF_KIND.get((call.resource.group, call.resource.kind), ())
        now = call.cluster.store.now()
        kept = ("resourceVersion", "continue", "remainingItemCount")
        return {
            "kind": "Table",
            "apiVersion": "meta.k8s.io/v1",
            "metadata": {key: body["metadata"][key] for key in kept if key in body["metadata"]},
            "columnDefinitions": _definitions(columns),
            "rows": [
                {
                    "cells": _cells(item, columns, now),
                    "object": _included(call.resource, item, include),
                }
                for item in items
            ],
        }

    return table


def _definitions(columns: tuple[Column, ...]) -> list[Object]:
    every = (Column("Name", str), *(c for c in columns if not c.wide), Column("Age", str))
    every += tuple(c for c in columns if c.wide)
    return [
        {
            "name": column.name,
            "type": column.type,
            "format": "name" if column.name == "Name" else "",
            "description": column.name,
            "priority": int(column.wide),
        }
        for column in every
    ]


def _cells(item: Object, columns: tuple[Column, ...], now: datetime) -> list[Any]:
    metadata = item["metadata"]
    return [
        metadata["name"],
        *(column.of(item) for column in columns if not column.wide),
        age(metadata.get("creationTimestamp"), now),
        *(column.of(item) for column in columns if column.wide),
    ]


def _included(resource: Resource, item: Object, include: str) -> Object | None:
    if include == "None":
        return None
    if include == "Object":
        return {"apiVersion": resource.api_version, "kind": resource.kind, **item}
    return {**_PARTIAL, "metadata": item["metadata"]}


def age(text: str | None, now: datetime) -> str:
    """How long ago a time was, as kubectl says it: `59s`, `3m5s`, `2h`, `5d`."""
    if not text:
        return "<unknown>"
    then = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    passed = max(now - then, timedelta())
    seconds = int(passed.total_seconds())
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    steps = (
        (seconds < 120, f"{seconds}s"),
        (minutes < 10, f"{minutes}m{seconds % 60}s" if seconds % 60 else f"{minutes}m"),
        (hours < 3, f"{minutes}m"),
        (hours < 8, f"{hours}h{minutes % 60}m" if minutes % 60 else f"{hours}h"),
        (hours < 48, f"{hours}h"),
    )
    return next((text for fits, text in steps if fits), f"{days}d")
