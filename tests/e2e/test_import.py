"""Consents from a list of elsewhere: taken with evidence, refused without, never against what a person said here."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.served import Served, environment, shop_project
from tests.e2e.standin import Someone, Standin, texts
from tests.e2e.test_life import queued_newsletter
from tests.e2e.typed import recado

KNOWN = Someone("Ana Exemplo", "+15550100123", "US.13491208655302741918")
NEW = Someone("Nina Nova", "+447700900311")
STOPPED = Someone("Sam Stopped", "+447700900322", "GB.44491208655302741000")

DAY = datetime.now(UTC).replace(microsecond=0) - timedelta(days=30)


def line(person: str, **changes: Any) -> str:
    evidence = {
        "person": person, "purpose": "newsletter", "given_at": DAY.isoformat(), "confirmed_at": (DAY + timedelta(minutes=5)).isoformat(),
        "wording": "Yes, I want the newsletter of Casa Lua by WhatsApp.", "answer": "box ticked, link in the e-mail followed",
        "notice": "Casa Lua, Lda. uses your number for its newsletter …", "language": "pt", "source": "shop checkout, form 3",
    }  # fmt: skip
    made = {name: value for name, value in (evidence | changes).items() if value is not None}
    return json.dumps(made)


@pytest.mark.timeout(240)
async def test_a_list_is_taken_over_with_its_evidence(mongo_uri: str, database_name: str, tmp_path: Path) -> None:
    async with Standin() as meta:
        settings = environment(
            mongo_uri, database_name, meta.url, tmp_path / "keys", shop_project(tmp_path / "shop", 9)
        )
        async with Served(settings, tmp_path / "serve.log") as served:
            meta.webhook = served.webhook
            for person in (KNOWN, STOPPED):
                await meta.say(person, "hello")
                await meta.hears(person, "automated assistant of Casa Lua")
            await meta.say(STOPPED, "STOP")
            await meta.hears(STOPPED, "sends you no more messages")
            file = tmp_path / "list.jsonl"
            file.write_text("\n".join([line(KNOWN.phone), "", line(NEW.phone), line(STOPPED.phone), *BAD]) + "\n")

            checked = await recado(settings, "consent", "import", str(file), "--check", "--json")
            assert json.loads(checked.stdout)["checked"] == 3
            taken = await recado(settings, "consent", "import", str(file), "--json")
            assert taken.returncode == 1
            found = json.loads(taken.stdout)
            assert found["taken"] == 2
            reasons = {one["line"]: one["reason"] for one in found["refused"]}
            assert set(reasons) == set(range(4, 5 + len(BAD)))
            assert "stopped" in reasons[4]
            assert [one for one in (NEW.phone, KNOWN.phone, "Nina") if one in taken.stdout + taken.stderr] == []
            again = await recado(settings, "consent", "import", str(file), "--json")
            assert json.loads(again.stdout)["taken"] == 2

            for person in (KNOWN, NEW):
                await queued_newsletter(settings, person)
                await meta.hears(person, "indigo bowls")
            await queued_newsletter(settings, STOPPED)
            await asyncio.sleep(2)
            assert not [one for one in meta.to(STOPPED) if "indigo bowls" in texts(one)]
            await _stopped_for_good(meta, settings, file)
            shown = await recado(settings, "consent", "show", "--ask", "--json", typed=f"{NEW.phone}\n")
            assert json.loads(shown.stdout)["standing"]["newsletter"]["state"] == "given"
            verified = await recado(settings, "consent", "verify")
            assert verified.returncode == 0, verified.stdout + verified.stderr


async def _stopped_for_good(meta: Standin, settings: dict[str, str], file: Path) -> None:
    """Whoever stops after the import stays stopped, however often the list is brought again."""
    await meta.say(KNOWN, "STOP")
    await meta.hears(KNOWN, "sends you no more messages")
    again = await recado(settings, "consent", "import", str(file), "--json")
    assert json.loads(again.stdout)["taken"] == 1


BAD = [
    line("+447700900333", wording=None),
    line("+447700900334", notice=""),
    line("+447700900335", answer=None),
    line("+447700900336", source=""),
    line("+447700900337", confirmed_at=None),
    line("+447700900338", given_at="2031-01-01T00:00:00+00:00"),
    line("+447700900339", given_at="2026-01-01T00:00:00"),
    line("+447700900340", given_at="2019-01-01T00:00:00+00:00", confirmed_at="2019-01-02T00:00:00+00:00"),
    line("+447700900341", purpose="raffle"),
    line("+447700900342", purpose="orders"),
    line("12345"),
    line("+447700900343", extra="x"),
    "{no json",
    "[]",
]
