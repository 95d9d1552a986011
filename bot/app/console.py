"""Puts the console together: its ports filled from storage and privacy, its news polled, and who is staffed told to the engine."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from aiohttp import web

from bot.app.rules import BusinessRules
from bot.console.app import console
from bot.console.parts import Parts, Site
from bot.console.ports import Asking, Health, Letter, Proof
from bot.console.presenter import Glance
from bot.console.settings import ConsoleSettings
from bot.console.stream import Hub
from bot.domain.business import Business
from bot.domain.command import Send
from bot.domain.conversation import Conversation
from bot.domain.errors import RetryLater, Unreadable
from bot.domain.event import RightExercised
from bot.domain.ids import CommandId, PersonId
from bot.domain.message import TemplateMessage
from bot.engine import flow as schema
from bot.engine.book import Book
from bot.engine.linter import walk
from bot.handoff.service import Handoffs
from bot.i18n.formatting import Languages
from bot.privacy import requests
from bot.privacy.keyring import Keyring
from bot.privacy.policy import Limit, Refused, decide, limit
from bot.runtime.ports import Clock, Ids
from bot.runtime.turn import Turns
from bot.storage.channel import MongoChannelHealth
from bot.storage.conversations import MongoConversations
from bot.storage.dead_letters import MongoDeadLetters
from bot.storage.desks import MongoDesks
from bot.storage.glances import glances
from bot.storage.mongo import Mongo
from bot.storage.opt_ins import MongoPace
from bot.storage.register import MongoRegister, Request
from bot.storage.sends import MongoSends
from bot.storage.staff import MongoSessions, MongoStaff, staffed
from bot.storage.standings import Standings
from bot.storage.subjects import Subjects
from bot.storage.suppressions import MongoSuppressions
from bot.storage.tickets import MongoTickets

LOOK = 5.0
"""Seconds between two looks at who has an account."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What the console stands on; made by the composition root."""

    mongo: Mongo
    keyring: Keyring
    subjects: Subjects
    business: Business
    book: Book
    rules: BusinessRules
    languages: Languages
    turns: Turns
    sends: MongoSends
    suppressions: MongoSuppressions
    ids: Ids
    clock: Clock


class PeopleFacts:
    """Fills the console's port `Facts`."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._conversations = MongoConversations(ground.mongo, ground.subjects)
        self._standings = Standings(ground.mongo, ground.subjects)
        self._register = MongoRegister(ground.mongo, ground.subjects, zone=ZoneInfo(ground.business.time_zone))
        self._letters = MongoDeadLetters(ground.mongo, ground.subjects)
        self._channel = MongoChannelHealth(ground.mongo)

    async def talk(self, person: PersonId) -> Conversation | None:
        found = await self._conversations.find(person)
        return found.conversation if found is not None else None

    async def glances(self, persons: Sequence[PersonId]) -> Mapping[PersonId, Glance]:
        rows = await glances(self._ground.mongo, persons)
        return {
            person: Glance(
                row.get("window_until"), bool(row.get("stopped")),
                any(one.get("state") == "pending_confirmation" for one in row.get("consents", {}).values()),
                bool(row.get("restricted")), bool(row.get("erasing")),
            )
            for person, row in rows.items()
        }  # fmt: skip

    async def number(self, person: PersonId) -> str:
        subject = await self._ground.subjects.openable(person)
        address = subject.address if subject is not None else None
        known = (address.phone or address.bsuid) if address is not None else None
        return known.value if known is not None else ""

    async def proof(self, person: PersonId) -> list[Proof]:
        subject = await self._ground.subjects.openable(person)
        if subject is None:
            return []
        found = []
        for row in await self._standings.events_of(subject.ref):
            try:
                words = await self._standings.words_of(subject, row["_id"]) or {}
            except Unreadable:
                words = {}
            method = row.get("withdrawal_method") or row.get("answer_kind") or row.get("source") or ""
            found.append(
                Proof(
                    row["occurred_at"], row["event_type"], row.get("purpose", ""), row.get("state_after", ""), row["_id"], method,
                    row.get("notice_hash", ""), _hex(row.get("commit")), row.get("notice_language", ""),
                    str(words.get("prompt_text", "")), str(words.get("answer_text", "")),
                )
            )  # fmt: skip
        return found

    async def person_of(self, reference: str) -> PersonId | None:
        return await self._ground.subjects.by_reference(reference)

    async def sendable(self, talk: Conversation, template: str) -> str:
        """The gate's own answer, with what was sent lately and what is suppressed for the identity."""
        ground, now = self._ground, self._ground.clock.now()
        declared = ground.business.templates[template]
        send = Send(
            CommandId(""), "business", TemplateMessage(template, talk.language or ground.business.language), declared.purpose,
            declared.category,
        )  # fmt: skip
        subject = await ground.subjects.openable(talk.person)
        if subject is None or subject.address is None:
            return "no_address"
        capped = limit(send, ground.business)
        sent = await ground.sends.count(talk.person, send, now - capped.period) if capped else 0
        verdict = decide(
            send, talk, ground.business, now=now, zone=ZoneInfo(ground.rules.time_zone(talk.country)), sent_in_period=sent,
            suppressed=await ground.suppressions.standing(subject.address),
        )  # fmt: skip
        return verdict.code.value if isinstance(verdict, Refused) else ""

    # -- requests ----------------------------------------------------------------------------------------------------------

    async def requests(self, *, closed: bool) -> list[Asking]:
        return [_asking(one) for one in await self._register.all(closed=closed)]

    async def request(self, request: str) -> Asking | None:
        found = await self._register.find(request, words=True)
        return _asking(found) if found is not None else None

    async def move_request(self, request: str, trigger: str, because: str) -> bool:
        return await self._register.move(request, trigger, self._ground.clock.now(), because=because) is not None

    async def withdraw(self, person: PersonId, purpose: str) -> bool:
        now = self._ground.clock.now()
        event = self._ground.ids.event(f"withdraw:{person}:{purpose}:{now.isoformat()}")
        return await self._ground.turns.submit(person, RightExercised(event, now, "object", now, purpose))

    # -- operations --------------------------------------------------------------------------------------------------------

    async def letters(self) -> list[Letter]:
        kept = await self._letters.all(most=200)
        return [Letter(one.id, one.at, one.letter.kind, one.letter.name, one.letter.reason) for one in kept]

    async def drop_letter(self, letter: str) -> bool:
        return await self._letters.drop(letter)

    async def health(self) -> Health:
        account = await self._channel.account()
        rows = []
        for name, declared in self._ground.business.templates.items():
            for language in declared.languages:
                state = await self._channel.template(name, language)
                rows.append((name, language, state.category or declared.category, state.status))
        return Health(account.halted_until, account.limited_until, account.why, rows)


