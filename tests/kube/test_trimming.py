"""What is kept of objects: all that rules of health read, and nothing that is large."""

from datetime import UTC, datetime
from pathlib import Path

from app.domain.health import health
from app.kube.trimming import _UNREAD, trimmed

NOW = datetime(2026, 1, 1, tzinfo=UTC)
RULES = Path("app/domain/health")

POD = {
    "kind": "Pod",
    "metadata": {
        "name": "web",
        "uid": "u",
        "managedFields": [{"manager": "x"}],
        "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}", "a": "b"},
    },
    "spec": {
        "volumes": [{"name": "v"}],
        "containers": [
            {
                "name": "c",
                "image": "nginx:1",
                "env": [{"name": "PASSWORD", "value": "x"}],
                "resources": {"limits": {"memory": "64Mi"}},
                "args": ["x"],
            }
        ],
    },
    "status": {
        "phase": "Running",
        "containerStatuses": [
            {
                "name": "c",
                "restartCount": 3,
                "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                "lastState": {"terminated": {"reason": "OOMKilled", "exitCode": 137}},
            }
        ],
    },
}


def test_health_is_the_same_of_what_is_kept() -> None:
    kept = trimmed(POD)

    assert kept["metadata"] == {"name": "web", "uid": "u", "annotations": {"a": "b"}}
    assert kept["spec"] == {
        "containers": [
            {"name": "c", "image": "nginx:1", "resources": {"limits": {"memory": "64Mi"}}}
        ]
    }
    assert kept["status"] == POD["status"]
    assert health(kept, now=NOW) == health(POD, now=NOW)


def test_no_rule_reads_what_is_dropped() -> None:
    text = "".join(path.read_text() for path in RULES.glob("*.py"))
    assert [name for name in sorted(_UNREAD) if f'"{name}"' in text] == []


def test_what_is_large_is_cut() -> None:
    kept = trimmed(
        {"a": "x" * 5_000, "b": list(range(5_000)), "c": {str(n): n for n in range(5_000)}}
    )

    assert len(kept["a"]) == 4_096
    assert kept["b"] == list(range(1_000))
    assert len(kept["c"]) == 1_000
