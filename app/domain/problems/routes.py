"""Ingresses: every path has a backend, no two paths are one, certificates fit."""

from collections.abc import Iterator

from app.domain.nodes.ingress import IngressNodeData, IngressPath, PathType
from app.domain.nodes.secret import SecretNodeData, SecretType
from app.domain.nodes.service import ServiceNodeData, ServiceType
from app.domain.problems.scene import Problem, ProblemCode, Scene, Severity, at


def backends(scene: Scene) -> Iterator[Problem]:
    """Every path leads to a port of a Service."""
    for node, data in scene.each(IngressNodeData):
        for i, path in enumerate(data.paths):
            if path.service_name is None:
                yield at(
                    node,
                    "paths",
                    i,
                    "service_name",
                    code=ProblemCode.REFERENCE_MISSING,
                    severity=Severity.ERROR,
                    says=f"The path {path.path} leads nowhere: connect it to a Service.",
                )
                continue
            service = scene.named("service", path.service_name, data)
            if service is None or not isinstance(service.data, ServiceNodeData):
                yield at(
                    node,
                    "paths",
                    i,
                    "service_name",
                    code=ProblemCode.REFERENCE_DANGLING,
                    severity=Severity.WARNING,
                    says=f"No Service on the canvas is called {path.service_name}: connect the "
                    f"path to its Service, unless it is on the cluster already.",
                )
                if path.service_port is None:
                    yield _portless(scene, node.id, i)
            else:
                yield from _port(scene, node.id, i, path, service.data)


def _port(
    scene: Scene, node_id: str, index: int, path: IngressPath, service: ServiceNodeData
) -> Iterator[Problem]:
    node = scene.nodes[node_id]
    if path.service_port is None and service.service_type is not ServiceType.EXTERNAL_NAME:
        yield _portless(scene, node_id, index)
    elif path.service_port is not None and path.service_port not in service.port_keys():
        known = ", ".join(str(port.port) for port in service.all_ports()) or "no port"
        yield at(
            node,
            "paths",
            index,
            "service_port",
            code=ProblemCode.PORT_NOT_EXPOSED,
            severity=Severity.ERROR,
            says=f"{service.name} has {known}, not {path.service_port}: correct the port, or add "
            f"it to the Service.",
        )


def _portless(scene: Scene, node_id: str, index: int) -> Problem:
    return at(
        scene.nodes[node_id],
        "paths",
        index,
        "service_port",
        code=ProblemCode.REFERENCE_MISSING,
        severity=Severity.ERROR,
        says="Write the port of the Service that requests go to.",
    )


def paths(scene: Scene) -> Iterator[Problem]:
    """A host and path leads to one place, in all Ingresses of a class."""
    taken: dict[tuple[str | None, str | None, str, PathType], str] = {}
    for node, data in scene.each(IngressNodeData):
        for i, path in enumerate(data.paths):
            host = path.host or data.host
            key = (data.ingress_class_name, host, _plain(path), path.path_type)
            other = taken.setdefault(key, f"{data.name}, path {i + 1}")
            if other != f"{data.name}, path {i + 1}":
                yield at(
                    node,
                    "paths",
                    i,
                    "path",
                    code=ProblemCode.PATH_CONFLICT,
                    severity=Severity.ERROR,
                    says=f"{host or 'Any host'}{path.path} is routed already ({other}): change "
                    f"the host or the path of one of them.",
                )


def _plain(path: IngressPath) -> str:
    """`/api` and `/api/` are one prefix."""
    if path.path_type is PathType.PREFIX:
        return path.path.rstrip("/") or "/"
    return path.path


def certificates(scene: Scene) -> Iterator[Problem]:
    """The Secret of a certificate is one, and is used."""
    for node, data in scene.each(IngressNodeData):
        if data.tls_secret_name is None:
            continue
        if not data.tls_enabled:
            yield at(
                node,
                "tls_enabled",
                code=ProblemCode.CERTIFICATE_UNFIT,
                severity=Severity.WARNING,
                says="The certificate is not used: enable TLS, or clear its Secret's name.",
            )
        secret = scene.named("secret", data.tls_secret_name, data)
        if (
            secret is not None
            and isinstance(secret.data, SecretNodeData)
            and (kind := secret.data.secret_type) is not SecretType.TLS
        ):
            yield at(
                node,
                "tls_secret_name",
                code=ProblemCode.CERTIFICATE_UNFIT,
                severity=Severity.ERROR,
                says=f"The Secret {data.tls_secret_name} is of type {kind.name}: change it to TLS.",
            )
    for node, secret_data in scene.each(SecretNodeData):
        have = {entry.name for entry in secret_data.keys}
        missing = [key for key in secret_data.secret_type.required_keys if key not in have]
        if missing:
            yield at(
                node,
                "keys",
                code=ProblemCode.KEY_MISSING,
                severity=Severity.ERROR,
                says=f"A Secret of type {secret_data.secret_type.name} needs the keys "
                f"{' and '.join(missing)}: add them.",
            )
