"""Verification of an exported ledger: a file of JSON lines, read once for the proof and once more for the projections in it.

Needs no database and no secret: the heads from outside and, best, the public keys are given by whoever checks.
"""

import re
from array import array
from collections.abc import Iterable, Mapping
from datetime import datetime
from hashlib import sha256
from typing import BinaryIO

from bot.domain.errors import Unreadable
from bot.privacy.ledger.bundle import End, Header, Loose, Projection, end_holds, read_line
from bot.privacy.ledger.heads import TreeHead
from bot.privacy.ledger.leaves import Entry, consent_of, facts_of
from bot.privacy.ledger.projections import differences
from bot.privacy.ledger.report import Finding, Report
from bot.privacy.ledger.verify import Verifier

_SUBJECT = re.compile(rb'"subject_ref":"([0-9a-f]{32})"')
_LONGEST = 1 << 20


def verify_file(file: BinaryIO, outside: Iterable[TreeHead], keys: Mapping[str, bytes] | None) -> Report:
    """The report over an export.

    Args:
        file: the export, which can be read twice.
        outside: heads that were kept elsewhere.
        keys: public keys by kid that were had from elsewhere; None takes those of the file, which the report then says.

    Raises:
        Unreadable: when the file is no ledger export at all.
    """
    damage: list[Finding] = []
    header, heads, projections = _survey(file, damage)
    own = keys is None
    verifier = Verifier(header.keys if keys is None else keys, heads, outside, own_keys=own)
    wanted = {one.subject_ref.encode() for one in projections}
    offsets: dict[bytes, array[int]] = {one: array("Q") for one in wanted}
    end = _second(file, verifier, offsets)
    if end is None:
        damage.append(
            Finding("truncated", "the end of the file", "The signed last line is missing: the file was cut off.")
        )
    elif not end_holds(end[0], end[1], header.keys if keys is None else keys):
        words = "The file is not what was signed when it was exported: a line was changed, taken out or put in."
        damage.append(Finding("damaged", "the end of the file", words))
    for one in projections:
        verifier.findings += _compared(file, one, offsets[one.subject_ref.encode()], header)
    verifier.findings += damage
    return verifier.finish(len(projections))


def _survey(file: BinaryIO, damage: list[Finding]) -> tuple[Header, list[TreeHead], list[Projection]]:
    """The header, and the heads and projections, which stand behind the entries that they are about."""
    file.seek(0)
    first = _read(file.readline(_LONGEST))
    if not isinstance(first, Header):
        raise Unreadable("this is no ledger export of Recado (its first line says what it is)")
    heads: list[TreeHead] = []
    projections: list[Projection] = []
    for number, data in enumerate(file, start=2):
        if data.startswith(b'{"epoch"'):
            continue
        line = _read(data)
        if line is None:
            damage.append(Finding("damaged", f"line {number}", "This line cannot be read as Recado wrote it."))
        elif isinstance(line, TreeHead):
            heads.append(line)
        elif isinstance(line, Projection):
            projections.append(line)
    return first, heads, projections


def _read(data: bytes) -> object:
    try:
        return read_line(data)
    except Unreadable:
        return None


def _second(file: BinaryIO, verifier: Verifier, offsets: Mapping[bytes, "array[int]"]) -> tuple[End, bytes] | None:
    """Every entry in order into the verifier; the end with the digest of all before it."""
    file.seek(0)
    digest, offset, end = sha256(), 0, None
    for number, data in enumerate(file, start=1):
        line = _read(data) if data.startswith((b'{"epoch"', b'{"unsequenced"', b'{"end"')) else ()
        if isinstance(line, End):
            end = (line, digest.digest())
        elif line is None and data.startswith(b'{"epoch"'):
            verifier.findings.append(
                Finding("damaged", f"line {number}", "This line cannot be read as Recado wrote it.")
            )
        elif isinstance(line, Entry):
            verifier.entry(line)
        elif isinstance(line, Loose):
            verifier.loose(line.event, recorded_at(line.body))
        if isinstance(line, Entry | Loose) and offsets and line.body is not None:
            named = _SUBJECT.search(line.body)
            if named is not None and named[1] in offsets:
                offsets[named[1]].append(offset)
        digest.update(data)
        offset += len(data)
        if end is not None and not isinstance(line, End):
            verifier.findings.append(
                Finding("inserted", f"line {number}", "This line stands behind the end of the file.")
            )
    return end


def recorded_at(body: bytes) -> datetime | None:
    """When an event says it was recorded; None where it does not say."""
    try:
        return datetime.fromisoformat(facts_of(body)["recorded_at"])
    except (KeyError, TypeError, ValueError, Unreadable):
        return None


def _compared(file: BinaryIO, one: Projection, offsets: "array[int]", header: Header) -> list[Finding]:
    events = []
    for offset in offsets:
        file.seek(offset)
        line = _read(file.readline(_LONGEST))
        if isinstance(line, Entry | Loose) and line.body is not None:
            try:
                events.append(consent_of(facts_of(line.body)))
            except (Unreadable, ValueError, KeyError, TypeError):
                return [Finding("projection", one.subject_ref, "An event of this person cannot be read.")]
    return differences(one.subject_ref, one.consents, events, header.marketing)
