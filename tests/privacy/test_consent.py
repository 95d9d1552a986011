"""The ledger's events add up to one answer in whatever order they come, and doubt ends with a no."""

import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.command import RecordConsent
from bot.domain.consent import Consent
from bot.domain.ids import CommandId, Wamid
from bot.privacy import consent
from tests.privacy.sample import DAY, NOW

SECOND = timedelta(seconds=1)


def event(kind: str, at: int, *, purpose: str = "newsletter", request: str = "r1", **fields: Any) -> RecordConsent:
    if kind in ("requested", "first_step"):
        fields.setdefault("request_expires_at", NOW + 1000 * SECOND)
    if kind == "confirmed":
        fields.setdefault("valid_until", NOW + 700 * DAY)
    name = fields.pop("id", f"{kind}-{purpose}-{request}-{at}")
    return RecordConsent(CommandId(name), kind, NOW + at * SECOND, purpose=purpose, request=request, **fields)


DOUBLE = [event("requested", 0), event("first_step", 10), event("confirmed", 20)]


def state(events: list[RecordConsent], **options: Any) -> str:
    return consent.fold(events, **options).get("newsletter", Consent()).state


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        pytest.param([], "unknown", id="nothing happened"),
        pytest.param(DOUBLE[:1], "requested", id="asked"),
        pytest.param(DOUBLE[:2], "pending_confirmation", id="one yes"),
        pytest.param(DOUBLE, "given", id="two yeses"),
        pytest.param([DOUBLE[0], DOUBLE[2]], "requested", id="the second yes without the first"),
        pytest.param([DOUBLE[2]], "unknown", id="a yes nobody asked for"),
        pytest.param([DOUBLE[0], event("first_step", 10, request="r0"), DOUBLE[2]], "requested", id="the first yes of another request"),
        pytest.param([*DOUBLE[:2], event("confirmed", 20, request="r0")], "pending_confirmation", id="the second yes of another request"),
        pytest.param([*DOUBLE[:2], event("confirmed", 20, request="")], "pending_confirmation", id="a yes without a request"),
        pytest.param([*DOUBLE[:2], event("confirmed", 1000)], "pending_confirmation", id="the second yes too late"),
        pytest.param([DOUBLE[0], event("first_step", 1000)], "requested", id="the first yes too late"),
        pytest.param([*DOUBLE, event("withdrawn", 30)], "withdrawn", id="withdrawn"),
        pytest.param([*DOUBLE, event("withdrawn", 20)], "withdrawn", id="withdrawn in the same second"),
        pytest.param([*DOUBLE, event("withdrawn", 5)], "withdrawn", id="a withdrawal that arrives late, dated between"),
        pytest.param([*DOUBLE, event("withdrawn", 30), event("confirmed", 25, request="r1")], "withdrawn",
                     id="a yes that arrives after the withdrawal, dated before it"),
        pytest.param([*DOUBLE, event("withdrawn", 30), event("confirmed", 40)], "withdrawn", id="an old yes after the withdrawal"),
        pytest.param([*DOUBLE, event("withdrawn", 30), event("requested", 40, request="r2"), event("first_step", 50, request="r2"),
                      event("confirmed", 60, request="r2")], "given", id="asked anew after a withdrawal"),
        pytest.param([*DOUBLE, event("objected", 30, purpose="", scope="all")], "withdrawn", id="an objection to all"),
        pytest.param([*DOUBLE, event("objected", 30, purpose="", scope="")], "withdrawn", id="an objection that says no scope"),
        pytest.param([*DOUBLE, event("objected", 30, purpose="", scope="newsletter")], "withdrawn", id="an objection to the purpose"),
        pytest.param([*DOUBLE, event("objected", 30, purpose="", scope="tips")], "given", id="an objection to another purpose"),
        pytest.param([*DOUBLE[:2], event("refused", 20)], "refused", id="no at the second question"),
        pytest.param([*DOUBLE, event("refused", 20)], "withdrawn", id="yes and no in the same second"),
        pytest.param([*DOUBLE[:2], event("expired", 900)], "expired", id="the request expired"),
        pytest.param([*DOUBLE, event("expired", 900, request="")], "expired", id="the consent ran out"),
        pytest.param([*DOUBLE, event("invalidated", 900)], "invalidated", id="found invalid"),
        pytest.param([*DOUBLE, event("erased", 900, purpose="")], "unknown", id="erased"),
        pytest.param([event("requested", 0, consent_type="expressed"), event("confirmed", 5)], "given", id="a purpose of one yes"),
        pytest.param([event("requested", 0, consent_type="expressed"), event("first_step", 5)], "requested",
                     id="a first step where there is only one"),
        pytest.param([event("imported", 0, state_after="given", source="shop", notice_hash="n", purpose_hash="p")], "given",
                     id="an import with evidence"),
        pytest.param([event("imported", 0, state_after="given")], "requested", id="an import without evidence"),
        pytest.param([*DOUBLE, event("withdrawn", 30),
                      event("imported", 40, state_after="given", source="shop", notice_hash="n", purpose_hash="p")], "requested",
                     id="an import of somebody who withdrew"),
        pytest.param([*DOUBLE, event("notice_shown", 30), event("receipt_issued", 31), event("unheard_of", 32)], "given",
                     id="events that move nothing"),
    ],
)  # fmt: skip
def test_events_add_up_in_any_order(events: list[RecordConsent], expected: str) -> None:
    shuffled = list(events)
    for seed in range(6):
        random.Random(seed).shuffle(shuffled)
        assert state(shuffled) == expected
        assert state([*shuffled, *shuffled]) == expected, "a repetition changed it"


