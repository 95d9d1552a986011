"""Consent receipts: what a person agreed to, in full and signed, as JSON and as a page; checked without any database (privacy.md 3.4).

Pure. The page is made from the JSON inside it and from nothing else, so a page whose visible words were changed is found too.
"""

import html
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

from bot.domain.business import Business
from bot.domain.errors import Unreadable
from bot.privacy import crypto
from bot.privacy.keyring import Signed
from bot.privacy.ledger.canonical import canonical, moment
from bot.privacy.ledger.heads import from_plain
from bot.privacy.ledger.leaves import Entry
from bot.privacy.ledger.tree import included, leaf_hash
from bot.privacy.msgid import N_

SCHEMA = "recado-consent-receipt/1"
_EMBEDDED = re.compile(rb'<script type="application/json" id="receipt">(.*?)</script>', re.DOTALL)

TITLE = N_("Consent receipt")

LABELS = (
    ("receipt_id", N_("Receipt")), ("issued_at", N_("Issued")), ("controller", N_("Controller")),
    ("dpo", N_("Data protection officer")), ("purpose", N_("You agreed to")), ("basis", N_("Legal basis")),
    ("shown", N_("The words you were shown")), ("answered", N_("Your answer")), ("at", N_("When")),
    ("local_time", N_("When, local time")), ("language", N_("Language")), ("notice_link", N_("Privacy notice")),
    ("notice_hash", N_("Version of the notice")), ("data", N_("Data used")), ("recipients", N_("Recipients")),
    ("storage", N_("Stored")), ("transfers", N_("Transfers")), ("retention", N_("Kept")),
    ("withdraw", N_("How to withdraw")), ("rights", N_("Your rights")), ("complaint", N_("Complaint body")),
    ("valid_until", N_("Holds until")), ("event_ids", N_("Events")), ("verify_code", N_("Check code")),
)  # fmt: skip

TOLD = ("purpose", "shown", "answered", "local_time", "valid_until", "withdraw", "notice_link", "verify_code")
"""What of a receipt is said in the chat; the rest stands in the signed file."""

_RIGHTS = N_("Access, correction, erasure, restriction, objection and portability; write MY DATA in the chat.")


def receipt_of(
    row: Mapping[str, Any], words: Mapping[str, Any] | None, business: Business, now: datetime, receipt_id: str,
    translate: Callable[[str], str] = str,
) -> dict[str, Any]:  # fmt: skip
    """The facts of a receipt for one event of the ledger, with the words where they still stand.

    `translate` is into the language of the reader; the labels are among the facts, so that a page in any language is made
    from the signed JSON alone.

    Raises `Unreadable` for an event that is no consent given.
    """
    if row.get("state_after") != "given":
        raise Unreadable("a receipt is for a consent that was given; this event is another one")
    purpose, notice, controller = business.purposes.get(row["purpose"]), business.notice, business.controller
    words = words or {}
    zone = ZoneInfo(business.time_zone)
    facts: dict[str, Any] = {
        "schema": SCHEMA, "receipt_id": receipt_id, "issued_at": moment(now), "event_ids": [row["_id"]],
        "controller": ", ".join(one for one in (controller.name, controller.address, controller.email, controller.phone) if one),
        "dpo": ", ".join(one for one in (business.dpo.name, business.dpo.email) if one),
        "purpose": translate(purpose.title) if purpose else row["purpose"], "purpose_id": row["purpose"], "basis": row.get("basis", ""),
        "shown": words.get("prompt_text", ""), "answered": words.get("answer_text") or words.get("answer_id", ""),
        "at": moment(row["occurred_at"]), "local_time": f"{row['occurred_at'].astimezone(zone):%Y-%m-%d %H:%M:%S %Z}",
        "language": row.get("notice_language", ""), "notice_link": notice.link, "notice_hash": row.get("notice_hash", ""),
        "data": list(purpose.data or notice.data) if purpose else list(notice.data),
        "recipients": [f"{one.name} ({one.country})" if one.country else one.name for one in business.processors],
        "storage": notice.storage, "transfers": notice.transfers, "retention": notice.retention,
        "withdraw": row.get("withdrawal_method", ""), "complaint": notice.complaint,
        "rights": translate(_RIGHTS),
        "valid_until": moment(row["valid_until"]) if row.get("valid_until") else "",
    }  # fmt: skip
    facts["labels"] = {name: translate(label) for name, label in (("title", TITLE), *LABELS)}
    facts["verify_code"] = sha256(canonical(facts)).hexdigest()[:16]
    return facts


def told(facts: Mapping[str, Any], translate: Callable[[str], str]) -> list[str]:
    """The receipt in the lines of a chat: what was agreed to, in which words, when, until when, and the way out (GDPR art. 7(1), (3))."""
    shown = {
        name: str(facts[name])[:10] if name == "valid_until" else _shown(facts[name])
        for name in TOLD
        if facts.get(name)
    }
    return [f"*{translate(label)}:* {shown[name]}" for name, label in LABELS if name in shown]


def place_of(entry: Entry, size: int, path: Sequence[bytes], head: Mapping[str, Any]) -> dict[str, Any]:
    """The proof that the event has its place under a signed head."""
    if entry.body is None:
        raise Unreadable("the event of this place is missing")
    return {
        "epoch": entry.epoch, "seq": entry.seq, "size": size, "path": [one.hex() for one in path],
        "body": entry.body.decode(), "head": dict(head),
    }  # fmt: skip


