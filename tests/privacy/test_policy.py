"""The gate lets nothing through without a reason, and holds or refuses for each of the reasons it knows."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from bot.domain.business import Business, Template, purpose_hash
from bot.domain.consent import STATES, Consent
from bot.domain.conversation import Conversation
from bot.domain.message import TemplateMessage
from bot.privacy import policy
from bot.privacy.policy import Allowed, Code, Held, Refused, Verdict
from tests.privacy.sample import BUSINESS, BUSINESS_PLAIN, DAY, HOUR, NOW, conversation, given, send, template

LISBON = ZoneInfo("Europe/Lisbon")
NEWS = {"reason": "business", "purpose": "newsletter", "category": "marketing"}
LIVE = {"newsletter": given()}


def decide(
    message: Any, person: Conversation, *, business: Business = BUSINESS, sent: int = 0, suppressed: Mapping[str, datetime] | None = None,
    now: datetime = NOW, zone: Any = LISBON,
) -> Verdict:  # fmt: skip
    agreed = {name: _named(one, business, name) for name, one in person.consents.items()}
    person = replace(person, consents=agreed)
    return policy.decide(
        message, person, business, now=now, zone=zone, sent_in_period=sent, suppressed=suppressed or {}
    )


def _named(consent: Consent, business: Business, purpose: str) -> Consent:
    """The consent as one to the purpose as declared, where the test does not say to what."""
    known = business.purposes.get(purpose)
    return replace(consent, purpose_hash=purpose_hash(known)) if known and not consent.purpose_hash else consent


def code(verdict: Verdict) -> str:
    return verdict.code.value if isinstance(verdict, Refused) else type(verdict).__name__.lower()


SENDS = [
    # what is sent · how the person stands · what the gate says
    pytest.param(NEWS, {"consents": LIVE}, "allowed", id="a newsletter with a live consent"),
    pytest.param(NEWS, {}, "no_consent", id="a newsletter nobody asked for"),
    pytest.param(NEWS, {"consents": {"newsletter": replace(given(), valid_until=NOW)}}, "no_consent", id="a consent that ran out just now"),
    pytest.param(NEWS, {"consents": {"newsletter": given(purpose_hash="0" * 32)}}, "terms_changed", id="a consent to other words"),
    pytest.param(NEWS, {"consents": {"tips": given()}}, "no_consent", id="the consent of another purpose"),
    pytest.param(NEWS, {"consents": LIVE, "stopped": {"all": NOW}}, "stopped", id="after STOP"),
    pytest.param(NEWS, {"consents": LIVE, "stopped": {"marketing": NOW}}, "stopped", id="after no more marketing"),
    pytest.param(NEWS, {"consents": LIVE, "stopped": {"newsletter": NOW}}, "stopped", id="after no more of this"),
    pytest.param(NEWS, {"consents": LIVE, "stopped": {"unclear": NOW}}, "stopped", id="after a stop of unclear scope"),
    pytest.param(NEWS, {"consents": LIVE, "stopped": {"orders": NOW}}, "allowed", id="after no more of something else"),
    pytest.param(NEWS | {"category": "service"}, {"consents": LIVE, "stopped": {"marketing": NOW}}, "stopped",
                 id="a newsletter that calls itself service after no more marketing"),
    pytest.param(NEWS, {"consents": LIVE, "restricted": True}, "restricted", id="a newsletter to a restricted person"),
    pytest.param(NEWS, {"consents": LIVE, "erasing": True}, "erasing", id="a newsletter to a person being erased"),
    pytest.param(NEWS, {"consents": LIVE, "paused_until": NOW + HOUR}, "held", id="a newsletter after an unclear wish"),
    pytest.param(NEWS, {"consents": LIVE, "paused_until": NOW}, "allowed", id="a newsletter when the pause has ended"),
    pytest.param(NEWS, {"consents": LIVE, "window": False}, "window_closed", id="free text outside the window"),
    pytest.param(NEWS | {"message": template("news")}, {"consents": LIVE, "window": False}, "allowed", id="a template outside the window"),
    pytest.param(NEWS | {"message": template("nothing")}, {"consents": LIVE}, "unknown_template", id="a template that is not declared"),
    pytest.param(NEWS | {"message": template("order_ready")}, {"consents": LIVE}, "template_mismatch", id="another purpose's template"),
    pytest.param(NEWS | {"message": template("confirm_news")}, {"consents": LIVE}, "template_mismatch",
                 id="a newsletter in a utility template"),
    pytest.param({"reason": "business", "purpose": "orders", "category": "marketing"}, {}, "promotional",
                 id="marketing under a purpose that sends none"),
    pytest.param({"reason": "business", "purpose": "orders", "category": "utility"}, {}, "allowed", id="news of an order without consent"),
    pytest.param({"reason": "business", "purpose": "orders", "category": "utility"}, {"stopped": {"marketing": NOW}}, "allowed",
                 id="news of an order after no more marketing"),
    pytest.param({"reason": "business", "purpose": "orders", "category": "utility"}, {"stopped": {"all": NOW}}, "stopped",
                 id="news of an order after STOP"),
    pytest.param({"reason": "business", "purpose": "orders", "category": "utility"}, {"paused_until": NOW + HOUR}, "allowed",
                 id="news of an order after an unclear wish"),
    pytest.param({"reason": "business", "purpose": "orders", "category": "authentication", "message": template("code")}, {},
                 "template_mismatch", id="a one-time code under a purpose that sends none"),
    pytest.param({"reason": "business", "purpose": "orders", "category": "authentication"}, {}, "template_mismatch",
                 id="a one-time code as free text"),
    pytest.param({"reason": "business", "purpose": "tips", "category": "utility"}, {"consents": {"tips": given()}}, "allowed",
                 id="tips with a live consent"),
    pytest.param({"reason": "business", "purpose": "tips"}, {"consents": {"tips": given()}, "paused_until": NOW + HOUR}, "held",
                 id="tips that rest on consent after an unclear wish"),
    pytest.param({"reason": "business", "purpose": "similar", "category": "marketing"}, {}, "no_consent", id="a soft opt-in not on record"),
    pytest.param({"reason": "business", "purpose": "similar", "category": "marketing"}, {"consents": {"similar": given()}}, "allowed",
                 id="a soft opt-in on record"),
    pytest.param({"reason": "business", "purpose": "survey"}, {}, "allowed", id="a survey of legitimate interest"),
    pytest.param({"reason": "business", "purpose": "survey"}, {"consents": {"survey": Consent("withdrawn")}}, "objected",
                 id="a survey after an objection"),
    pytest.param({"reason": "business", "purpose": "raffle"}, {}, "unknown_purpose", id="a purpose that is not declared"),
    pytest.param({"reason": "business"}, {}, "unknown_purpose", id="no purpose"),
    pytest.param({"reason": "greeting"}, {}, "unknown_reason", id="a reason that is not known"),
    pytest.param({"reason": ""}, {}, "unknown_reason", id="no reason"),
    pytest.param({"reason": "answer", "category": "promotion"}, {}, "unknown_category", id="a category that is not Meta's"),
    pytest.param({"reason": "answer", "purpose": "raffle"}, {}, "unknown_purpose", id="an answer for a purpose that is not declared"),
    pytest.param(NEWS | {"expires": NOW}, {"consents": LIVE}, "expired", id="too late"),
    pytest.param(NEWS | {"not_before": NOW + HOUR}, {"consents": LIVE}, "held", id="too early"),
    pytest.param(NEWS | {"not_before": NOW + HOUR, "expires": NOW + HOUR}, {"consents": LIVE}, "expired", id="would wait past its end"),
    pytest.param({"reason": "answer"}, {}, "allowed", id="an answer"),
    pytest.param({"reason": "answer"}, {"window": False}, "window_closed", id="an answer a day late"),
    pytest.param({"reason": "answer", "message": template("order_ready"), "category": "utility"}, {"window": False}, "window_closed",
                 id="an answer dressed as a template outside the window"),
    pytest.param({"reason": "answer"}, {"stopped": {"all": NOW - HOUR}}, "allowed", id="an answer to a stopped person"),
    pytest.param({"reason": "answer"}, {"restricted": True}, "allowed", id="an answer to a restricted person"),
    pytest.param({"reason": "answer"}, {"erasing": True}, "erasing", id="an answer to a person being erased"),
    pytest.param({"reason": "answer"}, {"paused_until": NOW + HOUR}, "allowed", id="an answer after an unclear wish"),
    pytest.param({"reason": "answer", "category": "marketing"}, {}, "promotional", id="an advertisement that calls itself an answer"),
    pytest.param({"reason": "answer", "message": template("news")}, {}, "promotional", id="an advertising template as an answer"),
    pytest.param({"reason": "stop_confirmation"}, {"stopped": {"all": NOW}}, "allowed", id="the confirmation of a STOP"),
    pytest.param({"reason": "stop_confirmation"}, {"stopped": {"all": NOW}, "erasing": True}, "allowed", id="stop and delete in one"),
    pytest.param({"reason": "stop_confirmation"}, {"window": False}, "window_closed", id="a confirmation of a STOP a day late"),
    pytest.param({"reason": "erasure_receipt"}, {"erasing": True, "restricted": True}, "allowed", id="the receipt of an erasure"),
    pytest.param({"reason": "erasure_receipt"}, {"erasing": True, "window": False}, "window_closed", id="a receipt outside the window"),
    pytest.param({"reason": "rights"}, {"restricted": True, "stopped": {"all": NOW}}, "allowed", id="an answer to a rights request"),
    pytest.param({"reason": "rights", "message": template("order_ready"), "category": "utility"}, {"window": False}, "allowed",
                 id="an answer to a rights request by template"),
    pytest.param({"reason": "rights"}, {"window": False}, "window_closed", id="a free answer to a rights request outside the window"),
    pytest.param({"reason": "notice"}, {}, "allowed", id="the privacy notice"),
    pytest.param({"reason": "notice", "category": "marketing"}, {}, "promotional", id="an advertising notice"),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "person", "expected"), SENDS)
def test_the_gate_decides(fields: dict[str, Any], person: dict[str, Any], expected: str) -> None:
    fields = dict(fields)
    assert code(decide(send(fields.pop("reason"), **fields), conversation(**person))) == expected


REQUESTED = Consent("requested", since=NOW - HOUR, expires=NOW + HOUR)
OPT_IN = {"purpose": "newsletter", "category": "utility"}


@pytest.mark.parametrize(
    ("consent", "person", "message", "expected"),
    [
        pytest.param(REQUESTED, {}, None, "allowed", id="in the chat"),
        pytest.param(replace(REQUESTED, state="pending_confirmation"), {}, None, "allowed", id="the second question"),
        pytest.param(REQUESTED, {"window": False}, "confirm_news", "allowed", id="by template, from the website"),
        pytest.param(REQUESTED, {"window": False}, "news", "promotional", id="with advertising"),
        pytest.param(replace(REQUESTED, expires=NOW), {}, None, "not_requested", id="a request that ran out"),
        pytest.param(Consent(), {}, None, "not_requested", id="nobody asked"),
        pytest.param(given(), {}, None, "not_requested", id="given already"),
        pytest.param(REQUESTED, {"restricted": True}, None, "restricted", id="a restricted person"),
        pytest.param(REQUESTED, {"stopped": {"all": NOW - DAY}}, None, "allowed", id="a stopped person who asks again in the chat"),
        pytest.param(REQUESTED, {"stopped": {"all": NOW}}, None, "stopped", id="a STOP after the request"),
        pytest.param(REQUESTED, {"stopped": {"all": NOW - DAY}, "window": False}, "confirm_news", "stopped",
                     id="a stopped person whose number somebody typed into the form"),
        pytest.param(REQUESTED, {"stopped": {"orders": NOW}, "window": False}, "confirm_news", "allowed", id="stopped for something else"),
        pytest.param(REQUESTED, {"paused_until": NOW + HOUR, "window": False}, "confirm_news", "held", id="after an unclear wish"),
        pytest.param(REQUESTED, {"paused_until": NOW + HOUR}, None, "allowed", id="in the chat after an unclear wish"),
    ],
)  # fmt: skip
def test_the_second_step_of_a_double_opt_in_goes_out(
    consent: Consent, person: dict[str, Any], message: str | None, expected: str
) -> None:
    asking = send("opt_in_confirmation", message=template(message) if message else None, **OPT_IN)
    assert code(decide(asking, conversation(consents={"newsletter": consent}, **person))) == expected


@pytest.mark.parametrize("scope", ["all", "marketing", "newsletter"])
def test_a_suppression_row_counts_like_the_flag(scope: str) -> None:
    verdict = decide(send(**NEWS), conversation(consents=LIVE), suppressed={scope: NOW})
    assert code(verdict) == "stopped"


@pytest.mark.parametrize("scope", ["all", "marketing", "newsletter"])
def test_two_fresh_yes_outweigh_an_older_no_for_that_purpose_alone(scope: str) -> None:
    """Stopped long ago, then confirmed the newsletter twice: the newsletter may come, nothing else may."""
    old = {scope: NOW - 900 * DAY}
    assert code(decide(send(**NEWS), conversation(consents=LIVE), suppressed=old)) == "allowed"
    if scope == "all":
        order = send("business", message=template("order_ready"), purpose="orders", category="utility")
        assert code(decide(order, conversation(consents=LIVE), suppressed=old)) == "stopped"


def test_a_stop_after_the_request_counts_although_an_older_one_stands() -> None:
    """Stopped, asked for it again in the chat, and stopped once more: only the first stop lies before the request."""
    person = conversation(consents={"newsletter": REQUESTED}, stopped={"all": NOW - DAY})
    assert code(decide(send("opt_in_confirmation", **OPT_IN), person, suppressed={"all": NOW})) == "stopped"


def test_a_suppressed_stranger_gets_no_confirmation_template_from_the_form() -> None:
    asking = send("opt_in_confirmation", message=template("confirm_news"), **OPT_IN)
    stranger = conversation(window=False, consents={"newsletter": REQUESTED})
    assert code(decide(asking, stranger, suppressed={"all": NOW - DAY})) == "stopped"


@pytest.mark.parametrize(
    ("reason", "fields", "sent", "expected"),
    [
        pytest.param(
            "business", {"purpose": "newsletter", "category": "marketing"}, 3, "allowed", id="the fourth newsletter"
        ),
        pytest.param(
            "business", {"purpose": "newsletter", "category": "marketing"}, 4, "capped", id="the fifth newsletter"
        ),
        pytest.param("business", {"purpose": "orders"}, 500, "allowed", id="no cap declared"),
        pytest.param("stop_confirmation", {}, 5, "capped", id="a sixth confirmation of a STOP in a day"),
        pytest.param("erasure_receipt", {}, 1, "capped", id="a second receipt"),
        pytest.param(
            "opt_in_confirmation", {"purpose": "tips"}, 2, "allowed", id="the third opt-in message in a month"
        ),
        pytest.param(
            "opt_in_confirmation", {"purpose": "tips"}, 3, "capped", id="the fourth opt-in message in a month"
        ),
        pytest.param("answer", {}, 500, "allowed", id="answers are not counted"),
    ],
)
def test_what_was_promised_is_not_exceeded(reason: str, fields: dict[str, Any], sent: int, expected: str) -> None:
    person = conversation(consents={"newsletter": given(), "tips": REQUESTED})
    assert code(decide(send(reason, **fields), person, sent=sent)) == expected


def test_the_caller_is_told_what_to_count() -> None:
    assert policy.limit(send(**NEWS), BUSINESS) == policy.Limit(4, timedelta(days=30))
    assert policy.limit(send("stop_confirmation"), BUSINESS) == policy.Limit(5, DAY)
    assert policy.limit(send("answer"), BUSINESS) is None
    assert policy.limit(send("business", purpose="raffle"), BUSINESS) is None


LATE = datetime(2026, 1, 15, 22, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "zone", "until"),
    [
        pytest.param(LATE, "Europe/Lisbon", datetime(2026, 1, 16, 8, tzinfo=UTC), id="before midnight"),
        pytest.param(LATE + 3 * HOUR, "Europe/Lisbon", datetime(2026, 1, 16, 8, tzinfo=UTC), id="after midnight"),
        pytest.param(LATE, "America/Sao_Paulo", None, id="evening here is afternoon there"),
        pytest.param(LATE, "Asia/Tokyo", datetime(2026, 1, 15, 23, tzinfo=UTC), id="morning there"),
        pytest.param(datetime(2026, 1, 16, 8, tzinfo=UTC), "Europe/Lisbon", None, id="the end is outside"),
        pytest.param(datetime(2026, 1, 16, 21, tzinfo=UTC), "Europe/Lisbon", datetime(2026, 1, 17, 8, tzinfo=UTC), id="the begin counts"),
        pytest.param(datetime(2026, 3, 28, 22, tzinfo=UTC), "Europe/Lisbon", datetime(2026, 3, 29, 7, tzinfo=UTC),
                     id="the night the clock goes forward"),
        pytest.param(datetime(2026, 10, 24, 21, tzinfo=UTC), "Europe/Lisbon", datetime(2026, 10, 25, 8, tzinfo=UTC),
                     id="the night the clock goes back"),
    ],
)  # fmt: skip
def test_nothing_comes_in_quiet_hours(now: datetime, zone: str, until: datetime | None) -> None:
    person = replace(conversation(consents={"newsletter": Consent("given")}), window_until=now + HOUR)
    verdict = decide(send(**NEWS), person, now=now, zone=ZoneInfo(zone))
    assert verdict == (Held(until) if until else Allowed())


def test_quiet_hours_that_end_in_the_repeated_hour_hold_until_they_are_really_over() -> None:
    """In Lisbon, 25 October 2026, the hour from one to two comes twice: quiet until 01:30 means the second time."""
    second_round = datetime(2026, 10, 25, 1, 10, tzinfo=UTC)
    assert policy.quiet_until("21:00-01:30", second_round, LISBON) == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


def test_an_answer_knows_no_quiet_hours() -> None:
    person = replace(conversation(), window_until=LATE + HOUR)
    assert decide(send("answer", purpose="newsletter"), person, now=LATE) == Allowed()


@pytest.mark.parametrize("declared", [{"quiet": "29:00-08:00"}, {"quiet": "21:99-08:00"}])
def test_a_rule_that_cannot_be_read_is_a_refusal(declared: dict[str, str]) -> None:
    purposes = BUSINESS_PLAIN["purposes"]
    plain = {**BUSINESS_PLAIN, "purposes": {**purposes, "newsletter": {**purposes["newsletter"], **declared}}}
    verdict = decide(send(**NEWS), conversation(consents=LIVE), business=Business.model_validate(plain))
    assert code(verdict) == "misdeclared"


def test_what_needs_no_consent_is_exactly_this_list_each_with_its_law() -> None:
    """Adding to the list is a decision about people's rights: it must change this test too."""
    assert sorted(policy.WITHOUT_CONSENT) == [
        "agent", "answer", "erasure_receipt", "notice", "opt_in_confirmation", "rights", "stop_confirmation",
    ]  # fmt: skip
    assert all("GDPR art." in kind.law for kind in policy.WITHOUT_CONSENT.values())


