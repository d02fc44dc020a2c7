"""Problems of autoscalers, mounts and schedules."""

import pytest

from tests.domain.cases import REQUESTS, WEB, Case, Found, Part, found
from tests.domain.sketch import box, line

CASES: list[Case] = [
    (
        "an autoscaler without a target",
        (box("hpa", "h"),),
        [("error", "REFERENCE_MISSING", "h", "data.scaleTargetName")],
    ),
    (
        "an autoscaler of something else",
        (box("hpa", "h", scale_target_kind="StatefulSet", scale_target_name="web"), WEB),
        [("warning", "REFERENCE_DANGLING", "h", "data.scaleTargetName")],
    ),
    (
        "two autoscalers of one workload",
        (
            box("hpa", "h", scale_target_name="d"),
            box("hpa", "g"),
            box("deployment", "d", resources=REQUESTS),
            line("g", "d"),
        ),
        [("error", "SCALED_TWICE", "g", "data.scaleTargetName")],
    ),
    (
        "fixed replicas under an autoscaler",
        (box("hpa", "h"), box("deployment", "d", replicas=3, resources=REQUESTS), line("h", "d")),
        [("info", "REPLICAS_IGNORED", "d", "data.replicas")],
    ),
    (
        "no replicas under an autoscaler",
        (box("hpa", "h"), box("statefulset", "d", replicas=0, resources=REQUESTS), line("h", "d")),
        [("warning", "REPLICAS_IGNORED", "d", "data.replicas")],
    ),
    (
        "nothing to measure against",
        (
            box("hpa", "h", target_cpu_utilization=80, target_memory_utilization=80),
            WEB,
            line("h", "web"),
        ),
        [
            ("warning", "REQUESTS_MISSING", "web", "data.resources.requests.cpu"),
            ("warning", "REQUESTS_MISSING", "web", "data.resources.requests.memory"),
        ],
    ),
    (
        "limits are requests too",
        (
            box("hpa", "h"),
            box("deployment", "d", resources={"limits": {"cpu": "1"}}),
            line("h", "d"),
        ),
        [],
    ),
    (
        "amounts that are hardly meant",
        (
            box(
                "job",
                "j",
                resources={"requests": {"memory": "400m"}, "limits": {"cpu": "1000"}},
            ),
        ),
        [
            ("warning", "QUANTITY_UNLIKELY", "j", "data.resources.requests.memory"),
            ("warning", "QUANTITY_UNLIKELY", "j", "data.resources.limits.cpu"),
        ],
    ),
    (
        "two mounts at one path",
        (
            box("configmap", "a"),
            box("configmap", "b", mount_path="/etc/config/"),
            WEB,
            line("a", "web"),
            line("b", "web"),
        ),
        [("error", "MOUNT_CONFLICT", "web", "data.volumeMounts.1.mountPath")],
    ),
    (
        "a mount at the path of a claim template",
        (
            box("configmap", "a", mount_path="/data/disk"),
            box("statefulset", "db", volume_claim_templates=[{"name": "disk", "storage": "1Gi"}]),
            line("a", "db"),
        ),
        [("error", "MOUNT_CONFLICT", "db", "data.volumeMounts.0.mountPath")],
    ),
    (
        "the same settings as files and as environment",
        (
            box("configmap", "a"),
            box(
                "deployment",
                "d",
                volume_mounts=[
                    {"type": "configMap", "node_id": "a"},
                    {"type": "configMap", "node_id": "a", "usage": "environment"},
                ],
            ),
            line("a", "d"),
        ),
        [],
    ),
    (
        "a mount by a name that is not on the canvas",
        (box("job", "j", volume_mounts=[{"type": "secret", "name": "x"}]),),
        [("warning", "REFERENCE_DANGLING", "j", "data.volumeMounts.0.name")],
    ),
    (
        "a mount by name",
        (box("job", "j", volume_mounts=[{"type": "secret", "name": "x"}]), box("secret", "x")),
        [],
    ),
    (
        "a mount whose edge is gone",
        (box("secret", "x"), box("job", "j", volume_mounts=[{"type": "secret", "node_id": "x"}])),
        [("warning", "MOUNT_WITHOUT_EDGE", "j", "data.volumeMounts.0.nodeId")],
    ),
    (
        "a key that the settings have not",
        (
            box("configmap", "a", data={"have": "1"}, binary_data={"bytes": ""}),
            box(
                "job",
                "j",
                volume_mounts=[
                    {
                        "type": "configMap",
                        "node_id": "a",
                        "items": {"have": "a", "bytes": "b", "lack": "c"},
                    }
                ],
            ),
            line("a", "j"),
        ),
        [("error", "KEY_MISSING", "j", "data.volumeMounts.0.items")],
    ),
    (
        "a disk for one node, pods on several",
        (box("persistentvolumeclaim", "p"), box("deployment", "d", replicas=2), line("p", "d")),
        [("warning", "CLAIM_SHARED", "d", "data.volumeMounts.0")],
    ),
    (
        "a disk for many nodes",
        (
            box("persistentvolumeclaim", "p", access_modes=["ReadWriteMany"]),
            box("deployment", "d", replicas=2),
            line("p", "d"),
        ),
        [],
    ),
    (
        "a schedule that never comes",
        (box("cronjob", "c", schedule="0 0 30 2 *"),),
        [("warning", "SCHEDULE_NEVER_FIRES", "c", "data.schedule")],
    ),
    (
        "no such plugin",
        (box("plugin", "p", plugin_id="nothing"),),
        [("error", "PLUGIN_UNKNOWN", "p", "data.pluginId")],
    ),
    (
        "no such resource",
        (box("plugin", "p", plugin_id="certmanager"),),
        [("error", "PLUGIN_UNKNOWN", "p", "data.templateId")],
    ),
    (
        "fields of a plugin: one missing, one wrong, one unknown",
        (
            box(
                "plugin",
                "p",
                plugin_id="keda",
                fields={"maxReplicaCount": "many", "colour": "red"},
            ),
        ),
        [
            ("error", "PLUGIN_FIELD", "p", "data.fields.scaleTargetRef"),
            ("error", "PLUGIN_FIELD", "p", "data.fields.maxReplicaCount"),
            ("warning", "PLUGIN_FIELD", "p", "data.fields.colour"),
        ],
    ),
    (
        "two objects of the whole cluster",
        (
            box("plugin", "a", name="x", plugin_id="crossplane", fields={"package": "p"}),
            box(
                "plugin",
                "b",
                name="x",
                namespace="other",
                plugin_id="crossplane",
                fields={"package": "p"},
            ),
        ),
        [("error", "NAME_TAKEN", "b", "data.name")],
    ),
    (
        "a schedule that rests",
        (box("cronjob", "c", suspend=True),),
        [("info", "SCHEDULE_SUSPENDED", "c", "data.suspend")],
    ),
    (
        "two disks at one path",
        (
            box(
                "statefulset",
                "db",
                volume_claim_templates=[
                    {"name": "a", "storage": "1Gi", "mount_path": "/x"},
                    {"name": "b", "storage": "1Gi", "mount_path": "/x/"},
                ],
            ),
        ),
        [("error", "MOUNT_CONFLICT", "db", "data.volumeClaimTemplates.1.mountPath")],
    ),
    (
        "disks that hold nothing",
        (
            box("persistentvolumeclaim", "p", storage="10m"),
            box("statefulset", "db", volume_claim_templates=[{"name": "a", "storage": "1023Ki"}]),
        ),
        [
            ("warning", "QUANTITY_UNLIKELY", "p", "data.storage"),
            ("warning", "QUANTITY_UNLIKELY", "db", "data.volumeClaimTemplates.0.storage"),
        ],
    ),
    (
        "a step over the end",
        (box("cronjob", "c", schedule="*/90 * * * *"),),
        [("warning", "SCHEDULE_UNLIKELY", "c", "data.schedule")],
    ),
    ("a step to the end", (box("cronjob", "c", schedule="*/60 */24 */31 */12 *"),), []),
    (
        "an autoscaler beside a plugin's scaler",
        (
            box("hpa", "h"),
            box("deployment", "d", resources=REQUESTS),
            line("h", "d"),
            box(
                "plugin",
                "k",
                plugin_id="keda",
                fields={"scaleTargetRef": "d", "maxReplicaCount": 3},
            ),
        ),
        [("error", "SCALED_TWICE", "k", "data.fields")],
    ),
    (
        "a plugin's scaler alone",
        (
            box("deployment", "d"),
            box("plugin", "k", plugin_id="keda", fields={"scaleTargetRef": "d"}),
        ),
        [],
    ),
]


@pytest.mark.parametrize(("parts", "expected"), [pytest.param(p, e, id=i) for i, p, e in CASES])
def test_problems(parts: tuple[Part, ...], expected: Found) -> None:
    assert found(*parts) == expected
