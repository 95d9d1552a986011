"""Whether Meta takes a well-formed message: 24-hour window, pair rate, blocks, marketing stop. Then it stands on the phone."""

from dataclasses import replace

from bot.simulator.chat import Bubble, reacted
from bot.simulator.envelope import StatusNews
from bot.simulator.errors import GraphError
from bot.simulator.faults import Fault
from bot.simulator.outgoing import Outgoing, ReadMark
from bot.simulator.people import Person
from bot.simulator.statuses import Statuses
from bot.simulator.world import World

WINDOW_SECONDS = 24 * 3600
REACTION_DAYS = 30
TYPING_SECONDS = 25.0


def window_open(world: World, person: Person) -> bool:
    """Whether this person wrote within the last 24 hours (Meta: customer service window)."""
    last = world.chats[person.key].last_inbound
    return last is not None and world.clock() - last < WINDOW_SECONDS


def accept(
    world: World, statuses: Statuses, message: Outgoing, body: dict[str, object], fault: Fault | None
) -> dict[str, object]:
    """Puts the message on the phone and starts its statuses; raises GraphError where Meta refuses at once.

    Somebody who is not on WhatsApp is only found out later: accepted now, failed with 131026 by webhook.
    """
    person = world.at(message.to, message.recipient)
    _refuse_by_rate(world, message, person.key if person else message.to or message.recipient or "")
    late = GraphError(fault.code, fault.details) if fault and fault.kind == "failed_status" else None
    if person is None:
        return _nobody(world, statuses, message, late or GraphError(131026, "Message undeliverable"))
    refusal = _refusal(world, person, message)
    if refusal is not None and not (refusal.code == 131047 and world.settings.window_as_webhook):
        raise refusal
    message_id = world.new_id(person, person.address, by_business=True)
    doom = late or refusal
    bubble = _bubble(world, message, body, message_id, doom)
    _show(world, person, message, bubble)
    statuses.follow(person, bubble, doom)
    return _answer(message, person, message_id)


def _nobody(world: World, statuses: Statuses, message: Outgoing, error: GraphError) -> dict[str, object]:
    address = message.to or message.recipient or ""
    message_id = world.new_id(None, address, by_business=True)
    news = StatusNews(
        message_id,
        "failed",
        int(world.clock()),
        message.to is not None,
        message.callback_data,
        error=error.in_webhook(),
    )
    statuses.nobody(address, news)
    return _answer(message, None, message_id)


def _refuse_by_rate(world: World, message: Outgoing, pair: str) -> None:
    now = world.clock()
    if world.settings.throughput is not None and not world.whole.take(now):
        raise GraphError(130429, "Cloud API message throughput has been reached")
    if message.to and message.to.lstrip("+") == world.business.digits:
        raise GraphError(131021, "Sender and recipient are the same number")
    if world.settings.strict_pair_rate and not world.pair(pair).take(now):
        raise GraphError(131056, "Too many messages from this number to this person within a short time")


def _refusal(world: World, person: Person, message: Outgoing) -> GraphError | None:
    chat = world.chats[person.key]
    if chat.blocked:
        return GraphError(130403, "The business has blocked this person")
    if message.category == "authentication" and message.recipient:
        return GraphError(131062, "Authentication templates need the phone number")
    if message.category == "marketing" and chat.marketing_stopped:
        return GraphError(131050, "The person asked not to get marketing messages from this business")
    if message.kind == "reaction":
        target = chat.find(message.reacts_to)
        if target is None or target.sender != "person" or world.clock() - target.at > REACTION_DAYS * 86400:
            return GraphError(131009, "reaction.message_id must be a message received within 30 days")
    if message.kind != "template" and not window_open(world, person):
        return GraphError(131047, "More than 24 hours have passed since the person last wrote")
    return None


def _bubble(
    world: World, message: Outgoing, body: dict[str, object], message_id: str, doom: GraphError | None
) -> Bubble:
    return Bubble(
        message_id, "business", message.face, world.clock(), "failed" if doom else "pending", message.reply_to,
        error=doom.code if doom else 0, callback_data=message.callback_data, category=message.category,
        to_number=message.to is not None, payload=body,
    )  # fmt: skip


def _show(world: World, person: Person, message: Outgoing, bubble: Bubble) -> None:
    if message.kind == "reaction" and bubble.status != "failed":
        world.change_bubble(person, message.reacts_to, lambda old: reacted(old, "business", message.face.text))
    world.add_bubble(person, bubble)
    world.remember(person)
    world.typing(person, 0.0)


def _answer(message: Outgoing, person: Person | None, message_id: str) -> dict[str, object]:
    if message.to is not None:
        digits = (person.number if person and person.number else message.to).lstrip("+")
        contact = {"input": message.to, "wa_id": digits}
    else:
        contact = {"input": message.recipient or "", "user_id": message.recipient or ""}
    sent: dict[str, object] = {"id": message_id}
    if message.kind == "template":
        sent["message_status"] = "accepted"
    return {"messaging_product": "whatsapp", "contacts": [contact], "messages": [sent]}


def mark_read(world: World, mark: ReadMark) -> dict[str, object]:
    """Shows blue ticks up to that message and the typing indicator; raises GraphError 131009 for an unknown id."""
    person = world.owner(mark.message_id)
    bubble = world.chats[person.key].find(mark.message_id) if person else None
    if person is None or bubble is None or bubble.sender != "person":
        raise GraphError(131009, "message_id is not a message this number received")
    for one in list(world.chats[person.key].bubbles):
        if one.sender == "person" and one.at <= bubble.at and one.status != "read":
            world.change_bubble(person, one.id, _read)
    if mark.typing:
        world.typing(person, TYPING_SECONDS)
    return {"success": True}


def _read(bubble: Bubble) -> Bubble:
    return replace(bubble, status="read")
