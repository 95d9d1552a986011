"""The website's half of a consent in the browser: a box ticked on the page, the template on the phone, yes, receipt."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from playwright.async_api import Page, expect

from bot.app.demo import Demo, Ports, open_demo
from tests.e2e.served import ROOT
from tests.e2e.test_browser import PhoneInBrowser

pytestmark = pytest.mark.browser

SHOP = "hello you lovely shop"


@pytest.fixture
async def demo(tmp_path: Path) -> AsyncIterator[Demo]:
    async with open_demo(ROOT, tmp_path / "data", Ports(0, 0, 0, 0)) as running:
        yield running


def site(demo: Demo) -> str:
    return f"http://127.0.0.1:{demo.bot.web_port}"


def number(demo: Demo, key: str = "ada") -> str:
    return str(demo.simulator.person(key).number)


async def rows(demo: Demo, collection: str) -> list[dict[str, Any]]:
    return [row async for name, row in demo.bot.mongo.scan() if name == collection]


async def settled(demo: Demo, count: int) -> list[dict[str, Any]]:
    """The requests, once so many stand and none of them waits to be seen to."""
    for _ in range(200):
        found = await rows(demo, "opt_in_requests")
        if len(found) == count and all(one["state"] not in ("asked", "sending") for one in found):
            return found
        await asyncio.sleep(0.05)
    raise AssertionError([one["state"] for one in await rows(demo, "opt_in_requests")])


async def events(demo: Demo) -> list[str]:
    """The kinds of the consent events on record, in the order in which they occurred."""
    found = [row for row in await rows(demo, "ledger") if row.get("purpose") == "newsletter"]
    order = ["requested", "first_step", "confirmed", "refused", "withdrawn"]
    return [
        one["event_type"] for one in sorted(found, key=lambda row: (row["occurred_at"], order.index(row["event_type"])))
    ]


class Website:
    """What a browser sends, without one: for what nobody can do by hand."""

    def __init__(self, demo: Demo, session: aiohttp.ClientSession) -> None:
        self.url = f"{site(demo)}/opt-in"
        self.session = session

    async def form(self, language: str = "en") -> dict[str, str]:
        async with self.session.get(self.url, params={"lang": language}) as answer:
            page = await answer.text()
        hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page))
        assert set(hidden) == {"lang", "version", "token"}
        return hidden

    async def send(self, fields: Mapping[str, str]) -> tuple[int, str]:
        async with self.session.post(self.url, data=fields) as answer:
            return answer.status, await answer.text()

    async def sign_up(self, to: str) -> tuple[int, str]:
        return await self.send({**await self.form(), "purpose": "newsletter", "number": to})


@pytest.fixture
async def website(demo: Demo) -> AsyncIterator[Website]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield Website(demo, session)


async def fill(page: Page, demo: Demo, to: str, *, language: str = "en") -> None:
    """As a visitor does it."""
    await page.goto(f"{site(demo)}/opt-in?lang={language}")
    box = page.get_by_role("checkbox")
    assert not await box.is_checked()
    await box.check()
    await page.get_by_role("textbox").fill(to)
    await page.get_by_role("button").click()
    await expect(page.get_by_role("heading")).to_contain_text("WhatsApp")
    await expect(page.get_by_role("textbox")).to_have_count(0)


async def open_phone(demo: Demo, page: Page, key: str) -> PhoneInBrowser:
    phone = await page.context.new_page()
    await phone.goto(f"{demo.phone}?person={key}")
    return PhoneInBrowser(phone, key)


@pytest.mark.timeout(120)
async def test_a_box_on_the_website_and_a_yes_on_the_phone_give_the_consent(demo: Demo, browser_page: Page) -> None:
    """A stranger is nobody until they answer; the receipt says what they agreed to, and the newsletter then arrives."""
    phone = await open_phone(demo, browser_page, "ada")
    await fill(browser_page, demo, number(demo))
    await phone.hears("gave this number on the website")
    assert await rows(demo, "conversations") == await rows(demo, "subjects") == await rows(demo, "ledger") == []
    await phone.tap("Yes, please")
    await phone.hears("automated assistant of Casa Lua")
    await phone.hears("Thank you, that is confirmed. You get from Casa Lua: our newsletter.")
    assert await events(demo) == ["requested", "first_step", "confirmed"]
    (request,) = await settled(demo, 1)
    assert request["state"] == "answered"
    assert {"p", "key", "open", "w"} & set(request) == set()
    await phone.phone.get_by_test_id("action").filter(has_text="Queue a newsletter").click()
    await phone.hears("News from Casa Lua")
    await phone.tap("Yes, please")
    await phone.hears("no longer open")
    assert await events(demo) == ["requested", "first_step", "confirmed"]


@pytest.mark.timeout(120)
async def test_in_portuguese_and_by_a_typed_yes(demo: Demo, browser_page: Page) -> None:
    """The page's language becomes the conversation's; a clear yes in that language is an answer like the button."""
    phone = await open_phone(demo, browser_page, "ada")
    await fill(browser_page, demo, number(demo), language="pt")
    await phone.hears("Alguém, provavelmente a própria pessoa")
    await phone.say("Sim")
    await phone.hears("Obrigado, está confirmado. Recebe de Casa Lua: a nossa newsletter.")
    assert await events(demo) == ["requested", "first_step", "confirmed"]


@pytest.mark.timeout(120)
async def test_whoever_was_signed_up_by_somebody_else_is_left_alone(
    demo: Demo, browser_page: Page, website: Website
) -> None:
    phone = await open_phone(demo, browser_page, "ada")
    await fill(browser_page, demo, number(demo))
    await phone.hears("gave this number on the website")
    await phone.tap("That was not me")
    await phone.hears("this number gets no news")
    before = await phone.count()
    known = await website.sign_up(number(demo))
    found = await settled(demo, 2)
    assert sorted(one["state"] for one in found) == ["stopped", "stopped"]
    assert await phone.count() == before
    assert await events(demo) == []
    assert known == await website.sign_up("+12025550199")


@pytest.mark.timeout(120)
async def test_scanners_second_posts_and_too_many_forms_send_nothing_more(demo: Demo, website: Website) -> None:
    """GET and HEAD of every address change nothing; one form is one request; the third message is the last."""
    for path in ("/opt-in", "/opt-in?sent=1", "/opt-in?number=%2B12025550123&purpose=newsletter", "/opt-in/widget.js"):
        for method in ("GET", "HEAD"):
            async with website.session.request(method, f"{site(demo)}{path}") as answer:
                assert answer.status == 200
                assert "Set-Cookie" not in answer.headers
    assert await rows(demo, "opt_in_requests") == []
    filled = {**await website.form(), "purpose": "newsletter", "number": number(demo)}
    answers = await asyncio.gather(*(website.send(filled) for _ in range(3)))
    assert len(set(answers)) == 1
    assert [one["state"] for one in await settled(demo, 1)] == ["sent"]
    await website.sign_up(number(demo))
    assert sorted(one["state"] for one in await settled(demo, 2)) == ["repeated", "sent"]
    assert len(demo.simulator.transcript("ada")) == 1


@pytest.mark.timeout(120)
async def test_an_answer_after_its_time_or_after_a_stop_changes_nothing(
    demo: Demo, browser_page: Page, website: Website
) -> None:
    phone = await open_phone(demo, browser_page, "ada")
    await website.sign_up(number(demo))
    await phone.hears("gave this number on the website")
    (request,) = await settled(demo, 1)
    over = {"$set": {"until": request["asked_at"]}}
    await demo.bot.mongo.collection("opt_in_requests").update_one({"_id": request["_id"]}, over)
    await phone.tap("Yes, please")
    await phone.hears("no longer open, so nothing was changed")
    assert await events(demo) == []
    await website.sign_up(number(demo))
    await settled(demo, 2)
    await expect(phone.phone.get_by_test_id("bubble-in").filter(has_text="gave this number")).to_have_count(2)
    await phone.say("STOP")
    await phone.hears("sends you no more messages")
    await phone.tap("Yes, please")
    await expect(phone.phone.get_by_test_id("bubble-in").filter(has_text="no longer open")).to_have_count(2)
    assert "confirmed" not in await events(demo)


@pytest.mark.timeout(120)
async def test_known_unknown_and_suppressed_numbers_get_the_same_answer(
    demo: Demo, browser_page: Page, website: Website
) -> None:
    """Whoever tries numbers learns nothing from status, body or headers (privacy.md T18)."""
    phone = await open_phone(demo, browser_page, "ada")
    await phone.say(SHOP)
    await phone.hears("automated assistant of Casa Lua")
    known = await website.sign_up(number(demo))
    await phone.say("STOP")
    await phone.hears("sends you no more messages")
    suppressed = await website.sign_up(number(demo))
    unknown = await website.sign_up("+12025550199")
    assert known == suppressed == unknown
    assert known[0] == 200
    states = [one["state"] for one in await settled(demo, 3)]
    assert "stopped" in states


async def test_the_form_needs_no_script_and_asks_no_other_server(demo: Demo, browser_page: Page) -> None:
    """With scripts off it works; what was typed stays in the field beside the polite reason; no cookie, no third party."""
    assert browser_page.context.browser is not None
    context = await browser_page.context.browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await page.goto(f"{site(demo)}/opt-in?lang=en")
    await page.get_by_label("Your WhatsApp number").fill("12 x 34")
    await page.get_by_role("button").click()
    assert await page.get_by_label("Your WhatsApp number").input_value() == "12 x 34"
    await expect(page.get_by_role("alert")).to_contain_text("We cannot read this number")
    await expect(page.get_by_role("alert")).to_contain_text("Please tick at least one box")
    number_field = page.get_by_label("Your WhatsApp number")
    assert await number_field.get_attribute("aria-invalid") == "true"
    described = str(await number_field.get_attribute("aria-describedby")).split()
    assert all([await page.locator(f"#{one}").count() == 1 for one in described])
    await page.get_by_role("checkbox").check()
    await number_field.fill(number(demo))
    await page.get_by_role("button").click()
    await expect(page.get_by_role("heading")).to_contain_text("Please look at WhatsApp")
    await page.reload()
    await settled(demo, 1)
    assert await context.cookies() == []
    assert {url.partition("/opt-in")[0] for url in asked} == {site(demo)}
    await context.close()
