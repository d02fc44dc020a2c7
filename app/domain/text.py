"""Rules for text: each says in one sentence what is allowed, and draws itself as JSON Schema.

The sentence is what a person reads next to the field, so it tells what to write, not what failed.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationError
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError, core_schema

Loc = tuple[str | int, ...]

# A lone surrogate has no UTF-8, and the database cannot keep NUL in a key: both end here.
_UNFIT = re.compile("[\x00\ud800-\udfff]")


def refusal(message: str) -> PydanticCustomError:
    """The error of a value that breaks a rule, with `message` as it is."""
    return PydanticCustomError("not_allowed", message)


def refuse_at(faults: Iterable[tuple[Loc, str]]) -> None:
    """Raises a ValidationError with one error per fault, each at its place below the field."""
    errors = [
        InitErrorDetails(type=refusal(message), loc=loc, input=None) for loc, message in faults
    ]
    if errors:
        raise ValidationError.from_exception_data("value", errors)


def is_fit(value: str) -> bool:
    """Whether the text can be stored and sent: no NUL, no half of a surrogate pair."""
    return _UNFIT.search(value) is None


@dataclass(frozen=True, slots=True)
class Text:
    """A rule for a string, used as metadata in `Annotated[str, Text(...)]`.

    `says` is the whole message. `pattern` must match all of the text; lengths are in characters.
    `also` is a further test that a pattern cannot express.
    """

    says: str
    limit: int
    pattern: str | None = None
    minimum: int = 1
    also: Callable[[str], bool] | None = None

    def allows(self, value: str) -> bool:
        return (
            self.minimum <= len(value) <= self.limit
            and is_fit(value)
            and (self.pattern is None or re.fullmatch(self.pattern, value) is not None)
            and (self.also is None or self.also(value))
        )

    def check(self, value: str) -> str:
        """`value`; raises PydanticCustomError with the sentence."""
        if not self.allows(value):
            raise refusal(self.says)
        return value

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        drawn = handler(schema)
        drawn["maxLength"] = self.limit
        if self.minimum:
            drawn["minLength"] = self.minimum
        if self.pattern is not None:
            drawn["pattern"] = f"^(?:{self.pattern})$"
        return drawn
