"""Which refusals mean that only a new object can have the values, in the words of real servers."""

import pytest

from app.domain.errors import ClusterError
from app.domain.planning.immutability import FIXED, Replacing, fixed, immutable_fields
from app.domain.planning.objects import ObjectKey
from tests.domain.planning.scenes import VERSIONS, refused

Cause = tuple[str, str, str]
ENDLESS = 'Invalid value: {"metadata":{"labels":{"app":"web"}},"spec":{"containers":[{"name":"w…'
STATEFUL = (
    "Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', "
    "'template', 'updateStrategy', 'revisionHistoryLimit', "
    "'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
)
SEEN: dict[str, tuple[str, Cause]] = {
    "selector of a Deployment": (
        "Deployment",
        ("FieldValueInvalid", "spec.selector", "Invalid value: {}: field is immutable"),
    ),
    "selector of a DaemonSet, cut off": (
        "DaemonSet",
        ("FieldValueInvalid", "spec.selector", ENDLESS),
    ),
    "template of a Job": (
        "Job",
        ("FieldValueInvalid", "spec.template", "Invalid value: {}: field is immutable"),
    ),
    "template of a Job, cut off": ("Job", ("FieldValueInvalid", "spec.template", ENDLESS)),
    "claims of a StatefulSet": ("StatefulSet", ("FieldValueForbidden", "spec", STATEFUL)),
    "spec of a claim": (
        "PersistentVolumeClaim",
        (
            "FieldValueForbidden",
            "spec",
            "Forbidden: spec is immutable after creation except resources.requests and "
            "volumeAttributesClassName for bound claims",
        ),
    ),
    "address of a Service": (
        "Service",
        (
            "FieldValueInvalid",
            "spec.clusterIPs[0]",
            'Invalid value: ["None"]: may not change once set',
        ),
    ),
    "data of a ConfigMap": (
        "ConfigMap",
        (
            "FieldValueForbidden",
            "data",
            "Forbidden: field is immutable when `immutable` is set",
        ),
    ),
    "data of a Secret, unread": ("Secret", ("FieldValueForbidden", "data", "")),
    "type of a Secret, unread": ("Secret", ("FieldValueInvalid", "type", "")),
    "scope of a definition": (
        "CustomResourceDefinition",
        ("FieldValueInvalid", "spec.scope", 'Invalid value: "Cluster": field is immutable'),
    ),
    "a rule of a custom resource": (
        "RabbitmqCluster",
        ("FieldValueInvalid", "spec.storage", 'Invalid value: "object": storage is immutable'),
    ),
}


def key(kind: str) -> ObjectKey:
    return ObjectKey(VERSIONS[kind], kind, "shop", "web")


@pytest.mark.parametrize("case", SEEN)
def test_immutable(case: str) -> None:
    kind, cause = SEEN[case]
    assert immutable_fields(key(kind), refused(422, "", cause)) == (cause[1],)


OTHERWISE: dict[str, tuple[str, ClusterError]] = {
    "a mistake": (
        "Deployment",
        refused(422, "", ("FieldValueInvalid", "spec.replicas", "Invalid value: -1: must be ≥ 0")),
    ),
    "a mistake beside it": (
        "Deployment",
        refused(
            422,
            "",
            ("FieldValueInvalid", "spec.selector", "Invalid value: {}: field is immutable"),
            ("FieldValueInvalid", "spec.replicas", "Invalid value: -1: must be ≥ 0"),
        ),
    ),
    "a name that has the word": (
        "Deployment",
        refused(
            422,
            "",
            ("FieldValueInvalid", "metadata.name", 'Invalid value: "immutable_\\"x": a DNS name'),
        ),
    ),
    "a required value of a Secret": (
        "Secret",
        refused(422, "", ("FieldValueRequired", "data[tls.crt]", "")),
    ),
    "words that are cut at another field": (
        "Deployment",
        refused(422, "", ("FieldValueInvalid", "spec.template", ENDLESS)),
    ),
    "a conflict": ("Deployment", refused(409, "field is immutable")),
    "a size of a claim": (
        "PersistentVolumeClaim",
        refused(
            422,
            "",
            (
                "FieldValueForbidden",
                "spec.resources.requests.storage",
                "Forbidden: field can not be less than status.capacity",
            ),
        ),
    ),
}


@pytest.mark.parametrize("case", OTHERWISE)
def test_not_immutable(case: str) -> None:
    kind, refusal = OTHERWISE[case]
    assert immutable_fields(key(kind), refusal) is None


@pytest.mark.parametrize("status", [400, 403])
def test_a_webhook_says_it_without_causes(status: int) -> None:
    words = 'admission webhook "x.example.test" denied the request: spec.size is immutable'
    assert immutable_fields(key("RabbitmqCluster"), refused(status, words)) == ()
    words = 'admission webhook "immutable.example.test" denied the request: no'
    assert immutable_fields(key("RabbitmqCluster"), refused(status, words)) is None


def test_what_is_done_with_each_kind() -> None:
    table = {f"{group}/{kind}": rule.replacing for (group, kind), rule in FIXED.items()}
    rbac = "rbac.authorization.k8s.io"
    assert table == {
        "apps/DaemonSet": Replacing.AFTER_CONSENT,
        "apps/Deployment": Replacing.AFTER_CONSENT,
        "apps/ReplicaSet": Replacing.AFTER_CONSENT,
        "apps/StatefulSet": Replacing.REFUSED,
        "batch/Job": Replacing.ALLOWED,
        "/PersistentVolumeClaim": Replacing.REFUSED,
        "/Service": Replacing.AFTER_CONSENT,
        "/ConfigMap": Replacing.ALLOWED,
        "/Secret": Replacing.ALLOWED,
        "/Pod": Replacing.AFTER_CONSENT,
        "/PersistentVolume": Replacing.REFUSED,
        "/Namespace": Replacing.REFUSED,
        "apiextensions.k8s.io/CustomResourceDefinition": Replacing.REFUSED,
        f"{rbac}/RoleBinding": Replacing.AFTER_CONSENT,
        f"{rbac}/ClusterRoleBinding": Replacing.AFTER_CONSENT,
        "storage.k8s.io/StorageClass": Replacing.AFTER_CONSENT,
        "networking.k8s.io/IngressClass": Replacing.AFTER_CONSENT,
        "scheduling.k8s.io/PriorityClass": Replacing.AFTER_CONSENT,
    }
    assert fixed(key("RabbitmqCluster")).replacing is Replacing.REFUSED


@pytest.mark.parametrize("kind", [*FIXED, ("rabbitmq.com", "RabbitmqCluster")])
def test_every_kind_says_what_to_do(kind: tuple[str, str]) -> None:
    advice = fixed(ObjectKey(f"{kind[0]}/v1" if kind[0] else "v1", kind[1], None, "a")).advice
    assert advice.endswith(".")
    assert len(advice) > 40
