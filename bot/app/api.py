"""Fills the API's port `Operations` with what the chat and the commands call too, and opens its door on the public listener.

Every change is an event of the person under a name made of the request's `Idempotency-Key`: played once, whoever repeats it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.api import bodies
from bot.api.problems import Problem, wrong
from bot.api.routes import Door
from bot.app.exporting import Copying, file_of
from bot.app.rules import BusinessRules
from bot.domain.business import Business, purpose_hash
from bot.domain.command import Send, Suppress
from bot.domain.errors import IllegalMove
from bot.domain.event import Event, FlowRequested, RightExercised, SendRequested
from bot.domain.ids import Address, Bsuid, EventId, PersonId, own_command_id
from bot.domain.message import TextMessage
from bot.domain.opt_in import OptInRequest
from bot.domain.template_text import values_of
from bot.engine.advance import Engine
from bot.i18n.catalog import Catalog
from bot.privacy.keyring import Keyring
from bot.privacy.notice import text_hash
from bot.privacy.numbers import BadNumber, canonical
from bot.privacy.policy import Limit, Refused
from bot.privacy.requests import CLOSED
from bot.runtime.opting_in import OptingIn
from bot.runtime.outbox import Outbox
from bot.runtime.ports import Clock, Stored
from bot.runtime.turn import Turns
from bot.storage.access_log import MongoAccessLog
from bot.storage.api_answers import MongoAnswers
from bot.storage.api_keys import MongoApiKeys
from bot.storage.conversations import MongoConversations
from bot.storage.mongo import Mongo
from bot.storage.opt_ins import MongoPace
from bot.storage.people import MongoPeople
from bot.storage.register import MongoRegister, Request
from bot.storage.sends import MongoSends
from bot.storage.subjects import Subjects
from bot.storage.suppressions import MongoSuppressions

PER_KEY = Limit(600, timedelta(minutes=1))
"""Requests of one key: a shop at its busiest, and little for somebody who tries numbers."""

_INPUTS: dict[str, type | tuple[type, ...]] = {
    "text": str, "long_text": str, "choice": str, "number": (int, float), "whole_number": int, "yes_no": bool,
}  # fmt: skip
"""What JSON can say of a flow's inputs; others are asked of the person."""


LONGEST_AGO = timedelta(days=3 * 366)
"""Older requests are past what the register keeps, so the day is a slip."""

_KINDS = {"unrestrict": "restrict"}
"""Rights that the register calls otherwise."""


@dataclass(frozen=True, slots=True)
class ForApi:
    """The services of the composed bot that the API calls."""

    business: Business
    engine: Engine
    mongo: Mongo
    keyring: Keyring
    clock: Clock
    turns: Turns
    outbox: Outbox
    conversations: MongoConversations
    people: MongoPeople
    subjects: Subjects
    suppressions: MongoSuppressions
    sends: MongoSends
    register: MongoRegister
    opting_in: OptingIn | None
    rules: BusinessRules
    catalog: Catalog
    copying: Copying


class KeyPace:
    """Fills the API's port `Pace`."""

    def __init__(self, pace: MongoPace, clock: Clock) -> None:
        self._pace = pace
        self._clock = clock

    async def within(self, key_id: str) -> bool:
        return await self._pace.within("api", key_id, PER_KEY, self._clock.now())


def door_of(parts: ForApi) -> Door:
    """The door of an installation, for `api_routes`."""
    pace = KeyPace(MongoPace(parts.mongo, parts.keyring), parts.clock)
    keys, answers, log = MongoApiKeys(parts.mongo), MongoAnswers(parts.mongo), MongoAccessLog(parts.mongo)
    return Door(BusinessOperations(parts), keys, answers, log, parts.keyring, pace, parts.clock)


