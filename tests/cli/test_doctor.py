"""`recado doctor`: shows what holds without its secrets, and finds what would keep the bot from working."""

import asyncio
import contextlib
import json
import threading
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from click.testing import CliRunner, Result
from pydantic import SecretStr

from bot.app.project import load_project
from bot.cli import recado
from bot.cli.checkup import effective, of_contracts, of_safety, worst
from bot.domain.business import Business, Processor
from bot.settings import IntegrationSettings, Settings, read_settings
from tests.cli.project import ROOT

TOKEN, NUMBER = "good-token", "106540352242922"


@pytest.fixture(scope="module")
def meta() -> Iterator[str]:
    """Answers for one number and one token, as the Graph API does."""

    async def number(request: web.Request) -> web.Response:
        if request.headers["Authorization"] != f"Bearer {TOKEN}":
            return web.json_response({"error": {"code": 190, "type": "OAuthException"}}, status=401)
        if request.match_info["id"] == "1":
            return web.json_response({"error": {"code": 10}}, status=403)
        if request.match_info["id"] == "2":
            return web.Response(status=503, text="not now")
        if request.match_info["id"] != NUMBER:
            return web.json_response({"error": {"code": 100, "error_subcode": 33}}, status=400)
        return web.json_response({"id": NUMBER, "display_phone_number": "+1 555-010-0100"})

    ready, loop, port = threading.Event(), asyncio.new_event_loop(), [0]

    async def start() -> None:
        application = web.Application()
        application.add_routes([web.get("/v26.0/{id}", number)])
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port[0] = runner.addresses[0][1]
        ready.set()
        try:
            await asyncio.Event().wait()
        finally:
            await runner.cleanup()

    task = loop.create_task(start())

    def serve() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            loop.run_until_complete(task)

    thread = threading.Thread(target=serve)
    thread.start()
    ready.wait(10)
    yield f"http://127.0.0.1:{port[0]}"
    loop.call_soon_threadsafe(task.cancel)
    thread.join(10)
    loop.close()


@pytest.fixture
def well(tmp_path: Path, meta: str, mongo_uri: str, database_name: str) -> dict[str, str]:
    """Settings with which everything is fine."""
    keys = json.loads(CliRunner().invoke(recado, ["keys", "init", str(tmp_path / "keys"), "--json"]).output)
    return {
        **keys, "RECADO_PROJECT": str(ROOT), "RECADO_ENVIRONMENT": "demo", "RECADO_STORAGE__URI": mongo_uri,
        "RECADO_STORAGE__DATABASE": database_name, "RECADO_STORAGE__VAULT_DATABASE": f"{database_name}_vault",
        "RECADO_WHATSAPP__GRAPH_URL": meta, "RECADO_WHATSAPP__APP_SECRET": "hush-app", "RECADO_WHATSAPP__VERIFY_TOKEN": "hush-verify",
        "RECADO_WHATSAPP__ACCESS_TOKEN": TOKEN, "RECADO_WHATSAPP__PHONE_NUMBER_ID": NUMBER,
    }  # fmt: skip


def run(env: Mapping[str, str], *options: str) -> Result:
    return CliRunner().invoke(recado, ["doctor", *options], env=dict(env))


def found(env: Mapping[str, str], *options: str) -> dict[str, tuple[str, str]]:
    """Check to (status, words)."""
    result = json.loads(run(env, "--json", *options).output)
    return {one["check"]: (one["status"], one["says"]) for one in result["findings"]}


def test_where_all_is_well_nothing_fails(well: dict[str, str]) -> None:
    result = run(well)

    assert result.exit_code == 0, result.output
    assert "FAIL" not in result.output
    for check in ("keys", "flows", "translations pt", "notice es", f"WhatsApp number {NUMBER}", "database", "clock"):
        assert f"ok    {check}: " in result.output


