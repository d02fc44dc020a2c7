"""The scalars, and the names, that GraphQL does not have of its own."""

from datetime import UTC, datetime
from typing import Any

import strawberry
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.name_converter import NameConverter
from strawberry.schema.types.scalar import DEFAULT_SCALAR_REGISTRY

from app.domain.fields import IntOrString
from app.domain.ids import Id
from app.domain.naming import api_name


def _string_map(value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(v, str) for v in value.values()):
        raise TypeError("StringMap takes an object whose values are all strings.")
    return value


def _int_or_string(value: Any) -> int | str:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise TypeError("IntOrString takes a whole number or a string.")
    return value


def _utc(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


_SCALARS: dict[object, Any] = {
    Id: DEFAULT_SCALAR_REGISTRY[strawberry.ID],
    dict[str, str]: strawberry.scalar(
        name="StringMap",
        description="An object whose values are strings, such as labels.",
        serialize=lambda value: value,
        parse_value=_string_map,
    ),
    IntOrString: strawberry.scalar(
        name="IntOrString",
        description="A number or a name, as Kubernetes takes for ports: `8080` or `http`.",
        serialize=lambda value: value,
        parse_value=_int_or_string,
    ),
    dict[str, Any]: strawberry.scalar(
        name="JSON",
        description="Any JSON value.",
        serialize=lambda value: value,
        parse_value=lambda value: value,
    ),
    datetime: strawberry.scalar(
        name="DateTime",
        description="A moment in UTC, as RFC 3339: `2030-01-31T12:00:00.000Z`.",
        specified_by_url="https://scalars.graphql.org/andimarek/date-time",
        serialize=_utc,
        parse_value=datetime.fromisoformat,
    ),
}


class _Names(NameConverter):
    def apply_naming_config(self, name: str) -> str:
        return api_name(name)


CONFIG = StrawberryConfig(
    name_converter=_Names(),
    scalar_map=_SCALARS,
    disable_field_suggestions=True,
)
