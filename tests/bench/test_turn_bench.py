"""A whole turn against the floor of the same run: CPU of this process alone; customers, Meta and database are others.

Writes the table and the plot of docs/performance.md's last section beside it when RECADO_BENCH_WRITE is set.
"""

import asyncio
import hashlib
import hmac
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pymongo.monitoring
import pytest
from aiohttp import web

from bot.app.compose import open_bot
from bot.settings import read_settings
from tests.e2e.served import ROOT, echo_project, environment
from tests.e2e.standin import SECRET
from tests.storage.test_bulks import Trips

PEOPLE, ROUNDS, RUNS = 64, 8, 3


class Outside:
    """The crowd's process."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self.process, self.port = process, port

    async def run(self, url: str, *, rounds: int, people: int = PEOPLE, replies: bool = True, word: str = "") -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        task = {"url": url, "rounds": rounds, "people": people, "replies": replies, "word": word}
        self.process.stdin.write(json.dumps(task).encode() + b"\n")
        await self.process.stdin.drain()
        return json.loads(await self.process.stdout.readline())


@asynccontextmanager
async def outside() -> AsyncIterator[Outside]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.bench.crowd",
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        yield Outside(process, int(await process.stdout.readline()))
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def cpu(crowd: Outside, url: str, **task: Any) -> tuple[float, Any]:
    """(µs of this process's CPU a message, what the crowd saw)."""
    begun = time.process_time()
    seen = await crowd.run(url, **task)
    return (time.process_time() - begun) / (PEOPLE * task["rounds"]) * 1e6, seen


@asynccontextmanager
async def floor() -> AsyncIterator[str]:
    """What nobody can do without: the body, its signature, a 200."""

    async def receive(request: web.Request) -> web.Response:
        body = await request.read()
        hmac.compare_digest(hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest(), "0" * 64)
        return web.Response()

    application = web.Application()
    application.add_routes([web.post("/", receive)])
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    await runner.cleanup()


@pytest.mark.timeout(900)
def test_print_a_whole_turn_against_the_floor(mongo_uri: str, database_name: str, tmp_path: Path) -> None:
    """64 conversations side by side: webhook, intents, flow, gate, encryption, durable commit, reply, marked."""
    import uvloop

    rows = uvloop.run(_measured(mongo_uri, database_name, tmp_path))
    print(table(rows))
    if os.environ.get("RECADO_BENCH_WRITE"):
        _written(rows)
    assert rows["trips"]
    assert max(rows["refused"]) == 0


async def _measured(uri: str, database: str, folder: Path) -> dict[str, list[float]]:
    trips = Trips()
    pymongo.monitoring.register(trips)
    rows: dict[str, list[float]] = {
        name: [] for name in ("floor", "turn", "ratio", "trips", "median", "p99", "refused")
    }
    async with outside() as crowd, floor() as bare:
        settings = environment(
            uri, database, f"http://127.0.0.1:{crowd.port}", folder / "keys", echo_project(folder / "p")
        )
        ports = {"RECADO_WEB__PORT": "0", "RECADO_ADMIN__PORT": "0"}
        async with open_bot(read_settings(settings | ports)) as bot:
            url = f"http://127.0.0.1:{bot.web_port}/webhooks/whatsapp"
            await crowd.run(url, rounds=1, word="echo")
            await asyncio.sleep(1)
            for _ in range(RUNS):
                lowest, _ = await cpu(crowd, bare, rounds=ROUNDS * 10, replies=False)
                await crowd.run(url, rounds=1, word="stay")
                trips.count.clear()
                turn, seen = await cpu(crowd, url, rounds=ROUNDS)
                rows["floor"].append(lowest)
                rows["turn"].append(turn)
                rows["ratio"].append(turn / lowest)
                rows["trips"].append(trips.count.total() / (PEOPLE * ROUNDS))
                rows["median"].append(seen["median"] * 1000)
                rows["p99"].append(seen["p99"] * 1000)
                rows["refused"].append(seen["refused"])
    pymongo.monitoring._LISTENERS.command_listeners.remove(trips)
    return rows


def table(rows: dict[str, list[float]]) -> str:
    """Markdown: the median of the runs and their spread."""
    names = {
        "floor": "floor: body, HMAC, 200 (µs of CPU)", "turn": "whole turn (µs of CPU)", "ratio": "whole turn × floor",
        "trips": "database round trips a message", "median": "webhook answered, median (ms)",
        "p99": "webhook answered, 99th percentile (ms)",
    }  # fmt: skip
    lines = [f"\n| {PEOPLE} conversations side by side | median of {RUNS} runs | lowest to highest |", "|---|--:|--:|"]
    for name, words in names.items():
        found = rows[name]
        lines.append(f"| {words} | {statistics.median(found):.3g} | {min(found):.3g} to {max(found):.3g} |")
    return "\n".join(lines)


def _written(rows: dict[str, list[float]]) -> None:
    """Below the mark in docs/performance.md everything is the bench's; the plot stands beside it."""
    page = ROOT / "docs" / "performance.md"
    mark = "<!-- written by make bench -->\n"
    head = page.read_text().split(mark)[0]
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, {platform.system()}"
    page.write_text(
        f"{head}{mark}\nMeasured on: {machine}.\n{table(rows)}\n\n![CPU a message](images/performance.svg)\n"
    )
    (ROOT / "docs" / "images" / "performance.svg").write_text(plot(rows))


def plot(rows: dict[str, list[float]]) -> str:
    """Bars of CPU a message, floor and turn, with the spread as a line."""
    bars, most = [("floor", "floor"), ("turn", "whole turn")], max(rows["turn"])
    parts = []
    for place, (name, words) in enumerate(bars):
        middle, low, high = statistics.median(rows[name]), min(rows[name]), max(rows[name])
        top, scale = 30 + place * 50, 420 / most
        parts.append(f'<text x="8" y="{top + 20}">{words}</text>')
        parts.append(f'<rect x="110" y="{top}" width="{middle * scale:.1f}" height="30" fill="#3b6ea5"/>')
        ends, middle_y = f'x1="{110 + low * scale:.1f}" x2="{110 + high * scale:.1f}"', top + 15
        parts.append(f'<line {ends} y1="{middle_y}" y2="{middle_y}" stroke="#c8442e" stroke-width="3"/>')
        parts.append(f'<text x="{118 + high * scale:.1f}" y="{top + 20}">{middle:.0f} µs</text>')
    style = 'font-family="sans-serif" font-size="13"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" width="640" height="140" {style}>{"".join(parts)}</svg>\n'
