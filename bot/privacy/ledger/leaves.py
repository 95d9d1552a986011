"""What stands at each place of the ledger: events, and the lines that open and close an epoch. Pure.

An epoch is a month. Its first line names the whole of the epoch before it and its last line says that nothing follows, so that the
epochs hang together and a process that fell behind cannot write on in an old one.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from bot.domain.command import RecordConsent
from bot.domain.errors import Unreadable
from bot.domain.ids import CommandId
from bot.domain.plain import join
from bot.privacy.ledger.canonical import canonical
from bot.privacy.ledger.tree import leaf_hash

EPOCH_SCHEMA = "recado-epoch/1"
OPENS, CLOSES = "open", "close"
SEQ_DIGITS = 10
_PAD = 256
_TIMES = frozenset({"occurred_at", "request_expires_at", "valid_from", "valid_until"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One place of the tree.

    Attributes:
        seq: counted from 0 in its epoch, without a gap.
        event: id of the event, or `open:EPOCH` or `close:EPOCH`.
        leaf: the hash as it is stored.
        body: the canonical bytes the hash is of; None where the event is missing.
    """

    epoch: str
    seq: int
    event: str
    leaf: bytes
    body: bytes | None

    @property
    def id(self) -> str:
        """Its name in the database: inserting it twice is impossible there."""
        return place(self.epoch, self.seq)

    @property
    def is_marker(self) -> bool:
        """Whether this opens or closes an epoch instead of being an event."""
        return ":" in self.event


def place(epoch: str, seq: int) -> str:
    """`2026-11:0000000012`; sorts as the ledger does."""
    return f"{epoch}:{seq:0{SEQ_DIGITS}}"


def entry_of(epoch: str, seq: int, event: str, body: bytes) -> Entry:
    """An entry with its leaf's hash made from its body."""
    return Entry(epoch, seq, event, leaf_hash(body), body)


def opening(epoch: str, previous: tuple[str, int, bytes] | None) -> bytes:
    """The first line of an epoch; `previous` is (epoch, size, root) of the one before, None for the very first."""
    facts: dict[str, Any] = {"schema": EPOCH_SCHEMA, "kind": OPENS, "epoch": epoch, "id": f"{OPENS}:{epoch}"}
    if previous is not None:
        facts["previous"] = {"epoch": previous[0], "size": previous[1], "root": previous[2]}
    return canonical(facts)


def closing(epoch: str, size: int) -> bytes:
    """The last line of an epoch of so many lines before it."""
    return canonical({"schema": EPOCH_SCHEMA, "kind": CLOSES, "epoch": epoch, "size": size, "id": f"{CLOSES}:{epoch}"})


def epoch_at(now: datetime) -> str:
    """The month in UTC."""
    return f"{now.astimezone(UTC):%Y-%m}"


def epoch_after(epoch: str) -> str:
    """The month that follows."""
    year, month = int(epoch[:4]), int(epoch[5:])
    return f"{year + month // 12:04}-{month % 12 + 1:02}"


def body_of(row: Mapping[str, Any]) -> bytes:
    """The canonical bytes of a stored event: every clear field there is, so that none can be changed, added or taken away."""
    return canonical({"id": row["_id"], **{name: value for name, value in row.items() if name != "_id"}})


def facts_of(body: bytes) -> dict[str, Any]:
    """The fields of a body. Raises `Unreadable`."""
    try:
        facts = json.loads(body)
    except ValueError:
        raise Unreadable("a line of the ledger is damaged") from None
    if not isinstance(facts, dict):
        raise Unreadable("a line of the ledger is damaged")
    return facts


def consent_of(facts: Mapping[str, Any]) -> RecordConsent:
    """The event as the fold reads it, from JSON facts or from a stored row; without the words. Raises `Unreadable`."""
    plain = {
        name: datetime.fromisoformat(value) if name in _TIMES and isinstance(value, str) else value
        for name, value in facts.items()
    }
    event: RecordConsent = join({**plain, "_": "RecordConsent", "id": CommandId(facts.get("id") or facts["_id"])}, None)
    return event


def commitment(salt: bytes, event: str, private: Mapping[str, Any]) -> bytes:
    """Hides and binds: SHA-256 over a tag, the person's 256-bit salt, the event's id and the padded words.

    They are canonical JSON (RFC 8785), padded to a multiple of 256 bytes so that their length says nothing. Without the salt no guess
    at the words can be tested.
    """
    payload = canonical(private)
    padded = len(payload).to_bytes(4, "big") + payload
    padded += bytes(-len(padded) % _PAD)
    return sha256(b"recado/consent-commit/1\0" + salt + event.encode() + padded).digest()
