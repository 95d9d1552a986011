"""kill -9 of the real process at every step of an erasure and of a copy: it resumes and completes, and nothing comes back."""

import asyncio
import io
import re
import subprocess
import sys
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from tests.e2e import traces
from tests.e2e.served import ROOT, environment, free_port, shop_project
from tests.e2e.standin import Someone, Standin, texts

ANA = Someone("Anabela Exemplo", "+15550100123", "US.13491208655302741918")

ERASURE = (
    "begin:before", "replay:before", "replay:after", "tombstones:after", "job:after", "key:before", "key:after", "rows:before",
    "rows:after", "receivers:before", "receivers:after", "receipt:after", "close:before", "close:after",
)  # fmt: skip
EXPORT = ("copy:before", "file:before", "file:after", "send:before", "send:after", "settle:before", "settle:after")

SHORT_ERASURE = ("key:after", "rows:after")
SHORT_EXPORT = ("file:after", "send:after", "settle:before")


@dataclass
class Killed:
    """Starts one mortal process after the other on the same ports and data."""

    settings: dict[str, str]
    log: Path
    port: int
    admin: int

    def begin(self, point: str) -> subprocess.Popen[bytes]:
        ports = {"RECADO_WEB__PORT": str(self.port), "RECADO_ADMIN__PORT": str(self.admin)}
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "tests.e2e.dying", point, "serve", "--log-level", "DEBUG"],
                env=self.settings | ports | {"PYTHONPATH": str(ROOT), "RECADO_WEB__PUBLIC_URL": f"http://127.0.0.1:{self.port}"},
                cwd=ROOT, stdout=log, stderr=log,
            )  # fmt: skip

    async def ready(self, process: subprocess.Popen[bytes]) -> None:
        async with asyncio.timeout(60), aiohttp.ClientSession() as session:
            while process.poll() is None:
                with suppress(aiohttp.ClientError):
                    async with session.get(f"http://127.0.0.1:{self.admin}/readyz") as answer:
                        if answer.status == 200:
                            return
                await asyncio.sleep(0.05)

    async def dies(self, process: subprocess.Popen[bytes], point: str) -> None:
        """It must die at its point, and of nothing else."""
        deadline = asyncio.get_running_loop().time() + 60
        while process.poll() is None and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110 - another process ends
            await asyncio.sleep(0.05)
        ended = process.poll()
        process.kill()
        process.wait()
        assert ended == -9, f"{point}: {ended}\n{self.log.read_text()[-3000:]}"

    @asynccontextmanager
    async def running(self, point: str = "never") -> AsyncIterator[None]:
        process = self.begin(point)
        try:
            await self.ready(process)
            assert process.poll() is None, self.log.read_text()[-3000:]
            yield
        finally:
            process.terminate()
            process.wait(30)


@dataclass
class Stage:
    meta: Standin
    killed: Killed
    uri: str
    database: str

    def rows(self, name: str) -> list[dict[str, object]]:
        return [row for one, row in traces.documents(self.uri, [self.database]) if one == name]

    async def tapped(self, title: str) -> None:
        """The process may die before it can answer; Meta then brings the message again."""
        try:
            await self.meta.tap(ANA, title)
        except aiohttp.ClientError:
            return

    async def until(self, words: str, done: object) -> None:
        deadline = asyncio.get_running_loop().time() + 60
        while not done():  # type: ignore[operator]
            assert asyncio.get_running_loop().time() < deadline, f"{words}\n{self.killed.log.read_text()[-3000:]}"
            await asyncio.sleep(0.1)

    async def brought_again(self) -> None:
        """Meta brings every webhook again, and nobody answers."""
        before, bodies = len(self.meta.sent), list(self.meta.posted)
        for body in bodies:
            assert await self.meta.post(body, keep=False) == 200
        await asyncio.sleep(1.5)
        assert len(self.meta.sent) == before


@asynccontextmanager
async def stage(uri: str, database: str, folder: Path) -> AsyncIterator[Stage]:
    async with Standin() as meta:
        settings = environment(uri, database, meta.url, folder / "keys", shop_project(folder / "shop", 9))
        killed = Killed(settings, folder / "serve.log", free_port(), free_port())
        meta.webhook = f"http://127.0.0.1:{killed.port}/webhooks/whatsapp"
        yield Stage(meta, killed, uri, database)


async def signed_up(meta: Standin) -> None:
    await meta.say(ANA, "newsletter")
    await meta.hears(ANA, "at most four times a month")
    await meta.tap(ANA, "Yes, please")
    await meta.hears(ANA, "Please confirm once more")
    await meta.tap(ANA, "Confirm")
    await meta.hears(ANA, "you are on the list")


