"""The vault: each person's own key, wrapped, and their sealed address (decisions.md 15). Keys are remembered for seconds only."""

from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime

from pymongo import ReturnDocument

from bot.domain import plain
from bot.domain.errors import Unreadable
from bot.domain.ids import Address, PersonId
from bot.privacy.crypto import DataKey, new_key, random_token
from bot.privacy.erasure import KEY_CACHES_LIVE
from bot.privacy.keyring import Keyring, WrappedKey
from bot.runtime.ports import Clock
from bot.storage.documents import seal, unseal
from bot.storage.mongo import Mongo, reaches

COLLECTION = "subjects"
REMEMBERED = KEY_CACHES_LIVE
"""An erasure is said to be complete only after this (decisions.md 16)."""

AT_MOST = 4096


@dataclass(frozen=True, slots=True)
class Subject:
    """One person's secrets, opened. `salt` hides the ledger's commitments and dies with the person."""

    person: PersonId
    ref: str
    key: DataKey = field(repr=False)
    salt: bytes = field(repr=False)
    address: Address | None = field(repr=False)


class Subjects:
    """Rows of the vault."""

    def __init__(self, mongo: Mongo, keyring: Keyring, clock: Clock) -> None:
        self._rows = mongo.vault[COLLECTION]
        self._keyring = keyring
        self._clock = clock
        self._known: OrderedDict[PersonId, tuple[datetime, Subject]] = OrderedDict()

    @reaches
    async def create(self, person: PersonId, address: Address, now: datetime) -> Subject:
        """A new person with an own key."""
        key, wrapped = self._keyring.new_data_key(person)
        ref, salt = random_token(), new_key()
        sealed = self._sealed(key, person, address)
        row = {
            "_id": person,
            "subject_ref": ref,
            "kid": wrapped.kid,
            "key": wrapped.sealed,
            "salt": salt,
            "address": sealed,
        }
        await self._rows.insert_one({**row, "created_at": now})
        return self._remember(Subject(person, ref, key, salt, address))

    @reaches
    async def find(self, person: PersonId) -> Subject | None:
        """The person's secrets, or None when they were erased. Raises `Unreadable` when the wrapping key is not here."""
        known = self._known.get(person)
        if known is not None and self._clock.now() - known[0] < REMEMBERED:
            self._known.move_to_end(person)
            return known[1]
        row = await self._rows.find_one({"_id": person})
        if row is None:
            self.forget(person)
            return None
        key = self._keyring.open_data_key(person, WrappedKey(row["kid"], bytes(row["key"])))
        try:
            opened = unseal(key, row["address"], collection=COLLECTION, row=person, field="address", person=person)
            address: Address | None = plain.decode(opened["v"])
        except Unreadable:
            address = None
        return self._remember(Subject(person, row["subject_ref"], key, bytes(row["salt"]), address))

    async def key(self, person: PersonId) -> DataKey | None:
        """The data key, or None for an erased person and for one whose key cannot be opened."""
        try:
            subject = await self.find(person)
        except Unreadable:
            return None
        return subject.key if subject else None

    @reaches
    async def move(self, person: PersonId, address: Address) -> None:
        """Keeps the newest address."""
        subject = await self.find(person)
        if subject is None or subject.address == address:
            return
        sealed = self._sealed(subject.key, person, address)
        row = await self._rows.find_one_and_update(
            {"_id": person}, {"$set": {"address": sealed}}, return_document=ReturnDocument.AFTER, projection={"_id": 1}
        )
        if row is not None:
            self._remember(Subject(person, subject.ref, subject.key, subject.salt, address))

    @reaches
    async def destroy(self, person: PersonId) -> None:
        """The key goes, and with it everything sealed under it, backups included (GDPR art. 17)."""
        await self._rows.delete_one({"_id": person})
        self.forget(person)

    def forget(self, person: PersonId) -> None:
        self._known.pop(person, None)

    @staticmethod
    def _sealed(key: DataKey, person: PersonId, address: Address) -> bytes:
        return seal(
            key, {"v": plain.encode(address)}, collection=COLLECTION, row=person, field="address", person=person
        )

    def _remember(self, subject: Subject) -> Subject:
        self._known[subject.person] = (self._clock.now(), subject)
        self._known.move_to_end(subject.person)
        while len(self._known) > AT_MOST:
            self._known.popitem(last=False)
        return subject
