"""Epochs of the consent ledger under the sweeper: pruned as a whole when the proof of every event in them is past its time.

What stays is a signed word that the epoch was pruned, with its root and size (privacy.md 3.5). The newest epoch never goes, because the
next one is chained to it. Where the database's user may not delete from the ledger, an operator's run does it.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from pymongo.errors import OperationFailure

from bot.privacy import retention
from bot.privacy.keyring import Keyring
from bot.privacy.ledger.heads import sign_head
from bot.privacy.retention import Periods, Visit, recorded
from bot.storage.leaves import HEADS, LEAVES, MongoLeaves
from bot.storage.ledger import LEDGER
from bot.storage.mongo import Mongo, reaches

_BATCH = 500
_FORBIDDEN = 13


class EpochSweep:
    """One pass over the epochs that may be old enough."""

    def __init__(self, mongo: Mongo, keyring: Keyring, periods: Periods) -> None:
        self._leaves = MongoLeaves(mongo)
        self._places = mongo.collection(LEAVES)
        self._heads = mongo.collection(HEADS)
        self._events = mongo.collection(LEDGER)
        self._sign = keyring.sign
        self._periods = periods

    @reaches
    async def run(self, visit: Visit) -> None:
        """Skeletons that may not be deleted by this user are told as overdue."""
        for epoch in await self._old(visit.now):
            places = await self._places.count_documents(_of(epoch))
            events = await self._events_of(epoch)
            if not places or not await self._all_due(events, visit.now):
                continue
            if visit.delete and not await self._pruned(epoch, visit):
                visit.report.overdue["ledger"] = visit.report.overdue.get("ledger", 0) + len(events)
                continue
            visit.report.add(LEDGER, "evidence", "*", len(events))
            visit.report.add(LEAVES, "evidence", "*", places)

    async def _old(self, now: datetime) -> Sequence[str]:
        """Closed epochs of which no event can be younger than the shortest proof."""
        tail = await self._leaves.tail()
        if tail is None:
            return []
        known = {str(row["_id"]).partition(":")[0] async for row in self._heads.find({}, {"_id": 1})}
        shortest = min([self._periods.lasts["evidence"], *self._periods.proofs.values()])
        return sorted(one for one in known if one < tail.epoch and _begins(one) + shortest <= now)

    async def _events_of(self, epoch: str) -> list[str]:
        """The consent events in it; the lines that open and close it are none."""
        named = [row["event"] async for row in self._places.find(_of(epoch), {"event": 1})]
        found: list[str] = []
        for start in range(0, len(named), _BATCH):
            rows = self._events.find({"_id": {"$in": named[start : start + _BATCH]}}, {"_id": 1})
            found += [row["_id"] async for row in rows]
        return found

    async def _all_due(self, events: Sequence[str], now: datetime) -> bool:
        refs: set[str] = set()
        for start in range(0, len(events), _BATCH):
            mine = {"_id": {"$in": list(events[start : start + _BATCH])}}
            refs |= set(await self._events.distinct("subject_ref", mine))
        wanted = set(events)
        for ref in refs:
            told = [recorded(row) async for row in self._events.find({"subject_ref": ref})]
            for event, end in retention.evidence_ends(told, self._periods).items():
                if event in wanted and (end is None or end > now):
                    return False
        return True

    async def _pruned(self, epoch: str, visit: Visit) -> bool:
        head = await self._leaves.last_head(epoch)
        if head is None:
            return False
        whole = head.size == await self._places.count_documents(_of(epoch))
        # Cut off before, the word that it was pruned stands already, and the rest follows it.
        if not whole and await self._heads.find_one({"_id": f"{epoch}:pruned"}, {"_id": 1}) is None:
            return False
        word = sign_head(epoch, head.size, head.root, visit.now, self._sign, pruned=True)
        try:
            await self._leaves.prune(word)
        except OperationFailure as problem:
            if problem.code != _FORBIDDEN:
                raise
            return False
        visit.report.unverified += await self._places.count_documents(_of(epoch))
        return True


def _of(epoch: str) -> dict[str, dict[str, str]]:
    return {"_id": {"$gte": f"{epoch}:", "$lt": f"{epoch};"}}


def _begins(epoch: str) -> datetime:
    return datetime(int(epoch[:4]), int(epoch[5:7]), 1, tzinfo=UTC)
