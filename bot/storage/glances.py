"""The clear fields of many conversations in one read, for lists; nothing is opened."""

from collections.abc import Sequence

from bot.domain.ids import PersonId
from bot.storage.documents import CONVERSATIONS
from bot.storage.mongo import Document, Mongo, reaches

_FIELDS = dict.fromkeys(("window_until", "stopped", "restricted", "erasing", "consents"), 1)


@reaches
async def glances(mongo: Mongo, persons: Sequence[PersonId]) -> dict[PersonId, Document]:
    """Person to the fields; who was erased is not among them."""
    wanted = {"_id": {"$in": list(set(persons))}}
    return {PersonId(row["_id"]): row async for row in mongo.collection(CONVERSATIONS).find(wanted, _FIELDS)}
