"""The types of built-in and custom kinds: merge keys, what is unknown, what is pruned."""

from typing import Any

import pytest

from app.sandbox.schemas import TypeSchema, builtin, from_crd, prune, unknown_fields
from tests.sandbox import kubernetes_types


def at(api_version: str, kind: str, *path: str) -> TypeSchema:
    """The type at a path; "[]" goes to the items of a list."""
    found = builtin(api_version, kind)
    for name in path:
        assert found
        found = found.items if name == "[]" else found.of(name)
    assert found
    return found


POD = ("v1", "Pod", "spec")
CONTAINER = (*POD, "containers", "[]")


def test_the_table_is_the_specifications() -> None:
    made = kubernetes_types.Table(kubernetes_types.definitions()).text()
    assert kubernetes_types.TABLE.read_text() == made


def test_a_kind_that_kubernetes_does_not_have() -> None:
    assert builtin("apps/v1", "Podlet") is None
    assert builtin("apps/v1beta1", "Deployment") is None


@pytest.mark.parametrize(
    ("path", "listing", "keys"),
    [
        (CONTAINER[:-1], "map", ("name",)),
        ((*CONTAINER, "ports"), "map", ("containerPort", "protocol")),
        ((*CONTAINER, "env"), "map", ("name",)),
        ((*CONTAINER, "envFrom"), "atomic", ()),
        ((*CONTAINER, "args"), "atomic", ()),
        ((*CONTAINER, "volumeMounts"), "map", ("mountPath",)),
        ((*CONTAINER, "volumeDevices"), "map", ("devicePath",)),
        ((*POD, "volumes"), "map", ("name",)),
        ((*POD, "imagePullSecrets"), "map", ("name",)),
        ((*POD, "hostAliases"), "map", ("ip",)),
        ((*POD, "tolerations"), "atomic", ()),
        ((*POD, "topologySpreadConstraints"), "map", ("topologyKey", "whenUnsatisfiable")),
        (("v1", "Service", "spec", "ports"), "map", ("port", "protocol")),
        (("v1", "ServiceAccount", "secrets"), "map", ("name",)),
        (("v1", "ServiceAccount", "imagePullSecrets"), "atomic", ()),
        (("apps/v1", "Deployment", "status", "conditions"), "map", ("type",)),
        (("batch/v1", "Job", "status", "conditions"), "atomic", ()),
        (("v1", "Pod", "metadata", "finalizers"), "set", ()),
        (("v1", "Pod", "metadata", "ownerReferences"), "map", ("uid",)),
        (("networking.k8s.io/v1", "Ingress", "spec", "rules"), "atomic", ()),
        (("autoscaling/v2", "HorizontalPodAutoscaler", "spec", "metrics"), "atomic", ()),
        (("apps/v1", "StatefulSet", "spec", "volumeClaimTemplates"), "atomic", ()),
    ],
)
def test_what_lists_are_merged_by(
    path: tuple[str, ...], listing: str, keys: tuple[str, ...]
) -> None:
    found = at(*path)
    assert (found.listing, found.keys) == (listing, keys)


@pytest.mark.parametrize(
    "path",
    [
        ("apps/v1", "Deployment", "spec", "selector"),
        ("v1", "Service", "spec", "selector"),
        (*POD, "nodeSelector"),
        ("v1", "Pod", "metadata", "ownerReferences", "[]"),
        (*CONTAINER, "env", "[]", "valueFrom", "secretKeyRef"),
        ("networking.k8s.io/v1", "Ingress", "spec", "rules", "[]", "http", "paths", "[]", "backend",
         "service", "port"),
    ],
)  # fmt: skip
def test_maps_that_are_one_whole(path: tuple[str, ...]) -> None:
    assert at(*path).atomic


def test_a_field_may_be_granular_though_its_type_is_atomic() -> None:
    assert at("v1", "Event", "involvedObject").atomic
    assert not at("v1", "PersistentVolume", "spec", "claimRef").atomic


def test_defaults_of_keys() -> None:
    assert at(*CONTAINER, "ports", "[]").defaults == {"containerPort": 0, "protocol": "TCP"}
    assert at("v1", "Service", "spec", "ports", "[]").defaults == {"port": 0, "protocol": "TCP"}
    assert at(*CONTAINER).defaults == {"name": ""}


@pytest.mark.parametrize(
    ("path", "scalar"),
    [
        (("apps/v1", "Deployment", "spec", "replicas"), "int32"),
        (("v1", "Secret", "data", "key"), "bytes"),
        (("v1", "Pod", "metadata", "creationTimestamp"), "time"),
        ((*CONTAINER, "resources", "limits", "cpu"), "quantity"),
        ((*CONTAINER, "livenessProbe", "httpGet", "port"), "int-or-string"),
        (("v1", "ConfigMap", "immutable"), "boolean"),
    ],
)
def test_scalars(path: tuple[str, ...], scalar: str) -> None:
    assert at(*path).scalar == scalar


def test_patch_strategies() -> None:
    assert at("apps/v1", "Deployment", "spec").patch == {"strategy": (("retainKeys",), "")}
    pod = at(*POD).patch
    assert pod["volumes"] == (("merge", "retainKeys"), "name")
    assert pod["containers"] == (("merge",), "name")
    assert at(*CONTAINER).patch["ports"] == (("merge",), "containerPort")
    assert at("policy/v1", "PodDisruptionBudget", "spec").patch == {"selector": (("replace",), "")}


