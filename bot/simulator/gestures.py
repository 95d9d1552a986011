"""What a person does with the phone: write, tap, react, share, change number, stop marketing. Each becomes a webhook."""

from collections.abc import Mapping
from dataclasses import replace

from bot.simulator.chat import Bubble, Choice, Face, MediaRef, reacted
from bot.simulator.envelope import Json, inbound, preference, present, system
from bot.simulator.errors import SimulatorError
from bot.simulator.ids import bsuid
from bot.simulator.people import Person, free_number
from bot.simulator.world import World

LONGEST_TEXT = 65_536
NO_ANSWER = frozenset({"url", "phone", "copy"})
MEDIA_KINDS = ("image", "video", "audio", "document", "sticker")


def say(world: World, person: Person, text: str, reply_to: str = "") -> str:
    """Writes a text; answers with its message id."""
    if not text.strip() or len(text) > LONGEST_TEXT:
        raise SimulatorError(f"a message has 1 to {LONGEST_TEXT} characters and is not blank")
    return send(world, person, {"type": "text", "text": {"body": text}}, reply_to)


def tap(world: World, person: Person, wanted: str, message_id: str | None = None) -> str:
    """Taps a choice by id or title, in the newest bubble that has it or in the named one; answers with the new message's id."""
    found = world.chats[person.key].with_choice(wanted, message_id)
    if found is None:
        raise SimulatorError("no bubble has a choice with this id or title")
    bubble, choice = found
    if choice.kind in NO_ANSWER:
        raise SimulatorError(f"a {choice.kind} button opens something on the phone and sends nothing")
    world.change_bubble(person, bubble.id, lambda old: replace(old, tapped=choice.title))
    return send(world, person, _tapped(person, choice), bubble.id)


def _tapped(person: Person, choice: Choice) -> Json:
    match choice.kind:
        case "reply":
            reply: Json = {"id": choice.id, "title": choice.title}
            return {"type": "interactive", "interactive": {"type": "button_reply", "button_reply": reply}}
        case "row":
            row = {"id": choice.id, "title": choice.title} | (
                {"description": choice.description} if choice.description else {}
            )
            return {"type": "interactive", "interactive": {"type": "list_reply", "list_reply": row}}
        case "quick_reply":
            return {"type": "button", "button": {"payload": choice.id, "text": choice.title}}
        case "location":
            return {"type": "location", "location": {"latitude": 0.0, "longitude": -30.0, "name": "Isla Inventada"}}
        case _:
            return {"type": "contacts", "contacts": [_own_card(person)]}


def _own_card(person: Person) -> Json:
    phones = (
        [present(phone=person.number, wa_id=(person.number or "").lstrip("+"), type="CELL")] if person.number else []
    )
    return {"name": {"formatted_name": person.name}, "phones": phones, "origin": "contact_request"}


def react(world: World, person: Person, message_id: str, emoji: str) -> str:
    """Reacts to a message; an empty emoji takes the reaction back (then the key is absent, as with Meta)."""
    if world.change_bubble(person, message_id, lambda old: reacted(old, "person", emoji)) is None:
        raise SimulatorError("there is no such message in this chat")
    reaction = {"message_id": message_id} | ({"emoji": emoji} if emoji else {})
    return send(world, person, {"type": "reaction", "reaction": reaction})


def share_file(
    world: World, person: Person, mime_type: str, content: bytes, filename: str = "", caption: str = ""
) -> str:
    """Sends a file; the kind follows from its type. Raises GraphError for types WhatsApp does not carry."""
    upload = world.uploads_store.keep(mime_type, content, filename, by_business=False)
    media: Json = {"id": upload.id, "mime_type": mime_type, "sha256": upload.sha256_base64}
    if caption and upload.kind in {"image", "video", "document"}:
        media["caption"] = caption
    if upload.kind == "document" and filename:
        media["filename"] = filename
    if upload.kind == "audio":
        media["voice"] = False
    return send(world, person, {"type": upload.kind, upload.kind: media})


