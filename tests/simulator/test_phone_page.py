"""The phone page in a real browser: chat, taps, lists, people, safety, keyboard, small screens."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from playwright.async_api import Browser, Page, expect

from bot.simulator import Action, Person, Simulator
from tests.simulator.conftest import FAST
from tests.simulator.echo import EchoBot, echo_bot
from tests.simulator.test_conversation import BUTTONS, LIST, NEWS

pytestmark = pytest.mark.browser

ADA = "+447700900123"


async def _queue(person: Person) -> str | None:
    return f"Queued for {person.name}."


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    settings = replace(FAST, verified_name="Casa Lua", actions=(Action("news", "Queue a newsletter", _queue),))
    async with Simulator(settings) as running:
        yield running


@pytest.fixture
async def echo(sim: Simulator) -> AsyncIterator[EchoBot]:
    async with echo_bot(sim) as bot:
        yield bot


async def opened(page: Page, sim: Simulator, people: str = "ada") -> Page:
    await page.goto(f"{sim.phone_url}?person={people}")
    await expect(page.get_by_test_id("phone").first).to_be_visible()
    return page


async def test_writing_and_reading(sim: Simulator, echo: EchoBot, browser_page: Page) -> None:
    page = await opened(browser_page, sim)
    await page.get_by_test_id("composer").fill("hello")
    await page.get_by_test_id("send").click()
    await expect(page.get_by_test_id("bubble-in")).to_contain_text("echo: hello")
    await expect(page.get_by_test_id("tick")).to_have_attribute("data-status", "delivered")
    await echo.graph({"status": "read", "message_id": echo.messages[0]["id"], "typing_indicator": {"type": "text"}})
    await expect(page.get_by_test_id("tick")).to_have_attribute("data-status", "read")
    await expect(page.get_by_test_id("typing")).to_have_text("typing…")
    await echo.text(ADA, "done")
    await expect(page.get_by_test_id("typing")).to_have_text("online")


async def test_enter_sends_and_shift_enter_makes_a_line(sim: Simulator, echo: EchoBot, browser_page: Page) -> None:
    page = await opened(browser_page, sim)
    await page.get_by_test_id("composer").focus()
    await page.keyboard.type("one")
    await page.keyboard.press("Shift+Enter")
    await page.keyboard.type("two")
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("bubble-out")).to_have_count(1)
    assert echo.messages[0]["text"]["body"] == "one\ntwo"


async def test_buttons_and_quick_replies_are_tapped(sim: Simulator, echo: EchoBot, browser_page: Page) -> None:
    await sim.say("ada", "hello")
    await echo.graph({"to": ADA, **BUTTONS})
    await echo.graph({"to": ADA, **NEWS})
    page = await opened(browser_page, sim)
    await page.get_by_role("button", name="Yes").click()
    await expect(page.get_by_test_id("bubble-out").last).to_contain_text("Yes")
    await page.get_by_role("button", name="Stop the newsletter").click()
    await expect(page.get_by_test_id("bubble-out").last).to_contain_text("Stop the newsletter")
    await expect(page.get_by_text("Write STOP to unsubscribe")).to_be_visible()
    await expect(page.get_by_role("link", name="Read")).to_have_attribute("href", "https://shop.example/may")
    assert [message["type"] for message in echo.messages[1:]] == ["interactive", "button"]


async def test_a_list_opens_as_a_sheet_by_keyboard_alone(sim: Simulator, echo: EchoBot, browser_page: Page) -> None:
    await sim.say("ada", "hello")
    await echo.graph({"to": ADA, **LIST})
    page = await opened(browser_page, sim)
    await page.get_by_test_id("list-open").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("list-sheet")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_test_id("list-sheet")).to_be_hidden()
    await page.get_by_test_id("list-open").focus()
    await page.keyboard.press("Enter")
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("bubble-out").last).to_contain_text("Fast")


async def test_marks_become_bold_and_markup_stays_text(sim: Simulator, echo: EchoBot, browser_page: Page) -> None:
    await sim.say("ada", "hello")
    evil = '<img src=x onerror="window.hacked=1"> *bold* _it_ ~no~ ```a<b``` 2*3*4 https://a.example/x_y_z. javascript:alert(1)'
    await echo.text(ADA, evil)
    page = await opened(browser_page, sim)
    bubble = page.get_by_test_id("bubble-in").last
    await expect(bubble).to_contain_text('<img src=x onerror="window.hacked=1">')
    assert await bubble.locator(".words img").count() == 0
    assert await page.evaluate("window.hacked") is None
    for tag, words in (("strong", "bold"), ("em", "it"), ("s", "no"), ("code", "a<b")):
        assert await bubble.locator(f".words {tag}").all_inner_texts() == [words]
    assert [await a.get_attribute("href") for a in await bubble.locator("a").all()] == ["https://a.example/x_y_z"]


async def test_nothing_is_asked_of_anybody_else_and_the_policy_holds(
    sim: Simulator, echo: EchoBot, browser_page: Page
) -> None:
    asked: list[str] = []
    complaints: list[str] = []
    browser_page.on("request", lambda request: asked.append(request.url))
    browser_page.on("console", lambda message: complaints.append(message.text))
    page = await opened(browser_page, sim)
    await page.get_by_test_id("composer").fill("hello")
    await page.get_by_test_id("send").click()
    await expect(page.get_by_test_id("bubble-in")).to_have_count(1)
    assert complaints == []
    assert all(url.startswith(sim.url) for url in asked)
    answer = await page.request.get(sim.phone_url)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


async def test_people_are_opened_added_and_read_from_the_right(
    sim: Simulator, echo: EchoBot, browser_page: Page
) -> None:
    page = await opened(browser_page, sim, "ada,salma")
    await expect(page.get_by_test_id("phone")).to_have_count(2)
    salma = page.locator('[data-testid="phone"][data-person="salma"]')
    await salma.get_by_test_id("composer").fill("مرحبا")
    await salma.get_by_test_id("send").click()
    words = salma.get_by_test_id("bubble-out").locator(".words")
    await expect(words).to_have_attribute("dir", "auto")
    assert await words.evaluate("node => getComputedStyle(node).direction") == "rtl"
    await page.locator('[data-testid="person-select"][data-person="ada"]').click()
    await expect(page.get_by_test_id("phone")).to_have_count(1)
    await page.get_by_test_id("person-add").click()
    await page.get_by_test_id("person-name").fill("Vera Lund")
    await page.get_by_test_id("person-hidden").check()
    await page.get_by_test_id("person-create").click()
    await expect(page.locator('[data-testid="phone"][data-person="vera"]')).to_be_visible()
    assert sim.person("vera").number is None
    assert "person=salma,vera" in page.url


async def test_a_button_of_the_host_and_the_menu(sim: Simulator, echo: EchoBot, browser_page: Page) -> None:
    page = await opened(browser_page, sim)
    await page.get_by_test_id("action").click()
    await expect(page.get_by_test_id("notice")).to_have_text("Queued for Ada Quill.")
    await page.get_by_label("Menu of Ada Quill").click()
    await page.get_by_role("button", name="Stop offers").click()
    await page.get_by_label("Menu of Ada Quill").click()
    await expect(page.get_by_role("button", name="Allow offers again")).to_be_visible()
    assert sim.world.chats["ada"].marketing_stopped


async def test_a_picture_is_sent_and_shown(sim: Simulator, echo: EchoBot, browser_page: Page) -> None:
    page = await opened(browser_page, sim)
    png = bytes.fromhex("89504e470d0a1a0a0000000d4948445200000001000000010806000000"
                        "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082")  # fmt: skip
    files = [{"name": "cup.png", "mimeType": "image/png", "buffer": png}]
    await page.get_by_test_id("attach-file").set_input_files(files)
    image = page.get_by_test_id("bubble-out").locator("img")
    await expect(image).to_have_count(1)
    assert await image.evaluate("node => node.decode().then(() => node.naturalWidth)") == 1
    assert echo.messages[-1]["type"] == "image"


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_at_360_pixels_nothing_sticks_out(sim: Simulator, echo: EchoBot, browser: Browser, scheme: str) -> None:
    await sim.say("ada", "x" * 300)
    await echo.graph({"to": ADA, **NEWS})
    context = await browser.new_context(viewport={"width": 360, "height": 740}, color_scheme=scheme)
    page = await opened(await context.new_page(), sim, "ada,ines")
    await expect(page.get_by_test_id("phone")).to_have_count(1)
    assert await page.evaluate("document.documentElement.scrollWidth") == 360
    box = await page.get_by_test_id("send").bounding_box()
    assert box is not None
    assert box["x"] + box["width"] <= 360
    assert min(box["width"], box["height"]) >= 40
    await context.close()


async def test_the_page_comes_back_by_itself_after_a_restart(browser_page: Page) -> None:
    async with Simulator(FAST) as first:
        page = await opened(browser_page, first)
        await expect(page.get_by_test_id("live")).to_have_text("No bot is connected yet")
    await expect(page.get_by_test_id("live")).to_contain_text("Connection lost")
    async with Simulator(replace(FAST, port=first.port)) as second:
        await second.say("ada", "meanwhile")
        await expect(page.get_by_test_id("bubble-out")).to_contain_text("meanwhile", timeout=20_000)


async def test_every_control_has_a_name(sim: Simulator, echo: EchoBot, browser_page: Page) -> None:
    await sim.say("ada", "hello")
    await echo.graph({"to": ADA, **BUTTONS})
    page = await opened(browser_page, sim)
    nameless = await page.evaluate(
        """() => [...document.querySelectorAll("button, a, textarea, select, input:not([type=file]), summary")]
             .filter((node) => !(node.getAttribute("aria-label") || node.textContent.trim() || node.labels?.length))
             .map((node) => node.outerHTML)"""
    )
    assert nameless == []
