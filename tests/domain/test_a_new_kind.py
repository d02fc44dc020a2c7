"""A new kind is one new file: put beside the others, everything else knows it."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

from tests.domain import apiserver

PROJECT = Path(__file__).parents[2]
FILE = Path(__file__).parent / "fourteenth" / "poddisruptionbudget.py"
CANVAS = {
    "nodes": [
        {"id": "w", "type": "DEPLOYMENT", "data": {"name": "web", "image": "nginx"}},
        {"id": "b", "type": "PODDISRUPTIONBUDGET", "data": {"name": "keep", "minAvailable": "50%"}},
    ],
    "edges": [{"id": "e", "source": "b", "target": "w"}],
}
SCRIPT = """
import json, sys
from app.domain.compile import compile
from app.domain.diagrams import DiagramFormat, diagram
from app.domain.problems import problems
from app.domain.reading import read_canvas
from app.handbook import page
from schema import sdl
from schema.workflow.palette import _palette

canvas = read_canvas(json.load(sys.stdin))
made = compile(canvas, workflow_id="65f0", workflow_name="Shop", namespace="shop")
json.dump(
    {
        "objects": [manifest.object for manifest in made],
        "problems": [problem.message for problem in problems(canvas)],
        "diagram": diagram(canvas, DiagramFormat.DOT),
        "sdl": sdl(),
        "page": page(),
        "palette": [info.type.value for info in _palette()],
    },
    sys.stdout,
)
"""


def test_a_new_kind_is_one_new_file(tmp_path: Path) -> None:
    for package in ("app", "schema"):
        shutil.copytree(
            PROJECT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copy(FILE, tmp_path / "app" / "domain" / "nodes")
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        input=json.dumps(CANVAS),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    answer = json.loads(run.stdout)
    deployment, budget = answer["objects"]
    assert budget["spec"] == {
        "minAvailable": "50%",
        "selector": deployment["spec"]["selector"],
    }
    assert [apiserver.refusals(budget, v) for v in (apiserver.OLDEST, apiserver.NEWEST)] == [[], []]
    assert answer["problems"] == []
    assert '[label="keep\\nPodDisruptionBudget"' in answer["diagram"]
    assert "poddisruptionbudget" in answer["palette"]
    for said in ("type PodDisruptionBudgetNode ", "input PodDisruptionBudgetNodeDataInput"):
        assert said in answer["sdl"]
    for said in (
        "| [PodDisruptionBudget](#poddisruptionbudget) | `PODDISRUPTIONBUDGET` | scaling |",
        "| `maxUnavailable` | `IntOrString` |  | [CountOrPercent](#values) | Pods that may go. |",
        "- from [PodDisruptionBudget](#poddisruptionbudget): The budget is about the workload's",
        'poddisruptionbudget: { name: "my-poddisruptionbudget", minAvailable: 1 }',
        "kind: PodDisruptionBudget\nmetadata:\n  name: my-poddisruptionbudget\n",
    ):
        assert said in answer["page"]
