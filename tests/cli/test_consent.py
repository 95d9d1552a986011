"""`recado consent` as its user runs it: on a stored ledger, and on files without any database."""

import asyncio
import json
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bot.cli.group import recado
from bot.domain.consent import Consent
from bot.domain.conversation import Conversation
from bot.domain.ids import CommandId
from bot.privacy.keyring import Keyring, create_key_files
from bot.privacy.settings import KeySettings
from bot.runtime.sequencer import Sequencer
from bot.storage.anchors import FileDrop
from bot.storage.indexes import prepare
from bot.storage.leaves import MongoLeaves
from tests.cli.project import ROOT, fresh
from tests.storage.shelf import DAY, NOW, SECRETS, SHOWN, TYPED, Shelf, Ticking, consent_event, settings_of, turn

pytestmark = pytest.mark.mongo

GIVEN = CommandId("a" * 32)
Run = Callable[..., Result]


async def filled(shelf: Shelf, anchor: Path) -> None:
    await prepare(shelf.mongo)
    person = await shelf.somebody()
    asked = CommandId("9" * 32)
    base = replace(consent_event(GIVEN), request="r1", basis="consent", previous=asked)
    until = NOW + 400 * DAY
    events = [
        replace(base, id=asked, event_type="requested", state_after="requested", consent_type="expressed",
                occurred_at=NOW - DAY, request_expires_at=NOW + DAY, previous=CommandId("")),
        replace(base, event_type="confirmed", state_after="given", consent_type="expressed", valid_until=until),
    ]  # fmt: skip
    for one in events:
        await shelf.ledger.record(person, one, NOW)
    consents = {"newsletter": Consent("given", NOW, "", None, until, GIVEN, "n" * 32, "h" * 32)}
    first = Conversation(person, version=1, created_at=NOW, consents=consents)
    assert await shelf.conversations.commit(turn(None, first)) is not None

    class One:
        def event(self, outside_id: str) -> Any:
            return outside_id

        def random(self) -> str:
            return "one"

    sequencer = Sequencer(MongoLeaves(shelf.mongo), shelf.keyring.sign, FileDrop(anchor), One(), shelf.clock, every=DAY)
    assert await sequencer.look() == 2


async def changed(mongo_uri: str, name: str, keyring: Keyring, collection: str, found: Any, update: Any) -> None:
    shelf = Shelf(settings_of(mongo_uri, name), keyring, Ticking())
    assert (await shelf.mongo.main[collection].update_one(found, update)).modified_count == 1
    shelf.mongo.close()


async def twin(mongo_uri: str, name: str, keyring: Keyring) -> None:
    """A second event whose id begins as the first one's."""
    shelf = Shelf(settings_of(mongo_uri, name), keyring, Ticking())
    await shelf.mongo.main["ledger"].insert_one({"_id": f"{GIVEN[:-1]}b"})
    shelf.mongo.close()


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    create_key_files(tmp_path / "keys")
    names = {
        "kek_file": "kek",
        "index_key_file": "index",
        "suppression_key_file": "suppression",
        "ledger_key_file": "ledger",
    }
    return Keyring.load(KeySettings(**{one: tmp_path / "keys" / name for one, name in names.items()}))


@pytest.fixture
def run(mongo_uri: str, database_name: str, tmp_path: Path, keyring: Keyring) -> Run:
    """Runs the command line on a filled ledger."""
    (tmp_path / "anchor").mkdir()

    async def fill() -> None:
        shelf = Shelf(settings_of(mongo_uri, database_name), keyring, Ticking())
        await filled(shelf, tmp_path / "anchor")
        shelf.mongo.close()

    asyncio.run(fill())
    keys = tmp_path / "keys"
    environment = {
        "RECADO_PROJECT": str(ROOT), "RECADO_STORAGE__URI": mongo_uri, "RECADO_STORAGE__DATABASE": database_name,
        "RECADO_STORAGE__VAULT_DATABASE": f"{database_name}_vault", "RECADO_PRIVACY__KEK_FILE": str(keys / "kek"),
        "RECADO_PRIVACY__INDEX_KEY_FILE": str(keys / "index"), "RECADO_PRIVACY__SUPPRESSION_KEY_FILE": str(keys / "suppression"),
        "RECADO_PRIVACY__LEDGER_KEY_FILE": str(keys / "ledger"), "RECADO_PRIVACY__ANCHOR_FOLDER": str(tmp_path / "anchor"),
    }  # fmt: skip

    def call(*arguments: str, stored: bool = True, text: str = "") -> Result:
        return CliRunner().invoke(recado, ["consent", *arguments], env=environment if stored else {}, input=text)

    return call


