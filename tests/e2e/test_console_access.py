"""Who gets where: every role at every route with other people's chats; log-ins, sessions, headers; and pages for everybody (WCAG 2.2)."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import axe_core_python
import pyotp
import pytest
from playwright.async_api import Browser, Page, expect

from bot.app.demo import Demo, Ports, open_demo
from bot.console import passwords
from bot.console.app import table
from bot.console.stream import Hub
from bot.handoff.roles import ROLES, Scope, Staff
from bot.storage.staff import MongoStaff
from tests.e2e.consoles import Phone, Shop, open_shop
from tests.e2e.served import ROOT

pytestmark = [pytest.mark.timeout(180)]
AXE = (Path(axe_core_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")


@pytest.fixture
async def demo(tmp_path: Path) -> AsyncIterator[Demo]:
    async with open_demo(ROOT, tmp_path / "data", Ports(0, 0, 0, 0)) as running:
        yield running


@pytest.fixture
async def shop(browser: Browser, tmp_path: Path) -> AsyncIterator[Shop]:
    async with open_shop(browser, tmp_path) as opened:
        yield opened


class Seat:
    """Somebody logged in without a browser."""

    def __init__(self, demo: Demo, session: aiohttp.ClientSession, csrf: str) -> None:
        self.base, self.session, self.csrf = demo.console.rstrip("/"), session, csrf

    async def ask(self, method: str, path: str, *, csrf: bool = True, **fields: str) -> tuple[int, str]:
        data = {**fields, **({"csrf": self.csrf} if csrf else {})} if method == "POST" else None
        async with self.session.request(
            method, self.base + path, data=data, allow_redirects=False, headers={"X-Requested-With": "recado"}
        ) as answer:
            if answer.content_type == "text/event-stream":
                return answer.status, ""
            return answer.status, await answer.text()


async def seat(demo: Demo, name: str, role: str, teams: tuple[str, ...], stack: list[aiohttp.ClientSession]) -> Seat:
    staff = MongoStaff(demo.bot.mongo, demo.bot.keyring)
    await staff.add(Staff(name, f"{name.title()} Exemplo", role, teams), demo.bot.clock.now())
    await staff.change(name, role=role, teams=teams)
    await staff.set_password(name, await passwords.hashed("correct horse battery"), demo.bot.clock.now())
    session = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
    stack.append(session)
    base = demo.console.rstrip("/")
    async with session.post(f"{base}/login", data={"name": name, "password": "correct horse battery"}) as answer:
        assert answer.status == 200, await answer.text()
    async with session.get(f"{base}/me") as answer:
        found = re.search(r'name="csrf" content="(\w+)"', await answer.text())
    assert found is not None
    return Seat(demo, session, found[1])


FORMS = {
    "reply": {"words": "hello", "once": "a", "seen": "x"}, "note": {"words": "n"}, "label": {"labels": "x"}, "draft": {"words": "d"},
    "reveal": {"reason": "call"}, "right": {"right": "my_data", "once": "b"}, "withdraw": {"purpose": "newsletter"},
    "give-back": {"outcome": "left"}, "pass": {"to": "team:orders"}, "snooze": {"length": "1 hour"},
    "template": {"template": "monthly_news", "value1": "x", "once": "c"}, "ask-consent": {"purpose": "newsletter", "once": "d"},
}  # fmt: skip


async def test_every_role_at_every_route_with_other_people_s_chats(demo: Demo) -> None:
    """What a role does not name is 403, a chat out of reach is 404 like one that does not exist, and neither answer tells more."""
    ada = Phone(demo, "ada")
    await ada.asks_for_a_person()
    tickets = demo.bot.mongo.collection("tickets")
    ticket = (await tickets.find_one({}))["_id"]
    await tickets.update_one({"_id": ticket}, {"$set": {"team": "front_desk"}})
    sessions: list[aiohttp.ClientSession] = []
    wrong: list[str] = []
    hub: Any = Hub.__new__(Hub)
    try:
        for role in (*ROLES, "burglar"):
            # In the other team: whoever has chats by team may not reach this one.
            who = await seat(demo, f"z{role}", role if role in ROLES else "agent", ("orders",), sessions)
            if role == "burglar":
                await MongoStaff(demo.bot.mongo, demo.bot.keyring).change(f"z{role}", role="burglar")
            for route in table(hub):
                if route.action is None or route.path in ("/logout", "/stream"):
                    continue
                wrong += await _wrong(who, role, route, ticket)
        after = await tickets.find_one({"_id": ticket})
        assert (after["state"], after.get("labels")) in (("queued", None), ("closed", ["x"]), ("queued", ["x"])), after
    finally:
        await asyncio.gather(*(one.close() for one in sessions))
    assert wrong == []


async def _wrong(who: Seat, role: str, route: Any, ticket: str) -> list[str]:
    declared = ROLES.get(role)
    may = declared is not None and route.action in declared.actions
    reach = declared is not None and declared.scope is Scope.ALL
    if may and route.of_chat and reach and route.writes:
        return []  # an owner may do this; the stories in the browser do
    form = FORMS.get(route.path.rpartition("/")[2], {})
    real = route.path.replace("{ticket}", ticket).replace("{purpose}", "newsletter").replace("{request}", "f" * 32)
    if route.writes and may and not route.of_chat:
        return []
    status, body = await who.ask(route.method, real, **form)
    found = []
    if not may:
        found += [f"{role} {route.method} {route.path}: {status}, not 403"] if status != 403 else []
    elif route.of_chat and not reach:
        none, nothing = await who.ask(route.method, real.replace(ticket, "e" * 32), **form)
        same = re.sub(r"nonce=\"\w+\"", "", body) == re.sub(r"nonce=\"\w+\"", "", nothing)
        found += (
            [] if (status, none, same) == (404, 404, True) else [f"{role} {route.path}: {status}, {none}, alike {same}"]
        )
    elif status not in (200, 303, 404):
        found.append(f"{role} {route.method} {route.path}: {status}, but it may")
    if status in (403, 404) and ("Ada" in body or "speak with" in body or ticket in body):
        found.append(f"{role} {route.path}: tells something")
    return found


async def test_nothing_is_done_without_the_page_s_own_token_and_origin(demo: Demo) -> None:
    sessions: list[aiohttp.ClientSession] = []
    try:
        who = await seat(demo, "zoe", "admin", (), sessions)
        assert (await who.ask("POST", "/admin/add", csrf=False, id="eve", name="Eve", role="admin"))[0] == 403
        headers = {"Origin": "https://evil.example"}
        async with who.session.post(
            f"{who.base}/admin/add", data={"csrf": who.csrf, "id": "eve"}, headers=headers
        ) as answer:
            assert answer.status == 403
        headers = {"Sec-Fetch-Site": "cross-site"}
        async with who.session.post(
            f"{who.base}/admin/add", data={"csrf": who.csrf, "id": "eve"}, headers=headers
        ) as answer:
            assert answer.status == 403
        async with who.session.post(f"{who.base}/admin/add", json={"csrf": who.csrf, "id": "eve"}) as answer:
            assert answer.status == 415
        assert await MongoStaff(demo.bot.mongo, demo.bot.keyring).find("eve") is None
        # Fields the form does not have change nothing, and nobody makes an owner of themselves.
        await who.ask("POST", "/me", role="owner", teams="front_desk", disabled="no", away="no")
        assert (await MongoStaff(demo.bot.mongo, demo.bot.keyring).find("zoe")).role == "admin"  # type: ignore[union-attr]
        assert (await who.ask("POST", "/admin/change", id="zoe", role="owner"))[0] == 403
        assert (await who.ask("POST", "/admin/add", id="eve", name="Eve", role="owner"))[0] == 403
    finally:
        await asyncio.gather(*(one.close() for one in sessions))


async def test_every_page_bears_the_headers_and_names_no_other_host(demo: Demo) -> None:
    sessions: list[aiohttp.ClientSession] = []
    try:
        who = await seat(demo, "zoe", "owner", (), sessions)
        for path in (
            "/login",
            "/chats",
            "/queue",
            "/privacy",
            "/admin",
            "/log",
            "/me",
            "/static/main.js",
            "/nowhere/x",
        ):
            async with who.session.get(who.base + path) as answer:
                policy = answer.headers.get("Content-Security-Policy", "")
                if answer.status == 404:
                    continue
                assert "default-src 'none'" in policy, path
                assert "unsafe" not in policy, path
                assert "http" not in policy, path
                assert answer.headers["X-Frame-Options"] == "DENY", path
                assert answer.headers["X-Content-Type-Options"] == "nosniff", path
                text = await answer.text()
                own = f"localhost:{demo.bot.web_port}"
                others = [one for one in re.findall(r"(?:src|href|action)=\"(https?://[^\"]+)", text) if own not in one]
                assert others == [], path
    finally:
        await asyncio.gather(*(one.close() for one in sessions))


async def test_whether_an_account_exists_is_not_told(demo: Demo) -> None:
    """Same status and same page for a wrong password and for nobody; the same work is done for both."""
    answers = []
    async with aiohttp.ClientSession() as session:
        for name in ("maria", "nobodyatall"):
            async with session.post(
                f"{demo.console}login", data={"name": name, "password": "wrong password 1"}
            ) as answer:
                answers.append((answer.status, re.sub(r"nonce=\"\w+\"", "", await answer.text())))
    assert answers[0] == answers[1]
    assert answers[0][0] == 403


async def test_guessing_is_slowed_down_for_a_name_that_nobody_has_too(demo: Demo) -> None:
    async with aiohttp.ClientSession() as session:
        for name in ("maria", "nobodyatall"):
            found = []
            for _ in range(11):
                async with session.post(f"{demo.console}login", data={"name": name, "password": "x"}) as answer:
                    found.append(answer.status)
            assert found == [403] * 10 + [429], name


async def test_a_session_ends_when_idle_and_when_its_time_is_over(demo: Demo) -> None:
    sessions: list[aiohttp.ClientSession] = []
    rows = demo.bot.mongo.collection("sessions")
    try:
        for field, back in (("seen_at", 31 * 60), ("expires", 9 * 3600)):
            who = await seat(demo, "zoe", "agent", ("orders",), sessions)
            assert (await who.ask("GET", "/chats"))[0] == 200
            newest = await rows.find({"staff": "zoe"}).sort("created_at", -1).limit(1).to_list(None)
            then = newest[0][field] - timedelta(seconds=back)
            await rows.update_one({"_id": newest[0]["_id"]}, {"$set": {field: then}})
            assert (await who.ask("GET", "/chats"))[0] == 401
    finally:
        await asyncio.gather(*(one.close() for one in sessions))


async def test_tokens_stand_in_the_database_as_hashes_only(demo: Demo) -> None:
    sessions: list[aiohttp.ClientSession] = []
    try:
        who = await seat(demo, "zoe", "agent", ("orders",), sessions)
        [cookie] = [one.value for one in who.session.cookie_jar if one.key == "recado-demo"]
        async for _, row in demo.bot.mongo.scan():
            assert cookie not in repr(row)
            assert "correct horse" not in repr(row)
    finally:
        await asyncio.gather(*(one.close() for one in sessions))


@pytest.mark.browser
async def test_a_new_colleague_joins_by_passkey_and_comes_back_with_it(shop: Shop) -> None:
    """From the invitation to the second log-in, with the browser's own authenticator."""
    link = await _invited(shop, "zoe")
    context = await shop.browser.new_context()
    page = await context.new_page()
    device = await context.new_cdp_session(page)
    await device.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
    }
    await device.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    await page.goto(link)
    await page.get_by_role("button", name="Make a passkey").click()
    await page.wait_for_url("**/console/chats")
    await page.locator("summary", has_text="Zoe").click()
    await page.get_by_role("button", name="Log out").click()
    await page.get_by_role("button", name="Log in with a passkey").click()
    await page.wait_for_url("**/console/chats")
    await page.goto(link)
    await expect(page.get_by_text("This invitation was used already")).to_be_visible()
    await context.close()