@pytest.mark.parametrize("reason", sorted(policy.WITHOUT_CONSENT))
def test_nothing_without_consent_is_promotional(reason: str) -> None:
    person = conversation(consents={"newsletter": REQUESTED})
    verdict = decide(send(reason, purpose="newsletter", category="marketing"), person)
    assert code(verdict) == "promotional"


@pytest.mark.parametrize(
    ("message", "needed"),
    [
        pytest.param(send(**NEWS), True, id="marketing"),
        pytest.param(send("business", purpose="orders"), True, id="an order's news"),
        pytest.param(send("opt_in_confirmation", purpose="newsletter"), True, id="a confirmation request"),
        pytest.param(send("notice"), True, id="the notice"),
        pytest.param(send("business", purpose="orders", category="authentication"), False, id="a one-time code"),
        pytest.param(send("answer"), False, id="an answer"),
        pytest.param(send("stop_confirmation"), False, id="a confirmation of a STOP"),
    ],
)
def test_the_way_out_stands_in_what_we_send_of_our_own_accord(message: Any, needed: bool) -> None:
    assert policy.way_out_needed(message) is needed


@pytest.mark.parametrize(
    ("language", "fields", "said"),
    [
        pytest.param("en", {"footer": {"en": "Write STOP to unsubscribe"}}, True, id="the word in the footer"),
        pytest.param("pt", {"languages": {"pt": "Novidades. PARAR para sair."}}, True, id="the word in the body"),
        pytest.param("pt", {"footer": {"pt": "Escreva STOP"}}, True, id="STOP is understood everywhere"),
        pytest.param("en", {"payloads": ["recado:stop:newsletter"]}, True, id="a button that stops"),
        pytest.param("en", {}, False, id="nothing"),
        pytest.param("en", {"footer": {"en": "Write us"}, "payloads": ["recado:buy"]}, False, id="other words"),
        pytest.param("pt", {"footer": {"en": "Write STOP"}}, False, id="the word in another language only"),
        pytest.param("en", {"languages": {"en": "Unstoppable news"}}, False, id="a word that holds the word"),
    ],
)
def test_a_template_of_our_own_accord_says_how_to_stop(language: str, fields: dict[str, Any], said: bool) -> None:
    plain = {"category": "marketing", "purpose": "newsletter", "languages": {language: "News"}, **fields}
    template = Template.model_validate(plain)
    assert policy.says_way_out(template, language) is said
    own = BUSINESS.model_copy(update={"templates": {**BUSINESS.templates, "news": template}})
    one = send(**(NEWS | {"message": TemplateMessage("news", language)}))
    verdict = decide(one, conversation(consents=LIVE), business=own)
    assert code(verdict) == ("allowed" if said else "no_way_out")