def test_a_whole_ledger_is_verified_with_the_anchored_heads(run: Run) -> None:
    result = run("verify")
    assert result.exit_code == 0, result.output
    assert "2 events in the tree, 1 signed heads, 1 heads from outside, 1 people compared." in result.output
    assert "Nothing wrong was found." in result.output
    assert json.loads(run("verify", "--json").output)["well"] is True


@pytest.mark.parametrize(
    ("collection", "found", "update", "kind"),
    [
        pytest.param("ledger", {"_id": GIVEN}, {"$set": {"purpose": "orders"}}, "changed", id="an event changed"),
        pytest.param("ledger", {"_id": GIVEN}, {"$set": {"extra": 1}}, "changed", id="a field added"),
        pytest.param("ledger_leaves", {"event": GIVEN}, {"$set": {"leaf": bytes(32)}}, "rewritten", id="a leaf changed"),
        pytest.param("ledger_heads", {}, {"$set": {"at": "2026-05-04T12:00:01.000Z"}}, "signature", id="a head changed"),
        pytest.param("conversations", {}, {"$set": {"consents.newsletter.state": "withdrawn"}}, "projection", id="a projection changed"),
    ],
)  # fmt: skip
def test_what_was_changed_in_the_database_is_found(
    run: Run, mongo_uri: str, database_name: str, keyring: Keyring, collection: str, found: Any, update: Any, kind: str
) -> None:
    asyncio.run(changed(mongo_uri, database_name, keyring, collection, found, update))
    result = run("verify")
    assert result.exit_code == 1
    assert f"WRONG  {kind} at" in result.output


def test_an_export_is_verified_without_database_and_settings(run: Run, tmp_path: Path) -> None:
    file, keys = tmp_path / "ledger.jsonl", tmp_path / "keys.json"
    assert run("export", "--output", str(file)).exit_code == 0
    keys.write_text(run("keys").output)
    text = file.read_bytes()
    assert [one for one in SECRETS if one.encode() in text] == []
    result = run("verify", str(file), "--head", str(tmp_path / "anchor"), "--keys", str(keys), stored=False)
    assert (result.exit_code, "1 people compared" in result.output) == (0, True), result.output
    assert "NOTE" not in result.output
    file.write_bytes(text.replace(b'"given"', b'"other"', 1))
    assert run("verify", str(file), stored=False).exit_code == 1


def test_an_auditor_verifies_an_export_in_a_process_that_does_nothing_else(run: Run, tmp_path: Path) -> None:
    """Nothing that only a running bot imports may be needed: the auditor's machine runs this one command."""
    file = tmp_path / "ledger.jsonl"
    assert run("export", "--output", str(file)).exit_code == 0
    for arguments, status, said in ((["--json"], 0, '"well": true'), ([], 0, "Nothing wrong was found.")):
        result = fresh("consent", "verify", str(file), "--head", str(tmp_path / "anchor"), *arguments)
        assert (result.returncode, said in result.stdout) == (status, True), result.stdout + result.stderr
    file.write_bytes(file.read_bytes().replace(b'"given"', b'"other"', 1))
    assert fresh("consent", "verify", str(file)).returncode == 1


