"""After a restore of an older main database: finds what the replay list holds and the database does not, and does it again.

Erases who was erased since, stops who stopped since, withdraws what was withdrawn since (GDPR art. 7(3), 17, 21(3)). Idempotent and
resumable: whatever is interrupted is still found missing. Runs while no bot does (`serve` refuses to start on such a database).
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.domain.errors import SettingsProblem
from bot.domain.ids import PersonId
from bot.privacy.erasure import row_actions
from bot.privacy.keyring import Keyring
from bot.storage.documents import CONVERSATIONS
from bot.storage.mongo import Document, Mongo, insert_all_once, insert_once, reaches, upsert
from bot.storage.people import TOMBSTONE_KEPT, TOMBSTONES
from bot.storage.replays import BACKUPS_LIVE, ERASURE, REPLAY, SUPPRESSION, WITHDRAWAL, Replays
from bot.storage.subjects import COLLECTION as SUBJECTS
from bot.storage.subjects import Subjects

BATCH = 500
ALIVE = "alive"
"""Row of `schema` in both databases: when this installation was last seen at work, which tells the age of a restored backup."""

_LIVE = ("requested", "pending_confirmation", "given")


@dataclass(frozen=True, slots=True)
class Behind:
    """How many entries of the list the main database does not hold."""

    erasures: int = 0
    suppressions: int = 0
    withdrawals: int = 0

    def __bool__(self) -> bool:
        return bool(self.erasures or self.suppressions or self.withdrawals)

    def __str__(self) -> str:
        return f"{self.erasures} erasures, {self.suppressions} suppressions, {self.withdrawals} withdrawals"


class Replaying:
    """Compares the main database with the vault's list, and brings it up to it."""

    def __init__(self, mongo: Mongo, replays: Replays) -> None:
        self._mongo = mongo
        self._replays = replays

    @reaches
    async def total(self, now: datetime) -> int:
        """How many entries a run will look at, for a progress bar."""
        return int(await self._mongo.vault[REPLAY].count_documents({"expires": {"$gt": now}}))

    # -- is it behind? -------------------------------------------------------------------------------------------------

    @reaches
    async def behind(self, now: datetime) -> Behind:
        """What is missing, with the replay file's entries where there is one; changes nothing but the vault's own list."""
        await self._from_file(now)
        found = dict.fromkeys((ERASURE, SUPPRESSION, WITHDRAWAL), 0)
        async for batch in self._entries(now):
            for kind, missing in (await self._missing(batch)).items():
                found[kind] += len(missing)
        return Behind(found[ERASURE], found[SUPPRESSION], found[WITHDRAWAL])

    async def _from_file(self, now: datetime) -> None:
        """A vault that was restored itself learns from the file what it forgot."""
        file = self._replays.file
        if file is None:
            return
        rows = self._mongo.vault[REPLAY]
        for entry in file.entries():
            if entry["expires"] > now:
                await insert_once(rows, entry)

    async def _entries(self, now: datetime) -> AsyncIterator[Sequence[Document]]:
        last: Any = ""
        while True:
            query = {"_id": {"$gt": last}, "expires": {"$gt": now}}
            batch = await self._mongo.vault[REPLAY].find(query).sort("_id", 1).limit(BATCH).to_list(None)
            if not batch:
                return
            yield batch
            last = batch[-1]["_id"]

    async def _missing(self, batch: Sequence[Document]) -> dict[str, list[Document]]:
        by_kind = {kind: [one for one in batch if one["kind"] == kind] for kind in (ERASURE, SUPPRESSION, WITHDRAWAL)}
        return {
            ERASURE: await self._missing_erasures(by_kind[ERASURE]),
            SUPPRESSION: await self._missing_suppressions(by_kind[SUPPRESSION]),
            WITHDRAWAL: await self._missing_withdrawals(by_kind[WITHDRAWAL]),
        }

    async def _missing_erasures(self, entries: Sequence[Document]) -> list[Document]:
        """Those of whose person something stands although nobody is erasing it."""
        if not entries:
            return []
        persons = [one["person"] for one in entries]
        standing: set[str] = set()
        for action in row_actions():
            gone = {} if action.delete else {"$or": [{name: {"$exists": True}} for name in action.unset]}
            rows = self._mongo.collection(action.collection)
            standing |= set(await rows.distinct(action.found_by, {action.found_by: {"$in": persons}, **gone}))
        standing |= set(await self._mongo.vault[SUBJECTS].distinct("_id", {"_id": {"$in": persons}}))
        jobs = await self._mongo.collection("erasure_jobs").distinct("person", {"person": {"$in": persons}})
        under_way = await self._mongo.collection(CONVERSATIONS).distinct(
            "_id", {"_id": {"$in": persons}, "erasing": True}
        )
        left = standing - set(jobs) - set(under_way)
        return [one for one in entries if one["person"] in left]

    async def _missing_suppressions(self, entries: Sequence[Document]) -> list[Document]:
        ids = [_row_of(one) for one in entries]
        rows = self._mongo.collection("suppressions")
        known = (
            {row["_id"]: row["since"] async for row in rows.find({"_id": {"$in": ids}}, {"since": 1})} if ids else {}
        )
        return [one for one in entries if known.get(_row_of(one)) is None or known[_row_of(one)] < one["since"]]

    async def _missing_withdrawals(self, entries: Sequence[Document]) -> list[Document]:
        persons = [one["person"] for one in entries]
        rows = self._mongo.collection(CONVERSATIONS)
        known = (
            {row["_id"]: row async for row in rows.find({"_id": {"$in": persons}}, {"consents": 1})} if persons else {}
        )
        return [one for one in entries if _older_yes(known.get(one["person"]), one)]

    # -- bringing it up ------------------------------------------------------------------------------------------------

    async def run(
        self, subjects: Subjects, keyring: Keyring, now: datetime, *, told: Callable[[int], None] | None = None
    ) -> Behind:  # fmt: skip
        """Does again what is missing and returns what that was. The suppression rows last: until then it counts as behind.

        `told` hears how many entries were looked at.
        """
        await self._from_file(now)
        done = dict.fromkeys((ERASURE, SUPPRESSION, WITHDRAWAL), 0)
        suppressions: list[Document] = []
        stops: list[Document] = []
        async for batch in self._entries(now):
            missing = await self._missing(batch)
            suppressions += missing[SUPPRESSION]
            stops += [one for one in batch if one["kind"] == SUPPRESSION]
            for entry in missing[ERASURE]:
                await self._erase(PersonId(entry["person"]), subjects, now)
                done[ERASURE] += 1
            for entry in missing[WITHDRAWAL]:
                done[WITHDRAWAL] += await self._withdraw(entry)
            if told is not None:
                told(len(batch))
        done[SUPPRESSION] = len(suppressions)
        if stops:
            # All of them: in a backup that is no snapshot the row may be newer than the conversation it belongs to.
            await self._stop_everybody(stops, subjects, keyring)
        for entry in suppressions:
            await self._suppress(entry, now)
        return Behind(done[ERASURE], done[SUPPRESSION], done[WITHDRAWAL])

    @reaches
    async def _erase(self, person: PersonId, subjects: Subjects, now: datetime) -> None:
        """The key first, should an older vault have brought it back; ids of answered messages stay buried (decisions.md 16)."""
        await subjects.destroy(person)
        row = await self._mongo.collection(CONVERSATIONS).find_one({"_id": person}, {"seen": 1})
        if row is not None:
            seen = [{"_id": bytes(one["i"]).hex(), "expires": now + TOMBSTONE_KEPT} for one in row.get("seen", ())]
            await insert_all_once(self._mongo.collection(TOMBSTONES), seen)
        for action in row_actions():
            rows, found = self._mongo.collection(action.collection), {action.found_by: person}
            if action.delete:
                await rows.delete_many(found)
            else:
                await rows.update_many(found, {"$unset": dict.fromkeys(action.unset, "")})

    @reaches
    async def _withdraw(self, entry: Document) -> int:
        """As the turn did it: state, time and event of the consent, and a new standing, so that nothing decided before goes out."""
        rows, place = self._mongo.collection(CONVERSATIONS), f"consents.{entry['purpose']}"
        row = await rows.find_one({"_id": entry["person"]}, {"v": 1, "consents": 1})
        if not _older_yes(row, entry) or row is None:
            return 0
        change = {
            "$set": {f"{place}.state": "withdrawn", f"{place}.since": entry["since"], f"{place}.event": entry["_id"]},
            "$unset": {f"{place}.{name}": "" for name in ("request", "expires", "valid_until")},
            "$inc": {"v": 1, "g": 1},
        }
        return int((await rows.update_one({"_id": entry["person"], "v": row["v"]}, change)).modified_count)

    @reaches
    async def _stop_everybody(self, entries: Sequence[Document], subjects: Subjects, keyring: Keyring) -> None:
        """Sets the flags of the conversations whose person an entry is about: only who is still known can be told by it."""
        wanted: dict[str, list[Document]] = {}
        for entry in entries:
            wanted.setdefault(entry["i"], []).append(entry)
        async for row in self._mongo.collection(CONVERSATIONS).find({}, {"_id": 1}):
            person = PersonId(row["_id"])
            subject = await subjects.openable(person)
            subjects.forget(person)
            if subject is None or subject.address is None:
                continue
            hers = [entry for one in keyring.suppression_ids(subject.address) for entry in wanted.get(one.id, ())]
            for entry in hers:
                place = f"stopped.{entry['scope']}"
                older = {"_id": person, "$or": [{place: {"$exists": False}}, {place: {"$lt": entry["since"]}}]}
                change = {"$set": {place: entry["since"]}, "$inc": {"v": 1, "g": 1}}
                await self._mongo.collection(CONVERSATIONS).update_one(older, change)

    @reaches
    async def _suppress(self, entry: Mapping[str, Any], now: datetime) -> None:
        fixed = {name: entry[name] for name in ("i", "kid", "scope", "source")}
        times = {"since": entry["since"], "expires": now + _REMEMBERED}
        await upsert(self._mongo.collection("suppressions"), _row_of(entry), {"$set": fixed, "$max": times})


