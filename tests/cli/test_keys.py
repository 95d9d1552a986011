"""`recado keys`: makes the four files once, and looks at them without ever showing a key."""

import json
import stat
from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.cli import recado


def run(*arguments: str, env: Mapping[str, str] | None = None) -> Result:
    return CliRunner().invoke(recado, ["keys", *arguments], env=dict(env or {}))


@pytest.fixture
def made(tmp_path: Path) -> dict[str, str]:
    """The settings that name four fresh key files."""
    found: dict[str, str] = json.loads(run("init", str(tmp_path / "keys"), "--json").output)
    return found


def test_four_files_are_made_for_their_owner_alone(made: dict[str, str]) -> None:
    assert list(made) == [
        "RECADO_PRIVACY__KEK_FILE", "RECADO_PRIVACY__INDEX_KEY_FILE", "RECADO_PRIVACY__SUPPRESSION_KEY_FILE",
        "RECADO_PRIVACY__LEDGER_KEY_FILE",
    ]  # fmt: skip
    assert [Path(path).name for path in made.values()] == ["kek", "index", "suppression", "ledger"]
    assert {stat.S_IMODE(Path(path).stat().st_mode) for path in made.values()} == {0o600}


def test_the_settings_can_go_straight_into_an_env_file(tmp_path: Path) -> None:
    result = run("init", str(tmp_path / "keys"))

    assert result.exit_code == 0
    assert [line.partition("=")[0] for line in result.stdout.splitlines()] == [
        "RECADO_PRIVACY__KEK_FILE", "RECADO_PRIVACY__INDEX_KEY_FILE", "RECADO_PRIVACY__SUPPRESSION_KEY_FILE",
        "RECADO_PRIVACY__LEDGER_KEY_FILE",
    ]  # fmt: skip
    assert "Copy them to a safe place" in result.stderr


def test_files_that_are_there_are_never_overwritten(tmp_path: Path, made: dict[str, str]) -> None:
    before = [Path(path).read_bytes() for path in made.values()]

    result = run("init", str(tmp_path / "keys"))

    assert result.exit_code == 2
    assert "never overwritten" in result.output
    assert [Path(path).read_bytes() for path in made.values()] == before


def test_the_status_names_versions_and_shows_no_key(made: dict[str, str]) -> None:
    result = run("status", "--json", env=made)

    found = json.loads(result.output)
    assert result.exit_code == 0
    assert found["troubles"] == []
    for kind in ("kek", "index", "suppression", "ledger"):
        versions = found["keys"][kind]["versions"]
        assert [one["in_use"] for one in versions] == [True]
        assert versions[0]["kid"].startswith(kind)
    for path in made.values():
        key = json.loads(Path(path).read_text())["versions"][0]["key"]
        assert key not in result.output
        assert key not in run("status", env=made).output


def test_files_that_are_not_named_are_told(made: dict[str, str]) -> None:
    del made["RECADO_PRIVACY__LEDGER_KEY_FILE"]

    result = run("status", env=made)

    assert result.exit_code == 1
    assert "RECADO_PRIVACY__LEDGER_KEY_FILE is not set" in result.output
    assert "kek-" in result.output


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        pytest.param(lambda path: path.write_text("{"), "is damaged", id="a damaged file"),
        pytest.param(lambda path: path.chmod(0o644), "is open to other accounts", id="a file others may read"),
        pytest.param(lambda path: path.unlink(), "does not exist", id="a lost file"),
    ],
)
def test_a_file_that_cannot_be_trusted_is_told(made: dict[str, str], spoil: object, words: str) -> None:
    assert callable(spoil)
    spoil(Path(made["RECADO_PRIVACY__INDEX_KEY_FILE"]))

    result = run("status", env=made)

    assert result.exit_code == 1
    assert words in result.output


def test_one_key_in_two_files_is_told(made: dict[str, str]) -> None:
    kek, index = (Path(made[f"RECADO_PRIVACY__{name}"]) for name in ("KEK_FILE", "INDEX_KEY_FILE"))
    content = json.loads(index.read_text())
    content["versions"][0]["key"] = json.loads(kek.read_text())["versions"][0]["key"]
    index.write_text(json.dumps(content))

    result = run("status", env=made)

    assert result.exit_code == 1
    assert "two key files hold the same key" in result.output
