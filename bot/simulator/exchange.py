"""What Meta does between an accepted send and the person's screen: recipients, windows, rates, statuses, prices.

Knows nothing of HTTP: `graph` calls it for the business, `simulator` for the persons.
"""

import asyncio
import random
from collections import deque
from dataclasses import dataclass, replace
from typing import Any

from bot.simulator.delivery import Courier
from bot.simulator.envelope import Account, Json, status_change, status_object
from bot.simulator.errors import Fault, GraphRefusal
from bot.simulator.limits import MEDIA_KINDS, check_message
from bot.simulator.media import MediaShelf
from bot.simulator.people import Bubble, People, Person, Tick, digits_of, new_wamid
from bot.simulator.settings import SimulatorSettings
from bot.simulator.signal import Signal
from bot.simulator.templates import Rendered, Template, find, render

WINDOW = 24 * 3600.0
PAIR_BURST = 45
PAIR_SECONDS = 6.0
TYPING_SECONDS = 25.0


@dataclass(frozen=True, slots=True)
class Recipient:
    """To whom a send goes: the person (None: nobody here), the answer's contact, and how statuses name the recipient."""

    person: Person | None
    answer: Json
    in_status: Json
    in_failure: Json
    holder: str


@dataclass(slots=True)
class Bucket:
    """The pair rate: up to 45 at once, one more every 6 seconds (Meta: about the platform)."""

    tokens: float = PAIR_BURST
    at: float = 0.0

    def take(self, now: float) -> bool:
        self.tokens = min(PAIR_BURST, self.tokens + (now - self.at) / PAIR_SECONDS)
        self.at = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


