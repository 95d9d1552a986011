"""The order of a person's pending commands: tables and what must always hold."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.command import (
    Call,
    CloseTicket,
    Command,
    Erase,
    Export,
    Notify,
    OpenTicket,
    RecordConsent,
    Send,
    SettleRequest,
)
from bot.domain.conversation import Conversation, Timer
from bot.domain.ids import CommandId, PersonId
from bot.domain.message import TextMessage
from bot.runtime.line import due, next_ready
from bot.runtime.ports import Pending
from tests.runtime.virtual import START as NOW

LATER = NOW + timedelta(seconds=30)


def answer(name: str, reason: str = "answer", **fields: object) -> Send:
    return Send(CommandId(name), reason, TextMessage(name), **fields)  # type: ignore[arg-type]


def record(name: str) -> RecordConsent:
    return RecordConsent(CommandId(name), "confirmed", NOW)


def waits(command: Command, *, until: datetime | None = None, attempts: int = 0, state: str = "waiting") -> Pending:
    return Pending(command.id, command, state, attempts, until)


ERASE = Erase(CommandId("e"), NOW, "en", TextMessage("done"))
CALL = Call(CommandId("c"), "crm.ask", {})
OPEN = OpenTicket(CommandId("o"), "7", "support", "en")
CLOSE = CloseTicket(CommandId("x"), "7", "done")

COPY = Export(CommandId("x"), "file", "en")


@pytest.mark.parametrize(
    ("pending", "first"),
    [
        pytest.param([], None, id="nothing to do"),
        pytest.param([waits(answer("a")), waits(answer("b"))], "a", id="the older message first"),
        pytest.param([waits(answer("a"), until=LATER, attempts=1), waits(answer("b"))], None, id="behind a retry it waits"),
        pytest.param([waits(answer("a"), until=LATER), waits(answer("b"))], None, id="behind one that keeps the pace"),
        pytest.param([waits(answer("a"), until=LATER, state="sending"), waits(answer("b"))], None, id="behind an ambiguous one"),
        pytest.param([waits(answer("a", "business"), until=LATER), waits(answer("b"))], "b", id="past one the gate holds"),
        pytest.param(
            [waits(answer("a", "business"), until=LATER, attempts=1), waits(answer("b"))], None, id="not past its retry"
        ),
        pytest.param(
            [waits(answer("a"), until=LATER, attempts=1), waits(answer("s", "stop_confirmation"))], "s",
            id="a confirmation overtakes a retry",
        ),
        pytest.param([waits(answer("a")), waits(answer("s", "stop_confirmation"))], "s", id="and what is ready"),
        pytest.param(
            [waits(answer("a")), waits(record("r")), waits(answer("s", "stop_confirmation"))], "r", id="its record before it"
        ),
        pytest.param(
            [waits(record("r"), until=LATER, attempts=1), waits(answer("s", "stop_confirmation"))], "s",
            id="a record it does not rely on may be late",
        ),
        pytest.param(
            [waits(record("r"), until=LATER, attempts=1), waits(answer("s", "stop_confirmation", relies_on=CommandId("r")))],
            None, id="the one it relies on may not",
        ),
        pytest.param([waits(record("r"), until=LATER, attempts=1), waits(answer("a"))], None, id="words wait for records"),
        pytest.param([waits(answer("a"), until=LATER, attempts=1), waits(record("r"))], "r", id="records wait for no words"),
        pytest.param([waits(record("r"), until=LATER, attempts=1), waits(ERASE)], None, id="an erasure waits for records"),
        pytest.param([waits(answer("a"), until=LATER, attempts=1), waits(ERASE)], "e", id="an erasure waits for no words"),
        pytest.param([waits(OPEN, until=LATER, attempts=1), waits(CLOSE)], None, id="closed after it is open"),
        pytest.param([waits(CALL, until=LATER, attempts=1), waits(answer("a"))], "a", id="a call holds nobody up"),
        pytest.param([waits(record("r"), until=LATER, attempts=1), waits(CALL)], "c", id="and waits for nobody"),
        pytest.param(
            [waits(answer("a"), until=LATER, attempts=1), waits(Export(CommandId("x"), "show", "en"))], None,
            id="an export is a message",
        ),
        pytest.param(
            [waits(COPY, until=LATER, attempts=1), waits(SettleRequest(CommandId("s"), "access", "answered", COPY.id))], None,
            id="a request waits for the message that answers it",
        ),
        pytest.param(
            [waits(answer("a"), until=LATER, attempts=1), waits(SettleRequest(CommandId("s"), "access", "cancelled"))], "s",
            id="one that was taken back waits for no words",
        ),
        pytest.param(
            [waits(answer("a"), until=LATER, attempts=1), Pending(CommandId("u"), None)], "u", id="the unreadable goes at once"
        ),
    ],
)  # fmt: skip
def test_what_comes_next(pending: list[Pending], first: str | None) -> None:
    found = next_ready(pending, NOW)
    assert (found.id if found else None) == first


def test_what_is_carried_out_beside_the_line_is_not_begun_again() -> None:
    pending = [waits(CALL), waits(answer("a"))]
    assert next_ready(pending, NOW, {CALL.id}) == pending[1]
    assert next_ready(pending[:1], NOW, {CALL.id}) is None


COMMANDS = st.sampled_from(
    [answer("a"), answer("b", "business"), answer("c", "stop_confirmation"), record("r"), CALL, OPEN, CLOSE, ERASE,
     Notify(CommandId("n"), "x"), Export(CommandId("x"), "show", "en"),
     SettleRequest(CommandId("s"), "access", "answered", CommandId("x")), None]
)  # fmt: skip
PENDING = st.builds(
    Pending,
    id=st.uuids().map(lambda one: CommandId(one.hex)),
    command=COMMANDS,
    state=st.sampled_from(["waiting", "sending"]),
    attempts=st.integers(0, 4),
    not_before=st.none() | st.integers(-5, 50).map(lambda n: NOW + timedelta(seconds=n)),
)
PERSON = Conversation(PersonId("0" * 32))


@given(st.lists(PENDING, max_size=12))
def test_whoever_looks_again_when_told_finds_something_to_do(pending: list[Pending]) -> None:
    """Neither a lost command nor a loop that finds nothing."""
    again = due(PERSON, pending, NOW)
    if not pending:
        assert again is None
    else:
        assert again is not None
        assert again >= NOW
        assert next_ready(pending, again) is not None
        assert again == NOW or next_ready(pending, again - timedelta(milliseconds=1)) is None


@given(st.lists(PENDING, max_size=12))
def test_carrying_out_what_comes_next_comes_to_an_end(pending: list[Pending]) -> None:
    left, now = list(pending), NOW
    while left:
        again = due(PERSON, left, now)
        assert again is not None
        now = again
        done = next_ready(left, now)
        assert done is not None
        left.remove(done)


def test_timers_count_unless_the_person_is_being_erased() -> None:
    timed = replace(PERSON, timers=(Timer("t", "silence", LATER),))
    assert due(timed, [], NOW) == LATER
    assert due(replace(timed, erasing=True), [], NOW) is None
