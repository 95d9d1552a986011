"""The connection: what is out of reach is `RetryLater` soon, and what the program made it can make again."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from pymongo import errors

from bot.domain.command import Suppress
from bot.domain.conversation import Conversation
from bot.domain.errors import RetryLater, SettingsProblem
from bot.domain.ids import CommandId, PersonId, Wamid
from bot.privacy.inventory import COLLECTIONS
from bot.privacy.keyring import Keyring
from bot.storage import indexes
from bot.storage.embedded import EmbeddedDatabase
from bot.storage.mongo import Mongo, insert_all_once, reaches, upsert
from tests.storage.shelf import (
    ADDRESS,
    NOW,
    Shelf,
    Ticking,
    consent_event,
    event,
    following,
    lease,
    send,
    settings_of,
    turn,
)

Process = Callable[..., Shelf]

BOUND = 30.0
"""Seconds after which something counts as hanging; the settings below allow far less."""

PERSON, CALLBACK = PersonId("7" * 32), "c" * 32


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        pytest.param(errors.AutoReconnect("host:1"), RetryLater, id="the connection broke"),
        pytest.param(errors.NetworkTimeout("host:1"), RetryLater, id="no answer came"),
        pytest.param(errors.ServerSelectionTimeoutError("host:1"), RetryLater, id="no server was found"),
        pytest.param(errors.NotPrimaryError("host:1"), RetryLater, id="the primary moved"),
        pytest.param(errors.WaitQueueTimeoutError("host:1"), RetryLater, id="all connections are busy"),
        pytest.param(errors.ExecutionTimeout("host:1", 50), RetryLater, id="it took too long"),
        pytest.param(errors.WriteConcernError("host:1", 64), RetryLater, id="a majority did not confirm"),
        pytest.param(errors.WTimeoutError("host:1", 64), RetryLater, id="a majority did not confirm in time"),
        pytest.param(errors.OperationFailure("host:1", 112), RetryLater, id="two writes met"),
        pytest.param(errors.OperationFailure("host:1", 11602), RetryLater, id="interrupted by an election"),
        pytest.param(errors.OperationFailure("host:1", 13), errors.OperationFailure, id="not allowed to"),
        pytest.param(
            errors.DuplicateKeyError("host:1", 11000), errors.DuplicateKeyError, id="a key that stands already"
        ),
    ],
)
async def test_what_may_work_later_is_told_apart_from_what_will_not(
    raised: Exception, expected: type[Exception]
) -> None:
    """`RetryLater` for what passes, everything else as it is; the driver's text, which names hosts, does not go on."""

    @reaches
    async def method() -> None:
        raise raised

    with pytest.raises(expected) as caught:
        await method()
    if expected is RetryLater:
        assert "host:1" not in str(caught.value)
        assert caught.value.__suppress_context__


def calls(shelf: Shelf) -> dict[str, Callable[[], Awaitable[object]]]:
    """One call of every port."""
    command = CommandId("1" * 32)
    return {
        "find": lambda: shelf.conversations.find(PERSON),
        "commit": lambda: shelf.conversations.commit(turn(None, Conversation(PERSON, version=1))),
        "due": lambda: shelf.conversations.due(NOW, 10),
        "take": lambda: shelf.conversations.take([PERSON], lease(), NOW),
        "claim": lambda: shelf.conversations.claim(PERSON, "a", command, CALLBACK, 0, NOW),
        "settle": lambda: shelf.conversations.settle(PERSON, "a", command),
        "release": lambda: shelf.conversations.release(PERSON, "a", 1, None, []),
        "renew": lambda: shelf.conversations.renew(PERSON, lease()),
        "recognise": lambda: shelf.people.recognise(ADDRESS, NOW),
        "admit": lambda: shelf.people.admit(ADDRESS, NOW),
        "bind": lambda: shelf.people.bind(PERSON, ADDRESS, NOW),
        "address": lambda: shelf.people.address(PERSON),
        "gone": lambda: shelf.people.gone([event(1)]),
        "suppress": lambda: shelf.suppressions.suppress(ADDRESS, [Suppress("all", NOW, "keyword")]),
        "standing": lambda: shelf.suppressions.standing(ADDRESS),
        "lift": lambda: shelf.suppressions.lift(ADDRESS, ["all"]),
        "start": lambda: shelf.sends.start(CALLBACK, PERSON, send(PERSON), NOW),
        "status": lambda: shelf.sends.status(CALLBACK, Wamid(""), "read", NOW, 0, ""),
        "record": lambda: shelf.ledger.record(PERSON, consent_event(command), NOW),
        "holds": lambda: shelf.ledger.holds(command),
        "unfinished": lambda: shelf.erasures.unfinished(lease(), NOW),
        "ping": shelf.mongo.ping,
        "bulk": lambda: insert_all_once(shelf.mongo.collection("tombstones"), [{"_id": "x"}]),
    }


async def out_of_reach(shelf: Shelf) -> dict[str, str]:
    """What became of each call, all at once, within a bound."""

    async def one(call: Callable[[], Awaitable[object]]) -> str:
        try:
            await reaches(call)()
        except RetryLater:
            return "later"
        except Exception as problem:  # noqa: BLE001 - the kind is what is looked at
            return type(problem).__name__
        return "done"

    names = calls(shelf)
    async with asyncio.timeout(BOUND):
        return dict(zip(names, await asyncio.gather(*(one(call) for call in names.values())), strict=True))


async def impatient(uri: str, keyring: Keyring) -> Shelf:
    return Shelf(settings_of(uri, "impatient", timeout=0.5, pool_size=4), keyring, Ticking())


