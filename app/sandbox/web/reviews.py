"""Questions about oneself and about tokens, which are answered and not stored."""

from collections.abc import Callable
from typing import Any

from app.sandbox.authority import Identity
from app.sandbox.cluster import Cluster
from app.sandbox.errors import bad_request
from app.sandbox.objects import Object
from app.sandbox.store import stamp

Review = Callable[[Cluster, Identity, Object], Object]


def _spec(body: Object) -> Object:
    spec = body.get("spec") or {}
    if not isinstance(spec, dict):
        raise bad_request("spec must be an object")
    return spec


def _user(identity: Identity) -> Object:
    return {"username": identity.user, "uid": identity.user, "groups": list(identity.groups)}


def _myself(_cluster: Cluster, identity: Identity, _body: Object) -> Object:
    return {"userInfo": _user(identity)}


def _access(_cluster: Cluster, identity: Identity, body: Object) -> Object:
    asked = _spec(body).get("resourceAttributes")
    other = _spec(body).get("nonResourceAttributes")
    if (asked is None) == (other is None) or not isinstance(asked or other, dict):
        raise bad_request("exactly one of nonResourceAttributes or resourceAttributes is needed")
    if asked is None:
        return {"allowed": True}
    plural = str(asked.get("resource", ""))
    if asked.get("subresource"):
        plural += f"/{asked['subresource']}"
    if identity.may(str(asked.get("verb", "")), plural):
        return {"allowed": True, "reason": "the token may"}
    return {"allowed": False}


def _rules(_cluster: Cluster, identity: Identity, _body: Object) -> Object:
    allowed = {("*", "*")} if identity.allowed is None else identity.allowed
    rules = [
        {"verbs": [verb], "apiGroups": ["*"], "resources": [plural]}
        for verb, plural in sorted(allowed)
    ]
    return {"resourceRules": rules, "nonResourceRules": [], "incomplete": False}


def _token(cluster: Cluster, _identity: Identity, body: Object) -> Object:
    found = cluster.authority.known(str(_spec(body).get("token", "")))
    if found is None:
        return {"authenticated": False, "user": {}, "error": "the token is not known"}
    return {"authenticated": True, "user": _user(found)}


_REVIEWS: dict[tuple[str, str], tuple[str, Review]] = {
    ("authentication.k8s.io", "selfsubjectreviews"): ("SelfSubjectReview", _myself),
    ("authentication.k8s.io", "tokenreviews"): ("TokenReview", _token),
    ("authorization.k8s.io", "selfsubjectaccessreviews"): ("SelfSubjectAccessReview", _access),
    ("authorization.k8s.io", "selfsubjectrulesreviews"): ("SelfSubjectRulesReview", _rules),
}


def is_review(group: str, version: str, plural: str) -> bool:
    """Whether a path is a question."""
    return version == "v1" and (group, plural) in _REVIEWS


def answer(cluster: Cluster, identity: Identity, group: str, plural: str, body: Any) -> Object:
    """The body with its `status`. A token that was asked about is not repeated."""
    kind, review = _REVIEWS[group, plural]
    given = body if isinstance(body, dict) else {}
    status = review(cluster, identity, given)
    spec = {key: value for key, value in _spec(given).items() if key != "token"}
    return {
        "kind": kind,
        "apiVersion": f"{group}/v1",
        "metadata": {"creationTimestamp": stamp(cluster.store.now())},
        "spec": spec,
        "status": status,
    }
