"""The claims that a StatefulSet made: they are in no manifest, and stay when it goes.

Anybody can give a claim such a name, and a set takes one that is there already. What it made itself
carries the labels of its selector, and nobody else's sign.
"""

from collections.abc import Sequence

from app.domain.health.seen import listed, part, word
from app.domain.planning.objects import Object, Owner, ownership, uid_of

_NOBODY = "somebody else"


def claims_of(stateful_set: Object, claims: Sequence[Object]) -> list[Object]:
    """Of live claims, those that fit a StatefulSet by name: `<template>-<set>-<ordinal>`."""
    metadata = part(stateful_set, "metadata")
    namespace, name = word(metadata, "namespace"), word(metadata, "name")
    stems = {
        f"{word(part(template, 'metadata'), 'name')}-{name}"
        for template in listed(part(stateful_set, "spec"), "volumeClaimTemplates")
    }
    found = []
    for claim in claims:
        called = part(claim, "metadata")
        stem, _, ordinal = word(called, "name").rpartition("-")
        is_number = ordinal.isascii() and ordinal.isdigit()
        if is_number and stem in stems and word(called, "namespace") == namespace:
            found.append(claim)
    return found


def stranger(stateful_set: Object, claim: Object, workflow_id: str) -> str:
    """Whose a claim of a fitting name is instead; empty when the StatefulSet of ours made it."""
    selected = part(stateful_set, "spec", "selector", "matchLabels")
    carried = part(claim, "metadata", "labels")
    whose = ownership(_released(stateful_set, claim), workflow_id, made=uid_of(claim))
    if whose.owner is not Owner.OURS:
        return whose.by or _NOBODY
    made = bool(selected) and all(carried.get(name) == one for name, one in selected.items())
    return "" if made else _NOBODY


def _released(stateful_set: Object, claim: Object) -> Object:
    """The claim without its reference to the set: the cluster deletes such a claim with it."""
    uid = uid_of(stateful_set)
    metadata = part(claim, "metadata")
    others = [one for one in listed(metadata, "ownerReferences") if word(one, "uid") != uid]
    return {**claim, "metadata": {**metadata, "ownerReferences": others}}
