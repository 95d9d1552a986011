"""Reads webhook bodies: tolerant of everything Meta sends or will send, faithful in what it hands on.

Pure. Profile names, usernames, ad referrals and contact cards are dropped here and go no further (GDPR art. 5(1)(c)). What is
not known becomes `Unknown` with the names of field and kind only. One broken item never sinks the others of its batch.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from bot.domain.ids import Address, Bsuid, PhoneNumber, Wamid, Words
from bot.domain.inbound import (
    AccountNotice,
    DeliveryStatus,
    HumanEcho,
    IdentityChange,
    Inbound,
    InboundMessage,
    PreferenceSignal,
    Unknown,
)

MAX_TEXT = 64 * 1024
"""Longer texts are cut: WhatsApp itself takes 4096 characters."""

MAX_UPDATES = 10_000
STATUSES = frozenset({"sent", "delivered", "read", "played", "failed"})

Json = Mapping[str, Any]
Parts = dict[str, Any]


class UnreadableBody(ValueError):
    """The body is no JSON object; the sender is told 400."""


def parse(body: bytes, *, accounts: frozenset[str] | None) -> tuple[Inbound, ...]:
    """Everything in a webhook body, messages in the order they stand. `accounts` are our numbers' ids; None takes any.

    Raises `UnreadableBody` when it is no JSON object; never raises for what the JSON holds.
    """
    envelope = _decoded(body)
    if not isinstance(envelope, dict):
        raise UnreadableBody("not an object")
    found: list[Inbound] = []
    for entry in _objects(envelope.get("entry")):
        for change in _objects(entry.get("changes")):
            found.extend(_change(change, accounts))
            if len(found) > MAX_UPDATES:
                return tuple(found[:MAX_UPDATES])
    return tuple(found)


def _decoded(body: bytes) -> Any:
    """The JSON of a body. orjson refuses half characters that Meta's escapes may hold; the slower reader takes them."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as problem:
        raise UnreadableBody("not JSON") from problem


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, list):
        yield from (one for one in value if isinstance(one, dict))


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    """A text, number or nothing as a clean text: no U+0000, no half characters, bounded."""
    if isinstance(value, str):
        return value[:MAX_TEXT].replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return ""


def _change(change: Json, accounts: frozenset[str] | None) -> Iterator[Inbound]:
    name = _text(change.get("field"))[:64]
    value = _object(change.get("value"))
    account = _text(_object(value.get("metadata")).get("phone_number_id"))
    if accounts is not None and account and account not in accounts:
        yield Unknown(name if name.isidentifier() else "", "other-account")
        return
    reader = _FIELDS.get(name)
    if reader is None:
        if name in _NOTICES:
            yield _notice(name, value)
        else:
            yield Unknown(name if name.isidentifier() else "", "field")
        return
    yield from reader(account, value)


def _safely(read: Callable[[], Inbound | None], kind: str) -> Iterator[Inbound]:
    """One item on its own: a defect in reading it is counted and the rest goes on."""
    try:
        item = read()
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, OSError):
        yield Unknown("messages", f"broken-{kind}")
        return
    if item is not None:
        yield item


def _messages(account: str, value: Json) -> Iterator[Inbound]:
    contacts = list(_objects(value.get("contacts")))
    for message in _objects(value.get("messages")):
        yield from _safely(lambda m=message: _message(account, m, contacts), "message")  # type: ignore[misc]
    for status in _objects(value.get("statuses")):
        yield from _safely(lambda s=status: _status(account, s), "status")  # type: ignore[misc]
    for error in _objects(value.get("errors")):
        yield AccountNotice("errors", _text(error.get("code"))[:16])


def _moment(value: Any) -> datetime:
    """Seconds since 1970 as text or number. Raises `ValueError` for anything else."""
    seconds = int(str(value).strip()) if not isinstance(value, bool) else 0
    if not 0 < seconds < 4_102_444_800:
        raise ValueError("not a time")
    return datetime.fromtimestamp(seconds, UTC)


UNDATED = datetime(2100, 1, 1, tzinfo=UTC)
"""Stands for a time that is missing or odd. It lies ahead, so the runtime takes the time of receipt: a wish is never lost for it."""


def _moment_or_receipt(value: Any) -> datetime:
    """As `_moment`, with fractions of a second cut off, or `UNDATED`."""
    try:
        return _moment(int(value) if isinstance(value, float) else value)
    except (ValueError, OverflowError):
        return UNDATED


def _phone(value: Any) -> PhoneNumber | None:
    digits = _text(value).lstrip("+")
    return PhoneNumber(f"+{digits}") if digits.isascii() and digits.isdigit() and 5 <= len(digits) <= 20 else None


def _bsuid(value: Any) -> Bsuid | None:
    text = _text(value)
    country, dot, rest = text.partition(".")
    fits = dot and len(country) == 2 and country.isascii() and country.isalpha() and 0 < len(rest) <= 256
    return Bsuid(text) if fits and rest.isascii() and rest.isprintable() and " " not in rest else None


