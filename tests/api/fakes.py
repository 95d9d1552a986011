"""An API whose operations only note that they were called; the door before them is the real one."""

# ruff: noqa: ARG002 - the operations note that they were called, not with what

import asyncio
import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bot.api import bodies
from bot.api.endpoints import BASE, ENDPOINTS, Endpoint
from bot.api.routes import Door, api_routes
from bot.domain.errors import RetryLater
from bot.privacy.access import SCOPES, ApiKey, token_of

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
REF, REQUEST = "a" * 32, "b" * 32
NUMBER, WORDS = "+15550100188", "Anabela wants the loaf with the burnt crust"

REQUEST_SHOWN = bodies.Request(
    request=REQUEST, kind="access", state="received", law="gdpr", subject=REF, received_at=NOW, due_at=NOW, overdue=False,
    closed_at=None,
)  # fmt: skip

GOOD: Mapping[str, dict[str, Any]] = {
    "/subjects/lookup": {"address": NUMBER},
    "/opt-ins": {
        "number": NUMBER, "purposes": ["newsletter"], "language": "en", "wording": "Yes, send me the newsletter on WhatsApp.",
        "label": "Yes, please", "page": "https://shop.example/news",
    },
    "/withdrawals": {"address": NUMBER, "scope": "newsletter"},
    "/messages": {"subject": REF, "purpose": "newsletter", "template": "monthly_news", "values": [WORDS]},
    "/flows": {"subject": REF, "flow": "newsletter"},
    "/requests": {"address": NUMBER, "kind": "access"},
    "/requests/{request}/moves": {"step": "answer"},
    "/rights/export": {"subject": REF},
    "/rights/erase": {"address": NUMBER},
    "/rights/restrict": {"address": NUMBER},
    "/rights/lift": {"address": NUMBER},
    "/rights/object": {"address": NUMBER, "scope": "marketing"},
    "/rights/rectify": {"address": NUMBER, "language": "pt"},
}  # fmt: skip
"""A body that each POST takes."""


class Standing:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.time = NOW

    def now(self) -> datetime:
        return self.time


