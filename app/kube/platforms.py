"""Whose Kubernetes a cluster is, guessed from what its nodes and its version give away."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Traces:
    """What is known: all of it may be empty. `version` is as `v1.36.2+k3s1`."""

    version: str
    names: Sequence[str] = ()
    labels: Sequence[str] = ()
    providers: Sequence[str] = ()


Sign = Callable[[Traces], bool]


def _label(*prefixes: str) -> Sign:
    return lambda traces: any(label.startswith(prefixes) for label in traces.labels)


def _provider(*prefixes: str) -> Sign:
    return lambda traces: any(provider.startswith(prefixes) for provider in traces.providers)


def _version(*parts: str) -> Sign:
    return lambda traces: any(part in traces.version for part in parts)


def _name(*prefixes: str) -> Sign:
    return lambda traces: any(name.startswith(prefixes) for name in traces.names)


_SIGNS: list[tuple[str, Sign]] = [
    ("sandbox", _version("sandbox")),
    ("openshift", _label("node.openshift.io/")),
    ("minikube", _label("minikube.k8s.io/")),
    ("kind", _provider("kind://")),
    ("docker-desktop", _name("docker-desktop")),
    ("microk8s", _label("microk8s.io/")),
    ("k3d", _name("k3d-")),
    ("rke2", _provider("rke2://")),
    ("rke2", _version("+rke2")),
    ("k3s", _provider("k3s://")),
    ("k3s", _version("+k3s")),
    ("k0s", _version("+k0s")),
    ("eks", _label("eks.amazonaws.com/")),
    ("eks", _version("-eks-")),
    ("gke", _label("cloud.google.com/gke-")),
    ("gke", _version("-gke.")),
    ("aks", _label("kubernetes.azure.com/")),
    ("digitalocean", _provider("digitalocean://")),
    ("linode", _provider("linode://")),
    ("hetzner", _provider("hcloud://")),
    ("openstack", _provider("openstack://")),
    ("vsphere", _provider("vsphere://")),
    ("aws", _provider("aws://")),
    ("gcp", _provider("gce://")),
    ("azure", _provider("azure://")),
]
"""The first that fits: distributions before the clouds that they run in."""


def guess(traces: Traces) -> str | None:
    """The platform's name, or None when nothing gives it away."""
    return next((platform for platform, fits in _SIGNS if fits(traces)), None)
