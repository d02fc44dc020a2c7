"""NetworkPolicies read back; edges to the workloads that they are about, and that they allow.

A policy with a part left out would allow more, or cut off more, than its source. So a peer or a
port that a node cannot say takes its whole rule along when nothing else is left of it, and a policy
whose pods a node cannot say is not read at all.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from app.domain import labels
from app.domain.importing.manifests.form import Form, Unfit
from app.domain.importing.manifests.kinds.service import cidr
from app.domain.importing.manifests.metadata import read_metadata
from app.domain.importing.manifests.objects import Path, Source, at, items, mapping
from app.domain.importing.manifests.reader import Reader
from app.domain.importing.manifests.scene import Arrow, Reading, Scene
from app.domain.nodes.networkpolicy import (
    NetworkPolicyNodeData,
    NetworkPolicyPeer,
    NetworkPolicyPort,
    NetworkPolicyRule,
)

_FINDS = "A node finds pods by labels, without expressions."
_SUBJECT = ("spec", "podSelector")
_NAMESPACE = "kubernetes.io/metadata.name"
_TARGETS = {"deployment", "statefulset", "daemonset"}
_SIDES = (("ingress", "Ingress", "from"), ("egress", "Egress", "to"))


def read(form: Form, source: Source, scene: Scene) -> None:
    read_metadata(form, source, scene)
    form.vital = ("pod_selector", "policy_types", "ingress_rules", "egress_rules")
    subject = at(form.object, *_SUBJECT)
    if _ids(subject) is None:
        chosen = _labels(subject if isinstance(subject, Mapping) else {})
        form.origins[("pod_selector",)] = _SUBJECT
        if chosen is None:
            raise Unfit(("pod_selector",), _FINDS)
        form.put("pod_selector", chosen, *_SUBJECT)
    ruled = at(form.object, "spec", "policyTypes")
    if not ruled:
        ruled = ["Ingress", "Egress"] if at(form.object, "spec", "egress") else ["Ingress"]
    form.put("policy_types", ruled, "spec", "policyTypes")
    for side, word, peers in _SIDES:
        path = ("spec", side)
        for i, rule in items(at(form.object, *path)):
            made = _rule(rule, peers, form, (*path, str(i)))
            if made is not None and isinstance(ruled, list) and word in ruled:
                rule_id = f"{side}-{len(form.values.get(f'{side}_rules', ())) + 1}"
                form.add(f"{side}_rules", {"id": rule_id, **made}, *path, str(i))


def _rule(
    rule: Mapping[str, Any], side: str, form: Form, path: Path
) -> dict[str, list[dict[str, Any]]] | None:
    """The rule, or None when what is left of it would allow everybody, or every port."""
    peers = _accepted(NetworkPolicyPeer, rule.get(side), _peer, form, (*path, side))
    ports = _accepted(NetworkPolicyPort, rule.get("ports"), _port, form, (*path, "ports"))
    if (rule.get(side) and not peers) or (rule.get("ports") and not ports):
        return None
    return {"peers": peers, "ports": ports}


_EXPRESSIONS = "expressions"
"""Stands for a selector that labels cannot say; the model refuses it."""


def _accepted(
    model: type[BaseModel], entries: Any, read_one: Any, form: Form, path: Path
) -> list[dict[str, Any]]:
    """The entries of a list that the model takes; the reasons go to the form."""
    found = []
    for i, entry in items(entries):
        made = read_one(entry)
        try:
            model.model_validate(made)
        except ValidationError as error:
            says = error.errors(include_input=False)[0]["msg"]
            form.reasons[*path, str(i)] = _FINDS if _EXPRESSIONS in made.values() else says
        else:
            found.append({"id": f"{path[-1]}-{i}", **made})
    return found


def _peer(peer: Mapping[str, Any]) -> dict[str, Any]:
    block = peer.get("ipBlock")
    if isinstance(block, Mapping):
        made = {"cidr": cidr(block.get("cidr"))}
        holes = block.get("except")
        if holes:
            made["except_"] = [cidr(t) for t in holes] if isinstance(holes, list) else holes
        return {"type": "ipBlock", "ip_block": made}
    pods, namespaces = peer.get("podSelector"), peer.get("namespaceSelector")
    kind = "podSelector" if pods is not None else "namespaceSelector"
    made = {"type": kind}
    for name, selector in (("pod_selector", pods), ("namespace_selector", namespaces)):
        if selector is not None:
            labelled = _labels(selector) if isinstance(selector, Mapping) else None
            made[name] = _EXPRESSIONS if labelled is None else labelled
    return made


def _port(port: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "protocol": port.get("protocol"),
        "port": port.get("port"),
        "end_port": port.get("endPort"),
    }


def _labels(selector: Mapping[str, Any]) -> dict[str, Any] | None:
    """A selector as labels; None when it has an expression that labels cannot say."""
    found = dict(mapping(selector.get("matchLabels")))
    expressions = selector.get("matchExpressions") or []
    for expression in expressions if isinstance(expressions, list) else [expressions]:
        values = at(expression, "values")
        if at(expression, "operator") != "In" or not isinstance(values, list) or len(values) != 1:
            return None
        found[str(at(expression, "key"))] = values[0]
    return found


def _ids(selector: Any) -> list[str] | None:
    """The ids of several nodes, as a workflow selects them."""
    expressions = at(selector, "matchExpressions")
    if not isinstance(expressions, list) or len(expressions) != 1:
        return None
    values = at(expressions[0], "values")
    found = at(expressions[0], "key") == labels.NODE_ID and isinstance(values, list)
    return [str(value) for value in values] if found else None


# ------------------------------------------------------------------------------------ linking


def link(reading: Reading, scene: Scene) -> list[Arrow]:
    data = reading.data
    if not isinstance(data, NetworkPolicyNodeData):
        return []
    arrows = [Arrow(reading.node_id, id_) for id_ in _subjects(reading, data, scene)]
    if arrows:
        data = data.having(pod_selector=None)
        reading.form.changed[_SUBJECT] = "Edges to the workloads say which pods it is about."
    ingress = [_linked(rule, reading, scene, arrows) for rule in data.ingress_rules]
    egress = [_linked(rule, reading, scene, arrows) for rule in data.egress_rules]
    reading.data = data.having(ingress_rules=ingress, egress_rules=egress)
    return arrows


def _subjects(reading: Reading, data: NetworkPolicyNodeData, scene: Scene) -> list[str]:
    several = _ids(at(reading.source.object, *_SUBJECT))
    if several is None:
        found = scene.selected(data.pod_selector or {}, reading.source)
    else:
        wanted = at(reading.source.object, *_SUBJECT, "matchLabels", labels.WORKFLOW_ID)
        found = [
            owner
            for id_ in several
            if (owner := scene.owner({labels.NODE_ID: id_, labels.WORKFLOW_ID: str(wanted)}))
        ]
        if len(found) != len(several):
            raise Unfit(("pod_selector",), "Some of the nodes that it is about are not there.")
    fit = all(subject.type.value in _TARGETS for subject in found)
    return [subject.node_id for subject in found] if fit else []


def _linked(
    rule: NetworkPolicyRule, reading: Reading, scene: Scene, arrows: list[Arrow]
) -> NetworkPolicyRule:
    """The rule without the peers that edges make; the edges are added to `arrows`."""
    own: list[NetworkPolicyPeer] = []
    led: list[NetworkPolicyPeer] = []
    made: list[str] = []
    ordered = True
    for peer in rule.peers:
        targets = _allowed(peer, reading, scene)
        if targets and not set(targets) & set(made):
            made += targets
            led.append(peer)
        else:
            ordered = ordered and not made
            own.append(peer)
    if not made or (reading.source.workflow is not None and not ordered):
        return rule
    arrows += [Arrow(reading.node_id, id_, rule.id) for id_ in made]
    side, _, number = rule.id.partition("-")
    place = reading.form.origins[f"{side}_rules", int(number) - 1]
    for peer in led:
        where = (*place, *peer.id.split("-"))
        reading.form.changed[where] = "An edge to the workload says which pods are meant."
    return rule.having(peers=own)


def _allowed(peer: NetworkPolicyPeer, reading: Reading, scene: Scene) -> list[str]:
    """The nodes whose pods a peer means, when edges to them mean the same."""
    if not peer.pod_selector:
        return []
    home = scene.where(reading.source)
    there = home
    if peer.namespace_selector is not None:
        there = peer.namespace_selector.get(_NAMESPACE)
        if len(peer.namespace_selector) != 1 or there in (None, home):
            return []
    found = scene.selected(peer.pod_selector, reading.source, there)
    fit = all(
        target.type.value in _TARGETS and scene.where(target.source) == there for target in found
    )
    return [target.node_id for target in found] if fit else []


READER = Reader(frozenset({("networking.k8s.io", "NetworkPolicy")}), read, link)
