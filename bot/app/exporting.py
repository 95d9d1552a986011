"""Fills the runtime's port `Exports`: a person's copy of their data, in short in the chat or as a file behind a link (GDPR art. 15, 20)."""

import io
import json
import secrets
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.app.receipting import Issued, Receipts
from bot.app.rules import BusinessRules
from bot.domain.business import Business
from bot.domain.command import Export
from bot.domain.errors import RetryLater, SettingsProblem
from bot.domain.ids import CommandId, PersonId
from bot.domain.message import OutMessage, TextMessage
from bot.i18n.catalog import Catalog
from bot.privacy.crypto import random_token
from bot.privacy.export import SubjectExport, assemble, json_schema, page, summary
from bot.privacy.msgid import N_, fill
from bot.privacy.receipts import receipt_page, told
from bot.runtime.ports import Clock
from bot.storage.copies import Copies
from bot.storage.exports import MongoExports
from bot.storage.subjects import Subjects

_LINK = N_(
    "Your data as a file: {link}\n\nYour code: {code}\n\nThe link works once and for 72 hours. Please pass neither on."
)

_AGREED = N_("This is what you agreed to:")
_AGREED_TO_NOTHING = N_("There is nothing that you agreed to and that still holds.")
_ORIGINALS = N_("The signed receipts are part of your data as a file: write MY DATA to get it.")
_MOST = 4096
"""Characters of a WhatsApp text (Meta: text messages)."""


@dataclass(frozen=True, slots=True)
class Copying:
    """Puts copies together, for the chat, for files and for operators alike."""

    copies: Copies
    subjects: Subjects
    business: Business
    rules: BusinessRules
    receipts: Receipts

    async def copy(self, person: PersonId, *, reference: str, language: str, now: datetime) -> SubjectExport:
        """Everything about one person as it is now. Raises `RetryLater` when their key is out of reach."""
        subject = await self.subjects.find(person)
        if subject is None:
            raise RetryLater("the person's key is out of reach")
        notice = self.rules.notices.get(language) or self.rules.notices[self.business.language]
        address = subject.address
        numbers = [one for one in (address.phone, address.bsuid) if one is not None] if address else []
        rows = await self.copies.rows_of(person)
        return assemble(rows, business=self.business, notice=notice, reference=reference, made_at=now, numbers=numbers)

    async def agreements(self, person: PersonId, translate: Callable[[str], str], now: datetime) -> list[Issued]:
        """A signed receipt for each consent that holds. Raises `RetryLater` when the person's key is out of reach."""
        subject = await self.subjects.find(person)
        if subject is None:
            raise RetryLater("the person's key is out of reach")
        return await self.receipts.standing(subject, now, translate)

    async def file(
        self, person: PersonId, *, reference: str, language: str, translate: Callable[[str], str], now: datetime
    ) -> bytes:
        """The copy as a file with the signed receipts, the same whoever asked for it. Raises as `copy` does."""
        copy = await self.copy(person, reference=reference, language=language, now=now)
        return packed(copy, translate, await self.agreements(person, translate, now))


def packed(copy: SubjectExport, translate: Callable[[str], str], receipts: Sequence[Issued]) -> bytes:
    """The file a person gets: a page for them, JSON for programs, the schema that describes it (GDPR art. 20(1)), signed receipts."""
    signed = [(f"consent-{one.facts['purpose_id']}.html", receipt_page(one.document).decode()) for one in receipts]
    packed_ = io.BytesIO()
    made = copy.made_at.timetuple()[:6]
    with zipfile.ZipFile(packed_, "w", zipfile.ZIP_DEFLATED) as file:
        for name, text in (
            ("my-data.html", page(copy, translate)),
            ("my-data.json", copy.json_text()),
            ("schema.json", json.dumps(json_schema(), indent=2)),
            *signed,
        ):
            file.writestr(zipfile.ZipInfo(name, made), text.encode(), zipfile.ZIP_DEFLATED)
    return packed_.getvalue()


def agreed(receipts: Sequence[Issued], translate: Callable[[str], str]) -> str:
    """What the person agreed to, in one message; where it would be too long, each consent's words are cut and the file has them."""
    if not receipts:
        return translate(_AGREED_TO_NOTHING)
    parts = ["\n".join(told(one.facts, translate)) for one in receipts]
    frame = [translate(_AGREED), translate(_ORIGINALS)]
    room = (_MOST - sum(map(len, frame)) - 2 * len(parts) - 2) // len(parts)
    parts = [one if len(one) <= room else f"{one[: room - 1]}…" for one in parts]
    return "\n\n".join([frame[0], *parts, frame[1]])


async def file_of(copying: Copying, catalog: Catalog, person: PersonId, language: str, now: datetime) -> bytes:
    """The file a person would get, made for an operator or a system of the business who hands it to them."""
    return await copying.file(
        person, reference=random_token(), language=language, translate=lambda text: catalog.translate(text, language), now=now
    )  # fmt: skip


class ChatExports:
    """Puts the answer together when it is sent, so that it shows the data as they are."""

    def __init__(self, copying: Copying, files: MongoExports, catalog: Catalog, *, public_url: str) -> None:
        self._copying = copying
        self._files = files
        self._catalog = catalog
        self._public_url = public_url.rstrip("/")

    async def export(self, person: PersonId, command: Export, now: datetime) -> OutMessage:
        """The short answer, or the link and the code of the file. Raises `RetryLater` when the person's key is out of reach."""

        def translate(text: str) -> str:
            return self._catalog.translate(text, command.language)

        if command.form == "consents":
            return TextMessage(agreed(await self._copying.agreements(person, translate, now), translate))
        if command.form == "file":
            return TextMessage(await self._linked(person, command, translate, now))
        copy = await self._copying.copy(person, reference=command.id, language=command.language, now=now)
        return TextMessage("\n".join(summary(copy, self._copying.business, translate))[:4096])

    async def _linked(self, person: PersonId, command: Export, translate: Callable[[str], str], now: datetime) -> str:
        if not self._public_url:
            raise SettingsProblem("RECADO_WEB__PUBLIC_URL is empty")  # it was set when the link was promised
        file = await self._copying.file(
            person, reference=command.id, language=command.language, translate=translate, now=now
        )
        token, code = random_token(), f"{secrets.randbelow(10**6):06}"
        await self._files.put(
            person, CommandId(command.id), file, token=token, code=code, language=command.language, now=now
        )
        return fill(translate(_LINK), link=f"{self._public_url}/exports/{token}", code=f"{code[:3]} {code[3:]}")


class Downloads:
    """Fills the web's port `Files`."""

    def __init__(self, files: MongoExports, clock: Clock) -> None:
        self._files = files
        self._clock = clock

    async def fetch(self, token: str, code: str) -> bytes | None:
        """The file, once."""
        found = await self._files.fetch(token, code, self._clock.now())
        return found.document if found is not None else None

    async def handed_over(self, token: str) -> None:
        await self._files.handed_over(token)

    async def broke_off(self, token: str) -> None:
        await self._files.broke_off(token)
