"""What the outbox does things with, handed in by `bot.app`; and one guarded way to POST (architecture.md 6)."""

import asyncio
import logging
from dataclasses import dataclass

from bot.domain.business import Business
from bot.domain.ids import Address
from bot.domain.message import OutMessage
from bot.runtime import ports

logger = logging.getLogger(__name__)

POST_SECONDS = 12.0
"""How long one POST may take: with the claim before it, it ends inside half a lease."""


@dataclass(frozen=True, slots=True)
class Hands:
    """The rooms that commands are carried out in."""

    business: Business
    conversations: ports.Conversations
    people: ports.People
    suppressions: ports.Suppressions
    sends: ports.Sends
    ledger: ports.Ledger
    desk: ports.Desk
    connectors: ports.Connectors
    subscribers: ports.Subscribers
    exports: ports.Exports
    dead_letters: ports.DeadLetters
    channel: ports.Channel
    ids: ports.Ids
    clock: ports.Clock
    health: ports.ChannelHealth | None = None
    media: ports.Media | None = None


async def post(
    channel: ports.Channel, to: Address, message: OutMessage, callback: str
) -> ports.Accepted | ports.Refused:
    """One POST, cut off after `POST_SECONDS`. Never raises: what broke off may have gone out, so its outcome is unknown."""
    try:
        async with asyncio.timeout(POST_SECONDS):
            return await channel.send(to, message, callback)
    except TimeoutError:
        return ports.Refused(0, "unknown")
    except Exception as problem:  # noqa: BLE001 - nobody knows how far it got
        logger.error("post broke off", extra={"callback": callback, "reason": type(problem).__name__})  # noqa: TRY400 - no traceback: it may quote content
        return ports.Refused(0, "unknown")