def test_refusals_name_nobody_and_nothing_of_the_business() -> None:
    """Their codes and words go into records and metrics."""
    for fields, person in [(one.values[0], one.values[1]) for one in SENDS]:
        plain = dict(fields)
        verdict = decide(send(plain.pop("reason"), **plain), conversation(**person))
        if isinstance(verdict, Refused):
            assert verdict.words
            assert "newsletter" not in verdict.words


# -- every combination, and every history of flags --------------------------------------------------------------------------


def truth(state: str, valid: bool, scope: str, restricted: bool, erasing: bool, paused: bool, window: bool) -> str:
    """The rule written a second time, as a lawyer would say it, for a newsletter as free text."""
    if erasing:
        return "erasing"
    if restricted:
        return "restricted"
    if scope in ("all", "marketing", "newsletter"):
        return "stopped"
    if state != "given" or not valid:
        return "no_consent"
    if not window:
        return "window_closed"
    return "held" if paused else "allowed"


@pytest.mark.parametrize("state", STATES)
def test_every_combination_of_consent_and_flags(state: str) -> None:
    yes_no = (True, False)
    for valid, scope, restricted, erasing, paused, window in product(
        yes_no, ("", "all", "marketing", "newsletter", "orders"), yes_no, yes_no, yes_no, yes_no
    ):
        consent = Consent(state, valid_until=NOW + DAY if valid else NOW - DAY)
        person = conversation(
            window=window, consents={"newsletter": consent}, stopped={scope: NOW - DAY} if scope else {},
            restricted=restricted, erasing=erasing, paused_until=NOW + HOUR if paused else None,
        )  # fmt: skip
        expected = truth(state, valid, scope, restricted, erasing, paused, window)
        assert code(decide(send(**NEWS), person)) == expected, (valid, scope, restricted, erasing, paused, window)


