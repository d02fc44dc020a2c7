"""A health check becomes a readiness probe, and no liveness probe.

Compose marks a container that fails its check as unhealthy and does not restart it, and what waits
for `service_healthy` waits. A readiness probe does just that. A liveness probe would restart it,
and the checks people write for compose would end a database in the middle of its first start.
"""

import shlex

from app.domain.importing.compose.environment import Environment
from app.domain.importing.compose.part import Part
from app.domain.importing.secrecy import (
    for_kubernetes,
    for_shell,
    hide,
    hide_words,
    marks,
)

_INTERVAL = 30
_TIMEOUT = 30
_RETRIES = 3
"""What the container engine takes when nothing is said."""
_STARTING = (
    "A readiness probe asks from the start, and failures before the first success do no harm: it "
    "needs no time to start."
)


def read_probe(service: Part, environment: Environment) -> dict[str, object] | None:
    """The fields of a readiness probe; None when there is no check."""
    check = service.section("healthcheck")
    if check is None:
        return None
    disable = check.get("disable")
    if disable is not None and disable.flag():
        check.done()
        return None
    for key in ("start_period", "start_interval"):
        if (part := check.get(key)) is not None:
            part.ignored(_STARTING)
    test = check.get("test")
    command = _command(test, environment) if test is not None else None
    interval, timeout = check.get("interval"), check.get("timeout")
    retries = check.get("retries")
    every = interval.seconds() if interval is not None else None
    most = timeout.seconds() if timeout is not None else None
    failures = retries.count() if retries is not None else None
    if test is None:
        check.ignored("The check of the image itself cannot be seen: write its command as test.")
    if command is None:
        return None
    return {
        "exec": {"command": command},
        "period_seconds": every or _INTERVAL,
        "timeout_seconds": most or _TIMEOUT,
        "failure_threshold": failures or _RETRIES,
    }


def _command(test: Part, environment: Environment) -> list[str] | None:
    if not isinstance(test.value, list):
        text = test.marked()
        return _shell(hide(text, "HEALTHCHECK"), test, environment) if text else None
    words = [item.marked() or "" for item in test.items()]
    kind, rest = (words[0], words[1:]) if words else ("", [])
    if kind == "NONE" or not words:
        return None
    if kind == "CMD-SHELL" and rest:
        return _shell(hide(rest[0], "HEALTHCHECK"), test, environment)
    if kind == "CMD" and rest:
        hidden = hide_words(rest, "HEALTHCHECK")
        if any(marks(word) for word in hidden):
            quoted = [word if marks(word) else shlex.quote(word) for word in hidden]
            joined = " ".join(f'"{q}"' if marks(q) else q for q in quoted)
            return _shell(joined, test, environment)
        return [for_kubernetes(word) for word in hidden]
    test.ignored("Begin the test with CMD, CMD-SHELL or NONE: it is left out.")
    return None


def _shell(text: str, test: Part, environment: Environment) -> list[str]:
    named = for_shell(environment.named(text, test))
    return ["/bin/sh", "-c", for_kubernetes(named)]
