"""The consent ledger: events without words, insert only; the exact words beside it under the person's key (decisions.md 17).

`commit` hides the sealed words under a salt that lives in the vault: with the salt gone nothing can be tested against it
(privacy.md 3.5). The places of events in the tree and the signed heads are `leaves`' and add rows only.
"""

from datetime import datetime
from typing import Any

from bot.domain import plain
from bot.domain.command import RecordConsent
from bot.domain.errors import RetryLater
from bot.domain.ids import CommandId, PersonId
from bot.privacy.crypto import TENANT
from bot.privacy.ledger.leaves import commitment
from bot.storage.documents import seal
from bot.storage.mongo import Mongo, insert_once, reaches
from bot.storage.subjects import Subjects

LEDGER, EVIDENCE = "ledger", "evidence"
SCHEMA = "consent-event/1"
LEDGER_VERSION = "recado-ledger/1"


class MongoLedger:
    """The runtime's `Ledger`."""

    def __init__(
        self, mongo: Mongo, subjects: Subjects, *, jurisdiction: str, controller: str, account: str = "", parties: str = ""
    ) -> None:  # fmt: skip
        """`account`: which business number (Meta's id of it); `parties`: hash of the published list of controller and processors."""
        self._rows = mongo.collection(LEDGER)
        self._words = mongo.collection(EVIDENCE)
        self._subjects = subjects
        self._constant = {
            "schema": SCHEMA, "ledger_version": LEDGER_VERSION, "tenant": TENANT, "channel": "whatsapp", "account_ref": account,
            "jurisdiction": jurisdiction, "controller": controller, "parties_version": parties, "age_gate": "unknown",
        }  # fmt: skip

    @reaches
    async def record(self, person: PersonId, event: RecordConsent, now: datetime) -> None:
        subject = await self._subjects.find(person)
        if subject is None:
            raise RetryLater("the person's key is gone; an erasure is under way")
        clear, private = plain.split(event)
        fields: dict[str, Any] = {name: value for name, value in clear.items() if name not in ("_", "id")}
        if private:
            sealed = seal(subject.key, private, collection=EVIDENCE, row=event.id, field="p", person=person)
            await insert_once(self._words, {"_id": event.id, "person": person, "p": sealed})
        fields["commit"] = commitment(subject.salt, event.id, private)
        document = {"_id": event.id, "subject_ref": subject.ref, **self._constant, "recorded_at": now, **fields}
        await insert_once(self._rows, document)

    @reaches
    async def holds(self, command: CommandId) -> bool:
        return await self._rows.find_one({"_id": command}, {"_id": 1}) is not None
