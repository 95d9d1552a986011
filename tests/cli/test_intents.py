"""`recado intents`: one message or a file of them, one JSON a line."""

import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.cli import recado
from tests.cli.project import copied


def asked(*arguments: str, given: bytes | None = None) -> Result:
    return CliRunner().invoke(recado, ["intents", *arguments], input=io.BytesIO(given) if given is not None else None)


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        pytest.param("en", "STOP", ("stop", "all", []), id="the bare word"),
        pytest.param("pt", "parem de me enviar mensagens", ("stop", "all", []), id="a sentence"),
        pytest.param("es", "no quiero publicidad", ("stop", "marketing", []), id="marketing alone"),
        pytest.param("pt", "apagar os meus dados", ("none", "", ["erase"]), id="a right"),
        pytest.param("en", "what time do you open?", ("none", "", []), id="nothing"),
    ],
)
def test_a_message_is_answered_with_one_line(language: str, text: str, expected: tuple[str, str, list[str]]) -> None:
    result = asked("--lang", language, text)

    found = json.loads(result.output)
    assert result.output.count("\n") == 1
    assert set(found) == {"decision", "scope", "flags", "rule", "version"}
    assert (found["decision"], found["scope"], found["flags"]) == expected
    assert found["version"]


def test_a_file_is_answered_line_by_line_in_order(tmp_path: Path) -> None:
    rows = [
        {"text": "STOP", "lang": "en"},
        {"text": "ajuda", "lang": "pt"},
        {"text": "sí", "lang": "es"},
        {"text": "gato"},
    ]
    file = tmp_path / "messages.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))

    result = asked("--jsonl", str(file))

    found = [json.loads(line) for line in result.output.splitlines()]
    assert [(one["decision"], one["flags"]) for one in found] == [
        ("stop", []),
        ("none", ["help"]),
        ("none", ["yes"]),
        ("none", []),
    ]


def test_standard_input_is_a_file_too() -> None:
    result = asked("--jsonl", "-", given='{"text": "não", "lang": "pt"}\r\n\n{"text": ""}'.encode())

    assert [json.loads(line)["flags"] for line in result.output.splitlines()] == [["no"], []]


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b"STOP", id="no JSON"),
        pytest.param(b'["STOP"]', id="a list"),
        pytest.param(b'{"words": "STOP"}', id="no text"),
        pytest.param(b'{"text": 7}', id="a number for a text"),
        pytest.param(b'{"text": "STOP", "lang": ["en"]}', id="a list for a language"),
        pytest.param(b'{"text": "caf\xe9"}', id="not UTF-8"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(line: bytes) -> None:
    result = asked("--jsonl", "-", given=b'{"text": "STOP"}\n' + line + b"\n")

    assert result.exit_code == 2
    assert "Line 2 cannot be read" in result.output
    assert "caf" not in result.output


@pytest.mark.parametrize(
    "arguments", [pytest.param((), id="neither"), pytest.param(("STOP", "--jsonl", "-"), id="both")]
)
def test_a_text_or_a_file_is_needed(arguments: tuple[str, ...]) -> None:
    result = asked(*arguments, given=b"")

    assert result.exit_code == 2
    assert "Give either a TEXT or --jsonl FILE." in result.output


def test_half_a_character_is_no_traceback() -> None:
    result = asked("--jsonl", "-", given=b'{"text": "stop \\ud83d"}\n')

    assert result.exit_code == 0
    assert json.loads(result.output)["version"]


def test_purposes_of_the_project_are_known(tmp_path: Path) -> None:
    project = copied(tmp_path)

    inside = json.loads(asked("--project", str(project), "--lang", "en", "stop the newsletter").output)
    outside = json.loads(asked("--project", str(tmp_path), "--lang", "en", "stop the newsletter").output)

    assert (inside["decision"], inside["scope"]) == ("stop", "newsletter")
    assert outside["scope"] != "newsletter"


def test_a_flow_that_waits_turns_a_cancel_into_a_question() -> None:
    waiting = json.loads(asked("--lang", "en", "--flow-open", "cancel").output)

    assert waiting["decision"] != "stop"


def test_a_broken_business_is_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "business.yaml").write_text("name: [\n")

    result = asked("--project", str(tmp_path), "STOP")

    assert result.exit_code == 2
    assert "`recado flows check` shows them" in result.output
