"""Workflows that are deployed: a cluster to deploy to, an application, and its secret values.

    async with on_sandbox(services, owner) as there:
        workflow = await published(services, owner, there)

The cluster is the sandbox in the test's own process; `bring` hands in any other of those that the
tests know. What stands behind the services is in `parts`.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.bootstrap import utc_now
from app.documents.audits import AuditStore
from app.documents.clusters import ClusterStore
from app.documents.database import Database
from app.documents.inventories import InventoryStore
from app.documents.plans import PlanStore
from app.documents.runs import RunStore
from app.documents.versions import VersionStore
from app.documents.work import WorkStore
from app.documents.workflows import WorkflowStore
from app.domain.cluster import Cluster as Known
from app.domain.editing import EdgeDraft, NodeDraft
from app.domain.user import Actor
from app.domain.workflow import Workflow
from app.realtime.hub import Hub
from app.realtime.outbox import Outbox
from app.services import Services
from app.services.accessing import Place, TokenDraft
from app.services.changing import Changes
from app.services.checking import Connect
from app.services.deploying.aiming import Aiming
from app.services.deploying.committing import Ledgers
from app.services.deploying.deployments import Deployments
from app.services.deploying.planning import Planning
from app.services.workflows import WorkflowDraft
from tests.clusters import bring_in
from tests.domain.drawing import deployment, node, service
from tests.kubernetes.asking import Api
from tests.kubernetes.clusters import Cluster
from tests.kubernetes.sandbox import SPEED, sandbox
from tests.secrecy import keep_secret, secret

NAMESPACE = "shop"
"""Where the tests deploy to, when nothing else is said."""


@dataclass(frozen=True, slots=True)
class There:
    """A cluster with a namespace to deploy to.

    `known` is what the services know of it, `cluster` how tests ask it, and `api` asks it within
    the namespace.
    """

    known: Known
    cluster: Cluster
    api: Api

    @property
    def namespace(self) -> str:
        return self.api.namespace


@asynccontextmanager
async def on_sandbox(
    services: Services, actor: Actor, *, namespace: str = NAMESPACE, speed: float = SPEED
) -> AsyncIterator[There]:
    """An empty sandbox cluster that the actor has brought in, with an empty namespace."""
    async with sandbox(speed=speed) as cluster, within(cluster, namespace) as api:
        yield There(await bring(services, actor, cluster), cluster, api)


@asynccontextmanager
async def within(cluster: Cluster, namespace: str) -> AsyncIterator[Api]:
    """A new namespace of a cluster that has controllers."""
    async with cluster.client() as http:
        api = Api(http, namespace)
        await api.made({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
        await api.until("ServiceAccount", "default", lambda _: True)
        yield api


async def bring(
    services: Services, actor: Actor, cluster: Cluster, *, token: str | None = None
) -> Known:
    """Brings a cluster in as the actor's; with another token than the almighty one, if given."""
    kept = keep_secret(token or cluster.token, "a cluster's token")
    draft = TokenDraft(token=kept, ca=cluster.ca.decode())
    return await bring_in(services, actor, credentials=draft, place=Place(cluster.server))


DEMO_NODES: Sequence[NodeDraft] = (
    node(
        "ingress",
        "entry",
        name="shop",
        host="shop.example.com",
        paths=[{"id": "web", "path": "/", "path_type": "Prefix"}],
    ),
    service("web-service", name="web"),
    deployment(
        "web",
        env={"LOG_LEVEL": "info"},
        env_keys=[{"id": "password", "name": "DATABASE_PASSWORD"}],
        resources={"requests": {"cpu": "50m", "memory": "32Mi"}},
    ),
    node("configmap", "settings", name="settings", data={"features.yaml": "checkout: true\n"}),
    node("secret", "credentials", name="credentials", keys=[{"name": "api-token"}]),
    service("database-service", name="database", port=5432, headless=True),
    node(
        "statefulset",
        "database",
        name="database",
        image="postgres:18",
        port=5432,
        service_name="database",
        volume_claim_templates=[
            {"id": "data", "name": "data", "access_modes": ["ReadWriteOnce"], "storage": "1Gi"}
        ],
    ),
    node("hpa", "scaler", name="web", min_replicas=2, max_replicas=4, target_cpu_utilization=70),
    node("cronjob", "report", name="report", schedule="0 2 * * *", image="busybox:1.37"),
    node("networkpolicy", "wall", name="wall", policy_types=["Ingress"], ingress_rules=[]),
)
"""One node of each kind of the demo application; their ids are names that tests can rely on."""