class Noted:
    """The operations: each notes its name and answers; `fails` is raised instead, `slow` is waited for."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.fails: Exception | None = None
        self.slow = 0.0

    async def _did(self, name: str) -> None:
        self.calls.append(name)
        if self.slow:
            await asyncio.sleep(self.slow)
        if self.fails is not None:
            raise self.fails

    async def reference(self, who: bodies.Who) -> str:
        await self._did("reference")
        return REF

    async def consents(self, subject: str) -> bodies.Consents:
        await self._did("consents")
        return bodies.Consents(subject=subject, purposes=[], stopped=[], restricted=False)

    async def opt_in(self, asked: bodies.OptIn, once: str) -> None:
        await self._did("opt_in")

    async def withdraw(self, asked: bodies.Withdrawal, once: str) -> None:
        await self._did("withdraw")

    async def send(self, asked: bodies.Message, once: str) -> bodies.Queued:
        await self._did("send")
        return bodies.Queued(message=f"{REF}-{len(self.calls):032}")

    async def message(self, message: str) -> bodies.MessageStatus:
        await self._did("message")
        return bodies.MessageStatus(message=message, status="sent")

    async def start_flow(self, asked: bodies.FlowStart, once: str) -> None:
        await self._did("start_flow")

    async def requests(self, state: str) -> Sequence[bodies.Request]:
        await self._did("requests")
        return [REQUEST_SHOWN]

    async def request(self, request: str) -> bodies.Request:
        await self._did("request")
        return REQUEST_SHOWN

    async def open_request(self, asked: bodies.NewRequest, once: str) -> bodies.Opened:
        await self._did("open_request")
        return bodies.Opened(request=REQUEST)

    async def move(self, request: str, asked: bodies.Move) -> bodies.Request:
        await self._did("move")
        return REQUEST_SHOWN

    async def exercise(self, right: str, asked: bodies.Right, once: str) -> bodies.Opened:
        await self._did(f"exercise {right}")
        return bodies.Opened(request=REQUEST)

    async def export(self, asked: bodies.Right, once: str) -> bytes:
        await self._did("export")
        return b"PK"


@dataclass
class Held:
    state: str
    token: str = ""
    status: int = 0
    answer: Mapping[str, Any] = field(default_factory=dict)


class InMemory:
    """Keys, answers, log, hashes and pace, as the storage keeps them."""

    def __init__(self) -> None:
        self.keys: dict[str, ApiKey] = {}
        self.rows: dict[str, dict[str, Any]] = {}
        self.noted: list[dict[str, Any]] = []
        self.days: list[date] = []
        self.left = 10**9
        self.log_fails = False
        self._secret = b"k" * 32

    # keys

    def key(self, *scopes: str, key_id: str = "00000001", **more: Any) -> str:
        token = token_of(key_id, b"s" * 32)
        secret = token.rpartition("_")[2]
        self.keys[key_id] = ApiKey(key_id, "shop", scopes, self.api_key_hash(key_id, secret), NOW, **more)
        return token

    async def find(self, key_id: str) -> ApiKey | None:
        return self.keys.get(key_id)

    async def any_live(self, now: datetime) -> bool:
        return any(one.is_live(now) for one in self.keys.values())

    async def used(self, key_id: str, day: date) -> None:
        self.days.append(day)

    # hashes

    def api_key_hash(self, key_id: str, secret: str) -> str:
        return hashlib.sha256(f"{key_id}{secret}".encode()).hexdigest()

    def api_id(self, *parts: str) -> str:
        return hashlib.sha256("|".join(parts).encode()).hexdigest()

    # answers

    async def claim(self, key: str, body: str, now: datetime) -> Held:
        row = self.rows.get(key)
        if row is None:
            self.rows[key] = {"body": body, "state": "working"}
            return Held("mine", "t")
        if row["body"] != body:
            return Held("other")
        return Held("done", "", row["status"], row["answer"]) if row["state"] == "done" else Held("working")

    async def keep(self, key: str, token: str, status: int, answer: Mapping[str, Any]) -> None:
        self.rows[key] |= {"state": "done", "status": status, "answer": answer}

    async def drop(self, key: str, token: str) -> None:
        del self.rows[key]

    # log and pace

    async def note(self, **row: Any) -> None:
        if self.log_fails:
            raise RetryLater("the database cannot be reached")
        self.noted.append(row)

    async def within(self, key_id: str) -> bool:
        self.left -= 1
        return self.left >= 0


@dataclass
class Api:
    """A served API with what its fakes noted."""

    client: TestClient[web.Request, web.Application]
    do: Noted
    memory: InMemory
    clock: Standing

    async def call(
        self, endpoint: Endpoint, *scopes: str, body: Any = None, **headers: str
    ) -> tuple[int, dict[str, Any]]:
        """Calls an endpoint as a well-behaved system with a key of these scopes would; headers may be set or, empty, left out."""
        token = self.memory.key(*(scopes or SCOPES))
        path = BASE + endpoint.path.format(subject=REF, request=REQUEST, message=f"{REF}-{REQUEST}")
        sent = {"Authorization": f"Bearer {token}", "X-Purpose": "answering a letter"}
        if endpoint.method == "POST":
            sent["Idempotency-Key"] = f"call-{len(self.memory.rows):08}"
        sent = {name: value for name, value in {**sent, **headers}.items() if value}
        content = (GOOD[endpoint.path] if body is None else body) if endpoint.method == "POST" else None
        async with self.client.request(endpoint.method, path, json=content, headers=sent) as answer:
            raw = await answer.read()
            return answer.status, await answer.json(content_type=None) if raw[:1] in b"{[" else {"bytes": raw}


def endpoint(name: str) -> Endpoint:
    return next(one for one in ENDPOINTS if one.name == name)


@asynccontextmanager
async def served() -> AsyncIterator[Api]:
    memory, do, clock = InMemory(), Noted(), Standing()
    application = web.Application()
    application.add_routes(api_routes(Door(do, memory, memory, memory, memory, memory, clock)))
    async with TestClient(TestServer(application)) as client:
        yield Api(client, do, memory, clock)


A_DAY = timedelta(days=1)
