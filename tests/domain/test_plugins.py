"""The catalogue of plugins: its facts have the right form, and forms become objects."""

import re
from typing import Any

import pytest

from app.domain.plugins import Fault, FieldType, PluginType, Scope, body_of, find, plugins
from app.domain.plugins.filling import parse_path

TYPES = [kind for plugin in plugins().values() for kind in plugin.types]
SAMPLES: dict[FieldType, Any] = {
    FieldType.TEXT: "x",
    FieldType.INTEGER: 1,
    FieldType.BOOLEAN: True,
    FieldType.LIST: ["x"],
    FieldType.MAP: {"a": "b"},
    FieldType.JSON: [{"a": 1}],
}


def kind_of(plugin: str, kind: str | None = None) -> PluginType:
    found = find(plugin, kind)
    assert found is not None
    return found


def test_the_catalogue_is_known() -> None:
    assert len(plugins()) == 54
    assert len(TYPES) == 71
    assert {plugin.category for plugin in plugins().values()} == {
        *("virtualization", "networking", "database", "messaging", "monitoring", "storage"),
        *("security", "cicd", "workflow", "backup", "policy", "scaling", "ml"),
    }


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.id)
def test_the_facts_have_the_right_form(kind: PluginType) -> None:
    assert re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", kind.group)
    assert re.fullmatch(r"v[1-9][0-9]*((alpha|beta)[1-9][0-9]*)?", kind.version)
    assert re.fullmatch(r"[A-Z][A-Za-z0-9]+", kind.kind)
    assert re.fullmatch(r"[a-z][a-z0-9]+", kind.plural)
    assert kind.name
    assert kind.description.endswith(".")


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.id)
def test_every_field_has_a_place_of_its_own(kind: PluginType) -> None:
    paths = [parse_path(field.path) for field in kind.fields]
    assert None not in paths
    assert len({str(path) for path in paths}) == len({field.id for field in kind.fields})
    for path in paths:
        assert path is not None
        assert path[0] != "metadata" or path[1] in {"labels", "annotations"}
        assert path[0] not in {"apiVersion", "kind", "status"}


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.id)
def test_a_form_that_is_filled_in_is_accepted(kind: PluginType) -> None:
    for fields in (kind.fields, [field for field in kind.fields if field.required]):
        values = {
            field.id: field.options[0] if field.options else SAMPLES[field.type] for field in fields
        }
        body, faults = body_of(kind, values)
        assert faults == []
        assert body


def test_ids_are_unique() -> None:
    assert len({kind.id for kind in TYPES}) == len(TYPES)
    assert len({(kind.group, kind.kind) for kind in TYPES}) == len(TYPES)


def test_the_only_type_of_a_plugin_need_not_be_named() -> None:
    assert kind_of("keda").kind == "ScaledObject"
    assert find("certmanager", None) is None
    assert find("certmanager", "scaled-object") is None
    assert find("nothing", None) is None


def test_cluster_wide_types() -> None:
    assert {kind.kind for kind in TYPES if kind.scope is Scope.CLUSTER} == {
        *("ClusterIssuer", "ClusterFluentBitConfig", "ClusterOutput", "Provider"),
        *("ClusterPolicy", "ConstraintTemplate"),
    }


def test_texts_become_what_the_field_holds() -> None:
    body, faults = body_of(
        kind_of("certmanager", "certificate"),
        {"secretName": "tls", "issuerName": "ca", "dnsNames": " a.example.com,b.example.com, "},
    )
    assert faults == []
    assert body["spec"]["dnsNames"] == ["a.example.com", "b.example.com"]
    body, _ = body_of(
        kind_of("argocd"), {"repoURL": "r", "destinationNamespace": "n", "prune": "True"}
    )
    assert body["spec"]["syncPolicy"] == {"automated": {"prune": True}}
    body, _ = body_of(kind_of("postgresql"), {"instances": "0", "version": 17})
    assert body["spec"]["instances"] == 0
    assert body["spec"]["imageName"] == "ghcr.io/cloudnative-pg/postgresql:17"


