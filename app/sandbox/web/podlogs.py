"""`/log`: what a pretended container has said, as text, and what it goes on to say."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

from app.sandbox.errors import bad_request
from app.sandbox.node.logs import Line
from app.sandbox.objects import Object, uid_of
from app.sandbox.web.call import Call
from app.sandbox.web.reading import one


def read(call: Call) -> AsyncIterator[bytes]:
    """The stream that the query asks for; 400 when there is no such container, or not yet."""
    pod = one(call)
    container = _container(pod, call.query.get("container"))
    previous = call.flag("previous")
    run = _run(pod, container, previous=previous)
    tail, seconds = call.number("tailLines"), call.number("sinceSeconds")
    if tail is not None and tail < 0:
        raise bad_request("tailLines must be greater than or equal to 0")
    since = _moment(call.query.get("sinceTime"))
    if seconds is not None:
        since = datetime.fromtimestamp(call.cluster.store.now().timestamp() - seconds).astimezone()
    lines = call.cluster.store.logs.read(uid_of(pod), container, run)
    kept = [line for line in lines if since is None or line.time >= since]
    if tail is not None:
        kept = kept[len(kept) - tail :] if tail < len(kept) else kept
    reader = _Reader(call, uid_of(pod), container, run, call.flag("timestamps"))
    after = lines[-1].number if lines else -1
    return reader.lines(kept, after, follow=call.flag("follow") and not previous)


_PULLING = {
    "ErrImagePull": "image can't be pulled",
    "ImagePullBackOff": "trying and failing to pull image",
}


@dataclass
class _Reader:
    """One open log."""

    call: Call
    uid: str
    container: str
    run: int
    timestamps: bool

    async def lines(self, first: list[Line], after: int, *, follow: bool) -> AsyncIterator[bytes]:
        """Some lines, and if it is followed the later ones until the container has ended."""
        yield b"".join(map(self._encoded, first))
        store = self.call.cluster.store
        while follow and not self.call.cluster.closing:
            version = store.version
            over = self._over()
            more = store.logs.read(self.uid, self.container, self.run, after)
            for line in more:
                after = line.number
                yield self._encoded(line)
            if over:
                return
            if not more:
                await _first(store.logs.more(), store.beyond(version))

    def _over(self) -> bool:
        """Whether this run of the container has ended."""
        target = self.call.target
        pod = self.call.cluster.store.get(self.call.resource, target.namespace, target.name)
        if pod is None or pod["metadata"]["uid"] != self.uid:
            return True
        status = _status(pod, self.container) or {}
        if status.get("restartCount", 0) != self.run:
            return True
        return "terminated" in (status.get("state") or {})

    def _encoded(self, line: Line) -> bytes:
        moment = line.time.strftime("%Y-%m-%dT%H:%M:%S.%f000Z ") if self.timestamps else ""
        return f"{moment}{line.text}\n".encode()


async def _first(*waiting: object) -> None:
    """Wait for whichever comes first."""
    tasks = [asyncio.ensure_future(each) for each in waiting]  # type: ignore[call-overload]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()


def _container(pod: Object, asked: str | None) -> str:
    name, spec = pod["metadata"]["name"], pod["spec"]
    inits = [each["name"] for each in spec.get("initContainers") or ()]
    mains = [each["name"] for each in spec["containers"]]
    if asked:
        if asked not in mains + inits:
            raise bad_request(f"container {asked[:63]} is not valid for pod {name}")
        return asked
    if len(mains) > 1 or inits:
        listed = f"choose one of: [{' '.join(mains)}]"
        if inits:
            listed += f" or one of the init containers: [{' '.join(inits)}]"
        raise bad_request(f"a container name must be specified for pod {name}, {listed}")
    return str(mains[0])


def _run(pod: Object, container: str, *, previous: bool) -> int:
    """Which run of the container is meant: its restart count, or the one before."""
    name = pod["metadata"]["name"]
    status = _status(pod, container)
    waiting = ((status or {}).get("state") or {}).get("waiting")
    if status is None:
        raise bad_request(f'container "{container}" in pod "{name}" is not available')
    count = int(status.get("restartCount", 0))
    ended = (status.get("lastState") or {}).get("terminated")
    if previous:
        if not ended:
            text = f'previous terminated container "{container}" in pod "{name}" not found'
            raise bad_request(text)
        return count - 1
    if waiting and not ended:
        reason = waiting.get("reason", "ContainerCreating")
        text = f'container "{container}" in pod "{name}" is waiting to start'
        raise bad_request(f"{text}: {_PULLING.get(reason, reason)}")
    return count - 1 if waiting else count


def _status(pod: Object, container: str) -> Object | None:
    status = pod.get("status") or {}
    for field in ("containerStatuses", "initContainerStatuses"):
        for each in status.get(field) or ():
            if each.get("name") == container:
                return dict(each)
    return None


def _moment(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError as error:
        raise bad_request(f'invalid sinceTime "{text[:40]}": it is written as RFC 3339') from error
