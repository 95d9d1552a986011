"""What `recado doctor` makes of what Meta tells."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from pydantic import SecretStr

from bot.cli.checkup import Finding
from bot.cli.checkup_meta import of_clock, of_meta, of_version
from bot.settings import Settings
from bot.simulator import Simulator
from bot.whatsapp.settings import WhatsAppSettings
from tests.simulator.conftest import FAST

TODAY = date(2026, 11, 24)


async def told(sim: Simulator) -> dict[str, Finding]:
    """Check, without the number's or account's id, to what was found."""
    whatsapp = WhatsAppSettings(
        access_token=SecretStr(FAST.access_token), graph_url=sim.url, phone_number_id=FAST.phone_number_id,
        business_account_id=FAST.waba_id,
    )  # fmt: skip
    found = [one async for one in of_meta(Settings(whatsapp=whatsapp), TODAY)]
    return {one.check.replace(f" {FAST.phone_number_id}", "").replace(f" {FAST.waba_id}", ""): one for one in found}


async def test_a_number_where_all_is_well_and_nobody_listens() -> None:
    async with Simulator(FAST) as sim:
        found = await told(sim)
        assert {name: one.status for name, one in found.items()} == {
            "Graph version": "ok", "WhatsApp number": "ok", "WhatsApp number: limit": "ok", "clock of Meta": "ok",
            "WhatsApp number: storage": "note", "WhatsApp account: webhooks": "error",
        }  # fmt: skip
        assert "nothing that people write arrives" in found["WhatsApp account: webhooks"].says
        sim.point_at("http://127.0.0.1:9/")
        assert (await told(sim))["WhatsApp account: webhooks"].status == "ok"


@pytest.mark.parametrize(
    ("change", "status", "says"),
    [
        pytest.param({"no_storage": True}, "warning", "one hour", id="no storage"),
        pytest.param({"storage_region": "DE"}, "ok", "kept in DE", id="local storage"),
    ],
)
async def test_where_meta_keeps_messages_is_said(change: dict[str, object], status: str, says: str) -> None:
    async with Simulator(replace(FAST, **change)) as sim:  # type: ignore[arg-type]
        found = (await told(sim))["WhatsApp number: storage"]
        assert (found.status, says in found.says) == (status, True)


async def test_a_bad_rating_and_a_bad_token_are_said() -> None:
    async with Simulator(FAST) as sim:
        sim.world.quality = "RED"
        assert (await told(sim))["WhatsApp number: quality"].status == "warning"
        sim.world.token_expired = True
        found = await told(sim)
        assert found["WhatsApp number"].status == "error"
        assert "WhatsApp number: storage" not in found


@pytest.mark.parametrize(
    ("version", "status"),
    [("v26.0", "ok"), ("v27.0", "ok"), ("v25.0", "ok"), ("v21.0", "warning"), ("v20.0", "error"), ("v3.0", "error")],
)
def test_a_version_that_ends_is_told_in_time(version: str, status: str) -> None:
    assert of_version(version, TODAY).status == status
    assert of_version("v21.0", date(2027, 1, 21)).status == "error"


def test_a_clock_that_is_wrong_is_told() -> None:
    now = datetime(2026, 11, 24, 12, tzinfo=UTC)
    assert of_clock("Tue, 24 Nov 2026 12:00:03 GMT", now).status == "ok"
    assert of_clock("Tue, 24 Nov 2026 12:01:00 GMT", now).status == "error"
    assert of_clock("yesterday", now + timedelta(days=1)).status == "note"
