"""What an edge supplies to the node at its end, for each pair of kinds."""

from typing import Any

import pytest

from app.domain.canvas import Canvas
from tests.domain.sketch import box, line, read, sketch


def mount(kind: str, name: str, path: str | None, node: str | None = None, **more: Any) -> Any:
    return {
        "type": kind,
        "name": name,
        "mount_path": path,
        "node_id": node,
        "usage": "files",
        "sub_path": None,
        "read_only": None,
        "items": None,
        "default_mode": None,
        "env_prefix": None,
        "optional": False,
    } | more


# ------------------------------------------------------------------- each pair of the table


@pytest.mark.parametrize("kind", ["deployment", "statefulset", "daemonset"])
class TestServiceToWorkload:
    fields = ("target_app", "target_port", "linked_deployment", "selector")

    def test_supplies_name_and_port(self, kind: str) -> None:
        canvas = sketch(box("service", "s"), box(kind, "w", name="web", port=8080), line("s", "w"))
        assert read(canvas, "s", *self.fields) == {
            "target_app": "web",
            "target_port": 8080,
            "linked_deployment": "w",
            "selector": {"app": "web"},
        }

    def test_an_explicit_target_port_stays(self, kind: str) -> None:
        canvas = sketch(
            box("service", "s", target_port="metrics"), box(kind, "w", port=8080), line("s", "w")
        )
        assert read(canvas, "s", "target_port") == "metrics"

    def test_the_first_further_port_of_a_workload_without_port(self, kind: str) -> None:
        target = box(kind, "w", container_ports=[{"port": 9000}, {"port": 9001}])
        assert read(sketch(box("service", "s"), target, line("s", "w")), "s", "target_port") == 9000

    def test_no_port_at_all(self, kind: str) -> None:
        canvas = sketch(box("service", "s"), box(kind, "w"), line("s", "w"))
        assert read(canvas, "s", "target_port") is None

    def test_the_edge_wins_over_stale_copies(self, kind: str) -> None:
        stale = box("service", "s", target_app="old", selector={"app": "old"})
        canvas = sketch(stale, box(kind, "w", name="web"), line("s", "w"))
        assert read(canvas, "s", "target_app", "selector") == {
            "target_app": "web",
            "selector": {"app": "web"},
        }


TYPE = {"configmap": "configMap", "secret": "secret"}
DEFAULT = {"configmap": "/etc/config", "secret": "/etc/secrets"}
LINKED = {"configmap": "linked_config_maps", "secret": "linked_secrets"}


@pytest.mark.parametrize("kind", ["deployment", "statefulset", "daemonset", "job", "cronjob"])
@pytest.mark.parametrize("source", ["configmap", "secret"])
class TestSettingsToWorkload:
    def test_are_mounted(self, kind: str, source: str) -> None:
        canvas = sketch(box(source, "c", name="settings"), box(kind, "w"), line("c", "w"))
        assert read(canvas, "w", "volume_mounts", LINKED[source]) == {
            "volume_mounts": [mount(TYPE[source], "settings", DEFAULT[source], "c")],
            LINKED[source]: ["c"],
        }

    def test_where_the_settings_say(self, kind: str, source: str) -> None:
        canvas = sketch(box(source, "c", mount_path="/own"), box(kind, "w"), line("c", "w"))
        assert read(canvas, "w", "volume_mounts") == [mount(TYPE[source], "c", "/own", "c")]

    def test_an_explicit_mount_keeps_its_manner_and_follows_the_name(
        self, kind: str, source: str
    ) -> None:
        own = {
            "type": TYPE[source],
            "name": "old",
            "node_id": "c",
            "mount_path": "/x",
            "sub_path": "y",
        }
        canvas = sketch(
            box(source, "c", name="new"), box(kind, "w", volume_mounts=[own]), line("c", "w")
        )
        assert read(canvas, "w", "volume_mounts", LINKED[source]) == {
            "volume_mounts": [mount(TYPE[source], "new", "/x", "c", sub_path="y")],
            LINKED[source]: ["c"],
        }

    def test_as_environment_and_as_files(self, kind: str, source: str) -> None:
        own = [
            {"type": TYPE[source], "node_id": "c", "usage": "environment", "env_prefix": "A_"},
            {"type": TYPE[source], "node_id": "c"},
        ]
        canvas = sketch(
            box(source, "c", mount_path="/own"), box(kind, "w", volume_mounts=own), line("c", "w")
        )
        assert read(canvas, "w", "volume_mounts", LINKED[source]) == {
            "volume_mounts": [
                mount(TYPE[source], "c", None, "c", usage="environment", env_prefix="A_"),
                mount(TYPE[source], "c", "/own", "c"),
            ],
            LINKED[source]: ["c"],
        }

    def test_a_mount_by_name_stays_beside(self, kind: str, source: str) -> None:
        own = [{"type": "secret", "name": "elsewhere", "mount_path": "/e"}]
        canvas = sketch(box(source, "c"), box(kind, "w", volume_mounts=own), line("c", "w"))
        assert read(canvas, "w", "volume_mounts") == [
            mount("secret", "elsewhere", "/e"),
            mount(TYPE[source], "c", DEFAULT[source], "c"),
        ]


@pytest.mark.parametrize("kind", ["deployment", "statefulset"])
def test_claim_to_workload(kind: str) -> None:
    canvas = sketch(box("persistentvolumeclaim", "p", name="disk"), box(kind, "w"), line("p", "w"))
    assert read(canvas, "w", "volume_mounts", "linked_pvcs") == {
        "volume_mounts": [mount("persistentVolumeClaim", "disk", "/data/disk", "p")],
        "linked_pvcs": ["p"],
    }


