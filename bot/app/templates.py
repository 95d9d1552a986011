"""Asks Meta now and then how its templates stand: webhooks tell changes only, and one that never came must not hide a category.

A template that Meta calls marketing needs the marketing consent whatever it was declared as (ePrivacy art. 13); the gate reads it
from what is noted here.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from bot.domain.errors import RecadoError
from bot.domain.inbound import AccountNotice
from bot.runtime.ports import ChannelHealth, Clock
from bot.whatsapp.graph import Graph
from bot.whatsapp.settings import WhatsAppSettings
from bot.whatsapp.template_api import TemplateApi

EVERY = 6 * 3600.0
"""Seconds between two looks."""

logger = logging.getLogger(__name__)


async def learn(api: TemplateApi, health: ChannelHealth, clock: Clock) -> int:
    """Notes status and category of every template at Meta; returns how many changed what was known. Raises `RecadoError`."""
    changed = 0
    for (name, language), listed in (await api.every()).items():
        about = {"message_template_name": name, "message_template_language": language}
        told = [AccountNotice("message_template_status_update", listed.status, about)]
        if listed.content.category == "marketing":
            # Only what restricts: a category that Meta has announced is listed as the old one until the first of the month.
            told.append(AccountNotice("template_category_update", "", {**about, "new_category": "MARKETING"}))
        changed += sum([await health.note(one, clock.now()) for one in told])
    return changed


@asynccontextmanager
async def watching(
    settings: WhatsAppSettings, session: aiohttp.ClientSession, health: ChannelHealth, clock: Clock
) -> AsyncIterator[None]:
    """Looks at once and every six hours while it is open; not at all where no business account is set."""
    if not settings.businesses:
        yield
        return
    api = TemplateApi(Graph(settings, session), settings.businesses[0])
    task = asyncio.create_task(_keep_learning(api, health, clock))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _keep_learning(api: TemplateApi, health: ChannelHealth, clock: Clock) -> None:
    while True:
        try:
            changed = await learn(api, health, clock)
            if changed:
                logger.warning("templates changed at Meta", extra={"count": changed})
        except RecadoError:
            logger.warning("templates could not be asked")
        await asyncio.sleep(EVERY)