@pytest.mark.browser
async def test_a_password_needs_its_second_factor_and_each_code_works_once(shop: Shop) -> None:
    link = await _invited(shop, "zoe")
    context = await shop.browser.new_context()
    page = await context.new_page()
    await page.goto(link)
    secret = await page.locator("code.secret").inner_text()
    totp = pyotp.TOTP(secret)
    await page.get_by_label("A new password").fill("correct horse battery")
    await page.get_by_label("The code the app shows").fill("000000" if totp.now() != "000000" else "111111")
    await page.get_by_role("button", name="Set password and log in").click()
    await expect(page.get_by_role("alert")).to_contain_text("The code does not fit")
    totp = pyotp.TOTP(await page.locator("code.secret").inner_text())
    code = totp.now()
    await page.get_by_label("A new password").fill("correct horse battery")
    await page.get_by_label("The code the app shows").fill(code)
    await page.get_by_role("button", name="Set password and log in").click()
    await page.wait_for_url("**/console/chats")
    await context.close()
    async with aiohttp.ClientSession() as session:
        for given in ("", "123456", code):
            data = {"name": "zoe", "password": "correct horse battery", "code": given}
            async with session.post(f"{shop.demo.console}login", data=data, allow_redirects=False) as answer:
                assert answer.status == 403, given


