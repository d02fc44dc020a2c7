"""The labels that objects carry: Kubernetes' recommended ones, and whose they are.

What finds pods must hold for as long as its object lives, so selectors are made of ids: a name can
change, and a selector cannot. Names are only in labels that nothing selects by.
"""

import hashlib
import re
import unicodedata
from collections.abc import Mapping

NAME = "app.kubernetes.io/name"
INSTANCE = "app.kubernetes.io/instance"
PART_OF = "app.kubernetes.io/part-of"
MANAGED_BY = "app.kubernetes.io/managed-by"
WORKFLOW_ID = "kubeorch.io/workflow-id"
NODE_ID = "kubeorch.io/node-id"
APP = "app"
"""The label by which a `targetApp` finds pods: the workload's name."""

CONTROLLED = frozenset(
    {
        "batch.kubernetes.io/controller-uid",
        "batch.kubernetes.io/job-name",
        "controller-revision-hash",
        "controller-uid",
        "job-name",
        "pod-template-hash",
        "statefulset.kubernetes.io/pod-name",
    }
)
"""What the cluster's controllers write on pods; the API server refuses a Job that says another."""

MANAGER = "kubeorch"
LIMIT = 63
_VALUE = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?")


def of_pods(given: Mapping[str, str] | None) -> dict[str, str]:
    """Of labels that a client gives a workload, those that its pods can carry."""
    return {key: value for key, value in (given or {}).items() if key not in CONTROLLED}


def is_value(text: str) -> bool:
    """Whether the text can be a label's value; the empty one can, but we never use it."""
    return len(text) <= LIMIT and _VALUE.fullmatch(text) is not None


def of_id(id_: str) -> str:
    """A label value that stands for an id: itself where that is allowed, else a digest of it."""
    return str(id_) if is_value(id_) else f"id-{digest(id_, 40)}"


def of_name(name: str) -> str:
    """A label value for people, made of an object's name."""
    return name[:LIMIT].rstrip("-._")


def of_text(text: str) -> str:
    """A label value for people, made of free text; empty when nothing of it can be kept."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub("[^a-z0-9]+", "-", plain)[:LIMIT].strip("-")


def digest(text: str, length: int) -> str:
    """Hexadecimal digits that are the same for the same text, everywhere and always."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:length]
