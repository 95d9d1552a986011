"""Who else is told of an erasure: Meta's contact book, and the business's own systems (GDPR art. 17(2), 19)."""

from datetime import datetime

from bot.domain.ids import Address, PersonId
from bot.runtime.ports import Receivers
from bot.whatsapp.contact_book import ContactBook


class AllReceivers:
    """The runtime's `Receivers`: each in turn; all of it may be repeated."""

    def __init__(self, book: ContactBook, others: Receivers) -> None:
        self._book = book
        self._others = others

    async def erase(self, person: PersonId, address: Address | None, now: datetime) -> None:
        """As the port says."""
        if address is not None:
            await self._book.forget(address)
        await self._others.erase(person, address, now)
