"""Takes over a file that a flow asked for: from Meta, cleaned, sealed, and deleted at Meta (GDPR art. 5(1)(c), 25, 32)."""

import asyncio
import logging
from datetime import datetime

from bot.domain.command import FetchMedia
from bot.domain.ids import PersonId
from bot.storage.media import MongoMedia
from bot.whatsapp.content import NotTaken, cleaned
from bot.whatsapp.media import MediaClient

logger = logging.getLogger(__name__)


class TakenOver:
    """The runtime's `Media`."""

    def __init__(self, client: MediaClient, files: MongoMedia, *, most: int) -> None:
        """`most`: bytes a file may have."""
        self._client = client
        self._files = files
        self._most = most

    async def take_over(self, person: PersonId, command: FetchMedia, now: datetime) -> None:
        """As the port says. What stands already is only deleted at Meta once more."""
        expires = now + command.lasts
        if not await self._files.stands(command.id):
            try:
                content = await self._client.fetch(command.media, command.sha256, self._most)
                mime, clean = await asyncio.to_thread(cleaned, command.kind, content)
            except NotTaken as problem:
                logger.warning("file not taken over", extra={"person": person, "reason": str(problem)})
                await self._files.refuse(person, command.id, str(problem), kind=command.kind, expires=expires, now=now)
            else:
                await self._files.put(
                    person, command.id, clean, kind=command.kind, mime_type=mime, expires=expires,
                    now=now,
                )  # fmt: skip
        # Also what was not taken over: Meta would keep it for days (Meta: media, 7 days).
        await self._client.forget(command.media)
