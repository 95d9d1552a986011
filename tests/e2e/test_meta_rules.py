"""Meta's rules against the whole bot: each as a story in which the bot does the right thing, and the phone shows it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.app.demo import Demo, Ports, open_demo
from bot.app.queueing import queue_template
from bot.domain.ids import Address, Bsuid, PersonId
from bot.storage.media import MongoMedia
from tests.e2e.served import ROOT
from tests.whatsapp.test_content import with_place


@pytest.fixture
async def demo(tmp_path: Path) -> AsyncIterator[Demo]:
    async with open_demo(ROOT, tmp_path / "data", Ports(0, 0, 0, 0)) as running:
        yield running


async def until(look: Callable[[], Awaitable[Any]], within: float = 30.0) -> Any:
    """What is found as soon as it is there."""
    async with asyncio.timeout(within):
        while not (found := await look()):  # noqa: ASYNC110 - what is waited for happens inside the bot
            await asyncio.sleep(0.03)
    return found


class Phone:
    """One person's phone, and what arrives on it."""

    def __init__(self, demo: Demo, key: str) -> None:
        self.demo, self.key, self.seen = demo, key, 0

    @property
    def inbox(self) -> list[str]:
        return [one.text for one in self.demo.simulator.inbox(self.key)]

    async def say(self, words: str) -> None:
        self.seen = len(self.inbox)
        await self.demo.simulator.say(self.key, words)

    async def tap(self, title: str) -> None:
        self.seen = len(self.inbox)
        await self.demo.simulator.tap(self.key, title)

    async def hears(self, words: str, within: float = 20.0) -> None:
        """New words on the phone."""

        async def heard() -> bool:
            return any(words in one for one in self.inbox[self.seen :])

        await until(heard, within)

    async def hears_nothing(self) -> None:
        """Nothing came for a while after everything had settled."""
        await self.demo.simulator.settle()
        count = len(self.inbox)
        await asyncio.sleep(0.7)
        assert self.inbox[count:] == []
        assert count == self.seen

    async def subscribed(self) -> None:
        """Greeted, and on the list by two yes."""
        await self.say("hello")
        await self.hears("automated assistant")
        await self.say("news")
        await self.hears("at most four times a month")
        await self.tap("Yes, please")
        await self.hears("Please confirm once more")
        await self.tap("Confirm")
        await self.hears("you are on the list")

    async def newsletter(self, words: str) -> None:
        """The business sends one."""
        self.seen = len(self.inbox)
        person = self.demo.simulator.world.people[self.key]
        queued, said = await queue_template(
            self.demo.bot, "newsletter", "monthly_news", str(person.bsuid or person.number), (words,)
        )
        assert queued, said

    async def refused(self, reason: str) -> None:
        """The gate's record says why nothing went out."""
        rows = self.demo.bot.mongo.collection("sends")
        await until(lambda: rows.find_one({"refused": reason}))


async def _templates(demo: Demo, key: str) -> None:
    meta, ada = demo.simulator, Phone(demo, key)
    await ada.subscribed()
    await ada.newsletter("indigo bowls")
    await ada.hears("indigo bowls")

    # A paused template is not even tried; approved again, it goes out.
    for status in ("PAUSED", "APPROVED"):
        meta.template_status("monthly_news", "en", status)
        await meta.settle()
        await ada.newsletter(f"while {status}")
        if status == "PAUSED":
            await ada.refused("template_stopped")
            await ada.hears_nothing()
            assert not any(status in str(call.body) for call in meta.sends)
        else:
            await ada.hears("while APPROVED")

    # Outside the 24 hours templates go out, free text does not exist; whoever writes opens the window again.
    meta.close_window(key)
    await ada.newsletter("after a day")
    await ada.hears("after a day")
    await ada.say("help")
    await ada.hears("MY DATA")

    # Meta's own switch withdraws the consent; switching it on again gives none (decisions.md; whatsapp.md 3.4).
    for wish in ("stop", "resume"):
        meta.prefer(key, wish)
        await meta.settle()
        await ada.newsletter(f"after {wish}")
        await ada.hears_nothing()
    person = await demo.bot.find(Address(bsuid=Bsuid(str(meta.world.people[key].bsuid))))
    assert person is not None
    stored = await demo.bot.conversation(person)
    assert stored is not None
    assert stored.conversation.consent("newsletter").state == "withdrawn"
    assert not any("after" in one and "day" not in one for one in ada.inbox)


