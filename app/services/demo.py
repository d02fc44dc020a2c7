"""The demo: a user and two workflows, so that a newcomer's first query has something to answer."""

import secrets
from dataclasses import dataclass
from typing import Any

from app.domain.editing import EdgeDraft, NodeDraft
from app.domain.errors import Conflict, InvalidCredentials, RateLimited
from app.domain.ids import Id
from app.domain.node import NodeType, Position
from app.domain.nodes import NODE_KINDS
from app.domain.paging import Keyset
from app.domain.user import Actor
from app.domain.workflow import WorkflowFilter
from app.services import Services
from app.services.accessing import KubeconfigDraft, Place
from app.services.clusters import ClusterDraft
from app.services.workflows import WorkflowDraft

EMAIL = "demo@kubeorch.example"
NAME = "Demo"
SANDBOX = "sandbox"
"""The name of the demo user's cluster."""


@dataclass(frozen=True, slots=True)
class Demo:
    """What a newcomer needs to begin."""

    email: str
    password: str
    workflow_id: Id
    is_new: bool
    """Whether the workflow was made just now."""


def _node(kind: str, id_: str, x: float, y: float, **data: Any) -> NodeDraft:
    return NodeDraft(
        id=id_,
        position=Position(x=x, y=y),
        data=NODE_KINDS[NodeType(kind)].data.model_validate(data),
    )


_SHOP = WorkflowDraft(
    name="Shop",
    description="A web shop: a front end, an API, a database, and what connects them.",
    tags=["demo"],
    nodes=[
        _node(
            "ingress",
            "entry",
            0,
            100,
            name="shop",
            host="shop.example.com",
            paths=[
                {"id": "web", "path": "/", "path_type": "Prefix"},
                {"id": "api", "path": "/api", "path_type": "Prefix"},
            ],
        ),
        _node("service", "web-service", 300, 0, name="web", port=80),
        _node("service", "api-service", 300, 200, name="api", port=8080),
        _node(
            "deployment",
            "web",
            600,
            0,
            name="web",
            image="nginx:1.29",
            replicas=2,
            port=80,
            resources={"requests": {"cpu": "50m", "memory": "32Mi"}},
        ),
        _node(
            "deployment",
            "api",
            600,
            200,
            name="api",
            image="ghcr.io/example/shop-api:2.4.0",
            replicas=2,
            port=8080,
            env={"LOG_LEVEL": "info", "DATABASE_HOST": "database"},
            env_keys=[{"id": "password", "name": "DATABASE_PASSWORD"}],
            resources={
                "requests": {"cpu": "100m", "memory": "128Mi"},
                "limits": {"memory": "256Mi"},
            },
        ),
        _node(
            "configmap",
            "settings",
            900,
            100,
            name="api-settings",
            data={"features.yaml": "checkout: true\nwishlist: false\n"},
        ),
        _node("service", "database-service", 300, 400, name="database", port=5432, headless=True),
        _node(
            "statefulset",
            "database",
            600,
            400,
            name="database",
            image="postgres:18",
            replicas=1,
            port=5432,
            service_name="database",
            volume_claim_templates=[
                {
                    "id": "data",
                    "name": "data",
                    "access_modes": ["ReadWriteOnce"],
                    "storage": "10Gi",
                }
            ],
        ),
        _node(
            "hpa",
            "scaler",
            900,
            300,
            name="api",
            min_replicas=2,
            max_replicas=6,
            target_cpu_utilization=70,
        ),
    ],
    edges=[
        EdgeDraft("entry", "web-service", id="entry-web", source_handle="web"),
        EdgeDraft("entry", "api-service", id="entry-api", source_handle="api"),
        EdgeDraft("web-service", "web", id="web"),
        EdgeDraft("api-service", "api", id="api"),
        EdgeDraft("settings", "api", id="settings-api"),
        EdgeDraft("database-service", "database", id="database"),
        EdgeDraft("scaler", "api", id="scaler-api"),
    ],
)

_REPORT = WorkflowDraft(
    name="Nightly report",
    description="A job that runs every night.",
    tags=["demo"],
    nodes=[
        _node(
            "cronjob",
            "report",
            0,
            0,
            name="report",
            schedule="0 2 * * *",
            image="busybox:1.37",
            command=["sh", "-c", "echo 'All is well.'"],
        )
    ],
)


async def seed(services: Services, *, password: str) -> Demo:
    """The demo user with this password, and the demo workflows when it has none.

    Where somebody else's demo user has the address, another one is made: a password is never reset.
    """
    actor = await _actor(services, password)
    newest = await _newest(services, actor)
    workflow_id = newest
    if workflow_id is None:
        await services.workflows.create(actor, _REPORT)
        workflow_id = (await services.workflows.create(actor, _SHOP)).id
    return Demo(
        email=actor.user.email,
        password=password,
        workflow_id=workflow_id,
        is_new=newest is None,
    )


async def offer_sandbox(services: Services, demo: Demo, *, kubeconfig: str) -> None:
    """The demo user's cluster `sandbox`, which may have another address than it had before.

    A demo workflow that is new deploys to it, and may.
    """
    actor = await _actor(services, demo.password)
    draft = KubeconfigDraft(content=kubeconfig)
    found = await services.clusters.named(actor, SANDBOX)
    if found is None:
        found = await services.clusters.add(
            actor,
            ClusterDraft(
                name=SANDBOX,
                display_name="Sandbox",
                description="An emulated Kubernetes API. Nothing is executed in it.",
                credentials=draft,
            ),
        )
    else:
        found = await services.clusters.update_credentials(actor, found.id, draft, Place())
    if demo.is_new:
        await services.workflows.update(actor, demo.workflow_id, {"cluster_id": found.id})
        await services.workflows.publish(actor, demo.workflow_id)


async def _actor(services: Services, password: str) -> Actor:
    try:
        user = await services.accounts.create_admin(name=NAME, email=EMAIL, password=password)
    except Conflict:
        try:
            user = (await services.accounts.login(email=EMAIL, password=password, address="")).user
        except (InvalidCredentials, RateLimited):
            other = EMAIL.replace("@", f"-{secrets.token_hex(4)}@")
            user = await services.accounts.create_admin(name=NAME, email=other, password=password)
    return Actor(user=user, session_id=user.id)


async def _newest(services: Services, actor: Actor) -> Id | None:
    keyset = Keyset(field="created_at", descending=True, first=1)
    page = await services.workflows.page(actor, WorkflowFilter(), keyset)
    return page.rows[0].id if page.rows else None
