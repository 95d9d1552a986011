"""Setting up finds a Python that will do, or says in one line what is missing."""

import subprocess
import sys
import venv
from pathlib import Path

import pytest

from scripts.bootstrap import EMBEDDED, has_wheel, version_of

ROOT = Path(__file__).resolve().parents[2]
LOCK = (ROOT / "uv.lock").read_text()


def stand_in(folder: Path, name: str, body: str) -> None:
    """An executable of this name that does what the body says."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


# What a candidate answers to the questions of scripts/find-python: is it new enough, has it venv, which version is it?
GOOD = "exit 0"
TOO_OLD = "exit 1"
WITHOUT_VENV = 'case "$2" in *ensurepip*) exit 1;; *print*) echo 3.12;; esac; exit 0'
BROKEN_SHIM = 'echo "command not found" >&2; exit 127'


def find_python(folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    script = ROOT / "scripts" / "find-python"
    environment = {"PATH": str(folder), **settings}
    return subprocess.run(["/bin/sh", script], env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("candidates", "chosen"),
    [
        pytest.param({"python3": GOOD}, "python3", id="the only one"),
        pytest.param(
            {"python3": GOOD, "python3.13": GOOD, "python3.11": GOOD}, "python3.13", id="one with wheels first"
        ),
        pytest.param({"python3.13": BROKEN_SHIM, "python3.11": GOOD}, "python3.11", id="a shim that does not run"),
        pytest.param({"python3.12": WITHOUT_VENV, "python3": GOOD}, "python3", id="one with venv before one without"),
        pytest.param({"python3": TOO_OLD, "python": GOOD}, "python", id="the old one passed over"),
    ],
)
def test_a_python_is_found(tmp_path: Path, candidates: dict[str, str], chosen: str) -> None:
    for name, body in candidates.items():
        stand_in(tmp_path, name, body)

    assert find_python(tmp_path).stdout.strip() == chosen


@pytest.mark.parametrize(
    ("candidates", "settings", "word"),
    [
        pytest.param({}, {}, "needs Python 3.11 or newer, and none was found", id="none"),
        pytest.param({"python3": TOO_OLD}, {}, "needs Python 3.11 or newer, and none was found", id="too old"),
        pytest.param({"python3": WITHOUT_VENV}, {}, "apt-get install python3.12-venv", id="venv missing"),
        pytest.param(
            {"mine": TOO_OLD, "python3": GOOD}, {"PYTHON": "mine"}, "PYTHON=mine is not that", id="named, too old"
        ),
    ],
)
def test_what_is_missing_is_said(
    tmp_path: Path, candidates: dict[str, str], settings: dict[str, str], word: str
) -> None:
    for name, body in candidates.items():
        stand_in(tmp_path, name, body)
    finished = find_python(tmp_path, **settings)

    assert (finished.returncode, finished.stdout) == (1, "")
    assert word in finished.stderr


@pytest.mark.parametrize(
    ("version", "system", "machine", "there"),
    [
        pytest.param((3, 11), "Linux", "x86_64", True, id="Debian 12"),
        pytest.param((3, 13), "Linux", "aarch64", True, id="a Raspberry Pi"),
        pytest.param((3, 12), "Darwin", "arm64", True, id="an ARM Mac"),
        pytest.param((3, 14), "Linux", "x86_64", False, id="a Python too new"),
        pytest.param((3, 12), "Darwin", "x86_64", False, id="an Intel Mac"),
        pytest.param((3, 11), "Linux", "armv7l", False, id="32 bits"),
        pytest.param((3, 11), "FreeBSD", "amd64", False, id="another system"),
    ],
)
def test_the_lock_tells_where_the_embedded_database_exists(
    version: tuple[int, int], system: str, machine: str, there: bool
) -> None:
    """Elsewhere it is left out with a word, and not built from source for half an hour."""
    assert has_wheel(LOCK, EMBEDDED, version, system, machine) is there


def test_the_version_of_an_environment_is_read(tmp_path: Path) -> None:
    venv.create(tmp_path / "made", with_pip=False)

    assert version_of(tmp_path / "made") == sys.version_info[:2]
    assert version_of(tmp_path / "none") is None


# --- the browser -------------------------------------------------------------------------------


def ensure_browser(folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    script = ROOT / "scripts" / "ensure-browser"
    environment = {"PATH": str(folder), **settings}
    return subprocess.run(["/bin/sh", script], env=environment, capture_output=True, text=True, check=False)


def test_a_missing_browser_is_installed_where_root_may(tmp_path: Path) -> None:
    stand_in(tmp_path, "id", "echo 0")
    stand_in(tmp_path, "apt-get", f'echo "$@" >> {tmp_path}/asked')

    assert ensure_browser(tmp_path).returncode == 0
    assert (tmp_path / "asked").read_text().splitlines()[-1].split()[-2:] == ["chromium", "fonts-liberation"]


@pytest.mark.parametrize(
    "settings",
    [pytest.param({}, id="on the PATH"), pytest.param({"CHROMIUM": "/opt/mine"}, id="named by CHROMIUM")],
)
def test_a_browser_that_is_there_is_left_alone(tmp_path: Path, settings: dict[str, str]) -> None:
    stand_in(tmp_path, "id", "echo 0")
    stand_in(tmp_path, "apt-get", f"touch {tmp_path}/asked")
    if not settings:
        stand_in(tmp_path, "chromium", "exit 0")
    finished = ensure_browser(tmp_path, **settings)

    assert (finished.returncode, finished.stderr) == (0, "")
    assert not (tmp_path / "asked").exists()


@pytest.mark.parametrize(
    "tools",
    [
        pytest.param({"id": "echo 1000", "apt-get": "exit 0"}, id="not root"),
        pytest.param({"id": "echo 0"}, id="no apt-get"),
        pytest.param({"id": "echo 0", "apt-get": "exit 100"}, id="apt-get fails"),
    ],
)
def test_where_none_can_be_installed_it_is_said_and_the_tests_decide(tmp_path: Path, tools: dict[str, str]) -> None:
    for name, body in tools.items():
        stand_in(tmp_path, name, body)
    finished = ensure_browser(tmp_path)

    assert finished.returncode == 0
    assert "Install Debian's package 'chromium'" in finished.stderr
