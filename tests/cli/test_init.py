"""`recado init` writes a project that works at once, and overwrites nothing."""

import re
from pathlib import Path

from click.testing import CliRunner, Result
from ruamel.yaml import YAML

from bot.cli import recado


def run(*words: str) -> Result:
    return CliRunner().invoke(recado, list(words))


def test_a_new_project_checks_clean_and_its_tests_cover_it(tmp_path: Path) -> None:
    project = tmp_path / "ours"
    made = run("init", str(project))
    checked = run("flows", "check", str(project), "--strict")
    tested = run("flows", "test", str(project), "--coverage", "--fail-under", "100")

    assert made.exit_code == 0, made.output
    assert checked.exit_code == 0, checked.output
    assert tested.exit_code == 0, tested.output
    assert "5 passed, 0 failed" in tested.output
    assert {
        "flows/business.yaml",
        "flows/tests/hello.yaml",
        "docker-compose.yml",
        ".gitignore",
        "locales/README.md",
    } <= {path.relative_to(project).as_posix() for path in project.rglob("*") if path.is_file()}


def test_its_compose_file_holds_no_secret_and_declares_all_it_uses(tmp_path: Path) -> None:
    run("init", str(tmp_path / "ours"))
    compose = YAML(typ="safe").load((tmp_path / "ours" / "docker-compose.yml").read_text())
    bot = compose["services"]["bot"]
    used = {value.rpartition("/")[2] for value in bot["environment"].values() if str(value).startswith("/run/secrets/")}

    assert used == set(bot["secrets"]) == set(compose["secrets"])
    assert "secrets/" in (tmp_path / "ours" / ".gitignore").read_text()
    names = {
        name.removesuffix("_FILE") if value.startswith("/run/") else name for name, value in bot["environment"].items()
    }
    documented = (Path(__file__).resolve().parents[2] / "docs" / "settings.md").read_text()
    assert [name for name in names if f"`{name}`" not in documented and f"`{name}_FILE`" not in documented] == []


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    refused = run("init", str(tmp_path))

    assert refused.exit_code == 2
    assert "is not empty; nothing was written" in refused.output
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_it_names_the_next_steps(tmp_path: Path) -> None:
    said = run("init", str(tmp_path / "ours")).output

    assert re.search(r"recado flows check && recado flows test && recado demo", said)
