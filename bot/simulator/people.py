"""The invented people of the simulator and what their phones hold.

Holds persons, the bubbles on their screens and the making of message ids. Nothing here speaks HTTP.
"""

import base64
import re
import secrets
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal

Json = dict[str, Any]
Tick = Literal["sending", "sent", "delivered", "read", "failed"]
RANK: dict[str, int] = {"sending": 0, "sent": 1, "delivered": 2, "read": 3, "failed": 4}


class UnknownPerson(LookupError):
    """Nobody of this simulator has that id, number or business-scoped user id."""


@dataclass(frozen=True, slots=True)
class Bubble:
    """One message on a phone, as plain values.

    `kind` is Meta's message type, with interactive ones named by their inner type: text, button, list, cta_url, template, image, ...
    `buttons` holds (id, title) of everything that can be tapped: reply buttons, list rows, quick replies (id = payload).
    `at` is Unix seconds. `callback` is the business's own `biz_opaque_callback_data`. `raw` is the message object as sent.
    """

    kind: str
    text: str
    wamid: str
    at: float
    from_business: bool
    footer: str = ""
    header: str = ""
    buttons: tuple[tuple[str, str], ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    template: str | None = None
    callback: str | None = None
    reply_to: str | None = None
    tick: Tick = "sending"
    category: str = "service"
    descriptions: tuple[str, ...] = ()
    list_label: str = ""
    sections: tuple[tuple[str, int], ...] = ()
    reaction: str = ""
    raw: Json = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Person:
    """An invented person: an entity, whose number and business-scoped user id change when the person changes number.

    `phone` holds digits without a plus, None for one whose number WhatsApp keeps from the business. `bsuid` None stands for payloads as
    they were before April 2026. `receipts` are the statuses this person's phone gives. `language` is a hint for the page alone.
    """

    id: str
    name: str
    phone: str | None
    bsuid: str | None
    username: str | None = None
    language: str = "en"
    receipts: tuple[str, ...] = ("sent", "delivered", "read")
    bubbles: list[Bubble] = field(default_factory=list)
    last_inbound: float | None = None
    marketing_stopped: bool = False
    blocked: bool = False
    typing_until: float = 0.0

    def profile(self) -> Json:
        """The `profile` of a contact, with the username where there is one (Meta: Business-scoped user IDs)."""
        profile = {"name": self.name}
        if self.username:
            profile["username"] = self.username
        return profile

    def contact(self) -> Json:
        """The `contacts[]` entry of webhooks: keys that do not apply are absent, never empty."""
        contact: Json = {"profile": self.profile()}
        if self.phone:
            contact["wa_id"] = self.phone
        if self.bsuid:
            contact["user_id"] = self.bsuid
        return contact

    def origin(self) -> Json:
        """The `from` keys of a message."""
        keys: Json = {}
        if self.phone:
            keys["from"] = self.phone
        if self.bsuid:
            keys["from_user_id"] = self.bsuid
        return keys

    def mark(self, wamid: str, tick: Tick) -> bool:
        """Raise the tick of a message; a lower one changes nothing. Whether it changed."""
        for index, bubble in enumerate(self.bubbles):
            if bubble.wamid == wamid and RANK[tick] > RANK[bubble.tick]:
                self.bubbles[index] = replace(bubble, tick=tick)
                return True
        return False


class People:
    """Everybody the simulator knows."""

    def __init__(self) -> None:
        self._by_id: dict[str, Person] = {}

    def __iter__(self) -> Iterator[Person]:
        return iter(list(self._by_id.values()))

    def __len__(self) -> int:
        return len(self._by_id)

    def add(self, name: str, phone: str | None, bsuid: str | None, username: str | None, language: str) -> Person:
        """A new person; ValueError if somebody has this number or id already."""
        digits = digits_of(phone) if phone else None
        for other in self._by_id.values():
            if (digits and other.phone == digits) or (bsuid and other.bsuid == bsuid):
                raise ValueError("another person has this phone number or business-scoped user id already")
        slug = _slug(name)
        known, number = slug, 2
        while known in self._by_id:
            known, number = f"{slug}-{number}", number + 1
        person = Person(id=known, name=name, phone=digits, bsuid=bsuid, username=username, language=language)
        self._by_id[known] = person
        return person

    def get(self, person_id: str) -> Person:
        """The person of this id; raises UnknownPerson."""
        try:
            return self._by_id[person_id]
        except KeyError:
            raise UnknownPerson("nobody here has this id") from None

    def find(self, phone: str | None = None, bsuid: str | None = None) -> Person | None:
        """The person with this number (digits) or business-scoped user id."""
        for person in self._by_id.values():
            if (phone and person.phone == phone) or (bsuid and person.bsuid == bsuid):
                return person
        return None


def digits_of(phone: str) -> str:
    """The digits of a phone number; ValueError unless there are 7 to 15 (ITU-T E.164)."""
    digits = re.sub(r"[\s().+-]", "", phone)
    if not re.fullmatch(r"[0-9]{7,15}", digits):
        raise ValueError("a phone number has 7 to 15 digits")
    return digits


def new_bsuid(country: str = "US") -> str:
    """A business-scoped user id as Meta shapes it: country, a dot, digits."""
    return f"{country}.{secrets.randbelow(10**20):020d}"


def new_wamid(holder: str, *, from_business: bool) -> str:
    """A message id which, like Meta's own, is no opaque string: its base64 holds the person's number in clear digits.

    What Meta puts there for people without a visible number is not known; the business-scoped user id stands in.
    """
    serial = secrets.token_hex(16 if not from_business else 9).upper().encode()
    direction = b"\x11" if from_business else b"\x12"
    name = holder.encode()[:255]
    data = (
        b"\x1c\x18"
        + bytes([len(name)])
        + name
        + b"\x15\x02\x00"
        + direction
        + b"\x18"
        + bytes([len(serial)])
        + serial
        + b"\x00"
    )
    return "wamid." + base64.b64encode(data).decode()


def _slug(name: str) -> str:
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", ascii_name).strip("-") or "person"
