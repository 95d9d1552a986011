"""A person asks for their data as a file: link and code in the chat, one download in the browser, everything in it, nothing left."""

import io
import json
import re
import zipfile
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from bot.privacy.receipts import read_receipt
from tests.e2e import traces
from tests.e2e.served import Served, environment, shop_project
from tests.e2e.standin import Someone, Standin, texts

pytestmark = pytest.mark.browser

ANA = Someone("Anabela Exemplo", "+15550100123", "US.13491208655302741918")


@pytest.mark.timeout(120)
async def test_the_file_is_fetched_once(mongo_uri: str, database_name: str, tmp_path: Path, browser_page: Page) -> None:
    page = browser_page
    async with Standin() as meta:
        settings = environment(
            mongo_uri, database_name, meta.url, tmp_path / "keys", shop_project(tmp_path / "shop", 9)
        )
        served = Served(settings, tmp_path / "serve.log")
        served.environment = settings | {"RECADO_WEB__PUBLIC_URL": f"http://127.0.0.1:{served.port}"}
        async with served:
            meta.webhook = served.webhook
            await meta.say(ANA, "newsletter")
            await meta.hears(ANA, "at most four times a month")
            await meta.tap(ANA, "Yes, please")
            await meta.hears(ANA, "Please confirm once more")
            await meta.tap(ANA, "Confirm")
            await meta.hears(ANA, "you are on the list")
            await meta.say(ANA, "my data")
            await meta.hears(ANA, "What would you like?")
            await meta.tap(ANA, "What I agreed to")
            receipt = texts(await meta.hears(ANA, "This is what you agreed to"))
            assert "The words you were shown:* " in receipt
            assert "at most four times a month" in receipt
            assert "How to withdraw:* STOP" in receipt
            meta.sent.clear()
            await meta.say(ANA, "my data")
            await meta.hears(ANA, "What would you like?")
            await meta.tap(ANA, "Get it as a file")
            told = texts(await meta.hears(ANA, "Your data as a file"))
            link, code = re.search(r"http\S+", told), re.search(r"\d{3} \d{3}", told)
            assert link is not None
            assert code is not None
            raw = json.dumps([str(row) for _, row in traces.documents(mongo_uri, [database_name])])
            assert link[0].rsplit("/", 1)[1] not in raw
            assert code[0].replace(" ", "") not in raw

            await page.set_viewport_size({"width": 360, "height": 740})
            await page.goto(link[0])
            await page.goto(link[0])  # looking twice changes nothing
            await page.screenshot(path=tmp_path / "link-360.png")
            await page.get_by_label("Code").fill("000 000")
            await page.get_by_role("button").click()
            await expect(page.get_by_role("alert")).to_contain_text("That did not work")
            await page.screenshot(path=tmp_path / "wrong-360.png")
            await page.get_by_label("Code").fill(code[0])
            async with page.expect_download() as coming:
                await page.get_by_role("button").click()
            path = await (await coming.value).path()
            _holds_everything(path.read_bytes())

            await page.get_by_label("Code").fill(code[0])
            await page.get_by_role("button").click()
            await expect(page.get_by_role("alert")).to_contain_text("works once")
            assert await page.evaluate("document.documentElement.scrollWidth") <= 360
            log = (tmp_path / "serve.log").read_text()
            assert link[0].rsplit("/", 1)[1] not in log


def _holds_everything(content: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        assert sorted(file.namelist()) == ["consent-newsletter.html", "my-data.html", "my-data.json", "schema.json"]
        receipt = read_receipt(file.read("consent-newsletter.html"), None)
        copy = json.loads(file.read("my-data.json"))
        shown = file.read("my-data.html").decode()
        schema = json.loads(file.read("schema.json"))
    assert receipt.well, receipt.wrong
    assert receipt.facts["answered"] == "Confirm"
    assert copy["schema"] == "recado-subject-export/1"
    assert set(copy["numbers"]) == {ANA.phone, ANA.bsuid}
    assert {"conversations", "ledger", "requests"} <= {section["name"] for section in copy["sections"]}
    assert {one["article"] for one in copy["information"]} >= {
        "15(1)(a)",
        "15(1)(c)",
        "15(1)(d)",
        "15(1)(e)",
        "15(1)(f)",
    }
    assert "newsletter" in shown
    assert "<script" not in shown
    assert "http-equiv" not in shown
    assert schema["title"] == "SubjectExport"