async def erased_under_fire(here: Stage, points: tuple[str, ...]) -> None:
    meta, killed = here.meta, here.killed
    async with killed.running():
        await signed_up(meta)
        await meta.say(ANA, "delete my data")
        await meta.hears(ANA, "You want Casa Lua to delete your data")
        await meta.tap(ANA, "Delete my data")
        await meta.hears(ANA, "shall we delete everything now")
    process = killed.begin(points[0])
    await killed.ready(process)
    await here.tapped("Yes, delete it")
    await killed.dies(process, points[0])
    for point in points[1:]:
        await killed.dies(killed.begin(point), point)
    async with killed.running():
        await here.until(
            "the erasure is not complete", lambda: not here.rows("erasure_jobs") and not here.rows("conversations")
        )
        await here.until("the request stays open", lambda: all("closed_at" in one for one in here.rows("requests")))
        assert sum("has been deleted" in texts(one) for one in meta.to(ANA)) <= 1
        nothing_is_left(here)
        await here.brought_again()
        nothing_is_left(here)
        before = len(meta.sent)
        await meta.say(ANA, "hello")
        await here.until("nobody answers the new person", lambda: len(meta.sent) > before)
        assert "You are talking to" in texts(meta.sent[before]), "a new person is shown the notice"


def nothing_is_left(here: Stage) -> None:
    names = (here.database, f"{here.database}_vault")
    assert traces.found(here.uri, names, [ANA.phone, ANA.phone[1:], ANA.bsuid, ANA.name]) == []
    left = {name for name, row in traces.documents(here.uri, names)} - set(traces.KEPT) - traces.ABOUT_NOBODY
    assert not {
        name for name in left if name in ("identities", "conversations", "subjects", "evidence", "sends", "exports")
    }
    assert here.rows("suppressions"), "the mark that was promised stays"


@pytest.mark.timeout(300)
async def test_an_erasure_that_is_killed_again_and_again_completes(
    mongo_uri: str, database_name: str, tmp_path: Path
) -> None:
    async with stage(mongo_uri, database_name, tmp_path) as here:
        await erased_under_fire(here, SHORT_ERASURE)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "points",
    [
        pytest.param(ERASURE, id="at every step, one after the other"),
        pytest.param(
            ("receipt:before", "close:before"), id="before the receipt, which is then lost and never sent twice"
        ),
    ],
)
async def test_an_erasure_killed_at_every_step_completes(
    mongo_uri: str, database_name: str, tmp_path: Path, points: tuple[str, ...]
) -> None:
    async with stage(mongo_uri, database_name, tmp_path) as here:
        await erased_under_fire(here, points)


@pytest.mark.timeout(300)
async def test_a_message_in_the_middle_of_it_makes_a_new_person(
    mongo_uri: str, database_name: str, tmp_path: Path
) -> None:
    async with stage(mongo_uri, database_name, tmp_path) as here:
        meta = here.meta
        async with here.killed.running("receivers:linger"):
            await signed_up(meta)
            [old] = here.rows("conversations")
            await meta.say(ANA, "delete my data")
            await meta.hears(ANA, "You want Casa Lua to delete your data")
            await meta.tap(ANA, "Delete my data")
            await meta.hears(ANA, "shall we delete everything now")
            await meta.tap(ANA, "Yes, delete it")
            await here.until("the rows stay", lambda: here.rows("erasure_jobs") and not here.rows("conversations"))
            before = len(meta.sent)
            await meta.say(ANA, "hello again")
            await here.until(
                "nobody answers", lambda: any("You are talking to" in texts(one) for one in meta.sent[before:])
            )
            await here.until("the erasure is not complete", lambda: not here.rows("erasure_jobs"))
            [new] = here.rows("conversations")
            assert new["_id"] != old["_id"]
            assert not new.get("consents")
            await here.brought_again()
            assert [one["_id"] for one in here.rows("conversations")] == [new["_id"]]


async def copied_under_fire(here: Stage, points: tuple[str, ...]) -> None:
    meta, killed = here.meta, here.killed
    async with killed.running():
        await signed_up(meta)
        await meta.say(ANA, "my data")
        await meta.hears(ANA, "What would you like?")
    process = killed.begin(points[0])
    await killed.ready(process)
    await here.tapped("Get it as a file")
    await killed.dies(process, points[0])
    for point in points[1:]:
        await killed.dies(killed.begin(point), point)
    async with killed.running():
        await meta.hears(ANA, "Your data as a file", within=60)
        await here.until("the request stays open", lambda: all("closed_at" in one for one in here.rows("requests")))
        assert len(here.rows("exports")) == 1, "one copy, however often it was begun"
        told = texts([one for one in meta.to(ANA) if "Your data as a file" in texts(one)][-1])
        link, code = re.search(r"http\S+", told), re.search(r"(\d{3}) (\d{3})", told)
        assert link is not None
        assert code is not None
        async with meta.session.post(link[0], data={"code": code[1] + code[2]}) as answer:
            assert answer.status == 200
            with zipfile.ZipFile(io.BytesIO(await answer.read())) as file:
                assert "my-data.json" in file.namelist()
        await here.brought_again()
        assert len(here.rows("requests")) == 1


@pytest.mark.timeout(300)
async def test_a_copy_whose_making_is_killed_arrives(mongo_uri: str, database_name: str, tmp_path: Path) -> None:
    async with stage(mongo_uri, database_name, tmp_path) as here:
        await copied_under_fire(here, SHORT_EXPORT)


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_a_copy_killed_at_every_step_arrives(mongo_uri: str, database_name: str, tmp_path: Path) -> None:
    async with stage(mongo_uri, database_name, tmp_path) as here:
        await copied_under_fire(here, EXPORT)
