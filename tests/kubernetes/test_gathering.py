"""Reading many objects at once, from what API servers really answer to lists of names."""

import pytest

from app.domain.planning.objects import ObjectKey
from app.kube.gathering import gather
from app.kube.listing import METADATA_ONLY
from tests.kubernetes.asking import Api
from tests.kubernetes.clusters import Cluster
from tests.kubernetes.connecting import Connect, by_token
from tests.kubernetes.objects import config_map, labelled

pytestmark = pytest.mark.api


def key(api: Api, name: str, kind: str = "ConfigMap", version: str = "v1") -> ObjectKey:
    return ObjectKey(version, kind, api.namespace, name)


async def test_ours_others_and_what_is_not_there(
    cluster: Cluster, api: Api, connect: Connect
) -> None:
    for n in range(5):
        await api.made(labelled(config_map(f"ours-{n}", n=str(n)), team="us"))
    await api.made(config_map("theirs", n="9"))
    names = [*(f"ours-{n}" for n in range(5)), "theirs", "nowhere"]
    wanted = [*(key(api, name) for name in names), key(api, "x", "Wrong", "example.com/v1")]
    client = await connect(by_token(cluster, cluster.token))

    found = await gather(client, wanted, selector="team=us", at_once=4)

    assert set(found) == set(wanted)
    assert {one.name: live and live["data"]["n"] for one, live in found.items()} == {
        **{f"ours-{n}": str(n) for n in range(5)},
        "theirs": "9",
        "nowhere": None,
        "x": None,
    }
    assert {(live["apiVersion"], live["kind"]) for live in found.values() if live} == {
        ("v1", "ConfigMap")
    }
    assert all(live["metadata"]["managedFields"] for live in found.values() if live)


async def test_metadata_alone_has_no_data(api: Api) -> None:
    await api.made(config_map("words", secret="never"))
    answer = await api.http.get(api.path("ConfigMap"), headers={"Accept": METADATA_ONLY})

    body = answer.json()
    assert (body["kind"], body["apiVersion"]) == ("PartialObjectMetadataList", "meta.k8s.io/v1")
    assert {one["kind"] for one in body["items"]} == {"PartialObjectMetadata"}
    assert "words" in {one["metadata"]["name"] for one in body["items"]}
    assert all("data" not in one for one in body["items"])


async def test_a_watch_of_metadata_alone(api: Api) -> None:
    api.http.headers["Accept"] = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
    async with api.watch("ConfigMap") as watch:
        await api.http.post(
            api.path("ConfigMap"),
            json=config_map("words", secret="never"),
            headers={"Accept": "application/json"},
        )
        seen = None
        while seen is None or seen["metadata"]["name"] != "words":
            type_, seen = await watch.next()
    del api.http.headers["Accept"]

    assert type_ == "ADDED"
    assert (seen["kind"], seen["apiVersion"]) == ("PartialObjectMetadata", "meta.k8s.io/v1")
    assert "data" not in seen
