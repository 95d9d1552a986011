"""The shell scripts around MongoDB's own tools, which stand-ins play here: no password is shown, and no half file is kept."""

import gzip
import os
import stat
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
URI = "mongodb://backup:very-secret@127.0.0.1:27017/?authSource=admin"

DUMP = r"""#!/bin/sh
echo "$@" >> "$SEEN"; cat "$2" >> "$SEEN"
for one in "$@"; do case $one in --archive=*) printf data | gzip > "${one#--archive=}" ;; esac; done
exit "${FAILS:-0}"
"""
RESTORE = """#!/bin/sh
echo "$@" >> "$SEEN"; cat "$2" >> "$SEEN"
"""


@pytest.fixture
def host(tmp_path: Path) -> dict[str, str]:
    """A PATH with the stand-ins, and a file with the address."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for name, text in (("mongodump", DUMP), ("mongorestore", RESTORE)):
        (tools / name).write_text(text)
        (tools / name).chmod(0o755)
    (tmp_path / "uri").write_text(URI + "\n")
    (tmp_path / "uri").chmod(0o600)
    return {"PATH": f"{tools}:{os.environ['PATH']}", "SEEN": str(tmp_path / "seen"), "TMPDIR": str(tmp_path)}


def run(name: str, host: dict[str, str], *arguments: object, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [SCRIPTS / name, *map(str, arguments)], env=host | more, capture_output=True, text=True, check=False, timeout=30
    )


def test_a_backup_is_whole_private_and_named_by_its_time(host: dict[str, str], tmp_path: Path) -> None:
    done = run("backup", host, "recado", tmp_path / "uri", tmp_path / "backups")

    assert done.returncode == 0, done.stderr
    [file] = (tmp_path / "backups").iterdir()
    assert done.stdout.strip() == str(file)
    assert file.name.startswith(f"recado-{datetime.now(UTC):%Y}")
    assert gzip.decompress(file.read_bytes()) == b"data"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    arguments, config, *_ = Path(host["SEEN"]).read_text().splitlines()
    assert "very-secret" not in arguments
    assert config == f'uri: "{URI}"'
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("tmp.")] == [], (
        "the address is not left behind"
    )


def test_a_backup_that_failed_leaves_nothing(host: dict[str, str], tmp_path: Path) -> None:
    assert run("backup", host, "recado", tmp_path / "uri", tmp_path / "backups", FAILS="3").returncode == 3
    assert list((tmp_path / "backups").iterdir()) == []


def test_old_backups_of_the_same_database_are_removed(host: dict[str, str], tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    for name, days in (("recado-old.archive.gz", 40), ("recado-young.archive.gz", 1), ("other-old.archive.gz", 40)):
        (folder / name).write_bytes(b"")
        at = datetime.now(UTC).timestamp() - days * 86400
        os.utime(folder / name, (at, at))
    assert run("backup", host, "recado", tmp_path / "uri", folder).returncode == 0
    names = {path.name for path in folder.iterdir()}
    assert len(names) == 3
    assert "recado-old.archive.gz" not in names


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(["recado", "{uri}", "{folder}", "36"], "At most 35 days", id="kept longer than the list reaches"),
        pytest.param(["recado", "{uri}", "{folder}", "ten"], "must be a number", id="no number"),
        pytest.param(["recado", "{folder}/gone", "{folder}"], "cannot be read", id="no address"),
        pytest.param(["recado"], "scripts/backup DATABASE", id="too little said"),
    ],
)
def test_a_misuse_is_told(host: dict[str, str], tmp_path: Path, arguments: list[str], says: str) -> None:
    filled = [one.format(uri=tmp_path / "uri", folder=tmp_path / "backups") for one in arguments]
    done = run("backup", host, *filled)
    assert done.returncode == 2
    assert says in done.stderr


def test_an_address_that_others_may_read_is_refused(host: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "uri").chmod(0o644)
    for name, last in (("backup", tmp_path / "backups"), ("restore", tmp_path / "uri")):
        done = run(name, host, "recado", tmp_path / "uri", last)
        assert done.returncode == 2
        assert "chmod 600" in done.stderr


def test_a_restore_names_the_next_step(host: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "recado.archive.gz"
    file.write_bytes(gzip.compress(b"data"))
    done = run("restore", host, "recado", tmp_path / "uri", file)
    assert done.returncode == 0, done.stderr
    assert "recado replay-erasures" in done.stderr
    arguments = Path(host["SEEN"]).read_text().splitlines()[0]
    assert "--nsInclude=recado.* --drop" in arguments
    assert "very-secret" not in arguments


def test_a_damaged_file_is_not_restored(host: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "recado.archive.gz"
    file.write_bytes(gzip.compress(b"data")[:-5])
    done = run("restore", host, "recado", tmp_path / "uri", file)
    assert done.returncode == 1
    assert "nothing was changed" in done.stderr
    assert not Path(host["SEEN"]).exists()
