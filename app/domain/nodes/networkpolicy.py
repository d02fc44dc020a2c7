"""NetworkPolicy: who may talk to whom."""

import enum
import ipaddress
from collections.abc import Collection, Iterator, Sequence
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, model_validator

from app.domain import labels
from app.domain.fields import Cidr, DnsSubdomain, EntryId, Port, PortOrName
from app.domain.lists import distinct, identified
from app.domain.manifest import Manifest, Wave, given
from app.domain.maps import Labels
from app.domain.node import (
    DERIVED,
    Connection,
    Link,
    NodeData,
    NodeKind,
    NodeType,
    Value,
    WorkflowNode,
)
from app.domain.place import Place
from app.domain.pod import Protocol
from app.domain.text import Loc, refuse_at
from app.domain.workload import WorkloadData

SUBJECT = "output"
"""The handle of edges to the workloads that the policy is about; the same as no handle."""

_NAMESPACE_LABEL = "kubernetes.io/metadata.name"


class PolicyType(enum.StrEnum):
    """Which direction a policy rules: what comes in, or what goes out."""

    INGRESS = "Ingress"
    EGRESS = "Egress"


class PeerType(enum.StrEnum):
    """How a peer is described."""

    POD_SELECTOR = "podSelector"
    NAMESPACE_SELECTOR = "namespaceSelector"
    IP_BLOCK = "ipBlock"


class IPBlock(Value):
    """A range of addresses, with holes."""

    cidr: Cidr = Field(description="The range, such as `10.0.0.0/8`.")
    except_: list[Cidr] = Field(
        default_factory=list, max_length=128, description="Ranges inside `cidr` that are left out."
    )

    @model_validator(mode="after")
    def _holes_inside(self) -> Self:
        whole = ipaddress.ip_network(self.cidr)
        faults: list[tuple[Loc, str]] = []
        for i, text in enumerate(self.except_):
            hole = ipaddress.ip_network(text)
            inside = hole.version == whole.version and (
                hole.prefixlen > whole.prefixlen and hole.network_address in whole
            )
            if not inside:
                faults.append((("except_", i), f"Write a smaller range inside {self.cidr}."))
        refuse_at(faults)
        return self


class NetworkPolicyPeer(Value):
    """Somebody to talk to: pods by label, everything in some namespaces, or addresses."""

    id: EntryId = Field(
        default="", description="Unique in the rule. A peer made by an edge has the edge's id."
    )
    type: PeerType = Field(description="How the peer is described.")
    pod_selector: Labels | None = Field(
        default=None, description="Labels of the pods; `{}` means all pods."
    )
    namespace_selector: Labels | None = Field(
        default=None,
        description="Labels of the namespaces; `{}` means all. Left out: the policy's own.",
    )
    ip_block: IPBlock | None = Field(default=None, description="With IP_BLOCK: the addresses.")
    linked_workload: str | None = Field(
        default=None,
        json_schema_extra=DERIVED,
        description="Id of the workload node that an edge leads to.",
    )

    @model_validator(mode="after")
    def _fits_type(self) -> Self:
        needed = {
            PeerType.POD_SELECTOR: ("pod_selector", "Write the pods' labels, or {} for all pods."),
            PeerType.NAMESPACE_SELECTOR: (
                "namespace_selector",
                "Write the namespaces' labels, or {} for all namespaces.",
            ),
            PeerType.IP_BLOCK: ("ip_block", "Write the range of addresses."),
        }
        name, says = needed[self.type]
        faults: list[tuple[Loc, str]] = []
        if getattr(self, name) is None:
            faults.append(((name,), says))
        selectors = ["pod_selector", "namespace_selector"]
        misplaced = selectors if self.type is PeerType.IP_BLOCK else ["ip_block"]
        faults.extend(
            ((other,), "Addresses and selectors don't go together: leave one of them out.")
            for other in misplaced
            if getattr(self, other) is not None
        )
        refuse_at(faults)
        return self


class NetworkPolicyPort(Value):
    """A port, or a range of ports."""

    id: EntryId = Field(default="", description="Unique in the rule; made when left out.")
    protocol: Protocol = Field(default=Protocol.TCP, description="Its transport.")
    port: PortOrName | None = Field(
        default=None, description="Number or name of the pods' port; left out: every port."
    )
    end_port: Port | None = Field(
        default=None, description="Last port of a range that begins with `port`, a number."
    )

    @model_validator(mode="after")
    def _range(self) -> Self:
        if self.end_port is not None and (
            not isinstance(self.port, int) or self.end_port < self.port
        ):
            refuse_at([(("end_port",), "A range begins with a number in port, and ends above it.")])
        return self


