"""`recado api-keys`: a key is shown once, recognised by what it begins with, and ended for good."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from pymongo import MongoClient

from bot.cli.group import recado
from bot.privacy.keyring import create_key_files
from tests.cli.project import ROOT

pytestmark = pytest.mark.mongo


@pytest.fixture
def settings(mongo_uri: str, database_name: str, tmp_path: Path) -> dict[str, str]:
    create_key_files(tmp_path / "keys")
    files = {
        "KEK_FILE": "kek",
        "INDEX_KEY_FILE": "index",
        "SUPPRESSION_KEY_FILE": "suppression",
        "LEDGER_KEY_FILE": "ledger",
    }
    return {
        "RECADO_PROJECT": str(ROOT), "RECADO_STORAGE__URI": mongo_uri, "RECADO_STORAGE__DATABASE": database_name,
        "RECADO_STORAGE__VAULT_DATABASE": f"{database_name}_vault",
        **{f"RECADO_PRIVACY__{name}": str(tmp_path / "keys" / file) for name, file in files.items()},
    }  # fmt: skip


def run(settings: dict[str, str], *arguments: str) -> Result:
    return CliRunner().invoke(recado, ["api-keys", *arguments], env=settings)


def listed(settings: dict[str, str]) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(run(settings, "list", "--json").stdout)
    return found


def test_a_key_is_shown_once_and_stored_as_a_hash(settings: dict[str, str], mongo_uri: str, database_name: str) -> None:
    assert "the API answers 404" in run(settings, "list").output
    made = run(
        settings, "add", "shop", "--scope", "consents:read", "--scope", "opt-ins:write", "--expires", "2999-12-31"
    )
    assert made.exit_code == 0, made.output
    token = made.stdout.strip()
    [key] = listed(settings)
    assert (key["name"], key["state"], key["scopes"]) == ("shop", "live", ["consents:read", "opt-ins:write"])
    assert token.startswith(f"recado_{key['id']}_")
    assert str(key["until"]).startswith("3000-01-01")
    secret = token.rpartition("_")[2]
    assert secret not in run(settings, "list").output
    with MongoClient[dict[str, object]](mongo_uri) as client:
        assert secret not in str(list(client[database_name]["api_keys"].find({})))


def test_a_revoked_key_stays_in_the_list_and_opens_nothing(settings: dict[str, str]) -> None:
    made = json.loads(run(settings, "add", "crm", "--scope", "requests:read", "--json").stdout)
    assert made["key"].startswith(f"recado_{made['id']}_")
    assert run(settings, "revoke", f"recado_{made['id']}_…").exit_code == 0
    assert [one["state"] for one in listed(settings)] == ["revoked"]
    again = run(settings, "revoke", made["id"])
    assert (again.exit_code, "There is no live key" in again.output) == (1, True)


def test_what_a_key_may_do_is_listed(settings: dict[str, str]) -> None:
    shown = run(settings, "scopes").output
    assert "rights:export" in shown
    assert "get everything that is stored about a person" in shown


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(["add", "shop", "--scope", "everything"], "There is no scope everything", id="a scope that is none"),
        pytest.param(["add", "shop"], "Missing option '--scope'", id="no scope"),
        pytest.param(["add", "<shop>", "--scope", "consents:read"], "A key is named with", id="a name that is none"),
        pytest.param(["add", "shop", "--scope", "consents:read", "--expires", "2020-01-01"], "lies in the past", id="a day that is over"),
    ],
)  # fmt: skip
def test_a_misuse_is_told(settings: dict[str, str], arguments: list[str], words: str) -> None:
    told = run(settings, *arguments)
    assert (told.exit_code, words in told.output) == (2, True), told.output
    assert listed(settings) == []
