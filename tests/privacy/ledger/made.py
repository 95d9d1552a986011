"""A ledger of invented people, made without a database, signed head by head; and what a forger with all rights makes of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO

from bot.privacy import crypto
from bot.privacy.keyring import Signed
from bot.privacy.ledger.bundle import Header, Line, write
from bot.privacy.ledger.heads import TreeHead, sign_head
from bot.privacy.ledger.leaves import Entry, body_of, closing, commitment, entry_of, opening
from bot.privacy.ledger.offline import verify_file
from bot.privacy.ledger.report import Report
from bot.privacy.ledger.tree import root
from bot.privacy.ledger.verify import Verifier

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
KEY = bytes(range(32))
KEYS = {"k1": crypto.public_key(KEY)}


def sign(data: bytes) -> Signed:
    return Signed("k1", crypto.signature(KEY, data))


def event(number: int) -> dict[str, object]:
    return {
        "_id": f"{number:032x}", "schema": "consent-event/1", "subject_ref": f"{number % 7:032x}", "event_type": "withdrawn",
        "purpose": "newsletter", "state_after": "withdrawn", "occurred_at": NOW + timedelta(seconds=number),
        "recorded_at": NOW + timedelta(seconds=number), "withdrawal_method": "keyword",
        "commit": commitment(bytes(32), str(number), {"answer_text": "stop"}),
    }  # fmt: skip


def bodies(count: int, first: int = 0) -> list[tuple[str, bytes]]:
    rows = [event(number) for number in range(first, first + count)]
    return [(str(row["_id"]), body_of(row)) for row in rows]


@dataclass(frozen=True)
class Ledger:
    entries: tuple[Entry, ...]
    heads: tuple[TreeHead, ...]

    def report(self, outside: Iterable[TreeHead] = ()) -> Report:
        verifier = Verifier(KEYS, self.heads, outside, own_keys=False)
        for entry in self.entries:
            verifier.entry(entry)
        return verifier.finish()

    def file(self) -> bytes:
        lines: list[Line] = [*self.entries, *self.heads]
        return b"".join(write(Header(NOW, KEYS, ("newsletter",)), lines, sign))


def kinds(report: Report) -> set[str]:
    return {one.kind for one in report.findings}


def epoch(
    name: str, texts: Sequence[tuple[str, bytes]], *, before: tuple[str, int, bytes] | None, close: bool
) -> list[Entry]:
    lines = [(f"open:{name}", opening(name, before)), *texts]
    if close:
        lines.append((f"close:{name}", closing(name, len(lines))))
    return [entry_of(name, seq, event_id, body) for seq, (event_id, body) in enumerate(lines)]


def heads_of(entries: Sequence[Entry], every: int) -> list[TreeHead]:
    """A head after each `every` leaves and at the end, as whoever holds the key can sign them over anything."""
    sizes = sorted({*range(every, len(entries), every), len(entries)})
    leaves = [entry.leaf for entry in entries]
    return [
        sign_head(entries[0].epoch, size, root(leaves[:size]), NOW + timedelta(minutes=size), sign) for size in sizes
    ]


def ledger(count: int = 200, every: int = 25) -> Ledger:
    """`count` lines in one epoch, the opening one among them."""
    entries = epoch("2026-05", bodies(count - 1), before=None, close=False)
    return Ledger(tuple(entries), tuple(heads_of(entries, every)))


def resigned(entries: Sequence[Entry], every: int = 25) -> Ledger:
    """A forger with database and key: places counted anew, leaves computed anew, all heads signed anew."""
    again = [entry_of(one.epoch, seq, one.event, one.body or b"") for seq, one in enumerate(entries)]
    return Ledger(tuple(again), tuple(heads_of(again, every)))


def checked(data: bytes, outside: Iterable[TreeHead] = (), keys: dict[str, bytes] | None = KEYS) -> Report:
    return verify_file(BytesIO(data), outside, keys)
