"""The commands that look after stored data, as an operator types them, and a start that refuses keys it cannot trust."""

import asyncio
import json
import shutil
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from pymongo import MongoClient

from bot.cli import recado
from bot.domain.command import Suppress
from bot.domain.ids import Address, Bsuid, CommandId, PersonId, PhoneNumber
from bot.privacy.keyring import Keyring, create_key_files
from bot.runtime.ports import Clock
from bot.settings import read_settings
from bot.storage.indexes import prepare
from bot.storage.replays import Replays
from tests.e2e.served import echo_project, environment
from tests.storage.shelf import Shelf, send

pytestmark = pytest.mark.mongo

ANA = Address(PhoneNumber("+15550100188"), Bsuid("US.13491208655302741918"))
NOW = datetime.now(UTC).replace(microsecond=0)


class Standing(Clock):
    def now(self) -> datetime:
        return NOW


@pytest.fixture
def settings(mongo_uri: str, database_name: str, tmp_path: Path) -> dict[str, str]:
    project = echo_project(tmp_path / "project")
    whole = environment(mongo_uri, database_name, "http://127.0.0.1:9", tmp_path / "keys", project)
    return {name: value for name, value in whole.items() if name.startswith("RECADO_")}


def run(settings: Mapping[str, str], *arguments: str) -> Result:
    return CliRunner().invoke(recado, list(arguments), env=dict(settings))


async def _filled(settings: Mapping[str, str], days: int) -> PersonId:
    """Somebody who wrote so many days ago, was sent something and stopped."""
    read = read_settings(settings)
    shelf = Shelf(read.storage, Keyring.load(read.privacy), Standing())  # type: ignore[arg-type]
    try:
        await prepare(shelf.mongo)
        at = NOW - timedelta(days=days)
        person = await shelf.people.admit(ANA, at)
        await shelf.begun(person, last_inbound_at=at, language="en")
        await shelf.mongo.collection("conversations").update_many({}, {"$set": {"touched": at, "sweep_at": at}})
        await shelf.sends.start("c" * 32, person, send(person), NOW)
        await shelf.suppressions.suppress(ANA, [Suppress("all", NOW, "keyword")])
        return person
    finally:
        shelf.mongo.close()


def filled(settings: Mapping[str, str], days: int = 0) -> PersonId:
    return asyncio.run(_filled(settings, days))


# -- keys ---------------------------------------------------------------------------------------------------------------------


def test_a_key_is_rotated_rewrapped_and_retired(settings: dict[str, str]) -> None:
    filled(settings)
    [old] = json.loads(run(settings, "keys", "status", "--json").output)["keys"]["kek"]["versions"]
    made = run(settings, "keys", "rotate", "kek", "--after", "0 seconds", "--json")
    assert made.exit_code == 0, made.output
    new = json.loads(made.stdout)["kid"]
    used = json.loads(run(settings, "keys", "status", "--use", "--json").output)["keys"]["kek"]["versions"]
    assert [(one["kid"], one["in_use"], one["rows"]) for one in used] == [(new, True, 0), (old["kid"], False, 1)]

    refused = run(settings, "keys", "retire", "kek", old["kid"])
    assert refused.exit_code == 1
    assert "1 rows stand under" in refused.output
    done = run(settings, "keys", "rewrap", "--json")
    assert json.loads(done.stdout) == {"moved": {"subjects": 1}, "left": 0, "unreadable": 0}
    refused = run(settings, "keys", "retire", "kek", old["kid"])
    assert refused.exit_code == 1
    assert "Backups of the last 36 days may need" in refused.output
    retired = run(settings, "keys", "retire", "kek", old["kid"], "--backups-gone")
    assert retired.exit_code == 0, retired.output
    assert [
        one["kid"] for one in json.loads(run(settings, "keys", "status", "--json").output)["keys"]["kek"]["versions"]
    ] == [new]
    assert run(settings, "keys", "rewrap").exit_code == 0, "the retired version is asked for no more"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(["rotate", "kek", "--after", "soon"], "length of time", id="no length"),
        pytest.param(["rotate", "other"], "is not one of", id="no such kind"),
        pytest.param(["retire", "ledger", "x"], "Old ledger keys stay", id="a signing key"),
        pytest.param(["retire", "kek", "kek-none", "--backups-gone"], "holds no version", id="no such version"),
    ],
)
def test_a_misuse_of_keys_is_told(settings: dict[str, str], arguments: list[str], says: str) -> None:
    told = run(settings, "keys", *arguments)
    assert told.exit_code == 2
    assert says in told.output


