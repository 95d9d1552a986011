"""Rights by command: what an operator enters for a person is done by the running bot, and stands in the register with its clock."""

import asyncio
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import traces
from tests.e2e.served import Served, environment, shop_project
from tests.e2e.standin import Someone, Standin, texts
from tests.e2e.typed import recado

ANA = Someone("Anabela Exemplo", "+15550100123", "US.13491208655302741918")


async def requests(settings: dict[str, str], *more: str) -> list[dict[str, Any]]:
    done = await recado(settings, "requests", "list", "--json", *more)
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


@pytest.mark.timeout(240)
async def test_an_operator_carries_rights_out(mongo_uri: str, database_name: str, tmp_path: Path) -> None:
    async with Standin() as meta:
        settings = environment(
            mongo_uri, database_name, meta.url, tmp_path / "keys", shop_project(tmp_path / "shop", 9)
        )
        async with Served(settings, tmp_path / "serve.log") as served:
            meta.webhook = served.webhook
            await meta.say(ANA, "newsletter")
            for title in ("Yes, please", "Confirm"):
                await meta.hears(ANA, {"Yes, please": "at most four", "Confirm": "confirm once more"}[title])
                await meta.tap(ANA, title)
            await meta.hears(ANA, "you are on the list")
            await _asked_in_the_chat(meta, settings)
            await _copied(settings, tmp_path)
            await _restricted(meta, settings)
            await _refused(settings)
            await _days_that_cannot_be_meant(settings)
            gone = await recado(settings, "subject", "erase", "--ask", "--yes", "--json", typed=f"{ANA.bsuid}\n")
            assert json.loads(gone.stdout) == {"done": True}
            await meta.hears(ANA, "foram apagados", within=60)  # they chose Portuguese
            for _ in range(100):
                if not [1 for name, _ in traces.documents(mongo_uri, [database_name]) if name == "erasure_jobs"]:
                    break
                await asyncio.sleep(0.1)
            secrets = [ANA.phone, ANA.phone[1:], ANA.bsuid, ANA.name]
            assert traces.found(mongo_uri, (database_name, f"{database_name}_vault"), secrets) == []
            again = await recado(settings, "subject", "erase", "--ask", "--yes", typed=f"{ANA.phone}\n")
            assert again.returncode == 1
            assert "Nobody with this" in again.stdout


async def _days_that_cannot_be_meant(settings: dict[str, str]) -> None:
    """The clock of the law runs from the day that is given: one that cannot be is refused and not bent."""
    for day, says in (("2999-01-01", "lies in the future"), ("2001-01-01", "more than three years ago")):
        wrong = await recado(settings, "subject", "restrict", "--ask", "--received", day, typed=f"{ANA.phone}\n")
        assert (wrong.returncode, says in wrong.stderr) == (2, True), wrong.stderr


async def _asked_in_the_chat(meta: Standin, settings: dict[str, str]) -> None:
    """A wish in the chat stands in the register by itself; an operator writes down how it went on."""
    await meta.say(ANA, "correct my data")
    await meta.hears(ANA, "What is wrong, and how should it be?")
    await meta.say(ANA, "the street is Rua Nova, not Rua Velha")
    await meta.hears(ANA, "at the latest within one month")
    for _ in range(20):
        if found := await requests(settings):
            break
    [one] = found
    assert (one["kind"], one["state"], one["law"], one["overdue"]) == ("rectify", "received", "gdpr", False)
    shown = await recado(settings, "requests", "show", one["id"])
    assert "Rua Nova" not in shown.stdout
    assert (await recado(settings, "requests", "show", one["id"][:6])).stdout == shown.stdout
    wrong = await recado(settings, "requests", "move", one["id"][:6], "go-on")
    assert (wrong.returncode, "is received; from there it can only answer" in wrong.stderr) == (1, True), wrong.stderr
    opened = await recado(settings, "requests", "show", one["id"], "--words")
    assert "Rua Nova" in opened.stdout
    late = await recado(settings, "requests", "move", one["id"], "extend")
    assert (late.returncode, "--because" in late.stderr) == (2, True)
    longer = await recado(settings, "requests", "move", one["id"], "extend", "--because", "two systems", "--json")
    assert json.loads(longer.stdout)["due_at"] > one["due_at"]
    done = await recado(settings, "requests", "move", one["id"], "answer", "--json")
    assert json.loads(done.stdout)["closed_at"]
    twice = await recado(settings, "requests", "move", one["id"], "answer")
    assert twice.returncode == 1
    assert "is closed (answered)" in twice.stderr
    assert await requests(settings) == []


