"""What failed for good is listed, looked at, mended and done again by an operator; the person gets their answer once."""

import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.e2e.served import Served, echo_project, environment
from tests.e2e.standin import Someone, Standin, texts
from tests.e2e.typed import recado

ANA = Someone("Ana Exemplo", "+15550100123", "US.13491208655302741918")
WORDS = "periwinkle"


def refusing(body: dict[str, Any]) -> web.Response | None:
    """Meta says of one message that it cannot be delivered, for good."""
    if WORDS not in texts(body):
        return None
    error = {"message": "(#131026) Message undeliverable", "code": 131026, "type": "OAuthException"}
    return web.json_response({"error": error}, status=400)


async def letters(settings: dict[str, str]) -> list[dict[str, Any]]:
    done = await recado(settings, "dead-letters", "list", "--json")
    found: list[dict[str, Any]] = json.loads(done.stdout)
    assert done.returncode == (1 if found else 0), done.stderr
    return found


@pytest.mark.timeout(120)
async def test_an_operator_finds_mends_and_replays(mongo_uri: str, database_name: str, tmp_path: Path) -> None:
    project = echo_project(tmp_path / "project")
    async with Standin() as meta:
        settings = environment(mongo_uri, database_name, meta.url, tmp_path / "keys", project)
        async with Served(settings, tmp_path / "serve.log") as served:
            meta.webhook, meta.answer = served.webhook, refusing
            await meta.say(ANA, "echo")
            await meta.hears(ANA, "What shall I repeat?")
            await meta.say(ANA, WORDS)
            for _ in range(40):
                if found := await letters(settings):
                    break
            [one] = found
            assert (one["kind"], one["name"], one["reason"]) == ("command", "Send", "meta_131026")
            shown = await recado(settings, "dead-letters", "show", one["id"])
            assert WORDS not in shown.stdout
            opened = await recado(settings, "dead-letters", "show", one["id"], "--content", "--json")
            assert WORDS in opened.stdout

            meta.answer = lambda _: None
            again = await recado(settings, "dead-letters", "replay", one["id"])
            assert (again.returncode, again.stdout) == (0, f"{one['id']}: played again\n")
            await meta.hears(ANA, f"You said {WORDS}.")
            assert await letters(settings) == []

            twice = await recado(settings, "dead-letters", "replay", one["id"])
            assert twice.returncode == 1
            assert "there is no such letter" in twice.stderr
            dropped = await recado(settings, "dead-letters", "drop", one["id"])
            assert (dropped.returncode, dropped.stdout) == (1, "0 dropped.\n")
            said = [one for one in meta.to(ANA) if f"You said {WORDS}." in texts(one)]
            assert len(said) == 1
            assert WORDS not in (tmp_path / "serve.log").read_text()
