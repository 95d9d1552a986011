"""The example flows played in the browser's phone, and the pages people see in Arabic, from right to left on a narrow phone."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from bot.app.demo import Demo, Ports, open_demo
from bot.app.demo_orders import SUNDAY
from tests.e2e.served import ROOT
from tests.e2e.test_browser import PhoneInBrowser

pytestmark = pytest.mark.browser

NARROW = {"width": 360, "height": 740}


@pytest.fixture
async def demo(tmp_path: Path) -> AsyncIterator[Demo]:
    async with open_demo(ROOT, tmp_path / "data", Ports(0, 0, 0, 0)) as running:
        yield running


def weekday_ahead() -> int:
    """Days to a day two weeks on that is no Sunday: the demo's shop is shut then."""
    ahead = datetime.now(UTC) + timedelta(days=14)
    return 15 if ahead.weekday() == SUNDAY else 14


async def fits(page: Page) -> bool:
    """Whether nothing sticks out at a side."""
    return bool(await page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


@pytest.mark.timeout(180)
async def test_the_example_flows_in_the_phone(demo: Demo, browser_page: Page) -> None:
    """Appointment, order, support and newsletter, one after the other, as a visitor of the demo would try them."""
    await browser_page.goto(f"{demo.phone}?person=ada")
    phone = PhoneInBrowser(browser_page, "ada")

    await phone.say("book an appointment")
    await phone.hears("What would you like to book?")
    await phone.tap("Tea tasting")
    await phone.hears("Which day suits you?")
    await phone.say(f"in {weekday_ahead()} days")
    await phone.hears("And at what time")
    await phone.say("half past three")
    await phone.hears("Did you mean")
    await phone.tap("Yes")
    await phone.hears("What is your name?")
    await phone.say("Ada")
    await phone.hears("Shall I book it?")
    await phone.tap("Yes, book it")
    await phone.hears("Booked: Tea tasting")

    await phone.say("where is my order")
    await phone.say("CL12345")
    await phone.hears("postcode")
    await phone.say("1100-001")
    await phone.hears("It is on its way")

    await phone.say("newsletter")
    await phone.hears("at most four times a month")
    await phone.tap("No, thanks")
    await phone.hears("You will not get any news from us")

    await phone.say("problem")
    await phone.hears("What is it about?")
    await phone.choose("Invoice")
    await phone.hears("Please describe it in a few words")
    await phone.say("the amount on it is too high")
    await phone.hears("colleague")


@pytest.mark.timeout(180)
async def test_arabic_reads_from_right_to_left(demo: Demo, browser_page: Page, tmp_path: Path) -> None:
    await browser_page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    await browser_page.goto(f"{demo.phone}?person=ada")
    phone = PhoneInBrowser(browser_page, "ada")

    await phone.say("بالعربية من فضلك")
    await phone.hears("من الآن نكتب إليك بهذه اللغة: العربية")
    await phone.say("حجز موعد")
    bubble = await phone.hears("ماذا تريد أن تحجز؟")
    await expect(bubble.locator(".words").last).to_have_css("direction", "rtl")
    await phone.tap("تذوق الشاي")
    await phone.say("بعد ١٤ يوم")
    await phone.hears("وفي أي ساعة")
    assert await fits(browser_page)
    await browser_page.screenshot(path=tmp_path / "phone.png")

    for path in ("/opt-in?lang=ar", "/privacy/ar"):
        await browser_page.goto(f"http://127.0.0.1:{demo.bot.web_port}{path}")
        html = browser_page.locator("html")
        await expect(html).to_have_attribute("lang", "ar")
        await expect(html).to_have_attribute("dir", "rtl")
        assert await fits(browser_page)
        await browser_page.screenshot(
            path=tmp_path / f"{path.strip('/').partition('?')[0].replace('/', '-')}.png", full_page=True
        )
