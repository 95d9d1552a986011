"""The pages on settings, commands and business.yaml leave nothing out and invent nothing."""

import re
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import click
import pytest
from pydantic import BaseModel

from bot.cli.checkup import effective
from bot.domain import business
from bot.domain.business import Business
from bot.engine.loader import load, validated
from bot.engine.reading import read
from bot.settings import read_settings
from tests.cli.project import ROOT
from tests.cli.test_group import every_command

DOCS = ROOT / "docs"


def rows(text: str) -> dict[str, list[str]]:
    """First cell (without back-ticks) to the other cells of all table rows."""
    found = re.findall(r"^\| `([^`]+)` \|(.*)\|$", text, re.MULTILINE)
    return {name: [cell.strip() for cell in rest.split(" | ")] for name, rest in found}


def section(page: str, heading: str) -> str:
    """From a heading to the next one of any level."""
    text = (DOCS / page).read_text()
    assert f"\n{heading}\n" in text, heading
    return re.split(r"^#+ ", text.partition(f"\n{heading}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]


def test_every_setting_is_documented_with_its_default() -> None:
    documented = rows((DOCS / "settings.md").read_text())
    actual = effective(read_settings({}))

    assert set(documented) == set(actual)
    for name, value in actual.items():
        default = documented[name][0]
        assert default == ("–" if value == "(not set)" else f"`{value}`"), name
        assert len(documented[name][1]) > 8, name


COMMANDS = [pytest.param(name, one, id=name) for name, one in every_command() if not isinstance(one, click.Group)]


@pytest.mark.parametrize(("name", "command"), COMMANDS)
def test_every_command_is_documented_with_its_options(name: str, command: click.Command) -> None:
    text = section("commands.md", f"## `recado {name}`")
    options = {option for one in command.params if isinstance(one, click.Option) for option in one.opts}

    assert set(re.findall(r"^- `(--[a-z-]+)`", text, re.MULTILINE)) == options
    assert re.search(rf"```\n.*recado {name}\b.*```", text, re.DOTALL), "an example"


def test_no_command_is_documented_that_does_not_exist() -> None:
    documented = re.findall(r"^## `recado ([a-z0-9 -]+)`$", (DOCS / "commands.md").read_text(), re.MULTILINE)

    assert set(documented) == {name for name, one in every_command() if not isinstance(one, click.Group)}


SECTIONS: dict[str, type[BaseModel]] = {
    "## The file": Business, "## Controller": business.Contact, "## Officer": business.DataProtectionOfficer,
    "## Notice": business.Notice, "## Purposes": business.Purpose, "## Processors": business.Processor, "## Teams": business.Team,
    "## Connectors": business.Connector, "### Actions": business.Action, "## Receivers": business.Receiver, "## Channels": business.Channel,
    "## Templates": business.Template, "### A template's link": business.TemplateLink, "## Built-in wishes": business.SystemFlows,
    "## Website": business.Website,
}  # fmt: skip


def test_every_part_of_the_schema_has_a_section() -> None:
    parts = set(Business.model_json_schema()["$defs"])

    assert {model.__name__ for model in SECTIONS.values()} == parts | {"Business"}


@pytest.mark.parametrize(("heading", "model"), [pytest.param(*one, id=one[0].strip("# ")) for one in SECTIONS.items()])
def test_every_key_of_business_yaml_is_documented(heading: str, model: type[BaseModel]) -> None:
    documented = rows(section("business.md", heading))

    assert list(documented) == list(model.model_fields)
    for name, field in model.model_fields.items():
        assert (documented[name][0] == "yes") == field.is_required(), name
        assert len(documented[name][1]) > 8, name
        for value in literals(field.annotation):
            assert f"`{value}`" in documented[name][1], f"{name}: {value}"


def literals(annotation: Any) -> tuple[str, ...]:
    return get_args(annotation) if get_origin(annotation) is Literal else ()


def example(page: str) -> bytes:
    found = re.search(r"```yaml\n(.*?)```", (DOCS / page).read_text(), re.DOTALL)
    assert found is not None
    return found[1].encode()


def test_the_example_of_business_yaml_is_a_good_one(tmp_path: Path) -> None:
    """It loads without a problem and its notice says all that the law asks for."""
    from bot.privacy.notice import check, render

    source = read("business.yaml", example("business.md"))
    made = validated(Business, source)

    assert source.problems == []
    assert made is not None
    assert [one.code for one in load({"business.yaml": example("business.md")}, require_builtin=False).errors] == []
    assert check(made, render(made, "en", lambda text: text)) == []