async def _limits(demo: Demo, key: str) -> None:
    meta, ada = demo.simulator, Phone(demo, key)
    await ada.say("hello")
    await ada.hears("automated assistant")

    # Refused before it was processed: tried again until it is there, once.
    meta.fail("error", code=130429, times=2, person=key)
    await ada.say("help")
    await ada.hears("MY DATA")
    assert sum("MY DATA" in one for one in ada.inbox[ada.seen :]) == 1

    # Taken, and the answer was lost: the status tells, and nothing is sent twice.
    meta.fail("accepted_drop", person=key)
    await ada.say("help")
    await ada.hears("MY DATA")
    await meta.settle()
    await asyncio.sleep(1)
    assert sum("MY DATA" in one for one in ada.inbox[ada.seen :]) == 1


async def _colleague(demo: Demo, key: str) -> None:
    meta, ada = demo.simulator, Phone(demo, key)
    await ada.say("hello")
    await ada.hears("automated assistant")
    person = meta.world.people[key]
    echo = {"from": meta.world.business.digits, "to": person.wa_id, "to_user_id": person.bsuid, "id": "wamid.HAND",
            "timestamp": str(int(meta.world.clock())), "type": "text", "text": {"body": "a human here"}}  # fmt: skip
    meta.webhook("smb_message_echoes", {**meta.world.business.value(), "message_echoes": [echo]})
    await meta.settle()

    await ada.say("where is my order")
    await ada.hears_nothing()
    await ada.say("stop")
    await ada.hears("no more messages")


async def _file(demo: Demo, key: str) -> None:
    meta, ada = demo.simulator, Phone(demo, key)
    await ada.say("hello")
    await ada.hears("automated assistant")
    ada.seen = len(ada.inbox)
    await meta.share_file(key, "image/jpeg", with_place())
    await ada.hears("I pass it on to a colleague")

    person = await demo.bot.find(Address(bsuid=Bsuid(str(meta.world.people[key].bsuid))))
    assert person is not None
    files = MongoMedia(demo.bot.mongo, demo.bot.subjects)
    kept = await until(lambda: files.of_person(person, datetime(2020, 1, 1, tzinfo=UTC)))
    content = await files.read(person, kept[0].id)
    assert content is not None
    assert b"Anabela" not in content
    await until(lambda: _deleted(demo))


async def _deleted(demo: Demo) -> bool:
    """Whether the file is gone at Meta."""
    calls = demo.simulator.calls
    return any(call.method == "DELETE" and call.status == 200 and call.path.count("/") == 2 for call in calls)


async def _number(demo: Demo, key: str) -> None:
    meta, ada = demo.simulator, Phone(demo, key)
    await ada.subscribed()
    before = await demo.bot.find(Address(bsuid=Bsuid(str(meta.world.people[key].bsuid))))
    meta.hold()
    meta.change_number(key)
    await ada.say("stop")
    await meta.release(shuffle=False)
    await ada.hears("no more messages")
    await meta.settle()

    new = Address(bsuid=Bsuid(str(meta.world.people[key].bsuid)))
    await until(lambda: _same(demo, new, before))
    await ada.newsletter("to the new number")
    await ada.hears_nothing()
    assert before is not None
    stored = await demo.bot.conversation(before)
    assert stored is not None
    assert stored.conversation.consent("newsletter").state == "withdrawn"


async def _erasure(demo: Demo, key: str) -> None:
    meta, ada = demo.simulator, Phone(demo, key)
    await ada.say("hello")
    await ada.hears("automated assistant")
    assert meta.world.people[key].bsuid in meta.world.contact_book
    await ada.say("please delete my data")
    await ada.hears("cannot be brought back")
    await ada.tap("Delete my data")
    await ada.hears("delete everything now?")
    await ada.tap("Yes, delete it")
    await until(lambda: _forgotten(demo))
    # The receipt is a message once more, and Meta makes the entry anew with it: only the one before is ours to delete.
    await ada.hears("has been deleted", within=40)


async def _same(demo: Demo, address: Address, person: PersonId | None) -> bool:
    return await demo.bot.find(address) == person


async def _forgotten(demo: Demo) -> bool:
    """Whether Meta was told to forget somebody."""
    return any(call.path.endswith("/contact_book") and call.status == 200 for call in demo.simulator.calls)


@pytest.mark.timeout(180)
async def test_the_bot_keeps_to_metas_rules(demo: Demo) -> None:
    """Several people at once, each with a story of their own."""
    stories = (_templates, _limits, _colleague, _file)
    keys = [
        demo.simulator.world.invent(name=f"Person {story.__name__}", language="en", country="GB").key
        for story in stories
    ]
    await asyncio.gather(*(story(demo, key) for story, key in zip(stories, keys, strict=True)))
    for story in (_number, _erasure):
        await story(demo, demo.simulator.world.invent(name=f"Person {story.__name__}", language="en", country="GB").key)