class Exchange:
    """The middle of the stand-in: one business number and everybody it can write to."""

    def __init__(self, settings: SimulatorSettings, account: Account, courier: Courier, signal: Signal) -> None:
        self.settings = settings
        self.account = account
        self.courier = courier
        self.signal = signal
        self.people = People()
        self.templates: tuple[Template, ...] = settings.templates
        self.media = MediaShelf(settings.clock)
        self.faults: deque[Fault] = deque()
        self.strict_pair_rate = settings.strict_pair_rate
        self.window_closed: set[str] = set()
        self._buckets: dict[str, Bucket] = {}
        self._billed = 0

    def accept(self, body: Json, later: int | None = None) -> Json:
        """Take a send as `POST /messages` does; raises GraphRefusal. With `later` it is accepted and then fails with that code."""
        kind = check_message(body)
        body = {**body, "type": kind}
        recipient = self._recipient(body)
        rendered, category = self._check_allowed(body, recipient.person)
        wamid = new_wamid(recipient.holder, from_business=True)
        message: Json = {"id": wamid}
        if kind == "template":
            message["message_status"] = "accepted"
        failure = later if recipient.person is not None else 131026
        if failure is None and self.settings.window_refusal == "webhook" and not self._window_open(recipient.person, kind):
            failure = 131047
        if kind == "reaction" and recipient.person is not None and failure is None:
            self._react(recipient.person, body["reaction"])
        elif recipient.person is not None and failure is None:
            recipient.person.typing_until = 0.0
            recipient.person.bubbles.append(self._bubble(body, wamid, rendered, category))
        self.courier.spawn(self._report(body, wamid, recipient, category, failure))
        self.signal.notify()
        return {"messaging_product": "whatsapp", "contacts": [recipient.answer], "messages": [message]}

    def read(self, body: Json) -> Json:
        """Mark a person's message and the earlier ones as read, perhaps with the typing indicator (Meta: mark as read)."""
        wamid = body.get("message_id")
        if body.get("messaging_product") != "whatsapp" or body["status"] != "read" or not isinstance(wamid, str):
            raise GraphRefusal(100, "a read receipt needs messaging_product, status `read` and message_id")
        indicator = body.get("typing_indicator")
        if indicator is not None and indicator != {"type": "text"}:
            raise GraphRefusal(131009, 'typing_indicator is {"type": "text"}')
        for person in self.people:
            own = [bubble.wamid for bubble in person.bubbles if not bubble.from_business]
            if wamid in own:
                for earlier in own[: own.index(wamid) + 1]:
                    person.mark(earlier, "read")
                if indicator is not None:
                    person.typing_until = self.settings.clock() + TYPING_SECONDS
                self.signal.notify()
                return {"success": True}
        raise GraphRefusal(131009, "message_id is no message the business received")

    def _recipient(self, body: Json) -> Recipient:
        if "recipient" in body:
            bsuid = body["recipient"]
            if not isinstance(bsuid, str) or "." not in bsuid:
                raise GraphRefusal(131009, "recipient is a business-scoped user id")
            person = self.people.find(bsuid=bsuid)
            shown = {"recipient_id": person.phone} if person is not None and person.phone else {}
            named = {"recipient_user_id": bsuid}
            answer = {"input": bsuid, "user_id": bsuid}
            return Recipient(person, answer, {**shown, **named}, named, (person.phone if person else None) or bsuid)
        given = body["to"]
        try:
            phone = digits_of(given)
        except (TypeError, ValueError, AttributeError):
            raise GraphRefusal(131009, "to is not a valid phone number") from None
        if self.settings.country_code and not given.strip().startswith("+"):
            phone = self.settings.country_code + phone
        if phone == "".join(filter(str.isdigit, self.settings.display_phone_number)):
            raise GraphRefusal(131021, "the recipient is the sender")
        person = self.people.find(phone=phone)
        named = {"recipient_user_id": person.bsuid} if person is not None and person.bsuid else {}
        return Recipient(person, {"input": given, "wa_id": phone}, {"recipient_id": phone, **named}, {"recipient_id": phone}, phone)

    def _check_allowed(self, body: Json, person: Person | None) -> tuple[Rendered | None, str]:
        rendered, category = None, "service"
        if body["type"] == "template":
            inner = body["template"]
            template = find(self.templates, inner["name"], inner["language"]["code"])
            rendered, category = render(template, inner.get("components", [])), template.category.lower()
            if category == "authentication" and "recipient" in body:
                raise GraphRefusal(131062, "authentication templates need the phone number")
        self._check_references(body, person)
        if person is None:
            return rendered, category
        if person.blocked:
            raise GraphRefusal(130403, "the business has blocked this user")
        if category == "marketing" and person.marketing_stopped:
            raise GraphRefusal(131050, "the user has stopped marketing messages of this business")
        if self.settings.window_refusal == "answer" and not self._window_open(person, body["type"]):
            raise GraphRefusal(131047, "more than 24 hours have passed since the recipient last wrote")
        now = self.settings.clock()
        if self.strict_pair_rate and not self._buckets.setdefault(person.id, Bucket(at=now)).take(now):
            raise GraphRefusal(131056, "too many messages to this recipient in a short time")
        return rendered, category

    def _check_references(self, body: Json, person: Person | None) -> None:
        kind = body["type"]
        if kind in MEDIA_KINDS and "id" in body[kind] and not self.media.has(body[kind]["id"]):
            raise GraphRefusal(100, f"{kind}.id is no media object of this number", subcode=33)
        if kind == "reaction" and (person is None or all(b.wamid != body["reaction"]["message_id"] for b in person.bubbles)):
            raise GraphRefusal(131009, "reaction.message_id is no message of this conversation")

    def _window_open(self, person: Person | None, kind: str) -> bool:
        if kind == "template":
            return True
        if person is None or person.last_inbound is None or person.id in self.window_closed:
            return False
        return self.settings.clock() - person.last_inbound < WINDOW

    def _react(self, person: Person, reaction: Json) -> None:
        for index, bubble in enumerate(person.bubbles):
            if bubble.wamid == reaction["message_id"]:
                person.bubbles[index] = replace(bubble, reaction=reaction["emoji"])

    def _bubble(self, body: Json, wamid: str, rendered: Rendered | None, category: str) -> Bubble:
        shown = show(body, rendered)
        context = body.get("context", {})
        return Bubble(
            wamid=wamid,
            at=self.settings.clock(),
            from_business=True,
            callback=body.get("biz_opaque_callback_data"),
            reply_to=context.get("message_id"),
            category=category,
            raw=body,
            **shown,
        )

    async def _report(self, body: Json, wamid: str, recipient: Recipient, category: str, failure: int | None) -> None:
        """Post the statuses of one send, each after the first attempt of the one before."""
        callback = body.get("biz_opaque_callback_data")
        person = recipient.person
        await asyncio.sleep(0)  # the answer to the send leaves first, most of the time, as with Meta
        if failure is not None:
            details = "the message could not be delivered"
            entry = status_object(wamid, "failed", self.settings.clock(), recipient.in_failure, callback, None, failure, details)
            await self.courier.deliver([status_change(self.account, entry, person)])
            return
        if person is None:
            return
        steps = ("sent",) if body["type"] == "reaction" else person.receipts
        priced = {"sent", "delivered" if "delivered" in steps else "read"}
        pricing = self._pricing(category)
        for step in steps:
            tick: Tick = step  # type: ignore[assignment]  # receipts are names of ticks, checked where they are set
            person.mark(wamid, tick)
            self.signal.notify()
            price = pricing if step in priced else None
            entry = status_object(wamid, step, self.settings.clock(), recipient.in_status, callback, price, None)
            await self.courier.deliver([status_change(self.account, entry, person)])

    def _pricing(self, category: str) -> Json:
        """The price kind; service messages are free up to a number a month, a simulator's life counting as one month."""
        if category != "service":
            return {"billable": True, "pricing_model": "PMP", "type": "regular", "category": category}
        self._billed += 1
        free = self._billed <= self.settings.free_service_messages
        kind = "free_customer_service" if free else "regular"
        return {"billable": not free, "pricing_model": "PMP", "type": kind, "category": "service"}