times = st.integers(-800, 800).map(lambda hours: NOW + hours * HOUR)
scopes = st.sampled_from(["all", "marketing", "newsletter", "tips", "similar", "orders", "survey", "unclear"])
consents = st.builds(
    Consent, st.sampled_from(STATES), since=st.none() | times, expires=st.none() | times, valid_until=st.none() | times
)
people = st.builds(
    Conversation, st.just("p"), restricted=st.booleans(), erasing=st.booleans(), paused_until=st.none() | times,
    window_until=st.none() | times, stopped=st.dictionaries(scopes, times, max_size=2),
    consents=st.dictionaries(st.sampled_from(sorted(BUSINESS.purposes)), consents),
)  # fmt: skip
messages = st.sampled_from([None, *(template(name) for name in BUSINESS.templates), template("unknown")])
sends = st.builds(
    lambda reason, purpose, category, message, expires, not_before: send(
        reason, purpose=purpose, category=category, message=message, expires=expires, not_before=not_before
    ),
    st.sampled_from(["business", *policy.WITHOUT_CONSENT, "other", ""]),
    st.sampled_from([*BUSINESS.purposes, "raffle", ""]),
    st.sampled_from([*policy.CATEGORIES, "other"]),
    messages, st.none() | times, st.none() | times,
)  # fmt: skip


