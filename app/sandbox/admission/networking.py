"""What may stand in Services, Ingresses and NetworkPolicies."""

import ipaddress
import re
from collections.abc import Iterator, Mapping
from typing import Any

from app.sandbox.admission import names
from app.sandbox.admission.causes import (
    choice,
    duplicate,
    forbidden,
    invalid,
    malformed,
    one_of,
    required,
    unsupported,
)
from app.sandbox.admission.numbers import port
from app.sandbox.admission.preparing import NODE_PORTS, SERVICES
from app.sandbox.errors import Cause
from app.sandbox.formats import dns_label, dns_subdomain, port_name, service_name
from app.sandbox.objects import Object

Given = Mapping[str, Any]
_TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
_PROTOCOLS = ("SCTP", "TCP", "UDP")
_WILDCARD = (
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which "
    "must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric "
    "character"
)


def service(obj: Object) -> Iterator[Cause]:
    """A Service."""
    spec = obj["spec"]
    kind, ports, address = spec["type"], spec.get("ports") or [], spec.get("clusterIP")
    yield from choice(kind, _TYPES, "spec.type")
    if kind == "ExternalName":
        if not spec.get("externalName"):
            yield required("spec.externalName")
        if address:
            yield forbidden("spec.clusterIPs", "may not be set for ExternalName services")
    elif not ports and address != "None":
        yield required("spec.ports")
    if address == "None" and kind in ("LoadBalancer", "NodePort"):
        yield invalid("spec.clusterIPs[0]", "None", f"may not be set to 'None' for {kind} services")
    elif address and address != "None" and not _inside(address):
        why = f"failed to allocate IP {address}: the provided IP ({address}) is not in the valid "
        why += f"range. The range of valid IPs is {SERVICES}"
        yield invalid("spec.clusterIPs", [address], why)
    yield from choice(spec["sessionAffinity"], ("ClientIP", "None"), "spec.sessionAffinity")
    client = (spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}
    seconds = client.get("timeoutSeconds", 1)
    if not 1 <= seconds <= 86400:
        path = "spec.sessionAffinityConfig.clientIP.timeoutSeconds"
        yield invalid(path, seconds, "must be greater than 0 and less than 86400")
    if kind in ("ClusterIP", "ExternalName") and spec.get("externalTrafficPolicy"):
        why = "may only be set for externally-accessible services"
        yield invalid("spec.externalTrafficPolicy", spec["externalTrafficPolicy"], why)
    yield from names.labels(spec.get("selector"), "spec.selector")
    yield from _service_ports(ports, kind)


def _inside(text: str) -> bool:
    try:
        return ipaddress.ip_address(text) in SERVICES
    except ValueError:
        return False


def _service_ports(ports: list[Given], kind: str) -> Iterator[Cause]:
    called: set[str] = set()
    seen: set[tuple[Any, Any]] = set()
    for i, each in enumerate(ports):
        path, name = f"spec.ports[{i}]", each.get("name", "")
        if not name and len(ports) > 1:
            yield required(f"{path}.name")
        elif name:
            yield from malformed(dns_label, name, f"{path}.name")
        if name and name in called:
            yield duplicate(f"{path}.name", name)
        called.add(name)
        number = each.get("port")
        if number is None:
            yield required(f"{path}.port")
        else:
            yield from port(number, f"{path}.port")
        yield from choice(each["protocol"], _PROTOCOLS, f"{path}.protocol")
        target = each.get("targetPort")
        if isinstance(target, int):
            yield from port(target, f"{path}.targetPort")
        elif target is not None:
            yield from malformed(port_name, target, f"{path}.targetPort")
        yield from _node_port(each.get("nodePort"), kind, path)
        if (number, each["protocol"]) in seen:
            yield duplicate(path, {"port": number, "protocol": each["protocol"]})
        seen.add((number, each["protocol"]))


def _node_port(number: int | None, kind: str, path: str) -> Iterator[Cause]:
    if not number:
        return
    if kind not in ("NodePort", "LoadBalancer"):
        yield forbidden(f"{path}.nodePort", "may not be used when `type` is 'ClusterIP'")
    elif number not in NODE_PORTS:
        why = "provided port is not in the valid range. The range of valid ports is 30000-32767"
        yield invalid(f"{path}.nodePort", number, why)


def ingress(obj: Object) -> Iterator[Cause]:
    """An Ingress."""
    spec = obj.get("spec") or {}
    rules, default = spec.get("rules") or (), spec.get("defaultBackend")
    if not rules and default is None:
        yield invalid("spec", rules, "either `defaultBackend` or `rules` must be specified")
    if default is not None:
        yield from _backend(default, "spec.defaultBackend")
    for i, rule in enumerate(rules):
        yield from _host(rule.get("host", ""), f"spec.rules[{i}].host")
        http = rule.get("http")
        if http is None:
            continue
        if not http.get("paths"):
            yield required(f"spec.rules[{i}].http.paths")
        for k, each in enumerate(http.get("paths") or ()):
            yield from _path(each, f"spec.rules[{i}].http.paths[{k}]")
    for i, entry in enumerate(spec.get("tls") or ()):
        for k, host in enumerate(entry.get("hosts") or ()):
            yield from _host(host, f"spec.tls[{i}].hosts[{k}]")
        if entry.get("secretName"):
            yield from malformed(dns_subdomain, entry["secretName"], f"spec.tls[{i}].secretName")


