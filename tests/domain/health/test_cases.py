"""The rules as a specification: a file of `cases/` per kind, an object per line of a rule.

What a case says with `is` is written by hand. The rest of the answer, sentences above all, is kept
beside it in `said.yaml`; after a change that is meant, run this file with `UPDATE_GOLDEN=1` in the
environment, and review the difference.
"""

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.domain.health import RULES, Health
from tests.domain import apiserver
from tests.domain.health.objects import KINDS, Case

CASES = Path(__file__).with_name("cases")
SAID = Path(__file__).with_name("said.yaml")
_KIND_OF = {kind.lower(): kind for kind in KINDS}
ALL = [
    (path.stem, Case(_KIND_OF[path.stem], given))
    for path in sorted(CASES.glob("*.yaml"))
    for given in yaml.safe_load(path.read_text())
]
every_case = pytest.mark.parametrize(
    ("kind", "case"), ALL, ids=[f"{kind}-{case.name.replace(' ', '-')}" for kind, case in ALL]
)


def told(health: Health) -> dict[str, Any]:
    """An answer as data, without what is not said."""
    answer: dict[str, Any] = {"message": health.message}
    if health.desired is not None:
        answer["pods"] = f"{health.ready}/{health.desired}"
    if health.advisory:
        answer["advisory"] = True
    if health.recheck_after is not None:
        answer["recheck"] = health.recheck_after
    if health.causes:
        answer["causes"] = [
            " ".join(
                filter(
                    None,
                    (
                        cause.severity.value,
                        cause.reason,
                        cause.pod,
                        cause.container,
                        "init" if cause.is_init else "",
                        f"restarts={cause.restarts}" if cause.restarts else "",
                        "" if cause.exit_code is None else f"exit={cause.exit_code}",
                        "fatal" if cause.fatal else "",
                    ),
                )
            )
            for cause in health.causes
        ]
    if health.notes:
        answer["notes"] = {note.reason: note.message for note in health.notes}
    return answer


@every_case
def test_state_and_reason(kind: str, case: Case) -> None:
    assert (case.health.state.value, case.health.reason) == (case.state, case.reason)


def test_what_is_said() -> None:
    said: dict[str, dict[str, Any]] = {}
    for kind, case in ALL:
        said.setdefault(kind, {})[case.name] = told(case.health)
    if os.environ.get("UPDATE_GOLDEN"):
        SAID.write_text(yaml.safe_dump(said, sort_keys=False, width=100, allow_unicode=True))
    assert said == yaml.safe_load(SAID.read_text())


@every_case
def test_an_api_server_could_send_it(kind: str, case: Case) -> None:
    for obj in (case.object, *case.related, *case.events):
        refusals = apiserver.refusals(obj, apiserver.NEWEST)
        assert bool(refusals) is (case.never_sent and obj is case.object), refusals


def test_every_rule_has_its_cases() -> None:
    assert {kind.lower() for _, kind in RULES} <= {kind for kind, _ in ALL}
