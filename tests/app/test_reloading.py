"""Flows that change under a running bot, seen by two processes on one database."""

import os
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.app.project import load_project
from bot.app.reloading import LOOKS, FlowFollower
from bot.domain import plain
from bot.domain.conversation import Frame
from bot.domain.ids import PersonId
from bot.engine.advance import Engine
from bot.engine.flow import Say
from bot.i18n.catalog import Catalog
from bot.i18n.formatting import Languages
from bot.i18n.values import TypedValues
from bot.observability.metrics import Registry
from bot.storage.mongo import Mongo
from bot.storage.published import Published
from tests.engine.phone import FLOWS, NOW, PlainRules
from tests.storage.shelf import settings_of

EVERY = 5.0
MINE = """flow: mine
title: Mine
purpose: support
starts: [{words: [something sweet]}]
steps:
  - id: pick
    menu: Which?
    options: {red: Ruby, blue: Blue}
  - say: Old.
"""


@dataclass
class Hands:
    """A clock that the test moves."""

    moment: datetime = NOW

    def now(self) -> datetime:
        return self.moment


@dataclass
class Process:
    """One process: an engine and what follows the folder for it."""

    engine: Engine
    follower: FlowFollower
    registry: Registry

    @property
    def current(self) -> str:
        last = self.engine.world.book.flows["mine"].flow.steps[-1]
        assert isinstance(last, Say)
        return last.say

    @property
    def refused(self) -> bool:
        return "\nrecado_flows_refused 1\n" in self.registry.text()


@dataclass
class House:
    """A project, its database, and two processes."""

    project: Path
    mongo: Mongo
    clock: Hands
    processes: list[Process]
    saved: int = 0

    def save(self, text: str, name: str = "mine.yaml") -> None:
        """Writes a flow, at a time of its own however fast the test is."""
        path = self.project / "flows" / name
        path.write_text(text)
        self.saved += 1
        os.utime(path, ns=(self.saved, self.saved))

    async def look(self, times: int = 1) -> None:
        """Each process looks, and time passes."""
        for _ in range(times):
            for one in self.processes:
                await one.follower.look()
            self.clock.moment += timedelta(seconds=EVERY)


@pytest.fixture
async def house(tmp_path: Path, mongo_uri: str, database_name: str) -> AsyncIterator[House]:
    project = tmp_path / "project"
    shutil.copytree(FLOWS, project / "flows")
    (project / "flows" / "mine.yaml").write_text(MINE)
    mongo, clock = Mongo(settings_of(mongo_uri, database_name)), Hands()
    made = House(project, mongo, clock, [])
    published = Published(mongo)
    book = load_project(project).book
    assert book is not None
    for flow in book.flows.values():
        await published.flow(flow.id, flow.version, "en", flow.content, NOW)
    for _ in range(2):
        catalog = Catalog({}, offered=book.business.languages, default="en")
        engine, registry = Engine(book, Languages(catalog), TypedValues(), PlainRules(book)), Registry()
        follower = FlowFollower(project, engine, published, clock, registry, EVERY)
        made.processes.append(Process(engine, follower, registry))
    yield made
    mongo.close()


async def test_a_new_version_is_known_everywhere_before_anybody_begins_in_it(house: House) -> None:
    """One process sees the file first: the other must know the version before a message of somebody in it can come there."""
    first, second = house.processes
    old = first.engine.world.book.flows["mine"].version
    house.save(MINE.replace("Old.", "New."))
    await first.follower.look()
    coming = load_project(house.project).book
    assert coming is not None
    new = coming.flows["mine"].version

    assert first.current == "Old."
    await second.follower.look()
    assert second.engine.world.book.flow("mine", new) is not None
    assert second.current == "Old."
    await house.look(LOOKS + 1)

    assert [one.current for one in house.processes] == ["New.", "New."]
    assert all(one.engine.world.book.flow("mine", old) is not None for one in house.processes)
    assert not any(one.refused for one in house.processes)


async def test_a_broken_version_is_refused_told_once_and_mended(house: House, caplog: pytest.LogCaptureFixture) -> None:
    house.save(MINE.replace("options:", "optoins:"))
    await house.look(1)
    assert not any(one.refused for one in house.processes), "somebody may be in the middle of saving it"
    await house.look(4)

    assert [one.current for one in house.processes] == ["Old.", "Old."]
    assert all(one.refused for one in house.processes)
    assert "mine.yaml:8:5: unknown-key" in house.processes[0].follower.trouble
    told = [record for record in caplog.records if record.message == "new flows refused, the old ones go on"]
    assert len(told) == 2 * len(house.processes[0].follower.trouble.split("; "))
    house.save(MINE.replace("Old.", "Mended."))
    await house.look(LOOKS + 2)

    assert [one.current for one in house.processes] == ["Mended.", "Mended."]
    assert not any(one.refused for one in house.processes)
    assert house.processes[0].follower.trouble == ""


async def test_what_somebody_stands_on_cannot_be_taken_away(house: House) -> None:
    frame = Frame("mine", house.processes[0].engine.world.book.flows["mine"].version, "pick")
    await house.mongo.collection("conversations").insert_one(
        {"_id": PersonId("1" * 32), "frames": plain.encode((frame,))}
    )
    house.save(MINE.replace("id: pick", "id: choose").replace("Old.", "New."))
    await house.look(5)

    assert "the step `pick` is gone" in house.processes[0].follower.trouble
    assert [one.current for one in house.processes] == ["Old.", "Old."]
    house.save(MINE.replace("id: pick", "id: choose").replace("Old.", "New.") + "renamed: {pick: choose}\n")
    await house.look(5)

    assert [one.current for one in house.processes] == ["New.", "New."]


async def test_a_changed_business_wants_a_restart(house: House) -> None:
    house.save((FLOWS / "business.yaml").read_text() + "\n# a word\n", "business.yaml")
    house.save(MINE.replace("Old.", "New."))
    await house.look(5)

    assert house.processes[0].follower.trouble == "business.yaml has changed: that wants a restart"
    assert house.processes[0].current == "Old."


async def test_a_database_out_of_reach_changes_nothing(house: House) -> None:
    house.mongo.close()
    house.save(MINE.replace("Old.", "New."))
    await house.look(3)

    assert [one.current for one in house.processes] == ["Old.", "Old."]


async def test_a_translation_is_taken_in_too(house: House) -> None:
    catalog = house.project / "locales" / "pt" / "LC_MESSAGES" / "flows.po"
    catalog.parent.mkdir(parents=True)
    catalog.write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\nLanguage: pt\\n"\n\nmsgid "Which?"\nmsgstr "Qual?"\n'
    )
    await house.look(LOOKS + 2)

    assert [one.engine.world.texts.translate("Which?", "pt") for one in house.processes] == ["Qual?", "Qual?"]
