"""The browser of the tests: Debian's Chromium, driven by Playwright over its async API.

Where there is none the tests are skipped and say why; under CI they fail instead, so that a green run has seen a browser.
"""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, async_playwright

CANDIDATES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")

FLAGS = [
    "--no-sandbox",  # CI runs as root, where Chromium's own sandbox refuses to start
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",  # these three: a test speaks to 127.0.0.1 and to nobody else
    "--disable-component-update",
    "--disable-sync",
]


def find_chromium() -> str | None:
    """Path of a Chromium: the one CHROMIUM names, else the first usual one on the PATH."""
    named = os.environ.get("CHROMIUM")
    if named:
        return named if Path(named).is_file() else None
    return next((found for name in CANDIDATES if (found := shutil.which(name))), None)


@asynccontextmanager
async def open_browser(executable: str) -> AsyncIterator[Browser]:
    """A headless browser with an empty profile, closed at the end."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable, args=FLAGS)
        try:
            yield browser
        finally:
            await browser.close()


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of the browser, or the reason why this test cannot run here."""
    found = find_chromium()
    if found is not None:
        return found
    reason = "no Chromium found: install Debian's `chromium` or set CHROMIUM to its path"
    if os.environ.get("CI"):
        pytest.fail(f"{reason} (required where CI is set)")
    pytest.skip(reason)


@pytest.fixture
async def browser(chromium: str) -> AsyncIterator[Browser]:
    """A browser of this test alone; open a context in it for every person who shall not share cookies."""
    async with open_browser(chromium) as browser:
        yield browser


@pytest.fixture
async def browser_page(browser: Browser) -> AsyncIterator[Page]:
    """One page in a fresh context; an error raised by the page's own scripts fails the test."""
    context = await browser.new_context()
    page = await context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    await context.close()
    assert errors == []
