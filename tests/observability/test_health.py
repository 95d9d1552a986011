"""Health tells which check fails and not what an exception said."""

import asyncio

from bot.observability import health


async def well() -> str:
    return ""


async def late() -> str:
    return "the oldest message waits for 70 s"


async def breaks() -> str:
    raise RuntimeError("Ana +15550100123")


async def hangs() -> str:
    await asyncio.Event().wait()
    return ""


async def test_all_well_is_ready() -> None:
    found = await health.look({"database": well, "clock": well})
    assert found.ready
    assert found.status == 200
    assert found.plain() == {"status": "ready", "checks": {"database": "ok", "clock": "ok"}}


async def test_one_trouble_is_named_and_holds_nobody_up() -> None:
    checks = {"database": breaks, "outbox": late, "vault": hangs, "clock": well}
    found = await health.look(checks, seconds=0.01)
    assert found.status == 503
    assert found.plain() == {
        "status": "not ready",
        "checks": {
            "database": "failed with RuntimeError",
            "outbox": "the oldest message waits for 70 s",
            "vault": "no answer within 0.01 s",
            "clock": "ok",
        },
    }


async def test_nothing_to_check_is_ready() -> None:
    assert (await health.look({})).ready
