"""One mutation, one file; listed here."""

from schema.cluster.mutations.add_cluster import add_cluster
from schema.cluster.mutations.refresh_cluster import refresh_cluster
from schema.cluster.mutations.remove_cluster import remove_cluster
from schema.cluster.mutations.set_default_cluster import set_default_cluster
from schema.cluster.mutations.share_cluster import share_cluster
from schema.cluster.mutations.test_cluster import test_cluster
from schema.cluster.mutations.unshare_cluster import unshare_cluster
from schema.cluster.mutations.update_cluster import update_cluster
from schema.cluster.mutations.update_cluster_credentials import update_cluster_credentials

MUTATIONS = [
    add_cluster,
    update_cluster,
    update_cluster_credentials,
    remove_cluster,
    set_default_cluster,
    test_cluster,
    refresh_cluster,
    share_cluster,
    unshare_cluster,
]