DEMO_EDGES: Sequence[EdgeDraft] = (
    EdgeDraft("entry", "web-service", id="entry-web", source_handle="web"),
    EdgeDraft("web-service", "web", id="web-service-web"),
    EdgeDraft("settings", "web", id="settings-web"),
    EdgeDraft("credentials", "web", id="credentials-web"),
    EdgeDraft("database-service", "database", id="database-service-database"),
    EdgeDraft("scaler", "web", id="scaler-web"),
    EdgeDraft("wall", "database", id="wall-database"),
)

DEMO_KINDS = (
    *("ConfigMap", "Secret", "Secret", "Service", "Service", "Deployment", "StatefulSet"),
    *("CronJob", "Ingress", "HorizontalPodAutoscaler", "NetworkPolicy"),
)
"""The kinds of its objects, in the order of a plan; the second Secret is the Deployment's own."""


def demo_values() -> dict[str, dict[str, str]]:
    """The secret values that the demo application needs, new ones each time."""
    return {
        "credentials": {"api-token": secret("a value of a Secret")},
        "web": {"DATABASE_PASSWORD": secret("an environment variable of a Deployment")},
    }


async def published(
    services: Services,
    actor: Actor,
    there: There,
    *,
    name: str = "Shop",
    nodes: Sequence[NodeDraft] = DEMO_NODES,
    edges: Sequence[EdgeDraft] = DEMO_EDGES,
    **more: Any,
) -> Workflow:
    """A published workflow of the actor on the cluster: the demo application, or what is given."""
    draft = WorkflowDraft(
        **{"name": name, "cluster_id": there.known.id, "namespace": there.namespace}
        | {"nodes": nodes, "edges": edges}
        | more
    )
    made = await services.workflows.create(actor, draft)
    await services.workflows.publish(actor, made.id)
    found = await services.workflows.get(actor, made.id)
    assert found is not None
    return found


@dataclass(frozen=True, slots=True)
class Parts:
    """What the services are made of, for services that a test makes itself."""

    database: Database
    outbox: Outbox
    changes: Changes
    connect: Connect
    hub: Hub


def parts(services: Services) -> Parts:
    """The very same that `bootstrap` has made: a transaction takes the database's own client."""
    changes = services.workflows._changes
    return Parts(
        database=changes._database,
        outbox=changes._outbox,
        changes=changes,
        connect=services.cluster_checks._connect,
        hub=services.run_streams._welcome._hub,
    )


def ledgers(services: Services) -> Ledgers:
    """Where runs are written."""
    behind = parts(services)
    return Ledgers(
        database=behind.database,
        outbox=behind.outbox,
        changes=behind.changes,
        work=WorkStore(),
        runs=RunStore(),
        inventories=InventoryStore(),
        audits=AuditStore(),
    )


def deployments(
    services: Services,
    *,
    now: Callable[[], datetime] = utc_now,
    connect: Connect | None = None,
) -> Deployments:
    """Deployments as `bootstrap` makes them, with a clock and connections of the test's own."""
    connect = connect or parts(services).connect
    aiming = Aiming(
        workflows=WorkflowStore(),
        versions=VersionStore(),
        clusters=ClusterStore(),
        inventories=InventoryStore(),
        now=now,
    )
    planning = Planning(
        aiming=aiming,
        plans=PlanStore(),
        connect=connect,
        at_once=8,
        seconds=3_600,
        now=now,
    )
    return Deployments(
        planning=planning,
        plans=PlanStore(),
        ledgers=ledgers(services),
        connect=connect,
        now=now,
    )
