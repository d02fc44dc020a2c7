"""The workflow: an application drawn as a graph, and its versions."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from app.domain.canvas import Canvas, Edge
from app.domain.ids import Id
from app.domain.nodes import Node


class WorkflowStatus(enum.StrEnum):
    """Only a published workflow deploys; an archived one is read-only."""

    DRAFT = "draft"
    PUBLISHED = "published"
    ARCHIVED = "archived"


class Entity(BaseModel):
    """Something with an identity that is stored. Times are UTC."""

    model_config = ConfigDict(extra="ignore")

    id: Id


class WorkflowRow(Entity):
    """Everything of a workflow but its canvas: what a list shows."""

    name: str
    description: str = ""
    cluster_id: Id | None = None
    namespace: str = "default"
    status: WorkflowStatus = WorkflowStatus.DRAFT
    tags: list[str] = Field(default_factory=list)
    owner_id: Id
    team_id: str | None = None
    revision: int = 1
    """Grows by one with every change of the canvas or the metadata."""
    seq: int = 0
    """Number of the newest event in the workflow's stream."""
    current_version: int = 0
    """Number of the newest version; 0 when there is none."""
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = None
    last_run_at: datetime | None = None
    run_count: int = 0
    success_count: int = 0
    failure_count: int = 0


class Workflow(WorkflowRow):
    """A workflow with its canvas."""

    nodes: dict[str, Node] = Field(default_factory=dict)
    edges: dict[str, Edge] = Field(default_factory=dict)

    @property
    def canvas(self) -> Canvas:
        return Canvas.model_construct(nodes=self.nodes, edges=self.edges)


@dataclass(frozen=True, slots=True)
class WorkflowFilter:
    """Which of a person's workflows. `search` is a part of the name, in any case."""

    search: str | None = None
    status: Sequence[WorkflowStatus] | None = None
    tags: Sequence[str] | None = None
    cluster_id: Id | None = None
    deleted: bool = False


class VersionRow(Entity):
    """Everything of a version but its canvas."""

    workflow_id: Id
    number: int
    name: str | None = None
    tag: str | None = None
    description: str = ""
    created_at: datetime
    created_by: Id
    restored_from: int | None = None
    automatic: bool = False
    run_id: Id | None = None


class Version(VersionRow):
    """The canvas as it was; never changed once made. Numbered 1, 2, 3 … per workflow."""

    nodes: dict[str, Node] = Field(default_factory=dict)
    edges: dict[str, Edge] = Field(default_factory=dict)

    @property
    def canvas(self) -> Canvas:
        return Canvas.model_construct(nodes=self.nodes, edges=self.edges)
