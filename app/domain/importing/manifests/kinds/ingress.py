"""Ingresses read back; an edge from every path to the Service that answers."""

from typing import Any

from app.domain.importing.imported import ImportCode
from app.domain.importing.manifests.form import Form, Unfit
from app.domain.importing.manifests.metadata import read_metadata
from app.domain.importing.manifests.objects import Source, at, items, shown
from app.domain.importing.manifests.reader import Reader
from app.domain.importing.manifests.scene import Arrow, Reading, Scene
from app.domain.nodes.ingress import IngressNodeData, IngressPath
from app.domain.nodes.service import ServiceNodeData, ServiceType


def read(form: Form, source: Source, scene: Scene) -> None:
    read_metadata(form, source, scene)
    form.take("ingress_class_name", "spec", "ingressClassName")
    form.vital = ("paths",)
    rules = list(items(at(form.object, "spec", "rules")))
    said = [rule.get("host") or None for _, rule in rules]
    # What is no text is refused with its path, and no host for all.
    hosts = list(dict.fromkeys(str(host) if host is not None else None for host in said))
    shared = said[0] if len(hosts) == 1 else None
    form.put("host", shared, "spec", "rules", "0", "host")
    form.put("paths", [], "spec", "rules")
    for i, rule in rules:
        for j, path in items(at(rule, "http", "paths")):
            backend = at(path, "backend", "service")
            port = at(backend, "port", "number")
            made = {
                "id": f"path-{len(form.values['paths']) + 1}",
                "host": None if shared else rule.get("host") or None,
                "path": path.get("path", "/"),
                "path_type": path.get("pathType"),
                "service_name": at(backend, "name"),
                "service_port": at(backend, "port", "name") if port is None else port,
            }
            if made["service_name"] is not None:
                form.add("paths", made, "spec", "rules", str(i), "http", "paths", str(j))
    if not form.values["paths"]:
        raise Unfit(("paths",), "It needs a rule with a path that leads to a Service.")
    _read_tls(form, [host for host in hosts if host is not None])


def _read_tls(form: Form, hosts: list[Any]) -> None:
    certificates = list(items(at(form.object, "spec", "tls")))
    if not certificates:
        return
    _, first = certificates[0]
    form.put("tls_enabled", True, "spec", "tls")
    form.put("tls_secret_name", first.get("secretName") or None, "spec", "tls", "0", "secretName")
    if first.get("hosts") and first["hosts"] != hosts:
        form.put("tls_hosts", first["hosts"], "spec", "tls", "0", "hosts")


def link(reading: Reading, scene: Scene) -> list[Arrow]:
    data = reading.data
    arrows: list[Arrow] = []
    if not isinstance(data, IngressNodeData):
        return arrows
    for path in data.paths:
        name = path.service_name or ""
        service = scene.named("service", reading.source, name)
        if service is not None and _leads(path, service.data):
            arrows.append(Arrow(reading.node_id, service.node_id, path.id))
        elif scene.object("Service", reading.source, name) is None:
            says = f"There is no Service {shown(name)} in the source."
            place = reading.form.origins.get(("paths", int(path.id.removeprefix("path-")) - 1), ())
            reading.form.firm.append((ImportCode.MISSING, (*place, "backend"), says))
    return arrows


def _leads(path: IngressPath, service: Any) -> bool:
    """Whether the edge would leave the port as it is."""
    if not isinstance(service, ServiceNodeData):
        return False
    known = service.port_keys()
    if not known:
        external = service.service_type is ServiceType.EXTERNAL_NAME
        return external and path.service_port == 80
    return path.service_port in known


READER = Reader(frozenset({("networking.k8s.io", "Ingress")}), read, link)
