"""The vault: each person's own key, wrapped, and their sealed address (decisions.md 15). Keys are remembered for seconds only."""

from collections import OrderedDict
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.domain import plain
from bot.domain.errors import RetryLater, Unreadable
from bot.domain.ids import Address, PersonId
from bot.privacy.crypto import DataKey, new_key, random_token
from bot.privacy.erasure import KEY_CACHES_LIVE
from bot.privacy.keyring import Keyring, WrappedKey
from bot.runtime.ports import Clock
from bot.storage.bulks import Bulks
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
    former: tuple[str, ...] = ()

    @property
    def references(self) -> tuple[str, ...]:
        """Every reference under which the ledger knows this person: their own, and those of people merged into them."""
        return (self.ref, *self.former)


class Subjects:
    """Rows of the vault."""

    def __init__(self, mongo: Mongo, keyring: Keyring, clock: Clock) -> None:
        self._rows = mongo.vault[COLLECTION]
        self._bulks = Bulks(self._rows)
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
        asked = self._clock.now()
        await self._rows.insert_one({**row, "created_at": now})
        return self._remember(Subject(person, ref, key, salt, address), asked)

    @reaches
    async def stands(self, person: PersonId) -> bool:
        """Whether the person has a key now, asked in the database itself: what an erasure took is seen at once."""
        return await self._rows.find_one({"_id": person}, {"_id": 1}) is not None

    @reaches
    async def by_reference(self, reference: str) -> PersonId | None:
        """Who a reference in the ledger or the register belongs to; None for nobody, or somebody who was erased."""
        row = await self._rows.find_one(named(reference), {"_id": 1})
        return PersonId(row["_id"]) if row is not None else None

    @reaches
    async def find(self, person: PersonId) -> Subject | None:
        """The person's secrets, or None when they were erased. Raises `Unreadable` when the wrapping key is not here."""
        asked = self._clock.now()
        known = self._known.get(person)
        if known is not None and asked - known[0] < REMEMBERED:
            self._known.move_to_end(person)
            return known[1]
        row = (await self._bulks.read(person)).get(person)
        if row is None:
            self.forget(person)
            return None
        key = self._keyring.open_data_key(person, WrappedKey(row["kid"], bytes(row["key"])))
        try:
            sealed = row["address"]  # gone where only the proof of a consent is left of somebody (retention)
            opened = unseal(key, sealed, collection=COLLECTION, row=person, field="address", person=person)
            address: Address | None = plain.decode(opened["v"])
        except (Unreadable, KeyError):
            address = None
        former = tuple(one["ref"] for one in row.get("former", ()))
        return self._remember(Subject(person, row["subject_ref"], key, bytes(row["salt"]), address, former), asked)

    async def openable(self, person: PersonId) -> Subject | None:
        """As `find`, but None as well where the key cannot be opened: for what must go on without it."""
        try:
            return await self.find(person)
        except Unreadable:
            return None

    async def key(self, person: PersonId) -> DataKey | None:
        """The data key, or None for an erased person and for one whose key cannot be opened."""
        subject = await self.openable(person)
        return subject.key if subject else None

    async def move(self, person: PersonId, address: Address) -> None:
        """Keeps the newest address, with what was known before where it does not say it; nothing without the person's key."""
        subject = await self.openable(person)
        if subject is None:
            return
        known = subject.address
        if known is not None:
            address = Address(
                address.phone or known.phone, address.bsuid or known.bsuid, address.parent_bsuid or known.parent_bsuid
            )
        await self._readdress(subject, address)

    async def drop_number(self, person: PersonId) -> None:
        """Forgets the number of somebody whose number was given to somebody else: nothing may be sent to it any more."""
        subject = await self.openable(person)
        if subject is None or subject.address is None:
            return
        bsuid, parent = subject.address.bsuid, subject.address.parent_bsuid
        await self._readdress(subject, Address(None, bsuid, parent) if bsuid or parent else None)

    @reaches
    async def _readdress(self, subject: Subject, address: Address | None) -> None:
        if subject.address == address:
            return
        asked, person = self._clock.now(), subject.person
        sealed = self._sealed(subject.key, person, address)
        result = await self._rows.update_one({"_id": person}, {"$set": {"address": sealed}})
        if result.matched_count:
            self._remember(replace(subject, address=address), asked)

    @reaches
    async def absorb(self, winner: PersonId, loser: PersonId) -> None:
        """The loser's ledger reference and salt become the winner's; then the loser's key goes. Raises `RetryLater` without a winner."""
        row = await self._rows.find_one({"_id": loser})
        if row is not None:
            own = {"person": loser, "ref": row["subject_ref"], "salt": row["salt"]}
            added = {"$addToSet": {"former": {"$each": [own, *row.get("former", ())]}}}
            if not (await self._rows.update_one({"_id": winner}, added)).matched_count:
                raise RetryLater("the person who remains has no key")
            await self._rows.delete_one({"_id": loser})
        self.forget(loser)
        self.forget(winner)

    @reaches
    async def merged_into(self, person: PersonId) -> list[tuple[PersonId, str]]:
        """Who was merged into this person, each with their ledger reference."""
        row = await self._rows.find_one({"_id": person}, {"former": 1})
        return [(PersonId(one["person"]), one["ref"]) for one in (row or {}).get("former", ())]

    @reaches
    async def destroy(self, person: PersonId) -> None:
        """The key goes, and with it everything sealed under it, backups included (GDPR art. 17)."""
        await self._rows.delete_one({"_id": person})
        self.forget(person)

    def forget(self, person: PersonId) -> None:
        self._known.pop(person, None)

    @staticmethod
    def _sealed(key: DataKey, person: PersonId, address: Address | None) -> bytes:
        return seal(
            key, {"v": plain.encode(address)}, collection=COLLECTION, row=person, field="address", person=person
        )

    def _remember(self, subject: Subject, asked: datetime) -> Subject:
        """`asked` is before the database was: what an erasure took meanwhile is not remembered for longer than promised."""
        self._known[subject.person] = (asked, subject)
        self._known.move_to_end(subject.person)
        while len(self._known) > AT_MOST:
            self._known.popitem(last=False)
        return subject


def named(reference: str) -> dict[str, object]:
    """Finds the vault row of whoever a ledger reference belongs to, people merged into them included."""
    return {"$or": [{"subject_ref": reference}, {"former.ref": reference}]}
