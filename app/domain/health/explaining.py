"""The cluster's words about a trouble, and what a person can do about it.

Kubernetes has a reason for most troubles and a free text for the rest. The texts below are those of
the scheduler, the kubelet, container runtimes and the quota admission; where none is recognised,
the text itself is shown and nothing is guessed.
"""

import re
from typing import NamedTuple

_Hints = tuple[tuple[re.Pattern[str], str], ...]


class Told(NamedTuple):
    """A trouble in words: its reason for machines, what is wrong, what to do."""

    reason: str
    message: str
    hint: str


def _hints(*pairs: tuple[str, str]) -> _Hints:
    return tuple((re.compile(pattern, re.IGNORECASE), hint) for pattern, hint in pairs)


def _hint(hints: _Hints, text: str, otherwise: str) -> str:
    """The advice of the first pattern that the text has."""
    return next((advice for pattern, advice in hints if pattern.search(text)), otherwise)


_PULL = _hints(
    (
        r"toomanyrequests|too many requests|\b429\b",
        "The registry limits pulls: wait, or sign in with an image pull secret.",
    ),
    (
        r"pull access denied|may require",
        "Correct the image's name, or add an image pull secret when it is private.",
    ),
    (
        r"unauthorized|authentication required|forbidden|denied|\b40[13]\b",
        "The registry refuses access: add an image pull secret that may read the image.",
    ),
    (
        r"no match for platform|no matching manifest for",
        "The image is not built for the nodes' processors: use one that is.",
    ),
    (
        r"not found|manifest unknown|name unknown",
        "The registry has no such image or tag: correct the name or the tag.",
    ),
    (
        r"no such host|connection refused|timeout|deadline exceeded|unreachable",
        "The registry cannot be reached from the cluster: check its address and the network.",
    ),
    (r"x509|certificate", "The nodes don't trust the registry's certificate."),
    (r"no space left", "The node's disk is full."),
)
_PULL_REASONS = {
    "ImageInspectError": "The node cannot read the image that it has: pull it again.",
    "RegistryUnavailable": "The registry cannot be reached from the cluster: check its address.",
    "SignatureValidationFailed": "The cluster does not trust the image's signature: sign it anew.",
}
_PULL_OTHERWISE = "Check the image's name and tag, and the image pull secret if it is private."


def pull(reason: str, text: str) -> str:
    """What to do about an image that does not come."""
    return _PULL_REASONS.get(reason) or _hint(_PULL, text, _PULL_OTHERWISE)


_SCHEDULING = _hints(
    (
        r"unbound immediate persistentvolumeclaims",
        "A claim has no volume yet: look at its storage class.",
    ),
    (
        r"persistentvolumeclaim \S+ not found",
        "Create the claim, or remove its mount.",
    ),
    (
        r"insufficient (?:cpu|memory|ephemeral-storage)",
        "Lower the requests under resources, or add nodes to the cluster.",
    ),
    (r"insufficient ", "No node has enough of what is asked for."),
    (r"too many pods", "The nodes are full: add a node, or run fewer pods."),
    (
        r"didn't match pod's node affinity|node\(s\) didn't match node selector",
        "No node has the labels of the node selector or affinity: correct it, or label a node.",
    ),
    (r"untolerated taint|had taint", "Add a toleration for the taint, or add nodes without it."),
    (r"free ports", "Another pod uses the host port: choose another, or don't ask for one."),
    (r"anti-affinity|topology spread", "Loosen the rules that spread pods, or add nodes."),
    (r"volume node affinity conflict", "The volume is in another zone than the free nodes."),
    (r"no nodes available", "The cluster has no node that takes pods."),
)
_SCHEDULING_OTHERWISE = "Change what the pod asks for, or add a node that has it."


def scheduling(text: str) -> str:
    """What to do about a pod that no node takes."""
    return _hint(_SCHEDULING, text.replace('"', ""), _SCHEDULING_OTHERWISE)


_EXITS = {
    126: ("its command cannot be executed", "Check that the file is a program for this image."),
    127: ("its command was not found", "Correct the command, or use an image that has it."),
    128: ("its command cannot be started", "Correct the command, or use an image that has it."),
    134: ("it aborted itself (SIGABRT)", ""),
    137: (
        "it was killed (SIGKILL)",
        "It ran out of memory, failed its liveness probe, or did not stop in time.",
    ),
    139: ("it crashed with a segmentation fault (SIGSEGV)", ""),
    143: ("it was told to stop (SIGTERM)", "Check its liveness probe."),
}


