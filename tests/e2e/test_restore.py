"""A restored backup, the whole way as an operator goes it: the erased stay erased, the stopped stay stopped (GDPR art. 17, 21(3))."""

import asyncio
import base64
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bot.privacy.crypto import KEY_BYTES
from bot.storage.archive import read
from bot.storage.embedded import EmbeddedDatabase
from tests.e2e import traces
from tests.e2e.served import ROOT, Served, environment, shop_project
from tests.e2e.standin import Someone, Standin, texts
from tests.e2e.typed import recado

ANA = Someone("Anabela Exemplo", "+15550100123", "US.13491208655302741918")
RUI = Someone("Rui Exemplo", "+15550100124", "US.23491208655302741918")
EVA = Someone("Eva Exemplo", "+15550100125", "US.33491208655302741918")
WORDS = "CL98761"


async def signed_up(meta: Standin, person: Someone) -> None:
    """Hello, and a newsletter with both yes."""
    await meta.say(person, "hello there")
    await meta.hears(person, "automated assistant of Casa Lua")
    await meta.say(person, "news")
    await meta.hears(person, "at most four times a month")
    await meta.tap(person, "Yes, please")
    await meta.hears(person, "Please confirm once more")
    await meta.tap(person, "Confirm")
    await meta.hears(person, "you are on the list")


async def erased(meta: Standin, person: Someone) -> None:
    await meta.say(person, "please delete my data")
    await meta.hears(person, "cannot be brought back")
    await meta.tap(person, "Delete my data")
    await meta.hears(person, "delete everything now?")
    await meta.tap(person, "Yes, delete it")
    await meta.hears(person, "has been deleted", within=60)


async def quiet(uri: str, databases: tuple[str, ...]) -> None:
    """Waits until nothing is under way."""
    for _ in range(400):
        rows = list(traces.documents(uri, databases))
        busy = [1 for name, row in rows if name == "erasure_jobs" or row.get("pending")]
        if not busy:
            return
        await asyncio.sleep(0.1)
    raise AssertionError("something stays under way")


async def refused_start(settings: dict[str, str]) -> str:
    """What `serve` says when it ends at once."""
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-m", "bot", "serve"], env=settings | {"RECADO_WEB__PORT": "0", "RECADO_ADMIN__PORT": "0"},
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    return str(done.stderr)


async def newsletter(settings: dict[str, str], person: Someone) -> None:
    sending = (
        "send",
        "--purpose",
        "newsletter",
        "--template",
        "monthly_news",
        "--to",
        person.phone,
        "--with",
        "indigo bowls",
    )
    await recado(settings, *sending)


