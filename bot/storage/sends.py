"""What went out, without content: found by our random callback id, or by the keyed hash of Meta's id (decisions.md 14)."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from bot.domain.command import Send
from bot.domain.ids import CommandId, PersonId, Wamid
from bot.privacy.crypto import random_token
from bot.privacy.keyring import Keyring
from bot.privacy.policy import AGENT
from bot.storage.bulks import Bulks
from bot.storage.mongo import Document, Mongo, reaches, upsert

COLLECTION = "sends"
AGENTS_MOST = 4096
"""Messages of agents whose fate is told to the screens at once; of older ones, and of other processes', the page asks itself."""
KEPT = timedelta(days=30)

# A later status never goes back (chatwoot 14529): read implies delivered, failed is last.
RANKS = {"started": 0, "accepted": 1, "sent": 2, "delivered": 3, "read": 4, "played": 5, "failed": 6}
_TIMED = frozenset({"sent", "delivered", "read", "failed"})
_NAMES = {rank: name for name, rank in RANKS.items()}


Told = Callable[[PersonId, datetime], Awaitable[None]]


class MongoSends:
    """The runtime's `Sends`."""

    def __init__(self, mongo: Mongo, keyring: Keyring, *, told: Told | None = None) -> None:
        """`told` hears of whom an agent's message met another fate: the screens of agents show it."""
        self._rows = mongo.collection(COLLECTION)
        self._bulks = Bulks(self._rows)
        self._keyring = keyring
        self._told = told
        self._agents: OrderedDict[str, PersonId] = OrderedDict()

    @reaches
    async def start(self, callback: str, person: PersonId, send: Send, now: datetime) -> None:
        row = {"_id": callback, **self._facts(person, send, now), "rank": 0, "started_at": now}
        await self._bulks.insert(row, look=False)
        if send.reason == AGENT:
            self._agents[callback] = person
            while len(self._agents) > AGENTS_MOST:
                self._agents.popitem(last=False)

    @staticmethod
    def _facts(person: PersonId, send: Send, now: datetime) -> Document:
        return {
            "person": person, "command": send.id, "reason": send.reason, "purpose": send.purpose, "category": send.category,
            "at": now, "expires": now + KEPT,
        }  # fmt: skip

    @reaches
    async def accepted(self, callback: str, wamid: Wamid, now: datetime) -> None:
        change = {
            "$set": {"w": self._keyring.wamid_hash(wamid), "accepted_at": now},
            "$max": {"rank": RANKS["accepted"]},
        }
        await self._bulks.note({"_id": callback}, change)

    @reaches
    async def outcome(self, callback: str) -> str | None:
        row = await self._rows.find_one({"_id": callback}, {"rank": 1})
        return _NAMES.get(row["rank"]) if row else None

    @reaches
    async def refused(self, person: PersonId, send: Send, reason: str, now: datetime) -> None:
        row_id = f"refused:{send.id}"
        facts = {**self._facts(person, send, now), "refused": reason}
        await upsert(self._rows, row_id, {"$setOnInsert": facts})
        if send.reason == AGENT and self._told is not None:
            await self._told(person, now)

    @reaches
    async def status(self, callback: str, wamid: Wamid, status: str, at: datetime, code: int, pricing: str) -> None:
        rank = RANKS.get(status)
        if rank is None:
            return  # a status that Meta added later says nothing we keep
        guard: Document = {"_id": callback} if callback else {"w": self._keyring.wamid_hash(wamid)}
        facts: Document = {f"{status}_at": at} if status in _TIMED else {}
        if code:
            facts["code"] = code
        if pricing:
            facts["pricing"] = pricing
        await self._bulks.note(guard, {"$max": {"rank": rank}, **({"$set": facts} if facts else {})})
        person = self._agents.get(callback)
        if person is not None and self._told is not None:
            await self._told(person, at)

    @reaches
    async def of_command(self, person: PersonId, command: str) -> tuple[str, str] | None:
        """(status, why) of a message of this person by the command that sent it; None while it is in the line, or of another's."""
        rows = await self._rows.find({"person": person, "command": command}).sort("rank", -1).limit(1).to_list(None)
        if not rows:
            return None
        [row] = rows
        if "refused" in row:
            return "refused", str(row["refused"])
        status = _NAMES[row["rank"]]
        return status, f"meta_{row['code']}" if status == "failed" and "code" in row else ""

    @reaches
    async def recipient(self, callback: str, wamid: Wamid) -> PersonId | None:
        guard: Document = {"_id": callback} if callback else {"w": self._keyring.wamid_hash(wamid)}
        row = await self._rows.find_one(guard, {"person": 1})
        return PersonId(row["person"]) if row else None

    @reaches
    async def count(self, person: PersonId, send: Send, since: datetime) -> int:
        """How many such messages (reason and purpose) were handed to Meta since then."""
        same = {
            "person": person,
            "reason": send.reason,
            "purpose": send.purpose,
            "started_at": {"$gt": since},
            "command": {"$ne": send.id},
        }
        return int(await self._rows.count_documents({**same, "rank": {"$lt": RANKS["failed"]}}))

    @reaches
    async def in_flight_of(self, person: PersonId) -> list[CommandId]:
        """Sends that were started and not yet answered."""
        rows = await self._rows.find(
            {"person": person, "rank": 0, "refused": {"$exists": False}}, {"command": 1}
        ).to_list(None)
        return [CommandId(row["command"]) for row in rows]


def new_callback() -> str:
    """A random id that says nothing about anybody."""
    return random_token()
