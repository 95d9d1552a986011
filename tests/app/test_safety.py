"""Production refuses what would put real people's data at risk, and says everything at once; a demo may be as it is."""

import re
from pathlib import Path
from typing import Any

import pytest

from bot.app.safety import faults_of_business, faults_of_settings, refuse_unsafe
from bot.domain.errors import SettingsProblem
from bot.settings import Settings, read_settings
from tests.privacy.test_retention import business

SAFE = "mongodb://u:secret@db:27017/?tls=true&replicaSet=rs0"
META = {"name": "WhatsApp Ireland Ltd. (Meta)", "does": "carries", "country": "IE", "contract": "2026-01-15"}

SHOP = {"address": "https://shop.example", "processor": "Nobody", "actions": {}}


def settings(**values: str) -> Settings:
    return read_settings({"RECADO_STORAGE__URI": SAFE, "RECADO_WEB__PUBLIC_URL": "https://bot.example", **values})


@pytest.mark.parametrize(
    ("values", "says"),
    [
        pytest.param({}, [], id="all is well"),
        pytest.param({"RECADO_STORAGE__URI": "mongodb://u:p@db"}, ["without TLS"], id="no TLS"),
        pytest.param({"RECADO_STORAGE__URI": "mongodb://u:p@db/?tls=false"}, ["without TLS"], id="TLS turned off"),
        pytest.param({"RECADO_STORAGE__URI": "mongodb+srv://u:p@db.example/?tls=false"}, ["without TLS"], id="TLS turned off for srv"),
        pytest.param({"RECADO_STORAGE__URI": "mongodb://db/?tls=true"}, ["names no user"], id="nobody logs in"),
        pytest.param({"RECADO_STORAGE__URI": "mongodb://db/?tls=true&authMechanism=MONGODB-X509"}, [], id="a certificate logs in"),
        pytest.param({"RECADO_STORAGE__URI": SAFE + "&tlsAllowInvalidCertificates=true"}, ["turns the check"], id="TLS to anybody"),
        pytest.param({"RECADO_STORAGE__URI": "mongodb://127.0.0.1:27017"}, [], id="this machine"),
        pytest.param({"RECADO_STORAGE__VAULT_URI": "mongodb://u:p@vault"}, ["VAULT_URI.*without TLS"], id="the vault without TLS"),
        pytest.param({"RECADO_WEB__PUBLIC_URL": "http://bot.example"}, ["PUBLIC_URL is not https"], id="no https outside"),
        pytest.param({"RECADO_WHATSAPP__GRAPH_URL": "http://meta.example"}, ["GRAPH_URL is not https"], id="the token in clear"),
        pytest.param({"RECADO_PRIVACY__KEK_FILE": "/data/.recado/keys/kek"}, ["kek key is the demo's"], id="the demo's keys"),
        pytest.param({"RECADO_PROJECT": "/shop", "RECADO_PRIVACY__INDEX_KEY_FILE": "/shop/flows/index"},
                     ["index key file.*project's folder"], id="keys that are published with the flows"),
    ],
)  # fmt: skip
def test_unsafe_settings_are_named(values: dict[str, str], says: list[str]) -> None:
    found = list(faults_of_settings(settings(**values)))
    assert len(found) == len(says)
    for fault, words in zip(found, says, strict=True):
        assert re.search(words, fault)
        assert "secret" not in fault


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        pytest.param({"processors": [META]}, [], id="all is declared"),
        pytest.param({}, ["names no processor"], id="nobody carries the messages"),
        pytest.param({"processors": [{**META, "contract": ""}]}, ["no contract is declared"], id="no contract"),
        pytest.param({"processors": [{**META, "country": "US"}]}, ["no basis for the transfer"], id="outside the EEA without a basis"),
        pytest.param({"processors": [{**META, "country": "US", "transfer": "DPF"}]}, [], id="outside the EEA with one"),
        pytest.param({"processors": [META], "connectors": {"shop": SHOP}},
                     ["connector shop: its processor Nobody"], id="a connector of nobody"),
    ],
)  # fmt: skip
def test_missing_declarations_are_named(changes: dict[str, Any], says: list[str]) -> None:
    found = list(faults_of_business(business(**changes)))
    assert len(found) == len(says)
    assert all(words in fault for fault, words in zip(found, says, strict=True))


def test_production_says_everything_at_once() -> None:
    bad = settings(RECADO_STORAGE__URI="mongodb://db", RECADO_WEB__PUBLIC_URL="http://bot.example")
    with pytest.raises(SettingsProblem) as caught:
        refuse_unsafe(bad, business())
    text = str(caught.value)
    assert all(words in text for words in ("without TLS", "names no user", "not https", "names no processor"))


def test_a_demo_may_be_as_it_is(tmp_path: Path) -> None:
    demo = settings(RECADO_ENVIRONMENT="demo", RECADO_STORAGE__URI="mongodb://db", RECADO_PROJECT=str(tmp_path))
    refuse_unsafe(demo, business())