def test_an_auditor_verifies_a_receipt_in_a_process_that_does_nothing_else(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "receipt.json"
    file.write_text(run("receipt", GIVEN).output)
    result = fresh("consent", "verify", str(file))
    assert (result.returncode, "The receipt is genuine." in result.stdout) == (0, True), result.stdout + result.stderr


def test_a_receipt_holds_the_words_and_is_checked_anywhere(run: Run, tmp_path: Path) -> None:
    page, file = tmp_path / "receipt.html", tmp_path / "receipt.json"
    file.write_text(run("receipt", GIVEN, "--html", str(page)).output)
    for one in (page, file):
        result = run("verify", str(one), stored=False)
        assert result.exit_code == 0, result.output
        assert SHOWN in result.output
        assert TYPED in result.output
        assert "The receipt is genuine." in result.output
        assert "before the event had its place" not in result.output
    page.write_text(page.read_text().replace(f"<dd>{TYPED}", "<dd>No thanks", 1))
    assert run("verify", str(page), stored=False).exit_code == 1
    file.write_text(file.read_text().replace(TYPED, "yes to everything", 1))
    assert run("verify", str(file), stored=False).exit_code == 1


def test_what_holds_a_persons_words_is_its_owners_alone_and_never_written_over(run: Run, tmp_path: Path) -> None:
    page, file = tmp_path / "receipt.html", tmp_path / "ledger.jsonl"
    commands = (["receipt", GIVEN, "--html", str(page)], ["export", "--output", str(file)])
    for path, arguments in zip((page, file), commands, strict=True):
        assert run(*arguments).exit_code == 0
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        before = path.read_bytes()
        for place, words in ((path, "exists already"), (tmp_path / "gone" / "file", "There is no folder")):
            again = fresh("consent", *arguments[:-1], str(place))
            assert (again.returncode, words in again.stderr, "Traceback" in again.stderr) == (2, True, False), (
                again.stderr
            )
        assert path.read_bytes() == before


def test_an_export_that_fails_leaves_no_half_a_file(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "ledger.jsonl"
    assert run("export", "--output", str(file), stored=False).exit_code == 2
    assert not file.exists()


def test_a_reference_may_be_shortened_while_it_names_one_thing(
    run: Run, mongo_uri: str, database_name: str, keyring: Keyring
) -> None:
    """The events are `aaaa…` and `9999…`; a third one begins as the first does."""
    assert run("receipt", GIVEN[:8]).exit_code == 0
    assert run("receipt", f"{GIVEN[:4]}…").exit_code == 0
    assert run("receipt", GIVEN[:3]).exit_code == 1
    reference = json.loads(run("show", "--purpose", "newsletter", "--json").output)["events"][0]["subject_ref"]
    assert "newsletter: given" in run("show", "--subject", reference[:8]).output
    asyncio.run(twin(mongo_uri, database_name, keyring))
    several = run("receipt", GIVEN[:8])
    assert (several.exit_code, "More than one event begins with aaaaaaaa" in several.output) == (1, True), (
        several.output
    )


def test_only_a_consent_has_a_receipt(run: Run) -> None:
    for event in ("9" * 32, "0" * 32):
        assert run("receipt", event).exit_code == 1


@pytest.mark.parametrize("form", ["iso-27560", "kantara-1.1", "dpv"])
def test_records_of_other_forms_hold_no_words(run: Run, form: str) -> None:
    result = run("export", "--format", form)
    assert result.exit_code == 0, result.output
    [record] = [json.loads(line) for line in result.stdout.splitlines()]
    assert [one for one in SECRETS if one in result.stdout] == []
    wanted = {
        "iso-27560": {"schema_version", "record_id", "pii_principal_id", "pii_processing", "parties", "events"},
        "kantara-1.1": {"version", "jurisdiction", "consentTimestamp", "collectionMethod", "consentReceiptID", "language", "piiPrincipalId",
                        "piiControllers", "policyUrl", "services", "sensitive", "spiCat"},
        "dpv": {"@context", "@id", "@type", "dpv:hasDataSubject", "dpv:hasDataController", "dpv:hasConsentStatus"},
    }  # fmt: skip
    assert wanted[form] <= set(record)


def test_events_are_shown_by_purpose_by_reference_and_by_number(run: Run) -> None:
    by_purpose = json.loads(run("show", "--purpose", "newsletter", "--json").output)
    assert {one["id"] for one in by_purpose["events"]} == {GIVEN, "9" * 32}
    reference = by_purpose["events"][0]["subject_ref"]
    result = run("show", "--subject", reference)
    assert (result.exit_code, "newsletter: given" in result.output) == (0, True), result.output
    asked = run("show", "--ask", text="+15550100188\n")
    assert (asked.exit_code, "newsletter: given" in asked.output) == (0, True), asked.output
    assert "15550100188" not in asked.output
    for arguments, typed, words in (
        (["--ask"], "+15550100199\n", "Nobody with this number or user id is known."),
        (["--subject", "e" * 32], "", "Nothing was recorded of this person"),
        (["--purpose", "support"], "", "Nothing was recorded for the purpose support yet."),
    ):
        nothing = run("show", *arguments, text=typed)
        assert (nothing.exit_code, words in nothing.output) == (1, True), nothing.output
    assert run("show").exit_code == 2
