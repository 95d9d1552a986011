"""Documents and domain values: clear fields as they are, private ones sealed under the person's key with BSON inside."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import bson

from bot.domain import plain
from bot.domain.command import Command
from bot.domain.conversation import Conversation
from bot.domain.errors import Unreadable
from bot.domain.ids import CommandId, EventId, PersonId
from bot.domain.turn import Turn
from bot.privacy.crypto import DataKey
from bot.runtime.ports import Lease, Pending, Stored

del Turn  # imported so that every stored class is registered

CONVERSATIONS = "conversations"
_OWN_NAMES = ("_", "person", "version", "standing")
_FIELDS = frozenset(
    name
    for name in Conversation.__slots__
    if name not in ("person", "version", "standing", "slots", "held", "readable")
)


@dataclass(frozen=True, slots=True)
class Loaded(Stored):
    """What stands in the database, with what only the next write of it needs to know.

    Attributes:
        seen_at: the ids in the document itself, oldest first, with the time of their commit.
        pending_bytes: size of the pending list.
    """

    seen_at: tuple[tuple[EventId, datetime], ...] = ()
    pending_bytes: int = 0


def seal(
    key: DataKey | None, value: Mapping[str, Any], *, collection: str, row: str, field: str, person: PersonId
) -> bytes:
    """Plain data as sealed bytes that can be opened only at this place. Raises `Unreadable` without a key."""
    if key is None:
        raise Unreadable("the person's key cannot be opened, so nothing private can be written")
    return key.seal(bson.encode(dict(value)), collection=collection, row=row, field=field, person=person)


def unseal(key: DataKey, sealed: bytes, *, collection: str, row: str, field: str, person: PersonId) -> dict[str, Any]:
    """What `seal` was given. Raises `Unreadable`."""
    opened = key.unseal(bytes(sealed), collection=collection, row=row, field=field, person=person)
    try:
        return bson.decode(opened, _AWARE)
    except bson.errors.BSONError as problem:
        raise Unreadable("a sealed value is damaged inside") from problem


_AWARE: Any = bson.CodecOptions(tz_aware=True)


def conversation_fields(conversation: Conversation, key: DataKey | None) -> tuple[dict[str, Any], list[str]]:
    """(fields to set, fields to unset) of a conversation's document. Raises `Unreadable` when something must be sealed without a key.

    What holds nothing private can be written without one: a STOP does not depend on it (decisions.md 3).
    """
    clear, private = plain.split(conversation)
    fields: dict[str, Any] = {name: value for name, value in clear.items() if name not in _OWN_NAMES}
    fields.pop("readable", None)
    fields |= {"v": conversation.version, "g": conversation.standing}
    gone = [name for name in _FIELDS if name not in fields]
    if private:
        fields["p"] = seal(
            key, private, collection=CONVERSATIONS, row=conversation.person, field="p", person=conversation.person
        )
    else:
        gone.append("p")
    return fields, gone


def pending_row(command: Command, person: PersonId, key: DataKey | None, at: datetime) -> dict[str, Any]:
    """A command committed at `at` as an entry of the pending list. Raises `Unreadable` when something must be sealed without a key."""
    clear, private = plain.split(command)
    row: dict[str, Any] = {"id": command.id, "s": "waiting", "n": 0, "c": clear, "at": at}
    not_before = getattr(command, "not_before", None)
    if not_before is not None:
        row["nb"] = not_before
    if private:
        row["p"] = seal(key, private, collection=CONVERSATIONS, row=command.id, field="pending", person=person)
    return row


LOOK_AFTER = timedelta(days=1)


def first_look(conversation: Conversation, now: datetime) -> datetime:
    """When the sweeper first looks at a conversation after a turn; it decides itself when to look again (decisions.md 18)."""
    return min(now + LOOK_AFTER, conversation.held.until) if conversation.held is not None else now + LOOK_AFTER


def seen_row(event: EventId, at: datetime) -> dict[str, Any]:
    return {"i": bytes.fromhex(event), "t": at}


def stored(document: Mapping[str, Any], key: DataKey | None, older: frozenset[EventId] = frozenset()) -> Loaded:
    """A document as the runtime knows it; what cannot be opened makes the conversation unreadable, never lost."""
    person = PersonId(document["_id"])
    conversation = _conversation(document, person, key)
    rows = document.get("pending", ())
    pending = tuple(_pending(row, person, key) for row in rows)
    seen_at = tuple((EventId(bytes(row["i"]).hex()), row["t"]) for row in document.get("seen", ()))
    seen = frozenset(event for event, _ in seen_at) | older
    lease = Lease(document["lease"]["t"], document["lease"]["u"]) if document.get("lease") else None
    return Loaded(conversation, pending, seen, lease, seen_at, len(bson.encode({"pending": rows})) if rows else 0)


def _conversation(document: Mapping[str, Any], person: PersonId, key: DataKey | None) -> Conversation:
    clear = {name: value for name, value in document.items() if name in _FIELDS}
    clear |= {"_": "Conversation", "person": person, "version": document["v"], "standing": document["g"]}
    try:
        private = _opened(key, document["p"], person, person, "p") if document.get("p") is not None else {}
        return plain.join(clear, private)  # type: ignore[no-any-return]
    except Unreadable:
        return plain.join({**clear, "readable": False}, None)  # type: ignore[no-any-return]


def _opened(key: DataKey | None, sealed: bytes, person: PersonId, row: str, field: str) -> dict[str, Any]:
    if key is None:
        raise Unreadable("the person's key is gone")
    return unseal(key, sealed, collection=CONVERSATIONS, row=row, field=field, person=person)


def _pending(row: Mapping[str, Any], person: PersonId, key: DataKey | None) -> Pending:
    command: Command | None = None
    try:
        private = _opened(key, row["p"], person, row["id"], "pending") if row.get("p") is not None else {}
        command = plain.join(row["c"], private)
    except Unreadable:
        command = None
    return Pending(
        CommandId(row["id"]), command, row.get("s", "waiting"), row.get("n", 0), row.get("nb"), row.get("cb", ""), row.get("ca")
    )  # fmt: skip
