"""The embedded database starts, keeps what it acknowledged, and never outlives its owner."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import MongoClient, UpdateOne
from pymongo.collection import Collection
from pymongo.errors import PyMongoError

from bot.storage import embedded
from bot.storage.embedded import (
    EmbeddedDatabase,
    EmbeddedDatabaseBusy,
    EmbeddedDatabaseFailed,
    EmbeddedDatabaseMissing,
)


def count(uri: str) -> int:
    with MongoClient[dict[str, Any]](uri) as client:
        return client.shop.orders.count_documents({})


def becomes_true(condition: Callable[[], bool], seconds: float = 20.0) -> bool:
    """Poll until it holds; the limit only bounds a failure."""
    limit = time.monotonic() + seconds
    while not condition() and time.monotonic() < limit:
        time.sleep(0.02)
    return condition()


def gone(pid: int) -> bool:
    """No such process, or one that has ended and only waits for its parent to notice."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


linux_only = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at processes through /proc")


async def test_motor_reads_what_it_wrote(tmp_path: Path) -> None:
    """The server answers motor inside `async with`."""
    async with EmbeddedDatabase(tmp_path / "db") as database:
        client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(database.uri)
        await client.shop.orders.insert_one({"_id": 1, "state": "paid"})

        assert await client.shop.orders.find_one({"_id": 1}) == {"_id": 1, "state": "paid"}
        client.close()

    assert not database.is_running()


def test_data_is_kept_after_an_orderly_end(tmp_path: Path) -> None:
    """The same folder opened again at once holds what the first server wrote."""
    with EmbeddedDatabase(tmp_path / "db") as first, MongoClient[dict[str, Any]](first.uri) as client:
        client.shop.orders.insert_many([{"_id": number} for number in range(20)])

    with EmbeddedDatabase(tmp_path / "db") as second:
        assert count(second.uri) == 20


def test_every_write_of_the_uri_is_journaled(crashable_database: EmbeddedDatabase) -> None:
    """Whoever only uses the address gets `w: majority` and `j: true` (decisions.md 36)."""
    with MongoClient[dict[str, Any]](crashable_database.uri) as client:
        assert client.write_concern.document == {"w": "majority", "j": True}


@linux_only
def test_it_listens_on_the_loopback_address_only(crashable_database: EmbeddedDatabase) -> None:
    """Nothing on the network can reach it."""
    sockets = [
        line.split()[1] for line in Path("/proc/net/tcp").read_text().splitlines()[1:] if line.split()[3] == "0A"
    ]
    port = f"{crashable_database.port:04X}"

    assert [local for local in sockets if local.endswith(f":{port}")] == [f"0100007F:{port}"]


def test_two_servers_take_two_ports(tmp_path: Path) -> None:
    with EmbeddedDatabase(tmp_path / "one") as one, EmbeddedDatabase(tmp_path / "two") as two:
        assert one.port != two.port


