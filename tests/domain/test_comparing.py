"""What changed between two canvases: per field, layout apart, in an order that never varies."""

from app.domain.comparing import ChangeKind, compare
from app.domain.editing import EdgeDraft
from tests.domain.drawing import canvas, deployment, node, service


def test_equal_canvases_do_not_differ() -> None:
    diff = compare(canvas(deployment("web")), canvas(deployment("web")))
    assert (diff.nodes, diff.edges, diff.moved, diff.layout_only) == ((), (), (), False)


def test_fields_are_named_as_in_the_api() -> None:
    before = deployment(
        "web", env={"A": "1", "B": "2"}, resources={"limits": {"cpu": "1", "memory": "1Gi"}}
    )
    after = deployment(
        "web", env={"A": "1", "C": "3"}, replicas=0, resources={"limits": {"cpu": "2"}}
    )
    (change,) = compare(canvas(before), canvas(after)).nodes
    assert (change.change, change.node_id, change.type.value, change.name) == (
        ChangeKind.MODIFIED,
        "web",
        "deployment",
        "web",
    )
    assert [(f.path, f.before, f.after) for f in change.fields] == [
        ("env.B", "2", None),
        ("env.C", None, "3"),
        ("replicas", 1, 0),
        ("resources.limits.cpu", "1", "2"),
        ("resources.limits.memory", "1Gi", None),
    ]


def test_enum_values_are_the_apis() -> None:
    (change,) = compare(
        canvas(service("front")), canvas(service("front", service_type="NodePort"))
    ).nodes
    assert [(f.path, f.before, f.after) for f in change.fields] == [
        ("serviceType", "CLUSTER_IP", "NODE_PORT")
    ]


def test_an_inserted_item_does_not_make_later_ones_look_changed() -> None:
    def ingress(*paths: tuple[str, str]) -> object:
        return canvas(
            node("ingress", "in", name="in", paths=[{"id": i, "path": p} for i, p in paths])
        )

    (change,) = compare(
        ingress(("b", "/b"), ("c", "/c")),  # type: ignore[arg-type]
        ingress(("a", "/a"), ("b", "/b"), ("c", "/c")),  # type: ignore[arg-type]
    ).nodes
    assert {f.path.split(".")[1] for f in change.fields} == {"a"}


def test_moving_is_layout_only() -> None:
    diff = compare(
        canvas(deployment("web"), deployment("api")),
        canvas(deployment("web", x=10), deployment("api")),
    )
    assert (diff.nodes, diff.edges, diff.moved, diff.layout_only) == ((), (), ("web",), True)


def test_added_removed_and_rewired() -> None:
    before = canvas(deployment("web"), service("front"), EdgeDraft("front", "web", id="e"))
    after = canvas(deployment("api"), service("front"), EdgeDraft("front", "api", id="e"))
    diff = compare(before, after)
    assert [(n.change, n.node_id) for n in diff.nodes] == [
        (ChangeKind.ADDED, "api"),
        (ChangeKind.REMOVED, "web"),
    ]
    (edge,) = diff.edges
    assert (edge.change, edge.edge_id) == (ChangeKind.MODIFIED, "e")
    assert edge.before is not None
    assert edge.after is not None
    assert (edge.before.target, edge.after.target) == ("web", "api")
    assert not diff.layout_only
