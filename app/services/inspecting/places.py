"""How many logs one process reads at once: each holds a connection, of which deploys to the same
cluster need some too, and some hundred kilobytes of memory."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from app.domain.errors import LimitExceeded
from app.domain.ids import Id

MOST = 120
"""Connections to one cluster that logs may hold; a client has 200."""
MOST_OF_ALL = 400
"""To all clusters together."""
MOST_OF_ONE = 60
"""To all clusters, for one person."""


class Places:
    """The connections that logs hold at this moment."""

    def __init__(self) -> None:
        self._of_cluster: Counter[Id] = Counter()
        self._of_person: Counter[Id] = Counter()

    @contextmanager
    def taken(self, cluster: Id, person: Id, *, least: int, want: int) -> Iterator[int]:
        """As many as are wanted, if so many are left; at least `least`, else LimitExceeded."""
        left = min(
            MOST_OF_ALL - self._of_cluster.total(),
            MOST - self._of_cluster[cluster],
            MOST_OF_ONE - self._of_person[person],
        )
        if left < least:
            raise LimitExceeded(
                f"The logs of {MOST_OF_ONE} containers can be read at once by one person, and of "
                f"{MOST} of a cluster by all. Close some of them, or try again later.",
                limit=MOST_OF_ONE,
            )
        count = min(want, left)
        self._count(cluster, person, count)
        try:
            yield count
        finally:
            self._count(cluster, person, -count)

    def _count(self, cluster: Id, person: Id, change: int) -> None:
        self._of_cluster[cluster] += change
        self._of_person[person] += change
        if not self._of_cluster[cluster]:
            del self._of_cluster[cluster]
        if not self._of_person[person]:
            del self._of_person[person]
