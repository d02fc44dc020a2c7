"""How many websockets and event streams are open, by address and by user."""

from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from app.web.responses import Outcome, Refusal


class TooManyConnections(Refusal):
    """`limit` connections are open already."""

    def __init__(self, whose: str, limit: int) -> None:
        super().__init__(
            Outcome.TOO_MANY,
            "TOO_MANY_CONNECTIONS",
            f"Too many open connections {whose}: the limit is {limit}.",
        )


class Connections:
    """The open connections of this process."""

    def __init__(self, *, per_address: int, per_user: int) -> None:
        self._per_address = per_address
        self._per_user = per_user
        self._addresses: Counter[str] = Counter()
        self._users: Counter[str] = Counter()

    def from_address(self, network: str) -> AbstractContextManager[None]:
        """One more from this address. Raises TooManyConnections."""
        return _counted(self._addresses, network, self._per_address, "from your address")

    def of_user(self, user_id: str) -> AbstractContextManager[None]:
        """One more of this user. Raises TooManyConnections."""
        return _counted(self._users, user_id, self._per_user, "of your account")

    @property
    def open(self) -> int:
        """All of them."""
        return self._addresses.total()


@contextmanager
def _counted(counter: Counter[str], key: str, limit: int, whose: str) -> Iterator[None]:
    if counter[key] >= limit:
        raise TooManyConnections(whose, limit)
    counter[key] += 1
    try:
        yield
    finally:
        counter[key] -= 1
        if not counter[key]:
            del counter[key]
