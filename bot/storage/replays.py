"""The replay list in the vault: what a restored backup of the main database must be told again (decisions.md 15).

Three kinds of entries, none of which says who anybody is: erasures (a random id), suppressions (a keyed hash) and withdrawals (a
random id and a purpose). Every entry is written after the main database holds what it repeats (an erasure: while its command is
pending there), so a main database that lacks it is an older one. Applying the list is `replaying`'s.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pymongo import UpdateOne

from bot.domain.command import RecordConsent
from bot.domain.ids import CommandId, PersonId
from bot.runtime.ports import Ledger
from bot.storage.mongo import Document, Mongo, insert_once, reaches
from bot.storage.replay_file import ReplayFile

REPLAY = "replay"
BACKUPS_LIVE = timedelta(days=36)
"""One day longer than the oldest backup (privacy.md 2.8)."""

ERASURE, SUPPRESSION, WITHDRAWAL = "erasure", "suppression", "withdrawal"


class Replays:
    """Writes the list. Every call may be repeated."""

    def __init__(self, mongo: Mongo, file: ReplayFile | None = None, *, kept: timedelta = BACKUPS_LIVE) -> None:
        """`file`: the same list once more, where the vault may be lost together with the main database."""
        self._rows = mongo.vault[REPLAY]
        self._file = file
        self._kept = kept

    @property
    def file(self) -> ReplayFile | None:
        return self._file

    @reaches
    async def erased(self, command: CommandId, person: PersonId, ref: str, now: datetime) -> None:
        """A restored backup must be erased again (GDPR art. 17, 32); kept as long as the oldest backup may live."""
        row = {"_id": command, "person": person, "subject_ref": ref, "kind": ERASURE, **self._times(now)}
        await self._filed([row])
        await insert_once(self._rows, row)

    @reaches
    async def suppressed(self, rows: Sequence[Mapping[str, Any]], now: datetime) -> None:
        """Suppression rows (`_id`, `i`, `kid`, `scope`, `source`, `since`, `expires`) once more (GDPR art. 21(3)).

        An entry never outlives its row, or the row's end would look like an older database.
        """
        entries = [
            {
                **row, "_id": _of_suppression(row["_id"]), "kind": SUPPRESSION, "at": now,
                "expires": min(now + self._kept, row["expires"]),
            }
            for row in rows
        ]  # fmt: skip
        await self._filed(entries)
        changes = []
        for entry in entries:
            facts = {name: entry[name] for name in ("kind", "i", "kid", "scope", "source", "at")}
            latest = {name: entry[name] for name in ("since", "expires")}
            changes.append(UpdateOne({"_id": entry["_id"]}, {"$set": facts, "$max": latest}, upsert=True))
        if changes:
            await self._rows.bulk_write(changes, ordered=False)

    @reaches
    async def lifted(self, suppressions: Sequence[str], now: datetime) -> None:
        """Takes suppressions off the list, before they go from the main database."""
        ids = [_of_suppression(one) for one in suppressions]
        await self._filed([{"_id": one, "kind": "lifted", **self._times(now)} for one in ids])
        await self._rows.delete_many({"_id": {"$in": ids}})

    @reaches
    async def suppression_moved(self, old: str, new: str, fixed: Mapping[str, Any]) -> None:
        """Follows a row that was brought under a newer key; the new one stands in the main database already."""
        entry = await self._rows.find_one({"_id": _of_suppression(old)})
        if entry is None:
            return
        moved = {**entry, **fixed, "_id": _of_suppression(new)}
        await self._filed(
            [moved, {"_id": entry["_id"], "kind": "lifted", "at": entry["at"], "expires": entry["expires"]}]
        )
        await insert_once(self._rows, moved)
        await self._rows.delete_one({"_id": entry["_id"]})

    @reaches
    async def withdrawn(self, person: PersonId, event: RecordConsent, now: datetime) -> None:
        """A withdrawal that a backup must not undo (GDPR art. 7(3))."""
        row = {
            "_id": event.id, "kind": WITHDRAWAL, "person": person, "purpose": event.purpose, "since": event.occurred_at,
            **self._times(now),
        }  # fmt: skip
        await self._filed([row])
        await insert_once(self._rows, row)

    def _times(self, now: datetime) -> Document:
        return {"at": now, "expires": now + self._kept}

    async def _filed(self, entries: Sequence[Mapping[str, Any]]) -> None:
        if self._file is not None:
            await asyncio.to_thread(self._file.append, entries)


def _of_suppression(row: str) -> str:
    return f"{SUPPRESSION}:{row}"


class ReplayedLedger:
    """The runtime's `Ledger`, with every withdrawal put on the replay list as it is recorded."""

    def __init__(self, ledger: Ledger, replays: Replays) -> None:
        self._ledger = ledger
        self._replays = replays

    async def record(self, person: PersonId, event: RecordConsent, now: datetime) -> None:
        await self._ledger.record(person, event, now)
        if event.event_type == "withdrawn" and event.purpose:
            await self._replays.withdrawn(person, event, now)

    async def holds(self, command: CommandId) -> bool:
        return await self._ledger.holds(command)
