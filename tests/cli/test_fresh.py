"""Commands in processes of their own, where only there a defect showed: as users and operators start them."""

import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.privacy.keyring import create_key_files
from tests.cli.project import ROOT, fresh

pytestmark = pytest.mark.mongo


@pytest.fixture(scope="module")
def installation(mongo_uri: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What somebody has who only looks after the data: database, keys, project; nothing of WhatsApp."""
    keys = tmp_path_factory.mktemp("installation") / "keys"
    create_key_files(keys)
    return {
        "RECADO_ENVIRONMENT": "demo", "RECADO_PROJECT": str(ROOT), "RECADO_STORAGE__URI": mongo_uri,
        "RECADO_STORAGE__DATABASE": "fresh", "RECADO_STORAGE__VAULT_DATABASE": "fresh_vault",
        "RECADO_PRIVACY__KEK_FILE": str(keys / "kek"), "RECADO_PRIVACY__INDEX_KEY_FILE": str(keys / "index"),
        "RECADO_PRIVACY__SUPPRESSION_KEY_FILE": str(keys / "suppression"), "RECADO_PRIVACY__LEDGER_KEY_FILE": str(keys / "ledger"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "typed", "status", "words"),
    [
        pytest.param(["consent", "verify"], "", 0, "Nothing wrong was found.", id="verify the ledger"),
        pytest.param(["consent", "show", "--purpose", "nope"], "", 1, "There is no purpose nope in", id="an unknown purpose"),
        pytest.param(["subject", "erase", "--ask", "--yes"], "", 2, "standard input is empty", id="erase without a number"),
        pytest.param(["dead-letters", "list"], "", 0, "There are no dead letters.", id="dead letters"),
        pytest.param(["dead-letters", "replay", "--all"], "", 0, "nothing was played.", id="replay none"),
        pytest.param(["retention", "report"], "", 0, "10 minutes", id="periods in words"),
        pytest.param(["requests", "list"], "", 0, "No request is open.", id="requests"),
        pytest.param(["keys", "retire", "kek", "kek-nope"], "", 2, "holds no version kek-nope;", id="retire what is not there"),
    ],
)  # fmt: skip
def test_who_looks_after_the_data_needs_no_token_of_whatsapp(
    installation: dict[str, str], arguments: list[str], typed: str, status: int, words: str
) -> None:
    done = fresh(*arguments, env=installation, text=typed)

    said = done.stdout + done.stderr
    assert (done.returncode, words in said) == (status, True), said
    assert "Traceback" not in said
    assert "Warning" not in said
    assert "15550100177" not in said


def test_keys_status_without_settings_is_a_misuse(tmp_path: Path) -> None:
    done = fresh("keys", "status", cwd=tmp_path)

    assert done.returncode == 2
    assert "RECADO_PRIVACY__KEK_FILE" in done.stderr


def test_serve_still_refuses_without_tokens(installation: dict[str, str]) -> None:
    done = fresh("serve", env=installation)

    assert done.returncode == 2
    assert "RECADO_WHATSAPP__ACCESS_TOKEN is not set" in done.stderr


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A demo of a new project, started as a user does; its folder and what it said."""
    folder = tmp_path_factory.mktemp("demo")
    assert fresh("init", str(folder / "shop")).returncode == 0
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RECADO_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "bot", "demo", "--project", "shop", "--any-port"], cwd=folder, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, env={**kept, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    assert process.stdout is not None
    said = ""
    try:
        for line in process.stdout:
            said += line
            if "Ctrl-C" in line:
                break
        yield folder, said
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        process.stdout.close()


def test_the_demo_says_what_this_project_has(demo: tuple[Path, str]) -> None:
    """Nothing of the example shop's orders and newsletter, and addresses that are those it listens on."""
    _, said = demo

    assert "Write: feedback · hello · STOP · delete my data" in said
    assert "CL12345" not in said
    assert "sign-up form" not in said
    assert "--demo consent show --purpose support" in said


def test_commands_work_beside_a_demo(demo: tuple[Path, str]) -> None:
    folder, _ = demo
    settings = folder / ".recado" / "running.json"
    assert stat.S_IMODE(settings.stat().st_mode) == 0o600
    assert json.loads(settings.read_text())["RECADO_WEB__PUBLIC_URL"].startswith("http://127.0.0.1:")
    # A file of another installation in this folder must not mix in: half of a command on the demo, half on the real data.
    (folder / ".env").write_text("RECADO_STORAGE__VAULT_URI=mongodb://127.0.0.1:1\n")
    for arguments, status, words in (
        (["requests", "list"], 0, "No request is open."),
        (["consent", "verify"], 0, "Nothing wrong was found."),
        (["keys", "status"], 0, "in use"),
        (["flows", "check"], 0, "4 files: 0 errors"),
    ):
        done = fresh("--demo", *arguments, cwd=folder)
        assert (done.returncode, words in done.stdout) == (status, True), done.stdout + done.stderr


def test_beside_no_demo_it_is_said(tmp_path: Path) -> None:
    done = fresh("--demo", "requests", "list", cwd=tmp_path)

    assert done.returncode == 2
    assert "No demo is running with its data in .recado" in done.stderr


def test_the_people_of_the_demo_keep_their_ids() -> None:
    """A bot that is started again knows them again."""
    look = "from bot.simulator.people import cast; import json; print(json.dumps([one.bsuid for one in cast()]))"
    seen = {
        subprocess.run([sys.executable, "-c", look], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    }

    assert len(seen) == 1
    assert len(set(json.loads(seen.pop()))) == 6
