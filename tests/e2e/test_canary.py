"""Nothing leaks: an unlucky day at DEBUG with one customer's number, name, words and message ids as canaries (GDPR art. 5(1)(f), 32).

They must stand in no line of stdout or stderr, no metric, no address that the bot calls, no answer to a stranger, no operator's command,
and nothing that another person is told about their own data; in none of the forms a secret may hide in.
"""

import asyncio
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest
from aiohttp import web

from bot.app.demo_orders import order_routes
from tests.e2e import traces
from tests.e2e.served import Served, environment, shop_project
from tests.e2e.standin import Someone, Standin, texts
from tests.e2e.test_life import queued_newsletter
from tests.e2e.typed import recado

CANARY = Someone("Zuleika Canário-Núñez", "+15550100177", "US.77665544332211009988")
OTHER = Someone("Otto Other", "+15550100188", "GB.11223344556677889900")
WORDS = ("my aunt keeps kingfishers", "CL70717", "4550-977", "zuleika.canario@private.example", "kingfisher-blue lamps")


def forms(secret: str) -> set[bytes]:
    """Every spelling in which a secret may slip out."""
    inner = json.dumps(secret)[1:-1]
    return set(traces.spellings(secret)) | {quote(secret).encode(), quote(secret, safe="").encode(), inner.encode()}


def leaks(where: bytes, secrets: list[str]) -> list[str]:
    lower = where.lower()
    return [
        secret
        for secret in secrets
        if any(form in where or form.lower() in lower for form in forms(secret) if len(form) > 4)
    ]


WAITED_FOR = ("automated assistant", "sends you no more", "What would you like?")
"""What the story cannot go on without."""


class Unlucky(Standin):
    """Meta on a bad day: it refuses some sends with words that quote the recipient, as it does; and it notes what it was asked."""

    asked: list[str]
    day = 0

    async def _messages(self, request: web.Request) -> web.Response:
        self.asked = [*getattr(self, "asked", []), str(request.rel_url)]
        self.day += 1
        body = await request.json()
        if self.day % 9 == 4 and "type" in body and not any(one in texts(body) for one in WAITED_FOR):
            said = {
                "message": f"(#131026) Message undeliverable to {body.get('to')}",
                "code": 131026,
                "error_data": {"details": texts(body)},
            }
            return web.json_response({"error": said}, status=400)
        return await super()._messages(request)


@pytest.mark.timeout(180)
async def test_no_canary_gets_out(mongo_uri: str, database_name: str, tmp_path: Path) -> None:
    orders, asked = await _orders()
    project = shop_project(tmp_path / "shop", orders.addresses[0][1])
    async with Unlucky() as meta:
        settings = environment(mongo_uri, database_name, meta.url, tmp_path / "keys", project)
        async with Served(settings, tmp_path / "serve.log") as served:
            meta.webhook = served.webhook
            await _a_day(meta, settings)
            await _attacks(meta)
            told = await _other_day(meta)
            metrics = await _get(f"http://127.0.0.1:{served.admin}/metrics")
            ready = await _get(f"http://127.0.0.1:{served.admin}/readyz")
        commands = [
            await recado(settings, *line.split())
            for line in (
                "doctor",
                "flows check",
                "send --purpose newsletter --template monthly_news --to +15550100199 --with x",
            )
        ]
    await orders.cleanup()
    secrets = _secrets(meta)
    assert len(secrets) > 20
    log = (tmp_path / "serve.log").read_bytes()
    assert log.count(b"\n") > 20, "at DEBUG there is something to look at"
    assert leaks(log, secrets) == []
    assert leaks(metrics + ready, secrets) == []
    assert leaks("\n".join([*meta.asked, *asked]).encode(), secrets) == []
    assert leaks("\n".join(done.stdout + done.stderr for done in commands).encode(), secrets) == []
    assert leaks(told.encode(), secrets) == []
    # The search finds what is there: Meta was told whom to send to.
    assert CANARY.bsuid in leaks(json.dumps(meta.sent, ensure_ascii=False).encode(), secrets)


def _secrets(meta: Standin) -> list[str]:
    posted = [body for body in meta.posted if CANARY.phone[1:].encode() in body]
    wamids = {
        one.split('"')[0] for body in posted for one in body.decode().split('"id": "')[1:] if one.startswith("wamid")
    }
    return [CANARY.phone, CANARY.phone[1:], CANARY.bsuid, *CANARY.name.split(), *WORDS, *wamids]


