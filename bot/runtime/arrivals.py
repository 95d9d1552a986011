"""What arrives, made ready for a turn: its order, its event with a keyed id, and whose mailbox it goes to. Pure but for the ids."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from bot.domain.event import ColleagueSpoke, MessageReceived, PreferenceChanged
from bot.domain.ids import Address
from bot.domain.inbound import InboundMessage, PreferenceSignal
from bot.runtime.ports import Ids
from bot.runtime.silence import AFTER_STANDBY

AHEAD = timedelta(minutes=10)
"""A message from further in the future than clocks differ counts as sent now, so that it opens no longer window."""

Spoken: TypeAlias = InboundMessage | PreferenceSignal


@dataclass(frozen=True, slots=True)
class Arrived:
    """Something a person said, and which delivery brought it; deliveries are numbered as they arrive in this process."""

    item: Spoken
    post: int


def in_order(arrived: Sequence[Arrived]) -> list[Spoken]:
    """What waits, in the order it is played: array order inside a delivery, else the provider's time, else arrival.

    A delivery stands where its first item stands (decisions.md 6).
    """
    first: dict[int, datetime] = {}
    for one in arrived:
        first.setdefault(one.post, one.item.at)
    return [one.item for one in sorted(arrived, key=lambda one: (first[one.post], one.post))]


def event_of(item: Spoken, ids: Ids, now: datetime) -> MessageReceived | PreferenceChanged:
    """The event of an item; the same item has the same id whenever and wherever it arrives."""
    at = believed(item.at, now)
    if isinstance(item, PreferenceSignal):
        event_id = ids.event(f"preference:{box_of(item.sender)}:{item.value}:{item.at.isoformat()}")
        return PreferenceChanged(event_id, at, item.value, item.category)
    reply = ids.event(item.reply_to.value) if item.reply_to else None
    return MessageReceived(
        ids.event(item.wamid.value), at, item.kind, item.words, item.option, item.wamid, reply, item.reply_to, data=item.data
    )  # fmt: skip


def events_of(
    item: Spoken, ids: Ids, now: datetime
) -> tuple[ColleagueSpoke | MessageReceived | PreferenceChanged, ...]:
    """The item's event; before a message that somebody else is to answer stands the event that makes the bot silent."""
    said = event_of(item, ids, now)
    if not isinstance(item, InboundMessage) or not item.standby:
        return (said,)
    # From now on, not from its own time: however late it is brought, it is not ours to answer.
    return ColleagueSpoke(ids.event(f"standby:{item.wamid.value}"), said.at, now + AFTER_STANDBY), said


def believed(at: datetime, now: datetime) -> datetime:
    """The provider's time, or now where that lies further ahead than clocks differ."""
    return min(at, now) if at > now + AHEAD else at


def box_of(address: Address) -> str:
    """Key of the sender's mailbox; lives only while something waits in it."""
    known = address.bsuid or address.parent_bsuid or address.phone
    return known.value if known is not None else ""


def merged(addresses: Sequence[Address]) -> Address:
    """All that several messages of one sender say about where they come from; the latest word counts."""
    phone = bsuid = parent = None
    for address in addresses:
        phone, bsuid, parent = address.phone or phone, address.bsuid or bsuid, address.parent_bsuid or parent
    return Address(phone, bsuid, parent)


def adds_to(known: Address, address: Address) -> bool:
    """Whether an address says something that is not known of its person yet."""
    pairs = (
        (known.phone, address.phone),
        (known.bsuid, address.bsuid),
        (known.parent_bsuid, address.parent_bsuid),
    )
    return any(new is not None and new != old for old, new in pairs)