@dataclass(frozen=True, slots=True)
class BusinessOperations:
    """The API's `Operations`."""

    parts: ForApi

    # -- who ---------------------------------------------------------------------------------------------------------------

    async def reference(self, who: bodies.Who) -> str:
        person = await self._person(who)
        await self._language(person)
        return await self._reference_of(person)

    async def _person(self, who: bodies.Who) -> PersonId:
        person = await self._known(who)
        if person is None:
            raise Problem("no_person")
        return person

    async def _known(self, who: bodies.Who) -> PersonId | None:
        if who.subject is not None:
            return await self.parts.subjects.by_reference(who.subject)
        return await self.parts.people.recognise(_address(who.address or ""), self.parts.clock.now())

    async def _stored(self, person: PersonId) -> Stored:
        """A person who is being erased is nobody already (decisions.md 16)."""
        stored = await self.parts.conversations.find(person)
        if stored is None or stored.conversation.erasing:
            raise Problem("no_person")
        return stored

    async def _language(self, person: PersonId) -> str:
        """The person's language, or the business's where only the proof of a consent is left of them (retention)."""
        stored = await self.parts.conversations.find(person)
        if stored is None:
            return self.parts.business.language
        if stored.conversation.erasing:
            raise Problem("no_person")
        return stored.conversation.language

    async def _submit(self, person: PersonId, event: Event) -> None:
        if not await self.parts.turns.submit(person, event):
            raise Problem("no_person")

    def _event(self, once: str) -> EventId:
        return self.parts.keyring.event_id(f"api:{once}")

    # -- consents ----------------------------------------------------------------------------------------------------------

    async def consents(self, subject: str) -> bodies.Consents:
        person = await self.parts.subjects.by_reference(subject)
        if person is None:
            raise Problem("no_person")
        conversation, now = (await self._stored(person)).conversation, self.parts.clock.now()
        standings = []
        for name in sorted(self.parts.business.purposes):
            one = conversation.consent(name)
            over = one.state == "given" and not one.is_live(
                now
            )  # its time is over, and no turn has put that on record yet
            standings.append(
                bodies.Standing(
                    purpose=name, state="expired" if over else one.state, since=one.since, valid_until=one.valid_until,
                    proof=one.event,
                )
            )  # fmt: skip
        return bodies.Consents(
            subject=subject,
            purposes=standings,
            stopped=sorted(conversation.stopped),
            restricted=conversation.restricted,
        )

    async def opt_in(self, asked: bodies.OptIn, once: str) -> None:
        parts, declared = self.parts, self.parts.business.website
        if declared is None or parts.opting_in is None:
            raise Problem("not_offered", detail="business.yaml has no `website` with a confirming template.")
        if asked.language not in parts.rules.notices:
            raise wrong("language", f"is not offered; there are {', '.join(sorted(parts.rules.notices))}")
        unknown = [index for index, name in enumerate(asked.purposes) if name not in declared.purposes]
        if unknown or len(set(asked.purposes)) != len(asked.purposes):
            where = f"purposes.{unknown[0]}" if unknown else "purposes"
            raise wrong(where, f"must be purposes of the website, each once: {', '.join(declared.purposes)}")
        address = _address(asked.number)
        if address.phone is None:
            raise wrong("number", "must be a number with + and country code")
        now, notice = parts.clock.now(), parts.rules.notices[asked.language]
        await parts.opting_in.ask(
            [
                OptInRequest(
                    parts.keyring.opt_in_id(once, address.phone, name), name, asked.language, now,
                    now + parts.business.purposes[name].confirm_within, f"api {asked.page}", text_hash(asked.wording), notice.hash,
                    purpose_hash(parts.business.purposes[name]), wording=asked.wording, label=asked.label,
                )
                for name in asked.purposes
            ],
            address.phone,
        )  # fmt: skip

    async def withdraw(self, asked: bodies.Withdrawal, once: str) -> None:
        parts, now = self.parts, self.parts.clock.now()
        self._scope(asked.scope)
        person = await self._known(asked)
        if person is not None:
            event = RightExercised(self._event(once), now, "withdraw", now, asked.scope)
            if await parts.turns.submit(person, event):
                return
        if asked.address is None:
            raise Problem("no_person")
        # Nobody is made known by it, and it holds all the same (GDPR art. 21(3)); as with Meta's own switch.
        address = _address(asked.address)
        await parts.suppressions.suppress(address, [Suppress(asked.scope, now, "operator")])
        if parts.opting_in is not None:
            await parts.opting_in.stopped(address)

    def _scope(self, scope: str) -> None:
        scopes = ("all", "marketing", *sorted(self.parts.business.purposes))
        if scope not in scopes:
            raise wrong("scope", f"is none; there are {', '.join(scopes)}")

    # -- messages and flows --------------------------------------------------------------------------------------------------

    async def send(self, asked: bodies.Message, once: str) -> bodies.Queued:
        parts = self.parts
        self._declared(asked)
        person = await self._person(asked)
        stored = await self._stored(person)
        event = SendRequested(
            self._event(once),
            parts.clock.now(),
            asked.purpose,
            asked.template or "",
            tuple(asked.values),
            asked.text or "",
        )
        own = own_command_id(person, event.id)
        if event.id not in stored.seen:
            made = parts.engine.advance(stored.conversation, event, event.at).commands
            verdicts = [
                await parts.outbox.foresee(stored, one) for one in made if isinstance(one, Send) and one.id == own
            ]
            refused = next((one for one in verdicts if isinstance(one, Refused)), None)
            if refused is not None or not verdicts:
                raise Problem("refused", reason=refused.code.value if refused else "erasing")
        await self._submit(person, event)
        return bodies.Queued(message=f"{await self._reference_of(person)}-{own}")

    def _declared(self, asked: bodies.Message) -> None:
        business = self.parts.business
        if asked.purpose not in business.purposes:
            raise Problem("not_offered", detail=f"Purposes: {', '.join(sorted(business.purposes))}.")
        if asked.template is None:
            return
        template = business.templates.get(asked.template)
        if template is None or template.purpose != asked.purpose:
            offered = sorted(name for name, one in business.templates.items() if one.purpose == asked.purpose)
            raise Problem("not_offered", detail=f"Templates of this purpose: {', '.join(offered) or 'none'}.")
        needed = {len(values_of(body)) for body in template.languages.values()}
        if len(asked.values) not in needed:
            raise wrong("values", f"the template takes {max(needed)}")

    async def _reference_of(self, person: PersonId) -> str:
        subject = await self.parts.subjects.find(person)
        if subject is None:
            raise Problem("no_person")
        return subject.ref

    async def message(self, message: str) -> bodies.MessageStatus:
        subject, _, command = message.partition("-")
        person = await self.parts.subjects.by_reference(subject)
        if person is None:
            raise Problem("not_found")
        found = await self.parts.sends.of_command(person, command)
        if found is not None:
            status, reason = found
            return bodies.MessageStatus.model_validate({"message": message, "status": status, "reason": reason})
        stored = await self.parts.conversations.find(person)
        if stored is None or not any(one.id == command for one in stored.pending):
            raise Problem("not_found")
        return bodies.MessageStatus(message=message, status="queued")

    async def start_flow(self, asked: bodies.FlowStart, once: str) -> None:
        flows = self.parts.engine.world.book.flows
        flow = flows.get(asked.flow)
        if flow is None or flow.builtin:
            offered = sorted(name for name, one in flows.items() if not one.builtin)
            raise Problem("not_offered", detail=f"Flows: {', '.join(offered)}.")
        for name, value in asked.inputs.items():
            declared = flow.flow.inputs.get(name)
            if declared is None:
                raise wrong("inputs", f"the flow has the inputs: {', '.join(flow.flow.inputs) or 'none'}")
            kind = _INPUTS.get(declared.type)
            if kind is None or not isinstance(value, kind) or isinstance(value, bool) != (declared.type == "yes_no"):
                raise wrong(f"inputs.{name}", f"must be of the type {declared.type}, and one that JSON can say")
        missing = [name for name, one in flow.flow.inputs.items() if not one.optional and name not in asked.inputs]
        if missing:
            raise wrong("inputs", f"lacks {', '.join(missing)}")
        person = await self._person(asked)
        stored = await self._stored(person)
        event = FlowRequested(
            self._event(once), self.parts.clock.now(), asked.flow, dict(asked.inputs), own_accord=True
        )
        if event.id not in stored.seen:
            # A flow that may say nothing must not be opened either: the person's next words would be taken for its answers.
            sends = self.parts.business.purposes[flow.flow.purpose].sends
            probe = Send(
                own_command_id(person, event.id), "business", TextMessage(asked.flow), flow.flow.purpose, sends
            )
            verdict = await self.parts.outbox.foresee(stored, probe)
            if isinstance(verdict, Refused):
                raise Problem("refused", reason=verdict.code.value)
        await self._submit(person, event)

    # -- rights --------------------------------------------------------------------------------------------------------------

    async def requests(self, state: str) -> Sequence[bodies.Request]:
        now = self.parts.clock.now()
        closed = state == "all" or state in CLOSED
        rows = await self.parts.register.all(closed=closed)
        return [
            _request(one, now) for one in rows if state in ("all", one.state) or (state == "open" and not one.closed_at)
        ]

    async def request(self, request: str) -> bodies.Request:
        found = await self.parts.register.find(request)
        if found is None:
            raise Problem("not_found")
        return _request(found, self.parts.clock.now())

    async def open_request(self, asked: bodies.NewRequest, once: str) -> bodies.Opened:
        return await self._exercised("register", asked, asked.received_at, asked.kind, once)

    async def move(self, request: str, asked: bodies.Move) -> bodies.Request:
        if asked.step in ("extend", "refuse") and not asked.because:
            raise wrong("because", "is needed for this step, and the person must be told it too")
        now, trigger = self.parts.clock.now(), asked.step.replace("-", "_")
        try:
            found = await self.parts.register.move(request, trigger, now, because=asked.because)
        except IllegalMove:
            raise Problem("impossible", detail="The request's state has no such step.") from None
        except ValueError as problem:
            raise Problem("impossible", detail=f"That cannot be done now: {problem}.") from None
        if found is None:
            raise Problem("not_found")
        return _request(found, now)

    async def exercise(self, right: str, asked: bodies.Right, once: str) -> bodies.Opened:
        value = ""
        if isinstance(asked, bodies.Objection):
            self._scope(asked.scope)
            value = asked.scope
        if isinstance(asked, bodies.Rectification):
            offered = self.parts.business.languages
            if asked.language not in offered:
                raise Problem("not_offered", detail=f"Languages: {', '.join(offered)}.")
            value = asked.language
        return await self._exercised(right, asked, asked.received_at, value, once)

    async def _exercised(
        self, right: str, who: bodies.Who, received_at: datetime | None, value: str, once: str
    ) -> bodies.Opened:
        now = self.parts.clock.now()
        received = _received(received_at, now)
        person = await self._person(who)
        kind = value if right == "register" else _KINDS.get(right, right)
        already = await self.parts.register.open_of(person, kind)
        event = RightExercised(self._event(once), now, right, received, value)
        await self._submit(person, event)
        return bodies.Opened(request=already or own_command_id(person, event.id))

    async def export(self, asked: bodies.Right, once: str) -> bytes:
        parts, now = self.parts, self.parts.clock.now()
        person = await self._person(asked)
        language = await self._language(person)
        event = RightExercised(self._event(once), now, "access", _received(asked.received_at, now))
        await parts.turns.submit(
            person, event
        )  # nobody's turn where only the proof of a consent is left: that is copied, too
        return await file_of(parts.copying, parts.catalog, person, language, now)


def _address(typed: str) -> Address:
    """A number with + and country code, or a WhatsApp user id. Raises the problem `invalid` without quoting it."""
    text = typed.strip()
    try:
        return Address(bsuid=Bsuid(text)) if text[2:3] == "." else Address(canonical(text))
    except (BadNumber, ValueError):
        raise wrong("address", "is neither a number with + and country code nor a WhatsApp user id") from None


def _received(received_at: datetime | None, now: datetime) -> datetime:
    """When the person asked. A moment that cannot be meant is refused: the clock of the law runs from it."""
    if received_at is None:
        return now
    if received_at > now:
        raise wrong("received_at", "lies in the future")
    if now - received_at > LONGEST_AGO:
        raise wrong("received_at", "is more than three years ago")
    return received_at


def _request(one: Request, now: datetime) -> bodies.Request:
    return bodies.Request.model_validate({
        "request": one.id, "kind": one.kind, "state": one.state, "law": one.law, "subject": one.subject_ref,
        "received_at": one.received_at, "due_at": one.due_at, "overdue": one.overdue(now), "closed_at": one.closed_at,
    })  # fmt: skip
