"""News for open pages: one stream of server-sent events for each, numbered by team, with what was missed first (decisions.md 27).

One poller a process reads what is new and hands it to its pages; a page says what it knows and is told the rest before anything
else. The events name chats and kinds, never words. Heartbeats carry who is there (WHATWG: server-sent events).
"""

import asyncio
import contextlib
import json
import logging
from collections.abc import Iterator, Mapping
from datetime import timedelta

from aiohttp import web

from bot.console.access import Asked, Route
from bot.console.parts import Parts
from bot.domain.errors import RetryLater
from bot.handoff.roles import Action, teams_of
from bot.handoff.values import ConsoleEvent

logger = logging.getLogger(__name__)

POLL = 0.25
BEAT = 15.0
WAKE_EVERY = 5.0
PRESENT = timedelta(seconds=30)
WAITING_MOST = 500
LONGEST = 60 * 60
"""A stream is closed after an hour; the page opens it again, and its session is asked for anew."""


class Hub:
    """The poller of this process, and the pages that listen."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._known: dict[str, int] = {}
        self._listening: dict[asyncio.Queue[ConsoleEvent | None], tuple[str, ...]] = {}
        self._closed = False

    async def close(self, _: web.Application) -> None:
        """Ends every stream: an open page must not hold up a server that stops. The pages connect again, perhaps elsewhere."""
        self._closed = True
        for queue in self._listening:
            _end(queue)

    async def run(self) -> None:
        """Polls until it is cancelled; a database out of reach is asked again."""
        teams = tuple(self._parts.business.teams)
        since_wake = 0.0
        while True:
            try:
                if not self._known:
                    self._known = await self._parts.events.newest(teams)
                for event in await self._parts.events.after(self._known):
                    self._known[event.team] = max(self._known.get(event.team, 0), event.seq)
                    self._tell(event)
                if since_wake >= WAKE_EVERY:
                    since_wake = 0.0
                    await self._parts.handoffs.wake_all_due()
            except RetryLater:
                logger.warning("news out of reach")
            except Exception as problem:  # noqa: BLE001 - the loop is what keeps all pages live
                logger.error("news failed", extra={"reason": type(problem).__name__})  # noqa: TRY400
            await asyncio.sleep(POLL)
            since_wake += POLL

    def _tell(self, event: ConsoleEvent) -> None:
        for queue, teams in self._listening.items():
            if event.team in teams:
                if queue.full():
                    _end(queue)  # too slow: the page catches up with a new stream
                else:
                    queue.put_nowait(event)

    @contextlib.contextmanager
    def listening(self, teams: tuple[str, ...]) -> "Iterator[asyncio.Queue[ConsoleEvent | None]]":
        """A queue of news for these teams while the context lasts."""
        queue: asyncio.Queue[ConsoleEvent | None] = asyncio.Queue(WAITING_MOST)
        self._listening[queue] = teams
        if self._closed:
            _end(queue)
        try:
            yield queue
        finally:
            del self._listening[queue]

    def routes(self) -> list[Route]:
        return [Route("GET", "/stream", Action.CHATS_SEE, self.stream)]

    async def stream(self, asked: Asked) -> web.StreamResponse:
        """Server-sent events from `since` on; ends when the session does."""
        teams = teams_of(asked.staff, self._parts.business.teams)
        given = asked.request.headers.get("Last-Event-ID") or asked.request.query.get("since", "")
        known = cursor(given, teams)
        answer = web.StreamResponse(headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
        asked.pages.secure(answer, asked.nonce)
        with self.listening(teams) as queue:
            missing = {team: seq for team, seq in (await self._parts.events.newest(teams)).items() if team not in known}
            known |= missing
            await answer.prepare(asked.request)
            with contextlib.suppress(ConnectionError, asyncio.CancelledError, TimeoutError):
                async with asyncio.timeout(LONGEST):
                    await self._catch_up(answer, known)
                    await self._live(asked, answer, queue, known)
        return answer

    async def _catch_up(self, answer: web.StreamResponse, known: dict[str, int]) -> None:
        """Everything that was missed, then a word that it is all: only then may the page send."""
        while missed := await self._parts.events.after(known):
            for event in missed:
                await _send(answer, event, known)
        await answer.write(b"event: ready\ndata: {}\n\n")

    async def _live(
        self, asked: Asked, answer: web.StreamResponse, queue: "asyncio.Queue[ConsoleEvent | None]", known: dict[str, int]
    ) -> None:  # fmt: skip
        clock = asyncio.get_running_loop().time
        beat_at = clock()
        while True:
            if clock() >= beat_at:  # however much happens: it is the beat that ends the line of whoever was disabled
                if not await self._beat(asked, answer):
                    return
                beat_at = clock() + BEAT
            try:
                event = await asyncio.wait_for(queue.get(), max(beat_at - clock(), 0.0))
            except TimeoutError:
                continue
            if event is None:
                return
            await _send(answer, event, known)

    async def _beat(self, asked: Asked, answer: web.StreamResponse) -> bool:
        """Says that the line stands and who is there; False when the session has ended meanwhile."""
        parts, session = self._parts, asked.session
        token = asked.request.cookies.get(parts.site.cookie, "")
        now = parts.clock.now()
        if session is None or await parts.sessions.find(token, now) is None:
            await answer.write(b"event: over\ndata: {}\n\n")
            return False
        await parts.sessions.live(session.id, now)
        there = [
            {"who": one.staff, "viewing": one.viewing, "typing": one.typing}
            for one in await parts.sessions.there(now, PRESENT)
            if one.staff != session.staff.id
        ]
        await answer.write(f"event: beat\ndata: {json.dumps({'there': there})}\n\n".encode())
        return True


def _end(queue: asyncio.Queue[ConsoleEvent | None]) -> None:
    """The last word of a stream, also where the queue is full."""
    if queue.full():
        queue.get_nowait()
    queue.put_nowait(None)


async def _send(answer: web.StreamResponse, event: ConsoleEvent, known: dict[str, int]) -> None:
    """One event, once: what the catch-up brought is not told again."""
    if event.seq <= known.get(event.team, 0):
        return
    known[event.team] = event.seq
    data = {"team": event.team, "seq": event.seq, "kind": event.kind, "ticket": event.ticket, "by": event.by}
    await answer.write(f"id: {spelt(known)}\ndata: {json.dumps(data)}\n\n".encode())


def cursor(text: str, teams: tuple[str, ...]) -> dict[str, int]:
    """`orders:12,front_desk:4` as numbers; what is misspelt or of another team is left out."""
    found = {}
    for part in text[:2000].split(","):
        team, _, seq = part.partition(":")
        if team in teams and seq.isascii() and seq.isdigit():
            found[team] = int(seq[:12])
    return found


def spelt(known: Mapping[str, int]) -> str:
    return ",".join(f"{team}:{seq}" for team, seq in sorted(known.items()))
