"""What the API needs of the outside; `bot.app` fills it with what the chat and the commands use too."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Protocol

from bot.api import bodies
from bot.privacy.access import ApiKey


class Keys(Protocol):
    """The keys. Each raises `RetryLater`."""

    async def find(self, key_id: str) -> ApiKey | None: ...

    async def any_live(self, now: datetime) -> bool: ...

    async def used(self, key_id: str, day: date) -> None: ...


class Claimed(Protocol):
    """How the request of an `Idempotency-Key` stands: `mine`, `working`, `done` or `other`."""

    @property
    def state(self) -> str: ...

    @property
    def token(self) -> str: ...

    @property
    def status(self) -> int: ...

    @property
    def answer(self) -> Mapping[str, Any]: ...


class Answers(Protocol):
    """What was answered to an `Idempotency-Key`. Each raises `RetryLater`."""

    async def claim(self, key: str, body: str, now: datetime) -> Claimed: ...

    async def keep(self, key: str, token: str, status: int, answer: Mapping[str, Any]) -> None: ...

    async def drop(self, key: str, token: str) -> None: ...


class AccessLog(Protocol):
    async def note(self, *, by: str, name: str, what: str, why: str, subject: str, now: datetime) -> None: ...


class Hashes(Protocol):
    """Keyed hashes, stable over rotations."""

    def api_key_hash(self, key_id: str, secret: str) -> str: ...

    def api_id(self, *parts: str) -> str: ...


class Pace(Protocol):
    async def within(self, key_id: str) -> bool:
        """Counts one more request of a key; False when that is too many."""


class Clock(Protocol):
    def now(self) -> datetime: ...


class Operations(Protocol):
    """What the endpoints do. Each raises `Problem` for what cannot be done and `RetryLater` for what cannot be done now.

    `once` names the request: doing it twice under the same name changes nothing.
    """

    async def reference(self, who: bodies.Who) -> str:
        """The person's reference. Raises the problem `no_person`."""

    async def consents(self, subject: str) -> bodies.Consents: ...

    async def opt_in(self, asked: bodies.OptIn, once: str) -> None:
        """Takes it in, for every number alike; the confirming message passes the gate afterwards."""

    async def withdraw(self, asked: bodies.Withdrawal, once: str) -> None:
        """As a STOP; also for a number that nobody is known by."""

    async def send(self, asked: bodies.Message, once: str) -> bodies.Queued: ...

    async def message(self, message: str) -> bodies.MessageStatus: ...

    async def start_flow(self, asked: bodies.FlowStart, once: str) -> None: ...

    async def requests(self, state: str) -> Sequence[bodies.Request]: ...

    async def request(self, request: str) -> bodies.Request: ...

    async def open_request(self, asked: bodies.NewRequest, once: str) -> bodies.Opened: ...

    async def move(self, request: str, asked: bodies.Move) -> bodies.Request: ...

    async def exercise(self, right: str, asked: bodies.Right, once: str) -> bodies.Opened: ...

    async def export(self, asked: bodies.Right, once: str) -> bytes:
        """Everything that is stored about the person, as the ZIP that they would get; the register shows the request, answered."""
