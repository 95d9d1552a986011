"""Receipts of what a person agreed to: signed, with their place in the ledger, for the person and for who must prove it.

Reads the ledger and the words beside it; writes nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.domain.business import Business
from bot.privacy.consent import fold
from bot.privacy.crypto import random_token
from bot.privacy.keyring import Keyring
from bot.privacy.ledger.leaves import consent_of
from bot.privacy.ledger.tree import inclusion_proof
from bot.privacy.receipts import place_of, receipt_of, sign_receipt
from bot.storage.leaves import MongoLeaves
from bot.storage.standings import Standings
from bot.storage.subjects import Subject


@dataclass(frozen=True, slots=True)
class Issued:
    """A receipt: its facts to be told, and the signed document."""

    facts: Mapping[str, Any]
    document: bytes


@dataclass(frozen=True, slots=True)
class Receipts:
    """Issues receipts from the ledger as it stands."""

    business: Business
    keyring: Keyring
    standings: Standings
    leaves: MongoLeaves

    async def of_event(
        self, row: Mapping[str, Any], subject: Subject | None, now: datetime, translate: Callable[[str], str] = str
    ) -> Issued:
        """The receipt of one event; without its words where the person was erased. Raises `Unreadable` for no consent given."""
        event = str(row["_id"])
        words = await self.standings.words_of(subject, event) if subject else None
        facts = receipt_of(row, words, self.business, now, random_token(), translate)
        signed = sign_receipt(facts, self.keyring.sign, self.keyring.verifying_keys(), await self._place(event))
        return Issued(facts, signed)

    async def standing(self, subject: Subject, now: datetime, translate: Callable[[str], str]) -> list[Issued]:
        """A receipt for each consent of the person that holds now: of the event that gave it, in the order of the purposes."""
        rows = await self.standings.events_of(subject.ref)
        marketing = tuple(sorted(name for name, one in self.business.purposes.items() if one.sends == "marketing"))
        folded = fold([consent_of(row) for row in rows], marketing=marketing)
        given = {row["purpose"]: row for row in rows if row.get("state_after") == "given"}
        hold = sorted(name for name, one in folded.items() if one.state == "given" and name in given)
        return [await self.of_event(given[name], subject, now, translate) for name in hold if _lasts(given[name], now)]

    async def _place(self, event: str) -> dict[str, Any] | None:
        entry = await self.leaves.entry_of(event)
        head = await self.leaves.last_head(entry.epoch) if entry else None
        if entry is None or head is None or head.size <= entry.seq:
            return None
        leaves: Sequence[bytes] = [leaf async for leaf in self.leaves.hashes(entry.epoch, 0)][: head.size]
        return place_of(entry, head.size, inclusion_proof(leaves, entry.seq), head.plain())


def _lasts(row: Mapping[str, Any], now: datetime) -> bool:
    until = row.get("valid_until")
    return until is None or until > now
