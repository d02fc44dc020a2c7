"""One pretended container: where it is in its life, and when it goes on.

Ages are in the cluster's seconds; back-offs are the kubelet's own: 10 s, then twice as long each
time, 5 minutes at the most.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

from app.sandbox.node.troubles import Trouble, pull_error
from app.sandbox.objects import Object

CREATING = 1.0
"""Seconds until a container runs, or its image turns out to be missing."""
READY = 0.6
_FALLING = 1.0
_WORKING = 1.5
_INITIALIZING = 0.4
_AGAIN = 0.3
_BACKOFF, _LONGEST = 10.0, 300.0

EXITS: dict[Trouble | None, tuple[int, str]] = {
    Trouble.CRASH: (1, "Error"),
    Trouble.OOM: (137, "OOMKilled"),
}


@dataclass
class Surroundings:
    """What a container has to know: the time, what it lacks, and whom it tells."""

    now: float
    stamp: str
    pod: Object
    lacks: Callable[[Object], str]
    tell: Callable[..., None]
    log: Callable[[str, int, tuple[str, ...]], None]


@dataclass
class Container:
    """The life of one container. `due` is when it goes on by itself; None: it does not."""

    spec: Object
    is_init: bool
    policy: str
    trouble: Trouble | None
    since: float
    phase: str = "waiting"
    reason: str = "ContainerCreating"
    message: str = ""
    restarts: int = 0
    tries: int = 0
    started: str = ""
    ended: Object = field(default_factory=dict)
    last: Object = field(default_factory=dict)

    @property
    def name(self) -> str:
        return str(self.spec["name"])

    @property
    def image(self) -> str:
        return str(self.spec["image"])

    @property
    def is_sidecar(self) -> bool:
        return self.is_init and self.spec.get("restartPolicy") == "Always"

    @property
    def has_done_its_work(self) -> bool:
        """Whether the next container may begin: an init container's word."""
        if self.is_sidecar:
            return self.phase == "running"
        return self.phase == "terminated" and self.ended["exitCode"] == 0

    @property
    def is_over(self) -> bool:
        """Whether it has ended for good."""
        return self.phase == "terminated" and not self._restarts()

    def is_ready(self, now: float) -> bool:
        if self.is_init and not self.is_sidecar:
            return self.has_done_its_work
        if self.phase != "running" or self.trouble is Trouble.READINESS:
            return False
        return now >= self.since + self._until_ready()

    def due(self, now: float) -> float | None:
        """When it goes on by itself."""
        if self.phase == "running":
            end = self._life()
            ready = self.since + self._until_ready()
            waits = [ready] if now < ready and self.trouble is not Trouble.READINESS else []
            return min([*waits, *([self.since + end] if end is not None else [])], default=None)
        if self.phase == "terminated":
            return self.since + _AGAIN if self._restarts() else None
        pauses = {
            "ContainerCreating": CREATING,
            "ErrImagePull": CREATING,
            "ImagePullBackOff": self._pause(),
            "CrashLoopBackOff": self._pause(),
        }
        return self.since + pauses[self.reason] if self.reason in pauses else None

    def step(self, around: Surroundings) -> bool:
        """Go on by one step if it is time; tells whether it did."""
        if self.phase == "waiting" and self.reason == "CreateContainerConfigError":
            return self._create(around)
        due = self.due(around.now)
        if due is None or around.now < due:
            return False
        if self.phase == "running":
            end = self._life()
            if end is None or around.now < self.since + end:
                return False
            self._end(around)
        elif self.phase == "terminated":
            self._again(around)
        elif self.reason == "ErrImagePull":
            self._wait(around, "ImagePullBackOff", f'Back-off pulling image "{self.image}"')
            around.tell("BackOff", self.message, self, warning=False)
            around.tell("Failed", "Error: ImagePullBackOff", self, warning=True)
            self.message += f": ErrImagePull: {pull_error(self.image)}"
        else:
            return self._create(around)
        return True

    def _create(self, around: Surroundings) -> bool:
        if self.trouble is Trouble.PULL:
            self._pull(around)
            return True
        lacks = around.lacks(self.spec)
        if lacks:
            if (self.reason, self.message) == ("CreateContainerConfigError", lacks):
                return False
            self._wait(around, "CreateContainerConfigError", lacks)
            around.tell("Failed", f"Error: {lacks}", self, warning=True)
            return True
        if not self.started:
            around.tell("Pulling", f'Pulling image "{self.image}"', self)
            text = f'Successfully pulled image "{self.image}" in 1s (1s including waiting)'
        else:
            text = f'Container image "{self.image}" already present on machine'
        around.tell("Pulled", text, self)
        around.tell("Created", f"Created container: {self.name}", self)
        around.tell("Started", f"Started container {self.name}", self)
        if self.ended:
            self.last, self.ended = self.ended, {}
            self.restarts += 1
        self.phase, self.since, self.started = "running", around.now, around.stamp
        self.reason = self.message = ""
        around.log(self.name, self.restarts, tuple(self._first_words()))
        if self.trouble is Trouble.READINESS:
            text = "Readiness probe failed: HTTP probe failed with statuscode: 503"
            around.tell("Unhealthy", text, self, warning=True)
        return True

    def _pull(self, around: Surroundings) -> None:
        text = pull_error(self.image)
        self.tries += 1
        self._wait(around, "ErrImagePull", text)
        around.tell("Pulling", f'Pulling image "{self.image}"', self)
        around.tell("Failed", f'Failed to pull image "{self.image}": {text}', self, warning=True)
        around.tell("Failed", "Error: ErrImagePull", self, warning=True)

    def _end(self, around: Surroundings) -> None:
        code, reason = EXITS.get(self.trouble, (0, "Completed"))
        around.log(self.name, self.restarts, (self._last_word(code, reason),))
        self.ended = {
            "containerID": self.identity(around.pod),
            "exitCode": code,
            "reason": reason,
            "startedAt": self.started,
            "finishedAt": around.stamp,
        }
        self.phase, self.since, self.tries = "terminated", around.now, self.tries + 1

    def _again(self, around: Surroundings) -> None:
        """The first time at once, then after a while."""
        if self.tries <= 1:
            self._create(around)
            return
        metadata = around.pod["metadata"]
        place = f"{metadata['name']}_{metadata['namespace']}({metadata['uid']})"
        text = f"Back-off restarting failed container {self.name} in pod {place}"
        around.tell("BackOff", text, self, warning=True)
        pause = _spoken(int(self._pause()))
        text = f"back-off {pause} restarting failed container={self.name} pod={place}"
        self._wait(around, "CrashLoopBackOff", text)

    def _wait(self, around: Surroundings, reason: str, message: str) -> None:
        self.phase, self.reason, self.message = "waiting", reason, message
        self.since = around.now

    def _pause(self) -> float:
        crashed = self.reason == "CrashLoopBackOff" or self.phase == "terminated"
        tries = self.tries - 1 if crashed else self.tries
        return float(min(_BACKOFF * 2 ** max(tries - 1, 0), _LONGEST))

    def _restarts(self) -> bool:
        if self.is_sidecar:
            return True
        if self.is_init or self.policy != "Always":
            failed = bool(self.ended["exitCode"])
            return failed and self.policy != "Never"
        return True

    def _life(self) -> float | None:
        """How long it runs; None is for ever."""
        if self.trouble in EXITS:
            return _FALLING
        if self.is_sidecar:
            return None
        if self.is_init:
            return _INITIALIZING
        return None if self.policy == "Always" else _WORKING

    def _until_ready(self) -> float:
        probe = self.spec.get("readinessProbe") or self.spec.get("startupProbe") or {}
        return max(READY, float(probe.get("initialDelaySeconds") or 0))

    def _first_words(self) -> list[str]:
        words = ["This is a sandbox cluster: nothing is executed, these lines are made up."]
        command = [*(self.spec.get("command") or ()), *(self.spec.get("args") or ())]
        what = f" with {len(command)} arguments" if command else ""
        words.append(f"Here {self.image} would run{what}.")
        for port in self.spec.get("ports") or ():
            words.append(f"It would listen on port {port['containerPort']}.")
        return words

    def _last_word(self, code: int, reason: str) -> str:
        if reason == "OOMKilled":
            return "It pretends to use more memory than it may: killed."
        return f"It pretends to {'fail' if code else 'be done'}: exit code {code}."

    def identity(self, pod: Object) -> str:
        text = f"{pod['metadata']['uid']}/{self.name}/{self.restarts}"
        return f"sandbox://{hashlib.sha256(text.encode()).hexdigest()}"

    def status(self, pod: Object, now: float, waiting: str = "") -> Object:
        """As `containerStatuses` has it. `waiting`: for what it has not even begun."""
        state: Object
        if self.phase == "running":
            state = {"running": {"startedAt": self.started}}
        elif self.phase == "terminated":
            state = {"terminated": self.ended}
        else:
            said = {"reason": waiting or self.reason, "message": self.message}
            state = {"waiting": {name: value for name, value in said.items() if value}}
        begun = self.phase != "waiting" or self.ended
        last = self.ended if self.phase == "waiting" and self.ended else self.last
        return {
            "name": self.name,
            "image": self.image,
            "imageID": f"sandbox://{self.image}" if begun else "",
            **({"containerID": self.identity(pod)} if begun else {}),
            "ready": self.is_ready(now),
            "started": self.phase == "running",
            "restartCount": self.restarts,
            "state": state,
            "lastState": {"terminated": last} if last else {},
        }


def _spoken(seconds: int) -> str:
    """`10s`, `1m20s`, as Go says it."""
    return f"{seconds}s" if seconds < 60 else f"{seconds // 60}m{seconds % 60}s"
