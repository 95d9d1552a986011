"""A small bot on the other side of the stand-in: verifies what it gets, answers as it is told, remembers everything."""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

from bot.simulator import Simulator

Json = dict[str, Any]


@dataclass
class EchoBot:
    """Answers a text with "echo: …" while `echoes`; webhooks are answered with the next of `answers`, then `status`."""

    sim: Simulator
    http: aiohttp.ClientSession
    status: int = 200
    answers: list[int] = field(default_factory=list)
    echoes: bool = True
    posts: list[bytes] = field(default_factory=list)
    forged: int = 0
    seen: set[str] = field(default_factory=set)
    port: int = 0

    @property
    def values(self) -> list[Json]:
        return [
            change["value"] for raw in self.posts for entry in json.loads(raw)["entry"] for change in entry["changes"]
        ]

    @property
    def messages(self) -> list[Json]:
        return [message for value in self.values for message in value.get("messages", [])]

    @property
    def statuses(self) -> list[Json]:
        return [status for value in self.values for status in value.get("statuses", [])]

    async def call(self, method: str, path: str, **how: Any) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.sim.settings.access_token}"} | how.pop("headers", {})
        async with self.http.request(method, f"{self.sim.url}/{path}", headers=headers, **how) as answer:
            raw = await answer.read()
            return answer.status, json.loads(raw) if raw and answer.content_type == "application/json" else raw

    async def graph(self, body: Json, **how: Any) -> tuple[int, Any]:
        whole = {"messaging_product": "whatsapp"} | body
        return await self.call("POST", f"v26.0/{self.sim.settings.phone_number_id}/messages", json=whole, **how)

    async def text(self, to: str, text: str, **more: Any) -> tuple[int, Any]:
        return await self.graph({**address(to), "type": "text", "text": {"body": text}, **more})

    async def hear(self, request: web.Request) -> web.Response:
        if request.method == "GET":
            right = request.query.get("hub.verify_token") == self.sim.settings.verify_token
            return web.Response(text=request.query["hub.challenge"]) if right else web.Response(status=403)
        raw = await request.read()
        mark = "sha256=" + hmac.new(self.sim.settings.app_secret.encode(), raw, hashlib.sha256).hexdigest()
        if request.headers.get("X-Hub-Signature-256") != mark:
            self.forged += 1
            return web.Response(status=401)
        self.posts.append(raw)
        status = self.answers.pop(0) if self.answers else self.status
        if status != 200:
            return web.Response(status=status)
        for change in json.loads(raw)["entry"][0]["changes"]:
            for message in change["value"].get("messages", []):
                await self.answer(message)
        return web.Response()

    async def answer(self, message: Json) -> None:
        if message["id"] in self.seen or not self.echoes:
            return
        self.seen.add(message["id"])
        who = "+" + message["from"] if "from" in message else message.get("from_user_id", "")
        if message["type"] == "text":
            await self.text(
                who, "echo: " + message["text"]["body"], biz_opaque_callback_data="cb-" + str(len(self.seen))
            )


def address(to: str) -> Json:
    return {"to": to} if to.startswith("+") else {"recipient": to}


@asynccontextmanager
async def echo_bot(sim: Simulator) -> AsyncIterator[EchoBot]:
    async with aiohttp.ClientSession() as http:
        bot = EchoBot(sim, http)
        app = web.Application()
        app.add_routes([web.get("/hook", bot.hear), web.post("/hook", bot.hear)])
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        bot.port = runner.addresses[0][1]
        sim.webhook_url = f"http://127.0.0.1:{bot.port}/hook"
        try:
            yield bot
        finally:
            await runner.cleanup()
