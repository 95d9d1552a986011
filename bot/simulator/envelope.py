"""The JSON that webhooks carry, built from plain values. Pure: who gets it, when and how often is decided elsewhere.

Source: Meta: cloud-api/webhooks/components and business-scoped-user-ids. Absent keys are left out, never sent empty.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.simulator.people import Person

Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class Business:
    """The number that webhooks are about."""

    waba_id: str
    phone_number_id: str
    display_phone_number: str

    @property
    def digits(self) -> str:
        """The business's number as webhooks write it."""
        return "".join(sign for sign in self.display_phone_number if sign.isdigit())

    def value(self, **parts: object) -> Json:
        """A `value` with its metadata."""
        metadata = {"display_phone_number": self.digits, "phone_number_id": self.phone_number_id}
        return {"messaging_product": "whatsapp", "metadata": metadata} | parts


OF_CHATS = frozenset({
    "messages", "user_preferences", "smb_message_echoes", "smb_app_state_sync", "history", "standby", "messaging_handovers", "calls",
})  # fmt: skip
"""Fields about people; the entries of all others carry a time (Meta: webhooks/overview)."""


@dataclass(frozen=True, slots=True)
class Change:
    """One update as it stands in `entry[].changes[]`; `at` (Unix seconds) is told for updates about the account only."""

    field: str
    value: Mapping[str, object]
    at: int = 0


def contact(person: Person, *, with_username: bool = True) -> Json:
    """One of `contacts[]`: profile, and whichever of wa_id and user_id the business may see."""
    profile = {"name": person.name} | ({"username": person.username} if person.username and with_username else {})
    return {"profile": profile} | present(wa_id=person.wa_id, user_id=person.bsuid)


def present(**parts: object) -> Json:
    """The parts that are there."""
    return {key: value for key, value in parts.items() if value is not None}


def inbound(business: Business, person: Person, message: Json) -> Change:
    """A message from a person; `message` has id, timestamp, type and content."""
    sender = present(**{"from": person.wa_id, "from_user_id": person.bsuid})
    return Change("messages", business.value(contacts=[contact(person)], messages=[sender | message]))


def system(business: Business, message: Json) -> Change:
    """A message of type system: comes without contacts (Meta: webhooks/messages/system)."""
    return Change("messages", business.value(messages=[message]))


@dataclass(frozen=True, slots=True)
class StatusNews:
    """What a status webhook says about one message of the business."""

    message_id: str
    status: str
    timestamp: int
    to_number: bool
    callback_data: str = ""
    category: str = "service"
    free: bool = True
    error: Mapping[str, object] | None = None


def status(business: Business, person: Person, news: StatusNews) -> Change:
    """A status. `contacts` never stand in failed, the username only in delivered and read, pricing in sent and delivered."""
    failed = news.status == "failed"
    shows_number = person.wa_id is not None or (news.to_number and person.number is not None)
    number = person.number.lstrip("+") if person.number and shows_number else None
    if failed:
        number = number if news.to_number else None
    body = present(
        id=news.message_id, status=news.status, timestamp=str(news.timestamp), recipient_id=number,
        recipient_user_id=person.bsuid if not failed or not news.to_number else None,
        biz_opaque_callback_data=news.callback_data or None,
    )  # fmt: skip
    if news.status in {"sent", "delivered"}:
        kind = "free_customer_service" if news.free else "regular"
        body["pricing"] = {"billable": not news.free, "pricing_model": "PMP", "type": kind, "category": news.category}
    if failed:
        return Change("messages", business.value(statuses=[body | {"errors": [dict(news.error or {})]}]))
    contacts = [contact(person, with_username=news.status in {"delivered", "read"})]
    return Change("messages", business.value(contacts=contacts, statuses=[body]))


def undeliverable(business: Business, address: str, news: StatusNews) -> Change:
    """A failed status for somebody who is not on WhatsApp."""
    who = {"recipient_id": address.lstrip("+")} if news.to_number else {"recipient_user_id": address}
    body = present(
        id=news.message_id,
        status="failed",
        timestamp=str(news.timestamp),
        biz_opaque_callback_data=news.callback_data or None,
    )
    return Change("messages", business.value(statuses=[body | who | {"errors": [dict(news.error or {})]}]))


def preference(business: Business, person: Person, value: str, timestamp: int) -> Change:
    """The person stopped or resumed "Offers and announcements" (Meta: webhooks/user_preferences)."""
    detail = (
        "User requested to stop marketing messages"
        if value == "stop"
        else "User requested to resume marketing messages"
    )
    entry = present(wa_id=person.wa_id, user_id=person.bsuid) | {
        "detail": detail, "category": "marketing_messages", "value": value, "timestamp": timestamp,
    }  # fmt: skip
    return Change("user_preferences", business.value(contacts=[contact(person)], user_preferences=[entry]))


def merged(changes: Sequence[Change]) -> list[Change]:
    """Neighbouring `messages` changes put into one value, as Meta does when it batches."""
    joined: list[Change] = []
    for change in changes:
        before = joined[-1] if joined else None
        if before is None or change.field != "messages" or before.field != "messages":
            joined.append(change)
            continue
        value = dict(before.value)
        for key in ("contacts", "messages", "statuses", "errors"):
            more = [*_list(value.get(key)), *_list(change.value.get(key))]
            if more:
                value[key] = _distinct(more) if key == "contacts" else more
        joined[-1] = Change("messages", value)
    return joined


def _list(value: object) -> list[object]:
    return list(value) if isinstance(value, list) else []


def _distinct(values: list[object]) -> list[object]:
    return [value for place, value in enumerate(values) if value not in values[:place]]


def envelope(waba_id: str, entries: Sequence[Sequence[Change]]) -> bytes:
    """The bytes on the wire: escaped Unicode and escaped slashes, as Meta writes them; the signature is over these bytes."""
    body = {
        "object": "whatsapp_business_account",
        "entry": [
            {"id": waba_id}
            | ({"time": max(change.at for change in changes)} if any(change.at for change in changes) else {})
            | {"changes": [{"value": dict(change.value), "field": change.field} for change in changes]}
            for changes in entries
        ],
    }
    return json.dumps(body, ensure_ascii=True, separators=(",", ":")).replace("/", "\\/").encode("ascii")


def signature(app_secret: str, body: bytes) -> str:
    """Value of `X-Hub-Signature-256` (Meta: webhooks/create-webhook-endpoint)."""
    return "sha256=" + hmac.new(app_secret.encode("utf-8"), body, hashlib.sha256).hexdigest()
