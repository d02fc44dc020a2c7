"""Sharing a cluster with people: who, as what, in which namespaces, until when.

People are found by the e-mail that they sign in with. Whether an address has an account shows,
because sharing with it works or not; so that nobody reads a directory out of that, each person may
miss a few times in an hour and no more.
"""

import math
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from app.documents.throttles import ThrottleStore
from app.documents.users import UserStore
from app.domain import policy
from app.domain.cluster import Cluster, ClusterRole, ClusterShare
from app.domain.errors import Forbidden, Invalid, LimitExceeded, NotFound, RateLimited
from app.domain.ids import Id
from app.domain.policy import ClusterAction
from app.domain.user import Actor, User
from app.identity import emails
from app.services.clusterchanges import ClusterChanges

MOST_PEOPLE = 100
"""People that one cluster is shared with."""
_MISSES = 20
_WINDOW = timedelta(hours=1)


class Sharing:
    """Shares clusters. Who may, may give no more than they have themselves."""

    def __init__(
        self,
        *,
        changes: ClusterChanges,
        users: UserStore,
        throttles: ThrottleStore,
        shared: Callable[[], None],
        now: Callable[[], datetime],
    ) -> None:
        """`shared` hears of every share that is made, because it may be the next one to end."""
        self._changes = changes
        self._users = users
        self._throttles = throttles
        self._shared = shared
        self._now = now

    async def share(
        self,
        actor: Actor,
        cluster_id: Id,
        email: str,
        *,
        role: ClusterRole,
        namespaces: Sequence[str] = (),
        expires_at: datetime | None = None,
    ) -> Cluster:
        """Shares the cluster, or replaces what the person had. No namespaces means all of them.

        Raises Invalid (nobody is found, or the date is past), NotFound, Forbidden, LimitExceeded,
        RateLimited.
        """
        now = self._now()
        if expires_at is not None and expires_at <= now:
            raise Invalid.field(["expiresAt"], "Choose a moment in the future, or leave it out.")
        # First, so that only those learn who has an account who may share something.
        await self._changes.make(actor, cluster_id, ClusterAction.SHARE, lambda _: {})
        share = ClusterShare(
            user_id=(await self._find(actor, email)).id,
            role=role,
            namespaces=list(dict.fromkeys(namespaces)),
            expires_at=expires_at,
        )

        def decide(cluster: Cluster) -> dict[str, list[ClusterShare]]:
            _check(actor, cluster, share)
            kept = [
                each
                for each in cluster.shared_with
                if each.user_id != share.user_id and each.lasts(now)
            ]
            if len(kept) >= MOST_PEOPLE:
                raise LimitExceeded(
                    f"A cluster is shared with at most {MOST_PEOPLE} people. Stop sharing it with "
                    "somebody first.",
                    limit=MOST_PEOPLE,
                )
            return {} if share in cluster.shared_with else {"shared_with": [*kept, share]}

        changed = await self._changes.make(actor, cluster_id, ClusterAction.SHARE, decide)
        self._shared()
        return policy.cluster_seen_by(actor, changed, now=now)

    async def unshare(self, actor: Actor, cluster_id: Id, user_id: Id) -> Cluster | None:
        """Takes the cluster away from somebody; anybody may give up what is shared with them.

        None when the caller does not see it any more. Raises NotFound, Forbidden.
        """
        action = ClusterAction.VIEW if user_id == actor.id else ClusterAction.SHARE

        def decide(cluster: Cluster) -> dict[str, list[ClusterShare]]:
            ended = _share_of(cluster, user_id)
            if ended is None:
                raise NotFound("share", path=["userId"])
            _check_reach(actor, cluster, ended)
            return {"shared_with": [each for each in cluster.shared_with if each is not ended]}

        changed = await self._changes.make(actor, cluster_id, action, decide)
        now = self._now()
        if not policy.sees_cluster(actor, changed, now=now):
            return None
        return policy.cluster_seen_by(actor, changed, now=now)

    async def _find(self, actor: Actor, email: str) -> User:
        counter = f"share:{actor.id}"
        await self._refuse_when_full(counter)
        found = await self._users.by_email(emails.key(email))
        if found is not None:
            return found
        await self._throttles.add([counter], now=self._now(), window=_WINDOW)
        raise Invalid.field(
            ["email"], "Nobody here has an account with this. Ask them to register first."
        )

    async def _refuse_when_full(self, counter: str) -> None:
        now = self._now()
        count = (await self._throttles.read([counter], now=now)).get(counter)
        if count is not None and count.count >= _MISSES:
            seconds = max(1, math.ceil((count.expires_at - now).total_seconds()))
            raise RateLimited(
                f"Too many people were not found. Try again in {seconds} seconds.",
                retry_after=seconds,
            )


def _check(actor: Actor, cluster: Cluster, share: ClusterShare) -> None:
    """Raises Invalid and Forbidden for what may not be given, or not to this person."""
    if share.user_id == cluster.owner_id:
        raise Invalid.field(["email"], "The cluster is this person's own.")
    if share.user_id == actor.id:
        raise Invalid.field(["email"], "You cannot change what is shared with yourself.")
    _check_reach(actor, cluster, share)
    if (theirs := _share_of(cluster, share.user_id)) is not None:
        _check_reach(actor, cluster, theirs)


def _check_reach(actor: Actor, cluster: Cluster, share: ClusterShare) -> None:
    """Raises Forbidden for a share that is not within the actor's own: to give, change or end."""
    own = _share_of(cluster, actor.id)
    if own is None or own == share:
        return
    if own.namespaces and not set(share.namespaces or ["*"]) <= set(own.namespaces):
        names = ", ".join(own.namespaces)
        raise Forbidden(f"You can share what you have, which is these namespaces: {names}.")
    if own.expires_at is not None and (
        share.expires_at is None or share.expires_at > own.expires_at
    ):
        until = own.expires_at.isoformat(timespec="seconds")
        raise Forbidden(f"You can share it as long as you have it, which is until {until}.")


def _share_of(cluster: Cluster, user_id: Id) -> ClusterShare | None:
    return next((each for each in cluster.shared_with if each.user_id == user_id), None)
