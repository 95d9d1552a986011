"""Puts the parts together: one `Bot` for `serve`, for `demo` and for tests that want the whole."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import aiohttp
from aiohttp import web

from bot.api.routes import api_routes
from bot.app import console
from bot.app.api import ForApi, door_of
from bot.app.console import staffing_of
from bot.app.exporting import ChatExports, Copying, Downloads
from bot.app.keeping import KeyFollower, following, periods_of, refuse_unfit, replays_of, sweeping, watching_deadlines
from bot.app.media import TakenOver
from bot.app.project import load_catalog
from bot.app.publishing import publish
from bot.app.receipting import Receipts
from bot.app.receivers import AllReceivers
from bot.app.rules import BusinessRules
from bot.app.sequencing import sequencer_of, sequencing
from bot.app.sign_ups import ConfirmingWords, WebsiteSignUps, forms_of
from bot.app.telling import receivers_of
from bot.app.templates import watching
from bot.console.parts import LANGUAGES
from bot.console.parts import Site as ConsoleSite
from bot.domain.business import Business
from bot.domain.errors import RecadoError, SettingsProblem
from bot.domain.event import SendRequested
from bot.domain.ids import Address, Bsuid, EventId, PersonId
from bot.engine.advance import Engine
from bot.engine.book import Book
from bot.i18n.catalog import Catalog
from bot.i18n.formatting import Languages
from bot.i18n.values import TypedValues
from bot.integrations.connectors import HttpConnectors
from bot.observability import health, logs
from bot.observability.metrics import Registry
from bot.privacy import intents
from bot.privacy.crypto import random_token
from bot.privacy.keyring import Keyring
from bot.privacy.ledger.parties import parties_version
from bot.privacy.notice import Notice, from_content
from bot.privacy.numbers import BadNumber, canonical
from bot.privacy.retention import Periods
from bot.runtime.deadlines import Deadlines
from bot.runtime.erasing import Erasing
from bot.runtime.figures import Figures
from bot.runtime.merging import Merging
from bot.runtime.opting_in import OptingIn, OptInParts
from bot.runtime.outbox import Hands, Outbox
from bot.runtime.ports import Lease, Stored
from bot.runtime.turn import Parts, Turns
from bot.runtime.worker import Worker
from bot.settings import Settings
from bot.storage.channel import MongoChannelHealth
from bot.storage.conversations import MongoConversations
from bot.storage.copies import Copies
from bot.storage.desk import MongoDesk
from bot.storage.erasures import MongoErasures
from bot.storage.exports import MongoExports
from bot.storage.indexes import prepare
from bot.storage.leaves import MongoLeaves
from bot.storage.ledger import MongoLedger
from bot.storage.media import MongoMedia
from bot.storage.merges import MongoMerges
from bot.storage.mongo import Mongo
from bot.storage.opt_ins import MongoOptIns, MongoPace
from bot.storage.people import MongoPeople
from bot.storage.published import Published
from bot.storage.register import MongoRegister
from bot.storage.replays import ReplayedLedger, Replays
from bot.storage.sends import MongoSends
from bot.storage.standings import Standings
from bot.storage.subjects import Subjects
from bot.storage.suppressions import MongoSuppressions
from bot.storage.sweeping import MongoSweeper
from bot.storage.tickets import MongoTickets
from bot.web.downloads import download_routes
from bot.web.notices import Past, notice_routes
from bot.web.opt_in import OptInPages, Site
from bot.whatsapp.client import WhatsAppClient
from bot.whatsapp.contact_book import ContactBook
from bot.whatsapp.graph import Graph
from bot.whatsapp.media import MediaClient
from bot.whatsapp.routes import webhook_routes

logger = logging.getLogger(__name__)


class SystemClock:
    """UTC, cut to the milliseconds that the database keeps."""

    def now(self) -> datetime:
        moment = datetime.now(UTC)
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


class KeyedIds:
    """The runtime's `Ids`."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def event(self, outside_id: str) -> EventId:
        return self._keyring.event_id(outside_id)

    def random(self) -> str:
        return random_token()


