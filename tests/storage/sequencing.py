"""A sequencer in a process of its own, for tests that kill it: one event a batch, a month a batch, until it is killed."""

import asyncio
import sys
from datetime import timedelta
from pathlib import Path

import bot.runtime.sequencer
from bot.privacy.keyring import Keyring
from bot.privacy.settings import KeySettings
from bot.storage.leaves import MongoLeaves
from bot.storage.mongo import Mongo
from tests.storage.shelf import NOW, settings_of


class Racing:
    """A clock that goes on by twelve days at each look."""

    def __init__(self) -> None:
        self.time = NOW

    def now(self) -> "object":
        self.time += timedelta(days=12)
        return self.time


class Named:
    def event(self, outside_id: str) -> str:
        return outside_id

    def random(self) -> str:
        return "child"


async def main(uri: str, database: str, folder: Path) -> None:
    keys = KeySettings(
        kek_file=folder / "kek", index_key_file=folder / "index", suppression_key_file=folder / "suppression",
        ledger_key_file=folder / "ledger",
    )  # fmt: skip
    mongo = Mongo(settings_of(uri, database))
    await mongo.ping()
    bot.runtime.sequencer.BATCH = 1
    one = bot.runtime.sequencer.Sequencer(
        MongoLeaves(mongo),
        Keyring.load(keys).sign,
        None,
        Named(),
        Racing(),
        every=timedelta(),  # type: ignore[arg-type]
    )
    sys.stdout.write("begun\n")
    sys.stdout.flush()
    while True:
        await one.look()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], Path(sys.argv[3])))