def test_no_secret_is_shown(well: dict[str, str]) -> None:
    well["RECADO_STORAGE__URI"] = "mongodb://operator:hush-db@127.0.0.1:9,127.0.0.2:9/?password=hush-option"

    for output in (run(well, "--offline").output, run(well, "--offline", "--json").output):
        assert "hush" not in output
        assert TOKEN not in output
        assert "operator" not in output
        assert "mongodb://(hidden)@127.0.0.1:9,127.0.0.2:9/" in output
        assert "(set, hidden)" in output


def test_a_secret_of_a_connector_is_shown_by_its_name_alone() -> None:
    shown = effective(Settings(integrations=IntegrationSettings(secrets={"shop": SecretStr("hush")})))

    assert shown["RECADO_INTEGRATIONS__SECRETS"] == "shop (hidden)"


def test_every_setting_is_shown() -> None:
    names = set(effective(read_settings({})))

    assert {
        "RECADO_PROJECT",
        "RECADO_STORAGE__URI",
        "RECADO_WHATSAPP__GRAPH_VERSION",
        "RECADO_PRIVACY__KEK_FILE",
    } <= names
    assert len(names) == sum(
        len(field.annotation.model_fields)
        if isinstance(field.annotation, type) and hasattr(field.annotation, "model_fields")
        else 1
        for field in Settings.model_fields.values()
    )


TOKEN_SET, NUMBER_SET, GRAPH = (f"RECADO_WHATSAPP__{name}" for name in ("ACCESS_TOKEN", "PHONE_NUMBER_ID", "GRAPH_URL"))
OURS = f"WhatsApp number {NUMBER}"
TROUBLES = [
    pytest.param({TOKEN_SET: "old"}, OURS, "error", "token is refused (code 190)", id="an old token"),
    pytest.param({NUMBER_SET: "777"}, "WhatsApp number 777", "error", "does not know this id", id="a wrong number"),
    pytest.param({NUMBER_SET: "1"}, "WhatsApp number 1", "error", "may not use this number", id="no permission"),
    pytest.param({NUMBER_SET: "2"}, "WhatsApp number 2", "warning", "status 503", id="Meta is out of order"),
    pytest.param({GRAPH: "http://127.0.0.1:9"}, OURS, "error", "did not answer", id="no way to Meta"),
    pytest.param({"RECADO_WHATSAPP__APP_SECRET": ""}, "WhatsApp settings", "error", "RECADO_WHATSAPP__APP_SECRET", id="no app secret"),
    pytest.param({"RECADO_STORAGE__URI": ""}, "database", "error", "RECADO_STORAGE__URI is not set", id="no database"),
    pytest.param({"RECADO_STORAGE__URI": "http://db"}, "database", "error", "not the address of a MongoDB", id="no address of a database"),
    pytest.param(
        {"RECADO_STORAGE__URI": "mongodb://127.0.0.1:9", "RECADO_STORAGE__TIMEOUT": "0.3"}, "database", "error", "failed with RetryLater",
        id="a database that does not answer",
    ),
    pytest.param({"RECADO_PRIVACY__KEK_FILE": "/nowhere/kek"}, "keys", "error", "does not exist", id="a lost key file"),
    pytest.param({"RECADO_PROJECT": "/nowhere"}, "flows", "error", "no folder `flows`", id="no project"),
    pytest.param({"RECADO_WEB__PORT": "many"}, "settings", "error", "RECADO_WEB__PORT", id="a setting that cannot be read"),
    pytest.param({"RECADO_WEB__PROT": "80"}, "settings", "error", "RECADO_WEB__PROT is not a setting", id="a misspelt setting"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "check", "status", "words"), TROUBLES)
def test_a_trouble_is_found(well: dict[str, str], change: dict[str, str], check: str, status: str, words: str) -> None:
    env = {**well, **change}

    told = found(env)

    assert told[check][0] == status
    assert words in told[check][1]
    assert run(env).exit_code == (1 if status == "error" else 0)