def test_a_wanted_port_is_used(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    with EmbeddedDatabase(tmp_path / "db", port=port) as database:
        assert database.port == port
        assert f":{port}/" in database.uri


def test_a_folder_in_use_is_refused_by_name(tmp_path: Path) -> None:
    """The second owner is told which folder and which process, and the first goes on."""
    with EmbeddedDatabase(tmp_path / "db") as first:
        with pytest.raises(EmbeddedDatabaseBusy, match=rf"{tmp_path}/db is in use by process {os.getpid()}\."):
            EmbeddedDatabase(tmp_path / "db").__enter__()

        assert first.is_running()
        assert count(first.uri) == 0


def test_a_missing_package_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(embedded, "PROGRAM", "no-such-program-anywhere")

    with pytest.raises(EmbeddedDatabaseMissing, match=r"recado\[embedded\].*RECADO_STORAGE__URI"):
        EmbeddedDatabase(tmp_path / "db").__enter__()

    assert list(tmp_path.iterdir()) == []


def test_a_failed_start_quotes_the_log_and_frees_the_folder(tmp_path: Path) -> None:
    """A damaged folder is reported with the server's own last words, and is not left locked."""
    with EmbeddedDatabase(tmp_path / "db"):
        pass
    (tmp_path / "db" / "WiredTiger.turtle").write_text("not what belongs here")

    for _again in range(2):
        with pytest.raises(EmbeddedDatabaseFailed, match=r"ended while starting.*db\.log"):
            EmbeddedDatabase(tmp_path / "db").__enter__()


def test_a_temporary_folder_is_removed_at_the_end() -> None:
    with EmbeddedDatabase(None) as database:
        folder = database._path.parent
        assert folder.is_dir()

    assert not folder.exists()


@linux_only
def test_no_setting_or_secret_of_ours_reaches_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither our tokens nor a variable that would switch its journal off are handed on."""
    monkeypatch.setenv("RECADO_WHATSAPP__ACCESS_TOKEN", "not-for-the-database")
    monkeypatch.setenv("SECANTUS_TEST_FAST_STORAGE", "1")

    with EmbeddedDatabase(None) as database:
        environment = Path(f"/proc/{database.pid}/environ").read_bytes()

    assert b"RECADO_" not in environment
    assert b"SECANTUS_" not in environment


def test_a_server_that_is_not_running_has_no_process_and_cannot_be_restarted(tmp_path: Path) -> None:
    database = EmbeddedDatabase(tmp_path / "db")

    with pytest.raises(EmbeddedDatabaseFailed):
        _ = database.pid
    with pytest.raises(EmbeddedDatabaseFailed):
        database.restart()
    database.stop()


def insert(orders: Collection[dict[str, Any]], worker: str, number: int) -> None:
    orders.insert_one({"_id": f"{worker}:{number}", "worker": worker})


def update(orders: Collection[dict[str, Any]], worker: str, number: int) -> None:
    done = orders.update_one({"_id": worker, "n": number}, {"$inc": {"n": 1}})
    assert done.modified_count == 1


def find_and_update(orders: Collection[dict[str, Any]], worker: str, number: int) -> None:
    assert orders.find_one_and_update({"_id": worker, "n": number}, {"$inc": {"n": 1}}) is not None


def bulk(orders: Collection[dict[str, Any]], worker: str, number: int) -> None:
    done = orders.bulk_write([UpdateOne({"_id": worker, "n": number}, {"$inc": {"n": 1}})], ordered=False)
    assert done.modified_count == 1


Write = Callable[[Collection[dict[str, Any]], str, int], None]
WRITES: dict[str, Write] = {"insert": insert, "update": update, "find and update": find_and_update, "bulk": bulk}


@pytest.mark.crash
def test_nothing_acknowledged_is_lost_by_kill_9(crashable_database: EmbeddedDatabase) -> None:
    """Four kinds of writers are cut off in the middle, three times over; what was acknowledged is there after each restart."""

    def work(worker: str, write: Write, acknowledged: dict[str, int], enough: threading.Event) -> None:
        with MongoClient[dict[str, Any]](
            crashable_database.uri, serverSelectionTimeoutMS=2000, retryWrites=False
        ) as client:
            try:
                client.shop.orders.insert_one({"_id": worker, "n": 0})
                for number in range(100_000):
                    write(client.shop.orders, worker, number)
                    acknowledged[worker] = number + 1
                    if number == 50:
                        enough.set()
            except PyMongoError:
                return

    acknowledged: dict[str, int] = {}
    for lap in range(3):
        started = [threading.Event() for _ in WRITES]
        writers = [
            threading.Thread(target=work, args=(f"{lap} {kind}", write, acknowledged, event))
            for (kind, write), event in zip(WRITES.items(), started, strict=True)
        ]
        for writer in writers:
            writer.start()
        assert all(event.wait(60) for event in started)
        crashable_database.kill()
        for writer in writers:
            writer.join()
        crashable_database.restart()

    with MongoClient[dict[str, Any]](crashable_database.uri) as client:
        orders = client.shop.orders
        kept = {row["_id"]: row["n"] for row in orders.find({"n": {"$gt": 0}})}
        kept |= {f"{lap} insert": orders.count_documents({"worker": f"{lap} insert"}) for lap in range(3)}
    lost = {
        worker: count - kept.get(worker, 0) for worker, count in acknowledged.items() if count > kept.get(worker, 0)
    }
    assert len(acknowledged) == 12
    assert lost == {}


@pytest.mark.crash
def test_a_client_finds_the_restarted_server_at_the_same_address(crashable_database: EmbeddedDatabase) -> None:
    with MongoClient[dict[str, Any]](crashable_database.uri, serverSelectionTimeoutMS=1000) as client:
        client.shop.orders.insert_one({"_id": 1})
        crashable_database.kill()
        assert not crashable_database.is_running()
        with pytest.raises(PyMongoError):
            client.admin.command("ping")
        crashable_database.restart()

        assert client.shop.orders.count_documents({}) == 1


OWNER = """
import signal, sys, time
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # also where the tests run under nohup
from pathlib import Path
from pymongo import MongoClient
from bot.storage.embedded import EmbeddedDatabase
with EmbeddedDatabase(Path(sys.argv[1])) as database:
    MongoClient(database.uri).shop.orders.insert_one({"_id": 1})
    print(database.pid, flush=True)
    time.sleep(600)
"""


@linux_only
@pytest.mark.crash
@pytest.mark.parametrize("how", [pytest.param(signal.SIGKILL, id="killed"), pytest.param(signal.SIGHUP, id="hung up")])
def test_the_server_ends_when_its_owner_dies(tmp_path: Path, how: signal.Signals) -> None:
    """No orphan stays on the port, and the folder can be opened again at once with all data."""
    owner = subprocess.Popen([sys.executable, "-c", OWNER, str(tmp_path / "db")], stdout=subprocess.PIPE)
    assert owner.stdout is not None
    server = int(owner.stdout.readline())
    watchers = children_of(server)
    owner.send_signal(how)
    owner.wait()
    owner.stdout.close()

    with EmbeddedDatabase(tmp_path / "db") as database:
        assert count(database.uri) == 1
    assert becomes_true(lambda: all(gone(process) for process in [server, *watchers]))


@linux_only
@pytest.mark.crash
def test_a_server_that_was_killed_leaves_no_watcher(tmp_path: Path) -> None:
    """The watcher beside a dead server ends too, and signals nobody."""
    with EmbeddedDatabase(tmp_path / "db") as database:
        (watcher,) = children_of(database.pid)
        database.kill()

        assert becomes_true(lambda: gone(watcher))