def _hex(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else str(value or "")


def _asking(one: Request) -> Asking:
    moves = tuple(name for name, source, _ in requests.MACHINE.moves if source == one.state)
    return Asking(
        one.id, one.kind, one.state, one.law, one.received_at, one.due_at, one.subject_ref, one.language, one.closed_at, moves, one.words
    )  # fmt: skip


class StaffPace:
    """Fills the console's port `Pace`."""

    def __init__(self, ground: Ground) -> None:
        self._pace = MongoPace(ground.mongo, ground.keyring)
        self._clock = ground.clock

    async def within(self, what: str, who: str, most: int, period: timedelta) -> bool:
        return await self._pace.within(f"console:{what}", who, Limit(most, period), self._clock.now())


class Staffing:
    """Which teams anybody has an account for, as last read; the engine asks it and does not wait."""

    def __init__(self, staff: MongoStaff, teams: Sequence[str]) -> None:
        self._staff = staff
        self._teams = tuple(teams)
        self._known: frozenset[str] = frozenset()

    def __call__(self, team: str) -> bool:
        return team in self._known

    async def look(self) -> None:
        people = await self._staff.all()
        self._known = frozenset(team for team in self._teams if staffed(people, team))

    async def run(self) -> None:
        """Looks again now and then, until cancelled; out of reach changes nothing."""
        while True:
            with contextlib.suppress(RetryLater):
                await self.look()
            await asyncio.sleep(LOOK)


def consent_flows(book: Book) -> dict[str, str]:
    """Purpose to the flow that asks for its consent: one that begins with that question and needs nothing else."""
    found: dict[str, str] = {}
    for name, compiled in book.flows.items():
        for step, _ in walk(compiled.flow):
            if isinstance(step, schema.ConsentStep) and not compiled.flow.inputs:
                found.setdefault(step.consent, name)
    return found


def parts_of(ground: Ground, settings: ConsoleSettings, site: Site) -> Parts:
    tickets = MongoTickets(ground.mongo, ground.subjects)
    facts = PeopleFacts(ground)

    def is_open(team: str) -> bool:
        return ground.rules.is_open(team, ground.clock.now())

    handoffs = Handoffs(tickets, ground.turns.submit, facts.talk, ground.ids, ground.clock)
    return Parts(
        ground.business, site, MongoStaff(ground.mongo, ground.keyring),
        MongoSessions(ground.mongo, idle=settings.idle, lasts=settings.lasts), MongoDesks(ground.mongo, ground.subjects), tickets.events,
        tickets, handoffs, facts, StaffPace(ground), Texts(ground.languages), ground.clock, is_open, consent_flows(ground.book),
    )  # fmt: skip


class Texts:
    """Fills the console's port `Words`."""

    def __init__(self, languages: Languages) -> None:
        self._languages = languages

    def translate(self, text: str, language: str) -> str:
        return self._languages.translate(text, language)

    def show(self, value: object, how: str, language: str, zone: str) -> str:
        if isinstance(value, datetime) and not how:
            return f"{self._languages.show(value, 'date', language, zone)}, {self._languages.show(value, 'time', language, zone)}"
        return self._languages.show(value, how, language, zone)


@asynccontextmanager
async def opened_console(parts: Parts) -> AsyncIterator[web.Application]:
    """The application, with its news polled while the context lasts."""
    hub = Hub(parts)
    polling = asyncio.create_task(hub.run())
    try:
        yield console(parts, hub)
    finally:
        polling.cancel()
        await asyncio.gather(polling, return_exceptions=True)


@asynccontextmanager
async def staffing_of(mongo: Mongo, keyring: Keyring, rules: BusinessRules, business: Business) -> AsyncIterator[None]:
    """Tells the engine's rules who is staffed, while the context lasts."""
    staffing = Staffing(MongoStaff(mongo, keyring), tuple(business.teams))
    await staffing.look()
    rules.staffed = staffing
    looking = asyncio.create_task(staffing.run())
    try:
        yield
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
