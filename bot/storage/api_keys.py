"""Keys of the REST API: found by their public half, never by their secret, of which only a keyed hash is stored."""

from datetime import date, datetime, timedelta

from bot.privacy.access import ApiKey
from bot.storage.mongo import Document, Mongo, insert_once, reaches

COLLECTION = "api_keys"
KEPT = timedelta(days=365)
"""How long a key that opens nothing any more is listed, so that the log of who read what can be read (GDPR art. 5(2))."""


class MongoApiKeys:
    """Rows of `api_keys`, by the id that a token begins with."""

    def __init__(self, mongo: Mongo) -> None:
        self._rows = mongo.collection(COLLECTION)

    @reaches
    async def add(self, key: ApiKey) -> bool:
        """Keeps a new key; False when its id is taken."""
        row: Document = {
            "_id": key.id, "name": key.name, "scopes": list(key.scopes), "hash": key.hash, "created_at": key.created_at,
        }  # fmt: skip
        if key.until is not None:
            row |= {"until": key.until, "expires": key.until + KEPT}
        return await insert_once(self._rows, row)

    @reaches
    async def find(self, key_id: str) -> ApiKey | None:
        row = await self._rows.find_one({"_id": key_id})
        return _key(row) if row is not None else None

    @reaches
    async def all(self) -> list[ApiKey]:
        """The newest first, dead ones too."""
        return [_key(row) for row in await self._rows.find({}).sort("created_at", -1).to_list(None)]

    @reaches
    async def any_live(self, now: datetime) -> bool:
        """Whether any key opens anything now."""
        live = {"revoked_at": {"$exists": False}, "$or": [{"until": {"$exists": False}}, {"until": {"$gt": now}}]}
        return await self._rows.find_one(live, {"_id": 1}) is not None

    @reaches
    async def revoke(self, key_id: str, now: datetime) -> bool:
        """From now on it opens nothing, in no process; False when there is no such key or it was revoked before."""
        change = {"$set": {"revoked_at": now, "expires": now + KEPT}}
        result = await self._rows.update_one({"_id": key_id, "revoked_at": {"$exists": False}}, change)
        return bool(result.matched_count)

    @reaches
    async def used(self, key_id: str, day: date) -> None:
        """Notes the day; finer than that nobody needs to know when a system of the business was at work."""
        await self._rows.update_one({"_id": key_id}, {"$set": {"used_on": day.isoformat()}})


def _key(row: Document) -> ApiKey:
    used = row.get("used_on")
    return ApiKey(
        row["_id"], row["name"], tuple(row["scopes"]), row["hash"], row["created_at"], row.get("until"), row.get("revoked_at"),
        date.fromisoformat(used) if used else None,
    )  # fmt: skip
