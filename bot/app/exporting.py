"""Fills the runtime's port `Exports`: a person's copy of their data as an answer in the chat (GDPR art. 15)."""

from datetime import datetime

from bot.app.rules import BusinessRules
from bot.domain.business import Business
from bot.domain.command import Export
from bot.domain.errors import RetryLater
from bot.domain.ids import PersonId
from bot.domain.message import OutMessage, TextMessage
from bot.i18n.catalog import Catalog
from bot.privacy.export import assemble, summary
from bot.storage.copies import Copies
from bot.storage.subjects import Subjects


class ChatExports:
    """Puts the answer together when it is sent, so that it shows the data as they are."""

    def __init__(
        self, copies: Copies, subjects: Subjects, business: Business, catalog: Catalog, rules: BusinessRules
    ) -> None:
        self._copies = copies
        self._subjects = subjects
        self._business = business
        self._catalog = catalog
        self._rules = rules

    async def export(self, person: PersonId, command: Export, now: datetime) -> OutMessage:
        """The short answer. Raises `RetryLater` when the person's key is out of reach."""
        subject = await self._subjects.find(person)
        if subject is None:
            raise RetryLater("the person's key is out of reach")
        notice = self._rules.notices.get(command.language) or self._rules.notices[self._business.language]
        address = subject.address
        numbers = [one for one in (address.phone, address.bsuid) if one is not None] if address else []
        rows = await self._copies.rows_of(person)
        copy = assemble(
            rows, business=self._business, notice=notice, reference=command.id, made_at=now, numbers=numbers
        )
        parts = summary(copy, self._business, lambda text: self._catalog.translate(text, command.language))
        return TextMessage("\n".join(parts)[:4096])
