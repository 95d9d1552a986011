"""News for the business's systems (GDPR art. 19). Where business.yaml names no receiver they are counted and nothing leaves."""

from datetime import datetime

from bot.domain.command import Notify
from bot.domain.ids import Address, PersonId


class NobodySubscribed:
    """The runtime's `Subscribers` and `Receivers` of an installation without a CRM (decisions.md 29)."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}

    async def notify(self, person: PersonId, notice: Notify, now: datetime) -> None:
        """Counts what would have been told."""
        del person, now
        self.counts[notice.event] = self.counts.get(notice.event, 0) + 1

    async def erase(self, person: PersonId, address: Address | None, now: datetime) -> None:
        """Nobody holds anything of the person."""
        del person, address, now
        self.counts["subject.erased"] = self.counts.get("subject.erased", 0) + 1
