"""Any canvas: nodes of most kinds, with edges between any of them, sound or not."""

from hypothesis import strategies as st

from app.domain.canvas import Canvas
from tests.domain.sketch import box, line, sketch

NODES = {
    "i": ("ingress", [{}, {"paths": [{"id": "a", "service_name": "s"}, {"id": "b"}]}]),
    "s": ("service", [{}, {"target_app": "d", "selector": {"app": "d"}}, {"headless": True}]),
    "d": (
        "deployment",
        [{}, {"port": 80}, {"volume_mounts": [{"type": "configMap", "node_id": "c"}]}],
    ),
    "t": ("statefulset", [{}, {"service_name": "s"}]),
    "c": ("configmap", [{}, {"mount_path": "/x"}]),
    "k": ("secret", [{}]),
    "v": ("persistentvolumeclaim", [{}]),
    "h": ("hpa", [{}, {"scale_target_name": "d"}]),
    "p": ("networkpolicy", [{}, {"pod_selector": {"app": "d"}, "ingress_rules": [{"id": "a"}]}]),
}


@st.composite
def canvases(draw: st.DrawFn) -> Canvas:
    nodes = [
        box(kind, id_, **draw(st.sampled_from(variants)), name=draw(st.sampled_from([id_, "x"])))
        for id_, (kind, variants) in NODES.items()
    ]
    ends = st.sampled_from([*NODES, "gone"])
    edges = [
        line(source, target, handle, f"e{i}")
        for i, (source, target, handle) in enumerate(
            draw(
                st.lists(
                    st.tuples(ends, ends, st.sampled_from([None, "a", "b", "output"])), max_size=14
                )
            )
        )
    ]
    return sketch(*nodes, *edges)
