"""The cluster's words, and the advice that belongs to them."""

import pytest

from app.domain.health import explaining


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        ("3 Insufficient memory.", "Lower the requests"),
        ("2 Insufficient nvidia.com/gpu.", "No node has enough"),
        ("1 Too many pods.", "The nodes are full"),
        ("1 node(s) didn't match Pod's node affinity/selector.", "No node has the labels"),
        ("1 node(s) had untolerated taint {dedicated: gpu}.", "Add a toleration"),
        ("1 node(s) didn't have free ports for the requested pod ports.", "Another pod uses"),
        ("1 node(s) didn't match pod anti-affinity rules.", "Loosen the rules"),
        ("1 node(s) didn't match pod topology spread constraints.", "Loosen the rules"),
        ("1 node(s) had volume node affinity conflict.", "The volume is in another zone"),
        ("no nodes available to schedule pods", "The cluster has no node"),
        ("pod has unbound immediate PersistentVolumeClaims.", "A claim has no volume"),
        ('persistentvolumeclaim "data" not found.', "Create the claim"),
        ("something new", "Change what the pod asks for"),
    ],
)
def test_scheduling(words: str, advice: str) -> None:
    assert explaining.scheduling(f"0/3 nodes are available: {words}").startswith(advice)


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        ("manifest unknown", "The registry has no such image"),
        ("no match for platform in manifest: not found", "The image is not built for"),
        ("unauthorized: authentication required", "The registry refuses access"),
        (
            "pull access denied for a, may require 'docker login': denied",
            "Correct the image's name",
        ),
        ("toomanyrequests: rate limit", "The registry limits pulls"),
        ("dial tcp 192.0.2.1:443: i/o timeout", "The registry cannot be reached"),
        ("x509: certificate signed by unknown authority", "The nodes don't trust"),
        ("write /var/lib: no space left on device", "The node's disk is full"),
        ("", "Check the image's name and tag"),
    ],
)
def test_pulling(words: str, advice: str) -> None:
    assert explaining.pull("ErrImagePull", words).startswith(advice)


@pytest.mark.parametrize(
    ("words", "missing"),
    [
        ('secret "db" not found', "the Secret db, which does not exist"),
        ('configmap "cfg.a-b" not found', "the ConfigMap cfg.a-b, which does not exist"),
        (
            'persistentvolumeclaim "data" not found',
            "the PersistentVolumeClaim data, which does not exist",
        ),
        ("couldn't find key A in Secret shop/db", "the key A of the Secret db, which has none"),
        (
            "couldn't find key a.b in ConfigMap shop/cfg",
            "the key a.b of the ConfigMap cfg, which has none",
        ),
        (
            "references non-existent config key: a.conf",
            "the key a.conf of a mounted ConfigMap, which has none",
        ),
    ],
)
def test_what_is_absent(words: str, missing: str) -> None:
    found = explaining.absent(f"MountVolume.SetUp failed: {words}")
    assert found is not None
    assert found[0] == missing


def test_what_is_not_absent() -> None:
    assert explaining.absent("timed out waiting for the condition") is None


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (
            'pods "a" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1',
            "QuotaExceeded",
        ),
        ("failed quota: q: must specify limits.cpu for: app", "QuotaExceeded"),
        ('violates PodSecurity "restricted:v1.30": runAsNonRoot != true', "PodSecurityViolation"),
        ('serviceaccount "bot" not found', "ServiceAccountMissing"),
        ("maximum memory usage per Container is 1Gi, but limit is 2Gi", "LimitRangeExceeded"),
        ('admission webhook "a.example.com" denied the request', "AdmissionRefused"),
        ('failed calling webhook "a.example.com": timeout', "AdmissionRefused"),
        ("Invalid value: {braces} %s", "FailedCreate"),
        ("", "FailedCreate"),
    ],
)
def test_why_there_are_no_pods(words: str, reason: str) -> None:
    told = explaining.no_pods(words)
    assert told.reason == reason
    assert told.message.endswith(".")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (0, "it ended by itself, with exit code 0"),
        (1, "exit code 1"),
        (127, "exit code 127, its command was not found"),
        (139, "exit code 139, it crashed with a segmentation fault (SIGSEGV)"),
    ],
)
def test_exit_codes(code: int, words: str) -> None:
    assert explaining.exit_words(code)[0] == words
