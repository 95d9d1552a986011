"""Several processes on one host: one port, one database, every message one turn; who dies is started again; a polite end."""

import asyncio
import collections
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from tests.e2e.served import ROOT, echo_project, environment, free_port
from tests.e2e.standin import Someone, Standin, texts

PEOPLE = [Someone(f"Person {n}", f"+1555010{n:04}", f"US.{n:020}") for n in range(12)]


@pytest.fixture
async def meta() -> AsyncIterator[Standin]:
    async with Standin() as one:
        yield one


class Family:
    """`recado serve --processes`, told from outside by its log and its admin ports."""

    def __init__(self, settings: dict[str, str], log: Path, count: int) -> None:
        self.port, self.admin, self.count, self.log = free_port(), free_port(), count, log
        own = {"RECADO_WEB__PORT": str(self.port), "RECADO_ADMIN__PORT": str(self.admin)}
        with log.open("ab") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "bot", "serve", "--processes", str(count)],
                env=settings | own, cwd=ROOT, stdout=file, stderr=file,
            )  # fmt: skip

    async def ready(self, times: int, within: float = 90.0) -> None:
        """Until so many processes in all have said that they are ready."""
        deadline = asyncio.get_running_loop().time() + within
        while len(re.findall(r"Recado is ready", self.log.read_text())) < times:
            assert self.process.poll() is None, self.log.read_text()[-2000:]
            assert asyncio.get_running_loop().time() < deadline, self.log.read_text()[-2000:]
            await asyncio.sleep(0.1)

    def children(self) -> list[int]:
        found = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(self.process.pid)], capture_output=True, text=True, check=False
        )
        return [int(one) for one in found.stdout.split()]


async def turns(family: Family) -> list[float]:
    """Turns that each process has committed."""
    counts = []
    async with aiohttp.ClientSession() as session:
        for place in range(family.count):
            async with session.get(f"http://127.0.0.1:{family.admin + place}/metrics") as answer:
                found = re.search(r'recado_turns_total\{outcome="played"\} (\d+)', await answer.text())
                counts.append(float(found[1]) if found else 0.0)
    return counts


async def talk(meta: Standin, who: Someone, words: list[str]) -> None:
    assert await meta.say(who, "echo") == 200
    await meta.hears(who, "What shall I repeat?", 60)
    for word in words:
        while await meta.say(who, word) != 200:  # noqa: ASYNC110 - Meta has no other way either
            await asyncio.sleep(0.1)
        await meta.hears(who, f"You said {word}.", 60)


@pytest.mark.timeout(240)
@pytest.mark.parametrize("count", [2, pytest.param(4, marks=pytest.mark.long)])
async def test_processes_share_the_work_and_lose_and_double_nothing(
    meta: Standin, mongo_uri: str, database_name: str, tmp_path: Path, count: int
) -> None:
    settings = environment(mongo_uri, database_name, meta.url, tmp_path / "keys", echo_project(tmp_path / "project"))
    family = Family(settings, tmp_path / "serve.log", count)
    try:
        await family.ready(count)
        meta.webhook = f"http://127.0.0.1:{family.port}/webhooks/whatsapp"
        # A connection stays with one process: several of them, as Meta's many are.
        meta.session._connector._force_close = True  # type: ignore[union-attr]
        words = [f"word{n}" for n in range(5)]
        await asyncio.gather(*(talk(meta, who, words) for who in PEOPLE))
        for who in PEOPLE:
            said = collections.Counter(re.findall(r"You said (\w+)", " ".join(texts(one) for one in meta.to(who))))
            assert said == dict.fromkeys(words, 1)
        played = await turns(family)
        assert sum(played) == len(PEOPLE) * (len(words) + 1)
        assert min(played) > 0
    finally:
        family.process.send_signal(signal.SIGTERM)
        assert family.process.wait(60) == 0


@pytest.mark.timeout(240)
async def test_who_dies_is_started_again_and_all_end_politely(
    meta: Standin, mongo_uri: str, database_name: str, tmp_path: Path
) -> None:
    settings = environment(mongo_uri, database_name, meta.url, tmp_path / "keys", echo_project(tmp_path / "project"))
    family = Family(settings, tmp_path / "serve.log", 2)
    try:
        await family.ready(2)
        first, second = family.children()
        os.kill(first, signal.SIGKILL)
        await family.ready(3)
        assert second in family.children()
        assert len(family.children()) == 2
    finally:
        family.process.send_signal(signal.SIGTERM)
        assert family.process.wait(60) == 0
    assert family.log.read_text().count("Stopping: finishing what is under way.") == 2


@pytest.mark.timeout(120)
async def test_wrong_settings_end_the_whole_instead_of_being_tried_for_ever(tmp_path: Path) -> None:
    settings = environment("mongodb://127.0.0.1:9", "x", "http://127.0.0.1:9", tmp_path / "keys")
    (tmp_path / "keys" / "kek").unlink()
    family = Family(settings, tmp_path / "serve.log", 2)
    assert await asyncio.to_thread(family.process.wait, 90) > 0
    assert not family.children()
