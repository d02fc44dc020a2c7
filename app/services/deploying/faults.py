"""Which failures of a cluster are about one object, and which about the cluster as a whole."""

from collections.abc import Awaitable
from typing import TypeVar

from app.domain.errors import ClusterError, ClusterFault

_Told = TypeVar("_Told")

_OF_THE_CLUSTER = frozenset(
    {
        ClusterFault.ADDRESS_FORBIDDEN,
        ClusterFault.NAME_NOT_FOUND,
        ClusterFault.UNREACHABLE,
        ClusterFault.TIMED_OUT,
        ClusterFault.TLS_FAILED,
        ClusterFault.NOT_KUBERNETES,
        ClusterFault.UNAUTHORIZED,
        ClusterFault.SIGN_IN_AGAIN,
        ClusterFault.UNREADABLE,
    }
)


def is_of_the_cluster(error: ClusterError) -> bool:
    """Whether it would be the same whatever object is asked for."""
    return error.fault in _OF_THE_CLUSTER


async def about(what: str, asked: Awaitable[_Told]) -> _Told:
    """What was asked. Raises ClusterError, with a message that begins with `what` could not be
    done when that matters."""
    try:
        return await asked
    except ClusterError as error:
        if is_of_the_cluster(error):
            raise
        raise ClusterError(
            error.fault,
            f"{what}. {error.message}",
            status=error.status,
            causes=error.causes,
            retry_after=error.retry_after,
        ) from None