def test_rows_without_their_key_are_told(settings: dict[str, str], mongo_uri: str, database_name: str) -> None:
    filled(settings)
    with MongoClient(mongo_uri) as client:
        client[f"{database_name}_vault"]["subjects"].update_many({}, {"$set": {"kid": "kek-lost"}})
    told = run(settings, "keys", "status", "--use")
    assert told.exit_code == 1
    assert "1 rows stand under the kek key kek-lost" in told.output


# -- a start that cannot trust its keys -------------------------------------------------------------------------------------------


def _other(path: Path) -> None:
    folder = path.parent.parent / "other"
    create_key_files(folder)
    shutil.copy(folder / path.name, path)


def _older(path: Path) -> None:
    """Put back after a rotation that the database knows of."""
    copy = path.read_bytes()
    env = {f"RECADO_PRIVACY__{name}": str(path.parent / kind) for kind, name in SETTINGS.items()}
    assert run(env, "keys", "rotate", path.name, "--after", "0 seconds").exit_code == 0
    path.with_name("copy").write_bytes(copy)


def _swapped(path: Path) -> None:
    other = path.with_name("index" if path.name != "index" else "kek")
    middle = path.with_name("middle")
    path.rename(middle)
    other.rename(path)
    middle.rename(other)


def _foreign_key(path: Path) -> None:
    plain = json.loads(path.read_text())
    _other(path)
    kid = plain["versions"][0]["kid"]
    mine = json.loads(path.read_text())
    path.write_text(json.dumps({**mine, "versions": [{**mine["versions"][0], "kid": kid}]}))


def _flipped(path: Path) -> None:
    text = path.read_text()
    key = json.loads(text)["versions"][0]["key"]
    path.write_text(text.replace(key, ("A" if key[0] != "A" else "B") + key[1:]))


SETTINGS = {
    "kek": "KEK_FILE",
    "index": "INDEX_KEY_FILE",
    "suppression": "SUPPRESSION_KEY_FILE",
    "ledger": "LEDGER_KEY_FILE",
}
FAULTS = [
    pytest.param(lambda path: path.unlink(), "does not exist", id="lost"),
    pytest.param(_other, "is not in the file of the", id="another installation's"),
    pytest.param(_foreign_key, "another key under the name", id="another key under its name"),
    pytest.param(_flipped, "another key under the name", id="one bit flipped"),
    pytest.param(_swapped, "holds keys of another kind", id="exchanged with another"),
    pytest.param(lambda path: path.chmod(0o644), "chmod 600", id="readable by everybody"),
    pytest.param(lambda path: path.write_bytes(path.read_bytes()[:40]), "is damaged", id="cut short"),
    pytest.param(lambda path: path.write_bytes(b""), "is damaged", id="empty"),
    pytest.param(lambda path: path.parent.chmod(0o777), "chmod go-w", id="in a folder that everybody may write"),
]


@pytest.mark.parametrize("kind", SETTINGS)
@pytest.mark.parametrize(("spoil", "says"), FAULTS)
def test_a_start_refuses_keys_it_cannot_trust(
    settings: dict[str, str], kind: str, spoil: Callable[[Path], None], says: str
) -> None:
    """In plain words that name the file or the key, without a traceback, and without anything being changed."""
    filled(settings)
    assert run(settings, "replay-erasures", "--check").exit_code == 0  # notes which keys the data were written with
    spoil(Path(settings[f"RECADO_PRIVACY__{SETTINGS[kind]}"]))

    told = run(settings, "serve")

    assert told.exit_code == 2
    assert says in told.output
    assert "Traceback" not in told.output


def test_a_start_refuses_an_older_copy_of_a_key_file(settings: dict[str, str]) -> None:
    path = Path(settings["RECADO_PRIVACY__KEK_FILE"])
    _older(path)
    assert run(settings, "replay-erasures", "--check").exit_code == 0
    path.with_name("copy").replace(path)
    path.chmod(0o600)
    told = run(settings, "serve")
    assert told.exit_code == 2
    assert "an older copy" in told.output


# -- retention ------------------------------------------------------------------------------------------------------------------