def test_paths_lead_into_lists_and_labels() -> None:
    body, _ = body_of(
        kind_of("istio", "virtualservice"),
        {"hosts": "a", "destinationHost": "web", "destinationPort": 80},
    )
    assert body["spec"]["http"] == [
        {"route": [{"destination": {"host": "web", "port": {"number": 80}}}]}
    ]
    body, _ = body_of(kind_of("kafka", "kafka-topic"), {"cluster": "orders"})
    assert body["metadata"] == {"labels": {"strimzi.io/cluster": "orders"}}


def test_what_the_form_lacks_can_be_said_by_its_place() -> None:
    body, faults = body_of(
        kind_of("rabbitmq"),
        {
            "spec": {"replicas": 5, "rabbitmq": {"additionalConfig": "a = 1"}},
            "spec.tls.secretName": "tls",
            "spec.override.items[0].name": "x",
            "replicas": 7,
        },
    )
    assert faults == []
    assert body["spec"] == {
        "replicas": 7,
        "persistence": {"storage": "10Gi"},
        "rabbitmq": {"additionalConfig": "a = 1"},
        "tls": {"secretName": "tls"},
        "override": {"items": [{"name": "x"}]},
    }


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, [("scaleTargetRef", True)]),
        ({"scaleTargetRef": ""}, [("scaleTargetRef", True)]),
        ({"scaleTargetRef": ["web"]}, [("scaleTargetRef", True)]),
        ({"scaleTargetRef": "web", "minReplicaCount": "x"}, [("minReplicaCount", True)]),
        ({"scaleTargetRef": "web", "minReplicaCount": 1.5}, [("minReplicaCount", True)]),
        ({"scaleTargetRef": "web", "minReplicaCount": True}, [("minReplicaCount", True)]),
        ({"scaleTargetRef": "web", "scaleTargetKind": "Job"}, [("scaleTargetKind", True)]),
        ({"scaleTargetRef": "web", "triggers": "cpu"}, [("triggers", True)]),
        ({"scaleTargetRef": "web", "colour": "red"}, [("colour", False)]),
        ({"scaleTargetRef": "web", "metadata.name": "x"}, [("metadata.name", False)]),
        ({"scaleTargetRef": "web", "status": {}}, [("status", False)]),
        ({"scaleTargetRef": "web", "spec": 1}, [("spec", False)]),
        ({"scaleTargetRef": "web", "spec.a[1]": 1}, [("spec.a[1]", True)]),
        ({"scaleTargetRef": "web", "spec.a..b": 1}, [("spec.a..b", False)]),
        ({"scaleTargetRef": "web", "spec": {"triggers": 1}, "spec.triggers[0].type": "cron"},
         [("spec.triggers[0].type", True)]),
        ({"scaleTargetRef": "web", "spec": {"scaleTargetRef": 1}}, [("scaleTargetRef", True)]),
    ],
)  # fmt: skip
def test_what_is_wrong(given: dict[str, Any], expected: list[tuple[str, bool]]) -> None:
    faults = body_of(kind_of("keda"), given)[1]
    assert [(fault.field, fault.fatal) for fault in faults] == expected
    assert all(re.fullmatch(r"[A-Z].*\.", fault.says) for fault in faults)


def test_a_label_is_one_that_labels_can_be() -> None:
    _, faults = body_of(kind_of("kafka", "kafka-topic"), {"cluster": "no label!"})
    says = "Kafka cluster is at most 63 letters, digits, '-', '_' and '.', starting and ending "
    assert faults == [Fault("cluster", says + "with a letter or digit.", fatal=True)]


def test_a_null_says_nothing() -> None:
    body, faults = body_of(kind_of("rabbitmq"), {"replicas": None, "spec": {"image": None}})
    assert faults == []
    assert body["spec"] == {"replicas": 3, "persistence": {"storage": "10Gi"}}


def test_the_catalogue_is_not_changed_by_being_used() -> None:
    kind = kind_of("kafka", "kafka-cluster")
    before = kind.model_dump_json()
    body, _ = body_of(kind, {"spec": {"kafka": {"listeners": []}}})
    body["spec"]["kafka"]["storage"]["type"] = "changed"
    body["spec"]["entityOperator"].clear()
    assert kind.model_dump_json() == before
