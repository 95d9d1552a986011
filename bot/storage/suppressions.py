"""Who wants no messages: rows under keyed hashes, for the gate and the import filter only; they outlive an erasure.

GDPR art. 21(3), 17(3)(b); privacy.md 2.9. There is no way here to list them.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.domain.command import Suppress
from bot.domain.ids import Address
from bot.privacy.keyring import Keyring
from bot.privacy.suppression import expires_at, is_standing, renewal
from bot.runtime.ports import Clock
from bot.storage.mongo import Mongo, reaches, upsert

COLLECTION = "suppressions"


class MongoSuppressions:
    """The runtime's `Suppressions`."""

    def __init__(self, mongo: Mongo, keyring: Keyring, clock: Clock) -> None:
        self._rows = mongo.collection(COLLECTION)
        self._keyring = keyring
        self._clock = clock

    @reaches
    async def suppress(self, address: Address, suppressions: Sequence[Suppress]) -> None:
        """Upserts are right here: the row's own name says all it means, and a repetition is the same wish."""
        kid = self._keyring.current_suppression_kid
        for one in suppressions:
            for identity in self._keyring.suppression_ids(address):
                if identity.kid != kid:
                    continue
                fixed = {"i": identity.id, "kid": identity.kid, "scope": one.scope, "source": one.source}
                times = {"since": one.since, "expires": expires_at(one.since)}
                await upsert(self._rows, f"{identity.id}:{one.scope}", {"$set": fixed, "$max": times})

    @reaches
    async def standing(self, address: Address) -> Mapping[str, datetime]:
        now = self._clock.now()
        ids = [one.id for one in self._keyring.suppression_ids(address)]
        found: dict[str, datetime] = {}
        async for row in self._rows.find({"i": {"$in": ids}}):
            if not is_standing(row["since"], row.get("hit_at"), now):
                continue
            found[row["scope"]] = max(row["since"], found.get(row["scope"], row["since"]))
            hit = renewal(row["since"], row.get("hit_at"), now)
            if hit is not None:
                await self._rows.update_one(
                    {"_id": row["_id"]}, {"$max": {"hit_at": hit, "expires": expires_at(row["since"], hit)}}
                )
        return found

    @reaches
    async def lift(self, address: Address, scopes: Sequence[str]) -> None:
        ids = [one.id for one in self._keyring.suppression_ids(address)]
        await self._rows.delete_many({"i": {"$in": ids}, "scope": {"$in": list(scopes)}})
