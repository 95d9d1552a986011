"""Tests of flows: the shipped ones hold and cover everything; each kind of line can fail, and says how."""

# ruff: noqa: E501 - a case stands on its line

import json
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner

from bot.app.trying import Bench, Tried, all_languages, read_all_tests, try_project
from bot.cli import recado
from tests.cli.project import ROOT

pytest_plugins = ["pytester"]


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench(ROOT)


@pytest.fixture(scope="module")
def tried(bench: Bench) -> Tried:
    all_ = Tried()
    for name, content in read_all_tests(ROOT).items():
        all_.add(bench.try_file(name, content))
    return all_


def test_the_tests_of_the_shipped_flows_hold(tried: Tried) -> None:
    assert [str(one) for one in tried.problems] == []
    assert {one.name: one.outcome.reason for one in tried.results if not one.outcome.passed} == {}
    assert len(tried.results) >= 60


def test_they_go_through_every_step_and_every_outcome(bench: Bench, tried: Tried) -> None:
    gaps = {f"{gap.file}:{gap.line} {gap.step} {gap.outcome}" for one in bench.coverage(tried) for gap in one.gaps}

    assert gaps == set()


def test_they_hold_in_every_language() -> None:
    """The built-in flows in all ten, the example's in those it offers: as many messages and buttons, nothing left untranslated."""
    languages = all_languages(ROOT)
    _, tried = try_project(ROOT, languages=languages)
    spoken: dict[str, int] = {}
    for one in tried.results:
        spoken[one.language] = spoken.get(one.language, 0) + 1

    assert {one.name: f"{one.place} {one.outcome.reason}" for one in tried.results if not one.outcome.passed} == {}
    assert set(spoken) == {"en", *languages}
    assert len(languages) == 9
    assert min(spoken.values()) >= 50


TWINS = [
    pytest.param("Quanto tempo?", "Sim", [], id="a translation"),
    pytest.param(
        "", "Sim", ["`How long did the whole thing take you? [Sim] [Não]` is not translated"], id="a text without one"
    ),
    pytest.param("Quanto tempo?", "", [], id="a short word may be the same"),
]


@pytest.mark.parametrize(("question", "yes", "wanted"), TWINS)
def test_a_language_is_compared_with_the_one_of_the_file(
    tmp_path: Path, question: str, yes: str, wanted: list[str]
) -> None:
    (tmp_path / "flows" / "tests").mkdir(parents=True)
    (tmp_path / "flows" / "business.yaml").write_bytes(
        (ROOT / "flows" / "business.yaml").read_bytes().replace(b"start_flow: welcome\n", b"")
    )
    (tmp_path / "flows" / "mine.yaml").write_text(
        "flow: mine\ntitle: Mine\npurpose: support\nstarts: [{words: [something wild]}]\nsteps:\n"
        "  - menu: How long did the whole thing take you?\n    options: {yes: Ya, no: No}\n"
    )
    (tmp_path / "flows" / "tests" / "mine.yaml").write_text(
        "test: it asks\nflow: mine\ntalk:\n  - user: something wild\n  - user: {button: Ya}\n  - expect: {flow: none}\n"
    )
    catalog = tmp_path / "locales" / "pt" / "LC_MESSAGES" / "flows.po"
    catalog.parent.mkdir(parents=True)
    words = {"How long did the whole thing take you?": question, "Ya": yes, "No": "Não", "something wild": "algo bravo"}
    rows = "".join(f'msgid "{text}"\nmsgstr "{said}"\n\n' for text, said in words.items())
    catalog.write_text('msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\nLanguage: pt\\n"\n\n' + rows)
    _, tried = try_project(tmp_path, languages=["pt"])

    assert [one.name for one in tried.results] == ["it asks", "it asks [pt]"]
    assert [one.outcome.reason for one in tried.results if not one.outcome.passed] == wanted


def test_a_language_nobody_has_is_refused() -> None:
    result = CliRunner().invoke(recado, ["flows", "test", str(ROOT), "--language", "xx"])

    assert result.exit_code == 2
    assert "There is no catalog for xx." in result.output


def one(lines: str, given: str = "{}", flow: str = "newsletter") -> bytes:
    return f"test: it holds\nflow: {flow}\ngiven: {given}\ntalk:\n{lines}".encode()


