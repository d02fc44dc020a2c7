"""JSON patch, merge patch and strategic merge patch, with the errors of an API server."""

from copy import deepcopy
from typing import Any

from jsonpatch import JsonPatch, JsonPatchException
from jsonpointer import JsonPointer, JsonPointerException

from app.sandbox.objects import deeper
from app.sandbox.ownership.fieldset import encode
from app.sandbox.patches.strategic import Malformed, merge_map
from app.sandbox.schemas import TypeSchema

__all__ = ["PatchError", "json_patch", "merge_patch", "strategic_merge_patch"]

MAX_OPERATIONS = 10_000
MAX_COPIED = 3 * 1024 * 1024  # bytes that the copy operations of one patch may add
MAX_DEPTH = 200  # of the outcome: operations can nest what no body could
# All that an API server says of operations that do not apply, and more would tell what is stored.
REJECTED = "the server rejected our request due to an error in our request"


class PatchError(Exception):
    """A patch that cannot be applied. `code` and `reason` of the Status; str() is its message."""

    def __init__(self, message: str, code: int = 400, reason: str = "BadRequest") -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason


def json_patch(target: Any, operations: Any) -> Any:
    """RFC 6902. The target is not changed.

    PatchError: 400 if it is no list of operations, 413 if there are too many, 422 if one does not
    apply or a test fails.
    """
    if not isinstance(operations, list) or not all(isinstance(op, dict) for op in operations):
        raise PatchError("error decoding patch: a JSON patch is a list of operations")
    if len(operations) > MAX_OPERATIONS:
        raise PatchError(
            f"The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, "
            f"got {len(operations)}",
            *(413, "RequestEntityTooLarge"),
        )
    patched, copied = deepcopy(target), 0
    try:
        for operation in operations:
            if operation.get("op") == "copy":
                copied += len(encode(JsonPointer(operation.get("from")).resolve(patched)))
                if copied > MAX_COPIED:
                    raise PatchError(REJECTED, 422, "Invalid")
            patched = JsonPatch([deepcopy(operation)]).apply(patched, in_place=True)
    except (JsonPatchException, JsonPointerException, TypeError, RecursionError):
        # Not chained: the library's words quote the document, which may be a Secret.
        raise PatchError(REJECTED, 422, "Invalid") from None
    if deeper(patched, MAX_DEPTH):
        raise PatchError(REJECTED, 422, "Invalid")
    return patched


def merge_patch(target: Any, patch: Any) -> Any:
    """RFC 7386: null deletes, lists are replaced. PatchError 400 if the patch is no object."""
    if not isinstance(patch, dict):
        raise PatchError("Invalid JSON Patch")
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        elif isinstance(value, dict):
            merged[name] = merge_patch(merged.get(name), value)
        else:
            merged[name] = deepcopy(value)
    return merged


def strategic_merge_patch(target: Any, patch: Any, schema: TypeSchema) -> Any:
    """As kubectl sends it: lists merge by the keys of the schema, directives tell the rest.

    Neither argument is changed. PatchError 400 for a malformed patch, also where an API server
    answers 500; 422 for lists of lists.
    """
    if not isinstance(target, dict) or not isinstance(patch, dict):
        raise PatchError("invalid JSON document")
    try:
        return merge_map(deepcopy(target), deepcopy(patch), schema)
    except Malformed as malformed:
        raise PatchError(str(malformed), malformed.code, malformed.reason) from malformed
