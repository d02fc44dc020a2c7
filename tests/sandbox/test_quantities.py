"""Quantities, by the tables of apimachinery's own tests."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.sandbox.admission.quantities import QuantityError, canonical, canonicalize
from app.sandbox.schemas import builtin, from_crd


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("1000m", "1"),
        ("1024Mi", "1Gi"),
        ("1.5", "1500m"),
        ("0.5", "500m"),
        ("1.5Gi", "1536Mi"),
        ("0.5Mi", "512Ki"),
        ("307200Ki", "300Mi"),
        ("1025024Mi", "1001Gi"),
        ("1024Gi", "1Ti"),
        ("1536Mi", "1536Mi"),
        ("0.5Ki", "512"),
        ("1Ki", "1Ki"),
        ("0.001Ki", "1024m"),
        ("1000M", "1G"),
        ("0.001T", "1G"),
        ("1000u", "1m"),
        ("1.08", "1080m"),
        ("1080000000n", "1080m"),
        (".001e12", "1e9"),
        ("0.001e0", "1e-3"),
        ("1000e-12", "1e-9"),
        ("1000e3", "1e6"),
        ("1e3", "1e3"),
        ("1E3", "1E3"),
        ("1E", "1E"),
        ("1000", "1k"),
        ("128974848", "128974848"),
        ("1e1", "10"),
        (".5", "500m"),
        ("0", "0"),
        ("00", "0"),
        ("-0", "0"),
        ("0Ki", "0"),
        ("-1.5", "-1500m"),
        ("-1024Mi", "-1Gi"),
        ("0.1n", "1n"),
        ("1.0000000001", "1000000001n"),
        ("-0.1n", "-1n"),
        ("99999999999Ei", "9223372036854775807"),
        ("400m", "400m"),
        # Kept as they were sent, as they look canonical already.
        ("08", "08"),
        ("+5", "+5"),
        ("5.", "5."),
        ("1234567M", "1234567M"),
    ],
)
def test_how_a_quantity_is_stored(sent: str, stored: str) -> None:
    assert canonical(sent) == stored
    assert canonical(stored) == stored


@pytest.mark.parametrize(("sent", "stored"), [(1, "1"), (1000, "1k"), (0.5, "500m"), (0, "0")])
def test_a_number_is_stored_as_text(sent: float, stored: str) -> None:
    assert canonical(sent) == stored


@pytest.mark.parametrize(
    "sent",
    [
        "", " ", "abc", "1K", "1KB", "1gi", "1 Gi", " 1", "1\n", "NaN", "inf", "1e", "1e+", "1e1.5",
        "1ee1", "1.1.1", "--1", "+-1", "1Kib", "1m1", "1mm", "1i", "Gi", "e3", "-", "+", "1_000",
        "1e999999999999", "٣", "9" * 300, True,
    ],
)  # fmt: skip
def test_what_is_no_quantity(sent: str) -> None:
    with pytest.raises(QuantityError, match="quantit"):
        canonical(sent)


SUFFIXES = {
    "": Decimal(1),
    "m": Decimal("1e-3"),
    "k": Decimal(10**3),
    "M": Decimal(10**6),
    "G": Decimal(10**9),
    "T": Decimal(10**12),
    "P": Decimal(10**15),
    "E": Decimal(10**18),
    "u": Decimal("1e-6"),
    "n": Decimal("1e-9"),
    **{f"{letter}i": Decimal(1024**power) for power, letter in enumerate("KMGTPE", 1)},
}


def amount(text: str) -> Decimal:
    number = text.rstrip("".join(SUFFIXES))
    return Decimal(number) * SUFFIXES[text[len(number) :]]


@given(
    st.decimals(min_value=0, max_value=10**6, places=3), st.sampled_from(["", "m", "k", "Ki", "Gi"])
)
def test_the_stored_amount_is_the_sent_one(number: Decimal, suffix: str) -> None:
    stored = canonical(f"{number:f}{suffix}")
    assert abs(amount(stored) - number * SUFFIXES[suffix]) < Decimal("1e-9")
    assert canonical(stored) == stored


def test_the_quantities_of_an_object_by_its_schema() -> None:
    pod = builtin("v1", "Pod")
    assert pod
    resources = {"requests": {"cpu": "1000m"}, "limits": {"memory": "1024Mi", "cpu": 2}}
    volume = {"name": "v", "emptyDir": {"sizeLimit": "1024Ki"}}
    sent = {
        "metadata": {"annotations": {"cpu": "1000m"}},
        "spec": {
            "overhead": {"cpu": "0.5"},
            "containers": [{"name": "1000m", "resources": resources}],
            "volumes": [volume],
        },
    }
    assert canonicalize(sent, pod) == {
        "metadata": {"annotations": {"cpu": "1000m"}},
        "spec": {
            "overhead": {"cpu": "500m"},
            "containers": [
                {
                    "name": "1000m",
                    "resources": {
                        "requests": {"cpu": "1"},
                        "limits": {"memory": "1Gi", "cpu": "2"},
                    },
                }
            ],
            "volumes": [{"name": "v", "emptyDir": {"sizeLimit": "1Mi"}}],
        },
    }
    assert resources["requests"] == {"cpu": "1000m"}


@pytest.mark.parametrize(
    ("api_version", "kind", "sent", "stored"),
    [
        (
            *("v1", "PersistentVolumeClaim"),
            {"spec": {"resources": {"requests": {"storage": "1024Mi"}}}},
            {"spec": {"resources": {"requests": {"storage": "1Gi"}}}},
        ),
        (
            *("v1", "ResourceQuota"),
            {"spec": {"hard": {"pods": "1000m"}}},
            {"spec": {"hard": {"pods": "1"}}},
        ),
        (
            *("v1", "PersistentVolume"),
            {"spec": {"capacity": {"storage": "1024Gi"}}},
            {"spec": {"capacity": {"storage": "1Ti"}}},
        ),
    ],
)
def test_quantities_of_other_kinds(
    api_version: str, kind: str, sent: object, stored: object
) -> None:
    schema = builtin(api_version, kind)
    assert schema
    assert canonicalize(sent, schema) == stored


def test_a_custom_resource_has_no_quantities() -> None:
    crd = from_crd({"type": "object", "properties": {"cpu": {"type": "string"}}})
    assert canonicalize({"cpu": "1000m", "free": ["1000m"]}, crd) == {
        "cpu": "1000m",
        "free": ["1000m"],
    }


def test_an_object_with_a_wrong_quantity_is_refused() -> None:
    schema = builtin("v1", "ResourceQuota")
    assert schema
    with pytest.raises(QuantityError):
        canonicalize({"spec": {"hard": {"pods": "many"}}}, schema)
