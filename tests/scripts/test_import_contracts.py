"""The import contract breaks where it should, and is silent about rooms that are not built yet."""

import configparser
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def lint(folder: Path, modules: dict[str, str]) -> tuple[int, str]:
    """Build a small `bot` of these modules, each with one line of code, and lint it by the project's own contract."""
    shutil.copy(ROOT / ".importlinter", folder)
    shutil.copytree(ROOT / "scripts", folder / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    contract = configparser.ConfigParser()
    contract.read(ROOT / ".importlinter")
    must_exist = contract["importlinter:contract:pure-rules"]["source_modules"].split()
    for name, code in {**dict.fromkeys(["bot.domain.machine", *must_exist], ""), **modules}.items():
        path = folder.joinpath(*name.split(".")).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(code + "\n")
    for room in ("engine", ""):
        (folder / "bot" / room).mkdir(exist_ok=True)
    for package in [folder / "bot", *(path for path in (folder / "bot").rglob("*") if path.is_dir())]:
        (package / "__init__.py").touch()
    finished = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--no-logo"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return finished.returncode, " ".join(finished.stdout.split())


def test_a_house_of_two_rooms_keeps_the_contract(tmp_path: Path) -> None:
    """What is planned and not built breaks nothing."""
    status, said = lint(tmp_path, {"bot.engine.advance": "import bot.domain.machine"})

    assert (status, "0 broken" in said) == (0, True), said


@pytest.mark.parametrize(
    ("modules", "contract"),
    [
        pytest.param({"bot.domain.event": "import bot.engine"}, "A floor uses only the floors below it", id="upwards"),
        pytest.param(
            {"bot.web.form": "import bot.console.auth", "bot.console.auth": ""},
            "A floor uses only the floors below it",
            id="next door",
        ),
        pytest.param({"bot.utils": ""}, "A floor uses only the floors below it", id="a module without a floor"),
        pytest.param(
            {"bot.engine.a": "import bot.engine.b", "bot.engine.b": "import bot.engine.a"},
            "No cycles anywhere",
            id="cycle",
        ),
        pytest.param(
            {"bot.engine.advance": "import time"}, "The engine and the domain decide", id="engine reads the clock"
        ),
        pytest.param({"bot.domain.ids": "import uuid"}, "The engine and the domain decide", id="domain rolls dice"),
        pytest.param({"bot.privacy.policy": "import time"}, "Rules stay pure", id="a rule reads the clock"),
        pytest.param({"bot.campaigns.pacing": "import time"}, "Rules stay pure", id="a planned rule, once it exists"),
        pytest.param({"bot.runtime.turn": "import motor"}, "MongoDB is known in one room", id="motor outside storage"),
        pytest.param({"bot.engine.machine": "import transitions"}, "transitions is known", id="a second machine room"),
        pytest.param({"bot.storage.mongo": "import cryptography"}, "Ciphers are known", id="a second cipher"),
        pytest.param(
            {"bot.storage.embedded": "import secantus"}, "The embedded database is a process", id="GPL import"
        ),
        pytest.param(
            {"bot.whatsapp.routes": "import bot.whatsapp.client", "bot.whatsapp.client": ""},
            "Only the composition root hands the WhatsApp client on",
            id="sending past the outbox",
        ),
    ],
)
def test_a_breach_is_named(tmp_path: Path, modules: dict[str, str], contract: str) -> None:
    """Exactly the contract that was breached is reported broken."""
    status, said = lint(tmp_path, modules)

    assert status == 1, said
    assert "1 broken" in said
    broken = said.partition("Broken contracts")[2]
    assert contract in broken


@pytest.mark.parametrize(
    "modules",
    [
        pytest.param({"bot.storage.mongo": "import motor"}, id="motor in storage"),
        pytest.param(
            {"bot.app": "import bot.storage.mongo", "bot.storage.mongo": "import pymongo"}, id="app above storage"
        ),
        pytest.param({"bot.privacy.crypto": "import cryptography"}, id="ciphers in crypto"),
        pytest.param({"bot.app": "import bot.whatsapp.client", "bot.whatsapp.client": ""}, id="the composition root"),
    ],
)
def test_what_is_allowed_stays_allowed(tmp_path: Path, modules: dict[str, str]) -> None:
    status, said = lint(tmp_path, modules)

    assert status == 0, said
