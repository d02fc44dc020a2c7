"""Identifiers as values: 24 hexadecimal digits, the text of a MongoDB ObjectId.

The domain never sees the driver's own type; `app.documents` stores an `Id` as a real ObjectId.
"""

import re
from typing import Any, Self

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

_HEX = re.compile(r"[0-9a-f]{24}")


class Id(str):
    """The id of a stored object. Raises ValueError for anything but 24 hexadecimal digits."""

    __slots__ = ()

    def __new__(cls, value: object) -> Self:
        text = str(value).lower()
        if not _HEX.fullmatch(text):
            raise ValueError("an id is 24 hexadecimal digits")
        return super().__new__(cls, text)

    @classmethod
    def parse(cls, value: object) -> "Id | None":
        """The id that `value` spells, or None: what no id can name does not exist."""
        try:
            return cls(value)
        except ValueError:
            return None

    @classmethod
    def __get_pydantic_core_schema__(cls, _: Any, __: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls, serialization=core_schema.to_string_ser_schema()
        )