_REMEMBERED = timedelta(days=3 * 365)
"""Of a row that came back: counted from the replay, because when it was last needed is lost with the database."""


def _row_of(entry: Mapping[str, Any]) -> str:
    return str(entry["_id"]).partition(":")[2]


def _older_yes(conversation: Mapping[str, Any] | None, entry: Mapping[str, Any]) -> bool:
    """Whether the conversation holds a consent, or a request for one, from before the withdrawal."""
    consent = ((conversation or {}).get("consents") or {}).get(entry["purpose"])
    if consent is None or consent.get("state") not in _LIVE:
        return False
    since: datetime | None = consent.get("since")
    return since is None or since < entry["since"]


# -- how old a backup is ----------------------------------------------------------------------------------------------------


@reaches
async def seen_alive(mongo: Mongo, now: datetime) -> None:
    """Notes in both databases that the installation is at work, the vault first."""
    for rows in (mongo.vault["schema"], mongo.main["schema"]):
        await upsert(rows, ALIVE, {"$max": {"at": now}})


@reaches
async def refuse_too_old(mongo: Mongo) -> None:
    """Raises `SettingsProblem` for a main database older than the list reaches back: who was erased before cannot be known any more."""
    vault = await mongo.vault["schema"].find_one({"_id": ALIVE})
    main = await mongo.main["schema"].find_one({"_id": ALIVE})
    if vault is None:
        return
    if main is None:
        if await mongo.main["conversations"].find_one({}, {"_id": 1}) is None:
            return  # an empty database holds nobody
        raise SettingsProblem("The main database does not say when it was last in use, but the vault does." + _TOO_OLD)
    days = (vault["at"] - main["at"]).days
    if days >= BACKUPS_LIVE.days - 1:
        raise SettingsProblem(f"The main database is {days} days older than the vault." + _TOO_OLD)


_TOO_OLD = (
    f" The list of erasures reaches back {BACKUPS_LIVE.days} days only, so people erased before would come back (GDPR art. 17). "
    "Restore a newer backup; docs/backup.md says how."
)


async def refuse_behind(mongo: Mongo, replays: Replays, now: datetime) -> None:
    """Raises `SettingsProblem` when the main database lacks what the replay list holds (decisions.md 15)."""
    await refuse_too_old(mongo)
    behind = await Replaying(mongo, replays).behind(now)
    if behind:
        raise SettingsProblem(
            f"The main database is behind the vault's replay list ({behind}): an older backup was restored. Run "
            "`recado replay-erasures`, which does them again; then start. Until then nobody who was erased or who stopped is safe."
        )