class HeardWishes:
    """The runtime's `Wishes`: the privacy intents with the business's own purposes."""

    def __init__(self, business: Business) -> None:
        self._purposes = {name: (name, *purpose.title.split()) for name, purpose in business.purposes.items()}

    def understand(self, words: str, *, language: str | None, flow_open: bool) -> intents.Intent:
        return intents.understand(words, language=language, flow_open=flow_open, purposes=self._purposes)


@dataclass(frozen=True, slots=True)
class Bot:
    """A running bot: its turns, its worker, and what commands and tests look into."""

    business: Business
    book: Book
    mongo: Mongo
    turns: Turns
    worker: Worker
    people: MongoPeople
    keyring: Keyring
    clock: SystemClock
    registry: Registry
    web_port: int
    admin_port: int
    keys: KeyFollower
    subjects: Subjects
    copying: Copying
    catalog: Catalog
    published: Published

    async def conversation(self, person: PersonId) -> Stored | None:
        """A person's conversation as it stands."""
        return await MongoConversations(self.mongo, self.subjects).find(person)

    async def find(self, address: Address) -> PersonId | None:
        """Who an address belongs to; never makes anybody known."""
        return await self.people.recognise(address, self.clock.now())


@asynccontextmanager
async def open_bot(
    settings: Settings, *, work: bool = True, serve_web: bool = True, connectors: Mapping[str, str] | None = None
) -> AsyncIterator[Bot]:
    """The whole bot, ready when entered and stopped cleanly when left.

    Raises `SettingsProblem` for wrong settings, keys or flows, and `RetryLater` when the database is out of reach.
    """
    # A command that only puts something into a conversation, or only reads, talks to nobody and needs no token of Meta's.
    missing = settings.whatsapp.problems() if work or serve_web else []
    if not settings.storage.uri:
        missing.insert(0, "RECADO_STORAGE__URI is not set: where the data are kept, e.g. mongodb://host:27017.")
    if missing:
        raise SettingsProblem("Recado cannot start:\n  " + "\n  ".join(missing))
    keyring = Keyring.load(settings.privacy)
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        mongo = Mongo(settings.storage)
        stack.callback(mongo.close)
        await mongo.ping()
        await prepare(mongo)
        replays = replays_of(settings, mongo)
        await refuse_unfit(mongo, keyring, replays, clock.now())
        keys = await stack.enter_async_context(following(keyring, settings.privacy.keys_read_every))
        published = Published(mongo)
        book, rules, catalog = await publish(settings, published, clock.now(), served=work or serve_web)
        business = book.business
        session = await stack.enter_async_context(aiohttp.ClientSession())
        periods = periods_of(settings, book)
        ground = _Ground(settings, mongo, keyring, clock, session, connectors or {}, replays, periods)
        made = _assemble(ground, book, catalog, rules, work=work)
        rules.always_open, rules.files = settings.environment == "demo", bool(settings.web.public_url)
        await stack.enter_async_context(staffing_of(mongo, keyring, rules, business))
        if work:
            sequencer = sequencer_of(settings.privacy, mongo, keyring, KeyedIds(keyring), clock, made.registry)
            await stack.enter_async_context(sequencing(sequencer))
            await stack.enter_async_context(sweeping(made.sweeper, made.registry))
            await stack.enter_async_context(watching_deadlines(Deadlines(made.for_api.register, clock, made.registry)))
            await stack.enter_async_context(watching(settings.whatsapp, session, MongoChannelHealth(mongo), clock))
            loop = asyncio.create_task(made.worker.run())
            stack.push_async_callback(_stopped, made.worker, loop, settings.drain_seconds)
            if made.opting_in is not None:
                sign_ups = asyncio.create_task(made.opting_in.run())
                stack.push_async_callback(_ended, made.opting_in, sign_ups)
        web_port, admin_port = 0, 0
        if serve_web:
            routes = [
                *webhook_routes(settings.whatsapp, made.turns.accept),
                *notice_routes(rules.notices, _past(published)),
                *_opt_in_routes(ground, made, catalog, rules),
                *api_routes(door_of(made.for_api)),
                *download_routes(made.downloads, catalog.translate, _own_first(business)),
            ]
            pages = await _console(stack, ground, made, book, rules)
            web_port = await _listen(
                stack, routes, settings.web.host, settings.web.port, console=pages, shared=settings.web.share_port
            )
        if work or serve_web:
            admin_port = await _listen(
                stack, _admin_routes(mongo, made.registry, keys), settings.admin.host, settings.admin.port
            )
        logger.info("ready", extra={"port": web_port})
        yield Bot(
            business,
            book,
            mongo,
            made.turns,
            made.worker,
            made.people,
            keyring,
            clock,
            made.registry,
            web_port,
            admin_port,
            keys,
            made.copying.subjects,
            made.copying,
            catalog,
            published,
        )