async def test_a_dead_database_is_told_soon(keyring: Keyring, unused_tcp_port: int) -> None:
    """Every call of every port raises `RetryLater`; Meta then delivers again (architecture.md 1)."""
    shelf = await impatient(f"mongodb://127.0.0.1:{unused_tcp_port}", keyring)
    results = await out_of_reach(shelf)
    assert set(results.values()) == {"later"}, results
    shelf.mongo.close()


@pytest.mark.crash
async def test_a_database_that_dies_and_comes_back_is_used_again(
    crashable_database: EmbeddedDatabase, keyring: Keyring
) -> None:
    """Killed between two turns: the second is refused for now and committed later; the first was not lost."""
    shelf = await impatient(crashable_database.uri, keyring)
    person = await shelf.somebody()
    stored = await shelf.begun(person)
    crashable_database.kill()
    with pytest.raises(RetryLater):
        await shelf.conversations.commit(turn(stored, following(stored)))
    await asyncio.to_thread(crashable_database.restart)
    assert await shelf.conversations.find(person) == stored
    assert await shelf.conversations.commit(turn(stored, following(stored))) is not None
    shelf.mongo.close()


@pytest.mark.crash
async def test_a_database_that_hangs_is_told_soon(crashable_database: EmbeddedDatabase, keyring: Keyring) -> None:
    """Connected, and then no answer to more calls than there are connections."""
    shelf = await impatient(crashable_database.uri, keyring)
    await shelf.mongo.ping()
    os.kill(crashable_database.pid, signal.SIGSTOP)
    try:
        results = await out_of_reach(shelf)
    finally:
        os.kill(crashable_database.pid, signal.SIGCONT)
    assert set(results.values()) == {"later"}, results
    shelf.mongo.close()


@pytest.mark.parametrize(
    "uri",
    [
        pytest.param("", id="empty"),
        pytest.param("postgres://user:secret@host", id="another database"),
        pytest.param("mongodb://user:secret@host:port", id="no port"),
        pytest.param("mongodb://user:se:cret@@host", id="unescaped password"),
    ],
)
async def test_a_wrong_address_is_a_settings_problem(uri: str) -> None:
    """Named by its setting; the address, which may hold a password, is not repeated."""
    with pytest.raises(SettingsProblem, match="RECADO_STORAGE__URI") as caught:
        Mongo(settings_of(uri, "x"))
    assert "secret" not in str(caught.value)


async def test_settings_do_not_show_an_address(mongo_uri: str) -> None:
    assert "mongodb://" not in repr(settings_of("mongodb://user:secret@host", "x", vault_uri="mongodb://host"))


class Crowded:
    """A collection in which another upsert of the same new row is always a moment faster."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, object]] = {}

    async def update_one(self, wanted: dict[str, str], update: dict[str, dict[str, object]], *, upsert: bool) -> None:
        if upsert and wanted["_id"] not in self.rows:
            self.rows[wanted["_id"]] = {"by": "another"}
            raise errors.DuplicateKeyError("E11000", 11000)
        self.rows[wanted["_id"]] |= update["$set"]


async def test_an_upsert_that_lost_to_another_one_is_done_all_the_same() -> None:
    """MongoDB may answer two upserts of a new row with a duplicate key; a STOP's row must not be lost to that."""
    crowded = Crowded()
    await upsert(crowded, "x", {"$set": {"scope": "all"}})
    assert crowded.rows == {"x": {"by": "another", "scope": "all"}}


@pytest.fixture
async def bare(mongo_uri: str, database_name: str) -> AsyncIterator[Mongo]:
    mongo = Mongo(settings_of(mongo_uri, database_name))
    yield mongo
    mongo.close()


async def test_what_a_database_needs_is_made_once_by_many(bare: Mongo, mongo_uri: str, database_name: str) -> None:
    """Five processes start at once, and again: every collection about people can be searched by person, and rows that end do."""
    others = [Mongo(settings_of(mongo_uri, database_name)) for _ in range(4)]
    for _ in range(2):
        await asyncio.gather(*(indexes.prepare(one) for one in (bare, *others)))
    for collection in COLLECTIONS.values():
        rows = (bare.vault if collection.vault else bare.main)[collection.name]
        known = await rows.index_information() if collection.found_by not in ("", "_id") else None
        assert known is None or f"{collection.found_by}_1" in known, collection.name
    due = await bare.collection("conversations").index_information()
    assert "work_due_1" in due
    assert not [name for name, one in due.items() if "expireAfterSeconds" in one]
    expiring = await bare.collection("sends").index_information()
    assert expiring["expires_1"]["expireAfterSeconds"] == 0
    for one in others:
        one.close()


async def test_data_of_a_newer_program_are_not_touched(bare: Mongo) -> None:
    """An older program would drop fields it does not know; it refuses to start instead."""
    await indexes.prepare(bare)
    newer = {"$set": {"version": indexes.SCHEMA_VERSION + 1}}
    await bare.collection("schema").update_one({"_id": "recado"}, newer)
    with pytest.raises(SettingsProblem, match="newer"):
        await indexes.prepare(bare)


async def test_the_vault_is_a_database_of_its_own(shelf: Shelf) -> None:
    """Keys and what they open are never in one backup (decisions.md 15)."""
    await shelf.somebody()
    assert await shelf.mongo.main.list_collection_names(filter={"name": "subjects"}) == []
    assert await shelf.mongo.vault["subjects"].count_documents({}) == 1
    assert await shelf.mongo.vault.list_collection_names(filter={"name": "identities"}) == []
