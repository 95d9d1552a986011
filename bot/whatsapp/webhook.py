"""Reads webhook bodies: tolerant of everything Meta sends or will send, faithful in what it hands on.

Pure. What is not known becomes `Unknown` with the names of field and kind only. One broken item never sinks the others of its
batch. Time and memory grow no faster than the body.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from bot.domain.inbound import DeliveryStatus, HumanEcho, Inbound, PreferenceSignal, Unknown
from bot.whatsapp import fields
from bot.whatsapp.fields import UNDATED, Json, NotJson
from bot.whatsapp.messages import Contacts, message_of
from bot.whatsapp.notices import NOTICES, notice

__all__ = ["MAX_UPDATES", "STATUSES", "UNDATED", "UnreadableBody", "parse"]

MAX_UPDATES = 10_000
"""Meta sends up to 1,000 updates at once; what is beyond ten times that is counted as one `Unknown`."""

STATUSES = frozenset({"sent", "delivered", "read", "played", "failed"})

_LETTERS = str.maketrans("0123456789", "ghijklmnop")


class UnreadableBody(ValueError):
    """The body is no JSON object; the sender is told 400."""


@dataclass(frozen=True, slots=True)
class _Ours:
    """Whose webhooks we take; None takes any."""

    accounts: frozenset[str] | None
    businesses: frozenset[str] | None


def parse(
    body: bytes, *, accounts: frozenset[str] | None, businesses: frozenset[str] | None = None
) -> tuple[Inbound, ...]:
    """Everything in a webhook body, messages in the order they stand.

    `accounts` are our numbers' ids and `businesses` those of our business accounts; None takes any. What belongs to others is
    an `Unknown` that names them by reference only. Raises `UnreadableBody` when it is no JSON object; never raises for what the
    JSON holds.
    """
    try:
        envelope = fields.decoded(body)
    except NotJson as problem:
        raise UnreadableBody("not JSON") from problem
    if not isinstance(envelope, dict):
        raise UnreadableBody("not an object")
    found: list[Inbound] = []
    for item in _entries(envelope, _Ours(accounts, businesses)):
        if len(found) == MAX_UPDATES:
            found.append(Unknown("", "too-many"))
            break
        found.append(item)
    return tuple(found)


def _entries(envelope: Json, ours: _Ours) -> Iterator[Inbound]:
    kind = envelope.get("object")
    if isinstance(kind, str) and not kind.startswith("whatsapp"):
        yield Unknown("", "object")
        return
    for entry in fields.objects(envelope.get("entry")):
        business = fields.text(entry.get("id"), 64)
        for change in fields.objects(entry.get("changes")):
            yield from _change(change, business, ours)
    # Meta's dashboard sends its samples bare, and hosted servers of old sent the value alone.
    for sample in chain(fields.objects(envelope.get("sample")), (envelope,)):
        if "field" in sample:
            yield from _change(sample, "", ours)
    if "entry" not in envelope and ("messages" in envelope or "statuses" in envelope):
        yield from _change({"field": "messages", "value": envelope}, "", ours)


def _change(change: Json, business: str, ours: _Ours) -> Iterator[Inbound]:
    name = fields.text(change.get("field"), 64)
    shown = name if name.isidentifier() and name.isascii() else ""
    value = fields.part(change.get("value"))
    account = _account(name, value)
    if ours.businesses is not None and business and business not in ours.businesses:
        yield Unknown(shown, "other-business", reference(business))
    elif ours.accounts is not None and account and account not in ours.accounts:
        yield Unknown(shown, "other-account", reference(account))
    elif (reader := _FIELDS.get(name)) is not None:
        if not account and ours.accounts is not None:
            if len(ours.accounts) != 1:
                yield Unknown(shown, "no-account")
                return
            account = next(iter(ours.accounts))
        yield from reader(account, value)
    elif name in NOTICES:
        yield from _safely(lambda: notice(name, value, business), "notice")
    else:
        yield Unknown(shown, "field")


def reference(outside_id: str) -> str:
    """A short name for an id that is not ours, by which two log lines can be seen to mean the same.

    Letters alone, because the log withholds what looks like a number.
    """
    return hashlib.sha256(outside_id.encode()).hexdigest()[:10].translate(_LETTERS)


def _account(name: str, value: Json) -> str:
    """Which of our numbers it came to; a handover names it as the recipient (whatsapp.md 1.7)."""
    holder = value.get("recipient") if name == "messaging_handovers" else value.get("metadata")
    found = fields.text(fields.part(holder).get("phone_number_id"), 64)
    return found or fields.text(fields.part(value.get("metadata")).get("phone_number_id"), 64)


def _safely(read: Callable[[], Inbound], kind: str) -> Iterator[Inbound]:
    """One item on its own: a defect in reading it is counted and the rest goes on."""
    try:
        yield read()
    except (ValueError, TypeError, KeyError, AttributeError, ArithmeticError, OSError, RecursionError):
        yield Unknown("messages", f"broken-{kind}")


def _each(rows: Any, read: Callable[[Json], Inbound], kind: str) -> Iterator[Inbound]:
    """Each object of a list, read on its own."""
    for row in fields.objects(rows):
        yield from _safely(lambda one=row: read(one), kind)  # type: ignore[misc]


def _messages(account: str, value: Json, *, standby: bool = False) -> Iterator[Inbound]:
    rows = value.get("messages")
    alone = isinstance(rows, dict) or (isinstance(rows, list) and len(rows) == 1)
    contacts = Contacts(fields.objects(value.get("contacts")), alone=alone)
    yield from _each(rows, lambda one: message_of(account, one, contacts, standby=standby), "message")
    yield from _each(value.get("statuses"), lambda one: _status(account, one), "status")
    yield from _each(value.get("errors"), _error, "error")


def _error(error: Json) -> Inbound:
    """Trouble without a message: the code is for operators, its text may quote somebody and is dropped (whatsapp.md 3.8)."""
    return notice("errors", {"event": error.get("code")}, "")


def _status(account: str, status: Json) -> Inbound:
    name = fields.text(status.get("status"), 40)
    wamid = fields.wamid(status.get("id"))
    callback = fields.text(status.get("biz_opaque_callback_data"), 512)
    if name not in STATUSES or not (wamid or callback):
        return Unknown("messages", "status")
    code = next((fields.number(one.get("code")) for one in fields.objects(status.get("errors"))), 0)
    price = fields.part(status.get("pricing"))
    origin = fields.part(fields.part(status.get("conversation")).get("origin"))
    category = fields.text(price.get("category") or origin.get("type"), 40)
    at = fields.moment(status.get("timestamp"))
    return DeliveryStatus(account, wamid, callback, name, at, code, category, fields.text(price.get("type"), 40))


def _preferences(account: str, value: Json) -> Iterator[Inbound]:
    contacts = list(fields.objects(value.get("contacts")))
    alone = contacts[0] if len(contacts) == 1 else {}

    def read(row: Json) -> Inbound:
        sender = fields.address(row.get("wa_id"), row.get("user_id"), row.get("parent_user_id"))
        sender = sender or fields.address(alone.get("wa_id"), alone.get("user_id"), alone.get("parent_user_id"))
        wish = fields.text(row.get("value"), 16).lower()
        if sender is None or wish not in ("stop", "resume"):
            return Unknown("user_preferences", "incomplete")
        category = fields.text(row.get("category"), 40)
        return PreferenceSignal(account, sender, wish, category, fields.moment(row.get("timestamp")))

    yield from _each(value.get("user_preferences"), read, "preference")


def _echoes(account: str, value: Json, *, kind: str = "echo") -> Iterator[Inbound]:
    def read(row: Json) -> Inbound:
        to = fields.address(row.get("to"), row.get("to_user_id"), row.get("to_parent_user_id"))
        return HumanEcho(account, to, kind, fields.moment(row.get("timestamp")), fields.wamid(row.get("id")))

    yield from _each(value.get("message_echoes"), read, "echo")


def _standby(account: str, value: Json) -> Iterator[Inbound]:
    """While Meta's agent holds the thread the bot is silent, but a wish to stop is still ours to hear (decisions.md 5)."""
    inner = fields.part(value.get("standby"))
    whole = {**value, **inner}
    yield from _messages(account, whole, standby=True)
    yield from _echoes(account, whole, kind="standby")


def _handovers(account: str, value: Json) -> Iterator[Inbound]:
    """Who may speak: `control_taken` from us, or `control_passed` to us (whatsapp.md 1.7)."""

    def read() -> Inbound:
        sender = fields.part(value.get("sender"))
        to = fields.address(
            sender.get("phone_number") or sender.get("wa_id"), sender.get("user_id"), sender.get("parent_user_id")
        )
        kind = fields.text(value.get("type"), 40)
        if kind not in ("control_passed", "control_taken"):
            return Unknown("messaging_handovers", "kind")
        return HumanEcho(account, to, kind, fields.moment(value.get("timestamp")))

    yield from _safely(read, "handover")


_FIELDS: Mapping[str, Callable[[str, Json], Iterator[Inbound]]] = {
    "messages": _messages,
    "user_preferences": _preferences,
    "smb_message_echoes": _echoes,
    "message_echoes": _echoes,
    "standby": _standby,
    "messaging_handovers": _handovers,
}