@settings(max_examples=2000, deadline=None)
@for_all(sends, people, st.dictionaries(scopes, times, max_size=2), st.integers(0, 6))
def test_nothing_that_rests_on_consent_goes_out_without_it(
    message: Any, person: Conversation, rows: dict[str, datetime], sent: int
) -> None:
    """Whatever the flags: an allowed business send of a consent purpose has a live consent and nothing against it."""
    verdict = decide(message, person, suppressed=rows, sent=sent)
    if not isinstance(verdict, Allowed) or message.reason != "business":
        return
    purpose = BUSINESS.purposes[message.purpose]
    assert not person.restricted
    assert not person.erasing
    consent = person.consent(message.purpose)
    again = consent.since if consent.is_live(NOW) else None  # two fresh yes outweigh an older no (ADR 0011)
    standing = {
        scope for stops in (person.stopped, rows) for scope, since in stops.items() if not again or since >= again
    }
    assert not {"all", "unclear", message.purpose} & standing
    if purpose.sends == "marketing":
        assert "marketing" not in standing
    if purpose.basis in ("consent", "soft_opt_in"):
        assert person.consent(message.purpose).is_live(NOW)
        assert person.paused_until is None or person.paused_until <= NOW


@settings(max_examples=1000, deadline=None)
@for_all(sends, people, st.dictionaries(scopes, times, max_size=2))
def test_more_restraint_never_opens_the_gate(message: Any, person: Conversation, rows: dict[str, datetime]) -> None:
    """What is refused or held stays so when a STOP, a restriction or an erasure is added (except what belongs to them)."""
    if isinstance(decide(message, person, suppressed=rows), Allowed):
        return
    for stricter in (
        replace(person, stopped={**person.stopped, "all": NOW}),
        replace(person, restricted=True),
        replace(person, erasing=True),
    ):
        assert not isinstance(decide(message, stricter, suppressed=rows), Allowed)


