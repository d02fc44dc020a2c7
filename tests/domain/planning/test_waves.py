"""The order of kinds: what is needed comes before what needs it, and leaves after it."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.manifest import Manifest
from app.domain.planning.objects import ObjectKey
from app.domain.planning.waves import KindWave, applying, is_builtin, order, removing, wave_of
from tests.domain.test_golden import CASES, compiled

TABLE = {
    KindWave.DEFINITIONS: [
        "apiextensions.k8s.io/v1 CustomResourceDefinition",
        "v1 Namespace",
        "rbac.authorization.k8s.io/v1 ClusterRole",
    ],
    KindWave.CLASSES: [
        "scheduling.k8s.io/v1 PriorityClass",
        "storage.k8s.io/v1 StorageClass",
        "networking.k8s.io/v1 IngressClass",
        "gateway.networking.k8s.io/v1 GatewayClass",
        "node.k8s.io/v1 RuntimeClass",
    ],
    KindWave.PREREQUISITES: [
        "v1 ResourceQuota",
        "v1 LimitRange",
        "v1 ServiceAccount",
        "rbac.authorization.k8s.io/v1 Role",
        "rbac.authorization.k8s.io/v1 RoleBinding",
        "rbac.authorization.k8s.io/v1 ClusterRoleBinding",
        "v1 ConfigMap",
        "v1 Secret",
        "v1 PersistentVolume",
        "v1 PersistentVolumeClaim",
    ],
    KindWave.SERVICES: ["v1 Service"],
    KindWave.WORKLOADS: [
        "apps/v1 DaemonSet",
        "apps/v1 Deployment",
        "apps/v1 ReplicaSet",
        "apps/v1 StatefulSet",
        "v1 Pod",
        "batch/v1 Job",
        "batch/v1 CronJob",
    ],
    KindWave.ROUTES: [
        "networking.k8s.io/v1 Ingress",
        "autoscaling/v2 HorizontalPodAutoscaler",
        "policy/v1 PodDisruptionBudget",
        "networking.k8s.io/v1 NetworkPolicy",
    ],
    KindWave.CUSTOM_RESOURCES: [
        "cert-manager.io/v1 Certificate",
        "rabbitmq.com/v1beta1 RabbitmqCluster",
        "example.test/v1 Service",
    ],
}


def key(kind: str, name: str = "a", namespace: str | None = "shop") -> ObjectKey:
    version, _, word = kind.partition(" ")
    return ObjectKey(version, word, namespace, name)


IN_ORDER = [key(kind) for kinds in TABLE.values() for kind in kinds]


@pytest.mark.parametrize("wave", TABLE)
def test_each_kind_has_its_wave(wave: KindWave) -> None:
    assert {wave_of(key(kind)) for kind in TABLE[wave]} == {wave}


def test_only_definitions_are_awaited_before_the_next_wave() -> None:
    assert [wave for wave in KindWave if wave.is_awaited] == [KindWave.DEFINITIONS]


def test_the_version_of_a_kind_does_not_matter() -> None:
    assert wave_of(key("autoscaling/v1 HorizontalPodAutoscaler")) is KindWave.ROUTES


def test_kinds_of_kubernetes_are_told_from_others() -> None:
    assert is_builtin(key("v1 Service"))
    assert not is_builtin(key("example.test/v1 Service"))


def test_within_a_wave_by_kind_then_namespace_then_name() -> None:
    wanted = [
        key("v1 ConfigMap", "z", "a"),
        key("v1 ConfigMap", "a", "b"),
        key("v1 ConfigMap", "b", "b"),
        key("v1 Secret", "a", "a"),
    ]
    assert applying(reversed(wanted)) == [wanted]


@given(st.permutations(IN_ORDER))
def test_the_order_does_not_depend_on_where_things_were(shuffled: list[ObjectKey]) -> None:
    assert list(itertools.chain(*applying(shuffled))) == IN_ORDER
    assert list(itertools.chain(*removing(shuffled))) == IN_ORDER[::-1]


@given(st.permutations(IN_ORDER))
def test_every_wave_is_whole_and_none_is_empty(shuffled: list[ObjectKey]) -> None:
    for waves, kinds in ((applying(shuffled), list(KindWave)), (removing(shuffled), None)):
        found = [{wave_of(one) for one in wave} for wave in waves]
        assert found == [{wave} for wave in kinds or reversed(KindWave)]


@given(st.lists(st.sampled_from(IN_ORDER), min_size=2, max_size=2, unique=True))
def test_no_two_objects_are_equal_in_order(two: list[ObjectKey]) -> None:
    assert order(two[0]) != order(two[1])


def test_what_the_compiler_says_is_the_same_order() -> None:
    """A later wave of the compiler is never an earlier one of the plan."""
    manifests: list[Manifest] = [m for case in CASES for m in compiled(case)]
    pairs = {(manifest.wave, wave_of(manifest)) for manifest in manifests}
    for (one, mine), (other, theirs) in itertools.product(pairs, pairs):
        assert one >= other or mine <= theirs


def test_nothing_makes_no_waves() -> None:
    empty: list[ObjectKey] = []
    assert applying(empty) == []
    assert removing(empty) == []
