"""The line of news: it beats however much happens, so whoever was disabled hears no more."""

import asyncio
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import web

from bot.console import stream
from bot.console.stream import Hub
from bot.handoff.values import ConsoleEvent

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)


class Sessions:
    """One session that ends after some beats."""

    def __init__(self, beats: int) -> None:
        self.left = beats

    async def find(self, _token: str, _now: datetime) -> object | None:
        self.left -= 1
        return object() if self.left >= 0 else None

    async def live(self, *_: Any, **__: Any) -> None: ...

    async def there(self, _now: datetime, _within: timedelta) -> list[Any]:
        return []


class Line:
    def __init__(self) -> None:
        self.written: list[bytes] = []

    async def write(self, data: bytes) -> None:
        self.written.append(data)
        await asyncio.sleep(0)


@pytest.mark.timeout(10)
async def test_news_without_end_do_not_keep_the_line_of_an_ended_session_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "BEAT", 0.02)
    parts: Any = SimpleNamespace(
        sessions=Sessions(3), clock=SimpleNamespace(now=lambda: NOW), site=SimpleNamespace(cookie="c")
    )
    person = SimpleNamespace(id="s", staff=SimpleNamespace(id="maria"))
    asked: Any = SimpleNamespace(session=person, request=SimpleNamespace(cookies={"c": "token"}))
    queue: asyncio.Queue[ConsoleEvent | None] = asyncio.Queue()
    line: Any = Line()

    async def busy() -> None:
        number = 0
        while True:
            number += 1
            queue.put_nowait(ConsoleEvent("desk", number, "line", "t", NOW))
            await asyncio.sleep(0)

    talk = asyncio.create_task(busy())
    try:
        await Hub(parts)._live(asked, line, queue, {})
    finally:
        talk.cancel()
    assert line.written[-1] == b"event: over\ndata: {}\n\n"
    assert sum(one.startswith(b"event: beat") for one in line.written) == 3
    assert any(not one.startswith(b"event: ") for one in line.written), "and the news came through meanwhile"


async def test_a_server_that_stops_ends_every_line_also_one_that_lags_and_one_that_comes_late() -> None:
    """An open page never holds up a stop; without this, every stop waited a minute for each of them."""
    hub = Hub(SimpleNamespace())  # type: ignore[arg-type]
    with hub.listening(("desk",)) as quiet, hub.listening(("desk",)) as lagging:
        for number in range(lagging.maxsize):
            lagging.put_nowait(ConsoleEvent("desk", number, "line", "t", NOW))
        await hub.close(web.Application())
        assert quiet.get_nowait() is None
        told = [lagging.get_nowait() for _ in range(lagging.qsize())]
        assert told[-1] is None
        with hub.listening(("desk",)) as late:
            assert late.get_nowait() is None
