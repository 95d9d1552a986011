"""Processes and the database die, Meta repeats and reorders: each message makes one turn, each reply arrives, no double goes uncounted.

Two `recado serve` on one database of their own; both are killed with -9 at random moments while customers write. What cannot be known
after a kill (was it sent?) is asked of the status webhooks, and only then sent again; such repetitions are counted, not hidden.
"""

import asyncio
import collections
import random
import signal
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from pymongo import MongoClient

from bot.storage.embedded import EmbeddedDatabase
from tests.e2e.served import BUSINESS, ECHO, Served, environment
from tests.e2e.standin import ACCOUNT, Someone, Standin, texts

SAID = "You said "


def crowd(count: int) -> list[Someone]:
    return [Someone(f"Person {n}", f"+1555010{n:04}", f"US.{n:020}") for n in range(count)]


def project(folder: Path) -> Path:
    (folder / "flows").mkdir(parents=True)
    (folder / "flows" / "business.yaml").write_text(BUSINESS)
    (folder / "flows" / "echo.yaml").write_text(ECHO)
    return folder


@dataclass
class Storm(Standin):
    """Meta: brings every webhook until somebody answers 200, some twice, and tells what became of each send."""

    dice: random.Random = field(default_factory=lambda: random.Random(1))
    doors: list[str] = field(default_factory=list)
    callbacks: list[tuple[str, str]] = field(default_factory=list)
    later: set["asyncio.Task[None]"] = field(default_factory=set)

    async def _messages(self, request: web.Request) -> web.Response:
        body = await request.json()
        if body.get("status") != "read":
            callback = body["biz_opaque_callback_data"]
            self.callbacks.append((callback, texts(body)))
            await asyncio.sleep(self.dice.choice((0, 0.05, 0.2, 0.5)))
            if self.dice.random() < 0.9:
                self._spawn(self.brought(_status(callback, self.wamid(callback)), wait=self.dice.random()))
        return await super()._messages(request)

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self.later.add(task)
        task.add_done_callback(self.later.discard)

    async def brought(self, body: bytes, *, wait: float = 0.0) -> None:
        await asyncio.sleep(wait)
        for _ in range(600):
            try:
                async with asyncio.timeout(15):
                    if await self.post(body, keep=False, to=self.dice.choice(self.doors)) == 200:
                        return
            except (aiohttp.ClientError, TimeoutError, OSError):
                pass
            await asyncio.sleep(0.3)
        raise AssertionError("a webhook is never taken")

    async def life(self, who: Someone, words: list[str]) -> None:
        """One customer: bursts in one POST or in several at once, some of them twice."""
        await self.brought(self.envelope(who, [self.message(who, {"type": "text", "text": {"body": "echo"}})]))
        rest = list(words)
        while rest:
            burst = [rest.pop(0) for _ in range(min(len(rest), self.dice.randint(1, 3)))]
            said = [self.message(who, {"type": "text", "text": {"body": word}}) for word in burst]
            together = self.dice.random() < 0.5
            posts = [self.envelope(who, said)] if together else [self.envelope(who, [one]) for one in said]
            posts += [body for body in posts if self.dice.random() < 0.2]
            self.dice.shuffle(posts)
            await asyncio.gather(*(self.brought(body) for body in posts))
            await asyncio.sleep(3 * self.dice.random())


