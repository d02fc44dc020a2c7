"""One mutation, one file; listed here."""

from schema.deployment.mutations.cancel_run import cancel_run
from schema.deployment.mutations.deploy_workflow import deploy_workflow
from schema.deployment.mutations.detect_drift import detect_drift
from schema.deployment.mutations.plan_workflow import plan_workflow
from schema.deployment.mutations.rollback_workflow import rollback_workflow
from schema.deployment.mutations.undeploy_workflow import undeploy_workflow

MUTATIONS = [
    plan_workflow,
    deploy_workflow,
    cancel_run,
    rollback_workflow,
    undeploy_workflow,
    detect_drift,
]
