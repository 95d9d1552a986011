"""The command as a whole: fast help, every command with an example, and a mistake told without a traceback."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from bot.cli import recado
from bot.cli.group import COMMANDS
from bot.domain.errors import RetryLater, SettingsProblem
from tests.cli.project import ROOT


def every_command() -> Iterator[tuple[str, click.Command]]:
    """All commands and groups with their whole name."""

    def below(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
        yield name, command
        if isinstance(command, click.Group):
            context = click.Context(command)
            for part in command.list_commands(context):
                found = command.get_command(context, part)
                assert found is not None
                yield from below(f"{name} {part}", found)

    context = click.Context(recado)
    for name in recado.list_commands(context):
        command = recado.get_command(context, name)
        assert command is not None
        yield from below(name, command)


@pytest.mark.parametrize(("name", "command"), [pytest.param(name, one, id=name) for name, one in every_command()])
def test_every_command_has_help_with_an_example(name: str, command: click.Command) -> None:
    result = CliRunner().invoke(recado, [*name.split(), "--help"])

    assert result.exit_code == 0
    assert "Example:  " in result.output
    assert f"recado {name}" in result.output.partition("Example:")[2]
    assert command.help
    assert all(
        option.help for option in command.params if isinstance(option, click.Option) and option.name != "log_level"
    )


def test_every_command_of_the_table_is_there() -> None:
    assert {name.split()[0] for name, _ in every_command()} == set(COMMANDS)


def test_help_imports_nothing_heavy() -> None:
    """`--help` and `--version` answer at once because no command's module is imported."""
    look = (
        "import sys; from bot.cli import recado; recado(['--help'], standalone_mode=False); "
        "print([one for one in ('pydantic', 'aiohttp', 'babel', 'motor', 'bot.engine', 'bot.settings') if one in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", look], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )

    assert done.stdout.splitlines()[-1] == "[]"
    assert "Check, test and draw the flows" in done.stdout


def test_the_version_is_told() -> None:
    result = CliRunner().invoke(recado, ["--version"])

    assert result.exit_code == 0
    assert result.output.startswith("recado, version ")


def test_a_module_is_the_command_too() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bot", "keys", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert done.stdout.startswith("Usage: recado keys ")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(["flow"], "Did you mean `flows`?", id="a misspelt command"),
        pytest.param(["flows", "chekc"], "No such command", id="a misspelt command of a group"),
        pytest.param(["doctor", "--loud"], "No such option", id="an unknown option"),
        pytest.param(["keys", "init"], "Missing argument 'DIR'", id="a missing argument"),
        pytest.param(["flows", "schema", "cat"], "is not one of", id="an unknown kind of schema"),
    ],
)
def test_misuse_has_status_2(arguments: list[str], words: str) -> None:
    result = CliRunner().invoke(recado, arguments)

    assert result.exit_code == 2
    assert words in result.output


@pytest.mark.parametrize(
    ("problem", "status", "words"),
    [
        pytest.param(
            SettingsProblem("RECADO_X is not a setting"), 2, "Error: RECADO_X is not a setting\n", id="a setting"
        ),
        pytest.param(
            RetryLater("the database cannot be reached"), 1, "Error: the database cannot be reached\n", id="not now"
        ),
        pytest.param(
            PermissionError(13, "Permission denied", "secret"),
            2,
            "Error: secret: Permission denied\n",
            id="a closed file",
        ),
    ],
)
def test_what_is_raised_on_purpose_is_told_in_words(
    monkeypatch: pytest.MonkeyPatch, problem: Exception, status: int, words: str
) -> None:
    @click.command()
    def failing() -> None:
        raise problem

    monkeypatch.setattr("bot.cli.keys.keys", failing)

    result = CliRunner().invoke(recado, ["keys"])

    assert (result.exit_code, result.output) == (status, words)


def test_a_defect_of_the_program_is_not_dressed_up(monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command()
    def failing() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("bot.cli.keys.keys", failing)

    assert isinstance(CliRunner().invoke(recado, ["keys"]).exception, ZeroDivisionError)


def test_a_command_that_is_not_installed_does_not_break_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.cli.group.COMMANDS", {**COMMANDS, "serve": ("bot.cli.nowhere:serve", "Gone.")})

    result = CliRunner().invoke(recado, ["--help"])

    assert result.exit_code == 0
    assert "doctor" in result.output
    assert "Gone." not in result.output
    assert CliRunner().invoke(recado, ["serve"]).exit_code == 2


def test_a_folder_that_is_no_project_is_told(tmp_path: Path) -> None:
    result = CliRunner().invoke(recado, ["i18n", "check", "--project", str(tmp_path)])

    assert result.exit_code == 2
    assert "There is no folder `flows`" in result.output