@dataclass(frozen=True, slots=True)
class _Made:
    turns: Turns
    worker: Worker
    people: MongoPeople
    registry: Registry
    sweeper: MongoSweeper
    opting_in: OptingIn | None
    downloads: Downloads
    copying: Copying
    for_api: ForApi
    suppressions: MongoSuppressions


@dataclass(frozen=True, slots=True)
class _Ground:
    """What everything else stands on."""

    settings: Settings
    mongo: Mongo
    keyring: Keyring
    clock: SystemClock
    session: aiohttp.ClientSession
    addresses: Mapping[str, str]
    replays: Replays
    periods: Periods


def _assemble(ground: _Ground, book: Book, catalog: Catalog, rules: BusinessRules, *, work: bool) -> _Made:
    settings, mongo, keyring, clock, session = (
        ground.settings,
        ground.mongo,
        ground.keyring,
        ground.clock,
        ground.session,
    )
    business, ids = book.business, KeyedIds(ground.keyring)
    subjects = Subjects(mongo, keyring, clock)
    people = MongoPeople(mongo, subjects, keyring)
    registry = Registry()
    figures = Figures(registry)
    conversations = MongoConversations(mongo, subjects, told=figures.batches.observe)
    erasures = MongoErasures(mongo, subjects, keyring, ground.replays)
    lasts = ground.periods.lasts["objection"]
    suppressions = MongoSuppressions(mongo, keyring, clock, lasts=lasts, replays=ground.replays)
    sends = MongoSends(mongo, keyring, told=MongoTickets(mongo, subjects).fate_changed)
    desk = MongoDesk(mongo, subjects, country=business.country, zone=ZoneInfo(business.time_zone))
    others = receivers_of(
        business, session, settings.integrations.secrets, Standings(mongo, subjects), erasures, work=work
    )
    account = next(iter(settings.whatsapp.accounts), "")  # empty only where nothing is sent (`open_bot`)
    # The one guarded door out: the client is made here and handed to the outbox and to nobody else (architecture.md 6).
    graph = Graph(settings.whatsapp, session)
    channel = WhatsAppClient(graph, account)
    texts = Languages(catalog)
    if work:
        texts.warm()
    engine = Engine(book, texts, TypedValues(), rules)
    started = _Started()
    said_by_meta = MongoChannelHealth(mongo, remembered=2.0)
    opting_in = None
    if business.website is not None:
        words = ConfirmingWords(business, catalog)
        requests = MongoOptIns(mongo, keyring)
        needed = OptInParts(business, requests, conversations, people, suppressions, channel, ids, clock, words)
        opting_in = OptingIn(needed, figures=figures)
    law = "gdpr" if not business.country else business.country.lower()
    recorded = MongoLedger(
        mongo, subjects, jurisdiction=law, controller=business.controller.name,
        account=account, parties=parties_version(business),
    )  # fmt: skip
    ledger = ReplayedLedger(recorded, ground.replays)
    merging = Merging(MongoMerges(mongo, subjects, keyring), conversations, people, suppressions, ledger, ids, clock)
    turns = Turns(
        Parts(
            engine,
            conversations,
            people,
            suppressions,
            sends,
            desk,
            HeardWishes(business),
            ids,
            clock,
            opting_in,
            said_by_meta,
            merging,
        ),
        started if work else None,
        figures=figures,
    )
    erasing = Erasing(erasures, AllReceivers(ContactBook(graph, account), others), channel, business, ids, clock)
    connectors = HttpConnectors(business, session, settings.integrations.secrets, ground.addresses)
    copying = Copying(Copies(mongo, subjects, keyring), subjects, business, rules)
    files = MongoExports(mongo, subjects)
    receipts = Receipts(business, keyring, Standings(mongo, subjects), MongoLeaves(mongo))
    exports = ChatExports(copying, files, receipts, catalog, public_url=settings.web.public_url)
    hands = Hands(
        business,
        conversations,
        people,
        suppressions,
        sends,
        ledger,
        desk,
        connectors,
        others,
        exports,
        desk,
        channel,
        ids,
        clock,
        said_by_meta,
        TakenOver(
            MediaClient(settings.whatsapp, graph, session),
            MongoMedia(mongo, subjects),
            most=settings.whatsapp.media_most * 1024 * 1024,
        ),
    )
    outbox = Outbox(hands, turns, erasing, figures=figures)
    worker = Worker(conversations, erasures, turns, outbox, erasing, ids, clock, figures=figures)
    started.worker = worker
    sweeper = MongoSweeper(mongo, keyring, subjects, ground.replays, clock, ground.periods)
    for_api = ForApi(
        business, book, engine, mongo, keyring, clock, turns, outbox, conversations, people, subjects, suppressions, sends,
        MongoRegister(mongo, subjects, zone=ZoneInfo(business.time_zone)), opting_in, rules, catalog, copying,
    )  # fmt: skip
    return _Made(
        turns, worker, people, registry, sweeper, opting_in, Downloads(files, clock), copying, for_api, suppressions
    )