async def _copied(settings: dict[str, str], folder: Path) -> None:
    file = folder / "copy.zip"
    made = await recado(settings, "subject", "export", "--ask", "--to", str(file), typed=f"{ANA.phone}\n")
    assert made.returncode == 0, made.stderr
    assert file.stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(file) as packed:
        assert ANA.phone in json.loads(packed.read("my-data.json"))["numbers"]
        assert "at most four" in packed.read("consent-newsletter.html").decode()  # signed, as in the chat's own file
    refused = await recado(settings, "subject", "export", "--ask", "--to", str(file), typed=f"{ANA.phone}\n")
    assert refused.returncode == 2


async def _restricted(meta: Standin, settings: dict[str, str]) -> None:
    """While the use is restricted nothing is sent of our own accord; lifting it is told."""
    sending = (
        "send",
        "--purpose",
        "newsletter",
        "--template",
        "monthly_news",
        "--to",
        ANA.phone,
        "--with",
        "teal lamps",
    )
    done = await recado(settings, "subject", "restrict", "--ask", "--received", "2026-01-15", typed=f"{ANA.phone}\n")
    assert (done.returncode, done.stdout) == (0, "The use of the person's data is restricted.\n")
    await recado(settings, *sending)
    await asyncio.sleep(2)
    assert not [one for one in meta.to(ANA) if "teal lamps" in texts(one)]
    lifted = await recado(settings, "subject", "restrict", "--ask", "--lift", typed=f"{ANA.phone}\n")
    assert lifted.returncode == 0
    await meta.hears(ANA, "no longer restricted")
    corrected = await recado(settings, "subject", "rectify", "--ask", "--language", "pt", typed=f"{ANA.phone}\n")
    assert corrected.returncode == 0
    await meta.hears(ANA, "Passamos a escrever-lhe")
    objected = await recado(settings, "subject", "object", "--ask", typed=f"{ANA.phone}\n")
    assert objected.returncode == 0
    await recado(settings, *sending)
    await asyncio.sleep(2)
    assert not [one for one in meta.to(ANA) if "teal lamps" in texts(one)]
    kinds = [one["kind"] for one in await requests(settings, "--all")]
    assert sorted(kinds) == ["access", "object", "rectify", "rectify", "restrict", "restrict"]


async def _refused(settings: dict[str, str]) -> None:
    for arguments, typed, status, words in (
        (("erase", "--ask"), f"{ANA.phone}\nn\n", 1, "Nothing was done"),
        (("erase", "--ask", "--yes"), "+447700900999\n", 1, "Nobody with this"),
        (("erase", "--ask", "--yes"), "somebody\n", 1, "neither a number"),
        (("erase", "--yes"), "", 2, "Give one of --subject and --ask"),
        (("rectify", "--ask", "--language", "tlh"), f"{ANA.phone}\n", 2, "not offered"),
        (("object", "--ask", "--scope", "dreams"), f"{ANA.phone}\n", 2, "no scope"),
        (("restrict", "--subject", "0" * 32), "", 1, "Nobody with this"),
    ):
        done = await recado(settings, "subject", *arguments, typed=typed)
        assert (done.returncode, words in done.stdout + done.stderr) == (status, True), (
            arguments,
            done.stdout,
            done.stderr,
        )
