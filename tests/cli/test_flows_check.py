"""`recado flows check`: whatever is wrong with a file is told with its place, in words, and never as a traceback."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.cli import recado
from tests.cli.project import FLOW, ROOT, copied

STEPS = FLOW.index("steps:\n") + len("steps:\n")
TYPO = "  - when: [{if: size iss known, then: [end]}]\n    else: carry on"
DEEP = FLOW[:STEPS] + "  - say: " + "[" * 300 + "]" * 300 + "\n"
NESTED = FLOW[:STEPS] + "".join(
    f"{'  ' * (2 * n + 1)}- when:\n{'  ' * (2 * n + 3)}- if: size is known\n{'  ' * (2 * n + 4)}then:\n"
    for n in range(30)
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return copied(tmp_path)


def checked(project: Path, *options: str) -> Result:
    return CliRunner().invoke(recado, ["flows", "check", str(project), *options])


def changed(old: str, new: str) -> bytes:
    assert old in FLOW
    return FLOW.replace(old, new).encode()


BROKEN = [
    pytest.param(b"", "1:1", "yaml-empty", id="an empty file"),
    pytest.param(b"# nothing but a comment\n", "1:1", "yaml-empty", id="only a comment"),
    pytest.param(changed("    into: size", "\tinto: size"), "11:1", "yaml-tab", id="a tab instead of spaces"),
    pytest.param(FLOW.encode()[:-70], None, None, id="cut off in the middle"),
    pytest.param(FLOW.encode() + b'  - say: "never closed\n', None, "yaml-syntax", id="a quotation mark that is not closed"),
    pytest.param(FLOW.encode() + b"  - say: {a: [b, c}\n", "16:", "yaml-syntax", id="a bracket closed by the wrong one"),
    pytest.param(changed('"Thank you, {size} it is."', "Note: it is done"), "14:14", "yaml-syntax", id="a colon in a text without quotes"),
    pytest.param(changed("title: Parcel\n", "title: Parcel\ntitle: Box\n"), "3:1", "yaml-duplicate", id="a key that stands twice"),
    pytest.param(changed("title: Parcel", "title: caf\xe9").decode().encode("latin-1"), "2:11", "yaml-encoding", id="not UTF-8"),
    pytest.param(FLOW.encode("utf-16"), "1:1", "yaml-encoding", id="UTF-16"),
    pytest.param(changed("Parcel\n", "Par\x00cel\n"), "2:11", "yaml-character", id="a control character"),
    pytest.param(DEEP.encode(), None, None, id="brackets nested three hundred deep"),
    pytest.param(NESTED.encode(), None, None, id="steps nested thirty deep and cut off"),
    pytest.param(changed("title: Parcel", "title: &name Parcel"), "2:8", "yaml-anchor", id="an anchor"),
    pytest.param(changed("title: Parcel", "title: *name"), "2:8", "yaml-syntax", id="an alias"),
    pytest.param(changed("title: Parcel", "title: !!python/name:os.system Parcel"), "2:8", None, id="a tag that would run Python"),
    pytest.param(changed("title: Parcel", "title: !secret Parcel"), "2:8", "yaml-tag", id="a tag of one's own"),
    pytest.param(changed("title: Parcel", "<<: {title: Parcel}"), "2:1", "yaml-merge", id="a merge key"),
    pytest.param(FLOW.encode() + b"---\nflow: two\n", "16:1", "yaml-syntax", id="a second document"),
    pytest.param(changed("title: Parcel", "title: Parcel\n? [a, b]\n: c"), "3:3", "yaml-key", id="a list as a key"),
    pytest.param(b"- flow: parcel\n- title: Parcel\n", "1:1", "wrong-value", id="a list instead of keys"),
    pytest.param(b"just some words\n", "1:1", "wrong-value", id="words instead of keys"),
    pytest.param(b"{}\n", "1:1", "missing", id="no keys at all"),
    pytest.param(changed("title: Parcel\n", ""), "1:1", "missing", id="no title"),
    pytest.param(changed("title: Parcel", "titel: Parcel"), "2:1", "unknown-key", id="a misspelt key"),
    pytest.param(changed("  - say:", "  - sayy:"), "14:5", "unknown-verb", id="a misspelt verb"),
    pytest.param(changed("flow: parcel", "flow: Parcel Flow"), "1:7", "wrong-value", id="a name with capitals and spaces"),
    pytest.param(changed("type: text", "type: texts"), "8:16", "wrong-value", id="an unknown type of value"),
    pytest.param(changed("keep: until_end}", "keep: until_end, sensitive: perhaps}"), "8:50", "wrong-value", id="neither yes nor no"),
    pytest.param(changed("    into: size\n", "    into: size\n    tries: many\n"), "12:12", "wrong-value", id="a word for a number"),
    pytest.param(changed("    into: size\n", "    into: size\n    wait: a while\n"), "12:11", "wrong-value", id="no length of time"),
    pytest.param(changed("  - end", "  - 42"), "15:5", "unknown-verb", id="a number for a step"),
    pytest.param(FLOW[:STEPS].encode(), "10:1", "wrong-value", id="no steps"),
    pytest.param(changed("    into: size", "    into: sise"), "11:11", "unknown-field", id="a field nobody declared"),
    pytest.param(changed("{size} it", "{sise} it"), "14:10", "unknown-field", id="a value nobody declared in a text"),
    pytest.param(changed("{size} it", "{size it"), "14:10", "text-blank", id="a brace that is not closed"),
    pytest.param(changed("      silent: [end]", "      silence: [end]"), "13:7", "unknown-outcome", id="an outcome the step has not"),
    pytest.param(changed("purpose: orders", "purpose: order"), "4:10", "unknown-purpose", id="a purpose nobody declared"),
    pytest.param(changed("words: [parcel]", "words: [order]"), "6:13", "word-clash", id="a start word of another flow"),
    pytest.param(changed("flow: parcel", "flow: support"), None, "duplicate-flow", id="the name of another flow"),
    pytest.param(changed("  - end", "  - go: nowhere"), "15:9", "unknown-step", id="a jump to nowhere"),
    pytest.param(changed("  - end", "  - stop: all"), "15:5", "privacy-verb", id="a verb of the built-in flows"),
    pytest.param(changed("  - end", TYPO), "15:17", "condition", id="a condition with a typo"),
    pytest.param(b"flow: big\ntitle: " + b"x" * 1024 * 1024, "1:1", "yaml-size", id="over a mebibyte"),
    pytest.param(b"\xff\xfe\x00\x01\x02\xfd" * 40, "1:1", "yaml-encoding", id="noise"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "place", "code"), BROKEN)
def test_a_broken_file_is_told_with_its_place(
    project: Path, content: bytes, place: str | None, code: str | None
) -> None:
    """`file:line:col: error[code]: reason`, exit status 1, no traceback."""
    (project / "flows" / "parcel.yaml").write_bytes(content)

    result = checked(project)

    assert result.exit_code == 1
    assert result.exception is None or isinstance(result.exception, SystemExit)
    heads = re.findall(r"^(\S*?)flows/([\w/.]+):(\d+:\d+): error\[([a-z-]+)\]: (.+)$", result.output, re.MULTILINE)
    assert heads, result.output
    ours = [
        (where, what, reason)
        for _, file, where, what, reason in heads
        if file == "parcel.yaml" or code == "duplicate-flow"
    ]
    assert ours, result.output
    assert all((reason[0].isupper() or reason[0] in "`/") and reason.endswith(".") for _, _, reason in ours)
    if code is not None:
        assert code in {what for _, what, _ in ours}
    if place is not None:
        assert any(where.startswith(place) for where, _, _ in ours), ours


def test_the_line_the_reason_and_the_fix_are_shown(project: Path) -> None:
    (project / "flows" / "parcel.yaml").write_bytes(changed("  - say:", "  - sayy:"))

    output = checked(project).output

    assert (
        f"{project}/flows/parcel.yaml:14:5: error[unknown-verb]: `sayy` is not a verb of the flow language.\n" in output
    )
    assert '   14 |   - sayy: "Thank you, {size} it is."\n' in output
    assert "      |     ^\n" in output
    assert "      = Did you mean `say`?\n" in output
    assert re.search(r"\n\d+ files: 1 error, 0 warnings\.\n$", output)


def test_all_faults_of_all_files_come_at_once(project: Path) -> None:
    (project / "flows" / "parcel.yaml").write_bytes(changed("    into: size", "    into: sise"))
    (project / "flows" / "box.yaml").write_bytes(changed("  - end", "  - go: nowhere").replace(b"parcel", b"box"))
    (project / "flows" / "chest.yaml").write_bytes(b"flow: chest\n\ttitle: x\n")

    found = json.loads(checked(project, "--json").output)

    assert {(Path(one["file"]).name, one["line"], one["code"]) for one in found["problems"]} == {
        ("parcel.yaml", 11, "unknown-field"), ("box.yaml", 15, "unknown-step"), ("chest.yaml", 2, "yaml-tab"),
    }  # fmt: skip
    assert (found["errors"], found["warnings"]) == (3, 0)
    assert all(
        {"file", "line", "column", "code", "severity", "reason", "fix", "source"} == set(one)
        for one in found["problems"]
    )


BUSINESS = [
    pytest.param("controller:\n", "controler:\n", "unknown-key", id="a misspelt key"),
    pytest.param("language: en\n", "language: sv\n", "wrong-value", id="a language that is not offered"),
    pytest.param("basis: contract", "basis: because", "wrong-value", id="an unknown legal basis"),
    pytest.param("  link: https://", "  link: casa-lua", "wrong-value", id="a link that is none"),
    pytest.param("name: Casa Lua\n", "name:\n", "wrong-value", id="no name"),
    pytest.param("teams:\n", "teams: [a, b]\nteams2:\n", None, id="a list where keys belong"),
    pytest.param("purposes:\n", "purposes: &all\n", "yaml-anchor", id="an anchor"),
]


@pytest.mark.parametrize(("old", "new", "code"), BUSINESS)
def test_a_broken_business_is_told_with_its_place(project: Path, old: str, new: str, code: str | None) -> None:
    path = project / "flows" / "business.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))

    found = json.loads(checked(project, "--json").output)

    ours = [one for one in found["problems"] if one["file"].endswith("business.yaml")]
    assert ours
    assert code is None or code in {one["code"] for one in ours}


def test_a_project_without_a_business_is_told_how_to_get_one(project: Path) -> None:
    (project / "flows" / "business.yaml").unlink()

    result = checked(project)

    assert result.exit_code == 1
    assert "flows/business.yaml:1:1: error[no-business]" in result.output


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_make_a_traceback(project: Path, content: bytes) -> None:
    (project / "flows" / "parcel.yaml").write_bytes(content)

    result = checked(project, "--json")

    assert isinstance(result.exception, SystemExit)
    assert result.exit_code == 1
    assert json.loads(result.output)["errors"] > 0


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.integers(0, len(FLOW) - 1),
    st.sampled_from(["", "\t", ":", "[", "{", '"', "- ", "\n", "&a ", "\u0000", "é", "  "]),
)
def test_no_slip_of_the_hand_makes_a_traceback(project: Path, at: int, slip: str) -> None:
    """One character is lost and another one put in its place, anywhere."""
    (project / "flows" / "parcel.yaml").write_text(FLOW[:at] + slip + FLOW[at + 1 :])

    result = checked(project, "--json")

    assert result.exception is None or isinstance(result.exception, SystemExit)
    found = json.loads(result.output)
    assert result.exit_code == (1 if found["errors"] else 0)
    assert all(one["line"] >= 1 and one["column"] >= 1 and one["reason"] for one in found["problems"])


def test_the_shipped_flows_are_fine() -> None:
    result = checked(ROOT, "--strict")

    assert result.output.endswith(": 0 errors, 0 warnings.\n")
    assert result.exit_code == 0


def test_warnings_fail_only_when_asked(project: Path) -> None:
    path = project / "flows" / "order_status.yaml"
    text = path.read_text()
    failed = text.index("      failed:\n")
    path.write_text(text[:failed] + text[text.index("      slow:\n") :])

    relaxed, strict = checked(project), checked(project, "--strict")

    assert "warning[failed-open]" in relaxed.output
    assert (relaxed.exit_code, strict.exit_code) == (0, 1)


@pytest.mark.parametrize("place", ["", "flows", "flows/parcel.yaml"])
def test_a_project_its_flows_or_one_file_can_be_named(project: Path, place: str) -> None:
    (project / "flows" / "parcel.yaml").write_bytes(changed("    into: size", "    into: sise"))
    (project / "flows" / "box.yaml").write_bytes(b"")

    found = json.loads(checked(project / place, "--json").output)

    wanted = {"parcel.yaml"} if place.endswith("yaml") else {"parcel.yaml", "box.yaml"}
    assert {Path(one["file"]).name for one in found["problems"]} == wanted


@pytest.mark.parametrize(
    ("place", "words"),
    [
        pytest.param("nowhere", "does not exist", id="a path that does not exist"),
        pytest.param("lost.yaml", "does not stand in a folder `flows`", id="a file outside of a project"),
        pytest.param("empty", "There is no folder `flows`", id="a folder that is no project"),
        pytest.param("shop/flows/notes.txt", "is not a flow", id="a file that is no flow"),
    ],
)
def test_a_path_that_means_nothing_is_misuse(project: Path, place: str, words: str) -> None:
    (project.parent / "lost.yaml").write_text(FLOW)
    (project.parent / "empty").mkdir()
    (project / "flows" / "notes.txt").write_text("hello")

    result = checked(project.parent / place)

    assert result.exit_code == 2
    assert words in result.output
    assert "Traceback" not in result.output


def test_the_user_sees_it_so(project: Path) -> None:
    """As a process of its own, in the project's folder, without a path."""
    (project / "flows" / "parcel.yaml").write_bytes(changed("    into: size", "\tinto: size"))

    done = subprocess.run([sys.executable, "-m", "bot", "flows", "check"], cwd=project, capture_output=True, text=True, check=False,
                          env={"PYTHONPATH": str(ROOT), "PATH": ""}, timeout=60)  # fmt: skip

    assert done.returncode == 1
    assert done.stdout.startswith("flows/parcel.yaml:11:1: error[yaml-tab]: This line is indented with a tab.\n")
    assert done.stderr == ""


def test_tests_of_faulty_flows_end_with_1(project: Path) -> None:
    """Nothing is misused: something is wrong with the flows, as `flows check` says with the same status."""
    (project / "flows" / "parcel.yaml").write_text(FLOW.replace("- end\n", "- fin\n"))
    assert checked(project).exit_code == 1

    result = CliRunner().invoke(recado, ["flows", "test", str(project)])

    assert (result.exit_code, "The flows have a fault; `recado flows check" in result.output) == (1, True), (
        result.output
    )


def test_only_the_files_of_the_author_are_counted(project: Path) -> None:
    """The built-in flows come with Recado and are not theirs to mend."""
    mine = sum(1 for _ in (project / "flows").rglob("*.y*ml"))

    assert f"{mine} files: 0 errors" in checked(project).output