class NetworkPolicyRule(Value):
    """Peers and ports; what matches one of each is allowed."""

    id: EntryId = Field(
        default="", description="The handle where edges to peers start; made when left out."
    )
    peers: Annotated[list[NetworkPolicyPeer], AfterValidator(identified("peer"))] = Field(
        default_factory=list, max_length=128, description="Who; an empty list means everybody."
    )
    ports: Annotated[list[NetworkPolicyPort], AfterValidator(identified("port"))] = Field(
        default_factory=list, max_length=128, description="Where; an empty list means every port."
    )


class NetworkPolicyNodeData(NodeData):
    """Who may talk to whom. What no rule allows is refused, in each direction that is ruled."""

    name: DnsSubdomain = Field(description="Name of the policy.")
    pod_selector: Labels | None = Field(
        default=None,
        description="Labels of the pods that the policy is about; `{}` means all pods of the "
        "namespace. An edge supplies it; null with several `linkedWorkloads`: exactly these.",
    )
    policy_types: Annotated[list[PolicyType], AfterValidator(distinct)] = Field(
        default_factory=lambda: [PolicyType.INGRESS],
        min_length=1,
        max_length=2,
        description="Which directions are ruled.",
    )
    ingress_rules: Annotated[list[NetworkPolicyRule], AfterValidator(identified("ingress"))] = (
        Field(default_factory=list, max_length=128, description="What may come in.")
    )
    egress_rules: Annotated[list[NetworkPolicyRule], AfterValidator(identified("egress"))] = Field(
        default_factory=list, max_length=128, description="What may go out."
    )
    linked_workloads: list[str] = Field(
        default_factory=list,
        json_schema_extra=DERIVED,
        description="Ids of the workload nodes that the policy is about, by edges.",
    )

    @model_validator(mode="after")
    def _rule_ids(self) -> Self:
        seen = {rule.id for rule in self.ingress_rules}
        faults: list[tuple[Loc, str]] = [
            (("egress_rules", i, "id"), f"The id {rule.id!r} is an ingress rule's already.")
            for i, rule in enumerate(self.egress_rules)
            if rule.id in seen
        ]
        faults.extend(
            ((name, i, "id"), f"{SUBJECT!r} is the handle of the policy itself: use another id.")
            for name in ("ingress_rules", "egress_rules")
            for i, rule in enumerate(getattr(self, name))
            if rule.id == SUBJECT
        )
        refuse_at(faults)
        return self

    def anchor(self, handle: str | None) -> str:
        """The id of a rule, or `output` for the policy's subject, which is the default."""
        if handle is None or handle == SUBJECT:
            return SUBJECT
        rules = [*self.ingress_rules, *self.egress_rules]
        if any(rule.id == handle for rule in rules):
            return handle
        listed = ", ".join(repr(rule.id) for rule in rules[:10]) or "it has none yet"
        raise ValueError(
            f"An edge of a NetworkPolicy starts at {SUBJECT!r} (the pods it is about) or at the id "
            f"of a rule: {listed}."
        )

    def out_label(self, link: Link) -> str:
        if link.anchor == SUBJECT:
            return "applies to"
        incoming = any(rule.id == link.anchor for rule in self.ingress_rules)
        return "allows from" if incoming else "allows to"

    def wired(self, outgoing: Sequence[Link], incoming: Sequence[Link]) -> Self:  # noqa: ARG002
        subjects = [link for link in outgoing if link.anchor == SUBJECT]
        selector = self.pod_selector
        if subjects:
            selector = _selector(subjects[0]) if len(subjects) == 1 else None
        return self.having(
            pod_selector=selector,
            linked_workloads=[link.node_id for link in subjects],
            ingress_rules=[self._wired(rule, outgoing) for rule in self.ingress_rules],
            egress_rules=[self._wired(rule, outgoing) for rule in self.egress_rules],
        )

    def _wired(self, rule: NetworkPolicyRule, outgoing: Sequence[Link]) -> NetworkPolicyRule:
        made = {link.edge: self._peer(link) for link in outgoing if link.anchor == rule.id}
        return rule.having(peers=[*_own(rule, made), *made.values()])

    def _peer(self, link: Link) -> NetworkPolicyPeer:
        elsewhere = link.data.namespace if link.data.namespace != self.namespace else None
        return NetworkPolicyPeer.model_construct(
            id=link.edge,
            type=PeerType.POD_SELECTOR,
            pod_selector=_selector(link),
            namespace_selector={_NAMESPACE_LABEL: elsewhere} if elsewhere else None,
            linked_workload=link.node_id,
        )

    def unwired(self, outgoing: Sequence[Link], incoming: Sequence[Link]) -> Self:  # noqa: ARG002
        subjects = [_selector(link) for link in outgoing if link.anchor == SUBJECT]
        made = {link.edge for link in outgoing}
        return self.having(
            pod_selector=None if self.pod_selector in subjects else self.pod_selector,
            linked_workloads=[],
            ingress_rules=[_unwired(rule, made) for rule in self.ingress_rules],
            egress_rules=[_unwired(rule, made) for rule in self.egress_rules],
        )


