"""Posting webhooks to the bot: signed, repeated on failure, held back or shuffled when a test says so.

The same event is always the same bytes, as with Meta: a retry or a duplicate can be recognised by nothing but its message id.
"""

import asyncio
import secrets
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, Literal

import aiohttp

from bot.simulator.envelope import Account, Change, envelope, sign
from bot.simulator.settings import SimulatorSettings
from bot.simulator.signal import Signal

Order = Literal["as made", "reversed", "shuffled"]


@dataclass(slots=True, eq=False)
class Webhook:
    """One POST and what came back: a status per attempt, None where there was no answer at all."""

    raw: bytes
    signature: str
    message_ids: tuple[str, ...]
    responses: list[int | None] = field(default_factory=list)
    given_up: bool = False

    @property
    def delivered(self) -> bool:
        """Whether an attempt was answered with 200, the only answer Meta takes for success."""
        return 200 in self.responses


@dataclass(frozen=True, slots=True)
class Handshake:
    """How the bot answered the verification: true only for 200 with exactly the challenge."""

    status: int | None
    echoed: bool
    content_type: str

    def __bool__(self) -> bool:
        return self.status == 200 and self.echoed


class Courier:
    """Meta's side of webhook delivery. Open for the life of a simulator."""

    def __init__(self, settings: SimulatorSettings, account: Account, signal: Signal) -> None:
        self.url = settings.webhook_url
        self.webhooks: list[Webhook] = []
        self._settings = settings
        self._account = account
        self._signal = signal
        self._held: list[Webhook] | None = None
        self._hurry = Signal()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Open the connection pool; redirects are never followed."""
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=self._settings.webhook_timeout),
            connector=aiohttp.TCPConnector(limit=200),
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def stop(self) -> None:
        """Give up what is under way and close."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run something in the background until it ends or the simulator stops."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def deliver(self, changes: list[Change]) -> Webhook:
        """Post these changes as one webhook; returns after the first attempt, later ones go on in the background."""
        raw = envelope(self._account, changes)
        ids = tuple(change.message_id for change in changes if change.message_id)
        webhook = Webhook(raw, sign(self._settings.app_secret, raw), ids)
        self.webhooks.append(webhook)
        if self._held is not None:
            self._held.append(webhook)
        else:
            await self._first_attempt(webhook)
        return webhook

    def hold(self) -> None:
        """From now on webhooks are made but kept back."""
        if self._held is None:
            self._held = []

    async def release(self, order: Order) -> None:
        """Post what was kept back, one after the other in this order."""
        held, self._held = self._held or [], None
        if order == "reversed":
            held.reverse()
        elif order == "shuffled":
            secrets.SystemRandom().shuffle(held)
        for webhook in held:
            await self._first_attempt(webhook)

    async def again(self, webhook: Webhook) -> int | None:
        """Post the same bytes once more; the status, or None without an answer."""
        status = await self.post(webhook.raw, webhook.signature)
        webhook.responses.append(status)
        self._signal.notify()
        return status

    def retry_now(self) -> None:
        """Every retry that waits for its time is made at once."""
        self._hurry.notify()

    async def post(self, raw: bytes, signature: str | None) -> int | None:
        """POST these bytes with this signature header, without one for None; the status, None on timeout or a broken connection."""
        if self._session is None:
            raise RuntimeError("the simulator is not running: use it as an async context manager")
        if self.url is None:
            return None
        headers = {"Content-Type": "application/json", "User-Agent": "facebookexternalua"}
        if signature is not None:
            headers["X-Hub-Signature-256"] = signature
        try:
            async with self._session.post(self.url, data=raw, headers=headers, allow_redirects=False) as answer:
                await answer.read()
                return answer.status
        except (aiohttp.ClientError, TimeoutError, OSError):
            return None

    async def handshake(self, token: str) -> Handshake:
        """Meta's verification request (Meta: create a webhook endpoint)."""
        if self._session is None or self.url is None:
            raise RuntimeError("there is no webhook address to verify")
        challenge = str(secrets.randbelow(10**10))
        query = {"hub.mode": "subscribe", "hub.challenge": challenge, "hub.verify_token": token}
        try:
            async with self._session.get(self.url, params=query, allow_redirects=False) as answer:
                body = await answer.text(errors="replace")
                return Handshake(answer.status, body == challenge, answer.content_type)
        except (aiohttp.ClientError, TimeoutError, OSError):
            return Handshake(None, echoed=False, content_type="")

    async def _first_attempt(self, webhook: Webhook) -> None:
        if await self.again(webhook) != 200:
            self.spawn(self._retry(webhook))

    async def _retry(self, webhook: Webhook) -> None:
        for delay in self._settings.retry_delays:
            await self._hurry.after(self._hurry.version, delay)
            if webhook.delivered or await self.again(webhook) == 200:
                return
        webhook.given_up = True
        self._signal.notify()
