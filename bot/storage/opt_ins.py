"""Website requests for a consent: each under a key of its own, until it is answered or over (GDPR art. 5(1)(c), (e)).

Nobody is made known by a form: the row holds the number under its own key and is found by keyed hashes alone (decisions.md 16).
Whatever ends a request takes the key, the number and the words with it; what stays for 30 days keeps the limit of messages a number.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from bot.domain.errors import Unreadable
from bot.domain.ids import Address, EventId, PersonId, PhoneNumber
from bot.domain.opt_in import OptInRequest
from bot.privacy.keyring import Keyring, WrappedKey
from bot.privacy.opt_in import KEPT, window_of
from bot.privacy.policy import Limit
from bot.runtime.ports import Lease, OptInWork
from bot.storage.documents import seal, unseal
from bot.storage.mongo import Document, Mongo, insert_once, reaches

COLLECTION = "opt_in_requests"
PACE = "pace"
AT_ONCE = 32

_CLEAR = ("purpose", "language", "asked_at", "source", "form_version", "notice_hash", "purpose_hash", "template")
_PRIVATE = ("wording", "label", "confirmation")
_OPEN_STATES = ("asked", "sending", "sent")
_GONE = dict.fromkeys(("p", "key", "kid", "open", "lease", "due", "w"), "")
"""What goes with the end of a request: the number, the words, their key, and what it was waiting for."""


class MongoOptIns:
    """The runtime's `OptIns`."""

    def __init__(self, mongo: Mongo, keyring: Keyring) -> None:
        self._rows = mongo.collection(COLLECTION)
        self._keyring = keyring

    # -- asked on the website ------------------------------------------------------------------------------------------

    @reaches
    async def ask(self, request: OptInRequest, number: PhoneNumber, now: datetime) -> None:
        """The same work for every number: whether anything follows is decided later (privacy.md T18)."""
        key, wrapped = self._keyring.new_data_key(PersonId(request.id))
        private = {"number": number.value} | {name: getattr(request, name) for name in _PRIVATE}
        row = {name: getattr(request, name) for name in _CLEAR} | {
            "_id": request.id, "i": self._ids(Address(phone=number)), "state": "asked", "until": request.expires, "due": now, "n": 0,
            "expires": now + KEPT, "kid": wrapped.kid, "key": wrapped.sealed, "p": self._sealed(key, request.id, private),
        }  # fmt: skip
        await insert_once(self._rows, row)

    def _ids(self, address: Address) -> list[str]:
        """Every spelling of the number under every live index key, the same list whichever spelling was typed."""
        return (
            sorted({one.id for one in self._keyring.identity_ids(Address(phone=address.phone))})
            if address.phone
            else []
        )

    # -- the confirming message ----------------------------------------------------------------------------------------

    @reaches
    async def take(self, lease: Lease, now: datetime) -> Sequence[OptInWork]:
        """Whoever holds a row past its time lost it. A row that cannot be opened is ended: nobody can answer it."""
        waiting = {"state": {"$in": ["asked", "sending"]}, "due": {"$lte": now}}
        found = await self._rows.find(waiting, {"_id": 1}).limit(AT_ONCE).to_list(None)
        taken = []
        for one in found:
            change = {"$set": {"lease": {"t": lease.token, "u": lease.until}, "due": lease.until}}
            row = await self._rows.find_one_and_update(
                {"_id": one["_id"], **waiting}, change, return_document=ReturnDocument.AFTER
            )
            if row is None:
                continue
            try:
                taken.append(self._work(row))
            except Unreadable:
                await self.end(row["_id"], "unreadable")
        return taken

    def _work(self, row: Document) -> OptInWork:
        private = self._opened(row)
        return OptInWork(_request(row, private), PhoneNumber(private["number"]), row["n"], row["state"] == "sending")

    @reaches
    async def count(self, number: PhoneNumber, since: datetime) -> int:
        """Under every live index key, so that a rotation forgets no message."""
        mine = {"i": {"$in": self._ids(Address(phone=number))}, "sent_at": {"$gte": since}}
        return int(await self._rows.count_documents(mine))

    @reaches
    async def claim(self, work: OptInWork, token: str, most: int, template: str, words: str, now: datetime) -> bool:
        """Two unique fields decide races: `open` lets one request a number and purpose wait, `slot` lets `most` messages go out."""
        ids = self._ids(Address(phone=work.number))
        over = {"i": {"$in": ids}, "open": {"$exists": True}, "until": {"$lte": now}}
        await self._rows.update_many(over, {"$set": {"state": "expired"}, "$unset": _GONE})
        request = work.request.id
        mine = {"_id": request, "state": "asked", "lease.t": token}
        row = await self._rows.find_one(mine)
        if row is None:
            return False
        private = self._opened(row) | {"confirmation": words}
        key = self._keyring.open_data_key(PersonId(request), WrappedKey(row["kid"], bytes(row["key"])))
        change: Document = {
            "state": "sending", "open": f"{ids[0]}:{work.request.purpose}", "sent_at": now, "expires": now + KEPT,
            "template": template, "p": self._sealed(key, request, private),
        }  # fmt: skip
        for place in range(most):
            try:
                done = await self._rows.update_one(mine, {"$set": change | {"slot": f"{ids[0]}:{place}"}})
            except DuplicateKeyError:
                continue
            return bool(done.matched_count)
        return False

    @reaches
    async def sent(self, request: str, reply: EventId | None) -> None:
        change: Document = {"$set": {"state": "sent"}, "$unset": {"lease": "", "due": ""}}
        if reply is not None:
            change["$set"]["w"] = reply
        await self._rows.update_one({"_id": request, "state": "sending"}, change)

    @reaches
    async def put_off(self, request: str, token: str, tries: int, until: datetime) -> None:
        change = {"$set": {"state": "asked", "n": tries, "due": until}, "$unset": {"lease": "", "open": ""}}
        await self._rows.update_one({"_id": request, "lease.t": token, "state": {"$in": ["asked", "sending"]}}, change)

    # -- its end -------------------------------------------------------------------------------------------------------

    @reaches
    async def end(self, request: str, state: str, *, unsent: bool = False) -> None:
        gone = _GONE | ({"slot": "", "sent_at": ""} if unsent else {})
        await self._rows.update_one(
            {"_id": request, "state": {"$in": _OPEN_STATES}}, {"$set": {"state": state}, "$unset": gone}
        )

    @reaches
    async def end_all(self, address: Address, state: str) -> None:
        ids = self._ids(address)
        if ids:
            mine = {"i": {"$in": ids}, "state": {"$in": _OPEN_STATES}}
            await self._rows.update_many(mine, {"$set": {"state": state}, "$unset": _GONE})

    @reaches
    async def expire(self, now: datetime) -> int:
        over = {"state": {"$in": _OPEN_STATES}, "until": {"$lte": now}}
        result = await self._rows.update_many(over, {"$set": {"state": "expired"}, "$unset": _GONE})
        return int(result.modified_count)

    # -- the answer ----------------------------------------------------------------------------------------------------

    @reaches
    async def waiting(
        self, address: Address, now: datetime, *, request: str = "", reply: EventId | None = None
    ) -> OptInRequest | None:
        """As the port says. Who shows a number must show the one the message went to, in whatever spelling."""
        wanted: Document = {"state": {"$in": ["sending", "sent"]}, "until": {"$gt": now}}
        if request:
            wanted["_id"] = request
        elif reply is not None:
            wanted["w"] = reply
        if address.phone is not None:
            wanted["i"] = {"$in": self._ids(address)}
        elif not request and reply is None:
            return None
        rows = await self._rows.find(wanted).limit(2).to_list(None)
        if len(rows) != 1:
            return None
        row = rows[0]
        if address.phone is None and row.get("w") not in (None, reply):
            return None
        try:
            return _request(row, self._opened(row))
        except Unreadable:
            return None

    # -- sealing -------------------------------------------------------------------------------------------------------

    @staticmethod
    def _sealed(key: Any, request: str, private: Document) -> bytes:
        return seal(key, private, collection=COLLECTION, row=request, field="p", person=PersonId(request))

    def _opened(self, row: Document) -> Document:
        """Raises `Unreadable`, also for a request that is over."""
        if "key" not in row:
            raise Unreadable("the request is over")
        own = PersonId(row["_id"])
        key = self._keyring.open_data_key(own, WrappedKey(row["kid"], bytes(row["key"])))
        return unseal(key, row["p"], collection=COLLECTION, row=row["_id"], field="p", person=own)


def _request(row: Document, private: Document) -> OptInRequest:
    clear = {name: row.get(name, "") for name in _CLEAR}
    words = {name: private.get(name, "") for name in _PRIVATE}
    return OptInRequest(id=row["_id"], expires=row["until"], **clear, **words)


class MongoPace:
    """How often something was done in a stretch of time, under keyed hashes that end soon after it (GDPR art. 5(1)(c), (e))."""

    def __init__(self, mongo: Mongo, keyring: Keyring) -> None:
        self._rows = mongo.collection(PACE)
        self._keyring = keyring

    @reaches
    async def within(self, what: str, who: str, limit: Limit, now: datetime) -> bool:
        """Counts once more; whether that still is within the limit. `who` leaves as a keyed hash bound to this stretch of time."""
        number, ends = window_of(now, limit)
        row_id = self._keyring.pace_id(what, str(number), who)
        for _ in range(3):
            row = await self._rows.find_one_and_update(
                {"_id": row_id}, {"$inc": {"n": 1}}, return_document=ReturnDocument.AFTER
            )
            if row is not None:
                return bool(row["n"] <= limit.most)
            if await insert_once(self._rows, {"_id": row_id, "n": 1, "expires": ends}):
                return limit.most > 0
        return False