def _status(callback: str, wamid: str) -> bytes:
    import json

    row = {"id": wamid, "status": "sent", "timestamp": "1790000000", "biz_opaque_callback_data": callback}
    value = {"messaging_product": "whatsapp", "metadata": {"phone_number_id": ACCOUNT}, "statuses": [row]}
    entry = {"id": "1", "changes": [{"field": "messages", "value": value}]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


async def kills(
    served: list[Served], database: EmbeddedDatabase, dice: random.Random, bots: int, databases: int
) -> None:
    """So many kills of each kind, one after the other, at random moments."""
    plan = ["bot"] * bots + ["database"] * databases
    dice.shuffle(plan)
    for what in plan:
        await asyncio.sleep(0.5 + 2 * dice.random())
        if what == "database":
            database.kill()
            await asyncio.sleep(dice.random())
            database.restart()
            continue
        one = dice.choice(served)
        one.end(signal.SIGKILL)
        await one.start()


async def storm(
    folder: Path, database: EmbeddedDatabase, *, people: int, words: int, bots: int, databases: int
) -> None:
    dice = random.Random(4711)
    async with Storm(dice=dice) as meta:
        settings = environment(database.uri, "recado", meta.url, folder / "keys", project(folder / "project"))
        served = [Served(settings, folder / f"serve{n}.log") for n in range(2)]
        try:
            for one in served:
                await one.start()
            meta.doors = [one.webhook for one in served]
            everybody = crowd(people)
            lives = [meta.life(who, [f"w{n}x{m}." for m in range(words)]) for n, who in enumerate(everybody)]
            await asyncio.gather(kills(served, database, dice, bots, databases), *lives)
            expected = {f"w{n}x{m}." for n in range(people) for m in range(words)}
            await _all_said(meta, expected)
            await _at_rest(database.uri)
        finally:
            for one in served:
                one.end(signal.SIGTERM)
        _judge(meta, database.uri, expected)


def _replies(meta: Storm) -> list[tuple[str, str]]:
    """(word, callback) of each reply that Meta was given."""
    found = []
    for callback, text in meta.callbacks:
        found += [
            (line.removeprefix(SAID).split()[0].rstrip(".") + ".", callback)
            for line in text.split("\n")
            if line.startswith(SAID)
        ]
    return found


async def _all_said(meta: Storm, expected: set[str], within: float = 150.0) -> None:
    """Until every reply arrived; fails when none comes for so long (a crash costs 90 seconds: lease, then the wait for a status)."""
    clock = asyncio.get_running_loop().time
    deadline, left = clock() + within, len(expected)
    while missing := expected - {word for word, _ in _replies(meta)}:
        if len(missing) < left:
            deadline, left = clock() + within, len(missing)
        assert clock() < deadline, f"{len(missing)} replies never came, such as {min(missing)}"
        await asyncio.sleep(0.5)


async def _at_rest(uri: str, within: float = 180.0) -> None:
    """Nothing pending, no lease held by anybody."""
    deadline = asyncio.get_running_loop().time() + within
    with MongoClient[dict[str, Any]](uri) as client:
        rows = client["recado"]["conversations"]
        while busy := [row for row in rows.find({}) if row.get("pending") or row.get("lease")]:
            assert asyncio.get_running_loop().time() < deadline, f"{len(busy)} conversations never come to rest"
            await asyncio.sleep(0.5)


def _judge(meta: Storm, uri: str, expected: set[str]) -> None:
    with MongoClient[dict[str, Any]](uri) as client:
        commands = {row["_id"]: row["command"] for row in client["recado"]["sends"].find({}) if "command" in row}
        letters = client["recado"]["dead_letters"].count_documents({})
    by_word: dict[str, set[str]] = collections.defaultdict(set)
    for word, callback in _replies(meta):
        by_word[word].add(str(commands[callback]))
    assert set(by_word) == expected
    doubled_turns = {word: len(names) for word, names in by_word.items() if len(names) > 1}
    assert not doubled_turns, f"answered by more than one turn: {doubled_turns}"
    claims = collections.Counter(commands.values())
    repeated = sum(count - 1 for count in claims.values())
    sent = collections.Counter(str(commands[callback]) for callback, _ in meta.callbacks)
    doubled = sum(count - 1 for count in sent.values())
    assert doubled <= repeated, f"{doubled} messages went out twice, {repeated} were counted as ambiguous"
    assert letters == 0
    print(f"{len(expected)} messages, {len(meta.callbacks)} sends, {repeated} ambiguous, of these {doubled} doubled")  # noqa: T201


@pytest.mark.crash
@pytest.mark.timeout(420)
async def test_nothing_is_lost_or_doubled_while_processes_and_the_database_die(
    crashable_database: EmbeddedDatabase, tmp_path: Path
) -> None:
    await storm(tmp_path, crashable_database, people=15, words=10, bots=6, databases=1)


@pytest.mark.long
@pytest.mark.crash
@pytest.mark.timeout(3600)
async def test_nothing_is_lost_or_doubled_in_a_long_storm(crashable_database: EmbeddedDatabase, tmp_path: Path) -> None:
    await storm(tmp_path, crashable_database, people=280, words=18, bots=30, databases=2)