def test_a_type_may_hold_itself() -> None:
    crd = ("apiextensions.k8s.io/v1", "CustomResourceDefinition", "spec", "versions", "[]")
    schema = at(*crd, "schema", "openAPIV3Schema")
    assert schema.of("properties") is not None
    assert at(*crd, "schema", "openAPIV3Schema", "properties", "spec") is schema


# Unknown fields

WEB: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "labels": {"any": "thing"}, "owner": "me"},
    "spec": {
        "replicsa": 1,
        "template": {"spec": {"containers": [{"name": "a"}, {"name": "b", "imagee": "x"}]}},
    },
}


def test_unknown_fields_are_told_with_their_place() -> None:
    assert list(unknown_fields(WEB, at("apps/v1", "Deployment"))) == [
        "metadata.owner",
        "spec.replicsa",
        "spec.template.spec.containers[1].imagee",
    ]


def test_unknown_fields_are_pruned() -> None:
    pruned = prune(WEB, at("apps/v1", "Deployment"))
    assert pruned["metadata"] == {"name": "web", "labels": {"any": "thing"}}
    assert pruned["spec"] == {"template": {"spec": {"containers": [{"name": "a"}, {"name": "b"}]}}}
    assert "owner" in WEB["metadata"]


# Custom resources


def crd(**properties: Any) -> TypeSchema:
    return from_crd({"type": "object", "properties": properties})


def test_a_custom_resource_has_what_every_object_has() -> None:
    schema = crd(spec={"type": "object", "properties": {"a": {"type": "integer"}}})
    assert set(schema.fields) == {"apiVersion", "kind", "metadata", "spec"}
    assert schema.fields["metadata"] is at("v1", "Pod", "metadata")
    obj = {"metadata": {"name": "x", "nam": 1}, "spec": {"a": 1, "b": 2}, "c": 3}
    assert list(unknown_fields(obj, schema)) == ["metadata.nam", "spec.b", "c"]


@pytest.mark.parametrize("schema", [None, {"type": "object"}, {}])
def test_a_custom_resource_may_have_no_fields_declared(schema: Any) -> None:
    found = from_crd(schema)
    assert found.mapping
    assert found.of("spec")
    assert found.fields["metadata"] is at("v1", "Pod", "metadata")


def test_the_lists_and_maps_of_a_custom_resource() -> None:
    strings = {"type": "string"}
    ports = {"port": {"type": "integer"}, "protocol": {"type": "string", "default": "TCP"}}
    schema = crd(
        plain={"type": "array", "items": strings},
        tags={"type": "array", "items": strings, "x-kubernetes-list-type": "set"},
        ports={
            "type": "array",
            "items": {"type": "object", "properties": ports, "required": ["port"]},
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["port", "protocol"],
        },
        whole={
            "type": "object",
            "additionalProperties": strings,
            "x-kubernetes-map-type": "atomic",
        },
        granular={"type": "object", "additionalProperties": strings},
    ).fields
    found = {name: (schema[name].listing, schema[name].keys) for name in ("plain", "tags", "ports")}
    assert found == {
        "plain": ("atomic", ()),
        "tags": ("set", ()),
        "ports": ("map", ("port", "protocol")),
    }
    port = schema["ports"].items
    assert port
    assert (port.defaults, port.required) == ({"protocol": "TCP"}, ("port",))
    assert schema["whole"].atomic
    assert not schema["granular"].atomic


def test_the_scalars_of_a_custom_resource() -> None:
    written = {
        "text": {"type": "string"},
        "data": {"type": "string", "format": "byte"},
        "when": {"type": "string", "format": "date-time"},
        "small": {"type": "integer", "format": "int32"},
        "large": {"type": "integer"},
        "ratio": {"type": "number"},
        "on": {"type": "boolean"},
        "port": {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}]},
        "free": {"x-kubernetes-preserve-unknown-fields": True},
    }
    fields = crd(**written).fields
    assert {name: fields[name].scalar for name in written} == {
        "text": "string",
        "data": "bytes",
        "when": "formatted",
        "small": "int32",
        "large": "int64",
        "ratio": "number",
        "on": "boolean",
        "port": "int-or-string",
        "free": "any",
    }


def test_what_is_preserved_and_what_is_pruned() -> None:
    inner = {"type": "object", "properties": {"a": {"type": "string"}}}
    schema = crd(
        kept={**inner, "x-kubernetes-preserve-unknown-fields": True},
        outer={
            "type": "object",
            "x-kubernetes-preserve-unknown-fields": True,
            "properties": {"inner": inner},
        },
        empty={"type": "object"},
        mapped={"type": "object", "additionalProperties": inner},
        pod={
            "type": "object",
            "x-kubernetes-embedded-resource": True,
            "x-kubernetes-preserve-unknown-fields": True,
        },
    )
    value = {"a": "1", "b": {"c": [{"d": 1}]}}
    obj = {
        "kept": value,
        "outer": {"inner": value, "other": value},
        "empty": value,
        "mapped": {"x": value},
        "pod": {"kind": "Pod", "metadata": {"name": "a", "nam": "b"}, "spec": value},
    }
    assert prune(obj, schema) == {
        "kept": value,
        "outer": {"inner": {"a": "1"}, "other": value},
        "empty": {},
        "mapped": {"x": {"a": "1"}},
        "pod": {"kind": "Pod", "metadata": {"name": "a"}, "spec": value},
    }
    assert list(unknown_fields(obj, schema)) == [
        "outer.inner.b",
        "empty.a",
        "empty.b",
        "mapped.x.b",
        "pod.metadata.nam",
    ]