def sign_receipt(
    facts: Mapping[str, Any],
    sign: Callable[[bytes], Signed],
    keys: Mapping[str, bytes],
    place: Mapping[str, Any] | None,
) -> bytes:
    """The receipt as canonical JSON with its signature, the public key and, where the event has one, its place in the ledger."""
    content = {"receipt": dict(facts), **({"place": dict(place)} if place else {})}
    signed = sign(canonical(content))
    proof = {"kid": signed.kid, "public_key": keys[signed.kid].hex(), "value": signed.value.hex()}
    return canonical({**content, "signature": proof})


def receipt_page(receipt: bytes) -> bytes:
    """The signed receipt as a page that needs nothing from elsewhere; the JSON stands inside it."""
    facts = json.loads(receipt)["receipt"]
    labels = facts.get("labels", {})
    title = html.escape(labels.get("title", TITLE))
    rows = "".join(
        f"<dt>{html.escape(labels.get(name, label))}</dt><dd>{html.escape(_shown(facts[name]))}</dd>\n"
        for name, label in LABELS
        if facts.get(name)
    )
    # `<` is spelt as JSON allows, so that no word of the receipt can end the element.
    inside = receipt.decode().replace("<", "\\u003c")
    language = html.escape(str(facts.get("language") or "en"), quote=True)
    page = (
        f'<!doctype html>\n<html lang="{language}" dir="auto"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{title}</title>\n"
        "<style>body{font:1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:2rem auto;padding:0 1rem;overflow-wrap:anywhere}"
        "dt{font-weight:600;margin-top:.8rem}dd{margin:0;white-space:pre-wrap}</style></head>\n"
        f"<body><main><h1>{title}</h1>\n<dl>\n{rows}</dl>\n"
        "<p>Check it without us: <code>recado consent verify FILE</code></p></main>\n"
        f'<script type="application/json" id="receipt">{inside}</script></body></html>\n'
    )
    return page.encode()


def _shown(value: Any) -> str:
    return ", ".join(str(one) for one in value) if isinstance(value, list) else str(value)


@dataclass(frozen=True, slots=True)
class Checked:
    """What the check of a receipt found."""

    facts: Mapping[str, Any]
    wrong: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def well(self) -> bool:
        return not self.wrong

    def plain(self) -> dict[str, Any]:
        """As JSON data."""
        return {"well": self.well, "wrong": list(self.wrong), "notes": list(self.notes), "receipt": dict(self.facts)}

    def lines(self) -> list[str]:
        """In words."""
        found = [f"{label}: {_shown(self.facts[name])}" for name, label in LABELS if self.facts.get(name)]
        found += [f"WRONG  {one}" for one in self.wrong] + [f"NOTE   {one}" for one in self.notes]
        return [*found, "The receipt is genuine."] if self.well else found


def is_receipt(data: bytes) -> bool:
    """Whether this looks like a receipt, whatever it is worth."""
    return b'"' + SCHEMA.encode() + b'"' in data


def read_receipt(data: bytes, keys: Mapping[str, bytes] | None) -> Checked:
    """Checks a receipt (JSON or page) against public keys; None takes the key inside, which then is said.

    Raises `Unreadable` when it is none.
    """
    inside = _EMBEDDED.search(data)
    try:
        whole = json.loads(inside[1] if inside else data)
        facts, proof, place = dict(whole["receipt"]), whole["signature"], whole.get("place")
        own = {str(proof["kid"]): bytes.fromhex(proof["public_key"])}
        value, kid = bytes.fromhex(proof["value"]), str(proof["kid"])
        content = canonical({name: one for name, one in whole.items() if name != "signature"})
        page = receipt_page(canonical(whole)) if inside else canonical(whole)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Unreadable("this receipt is damaged: it cannot be read") from None
    wrong = []
    known = own if keys is None else keys
    if kid not in known or not crypto.verify(known[kid], content, value) or known[kid] != own[kid]:
        wrong.append("The signature is not one of a known key over what the receipt says.")
    if page != data.rstrip(b"\n") + (b"\n" if inside else b""):
        wrong.append("The file is not as it was issued: something beside the signed part was changed.")
    if place is not None and not _has_place(place, facts, known):
        wrong.append("The place in the ledger that the receipt claims does not hold.")
    notes = (
        ["The key came with the receipt; compare it with one you were given elsewhere (--keys)."]
        if keys is None
        else []
    )
    if place is None:
        notes.append("The receipt was issued before the event had its place under a signed head of the ledger.")
    return Checked(facts, tuple(wrong), tuple(notes))


def _has_place(place: Any, facts: Mapping[str, Any], keys: Mapping[str, bytes]) -> bool:
    try:
        head, body = from_plain(place["head"]), place["body"].encode()
        path = [bytes.fromhex(one) for one in place["path"]]
        same = json.loads(body)["id"] in facts["event_ids"] and (head.epoch, head.size) == (
            place["epoch"],
            place["size"],
        )
        return (
            same and head.verified_by(keys) and included(leaf_hash(body), int(place["seq"]), head.size, path, head.root)
        )
    except (Unreadable, ValueError, KeyError, TypeError, AttributeError):
        return False