def _address(phone: Any, bsuid: Any, parent: Any = None) -> Address | None:
    number, scoped, above = _phone(phone), _bsuid(bsuid), _bsuid(parent)
    if number is None and scoped is None and above is None:
        # Some senders put the business-scoped id where the number stood (whatsapp.md 2.2).
        scoped = _bsuid(phone)
    return Address(number, scoped, above) if number or scoped or above else None


def _sender(message: Json, contacts: list[dict[str, Any]]) -> Address | None:
    """Who wrote: the message's own keys, completed by the contact that belongs to it."""
    phone, bsuid, parent = message.get("from"), message.get("from_user_id"), message.get("from_parent_user_id")
    number, scoped = _text(phone), _text(bsuid)
    for contact in contacts:
        same_number = bool(number) and _text(contact.get("wa_id")) == number
        same_id = not number and bool(scoped) and _text(contact.get("user_id")) == scoped
        alone = len(contacts) == 1 and not number and not scoped
        if same_number or same_id or alone:
            phone, bsuid = phone or contact.get("wa_id"), bsuid or contact.get("user_id")
            parent = parent or contact.get("parent_user_id")
            break
    return _address(phone, bsuid, parent)


def _message(account: str, message: Json, contacts: list[dict[str, Any]]) -> Inbound | None:
    kind = _text(message.get("type"))
    if message.get("group_id"):
        return Unknown("messages", "group")
    if kind == "system":
        return _system(account, message)
    sender = _sender(message, contacts)
    wamid = Wamid(_text(message.get("id")))
    if sender is None or not wamid:
        return Unknown("messages", "no-sender" if wamid else "no-id")
    context = _object(message.get("context"))
    reader = _KINDS.get(kind)
    parts: Parts = {"kind": "unsupported", "data": _errors(message)}
    if reader is not None and isinstance(message.get(kind), dict | list):
        parts = reader(message, _object(message.get(kind)))
    return InboundMessage(
        account, sender, wamid, _moment_or_receipt(message.get("timestamp")), parts.get("kind", kind), Words(parts.get("words", "")),
        parts.get("option", ""), Wamid(_text(context.get("id"))), parts.get("data", {}),
    )  # fmt: skip


def _read_text(_: Json, content: Json) -> Parts:
    return {"words": _text(content.get("body"))}


def _read_media(_: Json, content: Json) -> Parts:
    data = {
        "media_id": _text(content.get("id")),
        "mime_type": _text(content.get("mime_type")),
        "sha256": _text(content.get("sha256")),
    }
    return {"words": _text(content.get("caption")), "data": {key: value for key, value in data.items() if value}}


def _read_voice(message: Json, content: Json) -> Parts:
    return {**_read_media(message, content), "kind": "audio"}


def _read_interactive(_: Json, content: Json) -> Parts:
    kind = _text(content.get("type"))
    reply = _object(content.get(kind))
    if kind in ("button_reply", "list_reply"):
        return {"kind": "tap", "words": _text(reply.get("title")), "option": _text(reply.get("id"))}
    if kind == "nfm_reply":
        return {"kind": "form", "words": "", "data": _form(reply)}
    return {"kind": "unsupported", "data": {"inner": kind[:40]}}


def _form(reply: Json) -> dict[str, Any]:
    """A form's answers come as JSON inside a text (Meta: flows)."""
    try:
        answers = orjson.loads(_text(reply.get("response_json")))
    except orjson.JSONDecodeError:
        return {}
    return {"flow": answers} if isinstance(answers, dict) else {}


def _read_button(_: Json, content: Json) -> Parts:
    return {"kind": "template_tap", "words": _text(content.get("text")), "option": _text(content.get("payload"))}


def _read_reaction(_: Json, content: Json) -> Parts:
    return {"words": _text(content.get("emoji"))}


def _read_location(_: Json, content: Json) -> Parts:
    place = {name: float(str(content[name])) for name in ("latitude", "longitude") if content.get(name) is not None}
    return {"data": place}


def _read_contacts(message: Json, _: Json) -> Parts:
    """Shared cards are dropped but for the number of a person who tapped "share my number" (origin `contact_request`)."""
    for card in _objects(message.get("contacts")):
        if _text(card.get("origin")) == "contact_request":
            for phone in _objects(card.get("phones")):
                number = _phone(phone.get("wa_id")) or _phone(
                    _text(phone.get("phone")).replace(" ", "").replace("-", "")
                )
                if number is not None:
                    return {"data": {"phone": number.value}}
    return {}


def _read_order(_: Json, content: Json) -> Parts:
    return {"words": _text(content.get("text"))}


def _read_edit(_: Json, content: Json) -> Parts:
    inner = _object(content.get("message"))
    kind = _text(inner.get("type"))
    words = _text(_object(inner.get(kind)).get("body")) or _text(_object(inner.get(kind)).get("caption"))
    return {"kind": "edited", "words": words, "data": {"original": Wamid(_text(content.get("original_message_id")))}}


def _read_revoke(_: Json, content: Json) -> Parts:
    return {"kind": "revoked", "data": {"original": Wamid(_text(content.get("original_message_id")))}}


