"""What was published and must stay as it was: flows by version and texts by content hash (decisions.md 18). About nobody."""

from collections.abc import Sequence
from datetime import datetime

from bot.storage.mongo import Document, Mongo, insert_once, reaches


class Published:
    """Immutable rows; a repetition changes nothing."""

    def __init__(self, mongo: Mongo) -> None:
        self._flows = mongo.collection("flow_versions")
        self._texts = mongo.collection("texts")
        self._conversations = mongo.collection("conversations")

    @reaches
    async def flow(self, flow: str, version: str, language: str, content: bytes, now: datetime) -> None:
        row = {"_id": f"{flow}:{version}", "flow": flow, "language": language, "content": content, "published_at": now}
        await insert_once(self._flows, row)

    @reaches
    async def flows(self) -> Sequence[tuple[str, str, bytes]]:
        """(flow, version, content) of every published flow."""
        rows = await self._flows.find({}).to_list(None)
        return [(row["flow"], row["_id"].partition(":")[2], bytes(row["content"])) for row in rows]

    @reaches
    async def versions(self) -> Sequence[tuple[str, str]]:
        """(flow, version) of every published flow, without its content."""
        rows = await self._flows.find({}, {"flow": 1}).to_list(None)
        return [(row["flow"], row["_id"].partition(":")[2]) for row in rows]

    @reaches
    async def content(self, flow: str, version: str) -> bytes | None:
        """A published flow as it was written, or None."""
        row = await self._flows.find_one({"_id": f"{flow}:{version}"}, {"content": 1})
        return bytes(row["content"]) if row is not None else None

    @reaches
    async def parked(self) -> Sequence[tuple[str, str, str, int]]:
        """(flow, version, step, how many conversations wait there), most first; only counts leave the database."""
        place = {"flow": "$frames.flow", "version": "$frames.version", "step": "$frames.step"}
        steps = [
            {"$unwind": "$frames"},
            {"$group": {"_id": place, "people": {"$sum": 1}}},
            {"$sort": {"people": -1, "_id": 1}},
        ]
        rows = await self._conversations.aggregate(steps).to_list(None)
        return [(row["_id"]["flow"], row["_id"]["version"], row["_id"]["step"], row["people"]) for row in rows]

    @reaches
    async def text(self, kind: str, name: str, hash_: str, language: str, content: str, now: datetime) -> None:
        row = {"_id": hash_, "kind": kind, "name": name, "language": language, "content": content, "published_at": now}
        await insert_once(self._texts, row)

    @reaches
    async def find_text(self, hash_: str) -> Document | None:
        found: Document | None = await self._texts.find_one({"_id": hash_})
        return found

    @reaches
    async def texts(self, kind: str) -> Sequence[tuple[str, str, str, str]]:
        """(name, language, hash, content) of every text of a kind, in the order of their publication."""
        rows = await self._texts.find({"kind": kind}).sort([("published_at", 1), ("_id", 1)]).to_list(None)
        return [(row["name"], row["language"], row["_id"], row["content"]) for row in rows]