@pytest.mark.timeout(240)
async def test_a_restored_backup_brings_nobody_back(crashable_database: EmbeddedDatabase, tmp_path: Path) -> None:
    uri, databases = crashable_database.uri, ("shop", "shop_vault")
    async with Standin() as meta:
        settings = environment(uri, "shop", meta.url, tmp_path / "keys", shop_project(tmp_path / "shop", 9))
        async with Served(settings, tmp_path / "serve.log") as served:
            meta.webhook = served.webhook
            for person in (ANA, RUI, EVA):
                await signed_up(meta, person)
            await meta.say(ANA, "where is my order")
            await meta.hears(ANA, "What is your order number?")
            await quiet(uri, databases)
            saved = await recado(settings, "backup", "make", "main", str(tmp_path / "backups"), "--json")
            assert saved.returncode == 0, saved.stderr
            file = Path(json.loads(saved.stdout)["file"])
            secrets = _secrets_of(uri, ANA)
            await erased(meta, ANA)
            await meta.say(RUI, "STOP")
            await meta.hears(RUI, "sends you no more messages")
            await quiet(uri, databases)

        restored = await recado(settings, "backup", "restore", "main", str(file), "--yes")
        assert restored.returncode == 0, restored.stderr
        assert "recado replay-erasures" in restored.stderr
        _nobody_can_read(uri, databases, file, secrets)

        said = await refused_start(settings)
        assert "is behind the vault's replay list (1 erasures, 4 suppressions" in said
        assert "recado replay-erasures" in said
        assert (await recado(settings, "replay-erasures", "--check")).returncode == 1
        assert (await recado(settings, "retention", "run", "--delete")).returncode == 2

        replayed = await recado(settings, "replay-erasures")
        assert replayed.returncode == 0, replayed.stderr
        assert "Done again: 1 erasures, 4 suppressions" in replayed.stdout
        assert (await recado(settings, "replay-erasures", "--check")).returncode == 0

        crashable_database.kill()  # and nothing of it was only in memory
        crashable_database.restart()
        before = len(meta.to(ANA))
        async with Served(settings, tmp_path / "serve2.log") as served:
            meta.webhook = served.webhook
            for person in (ANA, RUI, EVA):
                await newsletter(settings, person)
            await meta.hears(EVA, "indigo bowls")
            await meta.say(ANA, "hello there")
            await meta.until(ANA, before + 1)
            await meta.say(RUI, "help")
            await quiet(uri, databases)
            assert not [one for one in (*meta.to(ANA), *meta.to(RUI)) if "indigo bowls" in texts(one)]
            assert "automated assistant of Casa Lua" in texts(meta.to(ANA)[before]), "the erased is somebody new"
        stopped = [
            row
            for name, row in traces.documents(uri, ["shop"])
            if name == "conversations" and "all" in row.get("stopped", {})
        ]
        assert len(stopped) == 2, "who stopped, and the erased who begins anew under the mark that stayed"
        [rui] = [one for one in stopped if one.get("consents")]
        assert {one["state"] for one in rui["consents"].values()} == {"withdrawn"}
        await _compacted(settings, uri, secrets, tmp_path)


async def _compacted(settings: dict[str, str], uri: str, secrets: list[bytes], folder: Path) -> None:
    """Copied into a fresh server, which is what compaction leaves: no file of it holds her, her key, her salt or her words.

    The server at hand knows no `compact`; a journal and an oplog keep what was deleted until they roll over (docs/backup.md).
    """
    left = {
        bytes(row[name])
        for kind, row in traces.documents(uri, ["shop_vault"])
        if kind == "subjects"
        for name in ("key", "salt")
    }
    gone = [secret for secret in secrets if secret not in left]
    assert len(gone) == 2
    files = []
    for which in ("main", "vault"):
        made = await recado(settings, "backup", "make", which, str(folder / "compact"), "--json")
        assert made.returncode == 0, made.stderr
        files.append((which, json.loads(made.stdout)["file"]))
    fresh = folder / "fresh"
    with EmbeddedDatabase(fresh) as other:
        elsewhere = settings | {"RECADO_STORAGE__URI": other.uri}
        for which, file in files:
            done = await recado(elsewhere, "backup", "restore", which, file, "--yes")
            assert done.returncode == 0, done.stderr
        assert {name for name, _ in traces.documents(other.uri, ["shop", "shop_vault"])} >= {
            "conversations",
            "subjects",
        }
    raw = b"".join(path.read_bytes() for path in sorted(fresh.rglob("*")) if path.is_file())
    assert min(left) in raw, "the search finds what is there"
    assert [one for one in gone if one in raw or base64.b64encode(one) in raw] == []
    personal = [ANA.phone[1:], ANA.bsuid, ANA.name, WORDS]
    assert [form for secret in personal for form in traces.spellings(secret) if form in raw.lower()] == []


def _secrets_of(uri: str, person: Someone) -> list[bytes]:
    """What would open or name her: the wrapped key and the salt of everybody in the vault, before one of them goes."""
    rows = [row for name, row in traces.documents(uri, ["shop_vault"]) if name == "subjects"]
    found = [bytes(row["salt"]) for row in rows] + [bytes(row["key"]) for row in rows]
    assert len(found) == 6
    assert all(len(one) >= KEY_BYTES for one in found)
    return found


