"""The ledger as a file of JSON lines, for archives, auditors and machines without the database: written line by line, read back strictly.

First a header with the public keys, then every place of the tree in order with the exact bytes its leaf is of, events without a
place, the signed heads, the projections, and last a signed digest over all lines before it. Holds no word, number or message id.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from itertools import chain
from typing import Any

from bot.domain.errors import Unreadable
from bot.privacy import crypto
from bot.privacy.keyring import Signed
from bot.privacy.ledger.canonical import canonical
from bot.privacy.ledger.heads import TreeHead, from_plain
from bot.privacy.ledger.leaves import Entry

SCHEMA = "recado-ledger-export/1"
_KEY_BYTES = 32
# `body` comes last and is cut out as it stands: its bytes are what the leaf is of, so nothing has to be spelt anew to be checked.
_ENTRY = re.compile(
    rb'\{"epoch":"(\d{4}-\d{2})","seq":(0|[1-9]\d{0,9}),"event":"([0-9A-Za-z:_-]{1,80})","leaf":"([0-9a-f]{64})"'
    rb'(?:,"body":(\{.*\}))?\}\n',
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Loose:
    """An event without a place in the tree."""

    event: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Projection:
    """What the program believes now about one person's consents, by purpose: state, deciding event and end."""

    subject_ref: str
    consents: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Header:
    """What is said about the file itself; `marketing` are the purposes that an objection to advertising covers."""

    exported_at: datetime
    keys: Mapping[str, bytes]
    marketing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class End:
    """The signed digest over every line before it."""

    digest: bytes
    kid: str
    signature: bytes


Line = Entry | Loose | TreeHead | Projection | Header | End


def write(header: Header, lines: Iterable[Line], sign: Callable[[bytes], Signed]) -> Iterator[bytes]:
    """The lines of the file, each with its line feed; the end is signed over what came before."""
    digest = sha256()
    for one in chain((header,), lines):
        data = line_bytes(one)
        digest.update(data)
        yield data
    yield end_line(digest.digest(), sign)


def end_line(digest: bytes, sign: Callable[[bytes], Signed]) -> bytes:
    """The last line over a digest of all others."""
    signed = sign(_end_part(digest))
    return canonical({"end": {"sha256": digest, "kid": signed.kid, "signature": signed.value}}) + b"\n"


def _end_part(digest: bytes) -> bytes:
    return canonical({"schema": SCHEMA, "sha256": digest})


def end_holds(end: End, digest: bytes, keys: Mapping[str, bytes]) -> bool:
    """Whether the end is signed by a known key over exactly the lines that were read."""
    key = keys.get(end.kid)
    return end.digest == digest and key is not None and crypto.verify(key, _end_part(digest), end.signature)


def line_bytes(line: Line) -> bytes:
    """One line of the file. Raises `TypeError` for an end, which must be signed."""
    if isinstance(line, Entry):
        head = f'{{"epoch":"{line.epoch}","seq":{line.seq},"event":"{line.event}","leaf":"{line.leaf.hex()}"'.encode()
        return head + (b',"body":' + line.body if line.body is not None else b"") + b"}\n"
    if isinstance(line, Loose):
        return b'{"unsequenced":' + line.body + b"}\n"
    if isinstance(line, TreeHead):
        return canonical({"head": line.plain()}) + b"\n"
    if isinstance(line, Projection):
        return canonical({"projection": {"subject_ref": line.subject_ref, "consents": line.consents}}) + b"\n"
    if isinstance(line, Header):
        facts = {
            "schema": SCHEMA,
            "exported_at": line.exported_at,
            "keys": line.keys,
            "marketing": list(line.marketing),
        }
        return canonical({"export": facts}) + b"\n"
    raise TypeError("the end of an export is written by `end_line`")


def read_line(data: bytes) -> Line:
    """What a line says. Raises `Unreadable` for every other spelling than the one `write` uses."""
    if not data.endswith(b"\n"):
        raise Unreadable("the line is cut short")
    found = _ENTRY.fullmatch(data)
    if found is not None:
        epoch, seq, event, leaf, body = found.groups()
        return Entry(epoch.decode(), int(seq), event.decode(), bytes.fromhex(leaf.decode()), body)
    try:
        facts = json.loads(data)
        line = _line_of(facts)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Unreadable("this is no line of a ledger export") from None
    if (line_bytes(line) if not isinstance(line, End) else canonical(facts) + b"\n") != data:
        raise Unreadable("the line is spelt in another way than Recado writes it")
    return line


def _line_of(facts: Any) -> Line:
    if not isinstance(facts, dict) or len(facts) != 1:
        raise Unreadable("this is no line of a ledger export")
    [(kind, value)] = facts.items()
    if kind == "unsequenced":
        return Loose(str(value["id"]), canonical(value))
    if kind == "head":
        return from_plain(value)
    if kind == "projection":
        return Projection(value["subject_ref"], value["consents"])
    if kind == "end":
        return End(bytes.fromhex(value["sha256"]), str(value["kid"]), bytes.fromhex(value["signature"]))
    if kind == "export" and value["schema"] == SCHEMA:
        keys = {str(kid): bytes.fromhex(key) for kid, key in value["keys"].items()}
        if any(len(key) != _KEY_BYTES for key in keys.values()):
            raise Unreadable("a public key is damaged")
        return Header(datetime.fromisoformat(value["exported_at"]), keys, tuple(value["marketing"]))
    raise Unreadable("this is no line of a ledger export")
