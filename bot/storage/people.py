"""Who somebody is: identities as keyed hashes, each leading to one random person (decisions.md 2).

A number that comes with another BSUID than before belongs to a new person: numbers are given to new owners. What the old owner
suppressed stays suppressed on the number, because suppressions stand under the number itself.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from bot.domain.ids import Address, EventId, PersonId
from bot.privacy.crypto import random_token
from bot.privacy.keyring import IdentityId, Keyring
from bot.storage.mongo import Mongo, reaches
from bot.storage.subjects import Subjects

IDENTITIES = "identities"
TOMBSTONES = "tombstones"
TOMBSTONE_KEPT = timedelta(days=8)
_SCOPED = frozenset({"bsuid", "parent_bsuid"})


class MongoPeople:
    """The runtime's `People`."""

    def __init__(self, mongo: Mongo, subjects: Subjects, keyring: Keyring) -> None:
        self._rows = mongo.collection(IDENTITIES)
        self._gone = mongo.collection(TOMBSTONES)
        self._subjects = subjects
        self._keyring = keyring

    @reaches
    async def recognise(self, address: Address, now: datetime) -> PersonId | None:
        del now
        identities = self._keyring.identity_ids(address)
        rows = await self._rows.find({"_id": {"$in": [one.id for one in identities]}}).to_list(None)
        owners = {row["_id"]: PersonId(row["person"]) for row in rows}
        for identity in identities:
            if identity.kind in _SCOPED and identity.id in owners:
                return owners[identity.id]
        by_number = next((owners[one.id] for one in identities if one.id in owners), None)
        if by_number is None:
            return None
        scoped_here = any(one.kind in _SCOPED for one in identities)
        if scoped_here and await self._rows.find_one({"person": by_number, "kind": "bsuid"}, {"_id": 1}):
            return None  # the number was given to somebody else
        return by_number

    @reaches
    async def admit(self, address: Address, now: datetime) -> PersonId:
        known = await self.recognise(address, now)
        if known is not None:
            await self.bind(known, address, now)
            return known
        person = PersonId(random_token())
        await self._subjects.create(person, address, now)
        first = self._current(address)[0]
        try:
            await self._insert(first, person, now)
        except DuplicateKeyError:
            winner = await self._taken_over(first, person, now)
            if winner != person:
                await self._subjects.destroy(person)
                await self.bind(winner, address, now)
                return winner
        await self.bind(person, address, now)
        return person

    async def _taken_over(self, identity: IdentityId, person: PersonId, now: datetime) -> PersonId:
        """A row that stands already: another process was faster, or a number has a new owner."""
        row = await self._rows.find_one({"_id": identity.id})
        if row is None:
            await self._insert(identity, person, now)
            return person
        owner = PersonId(row["person"])
        if identity.kind in _SCOPED:
            return owner
        scoped = await self._rows.find_one({"person": owner, "kind": "bsuid"}, {"_id": 1})
        if scoped is None:
            return owner
        return await self._move(identity, owner, person)

    async def _move(self, identity: IdentityId, owner: PersonId, person: PersonId) -> PersonId:
        moved = await self._rows.find_one_and_update(
            {"_id": identity.id, "person": owner}, {"$set": {"person": person}}, return_document=ReturnDocument.AFTER
        )
        return PersonId(moved["person"]) if moved else owner

    async def _insert(self, identity: IdentityId, person: PersonId, now: datetime) -> None:
        await self._rows.insert_one(
            {"_id": identity.id, "person": person, "kind": identity.kind, "kid": identity.kid, "since": now}
        )

    def _current(self, address: Address) -> Sequence[IdentityId]:
        """The identities under the current index key, the scoped ones first: they decide who somebody is."""
        kid = self._keyring.current_index_kid
        mine = [one for one in self._keyring.identity_ids(address) if one.kid == kid]
        return sorted(mine, key=lambda one: one.kind not in _SCOPED)

    @reaches
    async def bind(self, person: PersonId, address: Address, now: datetime) -> None:
        for identity in self._current(address):
            try:
                await self._insert(identity, person, now)
            except DuplicateKeyError:
                row = await self._rows.find_one({"_id": identity.id})
                owner = PersonId(row["person"]) if row else person
                if owner != person and identity.kind not in _SCOPED:
                    await self._move(identity, owner, person)
        await self._subjects.move(person, await self._completed(person, address))

    async def _completed(self, person: PersonId, address: Address) -> Address:
        """The newest address, with what was known before where the message does not say it."""
        subject = await self._subjects.find(person)
        known = subject.address if subject else None
        if known is None:
            return address
        return Address(
            address.phone or known.phone, address.bsuid or known.bsuid, address.parent_bsuid or known.parent_bsuid
        )

    @reaches
    async def address(self, person: PersonId) -> Address | None:
        subject = await self._subjects.find(person)
        return subject.address if subject else None

    @reaches
    async def gone(self, events: Sequence[EventId]) -> frozenset[EventId]:
        rows = await self._gone.find({"_id": {"$in": list(events)}}, {"_id": 1}).to_list(None)
        return frozenset(EventId(row["_id"]) for row in rows)
