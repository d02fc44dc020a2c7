"""What goes over the wire when many objects are read at once."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from app.domain.errors import ClusterError, ClusterFault
from app.domain.planning.objects import ObjectKey
from app.kube.client import KubeClient
from app.kube.gathering import gather
from app.kube.listing import METADATA_ONLY
from tests.kube.serving import Server

Open = Callable[..., Awaitable[KubeClient]]
SECRETS = "/api/v1/namespaces/a/secrets"
NAMES = [f"s{n}" for n in range(6)]
KEYS = [ObjectKey("v1", "Secret", "a", name) for name in NAMES]


@pytest.fixture(autouse=True)
def secrets(server: Server) -> None:
    """A namespace with six Secrets, each to be read by name."""
    kind = {"name": "secrets", "kind": "Secret", "namespaced": True, "verbs": ["get", "list"]}
    server.answers("GET /api/v1", {"resources": [kind]})
    for name in NAMES:
        server.answers(f"GET {SECRETS}/{name}", named(name))


def named(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}}


def asked(server: Server) -> list[tuple[str, dict[str, str]]]:
    paths = [(one.path, one.query) for one in server.asked if one.path.startswith(SECRETS)]
    return sorted(paths, key=lambda each: each[0])


async def test_absent_objects_cost_one_list_of_names(server: Server, connect: Open) -> None:
    server.answers(f"GET {SECRETS}", {"metadata": {}, "items": [named("stranger")]})

    found = await gather(await connect(), KEYS, selector="ours=yes", at_once=2)

    assert found == dict.fromkeys(KEYS)
    assert asked(server) == [(SECRETS, {"limit": "500"})]
    [names] = [one for one in server.asked if one.path == SECRETS]
    assert names.headers["Accept"] == METADATA_ONLY


async def test_whole_objects_are_listed_by_our_selector_only(server: Server, connect: Open) -> None:
    everything = {"metadata": {}, "items": [named(name) for name in (*NAMES, "stranger")]}
    ours = {"metadata": {}, "items": [{"metadata": {"name": name}} for name in NAMES[:5]]}
    server.answers(f"GET {SECRETS}", everything, ours)

    found = await gather(await connect(), KEYS, selector="ours=yes", at_once=2)

    assert found == {one: named(one.name) for one in KEYS}
    assert asked(server) == [
        (SECRETS, {"limit": "500"}),
        (SECRETS, {"labelSelector": "ours=yes", "limit": "500"}),
        (f"{SECRETS}/s5", {}),
    ]


@pytest.mark.parametrize("case", ["forbidden", "full", "heavy"])
async def test_where_lists_are_no_way_each_is_read_by_name(
    server: Server, connect: Open, case: str
) -> None:
    if case == "forbidden":
        server.refuses(f"GET {SECRETS}", 403)
    elif case == "heavy":
        server.answers(f"GET {SECRETS}", {"items": [{"data": "x" * 4 * 2**20}]})
    else:
        server.answers(f"GET {SECRETS}", {"metadata": {"continue": "more"}, "items": []})

    found = await gather(await connect(), KEYS, selector="ours=yes", at_once=2)

    assert found == {one: named(one.name) for one in KEYS}
    assert asked(server)[1:] == [(f"{SECRETS}/{name}", {}) for name in NAMES]


async def test_few_objects_are_read_by_name(server: Server, connect: Open) -> None:
    await gather(await connect(), KEYS[:3], selector="ours=yes", at_once=2)

    assert asked(server) == [(f"{SECRETS}/{name}", {}) for name in NAMES[:3]]


async def test_the_first_failure_is_told_plainly(server: Server, connect: Open) -> None:
    server.refuses(f"GET {SECRETS}", 401)

    with pytest.raises(ClusterError) as failed:
        await gather(await connect(), KEYS, selector="ours=yes", at_once=2)

    assert failed.value.fault is ClusterFault.UNAUTHORIZED
