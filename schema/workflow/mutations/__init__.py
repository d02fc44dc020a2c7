"""One mutation, one file; listed here."""

from schema.workflow.mutations.archive_workflow import archive_workflow
from schema.workflow.mutations.clone_workflow import clone_workflow
from schema.workflow.mutations.create_version import create_version
from schema.workflow.mutations.create_workflow import create_workflow
from schema.workflow.mutations.delete_workflow import delete_workflow
from schema.workflow.mutations.edit_workflow import edit_workflow
from schema.workflow.mutations.import_compose import import_compose
from schema.workflow.mutations.import_manifests import import_manifests
from schema.workflow.mutations.publish_workflow import publish_workflow
from schema.workflow.mutations.restore_version import restore_version
from schema.workflow.mutations.restore_workflow import restore_workflow
from schema.workflow.mutations.save_canvas import save_canvas
from schema.workflow.mutations.update_workflow import update_workflow

MUTATIONS = [
    create_workflow,
    update_workflow,
    save_canvas,
    edit_workflow,
    publish_workflow,
    archive_workflow,
    delete_workflow,
    restore_workflow,
    clone_workflow,
    import_manifests,
    import_compose,
    create_version,
    restore_version,
]
