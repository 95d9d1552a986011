"""The sweeper's hands: finds what is past its time, takes it away, and reads back that it is gone (GDPR art. 5(1)(e); decisions.md 18).

What is due is decided by `privacy.retention`. Every write names what was read (decisions.md 10): a live turn is never raced, nobody is
made again, and whatever is interrupted is found due again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any, TypeAlias

from bot.privacy import retention
from bot.privacy.crypto import random_token
from bot.privacy.inventory import COLLECTIONS
from bot.privacy.keyring import Keyring
from bot.privacy.retention import Periods, Report, Visit
from bot.runtime.ports import Clock, Lease
from bot.storage.key_use import rows_of
from bot.storage.leases import Leases
from bot.storage.mongo import Document, Mongo, reaches
from bot.storage.replays import Replays
from bot.storage.subjects import Subjects
from bot.storage.sweeping_ledger import EpochSweep
from bot.storage.sweeping_people import PeopleSweep
from bot.storage.sweeping_talks import TalkSweep

BATCH = 500
LEASE = timedelta(minutes=2)

Part: TypeAlias = Callable[[Visit], Awaitable[None]]


class MongoSweeper:
    """The runtime's `Sweeper`: one part a kind of data, each by one process at a time."""

    def __init__(
        self, mongo: Mongo, keyring: Keyring, subjects: Subjects, replays: Replays, clock: Clock, periods: Periods
    ) -> None:  # fmt: skip
        self._mongo = mongo
        self._replays = replays
        self._clock = clock
        self._periods = periods
        self._leases = Leases(mongo)
        people = PeopleSweep(mongo)
        # Keys first: what the other parts take away now, their keys follow in the next run, so that what is due can be told before.
        self.parts: Mapping[str, Part] = {
            "subjects": people.nobody_s,
            "identities": people.half_made,
            "conversations": TalkSweep(mongo, subjects, periods).run,
            "sign_ups": self._sign_ups,
            "rows": self._rows_ending,
            "requests": self._requests,
            "evidence": self._evidence,
            "ledger": EpochSweep(mongo, keyring, periods).run,
            "replay_file": self._replay_file,
        }

    async def due(self) -> Report:
        """What a run would delete now; changes nothing."""
        report, now = Report(), self._clock.now()
        for part in self.parts.values():
            await part(Visit(now, delete=False, report=report))
        return report

    async def sweep(self) -> Report:
        """Deletes what is due and returns what that was; parts that another process is at are left to it.

        Raises `RetryLater` when the database is out of reach; what was not reached is due at the next run.
        """
        report = Report()
        for name, part in self.parts.items():
            now = self._clock.now()
            job, lease = f"retention:{name}", Lease(random_token(), now + LEASE)
            if not await self._leases.take(job, lease, now):
                continue
            holding = asyncio.create_task(self._hold(job, lease.token))
            try:
                await part(Visit(now, delete=True, report=report))
            finally:
                holding.cancel()
                await asyncio.gather(holding, return_exceptions=True)
                await self._leases.give_back(job, lease)
        return report

    async def _hold(self, job: str, token: str) -> None:
        """Prolongs the lease of a long part. Lost all the same, two at a part cost only the work: every write is guarded."""
        while True:
            await asyncio.sleep(LEASE.total_seconds() / 3)
            now = self._clock.now()
            await self._leases.take(job, Lease(token, now + LEASE), now)

    # -- whole rows ----------------------------------------------------------------------------------------------------

    @reaches
    async def _rows_ending(self, visit: Visit) -> None:
        for name in retention.row_ending():
            rows, rule = rows_of(self._mongo, name), _rule_of(name)
            await self._whole(rows, {"expires": {"$lte": visit.now}}, (name, rule), visit)
        for name, (rule, counted) in retention.COUNTED.items():
            lasts = self._periods.lasts[rule]
            if lasts < (retention.retentions()[rule].lasts or lasts):
                query = {counted: {"$lte": visit.now - lasts}, "expires": {"$gt": visit.now}}
                await self._whole(rows_of(self._mongo, name), query, (name, rule), visit)

    async def _whole(self, rows: Any, query: Document, what: tuple[str, str], visit: Visit) -> None:
        """Rows that end as a whole: so many at a time, and read back."""
        report = visit.report
        if not visit.delete:
            report.add(*what, count=await rows.count_documents(query))
            return
        while ids := [row["_id"] async for row in rows.find(query, {"_id": 1}).limit(BATCH)]:
            mine = {**query, "_id": {"$in": ids}}
            report.add(*what, count=(await rows.delete_many(mine)).deleted_count)
            left = await rows.count_documents(mine)
            report.unverified += left
            if left:
                return

    @reaches
    async def _requests(self, visit: Visit) -> None:
        """First the words of what was answered, later the answer itself (privacy.md 2.8)."""
        rows, lasts = self._mongo.collection("requests"), self._periods.lasts
        now, report = visit.now, visit.report
        over = {"closed_at": {"$lte": now - lasts["request"]}}
        words = {
            "closed_at": {"$lte": now - lasts["request_words"], "$gt": now - lasts["request"]},
            "$or": [{"p": {"$exists": True}}, {"person": {"$exists": True}}],
        }
        await self._whole(rows, over, ("requests", "request"), visit)
        if not visit.delete:
            report.add("requests", "request_words", "p person", await rows.count_documents(words))
            return
        result = await rows.update_many(words, {"$unset": {"p": "", "person": ""}})
        report.add("requests", "request_words", "p person", result.modified_count)
        report.unverified += await rows.count_documents(words)

    @reaches
    async def _sign_ups(self, visit: Visit) -> None:
        """Number and words of a website request that is over, should whoever waited for its answer have ended before it."""
        rows = self._mongo.collection("opt_in_requests")
        over = {"until": {"$lte": visit.now}, "$or": [{name: {"$exists": True}} for name in _OPEN]}
        if visit.delete:
            gone = {"$set": {"state": "expired"}, "$unset": dict.fromkeys(_OPEN, "")}
            visit.report.add(
                "opt_in_requests", "opt_in_open", " ".join(_OPEN), (await rows.update_many(over, gone)).modified_count
            )
            visit.report.unverified += await rows.count_documents(over)
        else:
            visit.report.add("opt_in_requests", "opt_in_open", " ".join(_OPEN), await rows.count_documents(over))

    # -- proof of consent ----------------------------------------------------------------------------------------------

    @reaches
    async def _evidence(self, visit: Visit) -> None:
        """The words of consents that ended long ago; by person, because a consent's end is another event's time."""
        ledger, words = self._mongo.collection("ledger"), self._mongo.collection("evidence")
        shortest = min([self._periods.lasts["evidence"], *self._periods.proofs.values()])
        old = {"recorded_at": {"$lte": visit.now - shortest}}
        refs = ledger.aggregate([{"$match": old}, {"$group": {"_id": "$subject_ref"}}], allowDiskUse=True)
        async for row in refs:
            events = [retention.recorded(one) async for one in ledger.find({"subject_ref": row["_id"]})]
            ends = retention.evidence_ends(events, self._periods)
            due = [event for event, end in ends.items() if end is not None and end <= visit.now]
            if due:
                await self._whole(words, {"_id": {"$in": due}}, ("evidence", "evidence"), visit)
                if visit.delete and len(due) == len(events):
                    # Nothing of theirs is left to prove: the next run looks whether their key still opens anything.
                    at_once = {"subject_ref": row["_id"], "sweep_at": {"$gt": visit.now}}
                    await self._mongo.vault["subjects"].update_one(at_once, {"$set": {"sweep_at": visit.now}})

    async def _replay_file(self, visit: Visit) -> None:
        file = self._replays.file
        if file is None:
            return
        over = sum(one["expires"] <= visit.now for one in file.entries())
        if over and visit.delete:
            file.compact(visit.now)
            visit.report.unverified += sum(one["expires"] <= visit.now for one in file.entries())
        visit.report.add("replay file", "replay", "*", over)


def _open_fields() -> tuple[str, ...]:
    """What a website request holds only while it waits, by the register; with the mark that it does."""
    table = COLLECTIONS["opt_in_requests"]
    paths = {
        one.path.split(".")[0] for one in table.fields if one.retention.name == "opt_in_open" and "/" not in one.path
    }
    return ("open", *sorted(paths))


_OPEN = _open_fields()


def _rule_of(collection: str) -> str:
    """The retention of a collection's rows: that of its `expires`."""
    return next(one.retention.name for one in COLLECTIONS[collection].fields if one.path == "expires")