def test_a_trouble_with_the_database_is_told_once(well: dict[str, str]) -> None:
    well |= {"RECADO_STORAGE__URI": "mongodb://127.0.0.1:9", "RECADO_STORAGE__TIMEOUT": "0.3"}

    assert "clock" not in found(well)


def test_offline_asks_nobody(well: dict[str, str]) -> None:
    told = found(
        {**well, "RECADO_WHATSAPP__GRAPH_URL": "http://127.0.0.1:9", "RECADO_STORAGE__URI": "mongodb://127.0.0.1:9"},
        "--offline",
    )

    assert {status for status, _ in told.values()} <= {"ok", "note"}
    assert not {"database", "clock", f"WhatsApp number {NUMBER}"} & set(told)


def test_what_an_outage_costs_is_said(well: dict[str, str]) -> None:
    """decisions.md 26."""
    status, words = found(well, "--offline")["outages"]

    assert status == "note"
    assert "7 days" in words
    assert "No-Storage for one hour only" in words


@pytest.fixture
def business() -> Business:
    book = load_project(ROOT).book
    assert book is not None
    return book.business


@pytest.mark.parametrize(
    ("contract", "review", "status"),
    [
        pytest.param("2026-01-15", "2027-01-15", "ok", id="a year ahead"),
        pytest.param("2026-01-15", "2026-02-10", "warning", id="within thirty days"),
        pytest.param("2026-01-15", "2026-01-31", "error", id="overdue since yesterday"),
        pytest.param("2026-01-15", "2026-02-01", "warning", id="today"),
        pytest.param("2026-01-15", "", "warning", id="never"),
        pytest.param("", "2027-01-15", "error", id="no contract"),
        pytest.param("2026-01-15", "2026-02-31", "error", id="a day that does not exist"),
    ],
)
def test_contracts_with_processors_are_looked_at(business: Business, contract: str, review: str, status: str) -> None:
    """GDPR art. 28(3)."""
    one = Processor(
        name="Beispiel Hosting GmbH", does="runs our servers", country="DE", contract=contract, review=review
    )

    told = list(of_contracts(business.model_copy(update={"processors": (one,)}), date(2026, 2, 1)))

    assert [finding.status for finding in told] == [status]


@pytest.mark.parametrize(
    ("uri", "warned"),
    [
        pytest.param("mongodb://u:p@db:27017", True, id="another host in the clear"),
        pytest.param("mongodb://u:p@db:27017/?tls=true", False, id="TLS"),
        pytest.param("mongodb+srv://u:p@db.example", False, id="srv, which means TLS"),
        pytest.param("mongodb://u:p@localhost:27017,127.0.0.1:2", False, id="this machine"),
        pytest.param("mongodb://u:p@localhost:1,db:2", True, id="one of two is elsewhere"),
        pytest.param("mongodb://localhost@db:2", True, id="a user called localhost"),
    ],
)
def test_production_warns_of_a_database_in_the_clear(uri: str, warned: bool) -> None:
    told = list(of_safety(read_settings({"RECADO_STORAGE__URI": uri})))

    assert ["without TLS" in one.says for one in told] == [True] * warned


def test_production_needs_a_public_address_in_https() -> None:
    told = list(of_safety(read_settings({"RECADO_WEB__PUBLIC_URL": "http://bot.example"})))

    assert worst(told) == "error"


def test_a_notice_that_says_too_little_is_told(well: dict[str, str], tmp_path: Path) -> None:
    project = tmp_path / "shop"
    (project / "flows").mkdir(parents=True)
    for path in (ROOT / "flows").glob("*.yaml"):
        text: Any = path.read_text()
        (project / "flows" / path.name).write_text(text.replace("WhatsApp Ireland Ltd. (Meta)", "The carrier"))

    told = found({**well, "RECADO_PROJECT": str(project)}, "--offline")

    assert told["notice en"][0] == "error"
    assert "Meta is not among the `processors`" in told["notice en"][1]
