"""Incoming messages: each type of Meta's as the kind Recado knows (whatsapp.md 1.5).

Pure. Profile names, usernames, advertising ids, media addresses and the cards of third people are dropped here and go no further
(GDPR art. 5(1)(c)). A type that is not known, or that comes without its object, becomes `unsupported`: it is answered politely
and nothing of it is kept.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from bot.domain.ids import Address, Wamid, Words
from bot.domain.inbound import IdentityChange, Inbound, InboundMessage, Unknown
from bot.whatsapp import fields
from bot.whatsapp.fields import Json

Parts = dict[str, Any]

_ITEMS = 100
_CHANGES = frozenset(
    {"user_changed_number", "user_changed_user_id", "customer_changed_number", "customer_changed_user_id"}
)
_IDENTITY_KEYS = frozenset({"customer_identity_changed", "user_identity_changed"})
_REPLIES = ("button_reply", "list_reply", "nfm_reply", "call_permission_reply")


class Contacts:
    """The contacts that came beside messages, found by number or id at once however many there are."""

    def __init__(self, rows: Iterable[Json], *, alone: bool) -> None:
        """`alone` says that one message only came with them, so that a single contact must be its sender."""
        self._all = list(rows)
        self._alone = alone
        self._by_number: dict[str, Json] = {}
        self._by_id: dict[str, Json] = {}
        for row in self._all:
            number, scoped = fields.digits(row.get("wa_id")), fields.text(row.get("user_id"), fields.MAX_ID)
            if number:
                self._by_number.setdefault(number, row)
            if scoped:
                self._by_id.setdefault(scoped, row)

    def sender(self, message: Json) -> Address | None:
        """Who wrote: the message's own keys, completed by the contact that belongs to it."""
        number, scoped = message.get("from"), message.get("from_user_id")
        contact = self._of(
            fields.digits(number), fields.text(scoped, fields.MAX_ID), fields.text(number, fields.MAX_ID)
        )
        parent = message.get("from_parent_user_id") or contact.get("parent_user_id")
        known = fields.address(number or contact.get("wa_id"), scoped or contact.get("user_id"), parent)
        return known or fields.address(contact.get("wa_id"), contact.get("user_id"), parent)

    def _of(self, number: str, scoped: str, plain: str) -> Json:
        found = self._by_number.get(number) or self._by_id.get(scoped)
        if found is None and not number:
            found = self._by_id.get(plain)
        if found is None and len(self._all) == 1 and (self._alone or not (number or scoped or plain)):
            found = self._all[0]
        return found or {}


def message_of(account: str, message: Json, contacts: Contacts, *, standby: bool = False) -> Inbound:
    """One entry of `messages`. `standby` says that somebody else holds the thread (Meta: webhooks, `standby`)."""
    kind = fields.text(message.get("type"), 64)
    if message.get("group_id"):
        return Unknown("messages", "group")
    if kind == "system":
        return _system(account, message)
    if kind == "request_welcome":
        return Unknown("messages", "request_welcome")
    sender, wamid = contacts.sender(message), fields.wamid(message.get("id"))
    if sender is None or not wamid:
        return Unknown("messages", "no-sender" if wamid else "no-id")
    context = fields.part(message.get("context"))
    parts = _parts(kind, message)
    data = {**_around(message, context), **parts.get("data", {})}
    reply_to = fields.wamid(context.get("id")) or parts.get("reply_to", Wamid(""))
    at = fields.moment(message.get("timestamp"))
    words, option = Words(parts.get("words", "")), parts.get("option", "")
    return InboundMessage(account, sender, wamid, at, parts["kind"], words, option, reply_to, data, standby=standby)


def _parts(kind: str, message: Json) -> Parts:
    reader = _KINDS.get(kind)
    if reader is None or not isinstance(message.get(kind), dict | list) or not message[kind]:
        return {"kind": "unsupported", "data": _trouble(kind, message)}
    parts: Parts = {"kind": kind, **reader(message, fields.part(message[kind]))}
    return {**parts, "data": {**parts.get("data", {}), **_trouble("", message)}}


def _around(message: Json, context: Json) -> Parts:
    """What stands beside every type: where the person came from and what they refer to, without any advertising id."""
    found: Parts = {}
    source = fields.text(fields.part(message.get("referral")).get("source_type"), 16)
    if source in ("ad", "post"):
        found["entry"] = source
    product = fields.part(context.get("referred_product"))
    if product:
        found["product"] = fields.text(product.get("product_retailer_id"), fields.MAX_NAME)
        found["catalog"] = fields.text(product.get("catalog_id"), fields.MAX_NAME)
    if context.get("forwarded") is True or context.get("frequently_forwarded") is True:
        found["forwarded"] = True
    return found


def _trouble(kind: str, message: Json) -> Parts:
    """The code of the first error, and which type it was that could not be shown."""
    code = next((fields.text(one.get("code"), 16) for one in fields.objects(message.get("errors"))), "")
    inner = fields.text(fields.part(message.get("unsupported")).get("type"), 40)
    if not inner and kind not in ("", "unsupported", "unknown"):
        inner = kind[:40] if kind.replace("_", "").isalnum() else ""
    return {name: value for name, value in (("error", code), ("inner", inner)) if value}


# -- the types ---------------------------------------------------------------------------------------------------------


def _text(_: Json, content: Json) -> Parts:
    return {"words": fields.text(content.get("body"))}


