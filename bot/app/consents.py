"""The ledger for `recado consent`: verified, exported and shown, without starting the bot."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from bot.app.ground import SystemClock
from bot.app.project import load_project
from bot.app.receipting import Receipts
from bot.domain.business import Business
from bot.domain.errors import SettingsProblem, Unreadable
from bot.domain.ids import Address, Bsuid
from bot.privacy.consent import fold
from bot.privacy.keyring import Keyring
from bot.privacy.ledger.bundle import Header, Line, Loose, Projection, end_line, line_bytes
from bot.privacy.ledger.canonical import canonical, json_value
from bot.privacy.ledger.formats import receipt_kantara, record_27560, record_dpv
from bot.privacy.ledger.heads import TreeHead
from bot.privacy.ledger.leaves import consent_of
from bot.privacy.ledger.offline import recorded_at
from bot.privacy.ledger.projections import differences, shown
from bot.privacy.ledger.report import Report
from bot.privacy.ledger.verify import Verifier
from bot.privacy.numbers import BadNumber
from bot.privacy.numbers import canonical as canonical_number
from bot.settings import Settings
from bot.storage.leaves import MongoLeaves
from bot.storage.mongo import Mongo
from bot.storage.people import MongoPeople
from bot.storage.standings import Standings
from bot.storage.subjects import Subjects

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class OpenLedger:
    """The stored ledger and what is needed to read it."""

    business: Business
    keyring: Keyring
    clock: SystemClock
    mongo: Mongo
    leaves: MongoLeaves
    standings: Standings
    subjects: Subjects
    people: MongoPeople

    @property
    def marketing(self) -> tuple[str, ...]:
        """The purposes that an objection to advertising covers (GDPR art. 21(2))."""
        return tuple(sorted(name for name, one in self.business.purposes.items() if one.sends == "marketing"))


@asynccontextmanager
async def open_ledger(settings: Settings) -> AsyncIterator[OpenLedger]:
    """Raises `SettingsProblem` for wrong settings, keys or flows, and `RetryLater` when the database is out of reach."""
    if not settings.storage.uri:
        raise SettingsProblem("RECADO_STORAGE__URI is not set: where the ledger is kept. A file is checked without it.")
    keyring = Keyring.load(settings.privacy)
    loaded = load_project(settings.project, served=False)
    if loaded.book is None:
        raise SettingsProblem("The flows have errors; `recado flows check` tells which.")
    clock, mongo = SystemClock(), Mongo(settings.storage)
    try:
        await mongo.ping()
        subjects = Subjects(mongo, keyring, clock)
        people = MongoPeople(mongo, subjects, keyring)
        yield OpenLedger(
            loaded.book.business,
            keyring,
            clock,
            mongo,
            MongoLeaves(mongo),
            Standings(mongo, subjects),
            subjects,
            people,
        )
    finally:
        mongo.close()


async def verify_stored(ledger: OpenLedger, outside: Sequence[TreeHead]) -> Report:
    """The report over the ledger as it stands in the database, with every projection."""
    verifier = Verifier(ledger.keyring.verifying_keys(), await ledger.leaves.heads(), outside, own_keys=False)
    async for entry in ledger.leaves.entries():
        verifier.entry(entry)
    async for batch in ledger.leaves.unsequenced(None, _AT_ONCE):
        for event, body in batch:
            verifier.loose(event, recorded_at(body))
    count = 0
    async for ref, consents in ledger.standings.believed():
        count += 1
        events = await ledger.standings.consents_of(ref)
        verifier.findings += differences(ref, shown(consents), events, ledger.marketing)
    return verifier.finish(count)


async def _lines(ledger: OpenLedger, now: datetime) -> AsyncIterator[Line]:
    yield Header(now, ledger.keyring.verifying_keys(), ledger.marketing)
    async for entry in ledger.leaves.entries():
        yield entry
    async for batch in ledger.leaves.unsequenced(None, _AT_ONCE):
        for event, body in batch:
            yield Loose(event, body)
    for head in await ledger.leaves.heads():
        yield head
    async for ref, consents in ledger.standings.believed():
        yield Projection(ref, shown(consents))


async def export_lines(ledger: OpenLedger) -> AsyncIterator[bytes]:
    """The whole ledger as signed JSON lines (`bot.privacy.ledger.bundle`); without words, numbers or names."""
    digest = sha256()
    async for line in _lines(ledger, ledger.clock.now()):
        data = line_bytes(line)
        digest.update(data)
        yield data
    yield end_line(digest.digest(), ledger.keyring.sign)


async def record_lines(ledger: OpenLedger, form: str) -> AsyncIterator[bytes]:
    """One JSON document a line: records (`iso-27560`, `dpv`) of each person and purpose, or a receipt (`kantara-1.1`) of each consent."""
    key = next(iter(ledger.keyring.verifying_keys().values())).hex()
    async for rows in ledger.standings.histories():
        if form == "kantara-1.1":
            found = [receipt_kantara(row, ledger.business, key) for row in rows if row.get("state_after") == "given"]
        else:
            found = [(record_27560 if form == "iso-27560" else record_dpv)(rows, ledger.business)]
        for one in found:
            yield canonical(one) + b"\n"


async def receipt_for(ledger: OpenLedger, event: str) -> bytes:
    """The signed receipt of a consent that was given, with its place in the ledger. Raises `Unreadable` where there is none."""
    row = await ledger.standings.event(event)
    if row is None:
        raise Unreadable("there is no such event in the ledger")
    person = await ledger.standings.person_of(row["subject_ref"])
    subject = await ledger.subjects.find(person) if person else None
    receipts = Receipts(ledger.business, ledger.keyring, ledger.standings, ledger.leaves)
    return (await receipts.of_event(row, subject, ledger.clock.now())).document


async def shown_events(ledger: OpenLedger, *, subject: str, address: str, purpose: str, limit: int) -> dict[str, Any]:
    """Events of a person (by reference or address) or of a purpose as JSON data, and where the person's purposes stand.

    Where there are none, `missing` says why.
    Raises `Unreadable` for an address that is none; nobody is made known by it.
    """
    if address:
        subject = await _reference(ledger, address)
    rows = await (ledger.standings.events_of(subject) if not purpose else ledger.standings.events_for(purpose, limit))
    folded = fold([consent_of(row) for row in rows], marketing=ledger.marketing) if not purpose else {}
    events = [
        json_value({"id": row["_id"], **{name: one for name, one in row.items() if name != "_id"}}) for row in rows
    ]
    missing = "" if events else _missing(ledger, subject, address, purpose)
    return {"subject_ref": subject, "standing": shown(folded), "events": events[-limit:], "missing": missing}


def _missing(ledger: OpenLedger, subject: str, address: str, purpose: str) -> str:
    """Why there is nothing to show, in words."""
    if purpose and purpose not in ledger.business.purposes:
        return (
            f"There is no purpose {purpose} in business.yaml; there are {', '.join(sorted(ledger.business.purposes))}."
        )
    if purpose:
        return f"Nothing was recorded for the purpose {purpose} yet."
    if address and not subject:
        return "Nobody with this number or user id is known."
    return "Nothing was recorded of this person, or no such reference was ever given."


async def _reference(ledger: OpenLedger, text: str) -> str:
    try:
        address = Address(bsuid=Bsuid(text)) if text[2:3] == "." else Address(canonical_number(text))
    except (BadNumber, ValueError):
        raise Unreadable("that is neither a number with + and country code nor a WhatsApp user id") from None
    person = await ledger.people.recognise(address, ledger.clock.now())
    return await ledger.standings.ref_of(person) if person else ""
