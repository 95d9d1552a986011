"""Everything that is stored about one person, opened: for their own copy and for nothing else (GDPR art. 15).

Goes through the register, so that no collection can be forgotten. What cannot be opened is left out, never shown sealed.
"""

from typing import Any

from bot.domain.errors import Unreadable
from bot.domain.ids import PersonId
from bot.privacy.inventory import Collection, collections_of_person
from bot.privacy.keyring import Keyring
from bot.storage.documents import unseal
from bot.storage.mongo import Document, Mongo, reaches
from bot.storage.subjects import Subject, Subjects

AT_MOST = 2000
"""Rows of one collection; a person has far fewer."""


class Copies:
    """Reads a person's rows."""

    def __init__(self, mongo: Mongo, subjects: Subjects, keyring: Keyring) -> None:
        self._mongo = mongo
        self._subjects = subjects
        self._keyring = keyring

    @reaches
    async def rows_of(self, person: PersonId) -> dict[str, list[Document]]:
        """Collection to raw documents whose sealed parts `p` are mappings; an empty one where a row is damaged.

        Raises `Unreadable` when the person's key cannot be opened: half a copy would be a wrong answer (GDPR art. 12(1), 15(3)).
        """
        subject = await self._subjects.find(person)
        found: dict[str, list[Document]] = {}
        for collection in collections_of_person():
            database = self._mongo.vault if collection.vault else self._mongo.main
            value = self._value(collection, person, subject)
            if value is None:
                continue
            rows = await database[collection.name].find({collection.found_by: value}).limit(AT_MOST).to_list(None)
            if rows:
                found[collection.name] = [self._opened(collection.name, row, person, subject) for row in rows]
        return found

    def _value(self, collection: Collection, person: PersonId, subject: Subject | None) -> Any:
        if collection.found_as == "person":
            return person
        if collection.found_as == "identity_id" and subject and subject.address:
            return {"$in": [one.id for one in self._keyring.identity_ids(subject.address)]}
        return {"$in": list(subject.references)} if collection.found_as == "subject_ref" and subject else None

    def _opened(self, collection: str, row: Document, person: PersonId, subject: Subject | None) -> Document:
        # The address goes into a copy by itself (`privacy.export.assemble`: numbers); here it is only its sealed bytes.
        opened = {name: value for name, value in row.items() if name != "address"}
        if isinstance(opened.get("p"), bytes):
            opened["p"] = self._unsealed(opened["p"], collection, str(row["_id"]), "p", person, subject)
        for pending in opened.get("pending", ()):
            if isinstance(pending.get("p"), bytes):
                pending["p"] = self._unsealed(pending["p"], collection, str(pending["id"]), "pending", person, subject)
        return opened

    @staticmethod
    def _unsealed(
        sealed: bytes, collection: str, row: str, field: str, person: PersonId, subject: Subject | None
    ) -> dict[str, Any]:
        if subject is None:
            return {}
        try:
            return unseal(subject.key, sealed, collection=collection, row=row, field=field, person=person)
        except Unreadable:
            return {}
