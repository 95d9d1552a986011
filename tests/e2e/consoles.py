"""People at consoles and phones, for the tests of the console: the demo as `make demo` starts it, in a real browser."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, Locator, Page, expect

from bot.app.demo import Demo, Ports, open_demo
from bot.domain.ids import PersonId
from tests.e2e.served import ROOT

REPAIRS = """
flow: repairs
title: Repairs
language: en
purpose: support
starts: [{words: [broken]}]
data:
  what: {type: text, keep: 30 days}
  secret: {type: text, keep: 30 days}
steps:
  - ask: What is broken?
    into: what
  - ask: What do you call it?
    into: secret
  - handoff: {team: front_desk, about: Something is broken, share: [what]}
    outcomes:
      left: [{say: "You were gone."}, end]
      nobody: [{say: "Somebody will call {secret}."}, end]
  - say: "Glad that {secret} works again."
  - end
"""


def project_of(folder: Path) -> Path:
    """The example business, with a flow whose every outcome can be heard."""
    shutil.copytree(ROOT / "flows", folder / "flows")
    shutil.copytree(ROOT / "locales", folder / "locales")
    (folder / "flows" / "repairs.yaml").write_text(REPAIRS)
    return folder


@dataclass
class Phone:
    """A customer on the simulator."""

    demo: Demo
    key: str

    async def say(self, words: str) -> None:
        await self.demo.simulator.say(self.key, words)

    async def hears(self, words: str, *, within: float = 15) -> None:
        for _ in range(int(within * 20)):
            if any(words in bubble_text(one) for one in self.demo.simulator.inbox(self.key)):
                return
            await asyncio.sleep(0.05)
        heard = [bubble_text(one) for one in self.demo.simulator.inbox(self.key)]
        raise AssertionError(f"{self.key} never heard {words!r}; heard {heard}")

    def heard(self) -> list[str]:
        return [bubble_text(one) for one in self.demo.simulator.inbox(self.key)]

    async def asks_for_a_person(self) -> None:
        await self.say("hello")
        await self.hears("How can I help you?")
        await self.say("I want to speak with a person")
        await self.hears("in the queue")

    async def has_something_broken(self) -> None:
        await self.say("broken")
        await self.hears("What is broken?")
        await self.say("the lamp")
        await self.hears("What do you call it?")
        await self.say("Lucy")
        await self.hears("in the queue")

    async def person(self) -> PersonId:
        """Who they are in the database."""
        someone = self.demo.simulator.person(self.key)
        from bot.app.queueing import address_of

        address = address_of(str(someone.bsuid) if someone.bsuid else f"+{str(someone.number).lstrip('+')}")
        assert address is not None
        found = await self.demo.bot.find(address)
        assert found is not None
        return found

    async def change(self, **fields: Any) -> None:
        """Changes their conversation in the database, as time would."""
        rows = self.demo.bot.mongo.collection("conversations")
        await rows.update_one({"_id": await self.person()}, {"$set": fields})

    async def timers_come_due(self, name: str) -> None:
        """Lets a timer of their conversation be due now."""
        now = datetime.now(UTC)
        change = {"timers.$.due": now - timedelta(seconds=1), "work_due": now - timedelta(seconds=1)}
        rows = self.demo.bot.mongo.collection("conversations")
        done = await rows.update_one({"_id": await self.person(), "timers.name": name}, {"$set": change})
        assert done.modified_count == 1, f"no timer {name}"


def bubble_text(bubble: Any) -> str:
    return str(bubble.face.text)


@dataclass
class Agent:
    """A colleague at the console."""

    page: Page
    context: BrowserContext
    name: str
    errors: list[str] = field(default_factory=list)

    @property
    def rows(self) -> Locator:
        return self.page.locator("#list [data-chat]")

    async def box(self, name: str) -> None:
        await self.page.locator(f'#list [data-box="{name}"]').click()
        await expect(self.page.locator(f'#list .rows[data-box-now="{name}"]')).to_be_attached()

    async def opens(self, row: int = 0) -> None:
        await self.rows.nth(row).click()
        await expect(self.page.locator(".thread")).to_be_visible()

    async def takes(self, row: int = 0) -> None:
        """Opens a chat of the queue and takes it."""
        await self.box("queue")
        await self.opens(row)
        await self.page.get_by_role("button", name="Take", exact=True).click()
        await expect(self.page.locator('.thread[data-mine="yes"]')).to_be_visible()

    async def writes(self, words: str) -> None:
        await self.page.locator("#words").fill(words)
        await self.page.get_by_role("button", name="Send", exact=True).click()

    async def sees(self, words: str, *, within: float = 15) -> None:
        await expect(self.page.locator("#chat").get_by_text(words).first).to_be_visible(timeout=within * 1000)

    async def gives_back(self, outcome: str) -> None:
        await self.page.locator("summary", has_text="Give back").click()
        await self.page.get_by_role("button", name=outcome, exact=True).click()
        await expect(self.page.locator('.thread[data-mine="no"]')).to_be_attached()


@dataclass
class Shop:
    """The running demo with a browser."""

    demo: Demo
    browser: Browser
    agents: list[Agent] = field(default_factory=list)

    def phone(self, key: str) -> Phone:
        return Phone(self.demo, key)

    async def agent(self, name: str, **context: Any) -> Agent:
        """Logs a colleague in as they would themselves."""
        made = await self.browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **context})
        page = await made.new_page()
        agent = Agent(page, made, name)
        page.on("pageerror", lambda error: agent.errors.append(str(error)))
        page.on("console", lambda one: agent.errors.append(one.text) if "Content Security Policy" in one.text else None)
        await page.goto(self.demo.console)
        await page.get_by_label("Name").fill(name)
        await page.get_by_label("Password").fill(self.demo.password)
        await page.get_by_role("button", name="Log in", exact=True).click()
        await page.wait_for_url(lambda url: "/login" not in url)
        self.agents.append(agent)
        return agent


@asynccontextmanager
async def open_shop(browser: Browser, folder: Path) -> AsyncIterator[Shop]:
    """A demo of its own; errors raised by the pages' scripts and breaches of their policy fail the test."""
    project = project_of(folder / "shop")
    async with open_demo(project, folder / "data", Ports(0, 0, 0, 0)) as demo:
        shop = Shop(demo, browser)
        yield shop
        for agent in shop.agents:
            await agent.context.close()
        assert [one.errors for one in shop.agents if one.errors] == []
