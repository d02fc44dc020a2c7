"""Other forms of an answer, which the Accept header asks for: tables, and metadata alone."""

from app.sandbox.objects import Object
from app.sandbox.web import tables
from app.sandbox.web.call import Call
from app.sandbox.web.tables import Shown

_META = "meta.k8s.io/v1"


def shown(call: Call) -> Shown | None:
    """How an answer is turned into what the client prefers; None: it is answered as it is."""
    return tables.shown(call) or _metadata_only(call)


def _metadata_only(call: Call) -> Shown | None:
    first = call.request.headers.get("accept", "").split(",")[0].replace(" ", "").lower()
    wanted = first.split(";")
    if "v=v1" not in wanted or "g=meta.k8s.io" not in wanted:
        return None
    if "as=partialobjectmetadatalist" in wanted:
        return _partial_list
    return _partial if "as=partialobjectmetadata" in wanted else None


def _partial(body: Object) -> Object:
    if "items" in body or body.get("kind") in ("Status", "Table"):
        return body
    return {
        "kind": "PartialObjectMetadata",
        "apiVersion": _META,
        "metadata": body.get("metadata", {}),
    }


def _partial_list(body: Object) -> Object:
    if "items" not in body:
        return body
    return {
        "kind": "PartialObjectMetadataList",
        "apiVersion": _META,
        "metadata": body["metadata"],
        "items": [_partial(one) for one in body["items"]],
    }
