"""What two conversations make together: everything that forbids, and no permission that was not the winner's own."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.command import Call, Export, OpenRequest, RecordConsent, Send, SettleRequest
from bot.domain.consent import GIVEN, STATES, Consent
from bot.domain.conversation import Conversation
from bot.domain.ids import CommandId, PersonId, command_id
from bot.domain.message import TextMessage
from bot.privacy.consent import check_event
from bot.privacy.suppression import covers
from bot.runtime.ports import Pending
from bot.runtime.uniting import carried, ended, suppressions_of, together_of
from tests.runtime.virtual import START

WINNER, LOSER = PersonId("a" * 32), PersonId("b" * 32)
HOURS = st.integers(-500, 500).map(lambda hours: START + timedelta(hours=hours))
MAYBE = st.none() | HOURS
CONSENTS = st.dictionaries(
    st.sampled_from(["news", "orders", "club"]),
    st.builds(Consent, state=st.sampled_from(STATES), since=HOURS, request=st.sampled_from(["", "r"]), event=st.just(CommandId("e"))),
)  # fmt: skip


def conversations(person: PersonId) -> st.SearchStrategy[Conversation]:
    return st.builds(
        Conversation,
        person=st.just(person), version=st.integers(1, 50), standing=st.integers(0, 50), created_at=MAYBE, last_inbound_at=MAYBE,
        stopped=st.dictionaries(st.sampled_from(["all", "marketing", "news"]), HOURS), restricted=st.booleans(),
        paused_until=MAYBE, doubted_since=MAYBE, window_until=MAYBE, quiet_until=MAYBE, recorded_at=MAYBE, consents=CONSENTS,
        owner=st.sampled_from(["bot", "queue", "agent", "left"]), ticket=st.sampled_from(["", "t"]),
    )  # fmt: skip


@given(conversations(WINNER), conversations(LOSER))
def test_no_consent_is_gained_and_no_restriction_is_lost(winner: Conversation, loser: Conversation) -> None:
    """decisions.md 2; GDPR art. 7(1), 18, 21(3)."""
    after, commands = together_of(winner, loser, START)

    live = {name for name, one in after.consents.items() if one.state == GIVEN}
    assert live <= {name for name, one in winner.consents.items() if one.state == GIVEN}
    for name in live:
        assert loser.consent(name).state not in ("withdrawn", "refused")
        assert not any(covers(scope, purpose=name, category="utility") for scope in loser.stopped)
    assert after.restricted == (winner.restricted or loser.restricted)
    assert (after.doubted_since is None) == (winner.doubted_since is None and loser.doubted_since is None)
    assert set(after.stopped) == {*winner.stopped, *loser.stopped}
    assert all(after.stopped[scope] >= since for one in (winner, loser) for scope, since in one.stopped.items())
    assert all(one.paused_until is None or (after.paused_until or START) >= one.paused_until for one in (winner, loser))
    assert (after.version, after.standing) == (winner.version + 1, winner.standing + 1)
    assert [one for one in commands if isinstance(one, RecordConsent) and check_event(one)] == []
    assert {one.purpose for one in commands if isinstance(one, RecordConsent)} == {
        name for name in winner.consents if after.consents[name] != winner.consents[name]
    }


@given(conversations(WINNER), conversations(LOSER))
def test_doing_it_twice_adds_nothing(winner: Conversation, loser: Conversation) -> None:
    once, _ = together_of(winner, loser, START)
    twice, commands = together_of(once, loser, START)

    assert commands == ()
    assert replace(twice, version=once.version, standing=once.standing) == once


@given(conversations(LOSER))
def test_what_was_given_under_the_old_identity_ends_on_record(loser: Conversation) -> None:
    events = ended(loser, START)

    assert {one.purpose for one in events} == {name for name, one in loser.consents.items() if one.state == GIVEN}
    assert [check_event(one) for one in events] == [[]] * len(events)
    assert len({one.id for one in events}) == len(events)
    assert {one.scope for one in suppressions_of(loser)} == set(loser.stopped)


def test_what_is_owed_moves_along_and_what_is_sent_of_our_own_accord_does_not() -> None:
    commands = (
        Send(CommandId("1"), "answer", TextMessage("here it is")),
        Send(CommandId("2"), "business", TextMessage("buy"), "news", "marketing"),
        Send(CommandId("3"), "answer", TextMessage("may be out already")),
        OpenRequest(CommandId("4"), "access", START),
        Call(CommandId("5"), "shop.order", {}),
        Export(CommandId("6"), "show", "en"),
        SettleRequest(CommandId("8"), "access", "answered", CommandId("6")),
        SettleRequest(CommandId("9"), "access", "answered", CommandId("3")),
    )
    pending = [Pending(one.id, one, "sending" if one.id == "3" else "waiting") for one in commands]
    winner = Conversation(WINNER, version=9)

    moved = carried([*pending, Pending(CommandId("7"), None)], winner, 2)

    assert [type(one).__name__ for one in moved] == ["Send", "OpenRequest", "Export", "SettleRequest", "SettleRequest"]
    assert [one.id for one in moved] == [command_id(WINNER, 9, place) for place in (2, 3, 4, 5, 6)]
    settled = [one.by for one in moved if isinstance(one, SettleRequest)]
    assert settled == [moved[2].id, CommandId("3")], "by the copy under its new name; by what does not move: never"
