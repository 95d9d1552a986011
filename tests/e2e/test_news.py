"""The business's systems hear what became of a consent and of a person, also when they were away at first."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.app.compose import open_bot
from bot.domain.event import RightExercised
from bot.domain.ids import Address, PhoneNumber
from bot.privacy.crypto import random_token
from bot.settings import read_settings
from tests.e2e import traces
from tests.e2e.served import environment, shop_project
from tests.e2e.standin import Someone, Standin

ANA = Someone("Anabela Exemplo", "+15550100123", "US.13491208655302741918")


@pytest.mark.timeout(180)
async def test_a_crm_hears_of_consents_and_of_the_erasure(mongo_uri: str, database_name: str, tmp_path: Path) -> None:
    heard: list[dict[str, Any]] = []
    statuses = [503]

    async def hear(request: web.Request) -> web.Response:
        heard.append(await request.json())
        return web.Response(status=statuses.pop() if statuses else 204)

    async def until(event: str, times: int = 1) -> dict[str, Any]:
        for _ in range(900):
            found = [one for one in heard if one["event"] == event]
            if len(found) >= times:
                return found[-1]
            await asyncio.sleep(0.1)
        raise AssertionError([one["event"] for one in heard])

    crm = web.Application()
    crm.add_routes([web.post("/hooks", hear)])
    runner = web.AppRunner(crm, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    address = f"http://127.0.0.1:{runner.addresses[0][1]}/hooks"
    project = shop_project(tmp_path / "shop", 9)
    business = project / "flows" / "business.yaml"
    business.write_text(
        business.read_text() + f"\nreceivers:\n  crm: {{address: '{address}', secret: crm, local: yes}}\n"
    )
    async with Standin() as meta:
        values = environment(mongo_uri, database_name, meta.url, tmp_path / "keys", project)
        values |= {
            "RECADO_WEB__PORT": "0",
            "RECADO_ADMIN__PORT": "0",
            "RECADO_INTEGRATIONS__SECRETS": json.dumps({"crm": "s3cret"}),
        }
        async with open_bot(read_settings(values, folder=tmp_path)) as bot:
            meta.webhook = f"http://127.0.0.1:{bot.web_port}/webhooks/whatsapp"
            await meta.say(ANA, "newsletter")
            await meta.hears(ANA, "at most four")
            await meta.tap(ANA, "Yes, please")
            await meta.hears(ANA, "confirm once more")
            await meta.tap(ANA, "Confirm")
            await meta.hears(ANA, "you are on the list")
            given = await until("consent.given", times=2)  # away at first, so it is told again
            await meta.say(ANA, "STOP")
            withdrawn = await until("consent.withdrawn")
            assert (given["purpose"], withdrawn["purpose"], given["subject"]) == (
                "newsletter",
                "newsletter",
                withdrawn["subject"],
            )
            person = await bot.find(Address(PhoneNumber(ANA.phone)))
            assert person is not None
            now = bot.clock.now()
            await bot.turns.submit(person, RightExercised(bot.keyring.event_id(random_token()), now, "erase", now))
            erased = await until("subject.erased")
            assert (erased["subject"], erased["number"], erased["user_id"]) == (given["subject"], ANA.phone, ANA.bsuid)
    await runner.cleanup()
    assert [one["id"] for one in heard].count(given["id"]) == 2
    assert not [one for one in heard if one["event"] != "subject.erased" and ("number" in one or ANA.phone in str(one))]
    assert traces.strangers(mongo_uri, (database_name, f"{database_name}_vault")) == []