def _media(_: Json, content: Json) -> Parts:
    data: Parts = {
        "media_id": fields.text(content.get("id"), fields.MAX_ID),
        "mime_type": fields.text(content.get("mime_type"), fields.MAX_NAME),
        "sha256": fields.text(content.get("sha256"), 128),
        "filename": fields.text(content.get("filename"), fields.MAX_NAME),
    }
    data.update({name: True for name in ("voice", "animated") if content.get(name) is True})
    return {
        "words": fields.text(content.get("caption")),
        "data": {name: value for name, value in data.items() if value},
    }


def _voice(message: Json, content: Json) -> Parts:
    parts = _media(message, content)
    return {**parts, "kind": "audio", "data": {**parts["data"], "voice": True}}


def _interactive(_: Json, content: Json) -> Parts:
    kind = fields.text(content.get("type"), 40) or next((name for name in _REPLIES if name in content), "")
    reply = fields.part(content.get(kind))
    if kind in ("button_reply", "list_reply") and reply:
        option = fields.text(reply.get("id"), fields.MAX_ID)
        return {"kind": "tap", "words": fields.text(reply.get("title")), "option": option}
    if kind == "nfm_reply" and reply:
        return {"kind": "form", "words": "", "data": _form(reply)}
    return {"kind": "unsupported", "data": {"inner": kind}}


def _form(reply: Json) -> Parts:
    """A form's answers come as JSON inside a text (Meta: flows). The text is read whole: its parts are bounded, not it."""
    answers = reply.get("response_json")
    if isinstance(answers, str):
        try:
            answers = fields.decoded(answers)
        except fields.NotJson:
            return {}
    return {"flow": fields.cleaned(answers)} if isinstance(answers, dict) else {}


def _button(_: Json, content: Json) -> Parts:
    words = fields.text(content.get("text"))
    return {"kind": "template_tap", "words": words, "option": fields.text(content.get("payload"), fields.MAX_ID)}


def _reaction(_: Json, content: Json) -> Parts:
    emoji = fields.text(content.get("emoji"), 64)
    return {
        "words": emoji,
        "reply_to": fields.wamid(content.get("message_id")),
        "data": {} if emoji else {"removed": True},
    }


def _location(_: Json, content: Json) -> Parts:
    latitude, longitude = fields.degrees(content.get("latitude"), 90), fields.degrees(content.get("longitude"), 180)
    found = {"latitude": latitude, "longitude": longitude}
    return {"data": {name: value for name, value in found.items() if value is not None}}


def _contacts(message: Json, _: Json) -> Parts:
    """Shared cards are dropped but for the number of a person who tapped "share my number" (origin `contact_request`)."""
    for card in fields.objects(message.get("contacts")):
        if fields.text(card.get("origin"), 40) == "contact_request":
            for row in fields.objects(card.get("phones")):
                number = fields.phone(row.get("wa_id")) or fields.phone(row.get("phone"))
                if number is not None:
                    return {"data": {"phone": number.value}}
    return {}


def _order(_: Json, content: Json) -> Parts:
    """What was chosen. The price is what the person was shown and is not to be trusted (whatsapp.md 1.5)."""
    items = [
        {
            "product": fields.text(row.get("product_retailer_id"), fields.MAX_NAME),
            "quantity": fields.number(row.get("quantity")),
            "price": fields.text(row.get("item_price"), 40),
            "currency": fields.text(row.get("currency"), 8),
        }
        for row in list(fields.objects(content.get("product_items")))[:_ITEMS]
    ]
    catalog = fields.text(content.get("catalog_id"), fields.MAX_NAME)
    data = {name: value for name, value in (("catalog", catalog), ("items", items)) if value}
    return {"words": fields.text(content.get("text")), "data": data}


def _edit(_: Json, content: Json) -> Parts:
    inner = fields.part(content.get("message"))
    shown = fields.part(inner.get(fields.text(inner.get("type"), 40)))
    words = fields.text(shown.get("body")) or fields.text(shown.get("caption"))
    return {"kind": "edited", "words": words, "data": {"original": fields.wamid(content.get("original_message_id"))}}


def _revoke(_: Json, content: Json) -> Parts:
    return {"kind": "revoked", "data": {"original": fields.wamid(content.get("original_message_id"))}}


_KINDS: Mapping[str, Callable[[Json, Json], Parts]] = {
    "text": _text, "image": _media, "video": _media, "document": _media, "sticker": _media, "audio": _media, "voice": _voice,
    "interactive": _interactive, "button": _button, "reaction": _reaction, "location": _location, "contacts": _contacts,
    "order": _order, "edit": _edit, "revoke": _revoke,
}  # fmt: skip


def _system(account: str, message: Json) -> Inbound:
    """A changed number or id; free text is not read (whatsapp.md 2.3)."""
    content = fields.part(message.get("system"))
    kind = fields.text(content.get("type"), 64)
    if kind in _IDENTITY_KEYS:
        return Unknown("messages", "identity-key")
    scoped = content.get("user_id") or (message.get("from_user_id") if kind.endswith("_user_id") else None)
    current = fields.address(content.get("wa_id") or content.get("new_wa_id"), scoped, content.get("parent_user_id"))
    if kind not in _CHANGES or current is None:
        return Unknown("messages", "system")
    previous = fields.address(
        message.get("from") or content.get("customer"),
        content.get("previous_user_id"),
        content.get("previous_parent_user_id"),
    )
    wamid, at = fields.wamid(message.get("id")), fields.moment(message.get("timestamp"))
    return IdentityChange(account, current, previous, wamid, at)
