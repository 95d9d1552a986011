"""The consent ledger: events without words, insert only; the exact words beside it under the person's key (decisions.md 17).

`commit` hides the sealed words under a salt that lives in the vault: with the salt gone nothing can be tested against it
(privacy.md 3.5). Sequencing into leaves and signed heads is a later room's work and adds documents only.
"""

from datetime import datetime
from hashlib import sha256
from typing import Any

import bson

from bot.domain import plain
from bot.domain.command import RecordConsent
from bot.domain.errors import RetryLater
from bot.domain.ids import CommandId, PersonId
from bot.storage.documents import seal
from bot.storage.mongo import Mongo, insert_once, reaches
from bot.storage.subjects import Subjects

LEDGER, EVIDENCE = "ledger", "evidence"
SCHEMA = "consent-event/1"
_PAD = 256


def commitment(salt: bytes, event: str, payload: bytes) -> bytes:
    """Hides and binds: SHA-256 over a tag, the person's salt, the event's id and the payload padded so that its length says nothing."""
    padded = len(payload).to_bytes(4, "big") + payload
    padded += bytes(-len(padded) % _PAD)
    return sha256(b"recado/consent-commit/1\0" + salt + event.encode() + padded).digest()


class MongoLedger:
    """The runtime's `Ledger`."""

    def __init__(self, mongo: Mongo, subjects: Subjects, *, jurisdiction: str, controller: str) -> None:
        self._rows = mongo.collection(LEDGER)
        self._words = mongo.collection(EVIDENCE)
        self._subjects = subjects
        self._constant = {
            "schema": SCHEMA,
            "channel": "whatsapp",
            "jurisdiction": jurisdiction,
            "controller": controller,
        }

    @reaches
    async def record(self, person: PersonId, event: RecordConsent, now: datetime) -> None:
        subject = await self._subjects.find(person)
        if subject is None:
            raise RetryLater("the person's key is gone; an erasure is under way")
        clear, private = plain.split(event)
        fields: dict[str, Any] = {name: value for name, value in clear.items() if name not in ("_", "id")}
        payload = bson.encode(dict(sorted(private.items())))
        if private:
            sealed = seal(subject.key, private, collection=EVIDENCE, row=event.id, field="p", person=person)
            await insert_once(self._words, {"_id": event.id, "person": person, "p": sealed})
        fields["commit"] = commitment(subject.salt, event.id, payload)
        document = {"_id": event.id, "subject_ref": subject.ref, **self._constant, "recorded_at": now, **fields}
        await insert_once(self._rows, document)

    @reaches
    async def holds(self, command: CommandId) -> bool:
        return await self._rows.find_one({"_id": command}, {"_id": 1}) is not None
