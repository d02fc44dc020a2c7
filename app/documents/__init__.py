"""Beanie documents, their indexes and every query. Repositories answer domain entities."""

from beanie import Document

from app.documents import (
    audits,
    checks,
    credentials,
    drifts,
    feeds,
    inventories,
    invites,
    plans,
    sessions,
    statuses,
    throttles,
    users,
    watches,
    work,
)
from app.documents.clusters import ClusterDocument
from app.documents.runs import RunDocument
from app.documents.versions import VersionDocument
from app.documents.workflows import WorkflowDocument

DOCUMENTS: list[type[Document]] = [
    *users.DOCUMENTS,
    *sessions.DOCUMENTS,
    *invites.DOCUMENTS,
    *throttles.DOCUMENTS,
    ClusterDocument,
    checks.ClusterCheckDocument,
    credentials.CredentialDocument,
    feeds.ClusterFeedDocument,
    WorkflowDocument,
    VersionDocument,
    RunDocument,
    work.WorkDocument,
    inventories.InventoryDocument,
    statuses.NodeStatusDocument,
    watches.ClusterWatchDocument,
    drifts.DriftDocument,
    plans.PlanDocument,
    audits.AuditDocument,
]
"""Every document: what a connection declares and makes indexes for."""
