"""The tutorial is tried as a newcomer would, its mistakes included; the reference is what the schema says."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.cli import recado
from bot.cli.flows_reference import written
from bot.engine.flow import VERBS
from tests.cli.project import ROOT

TUTORIAL = (ROOT / "docs" / "flows" / "tutorial.md").read_text()
FIELD, QUESTION = re.findall(r"```yaml\n(.*?)```", TUTORIAL, re.DOTALL)
COMMANDS = re.findall(r"^\$ recado (.+)$", TUTORIAL, re.MULTILINE)


def run(line: str) -> str:
    result = CliRunner().invoke(recado, line.split())
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.output


@pytest.fixture
def feedback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    run(COMMANDS[0])
    return tmp_path / "our-assistant" / "flows" / "feedback.yaml"


def edited(text: str, field: str = FIELD, question: str = QUESTION) -> str:
    """The two edits of the tutorial, at the places it names."""
    after = next(line for line in text.splitlines(keepends=True) if line.startswith("  text:"))
    above = next(line for line in text.splitlines(keepends=True) if line.startswith("  - ask: What should we know?"))
    return text.replace(after, after + field).replace(above, question + above)


def test_the_commands_of_the_tutorial_do_what_it_says(feedback: Path) -> None:
    assert len(COMMANDS) == 4
    assert "0 errors" in run(COMMANDS[1])
    assert "5 passed" in run(COMMANDS[2])
    feedback.write_text(edited(feedback.read_text()))
    assert "0 errors" in run(COMMANDS[3])


def test_one_question_with_a_check_is_six_lines(feedback: Path) -> None:
    assert len((FIELD + QUESTION).splitlines()) <= 6
    feedback.write_text(edited(feedback.read_text()))
    tests = feedback.parent / "tests" / "hello.yaml"
    (feedback.parent / "tests" / "days.yaml").write_text(
        "test: nonsense is asked again\nflow: feedback\ntalk:\n  - user: feedback\n  - user: '5'\n  - bot: How many days\n"
        "  - user: '70'\n  - bot: more than two months\n  - user: '3'\n  - expect: {field: {days: 3}}\n"
    )
    tests.write_text(tests.read_text().replace('    - user: "5"\n', '    - user: "5"\n    - user: "3"\n').replace(
        '    - user: "4"\n', '    - user: "4"\n    - user: "3"\n'))  # fmt: skip

    assert "6 passed, 0 failed" in run("flows test our-assistant")


MISTAKES = [
    pytest.param("", QUESTION, id="the field is forgotten"),
    pytest.param(FIELD, QUESTION.replace("check:", "chek:"), id="a word is misspelt"),
    pytest.param(FIELD, QUESTION.replace("    into:", "\tinto:"), id="a tab"),
    pytest.param(FIELD, QUESTION.replace("How many days", "One thing: how many days"), id="a colon in a text"),
]


@pytest.mark.parametrize(("number", "field", "question"), [
    pytest.param(number, *case.values, id=case.id) for number, case in enumerate(MISTAKES, 1)
])  # fmt: skip
def test_each_mistake_is_told_as_the_tutorial_shows(feedback: Path, number: int, field: str, question: str) -> None:
    shown = re.search(rf"```text mistake-{number}\n(.*?)```", TUTORIAL, re.DOTALL)
    feedback.write_text(edited(feedback.read_text(), field, question))
    said = run("flows check our-assistant")

    assert shown is not None
    assert all(line in said for line in shown[1].splitlines()), said
    assert "feedback.yaml:" in said


def test_the_reference_is_what_the_schema_says() -> None:
    """After a change: `recado flows reference > docs/flows/reference.md`."""
    assert (ROOT / "docs" / "flows" / "reference.md").read_text() == written()


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_its_section(verb: str) -> None:
    section = written().partition(f"\n### `{verb}`\n")[2].partition("\n##")[0]

    assert "Outcomes: `" in section
    assert len(section.strip().splitlines()[0]) > 10, "a docstring that says what it does"
