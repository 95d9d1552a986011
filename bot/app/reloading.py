"""Flows that change while the bot runs: a good new version is taken in without a restart, a broken one is refused and the old goes on.

Every process looks at its own project folder. Whoever sees a new version first publishes it; every process learns every published version
at its next look, and none lets people begin in a new one before all had time for two looks: so whichever process a message comes to, it
knows the version the person stands on. People who are in a flow stay in theirs (`bot.engine.moving` says who is moved).

Only flows and their texts are taken in. Who the business is, what it promises and with whom it works is said to people and proved in
records: a changed business.yaml wants a restart.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from bot.app.project import flow_files, load_catalog, load_project
from bot.domain.errors import RecadoError
from bot.engine.advance import Engine
from bot.engine.book import Book
from bot.engine.compiler import CompiledFlow
from bot.engine.evolution import Parked, lost
from bot.engine.loader import BUSINESS, recompiled
from bot.i18n.formatting import Languages
from bot.observability import logs
from bot.observability.metrics import Gauge, Registry
from bot.runtime.ports import Clock
from bot.storage.published import Published

logger = logging.getLogger(__name__)

LOOKS = 2
"""How many looks every process gets to learn a new version before people begin in it."""

Print = frozenset[tuple[str, int, int]]


@dataclass(frozen=True, slots=True)
class Coming:
    """What is good and published, and from when on people begin in it."""

    book: Book
    texts: Languages
    since: datetime


class FlowFollower:
    """Takes changed flows in while the bot runs, on schedule and when told to (SIGHUP)."""

    def __init__(
        self, project: Path, engine: Engine, published: Published, clock: Clock, registry: Registry, every: float
    ) -> None:
        """`every`: seconds between two looks at the folder and the database."""
        self._project, self._engine, self._published, self._clock, self._every = (
            project,
            engine,
            published,
            clock,
            every,
        )
        self._refused: Gauge = registry.gauge(
            "recado_flows_refused",
            "1 while the flows of the folder are not the ones that run, because they are refused.",
        )
        self._refused.put(0)
        self._print = self._printed()
        self._business = _business_of(project)
        self._doubted: Print | None = None
        self._unreadable: set[tuple[str, str]] = set()
        self._coming: Coming | None = None
        self._told = asyncio.Event()
        self.trouble = ""

    def look_soon(self) -> None:
        """Has the next look happen now."""
        self._told.set()

    async def run(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._told.wait(), self._every)
            self._told.clear()
            await self.look()

    async def look(self) -> None:
        """Never raises: whatever is wrong, the bot goes on with the flows it has, and says so (`trouble`)."""
        try:
            await self._learn()
            await self._take_in()
        except Exception as problem:  # noqa: BLE001 - the old version goes on whatever the new one is
            logger.warning("flows not looked at", extra={"reason": type(problem).__name__})

    async def _learn(self) -> None:
        """Makes known what other processes published, and begins with what is due."""
        book = self._engine.world.book
        known = book.versions.keys() | self._unreadable
        missing = [one for one in await self._published.versions() if one not in known]
        found: dict[tuple[str, str], CompiledFlow] = {}
        for name, version in missing:
            content = await self._published.content(name, version)
            flow = recompiled(name, content) if content is not None else None
            if flow is None:
                self._unreadable.add((name, version))
            else:
                found[name, version] = flow
        if found:
            self._engine.use(book.with_older(found), self._engine.world.texts)
        if self._coming is not None and self._clock.now() >= self._coming.since:
            coming, self._coming = self._coming, None
            self._engine.use(coming.book.with_older(self._engine.world.book.versions), coming.texts)
            logger.info("flows taken in", extra={"count": len(coming.book.flows)})

    async def _take_in(self) -> None:
        seen = await asyncio.to_thread(self._printed)
        if seen == self._print:
            return
        if seen == self._doubted:  # still as broken as at the last look, so nobody is in the middle of saving it
            self._print, self._doubted = seen, None
            self._refuse(await self._reasons())
            return
        if await self._reasons(taking=True):
            self._doubted = seen
            return
        self._print, self._doubted = seen, None
        self._refused.put(0)
        self.trouble = ""

    async def _reasons(self, *, taking: bool = False) -> list[str]:
        """Why the flows of the folder cannot be taken in; with `taking` they are, when there is no reason."""
        if await asyncio.to_thread(_business_of, self._project) != self._business:
            return ["business.yaml has changed: that wants a restart"]
        try:
            loaded = await asyncio.to_thread(load_project, self._project)
        except RecadoError as problem:
            return [str(problem)]
        if loaded.book is None:
            return [
                f"{one.place.file}:{one.place.line}:{one.place.column}: {one.code}: {one.reason}"
                for one in loaded.errors
            ]
        book = replace(loaded.book, business=self._engine.world.book.business)
        parked = [Parked(*one) for one in await self._published.parked()]
        gone = lost(parked, self._engine.world.book.versions, book.flows)
        if gone:
            return [str(one) for one in gone]
        if taking:
            await self._publish(book)
        return []

    async def _publish(self, book: Book) -> None:
        now = self._clock.now()
        for flow in book.flows.values():
            await self._published.flow(flow.id, flow.version, flow.flow.language, flow.content, now)
        texts = await asyncio.to_thread(self._texts, book)
        self._coming = Coming(book, texts, now + timedelta(seconds=LOOKS * self._every))

    def _texts(self, book: Book) -> Languages:
        business = book.business
        texts = Languages(load_catalog(self._project, offered=business.languages, default=business.language))
        texts.warm()
        return texts

    def _refuse(self, reasons: list[str]) -> None:
        self._refused.put(1)
        self.trouble = "; ".join(reasons)
        for reason in reasons:
            logger.error("new flows refused, the old ones go on", extra={"reason": logs.Public(reason)})

    def _printed(self) -> Print:
        """What would change if anybody changed a flow or a translation: names, sizes and times of the files."""
        folders = (("flows", "*.y*ml"), ("locales", "*.po"))
        found = set()
        for folder, pattern in folders:
            for path in (self._project / folder).rglob(pattern):
                with contextlib.suppress(OSError):  # gone since it was listed: the next look tells
                    about = path.stat()
                    found.add((path.as_posix(), about.st_size, about.st_mtime_ns))
        return frozenset(found)


def _business_of(project: Path) -> bytes:
    try:
        files: Mapping[str, bytes] = flow_files(project)
    except (RecadoError, OSError):
        return b""
    return files.get(BUSINESS, b"")


@asynccontextmanager
async def following_flows(follower: FlowFollower) -> AsyncIterator[FlowFollower]:
    """The follower at work until the context is left."""
    task = asyncio.create_task(follower.run())
    try:
        yield follower
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
