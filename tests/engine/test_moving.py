"""A person in the middle of a flow while it is edited: nothing breaks, and what was renamed is found again."""

from functools import cache

import pytest

from bot.domain import plain
from bot.engine.loader import load, recompiled
from tests.engine.phone import Phone, book, files

OLD = """flow: mine
title: Mine
purpose: support
starts: [{words: [something sweet]}]
data:
  size: {type: text, keep: until_end}
  colour: {type: choice, keep: until_end, options: {red: Ruby, blue: Blue}}
steps:
  - ask: How large?
    into: size
  - id: pick
    ask: Which colour?
    into: colour
  - id: sure
    menu: "{size} in {colour}?"
    options: {good: Good, bad: Bad}
  - say: "So {colour}."
"""
RENAMED = "renamed: {pick: choose, size: width, blue: navy, sure: certain, bad: wrong}\n"
NEW = (
    OLD.replace("id: pick", "id: choose").replace("size", "width").replace("blue: Blue", "navy: Navy").replace("id: sure", "id: certain")
    .replace("bad: Bad", "wrong: Wrong").replace("So {colour}", "Now {colour}")
) + RENAMED  # fmt: skip


mine = cache(lambda text: book(mine=text))


def edited(one: Phone, new: str) -> Phone:
    """The phone after the business published another version; people may still stand on the old one."""
    return one.with_book(mine(new).with_older(one.book.versions))


@pytest.fixture
def phone() -> Phone:
    one = Phone(mine(OLD))
    one.say("something sweet")
    return one


EDITS = [
    pytest.param(OLD.replace("So {colour}", "Now {colour}"), id="a text"),
    pytest.param(OLD.replace("  - id: sure", "  - say: Fine.\n  - id: sure"), id="a step more"),
    pytest.param(OLD.replace("steps:\n", "steps:\n  - say: Now then.\n"), id="a step more before all others"),
    pytest.param(OLD.replace("id: pick", "id: choose"), id="a step renamed without a word"),
    pytest.param(OLD.replace("red: Ruby, ", ""), id="an option less"),
    pytest.param(OLD.replace("How large?", "How wide?").replace("size", "width"), id="a field renamed without a word"),
    pytest.param("flow: mine\ntitle: Mine\npurpose: support\nsteps: [say: Closed.]\n", id="everything"),
]


@pytest.mark.parametrize("new", EDITS)
@pytest.mark.parametrize("answered", [0, 1, 2])
def test_whoever_is_in_a_flow_ends_the_version_they_began(phone: Phone, new: str, answered: int) -> None:
    steps = [lambda one: one.say("Small"), lambda one: one.tap("Blue"), lambda one: one.tap("Good")]
    for step in steps[:answered]:
        step(phone)
    after = edited(phone, new)

    said = [step(after) for step in steps[answered:]]

    assert said[-1] == ["So Blue."]
    assert after.conversation.frames == ()


@pytest.mark.parametrize("answered", [1, 2])
def test_renamed_moves_people_with_what_they_gave(phone: Phone, answered: int) -> None:
    phone.say("Small")
    if answered == 2:
        phone.tap("Blue")
    after = edited(phone, NEW)

    if answered == 1:  # the button of the old version stands for the option under its new key
        assert after.tap("Blue") == ["Small in Navy?"]
    assert after.tap("Bad" if answered == 2 else "Wrong") == ["Now Navy."]


def test_where_they_stand_is_told_by_the_new_names(phone: Phone) -> None:
    phone.say("Small")
    after = edited(phone, NEW)
    after.say("what?")
    [frame] = after.conversation.frames

    assert (frame.step, frame.version) == ("choose", after.book.flows["mine"].version)
    assert after.conversation.slots == ({"width": "Small"},)
    assert [timer.step for timer in after.conversation.timers] == ["choose"]
    assert frame.trail == (), "the first question has no name, so nobody can be led back to it for certain"


def test_a_step_without_a_name_is_left_only_for_the_very_same(phone: Phone) -> None:
    """Steps are counted where they have no name: the first one may be another now."""
    after = edited(phone, NEW.replace("steps:\n", "steps:\n  - say: Now then.\n"))
    assert after.say("Small") == ["Which colour?"]
    assert after.conversation.frames[0].version == phone.book.flows["mine"].version

    same = edited(Phone(mine(OLD)), OLD.replace("id: pick", "id: choose") + "renamed: {pick: choose}\n")
    same.conversation = plain.join(*plain.split(phone.conversation))
    assert same.say("Small") == ["Which colour?"]
    assert same.conversation.frames[0].step == "choose"


def test_nobody_is_moved_half(phone: Phone) -> None:
    """The step is named in `renamed`, but a field is gone."""
    phone.say("Small")
    other = OLD.replace("id: pick", "id: choose").replace("size", "length") + "renamed: {pick: choose}\n"
    after = edited(phone, other)

    assert after.tap("Blue") == ["Small in Blue?"]


def test_a_version_nobody_can_read_any_more_is_left_by_the_name_of_the_step(phone: Phone) -> None:
    phone.say("Small")
    after = phone.with_book(mine(NEW))

    assert after.tap("Blue") == ["Small in Navy?"]


OLDER = "flow: mine\ntitle: Mine\npurpose: support\nsteps:\n  - my_data: export\n  - my_data: how_used\n"
FORMATS = [
    pytest.param("", ["file", "privacy"], id="no word is the first format"),
    pytest.param("format: 1\n", ["file", "privacy"], id="the first format"),
]


@pytest.mark.parametrize(("line", "wanted"), FORMATS)
def test_a_file_of_an_older_format_is_read_as_it_was_meant(line: str, wanted: list[str]) -> None:
    made = recompiled("mine", (line + OLDER).encode())

    assert made is not None
    assert [getattr(one, "my_data", "") or getattr(one, "run", "") for one in made.flow.steps] == wanted
    assert load(files(mine=line + OLDER)).book is not None


REFUSED = [
    pytest.param(
        "format: 3\n", "1:9", "This flow is written in format 3; this Recado reads formats up to 2.", id="newer"
    ),
    pytest.param("format: new\n", "1:9", "`new` is no format of flow files.", id="no number"),
    pytest.param("format: 0\n", "1:9", "`0` is no format of flow files.", id="nothing"),
    pytest.param("format: true\n", "1:9", "`True` is no format of flow files.", id="yes"),
    pytest.param("format: 2\n", "6:14", "`export` is not possible here.", id="an old word in a file of the new format"),
]


@pytest.mark.parametrize(("line", "place", "reason"), REFUSED)
def test_a_format_that_cannot_be_read_is_told(line: str, place: str, reason: str) -> None:
    [problem] = load(files(mine=line + OLDER.replace("  - my_data: how_used\n", ""))).problems

    assert (f"{problem.place.line}:{problem.place.column}", problem.reason) == (place, reason)
