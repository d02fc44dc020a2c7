"""The application that is deployed: as many objects as asked for, of the kinds that people have."""

from typing import Any

Node = dict[str, Any]
Edge = dict[str, Any]

_TOGETHER = (("service", "deployment"), ("ingress", "service"), ("hpa", "deployment"))
"""What of a group leads to what."""


def canvas(objects: int) -> tuple[list[Node], list[Edge]]:
    """So many nodes, each of which comes to one object, and the edges of what belongs together."""
    nodes: list[Node] = []
    edges: list[Edge] = []
    group = 0
    while len(nodes) < objects:
        made = _group(group)
        nodes += made[: objects - len(nodes)]
        group += 1
    there = {node["id"] for node in nodes}
    for number in range(group):
        for source, target in _TOGETHER:
            edge: Edge = {"source": f"{source}-{number}", "target": f"{target}-{number}"}
            if source == "ingress":
                edge["sourceHandle"] = "root"
            if {edge["source"], edge["target"]} <= there:
                edges.append(edge)
    return nodes, edges


def _group(number: int) -> list[Node]:
    data: dict[str, Node] = {
        "deployment": {
            "deployment": {
                "name": f"app-{number}",
                "image": "nginx:1.29",
                "port": 80,
                "env": {"LOG_LEVEL": "info", "NUMBER": str(number)},
                "resources": {
                    "requests": {"cpu": "10m", "memory": "16Mi"},
                    "limits": {"memory": "64Mi"},
                },
            }
        },
        "service": {"service": {"name": f"app-{number}", "port": 80}},
        "ingress": {
            "ingress": {
                "name": f"app-{number}",
                "host": f"app-{number}.example.com",
                "paths": [{"id": "root", "path": "/", "pathType": "PREFIX"}],
            }
        },
        "settings": {
            "configmap": {"name": f"settings-{number}", "data": {"settings.yaml": "a: 1\n" * 20}}
        },
        "words": {"configmap": {"name": f"words-{number}", "data": {"words.txt": "word " * 100}}},
        "cronjob": {
            "cronjob": {
                "name": f"report-{number}",
                "image": "busybox:1.37",
                "schedule": "0 2 * * *",
                "command": ["true"],
            }
        },
        "hpa": {
            "hpa": {
                "name": f"app-{number}",
                "minReplicas": 1,
                "maxReplicas": 3,
                "targetCPUUtilization": 80,
            }
        },
    }
    return [{"id": f"{name}-{number}", "data": given} for name, given in data.items()]
