"""Who wants no messages: rows under keyed hashes, for the gate and the import filter only; they outlive an erasure.

GDPR art. 21(3), 17(3)(b); privacy.md 2.9. There is no way here to list them.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from bot.domain.command import Suppress
from bot.domain.ids import Address
from bot.privacy.keyring import Keyring
from bot.privacy.suppression import LASTS, expires_at, is_standing, renewal
from bot.runtime.ports import Clock
from bot.storage.mongo import Mongo, reaches, upsert
from bot.storage.replays import Replays

COLLECTION = "suppressions"


class MongoSuppressions:
    """The runtime's `Suppressions`."""

    def __init__(
        self, mongo: Mongo, keyring: Keyring, clock: Clock, *, lasts: timedelta = LASTS, replays: Replays | None = None
    ) -> None:  # fmt: skip
        """`lasts`: how long a STOP is remembered after it was last needed; what stands already ends as it was written."""
        self._rows = mongo.collection(COLLECTION)
        self._keyring = keyring
        self._clock = clock
        self._lasts = lasts
        self._replays = replays or Replays(mongo)

    @reaches
    async def suppress(self, address: Address, suppressions: Sequence[Suppress]) -> None:
        """Upserts are right here: the row's own name says all it means, and a repetition is the same wish."""
        kid = self._keyring.current_suppression_kid
        mine = [one for one in self._keyring.suppression_ids(address) if one.kid == kid]
        written = []
        for one in suppressions:
            for identity in mine:
                fixed = {"i": identity.id, "kid": identity.kid, "scope": one.scope, "source": one.source}
                times = {"since": one.since, "expires": expires_at(one.since, lasts=self._lasts)}
                await upsert(self._rows, f"{identity.id}:{one.scope}", {"$set": fixed, "$max": times})
                written.append({"_id": f"{identity.id}:{one.scope}", **fixed, **times})
        # The vault after the main database: whatever it lists stands there, unless an older backup was put in its place.
        await self._replays.suppressed(written, self._clock.now())

    @reaches
    async def standing(self, address: Address) -> Mapping[str, datetime]:
        now = self._clock.now()
        ids = [one.id for one in self._keyring.suppression_ids(address)]
        found: dict[str, datetime] = {}
        async for row in self._rows.find({"i": {"$in": ids}}):
            if not is_standing(row["since"], row.get("hit_at"), now, lasts=self._lasts):
                continue
            found[row["scope"]] = max(row["since"], found.get(row["scope"], row["since"]))
            hit = renewal(row["since"], row.get("hit_at"), now)
            if hit is not None:
                expires = expires_at(row["since"], hit, lasts=self._lasts)
                await self._rows.update_one({"_id": row["_id"]}, {"$max": {"hit_at": hit, "expires": expires}})
        return found

    @reaches
    async def lift(self, address: Address, scopes: Sequence[str]) -> None:
        ids = [one.id for one in self._keyring.suppression_ids(address)]
        await self._replays.lifted([f"{one}:{scope}" for one in ids for scope in scopes], self._clock.now())
        await self._rows.delete_many({"i": {"$in": ids}, "scope": {"$in": list(scopes)}})