_KINDS: Mapping[str, Callable[[Json, Json], Parts]] = {
    "text": _read_text, "image": _read_media, "video": _read_media, "document": _read_media, "sticker": _read_media,
    "audio": _read_media, "voice": _read_voice, "interactive": _read_interactive, "button": _read_button,
    "reaction": _read_reaction, "location": _read_location, "contacts": _read_contacts, "order": _read_order,
    "edit": _read_edit, "revoke": _read_revoke,
}  # fmt: skip


def _errors(message: Json) -> dict[str, Any]:
    code = next((_text(error.get("code")) for error in _objects(message.get("errors"))), "")
    inner = _text(_object(message.get("unsupported")).get("type"))[:40]
    return {name: value for name, value in (("error", code), ("inner", inner)) if value}


def _system(account: str, message: Json) -> Inbound | None:
    """A changed number or id; free text is not read (whatsapp.md 2.3)."""
    content = _object(message.get("system"))
    kind = _text(content.get("type"))
    current = _address(
        content.get("wa_id") or content.get("new_wa_id"), content.get("user_id"), content.get("parent_user_id")
    )
    previous = _address(message.get("from"), content.get("previous_user_id"), content.get("previous_parent_user_id"))
    if kind not in ("user_changed_number", "user_changed_user_id", "customer_changed_number") or current is None:
        return Unknown("messages", "system")
    return IdentityChange(
        account, current, previous, Wamid(_text(message.get("id"))), _moment(message.get("timestamp"))
    )


def _status(account: str, status: Json) -> Inbound | None:
    name = _text(status.get("status"))
    if name not in STATUSES:
        return Unknown("messages", "status")
    code = next((_text(error.get("code")) for error in _objects(status.get("errors"))), "0")
    number = int(code) if code.isascii() and code.isdigit() else 0
    pricing = _text(_object(status.get("pricing")).get("category"))[:40]
    return DeliveryStatus(
        account, Wamid(_text(status.get("id"))), _text(status.get("biz_opaque_callback_data"))[:512], name,
        _moment(status.get("timestamp")), number, pricing,
    )  # fmt: skip


def _preferences(account: str, value: Json) -> Iterator[Inbound]:
    contacts = list(_objects(value.get("contacts")))
    for row in _objects(value.get("user_preferences")):

        def read(row: Json = row) -> Inbound | None:
            sender = _address(row.get("wa_id"), row.get("user_id"), row.get("parent_user_id"))
            if sender is None and len(contacts) == 1:
                sender = _address(contacts[0].get("wa_id"), contacts[0].get("user_id"))
            wish = _text(row.get("value"))
            if sender is None or wish not in ("stop", "resume"):
                return Unknown("user_preferences", "incomplete")
            return PreferenceSignal(
                account, sender, wish, _text(row.get("category"))[:40], _moment_or_receipt(row.get("timestamp"))
            )

        yield from _safely(read, "preference")


def _echoes(account: str, value: Json) -> Iterator[Inbound]:
    for echo in _objects(value.get("message_echoes")):
        to = _address(echo.get("to"), echo.get("to_user_id"))
        yield from _safely(lambda e=echo, t=to: HumanEcho(account, t, "echo", _moment(e.get("timestamp"))), "echo")  # type: ignore[misc]


def _standby(account: str, value: Json) -> Iterator[Inbound]:
    """While Meta's agent holds the thread the bot is silent, but a wish to stop is still ours to hear (decisions.md 5)."""
    yield from _messages(account, _object(value.get("standby")) or value)


def _handovers(account: str, value: Json) -> Iterator[Inbound]:
    to = _address(_object(value.get("sender")).get("phone_number"), _object(value.get("sender")).get("user_id"))
    kind = _text(value.get("type"))[:40]
    yield from _safely(lambda: HumanEcho(account, to, kind, _moment(value.get("timestamp"))), "handover")


_FIELDS: Mapping[str, Callable[[str, Json], Iterator[Inbound]]] = {
    "messages": _messages,
    "user_preferences": _preferences,
    "smb_message_echoes": _echoes,
    "standby": _standby,
    "messaging_handovers": _handovers,
}

_NOTICES: Mapping[str, tuple[str, ...]] = {
    "message_template_status_update": ("message_template_name", "message_template_language", "reason"),
    "message_template_quality_update": ("message_template_name", "message_template_language", "new_quality_score"),
    "message_template_components_update": ("message_template_name", "message_template_language"),
    "template_category_update": (
        "message_template_name",
        "message_template_language",
        "new_category",
        "previous_category",
    ),
    "phone_number_quality_update": ("current_limit", "max_daily_conversations_per_business"),
    "phone_number_name_update": ("decision",),
    "business_capability_update": ("max_daily_conversations_per_business",),
    "account_update": (),
    "account_alerts": ("alert_type", "alert_severity"),
    "account_review_update": ("decision",),
    "business_username_updates": ("status",),
    "security": (),
    "flows": (),
}


def _notice(name: str, value: Json) -> AccountNotice:
    detail = {key: _text(value.get(key))[:200] for key in _NOTICES[name] if value.get(key) is not None}
    return AccountNotice(name, _text(value.get("event"))[:64], detail)