async def _invited(shop: Shop, name: str) -> str:
    staff = MongoStaff(shop.demo.bot.mongo, shop.demo.bot.keyring)
    now = shop.demo.bot.clock.now()
    await staff.add(Staff(name, f"{name.title()} Exemplo", "agent", ("front_desk",)), now)
    token = await staff.invite(name, now, anew=False)
    return f"{shop.demo.console}join/{token}"


PAGES = {
    "maria": ("chats", "me"), "lena": ("queue", "canned"), "dora": ("privacy", "log", "business"), "adam": ("admin", "letters", "channel"),
}  # fmt: skip


@pytest.mark.browser
@pytest.mark.parametrize(
    ("scheme", "locale"),
    [pytest.param("light", "en", id="light, English"), pytest.param("dark", "ar", id="dark, right to left")],
)
async def test_no_page_has_a_serious_barrier(shop: Shop, scheme: str, locale: str) -> None:
    """axe-core on every page; nothing is wider than a phone either."""
    ada = shop.phone("ada")
    await ada.asks_for_a_person()
    await ada.say("Where is my parcel?")
    context = await shop.browser.new_context(color_scheme=scheme, locale=locale)  # type: ignore[arg-type]
    page = await context.new_page()
    await page.goto(shop.demo.console)
    barriers = await _barriers(page, "login")
    await context.close()
    for name, pages in PAGES.items():
        agent = await _logged_in(shop, name, scheme, locale)
        for one in pages:
            await agent.goto(f"{shop.demo.console}{one}")
            barriers += await _barriers(agent, one)
        if name == "maria":
            ticket = (await shop.demo.bot.mongo.collection("tickets").find_one({}))["_id"]
            await agent.goto(f"{shop.demo.console}chats/{ticket}")
            barriers += await _barriers(agent, "chat, not mine")
            await agent.locator('[data-key="take"]').click()
            await expect(agent.locator("#words")).to_be_visible()
            barriers += await _barriers(agent, "chat")
            await agent.keyboard.press("Control+k")
            barriers += await _barriers(agent, "commands")
            assert await agent.evaluate("document.documentElement.dir") == ("rtl" if locale == "ar" else "ltr")
    assert barriers == []


async def _logged_in(shop: Shop, name: str, scheme: str, locale: str) -> Page:
    context = await shop.browser.new_context(color_scheme=scheme, locale=locale)  # type: ignore[arg-type]
    page = await context.new_page()
    await page.goto(f"{shop.demo.console}login")
    await page.locator("[name=name]").fill(name)
    await page.locator("[name=password]").fill(shop.demo.password)
    await page.locator("form button").click()
    await page.wait_for_url(lambda url: "/login" not in url)
    return page


async def _barriers(page: Page, where: str) -> list[str]:
    await page.evaluate(AXE + "\n;0")
    found = await page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    serious = [one for one in found["violations"] if one["impact"] in ("serious", "critical")]
    wide = await page.evaluate("(() => { return document.documentElement.scrollWidth - innerWidth })()")
    return [
        *(f"{where}: {one['id']}: {[node['target'] for node in one['nodes']][:3]}" for one in serious),
        *([f"{where}: {wide} pixels too wide"] if wide > 0 else []),
    ]
