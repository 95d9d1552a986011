"""Puts the parts together: one `Bot` for `serve`, for `demo` and for tests that want the whole."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import aiohttp
from aiohttp import web

from bot.api.routes import api_routes
from bot.app import console
from bot.app.api import ForApi, door_of
from bot.app.console import staffing_of
from bot.app.exporting import ChatExports, Copying, Downloads
from bot.app.ground import Ground, HeardWishes, KeyedIds, SystemClock
from bot.app.keeping import KeyFollower, following, periods_of, refuse_unfit, replays_of, sweeping, watching_deadlines
from bot.app.media import TakenOver
from bot.app.project import load_catalog
from bot.app.publishing import publish
from bot.app.receipting import Receipts
from bot.app.receivers import AllReceivers
from bot.app.reloading import FlowFollower, following_flows
from bot.app.rules import BusinessRules
from bot.app.sequencing import sequencer_of, sequencing
from bot.app.sign_ups import ConfirmingWords, WebsiteSignUps, forms_of
from bot.app.sites import admin_routes, listen
from bot.app.telling import receivers_of
from bot.app.templates import watching
from bot.console.parts import LANGUAGES
from bot.console.parts import Site as ConsoleSite
from bot.domain.business import Business
from bot.domain.errors import RecadoError, SettingsProblem
from bot.domain.ids import Address, PersonId
from bot.engine.advance import Engine
from bot.engine.book import Book
from bot.i18n.catalog import Catalog
from bot.i18n.formatting import Languages
from bot.i18n.values import TypedValues
from bot.integrations.connectors import HttpConnectors
from bot.observability import logs
from bot.observability.metrics import Registry
from bot.privacy.keyring import Keyring
from bot.privacy.ledger.parties import parties_version
from bot.privacy.notice import Notice, from_content
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
from bot.storage.replays import ReplayedLedger
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
    flows: FlowFollower

    def look(self) -> None:
        """Takes in rotated keys now, and changed flows at once (SIGHUP)."""
        self.keys.look()
        self.flows.look_soon()

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
        ground = Ground(settings, mongo, keyring, clock, session, connectors or {}, replays, periods)
        made = _assemble(ground, book, catalog, rules, work=work)
        rules.always_open, rules.files = settings.environment == "demo", bool(settings.web.public_url)
        await stack.enter_async_context(staffing_of(mongo, keyring, rules, business))
        if work:
            await _work(stack, ground, made)
        flows = _flows_of(ground, made, published)
        if work or serve_web:
            await stack.enter_async_context(following_flows(flows))
        web_port, admin_port = 0, 0
        if serve_web:
            web_port = await _serve(stack, ground, made, book, published)
        if work or serve_web:
            routes, admin = admin_routes(mongo, made.registry, keys), settings.admin
            admin_port = await listen(stack, routes, admin.host, admin.port, within=settings.drain_seconds)
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
            flows,
        )


def _flows_of(ground: Ground, made: "_Made", published: Published) -> FlowFollower:
    settings, engine = ground.settings, made.for_api.engine
    every = settings.flows_read_every
    return FlowFollower(settings.project, engine, published, ground.clock, made.registry, every)


async def _work(stack: AsyncExitStack, ground: Ground, made: "_Made") -> None:
    """Everything that goes on by itself, until the stack is left."""
    settings, mongo, clock = ground.settings, ground.mongo, ground.clock
    ids = KeyedIds(ground.keyring)
    sequencer = sequencer_of(settings.privacy, mongo, ground.keyring, ids, clock, made.registry)
    await stack.enter_async_context(sequencing(sequencer))
    await stack.enter_async_context(sweeping(made.sweeper, made.registry))
    await stack.enter_async_context(watching_deadlines(Deadlines(made.for_api.register, clock, made.registry)))
    await stack.enter_async_context(watching(settings.whatsapp, ground.session, MongoChannelHealth(mongo), clock))
    loop = asyncio.create_task(made.worker.run())
    stack.push_async_callback(_stopped, made.worker, loop, settings.drain_seconds)
    if made.opting_in is not None:
        sign_ups = asyncio.create_task(made.opting_in.run())
        stack.push_async_callback(_ended, made.opting_in, sign_ups)


async def _serve(stack: AsyncExitStack, ground: Ground, made: "_Made", book: Book, published: Published) -> int:
    """The public site with the console below it; returns its port."""
    settings, business, catalog, rules = ground.settings, book.business, made.for_api.catalog, made.for_api.rules
    routes = [
        *webhook_routes(settings.whatsapp, made.turns.accept),
        *notice_routes(rules.notices, _past(published)),
        *_opt_in_routes(ground, made, catalog, rules),
        *api_routes(door_of(made.for_api)),
        *download_routes(made.downloads, catalog.translate, _own_first(business)),
    ]
    pages = await _console(stack, ground, made, book, rules)
    at = settings.web
    return await listen(
        stack, routes, at.host, at.port, console=pages, shared=at.share_port, within=settings.drain_seconds
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


class _Stores:
    """What is kept where, each behind its port of the runtime."""

    def __init__(self, ground: Ground, business: Business, figures: Figures, account: str) -> None:
        mongo, keyring, clock, zone = ground.mongo, ground.keyring, ground.clock, ZoneInfo(business.time_zone)
        self.subjects = subjects = Subjects(mongo, keyring, clock)
        self.people = MongoPeople(mongo, subjects, keyring)
        self.conversations = MongoConversations(mongo, subjects, told=figures.batches.observe)
        self.erasures = MongoErasures(mongo, subjects, keyring, ground.replays)
        lasts = ground.periods.lasts["objection"]
        self.suppressions = MongoSuppressions(mongo, keyring, clock, lasts=lasts, replays=ground.replays)
        self.sends = MongoSends(mongo, keyring, told=MongoTickets(mongo, subjects).fate_changed)
        self.desk = MongoDesk(mongo, subjects, country=business.country, zone=zone)
        self.register = MongoRegister(mongo, subjects, zone=zone)
        self.merges = MongoMerges(mongo, subjects, keyring)
        self.files = MongoExports(mongo, subjects)
        self.media = MongoMedia(mongo, subjects)
        self.health = MongoChannelHealth(mongo, remembered=2.0)
        self.standings = Standings(mongo, subjects)
        law = "gdpr" if not business.country else business.country.lower()
        recorded = MongoLedger(
            mongo, subjects, jurisdiction=law, controller=business.controller.name,
            account=account, parties=parties_version(business),
        )  # fmt: skip
        self.ledger = ReplayedLedger(recorded, ground.replays)


class _Outside:
    """Whoever is spoken to over the network."""

    def __init__(self, ground: Ground, business: Business, stores: _Stores, account: str, *, work: bool) -> None:
        settings, session = ground.settings, ground.session
        secrets = settings.integrations.secrets
        # The one guarded door out: the client is made here and handed to the outbox and to nobody else (architecture.md 6).
        graph = Graph(settings.whatsapp, session)
        self.channel = WhatsAppClient(graph, account)
        self.receivers = receivers_of(business, session, secrets, stores.standings, stores.erasures, work=work)
        self.connectors = HttpConnectors(business, session, secrets, ground.addresses)
        self.contact_book = ContactBook(graph, account)
        most = settings.whatsapp.media_most * 1024 * 1024
        self.media = TakenOver(MediaClient(settings.whatsapp, graph, session), stores.media, most=most)


def _assemble(ground: Ground, book: Book, catalog: Catalog, rules: BusinessRules, *, work: bool) -> _Made:
    keyring, clock, business, ids = ground.keyring, ground.clock, book.business, KeyedIds(ground.keyring)
    registry = Registry()
    figures = Figures(registry)
    account = next(iter(ground.settings.whatsapp.accounts), "")  # empty only where nothing is sent (`open_bot`)
    at = _Stores(ground, business, figures, account)
    out = _Outside(ground, business, at, account, work=work)
    texts = Languages(catalog)
    wishes = HeardWishes(business)
    if work:
        texts.warm()
        wishes.warm()
    engine = Engine(book, texts, TypedValues(), rules)
    opting_in = _opting_in(ground, business, catalog, at, out, figures)
    merging = Merging(at.merges, at.conversations, at.people, at.suppressions, at.ledger, ids, clock)
    started = _Started()
    parts = Parts(
        engine, at.conversations, at.people, at.suppressions, at.sends, at.desk, wishes, ids, clock,
        opting_in, at.health, merging,
    )  # fmt: skip
    turns = Turns(parts, started if work else None, figures=figures)
    everybody = AllReceivers(out.contact_book, out.receivers)
    erasing = Erasing(at.erasures, everybody, out.channel, business, ids, clock)
    receipts = Receipts(business, keyring, at.standings, MongoLeaves(ground.mongo))
    copying = Copying(Copies(ground.mongo, at.subjects, keyring), at.subjects, business, rules, receipts)
    exports = ChatExports(copying, at.files, catalog, public_url=ground.settings.web.public_url)
    hands = Hands(
        business, at.conversations, at.people, at.suppressions, at.sends, at.ledger, at.desk, out.connectors,
        out.receivers, exports, at.desk, out.channel, ids, clock, at.health, out.media,
    )  # fmt: skip
    outbox = Outbox(hands, turns, erasing, figures=figures)
    worker = Worker(at.conversations, at.erasures, turns, outbox, erasing, ids, clock, figures=figures)
    started.worker = worker
    sweeper = MongoSweeper(ground.mongo, keyring, at.subjects, ground.replays, clock, ground.periods)
    for_api = ForApi(
        business, engine, ground.mongo, keyring, clock, turns, outbox, at.conversations, at.people, at.subjects,
        at.suppressions, at.sends, at.register, opting_in, rules, catalog, copying,
    )  # fmt: skip
    downloads = Downloads(at.files, clock)
    return _Made(
        turns, worker, at.people, registry, sweeper, opting_in, downloads, copying, for_api, at.suppressions
    )  # fmt: skip


def _opting_in(
    ground: Ground, business: Business, catalog: Catalog, at: _Stores, out: _Outside, figures: Figures
) -> OptingIn | None:
    """The website's half, where business.yaml has one."""
    if business.website is None:
        return None
    requests, words = MongoOptIns(ground.mongo, ground.keyring), ConfirmingWords(business, catalog)
    ids = KeyedIds(ground.keyring)
    needed = OptInParts(
        business, requests, at.conversations, at.people, at.suppressions, out.channel, ids, ground.clock, words
    )
    return OptingIn(needed, figures=figures)


async def _console(
    stack: AsyncExitStack, ground: Ground, made: _Made, book: Book, rules: BusinessRules
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


def _opt_in_routes(ground: Ground, made: _Made, catalog: Catalog, rules: BusinessRules) -> list[web.RouteDef]:
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


def quiet_loop() -> None:
    """Makes the running loop report forgotten exceptions without their text."""
    asyncio.get_running_loop().set_exception_handler(logs.loop_exception_handler)
