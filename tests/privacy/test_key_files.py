"""A key file is changed in one step: it is the old one or the new one, whatever is killed in between."""

import json
import multiprocessing
import os
import signal
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.domain.errors import SettingsProblem
from bot.privacy import key_files
from bot.privacy.keyring import create_key_files, event_key

NOW = datetime.now(UTC) + timedelta(hours=6)  # after every file of this run was made
LATER = NOW + timedelta(minutes=1)

KILLED = """
import os, signal, sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from bot.privacy import key_files

left = int(sys.argv[2])
def counted(real):
    def one(*arguments, **named):
        global left
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1
        result = real(*arguments, **named)
        return result
    return one

os.open, os.fsync, os.replace, os.rename, os.unlink, os.close = map(
    counted, (os.open, os.fsync, os.replace, os.rename, os.unlink, os.close))
key_files.add_version(Path(sys.argv[1]), "kek", datetime.now(UTC) + timedelta(seconds=1))
print("done")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    create_key_files(tmp_path / "keys")
    return tmp_path / "keys"


def test_a_rotation_killed_at_any_step_leaves_a_whole_file(folder: Path) -> None:
    """kill -9 before every call to the system: the file is the old or the new one, and the next rotation works."""
    path, seen, step = folder / "kek", set(), 0
    while True:
        before = len(key_files.read(path, "kek").versions)
        done = subprocess.run(
            [sys.executable, "-c", KILLED, str(path), str(step)], capture_output=True, check=False, timeout=60
        )
        after = key_files.read(path, "kek")
        assert len(after.versions) in (before, before + 1), step
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        seen.add(len(after.versions) - before)
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL, done.stderr.decode()
        _forget_all_but_the_first(path)
        step += 1
    assert step >= 5
    assert seen == {0, 1}
    assert sorted(one.name for one in folder.iterdir()) == sorted(key_files.KINDS)


def _forget_all_but_the_first(path: Path) -> None:
    plain = json.loads(path.read_text())
    path.write_text(json.dumps({**plain, "versions": plain["versions"][:1]}))


def test_two_rotations_at_once_make_one_version(folder: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        made = pool.map(_rotated, [(str(folder / "index"), LATER)] * 4)
    assert sum(made) == 1
    assert len(key_files.read(folder / "index", "index").versions) == 2


def _rotated(asked: tuple[str, datetime]) -> bool:
    try:
        key_files.add_version(Path(asked[0]), "index", asked[1])
    except SettingsProblem:
        return False
    return True


def test_a_link_to_a_key_file_stays_a_link(folder: Path, tmp_path: Path) -> None:
    link = tmp_path / "kek"
    link.symlink_to(folder / "kek")
    key_files.add_version(link, "kek", LATER)
    assert link.is_symlink()
    assert len(key_files.read(link, "kek").versions) == 2


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_root_rotates_for_the_account_that_owns_the_file(folder: Path) -> None:
    """A file that was root's own afterwards could not be read by the bot any more."""
    folder.chmod(0o755)
    os.chown(folder / "kek", 0, 12345)
    key_files.add_version(folder / "kek", "kek", LATER)
    assert ((folder / "kek").stat().st_uid, (folder / "kek").stat().st_gid) == (0, 12345)


def test_a_file_that_cannot_be_trusted_is_not_rotated(folder: Path) -> None:
    (folder / "kek").chmod(0o644)
    before = (folder / "kek").read_bytes()
    with pytest.raises(SettingsProblem, match="open to other accounts"):
        key_files.add_version(folder / "kek", "kek", LATER)
    assert (folder / "kek").read_bytes() == before


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o722])
def test_a_folder_that_others_may_write_is_refused(folder: Path, mode: int) -> None:
    """Whoever may write there may put another file in the place of the key."""
    folder.chmod(mode)
    with pytest.raises(SettingsProblem, match="chmod go-w"):
        key_files.read(folder / "kek", "kek")


# -- retiring -----------------------------------------------------------------------------------------------------------------


def test_the_version_in_use_and_those_to_come_are_never_dropped(folder: Path) -> None:
    path = folder / "kek"
    [old] = key_files.read(path, "kek").versions
    new = key_files.add_version(path, "kek", LATER)
    for kid in (old.kid, new.kid):
        with pytest.raises(SettingsProblem, match="in use, or will be"):
            key_files.drop_version(path, "kek", kid, NOW)
    key_files.drop_version(path, "kek", old.kid, LATER)
    assert [one.kid for one in key_files.read(path, "kek").versions] == [new.kid]
    with pytest.raises(SettingsProblem, match="holds no version"):
        key_files.drop_version(path, "kek", old.kid, LATER)


def test_event_ids_survive_the_end_of_the_key_they_came_from(folder: Path) -> None:
    """A webhook that is delivered again must be recognised (Meta: for up to 7 days)."""
    path = folder / "index"
    kept = event_key(key_files.read(path, "index"))
    for number in range(1, 4):
        moment = NOW + timedelta(minutes=number)
        key_files.add_version(path, "index", moment)
        key_files.drop_version(path, "index", key_files.read(path, "index").versions[-1].kid, moment)
        file = key_files.read(path, "index")
        assert (len(file.versions), file.event_key) == (1, kept)
