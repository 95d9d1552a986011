"""The replay list beside the databases: on the disk before the answer, and whole whatever happens to its writer."""

import json
import multiprocessing
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.domain.command import Suppress
from bot.domain.errors import RetryLater, SettingsProblem
from bot.domain.ids import Address, CommandId, PersonId, PhoneNumber
from bot.storage.replay_file import ReplayFile
from bot.storage.replaying import Replaying
from bot.storage.replays import Replays
from bot.storage.suppressions import MongoSuppressions
from tests.storage.shelf import NOW, Shelf, whole_life

MOMENT = datetime(2026, 5, 4, tzinfo=UTC)
RUI = Address(phone=PhoneNumber("+447700900123"))


def entry(name: str, kind: str = "erasure", **more: object) -> dict[str, object]:
    return {"_id": name, "kind": kind, "at": MOMENT, "expires": MOMENT + timedelta(days=36), **more}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "replay.jsonl"


def test_entries_come_back_as_they_were(path: Path) -> None:
    rows = [entry("a", person="p" * 32), entry("suppression:x", "suppression", since=MOMENT, scope="all")]
    ReplayFile(path).append(rows)
    assert ReplayFile(path).entries() == rows
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_missing_file_is_an_empty_list(path: Path) -> None:
    assert ReplayFile(path).entries() == []


def test_a_later_line_counts_and_a_lifted_one_takes_away(path: Path) -> None:
    file = ReplayFile(path)
    for days in (1, 3, 2):
        file.append([entry("s", "suppression", since=MOMENT + timedelta(days=days))])
    file.append([entry("t", "suppression", since=MOMENT), entry("t", "lifted")])
    assert [(one["_id"], one["since"]) for one in file.entries()] == [("s", MOMENT + timedelta(days=3))]


def test_a_line_that_a_crash_cut_short_was_never_answered_for(path: Path) -> None:
    file = ReplayFile(path)
    file.append([entry("a"), entry("b")])
    whole = path.read_bytes()
    for end in range(whole.index(b"\n") + 1, len(whole)):
        path.write_bytes(whole[:end])
        assert [one["_id"] for one in file.entries()] in (["a"], ["a", "b"])
        file.append([entry("c")])
        assert [one["_id"] for one in file.entries()] in (["a", "c"], ["a", "b", "c"])


def test_damage_in_the_middle_is_refused(path: Path) -> None:
    file = ReplayFile(path)
    file.append([entry("a"), entry("b"), entry("c")])
    lines = path.read_bytes().split(b"\n")
    path.write_bytes(b"\n".join([lines[0], lines[1][:-9], *lines[2:]]))
    with pytest.raises(SettingsProblem, match="damaged in line 2"):
        file.entries()


@pytest.mark.parametrize("mode", [0o644, 0o660])
def test_a_file_open_to_others_is_refused(path: Path, mode: int) -> None:
    file = ReplayFile(path)
    file.append([entry("a")])
    path.chmod(mode)
    with pytest.raises(SettingsProblem, match="chmod 600"):
        file.entries()
    with pytest.raises(SettingsProblem, match="chmod 600"):
        file.append([entry("b")])


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(RetryLater, match="replay file"):
        ReplayFile(tmp_path / "gone" / "replay").append([entry("a")])


def test_compacting_leaves_what_a_backup_may_still_bring_back(path: Path) -> None:
    file = ReplayFile(path)
    file.append([entry("old", expires=MOMENT), entry("new"), entry("up"), entry("up", "lifted")])
    assert file.compact(MOMENT) == 1
    assert [json.loads(line)["_id"] for line in path.read_text().splitlines()] == ["new"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_writers_and_a_compacting_process_lose_nothing(path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        pool.map(_write, [(str(path), number) for number in range(4)])
    assert {one["_id"] for one in ReplayFile(path).entries()} == {f"{w}-{n}" for w in range(4) for n in range(40)}


def _write(asked: tuple[str, int]) -> None:
    file = ReplayFile(Path(asked[0]))
    for number in range(40):
        file.append([entry(f"{asked[1]}-{number}")])
        if number % 10 == asked[1]:
            file.compact(MOMENT)


@pytest.mark.mongo
async def test_a_vault_that_was_lost_too_learns_from_the_file(
    shelf: Shelf, process: Callable[..., Shelf], path: Path
) -> None:
    """One host, both databases restored to an older state: the file still says who was erased and who stopped."""
    replays = Replays(shelf.mongo, ReplayFile(path))
    person = await whole_life(shelf)
    await replays.erased(CommandId("e" * 32), PersonId(person), "r" * 32, NOW)
    suppressions = MongoSuppressions(shelf.mongo, shelf.keyring, shelf.clock, replays=replays)
    await suppressions.suppress(RUI, [Suppress("all", NOW, "keyword"), Suppress("tips", NOW, "keyword")])
    await suppressions.lift(RUI, ["tips"])
    await shelf.mongo.vault["replay"].delete_many({})
    await shelf.mongo.main["suppressions"].delete_many({})

    assert str(await Replaying(shelf.mongo, Replays(shelf.mongo)).behind(NOW)).startswith("0 erasures, 0 supp")
    done = await Replaying(shelf.mongo, replays).run(shelf.subjects, shelf.keyring, NOW)

    assert (done.erasures, done.suppressions) == (1, 1)
    assert await shelf.people.recognise(Address(phone=PhoneNumber("+15550100188")), NOW) is None
    assert [row for row in await shelf.rows("subjects") if row["_id"] == person] == []
    assert await shelf.suppressions.standing(RUI) == {"all": NOW}
    text = path.read_text()
    assert "+447700900123" not in text
    assert "447700900123" not in text