def test_an_objection_to_marketing_covers_the_marketing_purposes() -> None:
    events = [*DOUBLE, event("objected", 30, purpose="", scope="marketing")]
    assert state(events, marketing=["newsletter"]) == "withdrawn"
    assert state(events, marketing=["similar"]) == "given"


def test_the_projection_says_when_and_by_which_event() -> None:
    found = consent.fold(DOUBLE)["newsletter"]
    assert found.event == DOUBLE[-1].id
    assert found.since == DOUBLE[-1].occurred_at
    assert found.valid_until == DOUBLE[-1].valid_until
    assert not found.request, "a request is used once"


def test_reaffirming_prolongs_a_given_consent_only() -> None:
    again = event("reaffirmed", 50, valid_until=NOW + 900 * DAY)
    assert consent.fold([*DOUBLE, again])["newsletter"].valid_until == NOW + 900 * DAY
    assert state([*DOUBLE, event("withdrawn", 30), again]) == "withdrawn"


def test_yeses_that_led_nowhere_are_named() -> None:
    stray = event("confirmed", 15, request="r9")
    assert consent.not_honoured([*DOUBLE, stray]) == [stray.id]
    assert consent.not_honoured(DOUBLE) == []


kinds = st.sampled_from(
    [
        "requested",
        "first_step",
        "confirmed",
        "refused",
        "withdrawn",
        "objected",
        "expired",
        "invalidated",
        "imported",
        "erased",
    ]
)
histories = st.lists(
    st.builds(
        lambda kind, at, request, purpose, scope: event(
            kind, at, request=request, purpose="" if kind in ("objected", "erased") else purpose, scope=scope,
            state_after="given" if kind == "imported" else "", source="shop", notice_hash="n", purpose_hash="p",
            id=f"{kind}{at}{request}{purpose}{scope}", request_expires_at=NOW + 15 * SECOND,
        ),
        kinds, st.integers(0, 20), st.sampled_from(["r1", "r2"]), st.sampled_from(["newsletter", "tips"]),
        st.sampled_from(["all", "marketing", "newsletter"]),
    ),
    max_size=12,
)  # fmt: skip


@settings(max_examples=1500, deadline=None)
@given(histories, st.randoms(use_true_random=False))
def test_order_and_repetition_never_matter(events: list[RecordConsent], chance: random.Random) -> None:
    expected = consent.fold(events)
    again = [*events, *events]
    chance.shuffle(again)
    assert consent.fold(again) == expected


@settings(max_examples=1500, deadline=None)
@given(histories)
def test_no_consent_without_both_steps_in_time_or_an_import(events: list[RecordConsent]) -> None:
    for purpose, found in consent.fold(events).items():
        if found.state != "given":
            continue
        final = [one for one in events if one.id == found.event]
        assert final
        if final[0].event_type == "imported":
            continue
        firsts = [
            one for one in events
            if one.event_type == "first_step" and one.purpose == purpose and one.request == final[0].request
            and one.occurred_at <= final[0].occurred_at
        ]  # fmt: skip
        assert firsts
        assert final[0].occurred_at < NOW + 15 * SECOND


