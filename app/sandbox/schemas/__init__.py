"""What types the fields of a kind have: for ownership, patches, pruning and canonical values.

How OpenAPI becomes types that can be merged follows kube-openapi's `schemaconv`.
"""

from app.sandbox.schemas.built_in import builtin
from app.sandbox.schemas.custom import from_crd
from app.sandbox.schemas.schema import ANY, TypeSchema
from app.sandbox.schemas.unknown import prune, unknown_fields

__all__ = ["ANY", "TypeSchema", "builtin", "from_crd", "prune", "unknown_fields"]
