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
from bot.privacy.keyring import Keyring
from bot.runtime.ports import Clock
from bot.settings import Settings
from bot.storage import key_use, replaying
from bot.storage.indexes import prepare
from bot.storage.mongo import Mongo
from bot.storage.replay_file import ReplayFile
from bot.storage.replays import Replays
from bot.storage.subjects import Subjects

logger = logging.getLogger(__name__)


def replays_of(settings: Settings, mongo: Mongo) -> Replays:
    """The replay list as this installation keeps it."""
    file = settings.privacy.replay_file
    return Replays(mongo, ReplayFile(file) if file is not None else None)


async def refuse_unfit(mongo: Mongo, keyring: Keyring, replays: Replays, now: datetime) -> None:
    """Raises `SettingsProblem` for a database these keys do not belong to, or one that forgot erasures and stops."""
    await key_use.confirm(mongo, keyring)
    await replaying.refuse_behind(mongo, replays, now)
    await replaying.seen_alive(mongo, now)


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
