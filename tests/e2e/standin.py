"""A second, smaller stand-in for Meta, made for driving `recado serve` from outside: own webhook posts, own Graph API."""

import asyncio
import base64
import hashlib
import hmac
import io
import itertools
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

import aiohttp
from aiohttp import web

SECRET, TOKEN, VERIFY, ACCOUNT = "test_app_secret", "test-token", "test-verify", "106540352242922"


@dataclass
class Standin:
    """Answers sends, and posts signed webhooks of invented people."""

    webhook: str = ""
    sent: list[dict[str, Any]] = field(default_factory=list)
    posted: list[bytes] = field(default_factory=list)
    answer: Callable[[dict[str, Any]], web.Response | None] = lambda _: None
    port: int = 0
    _ids: Any = field(default_factory=lambda: itertools.count(1))

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.add_routes([web.post("/{version}/{account}/messages", self._messages)])
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = self._runner.addresses[0][1]
        self.session = aiohttp.ClientSession()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.session.close()
        await self._runner.cleanup()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def _messages(self, request: web.Request) -> web.Response:
        body = await request.json()
        assert request.headers["Authorization"] == f"Bearer {TOKEN}"
        if body.get("status") == "read":
            return web.json_response({"success": True})
        special = self.answer(body)
        if special is not None:
            return special
        self.sent.append(body)
        wamid = self.wamid(body.get("to") or body.get("recipient") or "")
        return web.json_response({"messaging_product": "whatsapp", "contacts": [{}], "messages": [{"id": wamid}]})

    def wamid(self, who: str) -> str:
        """As Meta makes them: base64 that holds the number."""
        raw = f"\x1c\x0b{who.lstrip('+')}\x15\x02\x00\x11\x18{next(self._ids):08X}".encode("latin-1")
        return "wamid." + base64.b64encode(raw).decode()

    def message(
        self,
        person: "Someone",
        content: dict[str, Any],
        *,
        wamid: str = "",
        at: float | None = None,
        reply_to: str = "",
    ) -> dict[str, Any]:
        message = {"id": wamid or self.wamid(person.phone), "timestamp": str(int(at or time.time())), **content}
        if person.phone:
            message["from"] = person.phone.lstrip("+")
        if person.bsuid:
            message["from_user_id"] = person.bsuid
        if reply_to:
            message["context"] = {"from": "15550100100", "id": reply_to}
        return message

    def envelope(self, person: "Someone", messages: list[dict[str, Any]]) -> bytes:
        contact: dict[str, Any] = {"profile": {"name": person.name}}
        if person.phone:
            contact["wa_id"] = person.phone.lstrip("+")
        if person.bsuid:
            contact["user_id"] = person.bsuid
        value = {
            "messaging_product": "whatsapp",
            "metadata": {"display_phone_number": "15550100100", "phone_number_id": ACCOUNT},
            "contacts": [contact],
            "messages": messages,
        }
        body = {
            "object": "whatsapp_business_account",
            "entry": [{"id": "1", "changes": [{"field": "messages", "value": value}]}],
        }
        return json.dumps(body).encode()

    async def post(self, body: bytes, signature: str | None = "", *, keep: bool = True, to: str = "") -> int:
        """Posts raw bytes; an empty signature means a right one, None means none."""
        headers = {"Content-Type": "application/json"}
        if signature == "":
            signature = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        if signature is not None:
            headers["X-Hub-Signature-256"] = signature
        if keep:
            self.posted.append(body)
        async with self.session.post(to or self.webhook, data=io.BytesIO(body), headers=headers) as response:
            return response.status

    async def say(self, person: "Someone", text: str, **extra: Any) -> int:
        return await self.post(
            self.envelope(person, [self.message(person, {"type": "text", "text": {"body": text}}, **extra)])
        )

    async def tap(self, person: "Someone", title: str) -> int:
        """Taps the newest option with that title."""
        for body in reversed(self.to(person)):
            for option_id, name in options(body):
                if name == title:
                    kind = "list_reply" if body["interactive"]["type"] == "list" else "button_reply"
                    content = {
                        "type": "interactive",
                        "interactive": {"type": kind, kind: {"id": option_id, "title": name}},
                    }
                    return await self.post(
                        self.envelope(person, [self.message(person, content, reply_to=self.wamid(person.phone))])
                    )
        raise AssertionError(f"nothing to tap called {title!r}: {[texts(one) for one in self.to(person)[-3:]]}")

    def to(self, person: "Someone") -> list[dict[str, Any]]:
        return [
            body
            for body in self.sent
            if (person.phone and body.get("to") == person.phone)
            or (person.bsuid and body.get("recipient") == person.bsuid)
        ]

    async def until(self, person: "Someone", count: int, within: float = 20.0) -> list[dict[str, Any]]:
        """Waits until the person got that many messages in all."""
        deadline = asyncio.get_running_loop().time() + within
        while len(self.to(person)) < count:
            if asyncio.get_running_loop().time() > deadline:
                raise AssertionError(
                    f"{len(self.to(person))} of {count} messages came: {[texts(one) for one in self.to(person)]}"
                )
            await asyncio.sleep(0.02)
        return self.to(person)

    async def hears(self, person: "Someone", words: str, within: float = 20.0) -> dict[str, Any]:
        """Waits for a message with these words."""
        deadline = asyncio.get_running_loop().time() + within
        while True:
            for body in self.to(person):
                if words in texts(body):
                    return body
            if asyncio.get_running_loop().time() > deadline:
                raise AssertionError(f"{words!r} did not come; there was {[texts(one) for one in self.to(person)]}")
            await asyncio.sleep(0.02)


@dataclass(frozen=True)
class Someone:
    """An invented person; numbers of the range reserved for fiction."""

    name: str
    phone: str = ""
    bsuid: str = ""


def texts(body: dict[str, Any]) -> str:
    if body["type"] == "text":
        return str(body["text"]["body"])
    if body["type"] == "interactive":
        return str(body["interactive"]["body"]["text"])
    return json.dumps(body.get("template", body))


def options(body: dict[str, Any]) -> list[tuple[str, str]]:
    if body["type"] != "interactive":
        return []
    action = body["interactive"]["action"]
    rows = [button["reply"] for button in action.get("buttons", [])]
    rows += [row for section in action.get("sections", []) for row in section["rows"]]
    return [(row["id"], row["title"]) for row in rows]
