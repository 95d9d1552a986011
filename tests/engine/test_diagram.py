"""Pictures of flows: every step and way is in them, they fit a page, and no word of a flow can break out of them."""

import re
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner

from bot.cli import recado
from bot.engine.compiler import CompiledFlow
from bot.engine.diagram import BOX, HEIGHT, WIDTH, mermaid, page, picture, svg
from bot.engine.loader import load
from tests.cli.project import ROOT
from tests.engine.phone import book, files

BOOK = book()
SVG = "{http://www.w3.org/2000/svg}"


def compiled(text: str) -> CompiledFlow:
    loaded = load(files(mine=text))
    assert loaded.book is not None, loaded.errors
    return loaded.book.flows["mine"]


def forty() -> CompiledFlow:
    """Forty steps, nested as deep as an author would ever go."""
    deep = "say: Well"
    for level in range(9):
        deep = f"menu: Level {level} of the questions?\noptions:\n  on:\n    label: Go on\n    then:\n" + "\n".join(
            f"      {'- ' if not row else '  '}{line}" for row, line in enumerate(deep.splitlines())
        )
        deep += "\n      - say: That was it\n  off: {label: Leave, then: [end]}"
    steps = "\n".join(f"  {'- ' if not row else '  '}{line}" for row, line in enumerate(deep.splitlines()))
    more = "".join(f"  - say: Text {number}\n" for number in range(11))
    return compiled(f"flow: mine\ntitle: Forty\npurpose: support\nsteps:\n{steps}\n{more}  - end\n")


@pytest.mark.parametrize("name", sorted(BOOK.flows))
def test_every_step_is_a_box_of_its_own_row(name: str) -> None:
    flow = BOOK.flows[name]
    drawn = ET.fromstring(svg(flow))  # noqa: S314 - made a moment ago by ourselves
    boxes = list(drawn.iter(f"{SVG}rect"))
    tops = sorted(int(one.attrib["y"]) for one in boxes)

    assert len(boxes) == len(flow.nodes)
    assert all(low + HEIGHT < high for low, high in pairwise(tops))
    assert int(drawn.attrib["width"]) <= WIDTH


def test_forty_steps_fit_a_page_of_1280_pixels() -> None:
    flow = forty()
    drawn = ET.fromstring(svg(flow))  # noqa: S314
    rights = [int(one.attrib["x"]) + BOX for one in drawn.iter(f"{SVG}rect")]

    assert len(flow.nodes) >= 40
    assert int(drawn.attrib["width"]) <= WIDTH
    assert max(rights) <= WIDTH


def test_steps_stand_in_the_order_of_the_file_and_branches_to_the_right() -> None:
    steps = {step.state: step for step in picture(BOOK.flows["newsletter"]).steps}

    assert [step.row for step in steps.values()] == sorted(step.row for step in steps.values())
    assert [steps[name].verb for name in list(steps)[:3]] == ["when", "menu", "withdraw"]
    assert [steps[name].depth for name in list(steps)[:3]] == [0, 1, 2]


@pytest.mark.parametrize("name", sorted(BOOK.flows))
def test_every_way_that_can_be_taken_is_a_line_in_mermaid(name: str) -> None:
    flow = BOOK.flows[name]
    text = mermaid(flow)

    drawn = set(re.findall(r"^ +s(\d+) -(?:-|\.-)>?\.?-?>?(?:\|[^|]*\|)? s(\d+)$", text, re.MULTILINE))
    wanted = {(way.start, way.to) for way in picture(flow).ways}
    assert len(drawn) == len(wanted)
    assert text.startswith("flowchart TD\n")


EVIL = '"]; click a "https://evil.example" --> x{{`</script><script>alert(1)</script>&#60;'


def test_no_word_of_a_flow_breaks_out() -> None:
    flow = compiled("flow: mine\ntitle: '<b>T</b>'\npurpose: support\nsteps:\n  - say: '" + EVIL + "'\n  - end\n")

    shown = page(flow)
    assert "<script" not in shown
    assert "<b>T" not in shown
    ET.fromstring(svg(flow))  # noqa: S314 - well formed
    assert all(not set('"]`<>{}') & set(label) for label in re.findall(r'"(.*)"', mermaid(flow)))


def test_the_page_asks_nobody_for_anything() -> None:
    shown = page(BOOK.flows["order_status"])

    assert "default-src 'none'" in shown
    assert re.findall(r"(?:src|href)=|url\((?!#tip)|@import", shown) == []


def test_the_command_draws(tmp_path: Path) -> None:
    def run(*words: str) -> tuple[int, str]:
        result = CliRunner().invoke(recado, ["flows", "draw", *words, "--project", str(ROOT)])
        return result.exit_code, result.output

    assert run("newsletter") == (0, mermaid(BOOK.flows["newsletter"]))
    for ending in ("html", "svg", "mmd"):
        assert run("newsletter", "--output", str(tmp_path / f"a.{ending}"))[0] == 0
        assert (tmp_path / f"a.{ending}").stat().st_size > 500
    assert run("newsletter", "--output", str(tmp_path / "a.png"))[0] == 2
    code, said = run("newslettr")
    assert code == 2
    assert "Did you mean `newsletter`?" in said


def test_where_used_finds_whole_words_only() -> None:
    result = CliRunner().invoke(recado, ["flows", "where-used", "eta", "--project", str(ROOT)])

    assert result.exit_code == 0
    assert re.search(r"order_status\.yaml:11:3: eta: \{type", result.output)
    assert "retail" not in result.output
    nowhere = CliRunner().invoke(recado, ["flows", "where-used", "nowhere_at_all", "--project", str(ROOT)])
    assert (nowhere.exit_code, "stands nowhere" in nowhere.output) == (1, True)
