"""The parts of the flow language: reading with places, texts with blanks, conditions, machines."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import IllegalMove
from bot.engine.expressions import ExpressionProblem, condition, sum_of
from bot.engine.loader import load
from bot.engine.reading import MAX_BYTES, read
from bot.engine.text import TextProblem, parse
from tests.engine.phone import book, files

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)


class Values:
    """A scope with a few values."""

    now = NOW

    def __init__(self, **values: Any) -> None:
        self.values = values

    def value(self, name: str) -> Any:
        return self.values.get(name)

    def local_day(self, moment: datetime) -> date:
        return moment.date()

    def has_consent(self, purpose: str) -> bool:
        return purpose == "news"

    def is_open(self, team: str) -> bool:
        return team == "desk"

    def matches(self, pattern: str, value: str) -> bool:
        return pattern == "digits" and value.isdigit()


KNOWN = Values(n=5, topic="Delivery", day=date(2026, 11, 25), rows=("a", "b"), price=Decimal("2.50"), yes=True, at=NOW)
FIELDS = frozenset({"n", "topic", "day", "rows", "price", "yes", "at", "gone", "code"})


@pytest.mark.parametrize(
    ("source", "holds"),
    [
        ("n is 5", True),
        ("n is not 5", False),
        ("n is more than 4 and n is less than 6", True),
        ("n is at least 5", True),
        ("n is at most 4", False),
        ("n is between 1 and 5 and topic is delivery", True),
        ("topic is one of invoice, delivery", True),
        ("topic is not one of invoice, delivery", False),
        ("topic is invoice or has consent news", True),
        ("not (topic is invoice)", True),
        ("gone is empty", True),
        ("gone is known", False),
        ("gone is more than 3", False),
        ("gone is not known and n is known", True),
        ("rows contains a", True),
        ("topic starts with Del", True),
        ("day is after today", True),
        ("day is before today plus 1 day", False),
        ("at is today", True),
        ("day is 2026-11-25", True),
        ("now is in opening hours desk", True),
        ("now is in opening hours other", False),
        ("price * 2 is 5", True),
        ("count(rows) is 2", True),
        ('topic is "delivery"', True),
        ("topic matches /digits/", False),
        ("has consent other", False),
    ],
)
def test_conditions_mean_what_they_say(source: str, holds: bool) -> None:
    assert condition(source, FIELDS).holds(KNOWN) is holds


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("n + 2 * 3", Decimal(11)),
        ("price * 3", Decimal("7.50")),
        ("round(price)", Decimal(2)),
        ("max(n, 9)", Decimal(9)),
        ("sum(rows)", None),
        ("join(rows)", "a, b"),
        ("n / 0", None),
        ("gone + 1", None),
        ("today plus 1 month", date(2026, 12, 23)),
        ("day minus 1 day at 10:00", datetime(2026, 11, 24, 10)),  # noqa: DTZ001 - local time of the person
        ("2026-01-31 plus 1 month", date(2026, 2, 28)),
    ],
)
def test_sums_are_exact_and_never_raise(source: str, value: Any) -> None:
    assert sum_of(source, FIELDS).result(KNOWN) == value


@pytest.mark.parametrize(
    ("source", "column"),
    [("n iss 5", 7), ("n is 5 and", 8), ("(n is 5", 7), ("n ? 5", 3), ("", 1), ("n is between 1", 14)],
)
def test_a_broken_condition_is_located(source: str, column: int) -> None:
    with pytest.raises(ExpressionProblem) as caught:
        condition(source, FIELDS)
    assert caught.value.column == column


@given(st.text(max_size=60))
def test_any_text_as_a_condition_is_refused_or_answered(source: str) -> None:
    try:
        parsed = condition(source, FIELDS)
    except ExpressionProblem:
        return
    assert parsed.holds(KNOWN) in (True, False)


def fill(source: str, **values: Any) -> str:
    return parse(source).fill(
        values.get, lambda value, how: f"{value}{'|' + how if how else ''}", lambda n: "one" if n == 1 else "other"
    )


@pytest.mark.parametrize(
    ("source", "filled"),
    [
        ("Hello {who}", "Hello Ana"),
        ("{who|upper}!", "Ana|upper!"),
        ('{n|plural one:"{n} cake" other:"{n} cakes"}', "2 cakes"),
        ('{n|plural =2:"a pair" one:"one" other:"many"}', "a pair"),
        ('{who|select Ana:"she" other:"they"}', "she"),
        ("{{n}} stays", "{n} stays"),
        ("{order.number}", "None"),
    ],
)
def test_texts_are_filled(source: str, filled: str) -> None:
    assert fill(source, who="Ana", n=2) == filled


@pytest.mark.parametrize(
    ("source", "column"),
    [("a {b", 3), ("a } b", 3), ("{b c}", 2), ("{b|shout}", 2), ('{n|plural one:"x"}', 2), ("{}", 2)],
)
def test_a_broken_text_is_located(source: str, column: int) -> None:
    with pytest.raises(TextProblem) as caught:
        parse(source)
    assert caught.value.column == column


@given(st.text(max_size=80))
def test_any_text_is_refused_or_filled(source: str) -> None:
    try:
        parsed = parse(source)
    except TextProblem:
        return
    assert isinstance(parsed.fill(lambda _: 1, lambda value, _: str(value), lambda _: "other"), str)


def test_yes_times_and_dates_stay_text() -> None:
    source = read("a.yaml", b"yes: no\non: 09:00\nday: 2026-11-23\ncode: 0123\nflag: true\nn: 12\nnothing:\n")

    assert source.data == {
        "yes": "no",
        "on": "09:00",
        "day": "2026-11-23",
        "code": "0123",
        "flag": True,
        "n": 12,
        "nothing": None,
    }
    assert source.problems == []


@pytest.mark.parametrize(
    ("content", "code", "line", "column"),
    [
        pytest.param(b"a: b: c\n", "yaml-syntax", 1, 5, id="two colons"),
        pytest.param(b"a: 1\na: 2\n", "yaml-duplicate", 2, 1, id="a key twice"),
        pytest.param(b"a:\n\tb: 1\n", "yaml-tab", 2, 1, id="a tab"),
        pytest.param(b"a: &x 1\nb: *x\n", "yaml-anchor", 1, 4, id="an anchor"),
        pytest.param(b"a: !!python/object:os.system 1\n", "yaml-tag", 1, 4, id="a tag"),
        pytest.param(b"<<: {a: 1}\n", "yaml-merge", 1, 1, id="a merge key"),
        pytest.param(b"? [a]\n: 1\n", "yaml-key", 1, 3, id="a list as key"),
        pytest.param(b"a: [1, 2\n", "yaml-syntax", 1, 9, id="an open bracket"),
        pytest.param(b'a: "x\n', "yaml-syntax", 1, 6, id="an open quote"),
        pytest.param(b"a: \xff\n", "yaml-encoding", 1, 4, id="not UTF-8"),
        pytest.param(b"a: \x00\n", "yaml-character", 1, 4, id="a control character"),
        pytest.param(b"", "yaml-empty", 1, 1, id="empty"),
        pytest.param(b"~", "yaml-empty", 1, 1, id="nothing written out"),
        pytest.param(b"!", "yaml-empty", 1, 1, id="a lone exclamation mark"),
        pytest.param(b"a: 1\n---\nb: 2\n", "yaml-syntax", 2, 1, id="two documents"),
        pytest.param(b"a: " + b"[" * 60 + b"]" * 60, "yaml-depth", 1, 44, id="nested deeply"),
        pytest.param(b"#" * (MAX_BYTES + 1), "yaml-size", 1, 1, id="huge"),
    ],
)
def test_files_that_cannot_be_read_are_located(content: bytes, code: str, line: int, column: int) -> None:
    problems = read("a.yaml", content).problems

    assert (problems[0].code, problems[0].place.line, problems[0].place.column) == (code, line, column)
    assert problems[0].reason


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    source = read("a.yaml", content)
    assert source.problems or source.data is None or isinstance(source.data, dict | list | str | int | float | bool)


@given(st.sampled_from(sorted(files())), st.data())
def test_a_shipped_file_with_a_piece_missing_never_raises(name: str, data: st.DataObject) -> None:
    """Truncated and torn files give located problems, never a traceback."""
    everything = files()
    content = everything[name]
    start = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(start, min(len(content), start + 60)))
    loaded = load(everything | {name: content[:start] + content[end:]})
    for problem in loaded.problems:
        assert problem.place.line >= 1
        assert str(problem)


def test_all_faults_of_all_files_are_told_at_once() -> None:
    one = "flow: one\ntitle: One\npurpose: suport\nsteps: [{say: hi}]\n"
    two = "flow: two\ntitle: Two\nsteps: [{sya: hi}]\n"
    found = {(problem.place.file, problem.code) for problem in load(files(one=one, two=two)).errors}

    assert found == {("one.yaml", "unknown-purpose"), ("two.yaml", "unknown-verb")}


LINTED = [
    pytest.param("steps: [{go: nowhere}]", "unknown-step", id="a jump to nowhere"),
    pytest.param("steps: [{id: a, say: x}, {go: a}]", "unbounded-jump", id="a jump back without a bound"),
    pytest.param("steps: [{run: nothing}]", "unknown-flow", id="a flow that is not there"),
    pytest.param('steps: [{say: "{nobody}"}]', "unknown-field", id="an unknown field in a text"),
    pytest.param('steps: [{say: "{open"}]', "text-blank", id="an open brace"),
    pytest.param("steps: [{id: a, say: x}, {id: a, say: y}]", "duplicate-id", id="two steps of one name"),
    pytest.param("steps: [{ask: x?}]", "no-into", id="an answer kept nowhere"),
    pytest.param("steps: [{menu: x?, options: {a: A very long label indeed}}]", "label-long", id="a label too long"),
    pytest.param("steps: [{menu: x?, options: {a: A, b: a}}]", "label-twice", id="a label twice"),
    pytest.param(
        "steps: [{menu: x?, options: {" + ", ".join(f"o{n}: O{n}" for n in range(11)) + "}}]",
        "options-many",
        id="eleven options",
    ),
    pytest.param("steps: [{call: shop.nothing}]", "unknown-action", id="an unknown action"),
    pytest.param(
        "steps: [{consent: newsletter, ask: May Casa Lua?}]", "consent-single", id="one yes where two are needed"
    ),
    pytest.param(
        "steps: [{consent: newsletter, ask: May we?, double: {ask: Sure?}}]",
        "consent-nameless",
        id="a question that does not say who asks",
    ),
    pytest.param(
        "steps: [{consent: newsletter, ask: May Casa Lua?, double: {ask: Sure?, yes_label: Confirm that I really want it}}]",
        "label-long",
        id="a second button too long",
    ),
    pytest.param(
        'steps: [{consent: newsletter, ask: May Casa Lua?, double: {ask: Sure?, yes_label: "No, thanks"}}]',
        "label-twice",
        id="two buttons that say the same",
    ),
    pytest.param(
        'steps: [{consent: newsletter, ask: May Casa Lua?, no_label: "", double: {ask: Sure?}}]',
        "label-empty",
        id="a button without a text",
    ),
    pytest.param("steps: [{handoff: {team: nobody}}]", "unknown-team", id="an unknown team"),
    pytest.param("steps: [{send: nothing}]", "unknown-template", id="an unknown template"),
    pytest.param("steps: [{stop: all}]", "privacy-verb", id="a privacy verb in a business flow"),
    pytest.param("steps: [{say: x, outcomes: {}}]", "unknown-key", id="a key the verb does not know"),
    pytest.param("steps: [{withdraw: nothing}]", "unknown-purpose", id="an unknown purpose"),
    pytest.param("steps: [{when: [{if: 1 is, then: [end]}], else: carry on}]", "condition", id="a broken condition"),
    pytest.param(
        'data: {a: {type: text, sensitive: yes}}\nsteps: [{say: "{a}"}]',
        "sensitive-shown",
        id="a sensitive value shown",
    ),
    pytest.param(
        "data: {a: {type: text, sensitive: yes}}\nsteps: [{handoff: {team: front_desk, share: [a]}}]",
        "sensitive-shared",
        id="a sensitive value shared",
    ),
    pytest.param(
        "data: {a: {type: form}}\nsteps: [{ask: x?, into: a}]", "type-later", id="a type that is not read yet"
    ),
    pytest.param(
        "steps: [{call: shop.find_order, with: {colour: a}}]", "field-not-sent", id="a field that may not leave"
    ),
]


@pytest.mark.parametrize(("rest", "code"), LINTED)
def test_the_linter_says_what_is_wrong_and_where(rest: str, code: str) -> None:
    loaded = load(files(mine=f"flow: mine\ntitle: Mine\npurpose: support\n{rest}\n"))
    found = [problem for problem in loaded.errors if problem.code == code]

    assert found, [problem.code for problem in loaded.errors]
    assert found[0].place.file == "mine.yaml"
    assert found[0].place.line >= 4


def test_a_field_without_a_purpose_is_refused() -> None:
    loaded = load(files(mine="flow: mine\ntitle: Mine\ndata: {a: {type: text}}\nsteps: [{ask: x?, into: a}]\n"))
    assert "no-purpose" in {problem.code for problem in loaded.errors}


def test_a_flow_is_a_machine_whose_outcomes_are_its_moves() -> None:
    flow = book().flows["newsletter"]

    assert flow.machine.initial == "1"
    assert flow.machine.apply("2", "refused") == "2.refused.1"
    assert flow.machine.apply("2", "given") == "3"
    with pytest.raises(IllegalMove):
        flow.machine.apply("2", "answered")
