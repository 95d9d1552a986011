"""What one process holds of the storage, and invented people, turns and commands to store."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bot.domain.command import (
    Call,
    CloseTicket,
    Command,
    Erase,
    Export,
    FetchMedia,
    MarkRead,
    Notify,
    OpenRequest,
    OpenTicket,
    RecordConsent,
    Send,
    Suppress,
    Transcribe,
)
from bot.domain.consent import Consent
from bot.domain.conversation import Conversation, Frame, HeldWords, Timer
from bot.domain.errors import RetryLater
from bot.domain.ids import Address, Bsuid, CommandId, EventId, PersonId, PhoneNumber, Wamid, Words, command_id
from bot.domain.message import ButtonsMessage, Option, TextMessage
from bot.domain.opt_in import OptInRequest
from bot.handoff.values import Looked
from bot.privacy.keyring import Keyring
from bot.privacy.policy import Limit
from bot.runtime.ports import Commit, DeadLetter, Lease, Stored
from bot.storage.access_log import MongoAccessLog
from bot.storage.conversations import MongoConversations
from bot.storage.copies import Copies
from bot.storage.desk import MongoDesk
from bot.storage.desks import MongoDesks
from bot.storage.erasures import MongoErasures
from bot.storage.ledger import MongoLedger
from bot.storage.mongo import Mongo
from bot.storage.opt_ins import MongoOptIns, MongoPace
from bot.storage.people import MongoPeople
from bot.storage.published import Published
from bot.storage.sends import MongoSends
from bot.storage.settings import StorageSettings
from bot.storage.subjects import Subjects
from bot.storage.suppressions import MongoSuppressions
from bot.storage.tickets import MongoTickets

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)

NUMBER, BSUID, NAME = "+15550100188", "US.13491208655302741918", "Anabela Exemplo"
TYPED, SHOWN = "my parcel number is 4711 please", "Shall we send you our newsletter?"
WAMID = "wamid.HBgLMTU1NTAxMDAxODgVAgARGBI5QTNDQTVCM0Q0Q0Q2RTY3RTcA"
SECRETS = (NUMBER, NUMBER[1:], BSUID, NAME, TYPED, SHOWN, WAMID)
ADDRESS = Address(PhoneNumber(NUMBER), Bsuid(BSUID))


class Ticking:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.time = NOW

    def now(self) -> datetime:
        return self.time


def settings_of(uri: str, database: str, **changes: Any) -> StorageSettings:
    return StorageSettings(uri=uri, database=database, vault_database=f"{database}_vault", **changes)


class Fuse:
    """Lets so many operations through; the next one is lost on its way, or only its answer is."""

    def __init__(self) -> None:
        self.left: int | None = None
        self.arrives = False

    async def carry(self, operation: Callable[[], Awaitable[Any]]) -> Any:
        blows = self.left == 0
        if self.left is not None:
            self.left -= 1
        if blows and not self.arrives:
            raise RetryLater("cut off before it arrived")
        try:
            return await operation()
        finally:
            if blows:
                raise RetryLater("cut off before the answer")


class Fused:
    """A database or collection whose single operations go through a fuse."""

    def __init__(self, real: Any, fuse: Fuse) -> None:
        self._real = real
        self._fuse = fuse

    def __getitem__(self, name: str) -> "Fused":
        return Fused(self._real[name], self._fuse)

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._real, name)
        if not name.startswith(("insert_", "update_", "delete_", "find_one")):
            return real
        return lambda *args, **kwargs: self._fuse.carry(lambda: real(*args, **kwargs))


class Shelf:
    """All repositories on connections and caches of their own."""

    def __init__(self, settings: StorageSettings, keyring: Keyring, clock: Ticking, fuse: Fuse | None = None) -> None:
        self.mongo = Mongo(settings)
        if fuse is not None:
            self.mongo.main, self.mongo.vault = Fused(self.mongo.main, fuse), Fused(self.mongo.vault, fuse)
        self.clock = clock
        self.keyring = keyring
        self.subjects = Subjects(self.mongo, keyring, clock)
        self.people = MongoPeople(self.mongo, self.subjects, keyring)
        self.conversations = MongoConversations(self.mongo, self.subjects)
        self.suppressions = MongoSuppressions(self.mongo, keyring, clock)
        self.sends = MongoSends(self.mongo, keyring)
        self.ledger = MongoLedger(self.mongo, self.subjects, jurisdiction="gdpr", controller="Casa Exemplo Lda.")
        self.desk = MongoDesk(self.mongo, self.subjects, country="PT", zone=ZoneInfo("Europe/Lisbon"))
        self.erasures = MongoErasures(self.mongo, self.subjects, keyring)
        self.copies = Copies(self.mongo, self.subjects, keyring)
        self.published = Published(self.mongo)
        self.opt_ins = MongoOptIns(self.mongo, keyring)
        self.pace = MongoPace(self.mongo, keyring)

    async def rows(self, collection: str) -> list[dict[str, Any]]:
        """The raw documents of a collection of either database."""
        return [row async for name, row in self.mongo.scan() if name == collection]

    async def somebody(self, address: Address = ADDRESS) -> PersonId:
        return await self.people.admit(address, self.clock.now())

    async def begun(self, person: PersonId, *commands: Command, **facts: Any) -> Stored:
        """A first turn of a person who is known."""
        first = Conversation(person, version=1, created_at=NOW, **facts)
        stored = await self.conversations.commit(turn(None, first, *commands, events=(event(1),)))
        assert stored is not None
        return stored


def event(number: int) -> EventId:
    return EventId(f"{number:024x}")


def turn(
    before: Stored | None, after: Conversation, *commands: Command, events: tuple[EventId, ...] = (), lease: Lease | None = None,
    due: datetime | None = None, now: datetime = NOW,
) -> Commit:  # fmt: skip
    return Commit(before, after, commands, events, lease, due, now)


def following(before: Stored, **changes: Any) -> Conversation:
    """The conversation one turn later."""
    conversation = before.conversation
    return replace(conversation, version=conversation.version + 1, **changes)


def send(person: PersonId, version: int = 1, position: int = 0, **changes: Any) -> Send:
    facts: dict[str, Any] = {"reason": "answer", "message": TextMessage(TYPED)} | changes
    return Send(command_id(person, version, position), **facts)


def lease(token: str = "a" * 32, *, until: datetime = NOW + 30 * SECOND) -> Lease:
    return Lease(token, until)


def everything(person: PersonId) -> Conversation:
    """A conversation in which every field says something."""
    return Conversation(
        person, version=1, standing=3, created_at=NOW, last_inbound_at=NOW, language="pt", language_chosen=True, country="PT",
        talk="active", owner="queue", stopped={"marketing": NOW, "newsletter": NOW}, stop_confirmed_at=NOW, restricted=True,
        paused_until=NOW, window_until=NOW + DAY,
        consents={"newsletter": Consent("given", NOW, "r1", NOW, NOW, CommandId("e" * 32), "n" * 32, "h" * 32)},
        notice="n" * 32, notice_at=NOW, recorded_at=NOW,
        frames=(Frame("order_status", "v" * 32, "ask", "q1", NOW, 2, "w1", {"again": 1}), Frame("inner", "w" * 32, "say")),
        timers=(Timer("t1", "idle", NOW + DAY, 0, "ask", "q1"),), ticket="k" * 32, misunderstood=1,
        slots=({"order": TYPED, "name": NAME}, {}), held=HeldWords(Words(TYPED), event(9), Wamid(WAMID), NOW + DAY),
    )  # fmt: skip


def commands(person: PersonId) -> tuple[Command, ...]:
    """One command of every kind, with all that it may say."""
    ids = [command_id(person, 1, position) for position in range(11)]
    message = ButtonsMessage(SHOWN, (Option("y", "Yes"), Option("n", "No")), "foot")
    return (
        Send(ids[0], "business", message, "newsletter", "marketing", ids[1], NOW + DAY, NOW + 2 * DAY),
        consent_event(ids[1]),
        Call(ids[2], "shop.order", {"number": TYPED}, ("status",), timedelta(seconds=4), 2, f"order {TYPED}"),
        OpenTicket(ids[3], "k" * 32, "desk", "pt", True, "order_status", "ask", TYPED, {"name": NAME}),
        CloseTicket(ids[4], "k" * 32, "resolved"),
        Notify(ids[5], "consent.given", "newsletter", NOW),
        OpenRequest(ids[6], "access", NOW, "open", "pt", TYPED),
        Export(ids[7], "show", "pt"),
        Erase(ids[8], NOW, "pt", TextMessage(SHOWN)),
        MarkRead(ids[9], Wamid(WAMID)),
        FetchMedia(ids[10], "image", TYPED, SHOWN),
    )


def consent_event(command: CommandId) -> RecordConsent:
    return RecordConsent(
        command, "consent_given", NOW, "newsletter", "given", "newsletter", "consent", "explicit", "h" * 32, "r1", "confirm",
        NOW + DAY, "n" * 32, "pt", "monthly", "newsletter", "v" * 32, "tap", "rule", "1", "yes", "whatsapp", "keyword", NOW, NOW + DAY,
        "subject", CommandId("f" * 32), SHOWN, TYPED, "option-1", Wamid(WAMID), Wamid(WAMID),
    )  # fmt: skip


async def whole_life(shelf: Shelf, address: Address = ADDRESS) -> PersonId:
    """Somebody of whom there is a row in every collection that the bot writes so far."""
    person = await shelf.somebody(address)
    change = turn(None, everything(person), *commands(person), events=(event(1), event(2)), lease=lease(), due=NOW)
    assert await shelf.conversations.commit(change) is not None
    recorded = CommandId(command_id(person, 0, 0))
    await shelf.ledger.record(person, consent_event(recorded), NOW)
    await shelf.suppressions.suppress(address, [Suppress("newsletter", NOW, "keyword")])
    callback = command_id(person, 0, 1)
    out = send(person, purpose="newsletter", category="marketing", reason="business")
    await shelf.sends.start(callback, person, out, NOW)
    await shelf.sends.accepted(callback, Wamid(WAMID), NOW)
    for status in ("sent", "delivered", "read", "failed"):
        await shelf.sends.status(callback, Wamid(""), status, NOW, 131047, "marketing")
    await shelf.sends.refused(person, out, "stopped", NOW)
    ticket = command_id(person, 0, 2)
    await shelf.desk.open_ticket(
        person, OpenTicket(ticket, ticket, "desk", "pt", True, "order_status", "ask", TYPED, {"name": NAME}), NOW
    )
    await talked_to(shelf, person, ticket)
    await shelf.desk.close_ticket(person, CloseTicket(ticket, ticket, "resolved"), NOW)
    asked = command_id(person, 0, 3)
    await shelf.desk.open_request(person, OpenRequest(asked, "erase", NOW, "open", "pt", TYPED), NOW)
    await shelf.desk.put(DeadLetter(person, "command", "Send", "meta_131000", out), NOW)
    pages = {"_id": f"{person}:0", "person": person, "ids": [bytes(12)], "expires": NOW + DAY}
    await shelf.mongo.collection("seen_pages").insert_one(pages)
    await signed_up(shelf, address)
    return person


async def talked_to(shelf: Shelf, person: PersonId, ticket: str) -> None:
    """Somebody of ours had the chat: lines, a note, a draft, and who looked."""
    line = Transcribe(command_id(person, 0, 4), ticket, "in", NOW, "text", words=TYPED)
    await shelf.desk.transcribe(person, line, NOW)
    desks, chat = MongoDesks(shelf.mongo, shelf.subjects), await MongoTickets(shelf.mongo, shelf.subjects).find(ticket)
    assert chat is not None
    await desks.note(chat, "maria", TYPED, NOW)
    await desks.draft(chat, "maria", "reply", TYPED, NOW)
    await desks.log(Looked(NOW, "maria", "chat.read", person, ticket, "the chat is mine"))
    subject = await shelf.subjects.find(person)
    assert subject is not None
    access = MongoAccessLog(shelf.mongo)
    await access.note(by="0a1b2c3d", name="crm", what="consents", why="support", subject=subject.ref, now=NOW)


def opt_in(number: int = 1, **changes: Any) -> OptInRequest:
    """What the website's form made of a ticked box."""
    facts: dict[str, Any] = {
        "id": f"{number:032x}", "purpose": "newsletter", "language": "pt", "asked_at": NOW, "expires": NOW + 2 * DAY,
        "source": "website", "form_version": "f" * 32, "notice_hash": "n" * 32, "purpose_hash": "h" * 32, "wording": SHOWN,
        "label": SHOWN,
    } | changes  # fmt: skip
    return OptInRequest(**facts)


async def signed_up(shelf: Shelf, address: Address = ADDRESS, request: OptInRequest | None = None) -> OptInRequest:
    """A request of the website whose confirming message went out; its message is known as event 7."""
    request = request or opt_in()
    phone = address.phone
    if phone is None:
        return request
    await shelf.opt_ins.ask(request, phone, shelf.clock.now())
    held = lease()
    for work in await shelf.opt_ins.take(held, shelf.clock.now()):
        if await shelf.opt_ins.claim(work, held.token, 3, "confirm/pt", SHOWN, shelf.clock.now()):
            await shelf.opt_ins.sent(work.request.id, event(7))
    await shelf.pace.within("client", "192.0.2.7", Limit(9, DAY), shelf.clock.now())
    return request
