"""What the cluster has warned of lately, in its own words, the newest first."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from app.domain.diagnosing import looks
from app.domain.diagnosing.finding import Finding, passed, warned
from app.domain.diagnosing.kinds import WORKLOADS
from app.domain.diagnosing.running import probe_words
from app.domain.diagnosing.scene import Scene, Subject
from app.domain.diagnosing.verdicts import newest_job, pods_of
from app.domain.health.seen import Object, happened, number, part, said, word

_RECENT = timedelta(hours=1)
_MOST = 5
_PODS = 8
_PRINTED = frozenset({"FailedPostStartHook", "FailedPreStopHook"})
"""Events that quote what a command has printed, which may be anything."""
_ADVICE = "Act on what the other checks say; a warning that does not come again needs nothing."


def recent(scene: Scene, subject: Subject) -> Iterator[Finding]:
    """Warnings about an object of the node, and about what it made."""
    told: dict[tuple[str, str], tuple[Object, int]] = {}
    for obj in [subject.live or {}, *_made(scene, subject)]:
        for event in scene.events(obj):
            if word(event, "type") != "Warning" or scene.now - happened(event) > _RECENT:
                continue
            key = (word(event, "reason"), _words(event))
            newest, count = told.get(key, (event, 0))
            newest = max(newest, event, key=happened)
            told[key] = (newest, count + _count(event))
    if not told:
        yield passed(f"The cluster has not warned of {subject.named} in the last hour.")
        return
    order = sorted(told.items(), key=lambda each: happened(each[1][0]), reverse=True)
    sentences = [
        f"{reason}{f', {count} times' if count > 1 else ''}{f': {words}' if words else ''}."
        for (reason, words), (_, count) in order[:_MOST]
    ]
    if left := len(order) - _MOST:
        sentences += [f"And {left} more."] if left > 0 else []
    yield warned(" ".join(sentences), _ADVICE)


def _made(scene: Scene, subject: Subject) -> Sequence[Object]:
    if subject.group_kind not in WORKLOADS:
        return ()
    made: list[Object] = []
    if subject.key.kind == "Deployment":
        sets = list(scene.look(looks.replica_sets(subject)).objects)
        made += sorted(sets, key=_born, reverse=True)[:2]
    if subject.key.kind == "CronJob":
        newest = newest_job(scene, subject)
        made += [newest] if newest is not None else []
    pods = sorted(pods_of(scene, subject), key=_born, reverse=True)
    return [*made, *pods[:_PODS]]


def _born(obj: Object) -> str:
    return word(part(obj, "metadata"), "creationTimestamp")


def _words(event: Object) -> str:
    reason, text = word(event, "reason"), said(event) or said(event, "note")
    if reason in _PRINTED:
        return ""
    return probe_words(text) if reason == "Unhealthy" else text


def _count(event: Object) -> int:
    return max(number(event, "count"), number(part(event, "series"), "count"), 1)
