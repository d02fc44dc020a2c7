"""What a server refuses of a well-formed object: the field, and the kind of mistake."""

import pytest

from tests.kubernetes.asking import Api, Object, causes, refused
from tests.kubernetes.objects import (
    autoscaler,
    claim,
    config_map,
    container,
    cron_job,
    daemon_set,
    deployment,
    ingress,
    job,
    labelled,
    pod,
    secret,
    service,
    stateful_set,
)

pytestmark = pytest.mark.api

WEB = "spec.template.spec.containers[0]"
MISMATCHED = {**deployment("a"), "metadata": {"name": "a"}}
MISMATCHED["spec"] = {**MISMATCHED["spec"], "selector": {"matchLabels": {"app": "b"}}}


def restarting(obj: Object, policy: str) -> Object:
    obj["spec"]["template"]["spec"]["restartPolicy"] = policy
    return obj


CASES: dict[str, tuple[Object, set[tuple[str, str]]]] = {
    "a name": (config_map("A_b"), {("FieldValueInvalid", "metadata.name")}),
    "a long name": (config_map("a" * 254), {("FieldValueInvalid", "metadata.name")}),
    "a label": (labelled(config_map("a"), x="a b"), {("FieldValueInvalid", "metadata.labels")}),
    "a key": (config_map("a", **{"a b": "c"}), {("FieldValueInvalid", "data[a b]")}),
    "a key of a Secret": (
        secret("a", data={"a b": "MQ=="}),
        {("FieldValueInvalid", "data[a b]")},
    ),
    "a selector of nothing": (
        deployment("a", selector={}),
        {("FieldValueInvalid", "spec.selector")},
    ),
    "a selector that misses": (
        MISMATCHED,
        {("FieldValueInvalid", "spec.template.metadata.labels")},
    ),
    "replicas": (deployment("a", replicas=-1), {("FieldValueInvalid", "spec.replicas")}),
    "a container without an image": (
        deployment("a", {"name": "web"}),
        {("FieldValueRequired", f"{WEB}.image")},
    ),
    "a container's name": (
        deployment("a", {"name": "We b", "image": "a"}),
        {("FieldValueInvalid", f"{WEB}.name")},
    ),
    "a name twice": (
        deployment("a", container(), container()),
        {("FieldValueDuplicate", "spec.template.spec.containers[1].name")},
    ),
    "a port": (
        deployment("a", container(ports=[{"containerPort": 70000}])),
        {("FieldValueInvalid", f"{WEB}.ports[0].containerPort")},
    ),
    "a variable without a name": (
        deployment("a", container(env=[{"name": "", "value": "b"}])),
        {("FieldValueRequired", f"{WEB}.env[0].name")},
    ),
    "a mount of nothing": (
        deployment("a", container(volumeMounts=[{"name": "data", "mountPath": "/data"}])),
        {("FieldValueNotFound", f"{WEB}.volumeMounts[0].name")},
    ),
    "a request over its limit": (
        deployment("a", container(resources={"limits": {"cpu": "1"}, "requests": {"cpu": "2"}})),
        {("FieldValueInvalid", f"{WEB}.resources.requests")},
    ),
    "less than nothing": (
        deployment("a", container(resources={"limits": {"memory": "-1"}})),
        {("FieldValueInvalid", f"{WEB}.resources.limits[memory]")},
    ),
    "a probe of two ways": (
        deployment(
            "a",
            container(readinessProbe={"tcpSocket": {"port": 80}, "exec": {"command": ["true"]}}),
        ),
        {("FieldValueForbidden", f"{WEB}.readinessProbe.tcpSocket")},
    ),
    "a Deployment that runs once": (
        restarting(deployment("a"), "Never"),
        {("FieldValueNotSupported", "spec.template.spec.restartPolicy")},
    ),
    "a DaemonSet that runs once": (
        restarting(daemon_set("a"), "OnFailure"),
        {("FieldValueNotSupported", "spec.template.spec.restartPolicy")},
    ),
    "a surge of nothing": (
        deployment("a", strategy={"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 0}}),
        {("FieldValueInvalid", "spec.strategy.rollingUpdate.maxUnavailable")},
    ),
    "a way to roll out": (
        deployment("a", strategy={"type": "Recreate", "rollingUpdate": {"maxSurge": 1}}),
        {("FieldValueForbidden", "spec.strategy.rollingUpdate")},
    ),
    "a way to update": (
        stateful_set("a", updateStrategy={"type": "Blue"}),
        {("FieldValueInvalid", "spec.updateStrategy")},
    ),
    "a Pod of nothing": (
        {**pod("a"), "spec": {"containers": []}},
        {("FieldValueRequired", "spec.containers")},
    ),
    "a policy": (
        pod("a", restartPolicy="Often"),
        {("FieldValueNotSupported", "spec.restartPolicy")},
    ),
    "a Job's tries": (job("a", backoffLimit=-1), {("FieldValueInvalid", "spec.backoffLimit")}),
    "a time with a zone": (
        cron_job("a", "CRON_TZ=UTC 0 0 * * *"),
        {("FieldValueInvalid", "spec.schedule")},
    ),
    "a weekday": (cron_job("a", "0 0 * * 7"), {("FieldValueInvalid", "spec.schedule")}),
    "a last day": (cron_job("a", "0 0 L * *"), {("FieldValueInvalid", "spec.schedule")}),
    "four fields": (cron_job("a", "0 0 * *"), {("FieldValueInvalid", "spec.schedule")}),
    "a time zone": (
        cron_job("a", "@daily", timeZone="Nowhere/Nothing"),
        {("FieldValueInvalid", "spec.timeZone")},
    ),
    "a Service's name": (service("a.b"), {("FieldValueInvalid", "metadata.name")}),
    "a Service without ports": (
        service("a", ports=[]),
        {("FieldValueRequired", "spec.ports")},
    ),
    "ports without names": (
        service("a", ports=[{"port": 80}, {"port": 81}]),
        {
            ("FieldValueRequired", "spec.ports[0].name"),
            ("FieldValueRequired", "spec.ports[1].name"),
        },
    ),
    "a port of a Service": (
        service("a", ports=[{"port": 0}]),
        {("FieldValueInvalid", "spec.ports[0].port")},
    ),
    "a type of Service": (
        service("a", type="Outside"),
        {("FieldValueNotSupported", "spec.type")},
    ),
    "a claim of no size": (
        claim("a", resources={}),
        {("FieldValueRequired", "spec.resources[storage]")},
    ),
    "a claim of no mode": (
        claim("a", accessModes=[]),
        {("FieldValueRequired", "spec.accessModes")},
    ),
    "a host and a path": (
        ingress("a", "A_b", "no-slash"),
        {
            ("FieldValueInvalid", "spec.rules[0].host"),
            ("FieldValueInvalid", "spec.rules[0].http.paths[0].path"),
        },
    ),
    "less than the least": (
        autoscaler("a", "b", 3, 1),
        {("FieldValueInvalid", "spec.maxReplicas")},
    ),
    "none at the least": (
        autoscaler("a", "b", 0, 1),
        {("FieldValueInvalid", "spec.minReplicas")},
    ),
}


@pytest.mark.parametrize("case", CASES)
async def test_refuses(api: Api, case: str) -> None:
    obj, expected = CASES[case]
    answer = await api.create(obj)
    assert causes(answer) >= expected
    body = answer.json()
    assert body["details"]["kind"] == obj["kind"]
    assert f' "{obj["metadata"]["name"]}" is invalid: ' in body["message"]
    refused(await api.get(obj["kind"], "a"), 404, "NotFound")


async def test_a_job_does_not_run_for_ever(api: Api) -> None:
    obj = job("a")
    del obj["spec"]["template"]["spec"]["restartPolicy"]
    found = causes(await api.create(obj))
    assert {field for _, field in found} == {"spec.template.spec.restartPolicy"}


async def test_a_path_without_a_type(api: Api) -> None:
    obj = ingress("a")
    del obj["spec"]["rules"][0]["http"]["paths"][0]["pathType"]
    assert causes(await api.create(obj)) == {
        ("FieldValueRequired", "spec.rules[0].http.paths[0].pathType")
    }


@pytest.mark.parametrize(
    "obj",
    [
        cron_job("a", "@daily"),
        cron_job("a", "@every 5m"),
        cron_job("a", "0 0 1 JAN MON"),
        cron_job("a", "0 0 31 2 *"),
        cron_job("a", "0 0 * * *", timeZone="Europe/Vienna"),
        cron_job("a", "0 0 * * *", successfulJobsHistoryLimit=0),
        config_map("a.b"),
        deployment(
            "a.b",
            selector={"matchLabels": {"app": "c"}},
            template=deployment("c")["spec"]["template"],
        ),
        autoscaler("a", "b"),
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": "a"},
            "spec": {"podSelector": {}, "ingress": [{}]},
        },
    ],
    ids=lambda obj: f"{obj['kind']} {obj['metadata']['name']}",
)
async def test_accepts(api: Api, obj: Object) -> None:
    await api.made(obj, dryRun="All")


@pytest.mark.parametrize("memory", ["500m", "1m", "0.5", "1e3", "1.5Gi", "1k"])
async def test_accepts_quantities(api: Api, memory: str) -> None:
    web = container(resources={"limits": {"memory": memory}})
    await api.made(deployment("a", web), dryRun="All")


@pytest.mark.parametrize("memory", ["1 Gi", "1K", "NaN", "1GB"])
async def test_refuses_quantities(api: Api, memory: str) -> None:
    web = container(resources={"limits": {"memory": memory}})
    refused(await api.create(deployment("a", web)), 400, "BadRequest")
