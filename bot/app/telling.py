"""Who is told what became of consents and people: the receivers of business.yaml, or nobody."""

from collections.abc import Mapping

import aiohttp
from pydantic import SecretStr

from bot.domain.business import Business
from bot.domain.ids import PersonId
from bot.integrations.receivers import HttpReceivers
from bot.integrations.subscribers import NobodySubscribed
from bot.storage.erasures import MongoErasures
from bot.storage.standings import Standings


def receivers_of(
    business: Business,
    session: aiohttp.ClientSession,
    secrets: Mapping[str, SecretStr],
    standings: Standings,
    erasures: MongoErasures,
    *,
    work: bool,
) -> HttpReceivers | NobodySubscribed:
    """For the outbox and for erasures. Raises `SettingsProblem` when a process that works lacks a receiver's secret."""
    if not business.receivers or not work:
        return NobodySubscribed()

    async def reference(person: PersonId) -> str:
        return await standings.ref_of(person) or await erasures.reference_of(person)

    return HttpReceivers(business.receivers, session, secrets, reference)
