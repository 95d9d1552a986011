"""The documents agree with the checkout: rooms, links, decisions, recipes."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
DECISIONS = sorted((DOCS / "adr").glob("0*.md"))
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *(ROOT / "changes").glob("*.md")])

every_page = pytest.mark.parametrize("page", [pytest.param(page, id=str(page.relative_to(ROOT))) for page in PAGES])
every_decision = pytest.mark.parametrize("page", [pytest.param(page, id=page.stem) for page in DECISIONS])


def rooms_on_disk() -> set[str]:
    found = {
        path.name if path.is_dir() else path.stem for path in (ROOT / "bot").iterdir() if not path.name.startswith("_")
    }
    return {
        name
        for name in found
        if (ROOT / "bot" / name / "__init__.py").exists() or (ROOT / "bot" / f"{name}.py").exists()
    }


def test_every_room_is_on_the_map() -> None:
    """A newcomer finds each folder of bot/ in ARCHITECTURE.md, with a line."""
    described = set(
        re.findall(r"^\| \w* ?\| `(\w+)` \| .{15,} \|$", (DOCS / "ARCHITECTURE.md").read_text(), re.MULTILINE)
    )

    assert rooms_on_disk() - described == set()


def test_the_map_and_the_contract_name_the_same_rooms() -> None:
    described = set(re.findall(r"^\| \w* ?\| `(\w+)` \|", (DOCS / "ARCHITECTURE.md").read_text(), re.MULTILINE))
    layers = (ROOT / ".importlinter").read_text().partition("\nlayers =\n")[2].partition("\nbroken")[0]

    assert set(re.findall(r"\w+", layers)) == described


@every_page
def test_links_inside_the_repository_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    targets = [target.partition("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", text)]
    inside = [target for target in targets if target and not re.match(r"[a-z]+:", target)]

    assert [target for target in inside if not (page.parent / target).exists()] == []


def test_the_decisions_are_numbered_without_a_gap_and_listed() -> None:
    """The index names each by its own title."""
    index = (DOCS / "adr" / "README.md").read_text()

    assert [page.name[:4] for page in DECISIONS] == [f"{number:04}" for number in range(1, len(DECISIONS) + 1)]
    for page in DECISIONS:
        number, title = page.name[:4], page.read_text().splitlines()[0].partition(": ")[2]
        assert f"| [{number}]({page.name}) | {title} |" in index


@every_decision
def test_a_decision_fits_on_a_page_and_tells_what_it_costs(page: Path) -> None:
    lines = page.read_text().splitlines()
    headings = [line for line in lines if line.startswith("## ")]

    assert re.match(rf"# {page.name[:4]}: \S", lines[0])
    assert re.match(r"Status: (accepted|superseded by \d{4})$", lines[2])
    assert headings == ["## Context", "## Options", "## Outcome", "## Consequences"]
    assert len(lines) <= 60
    assert any(line.startswith("- Good: ") for line in lines)
    assert any(line.startswith("- Bad: ") for line in lines)


@every_page
def test_every_recipe_that_is_named_exists(page: Path) -> None:
    """`make x` in a document is a target of the Makefile."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:`|^)make ([a-z-]+)(?:`|\s|$)", page.read_text(), re.MULTILINE))

    assert named - targets == set()


def test_news_have_a_known_kind() -> None:
    kinds = set(re.findall(r"^\| `([a-z-]+)` \|", (ROOT / "changes" / "README.md").read_text(), re.MULTILINE))
    news = [path for path in (ROOT / "changes").glob("*.md") if path.name != "README.md"]

    assert {path.name.split(".")[1] for path in news} <= kinds
