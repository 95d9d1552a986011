"""Indexes, made at start: every query on the way of a message is by `_id`; a whole row ends by TTL, a field never (decisions.md 18)."""

from typing import Any

from bot.domain.errors import SettingsProblem
from bot.privacy.inventory import COLLECTIONS
from bot.storage.mongo import Mongo, reaches, upsert

SCHEMA_VERSION = 1

_EXPIRING = ("sends", "tombstones", "erasure_jobs", "dead_letters", "seen_pages", "tickets", "transcripts", "exports", "opt_in_requests",
             "suppressions", "replay", "pace", "console_events", "merges", "media", "media_chunks",
             "access_log", "api_keys", "api_answers", "notes", "drafts", "audit_log", "sessions")  # fmt: skip
_EXTRA: dict[str, list[Any]] = {
    "conversations": [[("work_due", 1)], [("sweep_at", 1)]],
    "sends": [[("w", 1)], [("person", 1), ("started_at", 1)]],
    "suppressions": [[("i", 1)], [("kid", 1)]],
    "identities": [[("kid", 1)]],
    "subjects": [[("kid", 1)], [("sweep_at", 1)], [("subject_ref", 1)], [("former.ref", 1)]],
    "ledger": [[("subject_ref", 1)], [("recorded_at", 1)]],
    "requests": [[("subject_ref", 1)], [("closed_at", 1)]],
    "tickets": [[("team", 1), ("state", 1), ("opened_at", 1)], [("owner", 1), ("state", 1)]],
    "transcripts": [[("ticket", 1), ("at", 1)]],
    "notes": [[("ticket", 1)]],
    "drafts": [[("ticket", 1)]],
    "audit_log": [[("at", 1)]],
    "sessions": [[("staff", 1)], [("live_at", 1)]],
    "credentials": [[("staff", 1)]],
    "staff": [[("join", 1)]],
    "console_events": [[("team", 1), ("seq", 1)]],
    "opt_in_requests": [[("due", 1)], [("until", 1)], [("w", 1)]],
}
_UNIQUE: dict[str, tuple[str, ...]] = {"opt_in_requests": ("slot", "open"), "ledger_leaves": ("event",)}
"""Fields that decide races: no two rows may hold the same value; rows without one do not count."""


@reaches
async def prepare(mongo: Mongo) -> None:
    """Makes what is missing; repeating it changes nothing. Raises `SettingsProblem` on data of a newer version of the program."""
    known = await mongo.collection("schema").find_one({"_id": "recado"})
    if known is not None and known["version"] > SCHEMA_VERSION:
        raise SettingsProblem("The database was written by a newer version of Recado; start that version.")
    for name, collection in COLLECTIONS.items():
        rows = (mongo.vault if collection.vault else mongo.main)[name]
        if collection.found_by and collection.found_by != "_id":
            await rows.create_index([(collection.found_by, 1)])
        for keys in _EXTRA.get(name, ()):
            await rows.create_index(keys)
        for only in _UNIQUE.get(name, ()):
            await rows.create_index([(only, 1)], unique=True, sparse=True)
        if name in _EXPIRING:
            await rows.create_index([("expires", 1)], expireAfterSeconds=0)
    if known is None:
        await upsert(mongo.collection("schema"), "recado", {"$set": {"version": SCHEMA_VERSION}})
