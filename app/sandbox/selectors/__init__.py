"""Which objects a list, a watch or a controller is about: by their labels, by their fields."""

from app.sandbox.selectors.fields import FieldSelector, parse_fields
from app.sandbox.selectors.labels import (
    LabelSelector,
    SelectorError,
    from_label_selector,
    parse_labels,
)

__all__ = [
    "FieldSelector",
    "LabelSelector",
    "SelectorError",
    "from_label_selector",
    "parse_fields",
    "parse_labels",
]
