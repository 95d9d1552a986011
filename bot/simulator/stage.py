"""One running stand-in: the world, its statuses and the Graph API, and the orders that the control API and tests share."""

import asyncio
import time
from collections.abc import Callable, Sequence

from bot.simulator import gestures
from bot.simulator.courier import Attempt, Webhook
from bot.simulator.envelope import OF_CHATS, Change
from bot.simulator.errors import SimulatorError
from bot.simulator.graph import GraphApi
from bot.simulator.people import Person
from bot.simulator.settings import Action, SimulatorSettings
from bot.simulator.statuses import Statuses
from bot.simulator.template_desk import tell_category, tell_status
from bot.simulator.templates import Template
from bot.simulator.world import World

MOST_IN_A_STORM = 20_000


class Stage:
    """The parts put together; `open` and `close` frame its life."""

    def __init__(
        self, settings: SimulatorSettings, *, actions: Sequence[Action] = (), clock: Callable[[], float] = time.time
    ) -> None:
        self.settings = settings
        self.world = World(settings, clock)
        self.statuses = Statuses(self.world)
        self.graph = GraphApi(self.world, self.statuses)
        self.actions = {action.id: action for action in (*settings.actions, *actions)}

    async def open(self) -> None:
        """Gets ready to deliver webhooks."""
        await self.world.courier.open()

    def stop(self) -> None:
        """Ends everything that waits: streams to pages, hanging answers."""
        self.graph.closing.set()
        self.world.feed.close()

    async def close(self) -> None:
        """Gives up what is under way."""
        await self.statuses.close()
        await self.world.courier.close()

    async def settled(self) -> None:
        """Returns when no status and no webhook is under way, redeliveries included."""
        while self.statuses.busy or self.world.courier.busy:
            await self.statuses.settled()
            await self.world.courier.settled()

    async def tried(self, message_id: str) -> None:
        """Returns when the webhook of a person's message was posted once; at once where it is held back."""
        webhook = self.world.courier.carrying(message_id)
        if webhook is not None:
            await webhook.tried.wait()

    async def act(self, person: Person, action_id: str) -> str | None:
        """Presses a button of the host; answers with the line it wants shown."""
        action = self.actions.get(action_id)
        if action is None:
            raise SimulatorError(f"there is no action {action_id!r}")
        return await action.callback(person)

    def set_online(self, person: Person, online: bool) -> Person:
        """Takes the phone off the net, or back: then it gets what waited."""
        fresh = self.world.change(person.key, online=online)
        if online:
            self.statuses.back_online(fresh)
        return fresh

    def set_template(self, template: Template) -> None:
        """Adds or replaces a template."""
        self.world.put_template(template)

    def template_status(self, name: str, language: str, status: str) -> None:
        """Pauses, disables or approves a template and tells the bot (Meta: message_template_status_update)."""
        tell_status(self.world, self.world.set_template_status(name, language, status))

    def template_category(self, name: str, language: str, category: str) -> None:
        """Meta calls a template something else from now on, and tells the bot (Meta: template_category_update)."""
        before = self.world.template(name, language)
        template = self.world.set_template_category(name, language, category)
        tell_category(self.world, template, before.category if before else "")

    def change(self, field: str, value: dict[str, object]) -> None:
        """Sends any webhook field; `metadata` is filled in for field messages where it is missing."""
        whole = self.world.business.value() | value if field in {"messages", "user_preferences"} else value
        at = 0 if field in OF_CHATS else int(self.world.clock())
        self.world.courier.send(Change(field, whole, at=at))

    async def storm(self, people: Sequence[Person], each: int, text: str) -> list[str]:
        """Everybody writes `each` messages at once; `{n}` in the text becomes the number of the message. Ids in order."""
        if not 1 <= each * len(people) <= MOST_IN_A_STORM:
            raise SimulatorError(f"a storm has 1 to {MOST_IN_A_STORM} messages")
        ids = [
            gestures.say(self.world, person, text.replace("{n}", str(number)))
            for number in range(1, each + 1)
            for person in people
        ]
        await asyncio.gather(*(self.tried(one) for one in ids))
        return ids

    async def redeliver(self, webhooks: Sequence[Webhook]) -> list[Attempt]:
        """Posts these webhooks again, byte for byte, in their order."""
        return await self.world.courier.again(webhooks)