@settings(max_examples=1000, deadline=None)
@for_all(sends, people)
def test_free_text_goes_out_only_within_the_window(message: Any, person: Conversation) -> None:
    if isinstance(decide(message, person), Allowed) and not hasattr(message.message, "language"):
        assert person.window_open(NOW)


@settings(max_examples=500, deadline=None)
@for_all(
    st.integers(0, 60 * 24 * 365),
    st.sampled_from(["Europe/Lisbon", "America/Sao_Paulo", "Australia/Lord_Howe", "Asia/Kathmandu"]),
)
def test_quiet_hours_end_in_the_future_and_outside_of_themselves(minutes: int, zone: str) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    until = policy.quiet_until("21:00-08:00", now, ZoneInfo(zone))
    if until is not None:
        assert now < until <= now + timedelta(hours=13)
        assert policy.quiet_until("21:00-08:00", until, ZoneInfo(zone)) is None


def test_codes_are_stable() -> None:
    """They stand in stored records; a rename loses old ones."""
    assert {one.value for one in Code} == {
        "unknown_reason", "unknown_purpose", "unknown_category", "unknown_template", "template_mismatch", "misdeclared", "expired",
        "erasing", "restricted", "stopped", "no_consent", "objected", "not_requested", "promotional", "window_closed", "capped",
        "unrecorded", "no_way_out", "template_stopped", "terms_changed",
    }  # fmt: skip
