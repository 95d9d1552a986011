"""The whole life in the browser, on the demo as `make demo` starts it: what the customer sees is what is tested."""

import asyncio
import base64
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, expect

from bot.app.demo import Demo, Ports, open_demo
from tests.e2e import traces
from tests.e2e.served import ROOT

pytestmark = pytest.mark.browser

TYPED = ("hello you lovely shop", "CL98761", "4050-012")


@pytest.fixture
async def demo(tmp_path: Path) -> AsyncIterator[Demo]:

    async with open_demo(ROOT, tmp_path / "data", Ports(0, 0, 0, 0)) as running:
        yield running


class PhoneInBrowser:
    """One phone of the page."""

    def __init__(self, page: Page, person: str) -> None:
        self.page = page
        self.phone: Locator = page.locator(f'[data-testid="phone"][data-person="{person}"]')

    async def say(self, words: str) -> None:
        await self.phone.get_by_test_id("composer").fill(words)
        await self.phone.get_by_test_id("send").click()

    async def tap(self, title: str) -> None:
        await self.phone.get_by_test_id("quick-reply").filter(has_text=title).last.click()

    async def choose(self, title: str) -> None:
        """Opens the newest list and taps one of its rows."""
        await self.phone.get_by_test_id("list-open").last.click()
        await self.phone.get_by_test_id("quick-reply").filter(has_text=title).last.click()

    async def hears(self, words: str, *, within: float = 15) -> Locator:
        bubble = self.phone.get_by_test_id("bubble-in").filter(has_text=words).last
        await expect(bubble).to_be_visible(timeout=within * 1000)
        return bubble

    async def count(self) -> int:
        return await self.phone.get_by_test_id("bubble-in").count()


@pytest.mark.timeout(180)
@pytest.mark.parametrize(
    "key", [pytest.param("ada", id="a number"), pytest.param("ines", id="no number, in Portuguese")]
)
async def test_a_whole_life_on_the_phone(demo: Demo, browser_page: Page, key: str) -> None:
    await browser_page.goto(f"{demo.phone}?person={key}")
    phone = PhoneInBrowser(browser_page, key)
    person = demo.simulator.person(key)
    if key == "ines":
        await _life_in_portuguese(phone)
        return
    await phone.say(TYPED[0])
    await phone.hears("automated assistant of Casa Lua")
    await phone.say("news")
    await phone.hears("at most four times a month")
    await phone.tap("Yes, please")
    await phone.hears("Please confirm once more")
    await phone.tap("Confirm")
    await phone.hears("you are on the list")
    await phone.phone.get_by_test_id("action").filter(has_text="Queue a newsletter").click()
    await phone.hears("News from Casa Lua")
    await phone.say("where is my order")
    await phone.hears("What is your order number?")
    await phone.say(TYPED[1])
    await phone.hears("postcode")
    await phone.say(TYPED[2])
    await phone.hears("It is on its way")
    await phone.say("order status")
    await phone.hears("What is your order number?")
    await phone.say("STOP")
    await phone.hears("sends you no more messages of its own accord")
    before = await phone.count()
    await phone.phone.get_by_test_id("action").filter(has_text="Queue a newsletter").click()
    assert await _refusal(demo) in ("stopped", "no_consent")
    await phone.say("START")
    await phone.hears("Welcome back")
    assert await phone.count() == before + 1
    await phone.say("delete my data")
    await phone.hears("cannot be brought back")
    await phone.tap("Delete my data")
    await phone.hears("delete everything now?")
    await phone.tap("Yes, delete it")
    await phone.hears("has been deleted", within=60)
    await _nobody_is_left(
        demo,
        [f"+{str(person.number).lstrip('+')}", str(person.number).lstrip("+"), str(person.bsuid), person.name, *TYPED],
    )


async def _life_in_portuguese(phone: PhoneInBrowser) -> None:
    """Every message in the person's own language, from their country (decisions.md 32)."""
    await phone.say("olá")
    await phone.hears("Casa Lua")
    await phone.say("novidades")
    await phone.hears("no máximo quatro vezes por mês")
    await phone.tap("Sim")
    await phone.tap("Confirmar")
    await phone.say("pode parar de me mandar mensagem?")
    await phone.hears("INICIAR")
    await phone.say("apagar os meus dados")
    texts = await phone.phone.get_by_test_id("bubble-in").all_inner_texts()
    english = [text for text in texts if "Write STOP" in text or "Delete my data" in text or "Please confirm" in text]
    assert english == []


async def _refusal(demo: Demo) -> str:
    """The reason on record for the newsletter that was not sent."""
    for _ in range(200):
        async for name, row in demo.bot.mongo.scan():
            if name == "sends" and row.get("refused"):
                return str(row["refused"])
        await asyncio.sleep(0.05)
    raise AssertionError("the gate refused nothing")


async def _nobody_is_left(demo: Demo, secrets: list[str]) -> None:
    """No collection holds the person; each row that remains is one of those named; old webhooks bring nobody back."""
    for _ in range(200):
        if "erasure_jobs" not in {name async for name, _ in demo.bot.mongo.scan()}:
            break
        await asyncio.sleep(0.05)
    uri = f"mongodb://{demo.bot.mongo.main.client.address[0]}:{demo.bot.mongo.main.client.address[1]}/?directConnection=true"
    databases = ("recado", "recado_vault")
    wamids = [bubble.id for bubble in demo.simulator.transcript("ada")]
    assert wamids
    inside = [base64.b64decode(one.removeprefix("wamid.") + "==").decode("latin-1") for one in wamids]
    assert any("447700900" in one for one in inside), "the simulator's ids must hold the number, as Meta's do"
    assert traces.found(uri, databases, [*secrets, *wamids]) == []
    remaining = {name for name, _ in traces.documents(uri, databases)} - traces.ABOUT_NOBODY
    assert remaining <= set(traces.KEPT), {name: traces.KEPT.get(name, "must not be here") for name in remaining}
    received = len(demo.simulator.transcript("ada"))
    await demo.simulator.redeliver(all=True)
    await asyncio.sleep(1)
    assert len(demo.simulator.transcript("ada")) == received
    assert {name for name, _ in traces.documents(uri, databases)} - traces.ABOUT_NOBODY == remaining