def test_a_mount_that_takes_a_node_for_something_else_keeps_its_path_only() -> None:
    own = {"type": "secret", "node_id": "p", "usage": "environment"}
    for path, shown in ((None, "/data/p"), ("/x", "/x")):
        fields = own if path is None else own | {"mount_path": path, "usage": "files"}
        canvas = sketch(
            box("persistentvolumeclaim", "p"),
            box("deployment", "w", volume_mounts=[fields]),
            line("p", "w"),
        )
        assert read(canvas, "w", "volume_mounts") == [
            mount("persistentVolumeClaim", "p", shown, "p")
        ]


@pytest.mark.parametrize(
    ("kind", "word"), [("deployment", "Deployment"), ("statefulset", "StatefulSet")]
)
def test_autoscaler_to_workload(kind: str, word: str) -> None:
    stale = box("hpa", "h", scale_target_kind="Deployment", scale_target_name="old")
    for scaler in (box("hpa", "h"), stale):
        canvas = sketch(scaler, box(kind, "w", name="web"), line("h", "w"))
        assert read(canvas, "h", "scale_target_kind", "scale_target_name", "linked_target") == {
            "scale_target_kind": word,
            "scale_target_name": "web",
            "linked_target": "w",
        }


class TestIngressToService:
    routes = box(
        "ingress",
        "i",
        paths=[
            {"id": "a", "path": "/a"},
            {"id": "b", "path": "/b", "service_name": "other", "service_port": 99},
        ],
    )

    def paths(self, canvas: Canvas) -> list[tuple[Any, ...]]:
        return [
            (path["service_name"], path["service_port"], path["linked_service"])
            for path in read(canvas, "i", "paths")
        ]

    def test_by_the_handle(self) -> None:
        canvas = sketch(self.routes, box("service", "s", name="web", port=81), line("i", "s", "a"))
        assert self.paths(canvas) == [("web", 81, "s"), ("other", 99, None)]

    def test_the_edge_wins_over_stale_copies(self) -> None:
        canvas = sketch(self.routes, box("service", "s", name="web", port=81), line("i", "s", "b"))
        assert self.paths(canvas) == [(None, None, None), ("web", 81, "s")]

    def test_a_single_path_needs_no_handle(self) -> None:
        canvas = sketch(box("ingress", "i"), box("service", "s"), line("i", "s"))
        assert self.paths(canvas) == [("s", 80, "s")]

    @pytest.mark.parametrize(
        ("port", "shown"), [(443, 443), ("https", "https"), (1, 80), ("x", 80)]
    )
    def test_another_port_of_the_service_stays(self, port: int | str, shown: int | str) -> None:
        gate = box("ingress", "i", paths=[{"id": "a", "service_port": port}])
        service = box("service", "s", ports=[{"port": 443, "name": "https"}])
        assert self.paths(sketch(gate, service, line("i", "s", "a"))) == [("s", shown, "s")]


@pytest.mark.parametrize("kind", ["deployment", "statefulset", "daemonset"])
class TestPolicyToWorkload:
    def test_subject(self, kind: str) -> None:
        for handle in (None, "output"):
            canvas = sketch(
                box("networkpolicy", "p", pod_selector={"app": "old"}),
                box(kind, "w", name="web"),
                line("p", "w", handle),
            )
            assert read(canvas, "p", "pod_selector", "linked_workloads") == {
                "pod_selector": {"app": "web"},
                "linked_workloads": ["w"],
            }

    def test_several_subjects(self, kind: str) -> None:
        canvas = sketch(
            box("networkpolicy", "p", pod_selector={}), box(kind, "w"), box(kind, "v"),
            line("p", "w"), line("p", "v"),
        )  # fmt: skip
        assert read(canvas, "p", "pod_selector", "linked_workloads") == {
            "pod_selector": None,
            "linked_workloads": ["w", "v"],
        }

    def test_peer_of_a_rule(self, kind: str) -> None:
        own = {"id": "x", "type": "ipBlock", "ip_block": {"cidr": "10.0.0.0/8"}}
        policy = box(
            "networkpolicy",
            "p",
            ingress_rules=[{"id": "in", "peers": [own]}],
            egress_rules=[{"id": "out"}],
        )
        canvas = sketch(
            policy, box(kind, "w", name="web"), box(kind, "v", name="db", namespace="data"),
            line("p", "w", "in"), line("p", "v", "out"),
        )  # fmt: skip
        shown = read(canvas, "p", "ingress_rules", "egress_rules", "linked_workloads")
        assert shown["linked_workloads"] == []
        assert [peer["id"] for peer in shown["ingress_rules"][0]["peers"]] == ["x", "p-w"]
        peer = {
            "id": "p-w",
            "type": "podSelector",
            "pod_selector": {"app": "web"},
            "namespace_selector": None,
            "ip_block": None,
            "linked_workload": "w",
        }
        assert shown["ingress_rules"][0]["peers"][1] == peer
        assert shown["egress_rules"][0]["peers"] == [
            peer
            | {
                "id": "p-v",
                "pod_selector": {"app": "db"},
                "namespace_selector": {"kubernetes.io/metadata.name": "data"},
                "linked_workload": "v",
            }
        ]


def test_headless_service_names_the_pods_of_a_statefulset() -> None:
    db = box("statefulset", "db", service_name="old")
    canvas = sketch(
        box("service", "open"), box("service", "inner", headless=True), db,
        line("open", "db"), line("inner", "db"),
    )  # fmt: skip
    assert read(canvas, "db", "service_name") == "inner"
    assert (
        read(sketch(box("service", "open"), db, line("open", "db")), "db", "service_name") == "old"
    )