def show(body: Json, rendered: Rendered | None) -> dict[str, Any]:
    """The parts of a bubble that a well-formed send puts on the screen."""
    kind = body["type"]
    if rendered is not None:
        return {
            "kind": "template",
            "template": body["template"]["name"],
            "text": rendered.body,
            "header": rendered.header,
            "footer": rendered.footer,
            "buttons": rendered.buttons,
            "links": rendered.links,
        }
    if kind == "text":
        return {"kind": "text", "text": body["text"]["body"]}
    if kind == "interactive":
        return _show_interactive(body["interactive"])
    if kind in MEDIA_KINDS:
        media = body[kind]
        return {"kind": kind, "text": media.get("caption", ""), "header": str(media.get("filename", ""))}
    if kind == "location":
        place = body["location"]
        return {"kind": kind, "text": str(place.get("name") or place.get("address") or f"{place['latitude']}, {place['longitude']}")}
    names = [contact["name"]["formatted_name"] for contact in body["contacts"]]
    return {"kind": kind, "text": ", ".join(names)}


def _show_interactive(interactive: Json) -> dict[str, Any]:
    kind, action = interactive["type"], interactive["action"]
    shown: dict[str, Any] = {
        "kind": kind,
        "text": interactive["body"]["text"],
        "footer": interactive.get("footer", {}).get("text", ""),
        "header": interactive.get("header", {}).get("text", ""),
    }
    if kind == "button":
        shown["buttons"] = tuple((button["reply"]["id"], button["reply"]["title"]) for button in action["buttons"])
    elif kind == "list":
        rows = [row for section in action["sections"] for row in section["rows"]]
        shown["buttons"] = tuple((row["id"], row["title"]) for row in rows)
        shown["descriptions"] = tuple(row.get("description", "") for row in rows)
        shown["list_label"] = action["button"]
        shown["sections"] = tuple((section.get("title", ""), len(section["rows"])) for section in action["sections"])
    elif kind == "cta_url":
        shown["links"] = ((action["parameters"]["url"], action["parameters"]["display_text"]),)
    return shown


def new_trace() -> str:
    """An `fbtrace_id`: eleven letters and digits that mean nothing."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    return "A" + "".join(random.choices(letters, k=10))  # noqa: S311 - no secret