def send(world: World, person: Person, message: Mapping[str, object], reply_to: str = "") -> str:
    """Sends any message object of Meta's (type and content); id, timestamp and sender are filled in where they are missing."""
    if not isinstance(message.get("type", ""), str):
        raise SimulatorError("a message has a type, which is a text")
    full: Json = {
        "id": world.new_id(person, person.address, by_business=False),
        "timestamp": str(int(world.clock())),
    } | dict(message)
    if reply_to:
        full.setdefault("context", {"from": world.business.digits, "id": reply_to})
    message_id, at = str(full["id"]), _seconds(full["timestamp"], world.clock())
    chat = world.chats[person.key]
    world.add_bubble(person, Bubble(message_id, "person", face_of(full), at, "sent", reply_to, payload=full))
    if chat.blocked:
        return message_id  # Meta: a blocked user cannot message the business; the phone shows one tick for ever
    world.remember(person)
    chat.last_inbound = max(chat.last_inbound or 0.0, at)
    world.courier.send(inbound(world.business, person, full))
    return message_id


def _seconds(timestamp: object, otherwise: float) -> float:
    try:
        return float(timestamp) if isinstance(timestamp, (str, int, float)) else otherwise
    except ValueError:
        return otherwise


def face_of(message: Mapping[str, object]) -> Face:
    """How the person's own message looks on their phone."""
    kind = str(message.get("type", "unsupported"))
    content = message.get(kind)
    part: Mapping[str, object] = content if isinstance(content, Mapping) else {}
    if kind in MEDIA_KINDS:
        ref = MediaRef(kind, str(part.get("id", "")), "", str(part.get("mime_type", "")), str(part.get("filename", "")))
        return Face(kind, str(part.get("caption", "")), media=ref)
    if kind == "interactive":
        inner = part.get(str(part.get("type", "")))
        title = inner.get("title") or inner.get("body") if isinstance(inner, Mapping) else None
        return Face("text", str(title or part.get("type", "")))
    if kind == "contacts":
        return Face("contacts", _names(content))
    words = {
        "text": part.get("body"), "button": part.get("text"), "reaction": part.get("emoji", ""), "location": part.get("name", ""),
    }.get(kind)  # fmt: skip
    place = None
    if kind == "location":
        place = (_seconds(part.get("latitude"), 0.0), _seconds(part.get("longitude"), 0.0))
    shown = {"button": "text", "text": "text", "reaction": "reaction", "location": "location"}.get(kind, "note")
    return Face(shown, f"({kind})" if words is None else str(words), place=place)


def _names(cards: object) -> str:
    names = []
    for card in cards if isinstance(cards, list) else []:
        name = card.get("name") if isinstance(card, Mapping) else None
        if isinstance(name, Mapping):
            names.append(str(name.get("formatted_name", "")))
    return "\n".join(names)


def prefer(world: World, person: Person, value: str) -> None:
    """Stops or resumes "Offers and announcements": webhook `user_preferences`, and 131050 for later marketing sends."""
    if value not in {"stop", "resume"}:
        raise SimulatorError("value must be stop or resume")
    world.chats[person.key].marketing_stopped = value == "stop"
    world.tell_person(person)
    world.courier.send(preference(world.business, person, value, int(world.clock())))


def change_number(world: World, person: Person, number: str | None = None) -> Person:
    """A new SIM: new number and, as Meta does, a new BSUID. Tells the business by a `system` message, without contacts.

    The event is `user_changed_number` where the number shows, else `user_changed_user_id` (Meta: business-scoped-user-ids).
    """
    taken = {one.number for one in world.people.values() if one.number}
    new_number = number or (free_number(person.country, taken, world.random) if person.number else None)
    fresh = world.change(
        person.key, number=new_number, bsuid=bsuid(person.country, world.random) if person.bsuid else None
    )
    visible = fresh.wa_id is not None
    old, new = (person.wa_id, fresh.wa_id) if visible else (person.bsuid, fresh.bsuid)
    news = present(
        body=f"User {fresh.name} changed from {old} to {new}", wa_id=fresh.wa_id, user_id=fresh.bsuid,
        previous_user_id=person.bsuid, type="user_changed_number" if visible else "user_changed_user_id",
    )  # fmt: skip
    sender = present(**{"from": person.wa_id, "from_user_id": fresh.bsuid})
    message: Json = sender | {
        "id": world.new_id(fresh, fresh.address, by_business=False), "timestamp": str(int(world.clock())),
        "type": "system", "system": news,
    }  # fmt: skip
    world.courier.send(system(world.business, message))
    return fresh