ORDER = "  - user: order\n  - user: CL12345\n  - user: 1100-001\n"
STUB = "{stubs: {shop.find_order: {outcome: failed}}}"
FAILS = [
    pytest.param("  - user: news\n  - bot: banana\n", "{}", 6, "no message contains `banana`; what came: May Casa Lua", id="a text"),
    pytest.param("  - user: news\n  - bot: {contains: May, buttons: [Yes]}\n", "{}", 6, "has the buttons ['Yes']", id="buttons"),
    pytest.param("  - user: news\n  - bot: {text: May Casa Lua}\n", "{}", 6, "no message is `May Casa Lua`", id="a whole text"),
    pytest.param("  - user: news\n  - bot: {template: monthly_news}\n", "{}", 6, "is the template", id="a template"),
    pytest.param("  - user: {button: Yes}\n", "{}", 5, "nothing to tap says `Yes`", id="a button that is not there"),
    pytest.param("  - user: news\n  - expect: {flow: none}\n", "{}", 6, "flow is `newsletter`, not `none`", id="the flow"),
    pytest.param("  - user: news\n  - expect: {step: none}\n", "{}", 6, "step is `2`, not `none`", id="the step"),
    pytest.param("  - user: news\n  - expect: {language: pt}\n", "{}", 6, "language is `en`, not `pt`", id="the language"),
    pytest.param("  - user: news\n  - expect: {erasing: yes}\n", "{}", 6, "erasing is `False`", id="erasing"),
    pytest.param("  - user: news\n  - expect: {suppressed: all}\n", "{}", 6, "`all` is not stopped", id="suppression"),
    pytest.param("  - user: news\n  - expect: {messages_sent: 0}\n", "{}", 6, "1 messages were sent, not 0", id="how many messages"),
    pytest.param("  - user: news\n  - expect: {sent: monthly_news}\n", "{}", 6, "was not sent; sent: none", id="a template sent"),
    pytest.param("  - user: news\n  - expect: {request: access}\n", "{}", 6, "no request `access` was opened", id="a request"),
    pytest.param("  - user: news\n  - expect: {stored: [x]}\n", "{}", 6, "`x` is not stored", id="a value stored"),
    pytest.param(
        "  - user: news\n  - expect: {consent: {purpose: newsletter, state: given}}\n", "{}", 6,
        "consent `newsletter` is `requested`, not `given`", id="a consent",
    ),
    pytest.param(
        "  - user: news\n  - expect: {consent: {purpose: newsletter, state: requested, evidence: [method, expires]}}\n", "{}", 6,
        "the record of `newsletter` holds no expires", id="its evidence",
    ),
    pytest.param("  - user: order\n  - user: CL12345\n  - expect: {field: {number: CL1}}\n", "{}", 7, "field `number` is `CL12345`", id="a field"),
    pytest.param("  - user: order\n  - user: CL12345\n  - expect: {not_stored: [number]}\n", "{}", 7, "`number` is stored", id="a value not stored"),
    pytest.param(ORDER, "{}", 7, "`given: stubs:` holds no answer", id="a call without a stub"),
    pytest.param(ORDER + "  - expect: {handoff: {team: front_desk}}\n", STUB, 8, "no ticket for `front_desk`; tickets: orders", id="a team"),
    pytest.param(
        ORDER + "  - expect: {handoff: {team: orders, shared: [number, postcode]}}\n", STUB, 8,
        "what the ticket shares is `['number']`", id="what is shared",
    ),
    pytest.param(ORDER + "  - expect: {called: {action: shop.find_order, times: 2}}\n", STUB, 8, "was called 1 times", id="how often called"),
    pytest.param(
        ORDER + "  - expect: {called: {action: shop.find_order, with: {number: X}}}\n", STUB, 8, "was sent is `{'number': 'CL12345'", id="called with",
    ),
    pytest.param("  - start: nowhere\n", "{}", 5, "there is no flow called `nowhere`", id="a flow started that is not there"),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "given", "line", "reason"), FAILS)
def test_a_line_that_does_not_hold_is_told(bench: Bench, lines: str, given: str, line: int, reason: str) -> None:
    tried = bench.try_file("tests/mine.yaml", one(lines, given))

    assert [str(problem) for problem in tried.problems] == []
    (result,) = tried.results
    assert reason in result.outcome.reason
    assert result.place == f"tests/mine.yaml:{line}"


