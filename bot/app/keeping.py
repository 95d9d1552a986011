"""What keeps the data safe around a running bot: the keys it was written with, rotated files, the replay list, and how it may start.

Assembled here for `serve` and for the commands that work on the same data; the rules themselves live in `privacy` and `storage`.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.errors import SettingsProblem
from bot.engine.book import Book
from bot.observability.metrics import Registry
from bot.privacy import retention
from bot.privacy.keyring import Keyring
from bot.runtime.deadlines import Deadlines
from bot.runtime.ports import Clock
from bot.runtime.sweeping import Sweeping
from bot.settings import Settings
from bot.storage import key_use, replaying
from bot.storage.indexes import prepare
from bot.storage.mongo import Mongo
from bot.storage.replay_file import ReplayFile
from bot.storage.replays import Replays
from bot.storage.subjects import Subjects
from bot.storage.sweeping import MongoSweeper

logger = logging.getLogger(__name__)


def replays_of(settings: Settings, mongo: Mongo) -> Replays:
    """The replay list as this installation keeps it."""
    file = settings.privacy.replay_file
    return Replays(mongo, ReplayFile(file) if file is not None else None)


async def refuse_unfit(mongo: Mongo, keyring: Keyring, replays: Replays, now: datetime) -> None:
    """Raises `SettingsProblem` for a database these keys do not belong to, or one that forgot erasures and stops."""
    if replays.file is not None:
        replays.file.check()
    await key_use.confirm(mongo, keyring)
    await replaying.refuse_behind(mongo, replays, now)
    await replaying.seen_alive(mongo, now)


def periods_of(settings: Settings, book: Book) -> retention.Periods:
    """How long each class and purpose is kept here. Raises `SettingsProblem` for a length outside its bounds."""
    served = {name: flow.flow.purpose for name, flow in book.flows.items()}
    return retention.periods(book.business, served, objection=_objection(settings, book))


def _objection(settings: Settings, book: Book) -> timedelta | None:
    """The setting counts where it was set; else business.yaml may say more than the default."""
    told = settings.privacy.suppression_lasts
    return (
        told if "suppression_lasts" in settings.privacy.model_fields_set else book.business.retention.get("objection")
    )


@asynccontextmanager
async def sweeping(sweeper: MongoSweeper, registry: Registry) -> AsyncIterator[Sweeping]:
    """Retention on schedule until the context is left."""
    schedule = Sweeping(sweeper, registry)
    task = asyncio.create_task(schedule.run())
    try:
        yield schedule
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@asynccontextmanager
async def watching_deadlines(deadlines: Deadlines) -> AsyncIterator[None]:
    """The requests' clocks as figures until the context is left."""
    task = asyncio.create_task(deadlines.run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


class KeyFollower:
    """Takes rotated key files in while the bot runs, on schedule and when told to (SIGHUP)."""

    def __init__(self, keyring: Keyring, every: timedelta) -> None:
        self._keyring = keyring
        self._every = every.total_seconds()
        self.trouble = ""

    def look(self) -> None:
        """Never raises: with files that cannot be trusted the bot goes on with the keys it has, and says so (`trouble`)."""
        try:
            changed = self._keyring.reread()
        except SettingsProblem as problem:
            if not self.trouble:
                logger.error("key files not reread", extra={"reason": str(problem)})  # noqa: TRY400 - the text says it all
            self.trouble = "the key files cannot be reread; see the log"
            return
        self.trouble = ""
        if changed:
            logger.info("key files reread")

    async def run(self) -> None:
        while True:
            await asyncio.sleep(self._every)
            self.look()

    async def answers(self) -> str:
        """For the readiness check: empty while all is well."""
        return self.trouble


@asynccontextmanager
async def following(keyring: Keyring, every: timedelta) -> AsyncIterator[KeyFollower]:
    """A follower at work until the context is left."""
    follower = KeyFollower(keyring, every)
    task = asyncio.create_task(follower.run())
    try:
        yield follower
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@dataclass(frozen=True, slots=True)
class Opened:
    """The databases and keys of an installation, without a bot on them."""

    settings: Settings
    mongo: Mongo
    keyring: Keyring
    subjects: Subjects
    replays: Replays


@asynccontextmanager
async def opened(settings: Settings, clock: Clock) -> AsyncIterator[Opened]:
    """For commands that look after the data. Raises `SettingsProblem` and `RetryLater` as a start of the bot does.

    It does not ask whether the main database is behind: mending that is what one of them is for.
    """
    if not settings.storage.uri:
        raise SettingsProblem("RECADO_STORAGE__URI is not set: where the data are kept, e.g. mongodb://host:27017.")
    keyring = Keyring.load(settings.privacy)
    mongo = Mongo(settings.storage)
    try:
        await mongo.ping()
        await prepare(mongo)
        await key_use.confirm(mongo, keyring)
        yield Opened(settings, mongo, keyring, Subjects(mongo, keyring, clock), replays_of(settings, mongo))
    finally:
        mongo.close()
