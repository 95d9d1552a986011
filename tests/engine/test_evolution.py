"""Flows that change while people stand in them: what they stand on may not go."""

import pytest

from bot.engine.compiler import CompiledFlow
from bot.engine.evolution import Parked, lost
from bot.engine.loader import recompiled

OLD = """flow: mine
title: Mine
data:
  size: {type: text, keep: until_end}
steps:
  - id: pick
    menu: Which?
    options: {red: Red, blue: Blue}
  - id: ask_size
    ask: How large?
    into: size
"""


def compiled(text: str) -> CompiledFlow:
    made = recompiled("mine", text.encode())
    assert made is not None
    return made


def told(new: str | None, step: str = "pick") -> list[str]:
    old = compiled(OLD)
    current = {"mine": compiled(new)} if new is not None else {}
    return [one.what for one in lost([Parked("mine", old.version, step, 3)], {("mine", old.version): old}, current)]


GONE = "the step `ask_size` is gone; say where it went: `renamed: {ask_size: …}`"
CASES = [
    pytest.param(OLD, "pick", [], id="nothing changed"),
    pytest.param(OLD.replace("Which?", "Which one?"), "pick", [], id="a text changed"),
    pytest.param(OLD + "  - say: Thanks\n", "ask_size", [], id="a step more"),
    pytest.param(None, "pick", ["the flow is gone"], id="the flow removed"),
    pytest.param(OLD.replace("id: ask_size", "id: how_large"), "ask_size", [GONE], id="a step renamed without a word"),
    pytest.param(
        OLD.replace("id: ask_size", "id: how_large") + "renamed: {ask_size: how_large}\n", "ask_size", [], id="a step renamed"
    ),
    pytest.param(OLD.replace("id: ask_size", "id: how_large"), "pick", [], id="a step nobody stands on"),
    pytest.param(
        OLD.replace(", blue: Blue", ""), "pick",
        ["the option `blue` of the step `pick` is gone; say where it went: `renamed: {blue: …}`"], id="an option removed",
    ),
    pytest.param(OLD.replace("blue: Blue", "green: Green") + "renamed: {blue: green}\n", "pick", [], id="an option renamed"),
    pytest.param(
        OLD.replace("type: text", "type: number"), "pick",
        ["the field `size` was of the type `text` and is `number` now"], id="a type changed",
    ),
    pytest.param(
        OLD.replace("  size:", "  width:").replace("into: size", "into: width"), "pick",
        ["the field `size` is gone; say where it went: `renamed: {size: …}`"], id="a field removed",
    ),
    pytest.param(
        OLD.replace("    ask: How large?\n    into: size", "    say: Well"), "ask_size",
        ["the step `ask_size` was `ask` and is `say` now"], id="another verb",
    ),
    pytest.param(OLD.replace("Which?", "What?"), "end", [], id="somebody at the end"),
]  # fmt: skip


@pytest.mark.parametrize(("new", "step", "wanted"), CASES)
def test_what_people_stand_on_is_kept(new: str | None, step: str, wanted: list[str]) -> None:
    assert told(new, step) == wanted


def test_a_version_that_cannot_be_read_is_told() -> None:
    (one,) = lost([Parked("mine", "f" * 32, "pick", 1)], {}, {"mine": compiled(OLD)})

    assert str(one) == "mine: its version ffffffff cannot be read any more; 1 conversation stands on it."
