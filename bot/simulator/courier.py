"""Carries webhooks to the bot as Meta does: signed over the raw bytes, concurrently, again and again until a 200 comes.

It can be told to misbehave as Meta may: hold back, shuffle, batch, repeat, delay. What is in a webhook is decided elsewhere.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from random import Random

import aiohttp

from bot.simulator.envelope import Change, envelope, merged, signature
from bot.simulator.errors import SimulatorError
from bot.simulator.settings import SimulatorSettings

SHAPES = ("messages", "changes", "entries")
LARGEST_BATCH = 1000


@dataclass(frozen=True, slots=True)
class Attempt:
    """One POST: the HTTP status, or the kind of failure where there was none. `seconds` it took."""

    status: int | None
    failure: str
    seconds: float


@dataclass(slots=True)
class Webhook:
    """One POST body and everything that became of it. `state`: waiting, delivered, dropped."""

    number: int
    body: bytes = field(repr=False)
    field_names: tuple[str, ...]
    message_ids: tuple[str, ...] = field(repr=False)
    state: str = "waiting"
    attempts: list[Attempt] = field(default_factory=list)
    tried: asyncio.Event = field(default_factory=asyncio.Event, repr=False)

    def to_json(self) -> dict[str, object]:
        """For the control API."""
        attempts = [{"status": a.status, "failure": a.failure, "seconds": round(a.seconds, 3)} for a in self.attempts]
        return {
            "number": self.number,
            "state": self.state,
            "fields": list(self.field_names),
            "message_ids": list(self.message_ids),
            "attempts": attempts,
            "body": self.body.decode("utf-8", "replace"),
        }


@dataclass(frozen=True, slots=True)
class Manner:
    """How webhooks go out: each `duplicate` times more, the first try after `delay` seconds; `hold`: not until released."""

    duplicate: int = 0
    delay: float = 0.0
    hold: bool = False


class Courier:
    """Sends webhooks and remembers them. `delivered` hooks are called with each webhook that got its 200."""

    def __init__(self, settings: SimulatorSettings, random: Random) -> None:
        self.settings = settings
        self.url = settings.webhook_url
        self.manner = Manner()
        self.sent: list[Webhook] = []
        self._carrying: dict[str, Webhook] = {}
        self.held: list[Change] = []
        self._random = random
        self._session: aiohttp.ClientSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.on_delivered: list[Callable[[Webhook], None]] = []

    async def open(self) -> None:
        """Gets ready to send."""
        connector = aiohttp.TCPConnector(limit=200)
        self._session = aiohttp.ClientSession(
            connector=connector, timeout=aiohttp.ClientTimeout(total=self.settings.webhook_timeout)
        )

    async def close(self) -> None:
        """Gives up everything under way."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def send(self, change: Change) -> None:
        """Takes a change: held back while asked to, else on its way at once."""
        if self.manner.hold:
            self.held.append(change)
        else:
            self.dispatch([[change]])

    def dispatch(self, entries: Sequence[Sequence[Change]]) -> Webhook:
        """One POST with these changes, on its way in the background."""
        changes = [change for entry in entries for change in entry]
        ids = tuple(one for change in changes for one in _ids(change))
        webhook = self._record(envelope(self.settings.waba_id, entries), tuple(c.field for c in changes), ids)
        self._start(self._deliver(webhook, self.manner.delay))
        for _ in range(self.manner.duplicate):
            self._start(self._repeat(webhook, self.manner.delay))
        return webhook

    def release(
        self, *, shuffle: bool = False, batch: int = 1, shape: str = "messages", duplicate: int = 0
    ) -> list[Webhook]:
        """Sends what was held, in another order and several in one POST if asked; ends the holding."""
        if shape not in SHAPES or not 1 <= batch <= LARGEST_BATCH:
            raise SimulatorError(f"shape must be one of {', '.join(SHAPES)}, batch from 1 to {LARGEST_BATCH}")
        changes, self.held = self.held, []
        usual = Manner(self.manner.duplicate, self.manner.delay)
        self.manner = Manner(duplicate, usual.delay)
        if shuffle:
            self._random.shuffle(changes)
        groups = [changes[place : place + batch] for place in range(0, len(changes), batch)]
        sent = [self.dispatch(_shaped(group, shape)) for group in groups]
        self.manner = usual
        return sent

    async def again(self, webhooks: Sequence[Webhook]) -> list[Attempt]:
        """Posts webhooks once more, byte for byte, one after the other."""
        return [await self._attempt(webhook, webhook.body, None) for webhook in list(webhooks)]

    async def post(self, body: bytes, signed: str | None = None) -> Attempt:
        """Posts any bytes once, with the right signature or the given one ("" for none); no redelivery."""
        webhook = self._record(body, (), ())
        attempt = await self._attempt(webhook, body, signed)
        webhook.state = "delivered" if attempt.status == 200 else "dropped"
        return attempt

    async def handshake(self, challenge: str) -> tuple[int, str]:
        """The verification GET; answers with status and body (Meta: webhooks/create-webhook-endpoint)."""
        query = {"hub.mode": "subscribe", "hub.challenge": challenge, "hub.verify_token": self.settings.verify_token}
        async with self._open_session().get(self._target(), params=query) as answer:
            return answer.status, (await answer.text())[:4096]

    def carrying(self, message_id: str) -> Webhook | None:
        """The webhook that carries this message of a person; None while it is held back."""
        return self._carrying.get(message_id)

    @property
    def busy(self) -> bool:
        """Whether a delivery or a redelivery is under way."""
        return bool(self._tasks)

    async def settled(self) -> None:
        """Returns when no delivery is under way or waiting for its next try."""
        while self._tasks:
            await asyncio.wait(tuple(self._tasks))

    def _record(self, body: bytes, fields: tuple[str, ...], ids: tuple[str, ...]) -> Webhook:
        webhook = Webhook(len(self.sent) + 1, body, fields, ids)
        self.sent.append(webhook)
        self._carrying.update(dict.fromkeys(ids, webhook))
        return webhook

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _repeat(self, webhook: Webhook, delay: float) -> None:
        await asyncio.sleep(delay)
        if self.url is not None:
            await self._attempt(webhook, webhook.body, None)

    async def _deliver(self, webhook: Webhook, delay: float) -> None:
        await asyncio.sleep(delay)
        for wait in (0.0, *self.settings.retry_delays):
            await asyncio.sleep(wait)
            if self.url is None:
                break
            attempt = await self._attempt(webhook, webhook.body, None)
            if attempt.status == 200:
                webhook.state = "delivered"
                for tell in self.on_delivered:
                    tell(webhook)
                return
        webhook.state = "dropped"
        webhook.tried.set()

    async def _attempt(self, webhook: Webhook, body: bytes, signed: str | None) -> Attempt:
        headers = {"Content-Type": "application/json", "User-Agent": "facebookexternalua"}
        mark = signature(self.settings.app_secret, body) if signed is None else signed
        if mark:
            headers["X-Hub-Signature-256"] = mark
        began = time.monotonic()
        try:
            async with self._open_session().post(self._target(), data=body, headers=headers) as answer:
                await answer.read()
                attempt = Attempt(answer.status, "", time.monotonic() - began)
        except TimeoutError:
            attempt = Attempt(None, "timeout", time.monotonic() - began)
        except aiohttp.ClientError as error:
            attempt = Attempt(None, type(error).__name__, time.monotonic() - began)
        webhook.attempts.append(attempt)
        webhook.tried.set()
        return attempt

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise SimulatorError("the simulator is not running")
        return self._session

    def _target(self) -> str:
        if self.url is None:
            raise SimulatorError("no webhook URL is set: give --webhook, or POST /control/webhook")
        return self.url


def _shaped(group: Sequence[Change], shape: str) -> list[list[Change]]:
    if shape == "entries":
        return [[change] for change in group]
    return [merged(group) if shape == "messages" else list(group)]


def _ids(change: Change) -> list[str]:
    messages = change.value.get("messages")
    return (
        [str(one["id"]) for one in messages if isinstance(one, dict) and "id" in one]
        if isinstance(messages, list)
        else []
    )