def _host(host: str, path: str) -> Iterator[Cause]:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        pass
    else:
        yield invalid(path, host, "must be a DNS name, not an IP address")
        return
    rest = host[2:] if host.startswith("*.") else host
    for why in dns_subdomain(rest) if rest else ():
        yield invalid(path, host, _WILDCARD if "*" in host else why)


def _path(given: Given, path: str) -> Iterator[Cause]:
    kind, text = given.get("pathType"), given.get("path", "")
    if kind is None:
        yield required(f"{path}.pathType", "pathType must be specified")
    elif kind not in ("Exact", "Prefix", "ImplementationSpecific"):
        supported = ("Exact", "ImplementationSpecific", "Prefix")
        yield unsupported(f"{path}.pathType", kind, supported)
    elif not text.startswith("/") and (text or kind != "ImplementationSpecific"):
        yield invalid(f"{path}.path", text, "must be an absolute path")
    elif kind != "ImplementationSpecific":
        for bad in ("//", "/./", "/../", "%2f", "%2F"):
            if bad in text:
                yield invalid(f"{path}.path", text, f"must not contain '{bad}'")
        for bad in ("/..", "/."):
            if text.endswith(bad):
                yield invalid(f"{path}.path", text, f"cannot end with '{bad}'")
    yield from _backend(given.get("backend") or {}, f"{path}.backend")


def _backend(given: Given, path: str) -> Iterator[Cause]:
    found = one_of(given, ("service", "resource"))
    if len(found) > 1:
        yield invalid(path, "", "cannot set both resource and service backends")
    elif not found:
        yield required(path, "resource or service backend is required")
    elif found == ["service"]:
        target = given["service"]
        if not target.get("name"):
            yield required(f"{path}.service.name")
        else:
            yield from malformed(service_name, target["name"], f"{path}.service.name")
        which = target.get("port") or {}
        if which.get("name") and which.get("number"):
            yield invalid(f"{path}.service.port", "", "cannot set both port name & port number")
        elif which.get("name"):
            yield from malformed(port_name, which["name"], f"{path}.service.port.name")
        elif which.get("number"):
            yield from port(which["number"], f"{path}.service.port.number")
        else:
            yield required(f"{path}.service.port", "port name or number is required")


def network_policy(obj: Object) -> Iterator[Cause]:
    """A NetworkPolicy."""
    spec = obj["spec"]
    yield from names.selector(spec.get("podSelector"), "spec.podSelector")
    for i, kind in enumerate(spec["policyTypes"]):
        yield from choice(kind, ("Egress", "Ingress"), f"spec.policyTypes[{i}]")
    for side, peers in (("ingress", "from"), ("egress", "to")):
        for i, rule in enumerate(spec.get(side) or ()):
            for k, peer in enumerate(rule.get(peers) or ()):
                yield from _peer(peer, f"spec.{side}[{i}].{peers}[{k}]")
            for k, each in enumerate(rule.get("ports") or ()):
                yield from _policy_port(each, f"spec.{side}[{i}].ports[{k}]")


def _peer(peer: Given, path: str) -> Iterator[Cause]:
    block = peer.get("ipBlock")
    if not one_of(peer, ("podSelector", "namespaceSelector", "ipBlock")):
        yield required(path, "must specify a peer")
    elif block is not None and len(peer) > 1:
        yield forbidden(path, "may not specify both ipBlock and another peer")
    for field in ("podSelector", "namespaceSelector"):
        yield from names.selector(peer.get(field), f"{path}.{field}")
    if block is None:
        return
    whole = _network(block.get("cidr", ""))
    if whole is None:
        why = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
        yield invalid(f"{path}.ipBlock.cidr", block.get("cidr", ""), why)
        return
    for i, text in enumerate(block.get("except") or ()):
        part = _network(text)
        inside = part is not None and part != whole and part.version == whole.version
        if not inside or not part.subnet_of(whole):  # type: ignore[union-attr, arg-type]
            why = "must be a strict subset of `cidr`"
            yield invalid(f"{path}.ipBlock.except[{i}]", text, why)


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text, strict=False) if "/" in text else None
    except ValueError:
        return None


def _policy_port(given: Given, path: str) -> Iterator[Cause]:
    yield from choice(given["protocol"], _PROTOCOLS, f"{path}.protocol")
    number, end = given.get("port"), given.get("endPort")
    if isinstance(number, int):
        yield from port(number, f"{path}.port")
        if end is not None and end < number:
            yield invalid(f"{path}.endPort", end, "must be greater than or equal to `port`")
    elif number is not None:
        yield from malformed(port_name, number, f"{path}.port")
        if end is not None:
            why = "may not be specified when `port` is non-numeric"
            yield invalid(f"{path}.endPort", end, why)
    elif end is not None:
        yield invalid(f"{path}.endPort", end, "may not be specified when `port` is not specified")


def ingress_class(obj: Object) -> Iterator[Cause]:
    """An IngressClass."""
    controller = (obj.get("spec") or {}).get("controller", "")
    if not re.fullmatch(r"[a-z0-9.-]+/[A-Za-z0-9._/-]+", controller):
        why = 'must be a domain-prefixed path (such as "acme.io/foo")'
        yield invalid("spec.controller", controller, why)
