"""`kubeorch compile FILE`: a workflow as Kubernetes objects, without a server or a cluster."""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from app.domain import labels
from app.domain.canvas import Canvas
from app.domain.compile import compile
from app.domain.errors import DomainError, FieldProblem, Invalid
from app.domain.fields import Namespace
from app.domain.problems import Problem, Severity, problems
from app.domain.reading import read_canvas
from app.domain.rendering import ManifestFormat, render
from app.settings import Settings

_NAMESPACE = TypeAdapter[str](Namespace)


def parser() -> argparse.ArgumentParser:
    """The file, the format, and what the objects belong to."""
    made = argparse.ArgumentParser(
        prog="kubeorch compile",
        description="Print the Kubernetes objects of a workflow. The file holds JSON with `nodes` "
        "and `edges` as GraphQL answers them, alone or as a whole `workflow`. Problems go to "
        "the error output; one that stands in the way of a deploy ends the command with 1.",
    )
    made.add_argument("file", help="the JSON file; - reads the standard input")
    made.add_argument(
        "-o",
        "--output",
        choices=[format_.value for format_ in ManifestFormat],
        default="yaml",
        help="yaml (default) or json",
    )
    made.add_argument("--namespace", help="where nodes go that name no namespace")
    made.add_argument("--name", help="the workflow's name; otherwise the file's")
    made.add_argument("--workflow-id", help="the workflow's id; otherwise made of its name")
    return made


def run(arguments: argparse.Namespace, _settings: Settings) -> int:
    """Print the objects; 1 when the file cannot be read or has a problem that is an error."""
    try:
        workflow = _workflow(_read(arguments.file))
        canvas = read_canvas(workflow)
        name = str(arguments.name or workflow.get("name") or Path(arguments.file).stem)
        namespace = _NAMESPACE.validate_python(
            arguments.namespace or workflow.get("namespace") or "default"
        )
    except OSError as error:
        return _failed([f"{arguments.file}: {error.strerror}"])
    except ValidationError as error:
        return _failed([f"namespace: {fault['msg']}" for fault in error.errors()])
    except (ValueError, RecursionError) as error:
        source = "The standard input" if arguments.file == "-" else arguments.file
        return _failed([f"{source} is no workflow as JSON: {error}"])
    except Invalid as error:
        return _failed([_sentence(problem) for problem in error.problems])
    except DomainError as error:
        return _failed([error.message])
    id_ = str(arguments.workflow_id or workflow.get("id") or labels.digest(name, 24))
    made = compile(canvas, workflow_id=id_, workflow_name=name, namespace=namespace)
    sys.stdout.write(render(made, ManifestFormat(arguments.output)))
    found = problems(canvas, namespace=namespace)
    for problem in found:
        print(_line(problem, canvas), file=sys.stderr)
    return int(any(problem.severity is Severity.ERROR for problem in found))


def _read(file: str) -> Any:
    given = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    return json.loads(given.decode("utf-8-sig"))


def _workflow(value: Any) -> Mapping[str, Any]:
    """The object with the nodes: the file itself, or in it as an answer of the API has it."""
    for key in ("data", "workflow"):
        if isinstance(value, Mapping) and "nodes" not in value and isinstance(value.get(key), dict):
            value = value[key]
    if not isinstance(value, Mapping) or "nodes" not in value:
        raise ValueError("there is no `nodes` in it")
    return value


def _failed(messages: list[str]) -> int:
    for message in messages:
        print(f"error: {message}", file=sys.stderr)
    return 1


def _sentence(problem: FieldProblem) -> str:
    return f"{'.'.join(problem.path)}: {problem.message}"


def _line(problem: Problem, canvas: Canvas) -> str:
    node = canvas.nodes.get(problem.node_id or "")
    where = f"{node.data.name}, " if node is not None else ""
    return f"{problem.severity.value}: {where}{'.'.join(problem.path)}: {problem.message}"