async def _a_day(meta: Standin, settings: dict[str, str]) -> None:
    """Everything that a person does in a day, and much that goes wrong."""
    who = CANARY
    await meta.say(who, WORDS[0])
    await meta.hears(who, "automated assistant of Casa Lua")
    for words in (
        "news",
        "Yes, please",
        "Confirm",
        "where is my order",
        WORDS[1],
        WORDS[2],
        WORDS[3],
        "correct my data: " + WORDS[3],
    ):
        await meta.say(who, words)
        await asyncio.sleep(0.3)
    await queued_newsletter(settings, who)
    await meta.say(who, "my data")
    await asyncio.sleep(0.5)
    for content in _odd():
        await meta.post(meta.envelope(who, [meta.message(who, content)]))
    await meta.say(who, f"complaint: {WORDS[0]}")
    await meta.say(who, f"stop writing to {WORDS[3]}")
    await asyncio.sleep(1)
    for status in ("sent", "delivered", "read", "failed"):
        await meta.post(_status(meta, status))
    await meta.say(who, "STOP")
    await meta.hears(who, "sends you no more messages")


def _odd() -> list[dict[str, Any]]:
    name = CANARY.name
    return [
        {"type": "location", "location": {"latitude": 38.7, "longitude": -9.1, "name": WORDS[0], "address": WORDS[3]}},
        {"type": "contacts", "contacts": [{"name": {"formatted_name": name}, "phones": [{"phone": CANARY.phone}]}]},
        {"type": "image", "image": {"id": "123456", "mime_type": "image/jpeg", "sha256": "x", "caption": WORDS[0]}},
        {"type": "document", "document": {"id": "123457", "filename": f"{name}.pdf", "mime_type": "application/pdf"}},
        {"type": "unsupported", "errors": [{"code": 131051, "title": name, "message": WORDS[0]}]},
        {"type": "hologram", "hologram": {"body": WORDS[0]}},
        {"type": "text", "text": {"body": WORDS[0] * 3000}},
        {"type": "text", "text": {"body": f"{WORDS[0]}\u0000\u202e{name}"}},
        {"type": "text", "text": WORDS[0]},
        {
            "type": "interactive",
            "interactive": {"type": "nfm_reply", "nfm_reply": {"response_json": "{" + WORDS[0], "name": "flow"}},
        },
        {"type": "reaction", "reaction": {"message_id": meta_id(), "emoji": "👍"}},
    ]


def meta_id() -> str:
    return Standin().wamid(CANARY.phone)


def _status(meta: Standin, word: str) -> bytes:
    row: dict[str, Any] = {
        "id": meta.wamid(CANARY.phone),
        "status": word,
        "timestamp": "1790000000",
        "recipient_id": CANARY.phone[1:],
    }
    if word == "failed":
        row["errors"] = [
            {"code": 131026, "title": CANARY.name, "message": f"to {CANARY.phone}", "error_data": {"details": WORDS[0]}}
        ]
    value = {"messaging_product": "whatsapp", "metadata": {"phone_number_id": "106540352242922"}, "statuses": [row]}
    return json.dumps(
        {
            "object": "whatsapp_business_account",
            "entry": [{"id": "1", "changes": [{"field": "messages", "value": value}]}],
        }
    ).encode()


async def _attacks(meta: Standin) -> None:
    """What strangers post with the person's data in it."""
    body = meta.envelope(CANARY, [meta.message(CANARY, {"type": "text", "text": {"body": WORDS[0]}})])
    assert await meta.post(body, "sha256=" + "0" * 64) == 401
    assert await meta.post(body, None) == 401
    assert await meta.post(body[:-5]) == 400
    assert await meta.post(body, to=f"{meta.webhook}?{quote(CANARY.phone)}={quote(WORDS[0])}") in (200, 400, 404)
    async with meta.session.get(
        f"{meta.webhook}?hub.mode=subscribe&hub.verify_token={quote(CANARY.phone)}&hub.challenge=1"
    ) as answer:
        assert answer.status == 403
        assert CANARY.phone not in await answer.text()


async def _other_day(meta: Standin) -> str:
    """Another person asks for everything about themselves; all that they are told."""
    await meta.say(OTHER, "hello")
    await meta.hears(OTHER, "automated assistant of Casa Lua")
    await meta.say(OTHER, "my data")
    await meta.hears(OTHER, "What would you like?")
    await meta.tap(OTHER, "See my data")
    await asyncio.sleep(2)
    return json.dumps(meta.to(OTHER), ensure_ascii=False)


async def _get(url: str) -> bytes:
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return await answer.read()


async def _orders() -> tuple[web.AppRunner, list[str]]:
    """The shop's order system; it fails every second time with words that quote what it was asked."""
    asked: list[str] = []

    @web.middleware
    async def noting(request: web.Request, handler: Any) -> web.StreamResponse:
        asked.append(str(request.rel_url))
        if len(asked) % 2:
            raise web.HTTPInternalServerError(text=f"boom {await request.text()}")
        answer: web.StreamResponse = await handler(request)
        return answer

    application = web.Application(middlewares=[noting])
    application.add_routes(order_routes())
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner, asked
