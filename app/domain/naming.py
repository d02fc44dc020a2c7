"""How a Python field is spelled in the API: camelCase, with Kubernetes' own capitals."""

from functools import cache

from pydantic.alias_generators import to_camel

from app.domain.node import IRREGULAR_NAMES


@cache
def api_name(python_name: str) -> str:
    """The name of a field in GraphQL and in JSON Schema."""
    return IRREGULAR_NAMES.get(python_name) or to_camel(python_name)
