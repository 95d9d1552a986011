"""`recado templates`: what is declared against what stands at Meta, played against the stand-in."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.app.demo import templates_of
from bot.app.project import load_project
from bot.cli import recado
from bot.simulator import SimulatorSettings
from tests.cli.project import ROOT, copied
from tests.simulator.threaded import Threaded, simulator_in_a_thread

SETTINGS = SimulatorSettings(cast=False)


@pytest.fixture
def meta() -> Iterator[Threaded]:
    with simulator_in_a_thread(SETTINGS) as running:
        yield running


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return copied(tmp_path)


@pytest.fixture
def run(meta: Threaded, project: Path, monkeypatch: pytest.MonkeyPatch) -> "Run":
    for name, value in {
        "RECADO_PROJECT": str(project), "RECADO_WHATSAPP__GRAPH_URL": meta.simulator.url,
        "RECADO_WHATSAPP__ACCESS_TOKEN": SETTINGS.access_token, "RECADO_WHATSAPP__BUSINESS_ACCOUNT_ID": SETTINGS.waba_id,
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    return Run()


class Run:
    def __call__(self, *words: str) -> Result:
        return CliRunner().invoke(recado, ["templates", *words])


def approved(meta: Threaded) -> None:
    """Meta has everything as the example business declares it."""
    book = load_project(ROOT).book
    assert book is not None
    for template in templates_of(book.business):
        meta.simulator.world.put_template(template)


def test_pushed_templates_are_submitted_once_and_then_the_same(meta: Threaded, run: Run) -> None:
    assert run("status").exit_code == 1
    tried = run("push", "--dry-run")
    assert (tried.exit_code, meta.simulator.world.templates()) == (0, [])
    assert "monthly_news pt_PT: would be submitted" in tried.output

    assert run("push").output.count("submitted, now pending") == 10
    assert run("push").output == "Nothing to do: Meta has every template as business.yaml declares it.\n"
    assert run("diff").exit_code == 0
    assert run("status").exit_code == 1, "they are in review still"
    for number, template in meta.simulator.world.templates():
        assert number
        meta.simulator.world.put_template(replace(template, status="APPROVED"))
    assert run("status").exit_code == 0


def test_a_changed_text_is_shown_with_both_sides_and_pushed(meta: Threaded, run: Run, project: Path) -> None:
    approved(meta)
    path = project / "flows" / "business.yaml"
    path.write_text(path.read_text().replace("See you soon!", "Come by!"))

    shown = run("diff")
    assert shown.exit_code == 1
    assert "- News from Casa Lua: {{1}} See you soon!\n    + News from Casa Lua: {{1}} Come by!" in shown.output
    assert run("push").output == "monthly_news en: changed, and in review again (languages)\n"
    found = meta.simulator.world.template("monthly_news", "en")
    assert found is not None
    assert (found.body, found.status) == ("News from Casa Lua: {{1}} Come by!", "PENDING")


def test_a_category_that_meta_has_decided_is_told_and_not_fought(meta: Threaded, run: Run) -> None:
    approved(meta)
    meta.simulator.world.set_template_category("confirm_sign_up", "en", "MARKETING")

    said = run("status", "--json")
    rows = {(row["name"], row["language"]): row for row in json.loads(said.output)["templates"]}
    assert (said.exit_code, rows["confirm_sign_up", "en"]["category"]) == (1, "marketing")
    assert "declared as utility" in rows["confirm_sign_up", "en"]["trouble"]
    pushed = run("push", "--json")
    assert pushed.exit_code == 1
    assert "Meta calls it marketing" in json.loads(pushed.output)["templates"][0]["result"]


def test_one_template_that_meta_refuses_does_not_keep_back_the_others(meta: Threaded, run: Run, project: Path) -> None:
    path = project / "flows" / "business.yaml"
    path.write_text(path.read_text().replace(" See you soon!", ""))
    done = run("push", "--json")

    rows = {(row["name"], row["language"]): row for row in json.loads(done.output)["templates"]}
    assert done.exit_code == 1
    assert rows["monthly_news", "en"]["failed"] is True
    assert "beginning or the end" in rows["monthly_news", "en"]["result"]
    assert len(meta.simulator.world.templates()) == 9


def test_what_stands_at_meta_only_comes_as_a_declaration_that_loads(
    meta: Threaded, run: Run, project: Path, tmp_path: Path
) -> None:
    approved(meta)
    name = "order_sent"
    one = next(template for _, template in meta.simulator.world.templates() if template.name == "monthly_news")
    meta.simulator.world.put_template(replace(one, name=name, category="UTILITY", body='It\'s "{{1}}": here.'))
    output = tmp_path / "new.yaml"

    assert run("diff").exit_code == 0, "what is at Meta only is no fault of ours"
    assert run("pull", "--output", str(output)).exit_code == 0
    text = output.read_text().replace("say_which", "orders").replace("say-what-each-sends-back", "recado:stop:orders")
    path = project / "flows" / "business.yaml"
    path.write_text(path.read_text().replace("templates:\n", text, 1))
    assert run("diff").output == "Meta has every template as business.yaml declares it.\n"
    assert run("pull", "--output", str(output)).exit_code == 2, "no file is written over"
    assert json.loads(run("pull", "--all", "--json").output)["templates"][0]["name"] == "confirm_sign_up"


def test_what_keeps_one_from_asking_is_said(meta: Threaded, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    meta.simulator.world.token_expired = True
    refused = run("status")
    assert refused.exit_code == 1
    assert "code 190" in refused.output
    monkeypatch.setenv("RECADO_WHATSAPP__BUSINESS_ACCOUNT_ID", "")
    missing = run("status")
    assert (missing.exit_code, "BUSINESS_ACCOUNT_ID" in missing.output) == (2, True)
