"""What a refused dry run means, by status, causes and words as servers answer them."""

import pytest

from app.domain.errors import ClusterError, ClusterFault
from app.domain.planning.conflicts import conflicts, owner_of_field, path_of_field
from app.domain.planning.findings import PlanProblemCode as Code
from app.domain.planning.objects import ObjectKey
from app.domain.planning.refusals import Asked, Outcome, meaning
from tests.domain.planning.scenes import VERSIONS, causes, conflict, immutable, refused

Case = tuple[str, bool, ClusterError, Outcome, Code | None, tuple[str, ...]]
QUOTA = (
    'deployments.apps "web" is forbidden: exceeded quota: small, requested: '
    "count/deployments.apps=1, used: count/deployments.apps=2, limited: count/deployments.apps=2"
)
RBAC = (
    'deployments.apps "web" is forbidden: User "ci" cannot patch resource "deployments" in API '
    'group "apps" in the namespace "shop"'
)
RESIZE = (
    'persistentvolumeclaims "web" is forbidden: only dynamically provisioned pvc can be resized '
    "and the storageclass that provisions the pvc must support resize"
)
TYPED = (".spec.replicsa", "field not declared in schema")
P, U, I, C = Outcome.PROBLEM, Outcome.UNVERIFIED, Outcome.IMMUTABLE, Outcome.CONFLICT  # noqa: E741
CASES: dict[str, Case] = {
    "a conflict": (
        "Deployment",
        True,
        conflict(("spec.replicas", '"kubectl-edit"')),
        C,
        Code.CONFLICT,
        ("spec.replicas",),
    ),
    "a lost race": ("Deployment", True, refused(409, "modified"), P, Code.NOT_CHECKED, ()),
    "an immutable field": (
        "Deployment",
        True,
        immutable("spec.selector"),
        I,
        Code.IMMUTABLE_FIELD,
        ("spec.selector",),
    ),
    "the words of it, of an object that is not there": (
        "Deployment",
        False,
        immutable("spec.selector"),
        P,
        Code.INVALID,
        ("spec.selector",),
    ),
    "a typo, which is HTTP 500": (
        "Deployment",
        False,
        refused(500, "failed to create typed patch object", ("FieldValueInvalid", *TYPED)),
        P,
        Code.INVALID,
        (".spec.replicsa",),
    ),
    "no such namespace": (
        "Deployment",
        False,
        refused(404, 'namespaces "nope" not found'),
        P,
        Code.NAMESPACE_MISSING,
        (),
    ),
    "no such namespace, unread": ("Secret", False, refused(404), P, Code.NAMESPACE_MISSING, ()),
    "no such namespace for a custom resource": (
        "RabbitmqCluster",
        False,
        refused(404, 'namespaces "shop" not found'),
        P,
        Code.NAMESPACE_MISSING,
        (),
    ),
    "no such kind": (
        "RabbitmqCluster",
        False,
        refused(404, "404 page not found"),
        P,
        Code.KIND_MISSING,
        (),
    ),
    "a webhook that wants no dry runs": (
        "Deployment",
        False,
        refused(400, 'admission webhook "a.example.test" does not support dry run'),
        U,
        None,
        (),
    ),
    "a webhook that says no": (
        "Deployment",
        False,
        refused(403, 'admission webhook "a.example.test" denied the request: no latest tags'),
        P,
        Code.INVALID,
        (),
    ),
    "a policy that says no": (
        "Deployment",
        False,
        refused(403, "ValidatingAdmissionPolicy 'a' with binding 'b' denied request: no"),
        P,
        Code.INVALID,
        (),
    ),
    "a quota": ("Deployment", False, refused(403, QUOTA), P, Code.QUOTA, ()),
    "no right": ("Deployment", False, refused(403, RBAC), P, Code.PERMISSION_MISSING, ()),
    "no right, unread": ("Secret", False, refused(403), P, Code.PERMISSION_MISSING, ()),
    "a namespace that goes": (
        "Deployment",
        False,
        refused(
            403,
            "unable to create new content in namespace shop because it is being terminated",
            ("NamespaceTerminating", "metadata.namespace", "namespace shop is being terminated"),
        ),
        P,
        Code.NAMESPACE_TERMINATING,
        (),
    ),
    "a smaller claim": (
        "PersistentVolumeClaim",
        True,
        refused(
            422,
            "",
            (
                "FieldValueForbidden",
                "spec.resources.requests.storage",
                "Forbidden: field can not be less than status.capacity",
            ),
        ),
        P,
        Code.CLAIM_SHRINKS,
        ("spec.resources.requests.storage",),
    ),
    "a larger claim where it can't be": (
        "PersistentVolumeClaim",
        True,
        refused(403, RESIZE),
        P,
        Code.CLAIM_NOT_RESIZABLE,
        ("spec.resources.requests.storage",),
    ),
    "a busy cluster": ("Deployment", True, refused(429), P, Code.NOT_CHECKED, ()),
    "a failing webhook": ("Deployment", True, refused(503), P, Code.NOT_CHECKED, ()),
    "a cluster that is away": (
        "Deployment",
        True,
        ClusterError(ClusterFault.UNREACHABLE, "The connection broke."),
        P,
        Code.NOT_CHECKED,
        (),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_meaning(case: str) -> None:
    kind, is_live, refusal, outcome, code, fields = CASES[case]
    found = meaning(Asked(ObjectKey(VERSIONS[kind], kind, "shop", "web"), is_live, refusal))
    assert (found.outcome, found.code, found.fields) == (outcome, code, fields)
    assert found.message.endswith((".", refusal.message))
    assert kind != "Secret" or refusal.message not in found.message


def test_what_the_plan_itself_makes_is_checked_later() -> None:
    missing = refused(404, 'namespaces "shop" not found')
    web = ObjectKey("apps/v1", "Deployment", "shop", "web")
    queue = ObjectKey("rabbitmq.com/v1beta1", "RabbitmqCluster", "shop", "web")
    namespaces, kinds = frozenset({"shop"}), frozenset({("rabbitmq.com", "RabbitmqCluster")})
    found = meaning(Asked(web, False, missing, namespaces, kinds))
    assert found.outcome is Outcome.UNVERIFIED
    assert found.message.startswith("The namespace shop is made by this deploy")
    found = meaning(Asked(queue, False, refused(404), frozenset(), kinds))
    assert found.outcome is Outcome.UNVERIFIED
    assert found.message.startswith("The kind RabbitmqCluster is installed by this deploy")


def test_a_quota_says_what_is_used() -> None:
    key = ObjectKey("apps/v1", "Deployment", "shop", "web")
    assert meaning(Asked(key, False, refused(403, QUOTA))).message == (
        "A quota of the namespace does not admit Deployment shop/web: small, requested: "
        "count/deployments.apps=1, used: count/deployments.apps=2, limited: "
        "count/deployments.apps=2. Ask for less, remove something, or have the quota raised."
    )


OWNERS = {
    'conflict with "kubectl-edit" using apps/v1': "kubectl-edit",
    'conflict with "kube-controller-manager" with subresource "scale" using apps/v1': (
        "kube-controller-manager (by scale)"
    ),
    'conflict with "kubectl" using apps/v1 at 2019-08-02T15:09:10Z': "kubectl",
    'conflicts with "gkebackup" using apps/v1:': "gkebackup",
    "": "somebody else",
}


@pytest.mark.parametrize("words", OWNERS)
def test_the_owner_of_a_field(words: str) -> None:
    (cause,) = causes(("FieldManagerConflict", "spec.replicas", words))
    assert owner_of_field(cause) == OWNERS[words]


PATHS = {
    ".spec.replicas": "spec.replicas",
    'spec.template.spec.containers[name="web"].image': "spec.template.spec.containers[web].image",
    'spec.ports[port=80,protocol="TCP"].targetPort': "spec.ports[80/TCP].targetPort",
    'ports[containerPort=80,protocol="UDP"].name': "ports[80/UDP].name",
    'volumeMounts[mountPath="/a.b"].name': "volumeMounts[/a.b].name",
    'metadata.finalizers[="a/b"]': 'metadata.finalizers[="a/b"]',
    "spec.rules[0]": "spec.rules[0]",
}


@pytest.mark.parametrize("field", PATHS)
def test_fields_are_written_as_changes_write_them(field: str) -> None:
    assert path_of_field(field) == PATHS[field]


def test_conflicts_are_told_field_by_field() -> None:
    refusal = conflict(
        ("spec.replicas", '"kubectl-edit"'), ('spec.containers[name="a"].image', '"x"')
    )
    assert [cause.field for cause in conflicts(refusal)] == [
        "spec.replicas",
        'spec.containers[name="a"].image',
    ]
    assert conflicts(refused(422, "", ("FieldManagerConflict", "a", "b"))) == ()
    key = ObjectKey("apps/v1", "Deployment", "shop", "web")
    assert meaning(Asked(key, True, refusal)).message == (
        "spec.replicas is set by kubectl-edit; spec.containers[a].image is set by x."
    )
