"""What failed for good, for operators to look at, play again or drop: sealed, and gone after seven days (architecture.md 8)."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.domain import plain
from bot.domain.errors import Unreadable
from bot.domain.ids import PersonId
from bot.runtime.ports import DeadLetter
from bot.storage.desk import DEAD_LETTERS
from bot.storage.documents import unseal
from bot.storage.mongo import Document, Mongo, reaches
from bot.storage.subjects import Subjects


@dataclass(frozen=True, slots=True)
class Kept:
    """One dead letter as it lies there; `letter.content` is None unless it was opened."""

    id: str
    at: datetime
    expires: datetime
    letter: DeadLetter = field(repr=False)


class MongoDeadLetters:
    """Dead letters by the id that operators see; the runtime puts them there by `MongoDesk`."""

    def __init__(self, mongo: Mongo, subjects: Subjects) -> None:
        self._rows = mongo.collection(DEAD_LETTERS)
        self._subjects = subjects

    @reaches
    async def all(self, *, most: int = 1000) -> list[Kept]:
        """The newest first, without their content."""
        return [_kept(row) for row in await self._rows.find({}, {"p": 0}).sort("at", -1).limit(most).to_list(None)]

    @reaches
    async def find(self, letter: str) -> Kept | None:
        """One letter with its content. Raises `Unreadable` when it cannot be opened; None when it is gone."""
        row = await self._rows.find_one({"_id": letter})
        if row is None or "p" not in row:
            return _kept(row) if row is not None else None
        person = PersonId(row["person"])
        key = await self._subjects.key(person)
        if key is None:
            raise Unreadable(
                "the person's key is gone or cannot be opened, so the letter cannot be read; it can be dropped"
            )
        opened = unseal(key, row["p"], collection=DEAD_LETTERS, row=row["_id"], field="p", person=person)
        return _kept(row, plain.decode(opened.get("content")))

    @reaches
    async def drop(self, letter: str) -> bool:
        """Whether there was such a letter."""
        return bool((await self._rows.delete_one({"_id": letter})).deleted_count)


def _kept(row: Document, content: Any = None) -> Kept:
    letter = DeadLetter(PersonId(row["person"]), row["kind"], row["name"], row["reason"], content)
    return Kept(row["_id"], row["at"], row["expires"], letter)
