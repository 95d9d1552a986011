"""The repositories on a database of the test's own, over the wire."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from bot.privacy.keyring import Keyring, create_key_files
from bot.privacy.settings import KeySettings
from bot.storage.indexes import prepare
from tests.storage.shelf import Shelf, Ticking, settings_of


@pytest.fixture(scope="session")
def keyring(tmp_path_factory: pytest.TempPathFactory) -> Keyring:
    return fresh_keyring(tmp_path_factory.mktemp("keys") / "one")


@pytest.fixture(scope="session")
def other_keyring(tmp_path_factory: pytest.TempPathFactory) -> Keyring:
    """Keys of another installation: nothing sealed under the first can be opened with them."""
    return fresh_keyring(tmp_path_factory.mktemp("keys") / "two")


def fresh_keyring(folder: Path) -> Keyring:
    create_key_files(folder)
    names = {
        "kek_file": "kek",
        "index_key_file": "index",
        "suppression_key_file": "suppression",
        "ledger_key_file": "ledger",
    }
    return Keyring.load(KeySettings(**{setting: folder / name for setting, name in names.items()}))


@pytest.fixture
def clock() -> Ticking:
    return Ticking()


@pytest.fixture
async def process(
    mongo_uri: str, database_name: str, keyring: Keyring, clock: Ticking
) -> AsyncIterator[Callable[..., Shelf]]:
    """Makes what one process holds: connections and caches of its own on the shared database."""
    shelves: list[Shelf] = []

    def another(keys: Keyring = keyring) -> Shelf:
        shelves.append(Shelf(settings_of(mongo_uri, database_name), keys, clock))
        return shelves[-1]

    await prepare(another().mongo)
    await _without_expiry(shelves[0])
    yield another
    for shelf in shelves:
        shelf.mongo.close()


async def _without_expiry(shelf: Shelf) -> None:
    """The tests' clock stands in the past, and the database's own would take rows away from under a slow test."""
    for database in (shelf.mongo.main, shelf.mongo.vault):
        for name in await database.list_collection_names():
            if "expires_1" in await database[name].index_information():
                await database[name].drop_index("expires_1")


@pytest.fixture
async def shelf(process: Callable[..., Shelf]) -> Shelf:
    return process()
