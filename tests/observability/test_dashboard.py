"""The dashboard shows what the program counts: no panel of a figure that was renamed, no label that nobody gives."""

import json
import re
from pathlib import Path

from bot.observability.metrics import Registry
from bot.runtime.figures import Figures

ROOT = Path(__file__).parents[2]
DASHBOARD = ROOT / "docs" / "grafana.json"
_SUFFIX = re.compile(r"_(bucket|sum|count)$")


_DECLARED = re.compile(r"registry\.(?:counter|gauge|histogram)\(\s*\"(recado_[a-z_]+)\"")


def declared() -> set[str]:
    """Every figure there is, whoever counts it."""
    elsewhere = {name for path in (ROOT / "bot").rglob("*.py") for name in _DECLARED.findall(path.read_text())}
    assert "recado_flows_refused" in elsewhere
    return of_the_runtime() | elsewhere


def of_the_runtime() -> set[str]:
    registry = Registry()
    Figures(registry)
    return {line.split()[2] for line in registry.text().splitlines() if line.startswith("# TYPE")}


def asked() -> set[str]:
    board = json.loads(DASHBOARD.read_text())
    expressions = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    return {name for one in expressions for name in re.findall(r"recado_[a-z_]+", one)}


def test_every_figure_on_the_dashboard_exists() -> None:
    known = declared()
    assert asked()
    assert {name for name in asked() if name not in known and _SUFFIX.sub("", name) not in known} == set()


def test_every_figure_that_scaling_tells_to_watch_exists() -> None:
    text = (ROOT / "docs" / "scaling.md").read_text()
    assert set(re.findall(r"`(recado_[a-z_]+)`", text)) <= declared()


def test_every_figure_of_the_runtime_is_on_the_dashboard() -> None:
    shown = {_SUFFIX.sub("", name) for name in asked()} | asked()
    assert of_the_runtime() - shown <= {"recado_account_notices_total"}


def test_panels_have_places_and_names_of_their_own() -> None:
    panels = json.loads(DASHBOARD.read_text())["panels"]
    assert len({panel["title"] for panel in panels}) == len(panels)
    assert len({(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels}) == len(panels)
