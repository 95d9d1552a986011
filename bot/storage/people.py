"""Who somebody is: identities as keyed hashes, each leading to one random person (decisions.md 2).

A number that comes with another BSUID than before belongs to a new person: numbers are given to new owners. What the old owner
suppressed stays suppressed on the number, because suppressions stand under the number itself.
"""

import asyncio
import random
from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.domain.errors import RetryLater
from bot.domain.ids import Address, EventId, PersonId
from bot.privacy.crypto import random_token
from bot.privacy.keyring import IdentityId, Keyring
from bot.storage.bulks import Bulks
from bot.storage.mongo import Document, Mongo, insert_once, reaches
from bot.storage.subjects import Subjects

IDENTITIES = "identities"
TOMBSTONES = "tombstones"
MAKING = timedelta(seconds=10)
"""After so long a person whose making was cut off counts as made."""

TOMBSTONE_KEPT = timedelta(days=8)
TRIES = 20
_SCOPED = frozenset({"bsuid", "parent_bsuid"})


class MongoPeople:
    """The runtime's `People`."""

    def __init__(self, mongo: Mongo, subjects: Subjects, keyring: Keyring) -> None:
        self._rows = mongo.collection(IDENTITIES)
        self._bulks = Bulks(self._rows)
        self._gone = mongo.collection(TOMBSTONES)
        self._subjects = subjects
        self._keyring = keyring

    @reaches
    async def recognise(self, address: Address, now: datetime) -> PersonId | None:
        identities = self._keyring.identity_ids(address)
        rows = await self._bulks.read(*(one.id for one in identities))
        owners = {name: PersonId(row["person"]) for name, row in rows.items() if _stands(row, now)}
        for identity in identities:
            if identity.kind in _SCOPED and identity.id in owners:
                return owners[identity.id]
        by_number = next((owners[one.id] for one in identities if one.id in owners), None)
        if by_number is None:
            return None
        scoped_here = any(one.kind in _SCOPED for one in identities)
        if scoped_here and await self._has_bsuid(by_number):
            return None  # the number was given to somebody else
        return by_number

    @reaches
    async def admit(self, address: Address, now: datetime) -> PersonId:
        """As the port says. Whoever finds an identity taken undoes their own person and looks again, so a race ends in one."""
        for _ in range(TRIES):
            known = await self.recognise(address, now)
            if known is None:
                made = await self._made(address, now)
                if made is not None:
                    return made
            elif await self._bound(known, address, now):
                return known
            await asyncio.sleep(random.uniform(0.005, 0.03))  # noqa: S311 - so that those who race do not meet again
        raise RetryLater("others admit the same person at this moment")

    async def _made(self, address: Address, now: datetime) -> PersonId | None:
        """A new person with all identities of the address, or None when somebody else was faster with one of them."""
        person = PersonId(random_token())
        # The key first: an identity without one would lead to somebody who counts as erased.
        await self._subjects.create(person, address, now)
        identities = self._current(address)
        scoped = identities[0].kind in _SCOPED
        for identity in identities:
            if await insert_once(self._rows, _row(identity, person, now) | {"making": now}):
                continue
            if not await self._given_on(identity, person, scoped=scoped):
                await self._undone(person)
                return None
        if not await self._known_nowhere_else(address, person, scoped=scoped):
            await self._undone(person)
            return None
        # Only now may others find the person: whoever was told of one who is undone again would hold somebody who is nobody.
        made = await self._rows.update_many({"person": person}, {"$unset": {"making": ""}})
        if made.matched_count == len(identities):
            return person
        await self._undone(person)
        return None

    async def _undone(self, person: PersonId) -> None:
        await self._rows.delete_many({"person": person})
        await self._subjects.destroy(person)

    async def _given_on(self, identity: IdentityId, person: PersonId, *, scoped: bool) -> bool:
        """Whether a row that stood already is now this person's: a number whose old owner has another BSUID was given on."""
        row = await self._rows.find_one({"_id": identity.id})
        if row is None or identity.kind in _SCOPED or not scoped:
            return row is not None and row["person"] == person
        owner = PersonId(row["person"])
        if owner == person:
            return True
        return await self._has_bsuid(owner) and await self._move(identity, owner, person)

    async def _known_nowhere_else(self, address: Address, person: PersonId, *, scoped: bool) -> bool:
        """False when another process has the same person under another version of the index key (a rotation is under way).

        Asked after our own rows stand: of two who admit one person under two keys at once, at least one sees the other.
        """
        others = await self._under_other_keys(address, person)
        return all([await self._given_on(identity, person, scoped=scoped) for identity in others])

    async def _under_other_keys(self, address: Address, person: PersonId) -> list[IdentityId]:
        """The identities of the address that stand under another version of the index key and belong to somebody else."""
        kid = self._keyring.current_index_kid
        older = {one.id: one for one in self._keyring.identity_ids(address) if one.kid != kid}
        if not older:
            return []
        rows = self._rows.find({"_id": {"$in": list(older)}, "person": {"$ne": person}}, {"_id": 1})
        return [older[row["_id"]] async for row in rows]

    async def _has_bsuid(self, person: PersonId) -> bool:
        return await self._rows.find_one({"person": person, "kind": "bsuid"}, {"_id": 1}) is not None

    async def _move(self, identity: IdentityId, owner: PersonId, person: PersonId) -> bool:
        """Gives a number on, if it still is the owner's; nothing goes to the owner under it any more."""
        result = await self._rows.update_one({"_id": identity.id, "person": owner}, {"$set": {"person": person}})
        if not result.matched_count:
            return False
        await self._subjects.drop_number(owner)
        return True

    def _current(self, address: Address) -> Sequence[IdentityId]:
        """The identities under the current index key, the scoped ones first: they decide who somebody is.

        Each kind in one order for all spellings of a number, so that two who are admitted at once meet at the same row.
        """
        kid = self._keyring.current_index_kid
        mine = [one for one in self._keyring.identity_ids(address) if one.kid == kid]
        return sorted(mine, key=lambda one: (one.kind not in _SCOPED, one.id))

    @reaches
    async def bind(self, person: PersonId, address: Address, now: datetime) -> None:
        """As the port says; for a person who was erased meanwhile it takes back whatever still leads to them."""
        await self._bound(person, address, now)

    async def _bound(self, person: PersonId, address: Address, now: datetime) -> bool:
        """False for a person without a key. The key goes first in an erasure, so what was bound too late is found here."""
        if not await self._subjects.stands(person):
            await self._rows.delete_many({"person": person})
            return False
        identities = self._current(address)
        rows = await self._rows.find({"_id": {"$in": [one.id for one in identities]}}).to_list(None)
        owners = {row["_id"]: PersonId(row["person"]) for row in rows}
        written = False
        for identity in identities:
            owner = owners.get(identity.id)
            if owner is None:
                written = await insert_once(self._rows, _row(identity, person, now)) or written
            elif owner != person and identity.kind not in _SCOPED:
                written = await self._move(identity, owner, person) or written
        for identity in await self._under_other_keys(address, person):
            owner_row = await self._rows.find_one({"_id": identity.id})
            if owner_row is not None and identity.kind not in _SCOPED:
                written = await self._move(identity, PersonId(owner_row["person"]), person) or written
        if written and not await self._subjects.stands(person):
            await self._rows.delete_many({"person": person})
            return False
        await self._subjects.move(person, address)
        return True

    @reaches
    async def address(self, person: PersonId) -> Address | None:
        """None as well where it cannot be read: a STOP must not depend on it (decisions.md 3)."""
        subject = await self._subjects.openable(person)
        return subject.address if subject else None

    @reaches
    async def gone(self, events: Sequence[EventId]) -> frozenset[EventId]:
        rows = await self._gone.find({"_id": {"$in": list(events)}}, {"_id": 1}).to_list(None)
        return frozenset(EventId(row["_id"]) for row in rows)


def _stands(row: Document, now: datetime) -> bool:
    """Whether an identity may be relied on: not while its person is being made, unless whoever made it crashed long ago."""
    return "making" not in row or now - row["making"] > MAKING


def _row(identity: IdentityId, person: PersonId, now: datetime) -> Document:
    return {"_id": identity.id, "person": person, "kind": identity.kind, "kid": identity.kid, "since": now}