BROKEN = [
    pytest.param(one("  - says: x\n"), "unknown-key", 5, id="a line nobody knows"),
    pytest.param(one("  - {user: x, bot: y}\n"), "wrong-value", 5, id="two things on a line"),
    pytest.param(one("  - bot: {}\n"), "wrong-value", 5, id="a message of nothing"),
    pytest.param(one("  - user: x\n", flow="newslettr"), "unknown-flow", 2, id="a flow that is not there"),
    pytest.param(one("  - user: x\n", "{stubs: {shop.find: {outcome: ok}}}"), "unknown-action", 3, id="an action that is not there"),
    pytest.param(one("  - user: x\n", "{consents: {news: given}}"), "unknown-purpose", 3, id="a purpose that is not there"),
    pytest.param(one("  - user: x\n", "{clock: tomorrow}"), "wrong-value", 3, id="no moment"),
    pytest.param(one("  - clock: soon\n"), "wrong-value", 5, id="no length of time"),
    pytest.param(b"- test: a\n  flow: newsletter\n", "missing", 1, id="a test without a talk, in a list"),
    pytest.param(b"test: a\n\tflow: b\n", "yaml-tab", 2, id="a tab"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "code", "line"), BROKEN)
def test_a_broken_tests_file_is_told_with_its_place(bench: Bench, content: bytes, code: str, line: int) -> None:
    tried = bench.try_file("tests/mine.yaml", content)

    assert (code, line) in [(problem.code, problem.place.line) for problem in tried.problems]
    assert not tried.passed


def test_words_in_clear_are_found(bench: Bench) -> None:
    """The check can fail: the state of a consent stands in clear, and saying it is noticed."""
    lines = "  - user: news\n  - user: requested\n  - expect: {log_has_no: [text]}\n"

    (result,) = bench.try_file("tests/mine.yaml", one(lines)).results
    assert result.outcome.reason == "`text` stands in a part that is not encrypted"


def test_the_command_tells_results_coverage_and_junit(tmp_path: Path) -> None:
    path = ROOT / "flows" / "tests" / "support.yaml"
    junit = tmp_path / "out.xml"
    result = CliRunner().invoke(recado, ["flows", "test", str(path), "--junit", str(junit), "--coverage"])

    assert result.exit_code == 0, result.output
    assert re.search(r"^support +6/6 +4/4 +en$", result.output, re.MULTILINE)
    assert re.search(r"^    flows/newsletter\.yaml:\d+: menu", result.output, re.MULTILINE)
    assert result.output.endswith("3 tests: 3 passed, 0 failed.\n")
    suite = ET.fromstring(junit.read_text())  # noqa: S314 - written a moment ago by ourselves
    assert (suite.get("tests"), suite.get("failures"), len(suite)) == ("3", "0", 3)


def test_too_little_coverage_fails() -> None:
    path = ROOT / "flows" / "tests" / "support.yaml"
    result = CliRunner().invoke(recado, ["flows", "test", str(path), "--fail-under", "100", "--json"])

    assert result.exit_code == 1
    assert "Covered less than 100 %: book_appointment, newsletter" in result.output
    assert json.loads(result.stdout)["coverage"][0]["steps"] == 37


def test_processes_share_the_files() -> None:
    alone = CliRunner().invoke(recado, ["flows", "test", str(ROOT), "--json"])
    shared = CliRunner().invoke(recado, ["flows", "test", str(ROOT), "--json", "--jobs", "2"])

    assert alone.exit_code == shared.exit_code == 0
    assert json.loads(alone.stdout)["coverage"] == json.loads(shared.stdout)["coverage"]


def test_pytest_runs_tests_files(pytester: pytest.Pytester) -> None:
    folder = pytester.path / "flows"
    (folder / "tests").mkdir(parents=True)
    (folder / "business.yaml").write_bytes((ROOT / "flows" / "business.yaml").read_bytes())
    for name in ("welcome", "newsletter", "support", "order_status"):
        (folder / f"{name}.yaml").write_bytes((ROOT / "flows" / f"{name}.yaml").read_bytes())
    good = one("  - user: news\n  - bot: May Casa Lua\n")
    (folder / "tests" / "good.yaml").write_bytes(good)
    (folder / "tests" / "bad.yaml").write_bytes(good.replace(b"May Casa Lua", b"banana"))

    result = pytester.runpytest_subprocess("-p", "bot.testing.plugin", "-p", "no:cacheprovider", "flows/tests")

    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        ["*flows/tests/bad.yaml:6: no message contains `banana`*", "*The conversation as it went:*", "*user: news*"]
    )
