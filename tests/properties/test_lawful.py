"""Nothing is sent of our own accord without a lawful basis, whatever people, the business, Meta and the machines do (GDPR art. 6, 7, 21).

Random lives of three customers: words in three languages, weak yeses, stale taps, Meta's switch, campaigns, deliveries that come twice
and late, lost calls, kills and outages of days and years. The onlooker of `life` judges every claim.
"""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.domain.conversation import Conversation
from bot.engine.steps import consent as consent_step
from bot.privacy import policy
from bot.runtime import sending
from tests.properties.life import WORDS, Step, Town, live
from tests.runtime.fakes import MemoryConversations

LONG = [
    timedelta(hours=1),
    timedelta(hours=25),
    timedelta(hours=50),
    timedelta(days=8),
    timedelta(days=200),
    timedelta(days=705),
    timedelta(days=740),
]

WHO = st.integers(0, 2)
STEPS: st.SearchStrategy[Step] = st.one_of(
    st.tuples(st.just("say"), WHO, st.sampled_from(WORDS)),
    st.tuples(st.just("tap"), WHO, st.sampled_from([0, 0, 0, 1, 2, 5])),
    st.tuples(st.just("tap"), WHO, st.sampled_from([0, 0, 0, 1, 2, 5])),
    st.tuples(st.just("settle"), st.just(0), st.just(None)),
    st.tuples(st.just("settle"), st.just(0), st.just(None)),
    st.tuples(st.just("campaign"), st.just(0), st.just(None)),
    st.tuples(st.just("again"), st.integers(0, 40), st.just(None)),
    st.tuples(st.just("pause"), st.just(0), st.sampled_from([0.01, 0.3, 3.0])),
    st.tuples(st.just("off"), WHO, st.just(None)),
    st.tuples(st.just("kill"), st.just(0), st.just(None)),
    st.tuples(st.just("outage"), st.just(0), st.sampled_from(LONG)),
)  # fmt: skip

SIGNED_UP: list[Step] = [
    ("say", 0, "newsletter"), ("settle", 0, None), ("tap", 0, 0), ("settle", 0, None), ("tap", 0, 0), ("settle", 0, None),
]  # fmt: skip
"""Ana has said yes twice: without this few random lives get to a consent at all."""

LIVES = st.tuples(st.sampled_from([[], SIGNED_UP, SIGNED_UP]), st.lists(STEPS, min_size=3, max_size=30)).map(
    lambda parts: [*parts[0], *parts[1]]
)
QUIET = (HealthCheck.too_slow, HealthCheck.data_too_large)


@given(seed=st.integers(0, 2**32), steps=LIVES, processes=st.integers(1, 2), loses=st.sampled_from([0.0, 0.0, 0.02]))
@settings(max_examples=150, deadline=None, suppress_health_check=QUIET)
def test_no_life_leads_to_an_unlawful_message(seed: int, steps: list[Step], processes: int, loses: float) -> None:
    live(seed, steps, processes=processes, loses=loses).check()


@pytest.mark.long
@given(seed=st.integers(0, 2**32), steps=LIVES, processes=st.integers(1, 3), loses=st.sampled_from([0.0, 0.01, 0.05]))
@settings(max_examples=10_000, deadline=None, suppress_health_check=QUIET)
def test_no_long_life_leads_to_an_unlawful_message(seed: int, steps: list[Step], processes: int, loses: float) -> None:
    live(seed, steps, processes=processes, loses=loses).check()


def outcome(town: Town) -> tuple[Any, ...]:
    """All that a history left behind, without the random names of its sends."""
    heard = {who: [(one.send.id, one.message) for one in shown] for who, shown in town.phones.shown.items()}
    return (
        heard,
        dict(town.disk.ledger),
        {who: row.conversation for who, row in town.disk.rows.items()},
        town.disk.suppressed,
    )


CALM = st.lists(STEPS.filter(lambda step: step[0] not in ("kill", "outage", "again", "pause")), min_size=2, max_size=15)


