"""A customer's whole life against `recado serve`, driven from outside by webhooks of our own and an own stand-in for Meta."""

import asyncio
from pathlib import Path

import pytest
from aiohttp import web

from bot.app.demo_orders import order_routes
from tests.e2e import traces
from tests.e2e.served import Served, environment, shop_project
from tests.e2e.standin import Someone, Standin, texts
from tests.e2e.typed import recado

ANA = Someone("Anabela Exemplo", "+15550100123", "US.13491208655302741918")
BRUNO = Someone("Bruno Exemplo", "", "GB.99491208655302741999")
TYPED = ("hello there dear shop", "CL98761", "4050-012")


async def queued_newsletter(settings: dict[str, str], person: Someone) -> None:
    arguments = (
        "send",
        "--purpose",
        "newsletter",
        "--template",
        "monthly_news",
        "--to",
        person.phone or person.bsuid,
        "--with",
        "indigo bowls",
    )
    done = await recado(settings, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.timeout(180)
@pytest.mark.parametrize("person", [pytest.param(ANA, id="number and user id"), pytest.param(BRUNO, id="user id only")])
async def test_a_whole_life(person: Someone, mongo_uri: str, database_name: str, tmp_path: Path) -> None:
    """Hello, notice, news, two yes, newsletter, order, STOP in a question, no newsletter, START, deletion, receipt; then nobody."""
    databases = (database_name, f"{database_name}_vault")
    orders = web.AppRunner(_order_application())
    await orders.setup()
    await web.TCPSite(orders, "127.0.0.1", 0).start()
    project = shop_project(tmp_path / "shop", orders.addresses[0][1])
    async with Standin() as meta:
        settings = environment(mongo_uri, database_name, meta.url, tmp_path / "keys", project)
        async with Served(settings, tmp_path / "serve.log") as served:
            meta.webhook = served.webhook
            await meta.say(person, TYPED[0])
            await meta.hears(person, "automated assistant of Casa Lua")
            await meta.say(person, "news")
            await meta.hears(person, "at most four times a month")
            await meta.tap(person, "Yes, please")
            await meta.hears(person, "Please confirm once more")
            await meta.tap(person, "Confirm")
            await meta.hears(person, "you are on the list")
            await queued_newsletter(settings, person)
            await meta.hears(person, "indigo bowls")
            await meta.say(person, "where is my order")
            await meta.hears(person, "What is your order number?")
            await meta.say(person, TYPED[1])
            await meta.hears(person, "postcode")
            await meta.say(person, TYPED[2])
            await meta.hears(person, "It is on its way")
            await meta.say(person, "order status")
            await meta.hears(person, "What is your order number?")
            assert traces.strangers(mongo_uri, databases) == []
            await meta.say(person, "Stop")
            await meta.hears(person, "sends you no more messages")
            before = len(meta.to(person))
            await queued_newsletter(settings, person)
            await _refused(mongo_uri, database_name)
            assert len(meta.to(person)) == before
            await meta.say(person, "START")
            await meta.hears(person, "Welcome back")
            await queued_newsletter(settings, person)
            await _refused(mongo_uri, database_name, times=2)
            assert len([one for one in meta.to(person) if "indigo bowls" in texts(one)]) == 1
            assert traces.strangers(mongo_uri, databases) == []
            await meta.say(person, "please delete my data")
            await meta.hears(person, "cannot be brought back")
            await meta.tap(person, "Delete my data")
            await meta.hears(person, "delete everything now?")
            await meta.tap(person, "Yes, delete it")
            assert traces.strangers(mongo_uri, databases) == []
            await meta.hears(person, "has been deleted", within=60)
            await _closed(mongo_uri, database_name)
            await _nobody_is_left(meta, person, mongo_uri, databases)
            log = (tmp_path / "serve.log").read_text()
            secrets = [person.phone[1:], person.bsuid, person.name, *TYPED]
            assert [secret for secret in secrets if secret and secret in log] == []
    await orders.cleanup()


def _order_application() -> web.Application:
    application = web.Application()
    application.add_routes(order_routes())
    return application


async def _refused(uri: str, database: str, times: int = 1) -> None:
    """The gate's refusal is on record with its reason."""
    for _ in range(200):
        rows = [row for name, row in traces.documents(uri, [database]) if name == "sends" and row.get("refused")]
        if len(rows) >= times:
            assert {row["refused"] for row in rows} <= {"stopped", "no_consent"}
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the gate refused nothing")


async def _closed(uri: str, database: str) -> None:
    for _ in range(200):
        if not [1 for name, _ in traces.documents(uri, [database]) if name == "erasure_jobs"]:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the erasure job is still there")


async def _nobody_is_left(meta: Standin, person: Someone, uri: str, databases: tuple[str, ...]) -> None:
    wamids = [
        one.split('"')[0]
        for body in meta.posted
        for one in body.decode().split('"id": "')[1:]
        if one.startswith("wamid")
    ]
    secrets = [one for one in (person.phone, person.phone[1:], person.bsuid, person.name, *TYPED, *wamids) if one]
    assert traces.found(uri, databases, secrets) == []
    remaining = {name for name, _ in traces.documents(uri, databases)} - traces.ABOUT_NOBODY
    assert remaining <= set(traces.KEPT), remaining
    replies = len(meta.sent)
    for body in list(meta.posted):
        assert await meta.post(body, keep=False) == 200
    await asyncio.sleep(1)
    assert len(meta.sent) == replies
    assert {name for name, _ in traces.documents(uri, databases)} - traces.ABOUT_NOBODY == remaining
