"""From manifests and what is on the cluster to what a deploy will do; and how far it is.

Pure: the engine asks the cluster, hands over what it answered (`Observed`, `Leftover`), gets a
`Plan`, and does what the plan says in the order of its waves. Rules of Kubernetes are in the files
that need them: what is compared in `changes`, what can't change in `immutability`, what a refusal
means in `refusals`, who owns what in `objects`, how secret values go in in `secretkeys`.
"""

from app.domain.planning.making import make_plan
from app.domain.planning.objects import InventoryEntry, ObjectKey, Owner, Ownership, ownership
from app.domain.planning.observed import Consents, Leftover, Observed, Question
from app.domain.planning.plan import Plan, PlanAction, PlannedObject, PlanSummary
from app.domain.planning.progress import Ended, NodeProgress, NodeState, ended
from app.domain.planning.pruning import leftovers

__all__ = [
    "Consents",
    "Ended",
    "InventoryEntry",
    "Leftover",
    "NodeProgress",
    "NodeState",
    "ObjectKey",
    "Observed",
    "Owner",
    "Ownership",
    "Plan",
    "PlanAction",
    "PlanSummary",
    "PlannedObject",
    "Question",
    "ended",
    "leftovers",
    "make_plan",
    "ownership",
]