async def _console(
    stack: AsyncExitStack, ground: _Ground, made: _Made, book: Book, rules: BusinessRules
) -> web.Application | None:
    """The agents' console, where it is served."""
    settings, mongo, keyring = ground.settings, ground.mongo, ground.keyring
    if not settings.console.enabled:
        return None
    words = load_catalog(settings.project, offered=tuple(LANGUAGES), default="en")
    floor = console.Ground(
        mongo, keyring, made.copying.subjects, book.business, book, rules, Languages(words), made.turns, MongoSends(mongo, keyring),
        made.suppressions, KeyedIds(keyring), ground.clock,
    )  # fmt: skip
    site = ConsoleSite(settings.web.public_url, settings.environment == "demo", settings.web.proxies)
    parts = console.parts_of(floor, settings.console, site)
    return await stack.enter_async_context(console.opened_console(parts))


def _opt_in_routes(ground: _Ground, made: _Made, catalog: Catalog, rules: BusinessRules) -> list[web.RouteDef]:
    """The website's form, where business.yaml has one."""
    if made.opting_in is None:
        return []
    business, settings = rules.business, ground.settings.web
    texts = Languages(catalog)
    sign_ups = WebsiteSignUps(made.opting_in, MongoPace(ground.mongo, ground.keyring), ground.keyring, ground.clock)
    names = {tag: texts.name(tag) for tag in business.languages}
    site = Site(settings.public_url, settings.sites, settings.proxies, names)
    forms = forms_of(business, rules, catalog, public_url=settings.public_url)
    return OptInPages(forms, business.language, sign_ups, site).routes()


def _own_first(business: Business) -> list[str]:
    return [business.language, *(tag for tag in business.languages if tag != business.language)]


class _Started:
    """Turns tell the worker what they committed; the worker needs the turns. This breaks the ring."""

    worker: Worker | None = None

    def __call__(self, stored: Stored, lease: Lease) -> None:
        if self.worker is not None:
            self.worker.started(stored, lease)


async def _ended(opting_in: OptingIn, loop: "asyncio.Task[None]") -> None:
    opting_in.stop()
    await asyncio.gather(loop, return_exceptions=True)


