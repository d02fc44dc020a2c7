"""Lists, page by page, as Kubernetes hands them out. Whoever answers may never stop, so we do."""

from collections.abc import AsyncGenerator, Mapping
from typing import Any

from app.domain.errors import ClusterError, ClusterFault
from app.kube.client import JSON, AnswerTooLarge, KubeClient

PAGE = 500
LARGEST = 8 * 2**20
"""Bytes of a page: 500 pods have a third of that."""
_SMALLER = 8
"""By what a page is divided when it has more."""
MOST_OBJECTS = 100_000
MOST_BYTES = 256 * 2**20
_MOST_PAGES = 1_000

METADATA_ONLY = f"application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,{JSON}"
"""What to accept when names and labels are enough; servers that can't do so send everything."""


async def pages(
    client: KubeClient,
    path: str,
    *,
    params: Mapping[str, str] | None = None,
    page: int = PAGE,
    accept: str = JSON,
    largest: int = LARGEST,
    seconds: float = 30.0,
) -> AsyncGenerator[dict[str, Any], None]:
    """The pages of a list. Raises ClusterError; GONE when the list took too long to read.

    More than MOST_OBJECTS or MOST_BYTES are refused: UNAVAILABLE. `largest` bounds a page's bytes:
    where so many objects have more, fewer are asked for, down to a single one. `seconds` are those
    of one page.
    """
    at: dict[str, str] = {}
    seen = size = 0
    for _ in range(_MOST_PAGES):
        try:
            asked = {**(params or {}), "limit": str(page), **at}
            answer = await client.get(
                path, params=asked, accept=accept, largest=largest, seconds=seconds
            )
        except AnswerTooLarge:
            if page == 1:
                raise
            page = max(page // _SMALLER, 1)
            continue
        body = answer.body
        seen += len(items(body))
        size += answer.size
        if seen > MOST_OBJECTS or size > MOST_BYTES:
            break
        token = metadata(body).get("continue")
        yield body
        del answer, body  # nobody may need it while the next one is read
        if not isinstance(token, str) or not token:
            return
        at = {"continue": token}
    raise ClusterError(
        ClusterFault.UNAVAILABLE,
        f"The list never ends, or has more than {MOST_OBJECTS} objects or {MOST_BYTES} bytes.",
    )


def items(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The objects of a list, without what is none."""
    listed = body.get("items")
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []


def metadata(body: Mapping[str, Any]) -> dict[str, Any]:
    """The metadata of an object or list; empty when it has none."""
    found = body.get("metadata")
    return found if isinstance(found, dict) else {}
