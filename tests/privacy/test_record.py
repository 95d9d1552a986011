"""The record of processing leaves nothing out and says nothing else than the program and the business do (GDPR art. 30)."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bot.cli import recado
from bot.privacy import inventory, record, retention
from tests.privacy.test_retention import business

META = {
    "name": "Meta | WhatsApp",
    "does": "carries",
    "country": "US",
    "transfer": "DPF",
    "contract": "2026-01-15",
    "review": "2027-01-15",
}


def made(**changes: Any) -> dict[str, Any]:
    told = business(**{"processors": [META], **changes})
    return record.record(told, retention.periods(told, {}))


def test_every_stored_field_is_in_the_record() -> None:
    plain = made()
    assert record.missing(plain) == set()
    assert len(record.named(plain)) == sum(len(one.fields) for one in inventory.COLLECTIONS.values())


def test_a_field_that_is_left_out_is_found() -> None:
    plain = made()
    gone = plain["system"][0]["stored"][0]["fields"].pop()
    assert record.missing(plain) == {(plain["system"][0]["stored"][0]["collection"], gone["path"])}


@pytest.mark.parametrize(
    "point", ["controller", "officer", "activities", "recipients", "transfers", "measures", "system"]
)
def test_every_point_of_the_law_is_answered(point: str) -> None:
    """GDPR art. 30(1)(a) to (g)."""
    assert made()[point]


def test_every_field_says_class_protection_and_end() -> None:
    for one in made()["system"]:
        assert one["stored"], one["purpose"]
        for table in one["stored"]:
            assert all(field["class"] and field["protection"] and field["kept"] for field in table["fields"])


def test_what_outlives_an_erasure_says_why() -> None:
    fields = [
        (table["collection"], field) for one in made()["system"] for table in one["stored"] for field in table["fields"]
    ]
    kept = {collection for collection, field in fields if field["after_erasure"]}
    assert kept == {
        name for name, one in inventory.COLLECTIONS.items() if any(field.kept_because for field in one.fields)
    }


def test_periods_of_the_business_are_those_in_the_record() -> None:
    text = json.dumps(made(retention={"with_person": "300 days"}))
    assert "300 days (counted from: last_inbound_at)" in text
    assert "24 months after" not in text


def test_the_page_holds_all_of_it() -> None:
    plain = made()
    page = record.markdown(plain)
    for collection, path in record.named(plain):
        assert f"**`{collection}`**" in page
        assert f"`{path}`" in page
    for words in (
        "Casa Exemplo, Lda.",
        "None: small.",
        "news (`news`)",
        "carries",
        "DPF",
        "2027-01-15",
        *record.MEASURES,
    ):
        assert words in page


def test_words_of_the_business_cannot_break_the_table() -> None:
    page = record.markdown(made())
    rows = [line for line in page.splitlines() if line.startswith("|")]
    assert rows
    for block in re.split(r"\n\n", page):
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines() if line.startswith("|")}
        assert len(widths) <= 1, block
    assert "Meta \\| WhatsApp" in page


def run(*arguments: str) -> Any:
    return CliRunner().invoke(recado, ["ropa", *arguments])


def test_the_command_prints_the_page_and_checks_a_kept_record(tmp_path: Path) -> None:
    assert run().output.startswith("# Record of processing activities\n")
    kept = tmp_path / "record.json"
    kept.write_text(run("--json").output)
    good = run("--check", str(kept))
    assert (good.exit_code, good.output) == (0, "The record says what is true.\n")
    plain = json.loads(kept.read_text())
    plain["recipients"].pop()
    kept.write_text(json.dumps(plain))
    stale = run("--check", str(kept))
    assert stale.exit_code == 1
    assert "recipients changed" in stale.output
    kept.write_text("[")
    assert run("--check", str(kept)).exit_code == 2