async def _stopped(worker: Worker, loop: "asyncio.Task[None]", within: float) -> None:
    await worker.stop(within)
    await asyncio.gather(loop, return_exceptions=True)


def _past(published: Published) -> Past:
    async def past(hash_: str) -> Notice | None:
        row = await published.find_text(hash_)
        if row is None or row["kind"] != "notice":
            return None
        try:
            return from_content(row["content"], hash_)
        except RecadoError:
            return None

    return past


async def _listen(
    stack: AsyncExitStack,
    routes: list[web.RouteDef],
    host: str,
    port: int,
    *,
    console: web.Application | None = None,
    shared: bool = False,
) -> int:
    """Serves routes until the stack is left; returns the port, which may have been chosen by the system."""
    application = web.Application(client_max_size=4 * 1024 * 1024)
    application.on_response_prepare.append(_unnamed)
    application.add_routes(routes)
    if console is not None:
        application.add_subapp("/console/", console)
    runner = web.AppRunner(application, access_log=None, handle_signals=False)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    site = web.TCPSite(runner, host, port, reuse_port=shared or None)
    try:
        await site.start()
    except OSError:
        raise SettingsProblem(
            f"Port {port} on {host} is taken; set RECADO_WEB__PORT or RECADO_ADMIN__PORT to another."
        ) from None
    return int(runner.addresses[0][1])


async def _unnamed(_: web.Request, response: web.StreamResponse) -> None:
    """Which program in which version answers is nobody's business (OWASP ASVS: no disclosure of versions)."""
    response.headers.pop("Server", None)


def _admin_routes(mongo: Mongo, registry: Registry, keys: KeyFollower) -> list[web.RouteDef]:
    """Liveness, readiness and metrics, for operators only."""

    async def alive(_: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def ready(_: web.Request) -> web.Response:
        found = await health.look({"database": lambda: _answers(mongo), "keys": keys.answers})
        return web.json_response(found.plain(), status=found.status)

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(text=registry.text(), headers={"Content-Type": "text/plain; version=0.0.4"})

    return [web.get("/healthz", alive), web.get("/readyz", ready), web.get("/metrics", metrics)]


async def _answers(mongo: Mongo) -> str:
    await mongo.ping()
    return ""


def quiet_loop() -> None:
    """Makes the running loop report forgotten exceptions without their text."""
    asyncio.get_running_loop().set_exception_handler(logs.loop_exception_handler)


def address_of(text: str) -> Address | None:
    """The address that somebody typed: a number with + and country code, or a WhatsApp user id; None for anything else."""
    typed = text.strip()
    try:
        return Address(bsuid=Bsuid(typed)) if typed[2:3] == "." else Address(canonical(typed))
    except BadNumber:
        return None


async def queue_template(
    bot: Bot, purpose: str, template: str, recipient: str, values: tuple[str, ...]
) -> tuple[bool, str]:
    """Puts a template into the conversation of a known person: (queued?, in words). Whether it goes out is the gate's to say.

    Nobody is made known by this: whoever never wrote and never signed up cannot be sent anything (GDPR art. 6).
    """
    declared = bot.business.templates.get(template)
    if declared is None or purpose not in bot.business.purposes:
        known = ", ".join(sorted(bot.business.templates)) or "none"
        return False, f"There is no such template or purpose in business.yaml; templates: {known}."
    if declared.purpose != purpose:
        return False, f"The template {template} belongs to the purpose {declared.purpose}."
    address = address_of(recipient)
    if address is None:
        return False, "That is neither a number with + and country code nor a WhatsApp user id."
    person = await bot.find(address)
    if person is None:
        return False, "Nobody with this number or id is known; nothing was queued."
    event = SendRequested(bot.keyring.event_id(f"send:{random_token()}"), bot.clock.now(), purpose, template, values)
    await bot.turns.submit(person, event)
    return True, "Queued. The gate decides whether it goes out; a refusal is kept on record with its reason."
