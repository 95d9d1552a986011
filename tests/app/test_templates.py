"""What the bot learns of its templates by asking."""

from datetime import datetime

import aiohttp
import pytest
from pydantic import SecretStr

from bot.app.templates import learn
from bot.domain.inbound import AccountNotice
from bot.runtime.channel import AccountState, TemplateState, template_after, template_key, template_of
from bot.simulator import Simulator
from bot.whatsapp.graph import Graph
from bot.whatsapp.settings import WhatsAppSettings
from bot.whatsapp.template_api import NotDone, TemplateApi
from tests.runtime.virtual import VirtualClock
from tests.simulator.conftest import FAST


class Health:
    def __init__(self) -> None:
        self.states: dict[str, TemplateState] = {}

    async def note(self, notice: AccountNotice, now: datetime) -> bool:  # noqa: ARG002 - the port says which there are
        key = template_of(notice)
        assert key is not None
        before = self.states.get(key, TemplateState())
        self.states[key] = template_after(before, notice)
        return before != self.states[key]

    async def account(self) -> AccountState:
        return AccountState()

    async def template(self, name: str, language: str) -> TemplateState:
        return self.states.get(template_key(name, language), TemplateState())


def api(sim: Simulator, session: aiohttp.ClientSession) -> TemplateApi:
    settings = WhatsAppSettings(access_token=SecretStr(FAST.access_token), graph_url=sim.url)
    return TemplateApi(Graph(settings, session), FAST.waba_id)


class StandingClock(VirtualClock):
    def now(self) -> datetime:
        return datetime.fromisoformat("2026-11-24T10:00:00+00:00")


async def test_a_status_that_no_webhook_told_is_learnt_and_a_category_only_where_it_restricts() -> None:
    async with Simulator(FAST) as sim, aiohttp.ClientSession() as session:
        sim.world.set_template_status("reminder", "es", "PAUSED")
        sim.world.set_template_category("photo", "en", "MARKETING")
        health = Health()
        # Announced by a webhook, and listed as before until the first of the month.
        health.states[template_key("reminder", "es")] = TemplateState("APPROVED", "marketing")

        assert await learn(api(sim, session), health, StandingClock()) > 0
        assert health.states == {
            template_key("monthly_news", "en"): TemplateState("APPROVED", "marketing"),
            template_key("reminder", "es"): TemplateState("PAUSED", "marketing"),
            template_key("photo", "en"): TemplateState("APPROVED", "marketing"),
        }
        assert await learn(api(sim, session), health, StandingClock()) == 0


async def test_a_listing_of_several_pages_is_read_whole() -> None:
    from dataclasses import replace

    many = tuple(replace(FAST.templates[1], name=f"reminder_{n}") for n in range(230))
    async with Simulator(replace(FAST, templates=many)) as sim, aiohttp.ClientSession() as session:
        assert len(await api(sim, session).every()) == 230
        sim.world.token_expired = True
        with pytest.raises(NotDone, match="190"):
            await api(sim, session).every()