def exit_words(code: int) -> tuple[str, str]:
    """What an exit code means, and what to do; nothing, when only the log can tell."""
    if code == 0:
        return (
            "it ended by itself, with exit code 0",
            "Give it a command that keeps running, or make it a job.",
        )
    meaning, advice = _EXITS.get(code, ("", ""))
    return f"exit code {code}{', ' if meaning else ''}{meaning}", advice


_ABSENT = re.compile(
    r"\b(?P<kind>secret|configmap|persistentvolumeclaim) \"(?P<name>[^\"\s]{1,253})\" not found",
    re.IGNORECASE,
)
_ABSENT_KEY = re.compile(
    r"couldn't find key (?P<key>\S{1,253}) in (?P<kind>secret|configmap) "
    r"(?:[^\s/]{1,253}/)?(?P<name>\S{1,253})",
    re.IGNORECASE,
)
_ABSENT_FILE = re.compile(
    r"references non-existent (?P<kind>secret|config) key: (?P<key>\S{1,253})"
)
_KINDS = {
    "secret": "Secret",
    "configmap": "ConfigMap",
    "persistentvolumeclaim": "PersistentVolumeClaim",
    "config": "ConfigMap",
}
_CREATE = {
    "Secret": "Create it, or give its values with the deploy.",
    "ConfigMap": "Add it to the canvas, or correct the reference.",
    "PersistentVolumeClaim": "Add it to the canvas, or correct the mount.",
}


def lacking(kind: str, name: str, key: str = "") -> tuple[str, str]:
    """What is not there, an object or one of its keys, and what to do about it."""
    if key:
        advice = f"Add the key to the {kind}, or correct the reference."
        return f"the key {key} of the {kind} {name}, which has none", advice
    advice = _CREATE.get(kind, "Create it, or choose another one.")
    return f"the {kind} {name}, which does not exist", advice


def absent(text: str) -> tuple[str, str] | None:
    """What a text says is not there, and what to do: a Secret, ConfigMap or claim, or a key."""
    if match := _ABSENT.search(text):
        return lacking(_KINDS[match["kind"].lower()], match["name"])
    if match := _ABSENT_KEY.search(text):
        return lacking(_KINDS[match["kind"].lower()], match["name"], match["key"])
    if match := _ABSENT_FILE.search(text):
        kind = _KINDS[match["kind"].lower()]
        advice = f"Add the key to the {kind}, or remove it from the mount."
        return f"the key {match['key']} of a mounted {kind}, which has none", advice
    return None


_NO_PODS: tuple[tuple[re.Pattern[str], Told], ...] = tuple(
    (re.compile(pattern), told)
    for pattern, told in (
        (
            r"exceeded quota: (?P<quota>\S{1,253}?), (?P<amounts>.*)",
            Told(
                "QuotaExceeded",
                "The namespace's quota {quota} leaves no room for its pods ({amounts}).",
                "Lower the requests or the number of pods, or have the quota raised.",
            ),
        ),
        (
            r"failed quota: ",
            Told(
                "QuotaExceeded",
                "The namespace's quota does not allow its pods: {text}.",
                "Write the requests and limits that the quota asks for.",
            ),
        ),
        (
            r"violates PodSecurity",
            Told(
                "PodSecurityViolation",
                "The namespace's pod security does not allow its pods: {text}.",
                "Change the security settings that it names.",
            ),
        ),
        (
            r"serviceaccount \"(?P<account>[^\"\s]{1,253})\" not found",
            Told(
                "ServiceAccountMissing",
                "Its pods need the ServiceAccount {account}, which does not exist.",
                "Create it, or choose another one.",
            ),
        ),
        (
            r"(?:minimum|maximum) \S+ (?:usage|limit)",
            Told(
                "LimitRangeExceeded",
                "The namespace's limits do not allow its pods: {text}.",
                "Change the requests and limits of its resources.",
            ),
        ),
        (
            r"failed calling webhook|admission webhook",
            Told(
                "AdmissionRefused",
                "An admission webhook of the cluster keeps its pods away: {text}.",
                "Change what it objects to, or ask the cluster's operator.",
            ),
        ),
        (r"\S", Told("FailedCreate", "Its pods cannot be created: {text}.", "")),
    )
)


def no_pods(text: str) -> Told:
    """Why a controller cannot make pods, from its FailedCreate condition or event."""
    for pattern, told in _NO_PODS:
        if match := pattern.search(text):
            words = {**match.groupdict(), "text": text}
            return told._replace(message=told.message.format_map(words))
    return Told("FailedCreate", "Its pods cannot be created.", "Look at its events.")
