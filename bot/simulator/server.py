"""The stand-in as a running server: the application, and `Simulator` for tests and the demo.

Names of a `Simulator` are what tests hold on to. It listens on 127.0.0.1 unless told otherwise and keeps all in memory.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Self

from aiohttp import web

from bot.simulator import gestures
from bot.simulator.chat import Bubble
from bot.simulator.courier import Attempt, Manner, Webhook
from bot.simulator.faults import Fault
from bot.simulator.graph_objects import GraphObjects
from bot.simulator.people import Person, key_of
from bot.simulator.phone import PhonePage
from bot.simulator.settings import Action, SimulatorSettings
from bot.simulator.stage import Stage
from bot.simulator.statuses import Mischief
from bot.simulator.templates import Template
from bot.simulator.world import Call

STAGE = web.AppKey("stage", Stage)
LARGEST_BODY = 150 * 1024 * 1024

Wanted = Callable[[Bubble], bool] | str


def create_app(
    settings: SimulatorSettings | None = None,
    *,
    actions: Sequence[Action] = (),
    clock: Callable[[], float] = time.time,
) -> web.Application:
    """The stand-in as an aiohttp application: Graph API, control API, phone page. `app[STAGE]` is what runs in it."""
    return _app(Stage(settings or SimulatorSettings(), actions=actions, clock=clock))


def _app(stage: Stage) -> web.Application:
    app = web.Application(client_max_size=LARGEST_BODY)
    app[STAGE] = stage
    app.add_routes(PhonePage(stage).routes())
    app.add_routes(GraphObjects(stage.graph).routes())

    async def live(_: web.Application) -> None:
        await stage.open()

    async def stop(_: web.Application) -> None:
        stage.stop()

    async def close(_: web.Application) -> None:
        await stage.close()

    app.on_startup.append(live)
    app.on_shutdown.append(stop)
    app.on_cleanup.append(close)
    return app


class Simulator:
    """A running stand-in for Meta, as an async context manager. Times are Unix seconds, taken from `clock`."""

    def __init__(
        self,
        settings: SimulatorSettings | None = None,
        *,
        actions: Sequence[Action] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.settings = settings or SimulatorSettings()
        self.stage = Stage(self.settings, actions=actions, clock=clock)
        self.world = self.stage.world
        self.port = 0
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        self._runner = web.AppRunner(_app(self.stage), access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, self.settings.host, self.settings.port).start()
        self.port = int(self._runner.addresses[0][1])
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    # addresses

    @property
    def url(self) -> str:
        """Where it listens, without a slash at the end: what a client takes instead of Meta's Graph host."""
        host = "127.0.0.1" if self.settings.host in {"0.0.0.0", ""} else self.settings.host  # noqa: S104
        return f"http://{host}:{self.port}"

    @property
    def phone_url(self) -> str:
        """The phone page."""
        return f"{self.url}/phone/"

    @property
    def webhook_url(self) -> str | None:
        """Where webhooks go; may be set at any time. Without one, webhooks are recorded and dropped."""
        return self.world.courier.url

    @webhook_url.setter
    def webhook_url(self, url: str | None) -> None:
        self.world.courier.url = url

    def point_at(self, webhook_url: str | None) -> None:
        """The same as setting `webhook_url`, for callers that want a call."""
        self.webhook_url = webhook_url

    async def handshake(self, challenge: str = "1158201444") -> bool:
        """Makes Meta's verification GET; true when the bot answered with 200 and the challenge."""
        status, body = await self.world.courier.handshake(challenge)
        return status == 200 and body == challenge

    # people and what they do

    def person(
        self,
        name: str = "",
        *,
        key: str | None = None,
        number: str | None = None,
        bsuid: str | None = None,
        username: str | None = None,
        number_visible: bool = True,
        language: str = "en",
        country: str = "",
    ) -> Person:
        """The person with that key where only a known `name` is given; else a new one, invented as far as left open."""
        if number is None and bsuid is None:
            if name in self.world.people:
                return self.world.people[name]
            return self.world.invent(name=name, language=language, country=country)
        key = key or key_of(name, set(self.world.people))
        return self.world.add(
            Person(key, name or key, language, country or "GB", number, bsuid, username, number_visible)
        )

    async def say(self, person: str | Person, text: str, *, reply_to: str = "") -> str:
        """The person writes; returns the message id once the webhook was posted (answered or not), at once while held."""
        return await self._done(gestures.say(self.world, self.world.find(person), text, reply_to))

    async def tap(self, person: str | Person, choice: str, *, message_id: str | None = None) -> str:
        """The person taps a button or a row, by title or id, in the newest bubble that has it; returns the new message id."""
        return await self._done(gestures.tap(self.world, self.world.find(person), choice, message_id))

    async def react(self, person: str | Person, message_id: str, emoji: str) -> str:
        """The person reacts to a message; an empty emoji takes it back."""
        return await self._done(gestures.react(self.world, self.world.find(person), message_id, emoji))

    async def send(self, person: str | Person, message: Mapping[str, object], *, reply_to: str = "") -> str:
        """The person sends any message object of Meta's; `id` and `timestamp` may be given to lie about them."""
        return await self._done(gestures.send(self.world, self.world.find(person), message, reply_to))

    async def share_file(self, person: str | Person, mime_type: str, content: bytes, **named: str) -> str:
        """The person sends a file; `filename` and `caption` may be given."""
        return await self._done(gestures.share_file(self.world, self.world.find(person), mime_type, content, **named))

    def prefer(self, person: str | Person, value: str) -> None:
        """The person stops or resumes marketing with WhatsApp's own switch (`user_preferences`)."""
        gestures.prefer(self.world, self.world.find(person), value)

    def change_number(self, person: str | Person, number: str | None = None) -> Person:
        """The person takes a new number (and gets a new BSUID); the bot gets a `system` message."""
        return gestures.change_number(self.world, self.world.find(person), number)

    def close_window(self, person: str | Person) -> None:
        """As if the person last wrote 25 hours ago."""
        self.world.close_window(self.world.find(person))

    def set_online(self, person: str | Person, online: bool) -> None:
        """Takes the phone off the net or back."""
        self.stage.set_online(self.world.find(person), online)

    async def storm(self, people: Sequence[str | Person], each: int, text: str = "message {n}") -> list[str]:
        """Everybody writes `each` messages at once; returns the ids once all were posted."""
        return await self.stage.storm([self.world.find(one) for one in people], each, text)

    # what stands on the phones

    def inbox(self, person: str | Person) -> tuple[Bubble, ...]:
        """What this phone received from the business, oldest first; nothing that failed or waits for the phone to be online."""
        found = self.world.find(person)
        received = self.world.chats[found.key].received()
        return tuple(b for b in received if found.online or b.status in {"delivered", "read"})

    def transcript(self, person: str | Person) -> tuple[Bubble, ...]:
        """All bubbles of both sides, oldest first, failed ones too."""
        return tuple(self.world.chats[self.world.find(person).key].bubbles)

    async def wait_for(
        self,
        person: str | Person,
        wanted: Wanted,
        timeout: float = 5.0,  # noqa: ASYNC109
        *,
        after: str | None = None,
    ) -> Bubble:
        """The first bubble in the inbox that fits: a text stands for "its words contain this".

        With `after` (a message id) only what arrived later counts. Raises TimeoutError naming how many bubbles there are.
        """
        fits: Callable[[Bubble], bool] = (lambda bubble: wanted in bubble.text) if isinstance(wanted, str) else wanted
        deadline = time.monotonic() + timeout
        with self.world.feed.subscribed() as news:
            while True:
                found = next((bubble for bubble in self._later(person, after) if fits(bubble)), None)
                if found is not None:
                    return found
                try:
                    await news.next(max(0.0, deadline - time.monotonic()))
                except TimeoutError:
                    raise TimeoutError(f"no such bubble among {len(self.inbox(person))} within {timeout:g} s") from None

    def _later(self, person: str | Person, after: str | None) -> tuple[Bubble, ...]:
        inbox = self.inbox(person)
        if after is None:
            return inbox
        order = {bubble.id: place for place, bubble in enumerate(self.transcript(person))}
        return tuple(bubble for bubble in inbox if order[bubble.id] > order.get(after, -1))

    async def settle(self, timeout: float = 10.0) -> None:  # noqa: ASYNC109
        """Returns when no webhook, redelivery or status is under way; raises TimeoutError."""
        await asyncio.wait_for(self.stage.settled(), timeout)

    # what went over the wire

    @property
    def calls(self) -> list[Call]:
        """Every call to the Graph API."""
        return self.world.calls

    @property
    def sends(self) -> list[Call]:
        """The calls that tried to send a message (read marks left out)."""
        return [c for c in self.calls if c.path.endswith("/messages") and c.body is not None and "status" not in c.body]

    @property
    def webhooks(self) -> list[Webhook]:
        """Every webhook with its bytes and attempts."""
        return self.world.courier.sent

    async def redeliver(self, *numbers: int, all: bool = False) -> list[Attempt]:  # noqa: A002
        """Posts webhooks again, byte for byte: those of these numbers, or all of them; the last one where nothing is said."""
        chosen = list(self.webhooks) if all else [self.webhooks[number - 1] for number in numbers] or self.webhooks[-1:]
        return await self.stage.redeliver(chosen)

    async def post(self, body: bytes, signature: str | None = None) -> Attempt:
        """Posts any bytes once, signed rightly, or with the given header value ("" for none)."""
        return await self.world.courier.post(body, signature)

    def webhook(self, field: str, value: dict[str, object]) -> None:
        """Sends a webhook of any field."""
        self.stage.change(field, value)

    # mischief

    def fail(self, kind: str = "error", **how: float | str) -> None:
        """Lets the next sends go wrong; `how` is any of code, http, seconds, times, person (see `faults`)."""
        self.world.faults.add(Fault(kind, **how))  # type: ignore[arg-type]  # Fault itself checks

    def heal(self) -> None:
        """Nothing goes wrong any more, statuses and delivery included. Held webhooks stay held until released."""
        self.world.faults.clear()
        self.world.token_expired = False
        self.stage.statuses.misbehave(Mischief())
        self.world.courier.manner = Manner(hold=self.world.courier.manner.hold)

    def expire_token(self, expired: bool = True) -> None:
        """The access token is refused with 190 from now on, or works again."""
        self.world.token_expired = expired

    def lose_statuses(self, *names: str, times: int | None = None) -> None:
        """Statuses of these names (all without names) are never told, for the next `times` messages or for good."""
        self.stage.statuses.misbehave(Mischief(frozenset(names or ("sent", "delivered", "read", "failed")), 0.0, times))

    def delay_statuses(self, seconds: float, times: int | None = None) -> None:
        """Statuses come so many seconds later."""
        self.stage.statuses.misbehave(Mischief(frozenset(), seconds, times))

    def deliver(self, *, duplicate: int = 0, delay: float = 0.0) -> None:
        """From now on each webhook is posted `duplicate` times more, the first time after `delay` seconds."""
        self.world.courier.manner = Manner(duplicate, delay, self.world.courier.manner.hold)

    def hold(self) -> None:
        """Webhooks pile up from now on."""
        self.world.courier.manner = Manner(hold=True)

    async def release(
        self, *, shuffle: bool = False, batch: int = 1, shape: str = "messages", duplicate: int = 0
    ) -> list[Webhook]:
        """Sends what piled up, shuffled or several in one POST if asked; returns once each was posted."""
        sent = self.world.courier.release(shuffle=shuffle, batch=batch, shape=shape, duplicate=duplicate)
        await asyncio.gather(*(webhook.tried.wait() for webhook in sent))
        return sent

    def put_template(self, template: Template) -> None:
        """Adds or replaces a template."""
        self.stage.set_template(template)

    def template_status(self, name: str, language: str, status: str) -> None:
        """Sets APPROVED, PAUSED, DISABLED, … and tells the bot."""
        self.stage.template_status(name, language, status)

    async def _done(self, message_id: str) -> str:
        await self.stage.tried(message_id)
        return message_id