def test_what_is_due_is_shown_then_deleted(settings: dict[str, str], mongo_uri: str, database_name: str) -> None:
    filled(settings, days=731)
    shown = run(settings, "retention", "run")
    assert shown.exit_code == 0, shown.output
    assert (
        "1 due  conversations: whole rows (with_person: until erasure, or 24 months after the last message)"
        in shown.output
    )
    assert "Nothing was deleted; say --delete." in shown.output
    due = json.loads(run(settings, "retention", "report", "--json").output)["due"]

    done = run(settings, "retention", "run", "--delete", "--json")

    assert done.exit_code == 0
    result = json.loads(done.stdout)
    assert result["deleted"] == due
    assert result["unverified"] == 0
    with MongoClient(mongo_uri) as client:
        assert client[database_name]["conversations"].count_documents({}) == 0
        assert client[database_name]["identities"].count_documents({}) == 0
    assert run(settings, "retention", "run").output.startswith("Nothing is past its time.")


def test_the_periods_that_hold_are_shown(settings: dict[str, str]) -> None:
    business = Path(settings["RECADO_PROJECT"]) / "flows" / "business.yaml"
    business.write_text(business.read_text() + "retention: {transcript: 14 days}\n")
    shown = run(settings, "retention", "report")
    assert shown.exit_code == 0, shown.output
    assert "transcript        14 days (default: 30 days)" in shown.output
    assert "objection         3 years" in shown.output


def test_a_period_outside_the_law_is_refused(settings: dict[str, str]) -> None:
    business = Path(settings["RECADO_PROJECT"]) / "flows" / "business.yaml"
    business.write_text(business.read_text() + "retention: {objection: 1 year}\n")
    for arguments in (["retention", "report"], ["serve"]):
        told = run(settings, *arguments)
        assert told.exit_code == 2
        assert "three years at least" in told.output


# -- backup and replay --------------------------------------------------------------------------------------------------------------


def test_a_backup_is_made_and_old_ones_go(settings: dict[str, str], tmp_path: Path) -> None:
    filled(settings)
    folder = tmp_path / "backups"
    folder.mkdir()
    for name in ("main-20200101T000000Z.recado", "vault-20200101T000000Z.recado", "main-notes.recado"):
        (folder / name).write_text("x")
    made = json.loads(run(settings, "backup", "make", "main", str(folder), "--json").stdout)
    assert made["rows"]["conversations"] == 1
    assert made["removed"] == ["main-20200101T000000Z.recado"]
    refused = run(settings, "backup", "restore", "main", made["file"])
    assert refused.exit_code == 2
    assert "--yes" in refused.output
    damaged = folder / "main-notes.recado"
    told = run(settings, "backup", "restore", "main", str(damaged), "--yes")
    assert told.exit_code == 1
    assert "damaged" in told.output


def test_what_a_restore_forgot_is_told_and_done_again(
    settings: dict[str, str], mongo_uri: str, database_name: str
) -> None:
    person = filled(settings)
    asyncio.run(_erased(settings, person))
    told = run(settings, "replay-erasures", "--check", "--json")
    assert told.exit_code == 1
    assert json.loads(told.stdout) == {"missing": {"erasures": 1, "suppressions": 0, "withdrawals": 0}}
    refused = run(settings, "serve")
    assert refused.exit_code == 2
    assert "recado replay-erasures" in refused.output
    assert json.loads(run(settings, "replay-erasures", "--json").stdout)["done"]["erasures"] == 1
    assert "nothing is to be done" in run(settings, "replay-erasures").output
    with MongoClient(mongo_uri) as client:
        assert client[database_name]["conversations"].count_documents({}) == 0


async def _erased(settings: Mapping[str, str], person: PersonId) -> None:
    """The list says erased, the database holds everything: as after a restore."""
    read = read_settings(settings)
    shelf = Shelf(read.storage, Keyring.load(read.privacy), Standing())  # type: ignore[arg-type]
    try:
        await Replays(shelf.mongo).erased(CommandId("e" * 32), person, "r" * 32, NOW)
    finally:
        shelf.mongo.close()


def test_a_start_refuses_a_replay_file_it_cannot_write(settings: dict[str, str], tmp_path: Path) -> None:
    """Said before the first STOP has to be refused for it."""
    told = run({**settings, "RECADO_PRIVACY__REPLAY_FILE": str(tmp_path / "gone" / "replay")}, "serve")
    assert told.exit_code == 2
    assert "cannot be written (No such file or directory)" in told.output
    assert "RECADO_PRIVACY__REPLAY_FILE" in told.output
