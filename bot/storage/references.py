"""Short forms of references: what an operator types of one is enough where it names one thing only. For commands, never for the API."""

from dataclasses import dataclass
from typing import Any

from bot.domain.errors import RecadoError
from bot.storage.mongo import Mongo, reaches

SHORTEST = 4
"""Fewer characters are not taken: a slip of the finger should not name somebody."""


@dataclass(frozen=True, slots=True)
class Kind:
    """Where references of a kind stand: (collection, field), in the order of which one is asked; and what commands call them."""

    title: str
    places: tuple[tuple[str, str], ...]
    vault: tuple[tuple[str, str], ...] = ()


SUBJECT = Kind("reference", (("ledger", "subject_ref"), ("requests", "subject_ref")), (("subjects", "subject_ref"),))
EVENT = Kind("event", (("ledger", "_id"),))
REQUEST = Kind("request", (("requests", "_id"),))
LETTER = Kind("dead letter", (("dead_letters", "_id"),))
KEY = Kind("key", (("api_keys", "_id"),))


class Ambiguous(RecadoError):
    """The beginning that was given fits several references; nothing was done."""


@reaches
async def whole(mongo: Mongo, kind: Kind, start: str) -> str:
    """The one reference that begins so, or `start` as it is where none does or it is too short to tell.

    Raises `Ambiguous` when several begin so.
    """
    start = start.rstrip("….").strip()
    if len(start) < SHORTEST:
        return start
    found: set[str] = set()
    for database, places in ((mongo.main, kind.places), (mongo.vault, kind.vault)):
        for collection, field in places:
            found |= await _ends(database[collection], field, start)
    if start in found or not found:
        return start
    if len(found) > 1:
        raise Ambiguous(f"More than one {kind.title} begins with {start}; write more of it. Nothing was done.")
    return found.pop()


async def _ends(rows: Any, field: str, start: str) -> set[str]:
    """The first and the last that begin so: one value where there is one, two where there are several."""
    within = {field: {"$gte": start, "$lt": start + "\uffff"}}
    ends = [await rows.find(within, {field: 1}).sort(field, way).limit(1).to_list(None) for way in (1, -1)]
    return {str(row[field]) for end in ends for row in end}