@settings(max_examples=1500, deadline=None)
@given(histories, st.integers(0, 20))
def test_a_withdrawal_beats_every_yes_that_is_not_asked_for_after_it(events: list[RecordConsent], at: int) -> None:
    """Added to any history, wherever it falls, it leaves a consent only where a later request was answered twice."""
    found = consent.fold([*events, event("withdrawn", at, id="stop")]).get("newsletter", Consent())
    if found.state == "given":
        final = next(one for one in events if one.id == found.event)
        asked = [
            one for one in events
            if one.purpose == "newsletter" and one.event_type in ("requested", "imported") and one.occurred_at > NOW + at * SECOND
        ]  # fmt: skip
        assert asked
        assert final.occurred_at > NOW + at * SECOND


# -- completeness -----------------------------------------------------------------------------------------------------------

WHOLE = RecordConsent(
    CommandId("c"), "confirmed", NOW, purpose="newsletter", state_after="given", basis="consent", consent_type="explicit",
    purpose_hash="p", request="r", step="second", notice_hash="n", notice_language="pt", flow="news", flow_version="v",
    answer_kind="tap", withdrawal_method="STOP", valid_from=NOW, valid_until=NOW + DAY, previous=CommandId("b"),
    prompt_text="Really?", answer_id="yes", answer_wamid=Wamid("w"),
)  # fmt: skip


def test_a_whole_event_lacks_nothing() -> None:
    assert consent.check_event(WHOLE) == []


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        pytest.param({"prompt_text": ""}, ["prompt_text"], id="the words that were shown"),
        pytest.param({"answer_id": ""}, ["answer"], id="the answer"),
        pytest.param({"answer_id": "", "answer_text": "sim"}, [], id="words do for a button"),
        pytest.param({"notice_hash": ""}, ["notice_hash"], id="the notice"),
        pytest.param({"flow_version": ""}, ["workflow"], id="the workflow"),
        pytest.param({"flow_version": "", "source": "form-1"}, [], id="a form does for a flow"),
        pytest.param({"request": "", "previous": CommandId("")}, ["request", "previous"], id="the two steps' bond"),
        pytest.param({"valid_until": None}, ["valid_until"], id="the end"),
        pytest.param({"state_after": "requested"}, ["state_after"], id="another state than the event's"),
        pytest.param({"event_type": "agreed"}, ["event_type"], id="an unknown kind"),
        pytest.param({"occurred_at": NOW.replace(tzinfo=None)}, ["occurred_at"], id="a time without a zone"),
        pytest.param({"event_type": "imported", "source": "shop", "prompt_text": ""}, ["prompt_text"], id="an import's evidence"),
        pytest.param({"event_type": "imported", "state_after": "requested", "source": "shop", "prompt_text": ""}, [],
                     id="an import that claims nothing"),
        pytest.param({"event_type": "objected", "purpose": "", "scope": ""}, ["extent"], id="what was objected to"),
        pytest.param({"event_type": "objected", "purpose": "", "scope": "all"}, [], id="an objection to all"),
    ],
)  # fmt: skip
def test_what_an_event_lacks_is_named(changes: dict[str, Any], missing: list[str]) -> None:
    assert consent.check_event(replace(WHOLE, **changes)) == missing


def test_every_kind_of_event_has_its_requirements() -> None:
    """privacy.md 3.2, field 9."""
    assert set(consent.REQUIRED) == {
        "notice_shown", "requested", "first_step", "confirmed", "refused", "withdrawn", "objected", "expired", "reaffirmed",
        "superseded", "invalidated", "imported", "suppressed", "suppression_lifted", "restricted", "restriction_lifted",
        "receipt_issued", "erased",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("found", "due"),
    [
        pytest.param(Consent("given", valid_until=NOW + 31 * DAY), False, id="not yet"),
        pytest.param(Consent("given", valid_until=NOW + 30 * DAY), True, id="a month before its end"),
        pytest.param(Consent("given", valid_until=NOW), False, id="over"),
        pytest.param(Consent("given"), False, id="without an end"),
        pytest.param(Consent("withdrawn", valid_until=NOW + DAY), False, id="withdrawn"),
    ],
)
def test_a_consent_is_asked_for_again_before_it_ends(found: Consent, due: bool) -> None:
    assert found.renewal_due(NOW) is due