@given(steps=CALM, again=st.lists(st.tuples(st.integers(0, 20), st.integers(0, 40)), max_size=6))
@settings(max_examples=150, deadline=None, suppress_health_check=QUIET)
def test_repetitions_change_nothing(steps: list[Step], again: list[tuple[int, int]]) -> None:
    """Each delivery comes twice, and old ones come once more in any order: everything is as if it had come once."""
    known: list[Step] = [("say", who, "hello") for who in range(3)]
    settled = [part for step in [*known, *steps] for part in (step, ("pause", 0, 15.0))]
    repeated = list(settled)
    for place, which in again:
        after = min(2 * place + 1, len(repeated) - 1)
        repeated.insert(after, ("again", which, None))
    once, twice = live(7, settled, chaos=False), live(7, repeated, chaos=False, twice=True)
    assert outcome(once) == outcome(twice)


def test_metas_switch_remembered_for_a_stranger_and_brought_again_undoes_nothing_asked_since() -> None:
    steps: list[Step] = [
        ("off", 0, None), ("settle", 0, None), *SIGNED_UP,
        ("again", 0, None), ("settle", 0, None), ("campaign", 0, None), ("settle", 0, None),
    ]  # fmt: skip
    town = live(1, steps, chaos=False)
    town.check()
    (row,) = town.disk.rows.values()
    assert row.conversation.consent("newsletter").state == "given"
    assert [shown.send.reason for shown in town.phones.shown["US.Ana0000001"]][-1] == "business"


# -- the onlooker can tell ---------------------------------------------------------------------------------------------------

STOPPED_IN_BETWEEN: list[Step] = [
    *SIGNED_UP,
    ("campaign", 0, None), ("say", 0, "STOP"), ("campaign", 0, None), ("settle", 0, None), ("campaign", 0, None), ("settle", 0, None),
]  # fmt: skip
WEAK: list[Step] = [
    ("say", 1, "newsletter"), ("settle", 0, None), ("say", 1, "ok"), ("settle", 0, None), ("say", 1, "👍"), ("settle", 0, None),
    ("campaign", 0, None), ("settle", 0, None),
]  # fmt: skip
ONCE: list[Step] = [
    ("say", 2, "newsletter"), ("settle", 0, None), ("tap", 2, 0), ("settle", 0, None), ("campaign", 0, None), ("settle", 0, None),
]  # fmt: skip
RUSHED: list[Step] = [
    *SIGNED_UP,
    *[("campaign", 0, None)] * 3,
    ("say", 0, "STOP"),
    ("campaign", 0, None),
    ("settle", 0, None),
]


def wrong(steps: list[Step], seeds: int = 1) -> bool:
    """Whether the onlooker objects to one of these lives."""
    return any(bool(live(seed, steps, chaos=seeds > 1).wrong) for seed in range(seeds))


@pytest.mark.parametrize("steps", [STOPPED_IN_BETWEEN, WEAK, ONCE], ids=["stopped in between", "weak yes", "one yes"])
def test_without_a_planted_fault_the_onlooker_is_content(steps: list[Step]) -> None:
    assert not wrong(steps)


def test_a_gate_that_forgets_stops_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    real = policy.decide

    def forgetful(send: Any, conversation: Conversation, *rest: Any, **named: Any) -> Any:
        verdict = real(send, conversation, *rest, **named)
        return policy.Allowed() if isinstance(verdict, policy.Refused) and send.reason == "business" else verdict

    monkeypatch.setattr(sending, "decide", forgetful)
    assert wrong(STOPPED_IN_BETWEEN)
    assert wrong(ONCE)


def test_a_weak_yes_that_counts_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    real = consent_step._answer
    monkeypatch.setattr(consent_step, "_answer", lambda play, step, event: real(play, step, event) or "yes")
    assert wrong(WEAK)


def test_one_yes_that_counts_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        consent_step, "_first_yes", lambda play, node: consent_step._given(play, node, "yes", "confirmed")
    )
    assert wrong(ONCE)


def test_a_claim_that_does_not_look_at_the_standing_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    real = MemoryConversations.__init__

    def careless(self: MemoryConversations, *arguments: Any) -> None:
        real(self, *arguments)
        self.checks_standing = False

    monkeypatch.setattr(MemoryConversations, "__init__", careless)
    assert wrong(RUSHED, seeds=80)
