"""The JSON of Meta's webhooks, its serialisation and its signature. Pure; see Meta: webhooks reference, Business-scoped user IDs."""

import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import Any

from bot.simulator.errors import webhook_error
from bot.simulator.people import Person

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Account:
    """The invented business number as webhooks name it."""

    waba_id: str
    phone_number_id: str
    display_phone_number: str

    def value(self) -> Json:
        """What every `value` of a `messages` change begins with."""
        metadata = {"display_phone_number": self.display_phone_number, "phone_number_id": self.phone_number_id}
        return {"messaging_product": "whatsapp", "metadata": metadata}


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of `changes[]`; `message_id` names the message it is about, where there is one."""

    field: str
    value: Json
    message_id: str = ""


def message_change(account: Account, person: Person, message: Json) -> Change:
    """A message from a person. System messages come without contacts (Meta: system messages)."""
    contacts = {} if message["type"] == "system" else {"contacts": [person.contact()]}
    return Change("messages", {**account.value(), **contacts, "messages": [message]}, message.get("id", ""))


def status_change(account: Account, status: Json, person: Person | None) -> Change:
    """A status of a sent message; a failed one never has contacts, and usernames come with delivered and read alone."""
    value = account.value()
    if status["status"] != "failed" and person is not None:
        contact = person.contact()
        if status["status"] == "sent":
            contact["profile"] = {"name": person.name}
        if "recipient_id" not in status:
            contact.pop("wa_id", None)
        value["contacts"] = [contact]
    value["statuses"] = [status]
    return Change("messages", value, status["id"])


def status_object(
    wamid: str, status: str, at: float, recipient: Json, callback: str | None, pricing: Json | None, code: int | None, details: str = ""
) -> Json:
    """One entry of `statuses[]`; `recipient` holds recipient_id and/or recipient_user_id."""
    entry: Json = {"id": wamid, "status": status, "timestamp": str(int(at)), **recipient}
    if callback is not None:
        entry["biz_opaque_callback_data"] = callback
    if pricing is not None:
        entry["pricing"] = pricing
    if code is not None:
        entry["errors"] = [webhook_error(code, details)]
    return entry


def preference_change(account: Account, person: Person, choice: str, at: float) -> Change:
    """The person used WhatsApp's own marketing control; its timestamp is an integer (Meta: user_preferences)."""
    entry: Json = {
        "detail": f"User requested to {choice} marketing messages",
        "category": "marketing_messages",
        "value": choice,
        "timestamp": int(at),
    }
    if person.phone:
        entry["wa_id"] = person.phone
    if person.bsuid:
        entry["user_id"] = person.bsuid
    return Change("user_preferences", {**account.value(), "contacts": [person.contact()], "user_preferences": [entry]})


def envelope(account: Account, changes: list[Change]) -> bytes:
    """The exact bytes of one POST: compact JSON in escaped-unicode form, as Meta signs and sends it."""
    listed = [{"field": change.field, "value": change.value} for change in changes]
    body = {"object": "whatsapp_business_account", "entry": [{"id": account.waba_id, "changes": listed}]}
    return json.dumps(body, ensure_ascii=True, separators=(",", ":")).encode("ascii")


def sign(app_secret: str, raw: bytes) -> str:
    """The value of X-Hub-Signature-256 for these bytes."""
    return "sha256=" + hmac.new(app_secret.encode(), raw, hashlib.sha256).hexdigest()
