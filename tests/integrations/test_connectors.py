"""Calls to the business's systems: declared fields only, bounded, never into our own network unasked."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from pydantic import SecretStr

from bot.domain.business import Business
from bot.domain.command import Call
from bot.domain.ids import CommandId
from bot.integrations.connectors import HttpConnectors
from tests.privacy.sample import BUSINESS_PLAIN


@dataclass
class Shop:
    """The other side; `answer` decides what it says."""

    answer: Any = None
    asked: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.json() if request.can_read_body else {}
        self.asked.append(
            {"path": request.path, "query": dict(request.query), "body": body, "headers": dict(request.headers)}
        )
        result = self.answer(len(self.asked)) if callable(self.answer) else self.answer
        return await result if asyncio.iscoroutine(result) else result


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    one = Shop()
    application = web.Application()
    application.add_routes([web.route("*", "/{rest:.*}", one.handle)])
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    one.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield one
    await runner.cleanup()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as one:
        yield one


def connectors(session: aiohttp.ClientSession, address: str, *, local: bool = True, **secrets: str) -> HttpConnectors:
    actions = {
        "find": {"method": "POST", "path": "/orders/find", "send": ["number"], "receive": ["status", "rows"]},
        "read": {
            "method": "GET",
            "path": "/orders/{number}",
            "send": ["number", "depth"],
            "receive": ["status"],
            "retries": 2,
        },
    }
    shop = {"address": address, "local": local, "secret": "crm", "actions": actions}
    business = Business.model_validate({**BUSINESS_PLAIN, "connectors": {"shop": shop}})
    return HttpConnectors(business, session, {name: SecretStr(value) for name, value in secrets.items()})


def call(action: str = "shop.find", *, retries: int = 0, seconds: float = 5, once: str = "", **arguments: Any) -> Call:
    return Call(CommandId("c" * 32), action, arguments, ("status",), timedelta(seconds=seconds), retries, once)


async def test_only_declared_fields_go_out_and_come_in(shop: Shop, session: aiohttp.ClientSession) -> None:
    shop.answer = web.json_response({"status": "sent", "customer": "Ana", "rows": [{"a": 1}, {"b": {"deep": 1}}]})
    result = await connectors(session, shop.url, crm="key").call(call(number="CL1", postcode="1100"))

    assert (result.outcome, dict(result.values)) == ("ok", {"status": "sent", "rows": [{"a": 1}, {}]})
    assert shop.asked[0]["body"] == {"number": "CL1"}
    assert shop.asked[0]["headers"]["Authorization"] == "Bearer key"
    assert shop.asked[0]["headers"]["Idempotency-Key"] == "c" * 32


async def test_a_field_in_the_path_cannot_leave_it(shop: Shop, session: aiohttp.ClientSession) -> None:
    shop.answer = web.json_response({"status": "sent"})
    await connectors(session, shop.url).call(call("shop.read", number="../admin?x=1", depth=2))

    assert shop.asked[0]["path"] == "/orders/../admin?x=1"  # one segment, escaped on the wire
    assert shop.asked[0]["query"] == {"depth": "2"}


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(404, "not_found"), (400, "refused"), (401, "refused"), (500, "failed"), (302, "failed"), (503, "failed")],
)
async def test_what_the_other_side_answers_becomes_an_outcome(
    shop: Shop, session: aiohttp.ClientSession, status: int, outcome: str
) -> None:
    shop.answer = web.Response(status=status, headers={"Location": "http://127.0.0.1:1/"})
    assert (await connectors(session, shop.url).call(call(number="1"))).outcome == outcome


@pytest.mark.parametrize("body", [b"no json", b"[1]", b'"text"', b"x" * 70_000])
async def test_a_strange_or_huge_answer_is_a_failure(shop: Shop, session: aiohttp.ClientSession, body: bytes) -> None:
    shop.answer = web.Response(body=body)
    assert (await connectors(session, shop.url).call(call(number="1"))).outcome == "failed"


async def test_a_slow_system_is_cut_off(shop: Shop, session: aiohttp.ClientSession) -> None:
    shop.answer = lambda _: asyncio.sleep(2)
    assert (await connectors(session, shop.url).call(call(number="1", seconds=0.1))).outcome == "slow"


async def test_reads_are_repeated_and_writes_without_a_key_are_not(shop: Shop, session: aiohttp.ClientSession) -> None:
    shop.answer = lambda times: web.json_response({"status": "sent"}, status=200 if times > 1 else 500)
    known = connectors(session, shop.url)

    assert (await known.call(call("shop.read", retries=2, number="1"))).outcome == "ok"
    assert len(shop.asked) == 2
    shop.asked.clear()
    shop.answer = lambda _: web.Response(status=500)
    assert (await known.call(call(retries=2, number="1"))).outcome == "failed"
    assert len(shop.asked) == 1
    assert (await known.call(call(retries=1, once="k1", number="1"))).outcome == "failed"
    assert len(shop.asked) == 3
    assert shop.asked[-1]["headers"]["Idempotency-Key"] == "k1"


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:9",
        "http://localhost:9",
        "http://[::1]:9",
        "http://10.0.0.1",
        "http://169.254.169.254",
        "http://no-such-host.invalid",
    ],
)
async def test_a_private_address_is_refused_unless_it_is_meant(session: aiohttp.ClientSession, address: str) -> None:
    assert (await connectors(session, address, local=False).call(call(number="1"))).outcome == "failed"


async def test_nobody_there_and_unknown_actions_are_failures(session: aiohttp.ClientSession) -> None:
    known = connectors(session, "http://127.0.0.1:9")

    assert (await known.call(call(number="1"))).outcome == "failed"
    assert (await known.call(call("shop.nothing"))).outcome == "failed"
    assert (await known.call(call("nobody.find"))).outcome == "failed"
