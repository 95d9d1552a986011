"""docs/api.md: its five minutes work as they stand there, and its tables are those of the program."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.api.endpoints import ENDPOINTS
from bot.api.problems import TITLES
from bot.privacy.access import SCOPES
from tests.cli.project import ROOT

PAGE = (ROOT / "docs" / "api.md").read_text()


def section(heading: str) -> str:
    return re.split(r"^## ", PAGE.partition(f"\n## {heading}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]


def test_every_scope_is_listed_with_its_words() -> None:
    assert dict(re.findall(r"^\| `([a-z-]+:[a-z]+)` \| (.+) \|$", section("Keys"), re.MULTILINE)) == dict(SCOPES)


def test_every_endpoint_is_listed_with_its_scope() -> None:
    listed = set()
    for cell, scope in re.findall(r"^\| (`.+`) \| `([a-z-]+:[a-z]+)` \|", section("Endpoints"), re.MULTILINE):
        first, *more = re.findall(r"`([^`]+)`", cell)
        method, path = first.split()
        listed |= {(method, path, scope), *((method, path.rpartition("/")[0] + one, scope) for one in more)}
    assert listed == {(one.method, one.path, one.scope) for one in ENDPOINTS}


def test_every_problem_is_listed_with_its_status() -> None:
    listed = {}
    for statuses, codes in re.findall(r"^\| ([\d, ]+) \| (.+) \|$", section("Problems"), re.MULTILINE):
        for code in re.findall(r"`(\w+)`", codes):
            if code in TITLES:
                listed[code] = statuses.split(", ")
    assert set(listed) == set(TITLES)
    assert all(str(TITLES[code][0]) in statuses for code, statuses in listed.items())


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[str]:
    """A demo of the example shop in a folder of the test's own; the address of its public listener."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RECADO_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "bot", "demo", "--project", str(ROOT), "--any-port"], cwd=tmp_path, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, env={**kept, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    assert process.stdout is not None
    said = ""
    try:
        for line in process.stdout:
            said += line
            if "Ctrl-C" in line:
                break
        found = re.search(r"(http://127\.0\.0\.1:\d+)/privacy/", said)
        assert found is not None, said
        yield found[1]
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        process.stdout.close()


@pytest.mark.mongo
def test_the_five_minutes_work_as_they_stand_there(demo: str, tmp_path: Path) -> None:
    found = re.search(r"```sh\n(.*?)```", section("Five minutes"), re.DOTALL)
    assert found is not None
    commands = found[1].replace("http://127.0.0.1:8080", demo)
    script = f'set -eu\nrecado() {{ "{sys.executable}" -m bot "$@"; }}\n{commands}'
    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode in (0, 23), done.stderr  # curl is cut off by `head`
    assert done.stdout.count('{"status": "accepted"}') == 2, done.stdout
    assert '"code": "no_person"' in done.stdout
    assert '"openapi": "3.1.0"' in done.stdout
    assert re.search(r"recado_[0-9a-f]{8}_…  live {5}20\d\d-\d\d-\d\d  shop: ", done.stdout, re.MULTILINE), done.stdout