def _nobody_can_read(uri: str, databases: tuple[str, ...], file: Path, secrets: list[bytes]) -> None:
    """Even before the replay: neither she nor her words stand in the restored database or in the backup, and her key is gone."""
    personal = [WORDS, *(one for person in (ANA, RUI, EVA) for one in (person.phone[1:], person.bsuid, person.name))]
    assert traces.found(uri, databases, personal) == []
    plain = b"".join(document.raw for _, document in read(file)).lower()
    forms = [form for secret in personal for form in traces.spellings(secret)]
    assert [form for form in forms if form in plain] == []
    vault = [row for name, row in traces.documents(uri, ["shop_vault"]) if name == "subjects"]
    assert len(vault) == 2
    left = {bytes(row["key"]) for row in vault} | {bytes(row["salt"]) for row in vault}
    gone = [secret for secret in secrets if secret not in left]
    assert len(gone) == 2
    assert [one for one in gone if one in plain or base64.b64encode(one) in plain] == []


@pytest.mark.timeout(120)
async def test_a_serve_that_runs_takes_rotated_keys_in(mongo_uri: str, database_name: str, tmp_path: Path) -> None:
    """Rotation and rewrap under load, the rewrap killed over and over: every message is answered and everybody stays who they are."""
    async with Standin() as meta:
        settings = environment(
            mongo_uri, database_name, meta.url, tmp_path / "keys", shop_project(tmp_path / "shop", 9)
        )
        settings["RECADO_PRIVACY__KEYS_READ_EVERY"] = "1 second"
        people = [Someone(f"Exemplo {n}", f"+1555010013{n}", f"US.4349120865530274191{n}") for n in range(6)]
        slow = settings | {"RECADO_PRIVACY__KEYS_READ_EVERY": "1 hour"}  # told by SIGHUP instead
        async with Served(settings, tmp_path / "one.log") as one, Served(slow, tmp_path / "two.log") as two:
            hooks = [one.webhook, two.webhook]
            for person in people[:4]:
                meta.webhook = hooks[0]
                await meta.say(person, "hello there")
                await meta.hears(person, "automated assistant of Casa Lua")
            persons = _persons(mongo_uri, database_name)
            for kind in ("kek", "index", "suppression", "ledger"):
                done = await recado(settings, "keys", "rotate", kind, "--after", "3 seconds")
                assert done.returncode == 0, done.stderr
            assert two.process is not None
            two.process.send_signal(signal.SIGHUP)
            load = asyncio.create_task(_talking(meta, people, hooks))
            await _rewrapped_by_killed_processes(settings)
            await load
            done = await recado(settings, "keys", "rewrap", "--json")
            assert done.returncode == 0, done.stderr
            status = json.loads((await recado(settings, "keys", "status", "--use", "--json")).stdout)
            for kind in ("kek", "index", "suppression"):
                assert [row["rows"] for row in status["keys"][kind]["versions"] if not row["in_use"]] == [0], kind
            assert status["troubles"] == []
            after = _persons(mongo_uri, database_name)
            assert persons < after
            assert len(after) == len(people)
            for person in people:
                heard = [one for one in meta.to(person) if "automated assistant of Casa Lua" in texts(one)]
                assert len(heard) == 1, "nobody was met as a stranger again"
    for log in ("one.log", "two.log"):
        assert '"level": "error"' not in (tmp_path / log).read_text().lower()


def _persons(uri: str, database: str) -> set[str]:
    return {row["_id"] for name, row in traces.documents(uri, [database]) if name == "conversations"}


async def _talking(meta: Standin, people: list[Someone], hooks: list[str]) -> None:
    """Everybody goes on writing to both processes, over the moment at which the new keys come into use."""
    for turn in range(24):
        meta.webhook = hooks[turn % 2]
        answers = await asyncio.gather(*(meta.say(person, "help") for person in people))
        assert set(answers) == {200}
        await asyncio.sleep(0.2)


async def _rewrapped_by_killed_processes(settings: dict[str, str]) -> None:
    """`keys rewrap`, killed after ever longer times."""
    for tenth in range(4, 12, 2):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "keys", "rewrap", env=settings, cwd=ROOT, stdout=-3, stderr=-3
        )
        await asyncio.sleep(tenth / 10)
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
        await process.wait()
