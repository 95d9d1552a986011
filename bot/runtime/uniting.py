"""What two conversations make together when they turn out to be one person's. Pure.

Whatever forbids is kept from either side; whatever permits must have been given by the winner and not been refused by the loser.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain.command import (
    Command,
    Export,
    FetchMedia,
    Notify,
    RecordConsent,
    Send,
    SettleRequest,
    Suppress,
)
from bot.domain.consent import GIVEN, INVALIDATED, PENDING, REFUSED, REQUESTED, WITHDRAWN, Consent
from bot.domain.conversation import Conversation
from bot.domain.ids import CommandId, command_id
from bot.privacy.suppression import ALL
from bot.privacy.suppression import standing as latest
from bot.runtime.ports import Pending

SOURCE = "merge"
_MOMENT = timedelta(milliseconds=1)
_OWED = frozenset({"agent", "answer", "notice", "rights", "stop_confirmation", "erasure_receipt"})
"""Reasons of messages that move along: somebody waits for them. What is sent of our own accord rested on what does not move."""


def together_of(winner: Conversation, loser: Conversation, now: datetime) -> tuple[Conversation, tuple[Command, ...]]:
    """The winner with all that forbids of the loser, and the consent events about it. Doing it twice adds nothing."""
    after = replace(
        winner, version=winner.version + 1, standing=winner.standing + 1, stopped=latest(winner.stopped, loser.stopped),
        restricted=winner.restricted or loser.restricted, paused_until=_later(winner.paused_until, loser.paused_until),
        quiet_since=_later(winner.quiet_since, loser.quiet_since), quiet_until=_later(winner.quiet_until, loser.quiet_until),
        doubted_since=_later(winner.doubted_since, loser.doubted_since),
        stop_confirmed_at=_later(winner.stop_confirmed_at, loser.stop_confirmed_at),
        # Facts of the same person's own messages: Meta's window belongs to whoever wrote.
        window_until=_later(winner.window_until, loser.window_until),
        last_inbound_at=_later(winner.last_inbound_at, loser.last_inbound_at),
        created_at=min((one for one in (winner.created_at, loser.created_at) if one is not None), default=None),
    )  # fmt: skip
    if winner.owner == "bot" and loser.owner in ("queue", "agent"):  # a person of the business speaks with them
        after = replace(after, owner=loser.owner, ticket=loser.ticket, hushed=loser.hushed)
    commands: list[Command] = []
    at = now if winner.recorded_at is None else max(now, winner.recorded_at + _MOMENT)
    for purpose in sorted(winner.consents):
        consent = winner.consents[purpose]
        if _barred(purpose, loser) and consent.state in (GIVEN, REQUESTED, PENDING):
            event = RecordConsent(
                command_id(after.person, after.version, len(commands)), "withdrawn", at, purpose, WITHDRAWN, request=consent.request,
                withdrawal_method=SOURCE, source=SOURCE, actor="system", previous=consent.event,
            )  # fmt: skip
            commands.append(event)
            over = consent.moved("withdraw", at, request="", expires=None, valid_until=None, event=event.id)
            after = replace(after.with_consent(purpose, over), recorded_at=at)
    return after, tuple(commands)


def _barred(purpose: str, loser: Conversation) -> bool:
    return loser.consent(purpose).state in (WITHDRAWN, REFUSED) or ALL in loser.stopped or purpose in loser.stopped


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max((at for at in (one, other) if at is not None), default=None)


def carried(pending: Sequence[Pending], winner: Conversation, position: int) -> tuple[Command, ...]:
    """What is still owed to the loser, as commands of the winner's turn from `position` on.

    Answers, rights, tickets and news for others go along. Questions to other systems are dropped, because the flow they belong to
    is closed; and what may have gone out already is not sent twice.
    """
    found: list[Command] = []
    names: dict[CommandId, CommandId] = {}
    for one in pending:
        if one.command is None or one.state == "sending" or not _goes_along(one.command):
            continue
        name = names[one.command.id] = command_id(winner.person, winner.version, position + len(found))
        if isinstance(one.command, SettleRequest) and one.command.by:
            # By a message that does not move it is never settled: a person looks at it.
            found.append(replace(one.command, id=name, by=names.get(one.command.by, one.command.by)))
        else:
            found.append(replace(one.command, id=name))
    return tuple(found)


def _goes_along(command: Command) -> bool:
    if isinstance(command, Send):
        return command.reason in _OWED
    # By name: what people of the business do with a chat is decided elsewhere, and all of it must go along.
    told = type(command).__name__
    along = told.endswith(("Ticket", "Request")) or told in ("Transcribe", "Unsay")
    return along or isinstance(command, Export | FetchMedia | Notify)


def ended(loser: Conversation, now: datetime) -> tuple[RecordConsent, ...]:
    """The events that end what was given under the old identity: a consent does not move with a merge (GDPR art. 4(11), 7(1))."""
    at = now if loser.recorded_at is None else max(now, loser.recorded_at + _MOMENT)
    live: list[tuple[str, Consent]] = [
        (name, one) for name, one in sorted(loser.consents.items()) if one.state == GIVEN
    ]
    return tuple(
        RecordConsent(
            command_id(loser.person, loser.version, place), "invalidated", at, purpose, INVALIDATED, source=SOURCE, actor="system",
            previous=consent.event,
        )
        for place, (purpose, consent) in enumerate(live)
    )  # fmt: skip


def suppressions_of(loser: Conversation) -> tuple[Suppress, ...]:
    """The loser's stops as rows for every identity of both."""
    return tuple(Suppress(scope, since, SOURCE) for scope, since in sorted(loser.stopped.items()))