def _unwired(rule: NetworkPolicyRule, made: set[str]) -> NetworkPolicyRule:
    return rule.having(peers=_own(rule, made))


def _own(rule: NetworkPolicyRule, made: Collection[str]) -> list[NetworkPolicyPeer]:
    """The peers that no edge makes; none of them is linked, whatever it says."""
    return [peer.having(linked_workload=None) for peer in rule.peers if peer.id not in made]


def _selector(link: Link) -> dict[str, str]:
    return link.data.selector if isinstance(link.data, WorkloadData) else {"app": link.data.name}


class NetworkPolicyNode(WorkflowNode):
    """A NetworkPolicy on the canvas."""

    type: NodeType = Field(default=NodeType("networkpolicy"), description="The kind.")
    data: NetworkPolicyNodeData = Field(description="What it is made of.")


def manifests(data: NetworkPolicyNodeData, place: Place) -> Iterator[Manifest]:
    """The policy. Rules of a direction that it does not rule are left out: they have no effect."""
    spec: dict[str, Any] = {
        "podSelector": _subject(data, place),
        "policyTypes": [kind.value for kind in data.policy_types],
    }
    for kind, rules, side in (
        (PolicyType.INGRESS, data.ingress_rules, "from"),
        (PolicyType.EGRESS, data.egress_rules, "to"),
    ):
        if kind in data.policy_types and rules:
            spec[kind.value.lower()] = [_rule(rule, side, place) for rule in rules]
    yield place.manifest("networking.k8s.io/v1", "NetworkPolicy", {"spec": spec}, wave=Wave.ROUTES)


def _subject(data: NetworkPolicyNodeData, place: Place) -> dict[str, Any]:
    """The pods that the policy is about: those at the ends of its edges, else by its labels."""
    if len(data.linked_workloads) > 1:
        ids = sorted(place.selector_of(node)[labels.NODE_ID] for node in data.linked_workloads)
        return {
            "matchLabels": {labels.WORKFLOW_ID: place.selector[labels.WORKFLOW_ID]},
            "matchExpressions": [{"key": labels.NODE_ID, "operator": "In", "values": ids}],
        }
    for node in data.linked_workloads:
        return {"matchLabels": place.selector_of(node)}
    return _labelled(data.pod_selector or {})


def _rule(rule: NetworkPolicyRule, side: str, place: Place) -> dict[str, Any]:
    """A rule without peers allows everybody, and one without ports every port: so it is drawn."""
    ports = [
        given({"protocol": port.protocol, "port": port.port, "endPort": port.end_port})
        for port in rule.ports
    ]
    return given({side: [_who(peer, place) for peer in rule.peers] or None, "ports": ports or None})


def _who(peer: NetworkPolicyPeer, place: Place) -> dict[str, Any]:
    if peer.ip_block is not None:
        holes = list(peer.ip_block.except_)
        return {"ipBlock": given({"cidr": peer.ip_block.cidr, "except": holes or None})}
    linked = place.site.nodes.get(peer.linked_workload or "")
    if linked is None:
        pods, namespaces = peer.pod_selector, peer.namespace_selector
    else:
        there = place.site.where(linked.data)
        pods = place.selector_of(linked.id)
        namespaces = {_NAMESPACE_LABEL: there} if there != place.namespace else None
    return given(
        {
            "podSelector": None if pods is None else _labelled(pods),
            "namespaceSelector": None if namespaces is None else _labelled(namespaces),
        }
    )


def _labelled(selector: dict[str, str]) -> dict[str, Any]:
    """A selector by labels; without any it selects all."""
    return {"matchLabels": dict(selector)} if selector else {}


KIND = NodeKind(
    type=NodeType("networkpolicy"),
    label="NetworkPolicy",
    description="Who may talk to whom. What no rule allows is refused.",
    category="network",
    data=NetworkPolicyNodeData,
    node=NetworkPolicyNode,
    manifests=manifests,
    defaults={"pod_selector": {}, "policy_types": [PolicyType.INGRESS]},
    connects_to=tuple(
        Connection(
            kind,
            "The policy is about the workload's pods, or, from the handle of a rule, allows them.",
        )
        for kind in ("deployment", "statefulset", "daemonset")
    ),
)
