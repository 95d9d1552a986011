"""Two agents, a lead and customers at once, in a real browser: what each of them sees and what reaches the phones."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from tests.e2e.consoles import Shop, open_shop

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


@pytest.fixture
async def shop(browser: Browser, tmp_path: Path) -> AsyncIterator[Shop]:
    async with open_shop(browser, tmp_path) as opened:
        yield opened


async def test_a_chat_from_the_queue_to_the_bot_again(shop: Shop) -> None:
    """Race, answer, note, presence, canned reply, pass on, search, and the flow that goes on."""
    ada = shop.phone("ada")
    maria, bruno, lena = await shop.agent("maria"), await shop.agent("bruno"), await shop.agent("lena")
    await _canned_reply(shop, lena.page)
    await maria.box("queue")
    await bruno.box("queue")
    await ada.has_something_broken()
    for agent in (maria, bruno):
        await expect(agent.rows).to_have_count(1)  # without reloading anything
        await agent.opens()
    await asyncio.gather(
        maria.page.get_by_role("button", name="Take", exact=True).click(),
        bruno.page.get_by_role("button", name="Take", exact=True).click(),
    )
    await ada.hears("is here now.")
    winner, loser = (maria, bruno) if await _has(maria.page) else (bruno, maria)
    await expect(loser.page.locator(".thread")).to_have_attribute("data-mine", "no")
    await expect(loser.page.locator("#words")).to_have_count(0)
    await expect(winner.page.locator("[data-presence]")).to_contain_text(loser.name, timeout=20_000)
    await winner.sees("the lamp")
    assert "Lucy" not in await winner.page.content()  # asked by the flow, not shared by it
    await ada.say("It flickers")
    await winner.sees("It flickers")
    await winner.page.locator("#words").press_sequentially("/swi")
    await winner.page.locator("#words").press("Enter")
    await winner.page.locator("#words").press("Control+Enter")
    await ada.hears("Have you tried the switch?")
    await expect(winner.page.locator(".bubble.out .fate").last).to_contain_text("read", timeout=15_000)
    await winner.page.get_by_role("tab", name="Note").click()
    await winner.page.locator("#note-words").fill("Sounds like a loose wire")
    await winner.page.get_by_role("button", name="Keep note").click()
    await loser.sees("Sounds like a loose wire")
    assert not any("loose wire" in one for one in ada.heard())
    await winner.page.locator("summary", has_text="Pass on").click()
    await winner.page.get_by_role("button", name=loser.name.capitalize(), exact=True).click()
    await expect(loser.page.locator('.thread[data-mine="yes"]')).to_be_attached(timeout=10_000)
    await ada.hears(f"{loser.name.capitalize()} is here now.")
    await lena.page.locator("#q").fill("flickers")
    await lena.page.locator("#q").press("Enter")
    await expect(lena.page.get_by_text("1 found")).to_be_visible()
    await loser.gives_back("Solved")
    await ada.hears("Glad that Lucy works again.")
    await ada.say("order status")
    await ada.hears("What is your order number?")


async def _has(page: Page) -> bool:
    thread = page.locator(".thread")
    for _ in range(100):
        if await thread.get_attribute("data-state") == "owned":
            return bool(await thread.get_attribute("data-mine") == "yes")
        await asyncio.sleep(0.05)
    raise AssertionError("nobody has the chat")


async def _canned_reply(shop: Shop, page: Page) -> None:
    await page.goto(f"{shop.demo.console}canned")
    form = page.locator("form.choice").last
    await form.get_by_label("Short name").fill("switch")
    await form.get_by_label("Text").fill("Have you tried the switch?")
    await form.get_by_role("button", name="Save").click()
    await page.goto(f"{shop.demo.console}chats")


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        pytest.param("The person has gone", "You were gone.", id="left"),
        pytest.param("Needs somebody later", "Somebody will call Lucy.", id="nobody"),
    ],
)
async def test_given_back_with_each_outcome(shop: Shop, outcome: str, said: str) -> None:
    ada = shop.phone("ada")
    await ada.has_something_broken()
    maria = await shop.agent("maria")
    await maria.takes()
    await ada.hears("Maria is here now.")
    await maria.gives_back(outcome)
    await ada.hears(said)


async def test_stop_while_the_agent_types(shop: Shop) -> None:
    """The red line is there at once, the composer is what is still lawful, and nothing that was written is lost."""
    ada = shop.phone("ada")
    await ada.asks_for_a_person()
    maria = await shop.agent("maria")
    await maria.takes()
    await maria.page.locator("#words").fill("Shall I send you our new")
    await expect(maria.page.locator("[data-saved]").first).to_have_text("Draft kept")
    await ada.say("STOP")
    await ada.hears("sends you no more messages")
    await maria.sees("The person wrote STOP.")
    await expect(maria.page.locator("#words")).to_have_count(0)
    await expect(maria.page.locator(".strip")).to_contain_text("STOP")
    await maria.page.get_by_role("tab", name="Template").click()
    await expect(maria.page.locator(".choice .locked")).to_contain_text("The person wrote STOP.")
    await ada.say("but my parcel?")
    await expect(maria.page.locator("#words")).to_have_value("Shall I send you our new", timeout=10_000)
    await maria.writes("Your parcel is on its way.")
    await ada.hears("Your parcel is on its way.")


async def test_a_silent_agent_loses_the_chat(shop: Shop) -> None:
    ada = shop.phone("ada")
    await ada.asks_for_a_person()
    maria, bruno = await shop.agent("maria"), await shop.agent("bruno")
    await maria.takes()
    await bruno.box("queue")
    await expect(bruno.rows).to_have_count(0)
    await ada.say("hello?")
    await maria.sees("hello?")
    await ada.timers_come_due("handoff_silent")
    await ada.hears("I have asked somebody else.")
    await expect(bruno.rows).to_have_count(1)
    await expect(maria.page.locator(".thread")).to_have_attribute("data-mine", "no")
    await bruno.takes()
    await ada.hears("Bruno is here now.")


async def test_outside_the_window_only_a_template_with_consent_goes_out(shop: Shop) -> None:
    ada = shop.phone("ada")
    maria = await shop.agent("maria")
    await ada.say("newsletter")
    await ada.hears("at most four times a month")
    await shop.demo.simulator.tap("ada", "Yes, please")
    await ada.hears("confirm once more")
    await shop.demo.simulator.tap("ada", "Confirm")
    await ada.hears("you are on the list")
    await ada.say("I want to speak with a person")
    await ada.hears("in the queue")
    await maria.takes()
    await ada.change(window_until=datetime.now(UTC) - timedelta(minutes=1))
    await maria.page.reload()
    await maria.sees("The 24-hour window is shut")
    await expect(maria.page.locator("#words")).to_have_count(0)
    await maria.page.locator("[name=value1]").fill("indigo bowls")
    await maria.page.get_by_role("button", name="Send template").click()
    await ada.hears("News from Casa Lua: indigo bowls")


async def test_a_lost_connection_is_told_and_caught_up(shop: Shop) -> None:
    ada = shop.phone("ada")
    await ada.asks_for_a_person()
    maria = await shop.agent("maria")
    await maria.takes()
    await maria.context.set_offline(True)
    await ada.say("are you there?")
    await expect(maria.page.locator("#banner")).to_contain_text("The connection is lost.", timeout=15_000)
    await expect(maria.page.get_by_text("are you there?")).to_have_count(0)
    await maria.context.set_offline(False)
    await maria.sees("are you there?", within=20)
    await expect(maria.page.locator("#banner")).not_to_contain_text("is lost", timeout=20_000)


async def test_a_message_that_came_in_meanwhile_is_read_before_anything_is_sent(shop: Shop) -> None:
    ada = shop.phone("ada")
    await ada.asks_for_a_person()
    maria = await shop.agent("maria")
    await maria.takes()
    await maria.page.route("**/console/stream**", lambda route: route.abort())
    await maria.page.reload()
    await expect(maria.page.locator("#words")).to_be_visible()
    await ada.say("forget it, I found it")
    await _kept(shop, 2)
    await maria.writes("It is in the shed.")
    await expect(maria.page.locator("#banner")).to_contain_text("A message came in while you were writing")
    await maria.sees("forget it, I found it")
    assert not any("shed" in one for one in ada.heard())
    await expect(maria.page.locator("#words")).to_have_value("It is in the shed.")
    await maria.page.get_by_role("button", name="Send", exact=True).click()
    await ada.hears("It is in the shed.")


async def _kept(shop: Shop, number: int) -> None:
    rows = shop.demo.bot.mongo.collection("transcripts")
    for _ in range(200):
        if await rows.count_documents({"direction": "in"}) >= number - 1:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the line was not kept")


async def test_an_erased_person_is_gone_from_the_screen(shop: Shop) -> None:
    ada = shop.phone("ada")
    await ada.asks_for_a_person()
    maria, dora = await shop.agent("maria"), await shop.agent("dora")
    await maria.takes()
    await maria.writes("What can I do for you?")
    await ada.hears("What can I do for you?")
    await ada.say("delete my data")
    await maria.sees("The person wants their data deleted.")
    await ada.hears("cannot be brought back")
    await shop.demo.simulator.tap("ada", "Delete my data")
    await ada.hears("delete everything now?")
    await shop.demo.simulator.tap("ada", "Yes, delete it")
    await ada.hears("has been deleted", within=60)
    await maria.page.reload()
    await expect(maria.page.get_by_text("You may not do this, or it does not exist.")).to_be_visible()
    names = ("tickets", "transcripts", "notes", "drafts", "conversations")
    left = {name: await shop.demo.bot.mongo.collection(name).count_documents({}) for name in names}
    assert left == dict.fromkeys(names, 0)
    await dora.page.goto(f"{shop.demo.console}privacy?box=erasures")
    await expect(dora.page.get_by_role("cell", name=re.compile("closed"))).to_be_visible()


async def test_everything_by_keyboard(shop: Shop) -> None:
    """From the queue to the hand-back without a mouse."""
    ada = shop.phone("ada")
    await ada.has_something_broken()
    maria = await shop.agent("maria")
    keys = maria.page.keyboard
    await keys.press("Alt+2")
    await expect(maria.rows).to_have_count(1)
    await keys.press("Alt+j")
    await expect(maria.page.locator(".thread")).to_be_visible()
    await keys.press("Alt+t")
    await expect(maria.page.locator("#words")).to_be_visible()
    await keys.press("Alt+l")
    await keys.type("Is the bulb new?")
    await keys.press("Control+Enter")
    await ada.hears("Is the bulb new?")
    await keys.press("Alt+p")
    await keys.type("asked for the bulb")
    await keys.press("Control+Enter")
    await maria.sees("asked for the bulb")
    await keys.press("Control+k")
    await keys.type("labels nobody has")
    await keys.press("Escape")
    await keys.press("Control+k")
    await keys.type("Solved")
    await keys.press("Enter")
    await ada.hears("Glad that Lucy works again.")


async def test_on_a_phone_of_360_pixels(shop: Shop) -> None:
    ada = shop.phone("ada")
    await ada.asks_for_a_person()
    maria = await shop.agent("maria", viewport={"width": 360, "height": 740}, has_touch=True)
    await maria.takes()
    assert await maria.page.evaluate("document.documentElement.scrollWidth") <= 360
    await maria.writes("Hello from the tram")
    await ada.hears("Hello from the tram")
    await maria.page.get_by_role("link", name="Back to the list").click()
    await expect(maria.rows).to_have_count(1)
    assert await maria.page.evaluate("document.documentElement.scrollWidth") <= 360


async def test_what_people_write_is_never_run(shop: Shop) -> None:
    """Stored and reflected scripts in words, labels, notes, replies kept ready and searches are only text (privacy.md A7)."""
    evil = (
        '</textarea></script><script>window.hit=1</script><img src=x onerror="window.hit=1"> "onmouseover="window.hit=1'
    )
    ada = shop.phone("ada")
    await ada.asks_for_a_person()
    await ada.say(evil)
    maria, lena = await shop.agent("maria"), await shop.agent("lena")
    await maria.takes()
    await maria.sees("window.hit=1")
    await maria.page.locator("#labels").fill(evil[:40])
    await maria.page.get_by_role("button", name="Set").click()
    await maria.page.get_by_role("tab", name="Note").click()
    await maria.page.locator("#note-words").fill(evil)
    await maria.page.get_by_role("button", name="Keep note").click()
    await expect(maria.page.locator(".bubble.note")).to_be_visible()
    await lena.page.goto(f"{shop.demo.console}canned")
    form = lena.page.locator("form.choice").last
    await form.get_by_label("Short name").fill(evil[:40])
    await form.get_by_label("Text").fill(evil)
    await form.get_by_role("button", name="Save").click()
    await lena.page.goto(f"{shop.demo.console}chats?q={evil}&box={evil}&said={evil}")
    await maria.page.reload()
    for agent in (maria, lena):
        assert await agent.page.evaluate("window.hit") is None
        assert await agent.page.locator('img[src="x"]').count() == 0
    agents_errors = [error for agent in (maria, lena) for error in agent.errors]
    assert agents_errors == []


async def test_a_number_is_shown_for_a_reason_and_that_is_on_record(shop: Shop) -> None:
    ada = shop.phone("ada")
    await ada.asks_for_a_person()
    maria, dora = await shop.agent("maria"), await shop.agent("dora")
    await maria.takes()
    number = str(shop.demo.simulator.person("ada").number)
    assert number.lstrip("+") not in await maria.page.content()
    await maria.page.locator("summary", has_text="Show the number").click()
    await maria.page.get_by_label("Why?").select_option("call")
    await maria.page.get_by_role("button", name="Show; this is put on record").click()
    await expect(maria.page.locator("output")).to_have_text(f"+{number.lstrip('+')}")
    await dora.page.goto(f"{shop.demo.console}log")
    row = dora.page.get_by_role("row").filter(has_text="person.reveal")
    await expect(row).to_contain_text("maria")
    await expect(row).to_contain_text("To call the person back")
    assert number.lstrip("+") not in await dora.page.content()


async def test_news_never_takes_away_what_somebody_began(shop: Shop) -> None:
    """What a colleague or the person does meanwhile is shown beside a form half filled in and an answer just read."""
    ada = shop.phone("ada")
    await ada.asks_for_a_person()
    maria, lena = await shop.agent("maria"), await shop.agent("lena")
    await maria.takes()
    await maria.page.locator("summary", has_text="Show the number").click()
    reason = maria.page.get_by_label("Why?")
    await reason.select_option("call")
    await lena.page.goto(maria.page.url)
    await lena.page.locator("#labels").fill("wet parcel")
    await lena.page.get_by_role("button", name="Set").click()
    await expect(maria.page.locator("#labels")).to_have_value("wet parcel")
    await ada.say("are you there?")
    await maria.sees("are you there?")
    await expect(reason).to_have_value("call")
    await maria.page.get_by_role("button", name="Show; this is put on record").click()
    number = f"+{str(shop.demo.simulator.person('ada').number).lstrip('+')}"
    await expect(maria.page.locator("output")).to_have_text(number)
    await maria.page.locator("#labels").fill("half a wo")
    await lena.page.locator("#labels").fill("call back")
    async with lena.page.expect_response("**/label"):
        await lena.page.get_by_role("button", name="Set").click()
    await ada.say("hello?")
    await maria.sees("hello?")
    await expect(maria.page.locator("output")).to_have_text(number)
    await expect(maria.page.locator("#labels")).to_have_value("half a wo")
    await expect(maria.page.locator("#labels")).to_be_focused()


async def test_whoever_is_disabled_is_out_at_once(shop: Shop) -> None:
    maria, adam = await shop.agent("maria"), await shop.agent("adam")
    row = adam.page.get_by_role("row").filter(has=adam.page.get_by_role("rowheader", name="maria", exact=True))
    await row.get_by_label("Is maria in use").select_option("yes")
    await row.get_by_role("button", name="Save").click()
    await expect(adam.page.locator(".chip.stop")).to_be_visible()
    await maria.page.goto(f"{shop.demo.console}chats")
    await expect(maria.page.get_by_label("Password")).to_be_visible()
    await maria.page.get_by_label("Name").fill("maria")
    await maria.page.get_by_label("Password").fill(shop.demo.password)
    await maria.page.get_by_role("button", name="Log in", exact=True).click()
    await expect(maria.page.get_by_role("alert")).to_contain_text("That did not work.")
