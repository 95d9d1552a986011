"""What the website's form says, what is read of what was typed, and what its confirming message shows."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.domain.business import Business, purpose_hash
from bot.domain.command import Send
from bot.domain.conversation import Conversation
from bot.domain.ids import CommandId, PersonId
from bot.domain.opt_in import OptInRequest
from bot.privacy import notice
from bot.privacy.opt_in import (
    PER_CLIENT,
    Form,
    as_the_gate_sees,
    client_group,
    confirmation,
    form,
    read,
    read_token,
    window_of,
)
from bot.privacy.policy import OPT_IN, Allowed, Code, Limit, Refused, decide
from tests.privacy.sample import BUSINESS_PLAIN, NOW, PERSON

CONFIRM = {
    "category": "utility", "purpose": "newsletter", "languages": {"en": "Do you want {{1}}?", "pt": "Quer {{1}}?"},
    "footer": {"en": "Write STOP"}, "buttons": {"en": ["Yes", "Not me"], "pt": ["Sim", "Não fui eu"]},
    "payloads": ["recado:opt-in:yes", "recado:opt-in:not-me"],
}  # fmt: skip


def declared(template: dict[str, Any] | None = None, website: dict[str, Any] | None = None) -> Business:
    plain = BUSINESS_PLAIN | {
        "country": "PT",
        "templates": BUSINESS_PLAIN["templates"] | {"confirm": CONFIRM | (template or {})},
        "website": {"purposes": ["newsletter"], "template": "confirm"} | (website or {}),
    }
    return Business.model_validate(plain)


BUSINESS = declared()
PURPOSE = BUSINESS.purposes["newsletter"]


def made(business: Business = BUSINESS) -> Form:
    shown = notice.render(business, "en", lambda text: text)
    return form(business, shown, lambda text: text, stop_word="STOP", link=f"/privacy/en/{shown.hash}")


FORM = made()
REQUEST = OptInRequest(
    "a" * 32, "newsletter", "en", NOW, NOW + timedelta(hours=48), "website", FORM.version, FORM.notice_hash, purpose_hash(PURPOSE)
)  # fmt: skip


def sent(**fields: Any) -> dict[str, list[str]]:
    plain = {"version": FORM.version, "number": "+351 912 345 678", "purpose": "newsletter"} | fields
    return {name: value if isinstance(value, list) else [value] for name, value in plain.items() if value is not None}


def test_the_form_says_who_what_and_how_to_take_it_back_before_anything_is_agreed_to() -> None:
    """GDPR art. 7(2)-(3), 13: the words a person saw are whole in the evidence."""
    words = FORM.wording(FORM.boxes[0])
    assert "Casa do Pão" in words
    assert "our newsletter" in words
    assert "write STOP in the chat" in words
    assert f"/privacy/en/{FORM.notice_hash}" in words
    assert "[ ] Yes" in words
    assert len(FORM.boxes) == 1


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"name": "Another"}, id="the business"),
        pytest.param({"country": "ES"}, id="the country"),
        pytest.param({"notice": BUSINESS_PLAIN["notice"] | {"retention": "longer"}}, id="the notice"),
    ],
)
def test_other_words_are_another_version(change: dict[str, Any]) -> None:
    plain = BUSINESS.model_dump() | change
    assert made(Business.model_validate(plain)).version != FORM.version


@pytest.mark.parametrize(
    ("fields", "problems"),
    [
        pytest.param(sent(), [], id="all well"),
        pytest.param(sent(number="912 345 678"), [], id="without the country code, in the business's country"),
        pytest.param(sent(number="  +44 7700 900123 "), [], id="of another country"),
        pytest.param(sent(number="٩١٢٣٤٥٦٧٨"), [], id="in other digits"),
        pytest.param(sent(purpose=None), ["purpose"], id="nothing ticked"),
        pytest.param(sent(purpose="orders"), ["purpose"], id="a purpose the form does not offer"),
        pytest.param(sent(number=""), ["number"], id="no number"),
        pytest.param(sent(number=None), ["number"], id="no number field"),
        pytest.param(sent(number="12"), ["number"], id="too short"),
        pytest.param(sent(number="+999 123 456 789"), ["number"], id="no such country"),
        pytest.param(sent(number="call me"), ["number"], id="letters"),
        pytest.param(sent(number="+351 912 345 678 ext. 9"), ["number"], id="an extension"),
        pytest.param(sent(number="1" * 5000), ["number"], id="very long"),
        pytest.param(sent(number="<script>alert(1)</script>"), ["number"], id="markup"),
        pytest.param(sent(number="", purpose=None), ["purpose", "number"], id="nothing at all"),
        pytest.param(sent(version="old"), [""], id="words that have changed"),
        pytest.param(sent(version=None), [""], id="no version"),
    ],
)
def test_what_is_read_of_a_form(fields: dict[str, list[str]], problems: list[str]) -> None:
    filled = read(FORM, fields)
    assert [one.field for one in filled.problems] == problems
    assert bool(filled.number) == (not problems or problems == ["purpose"])
    assert all(one.words for one in filled.problems)
    assert len(filled.typed) <= 64


def test_whoever_read_other_words_ticks_again() -> None:
    """What was typed stays, the tick does not: it was for other words (GDPR art. 7(1))."""
    filled = read(FORM, sent(version="old"))
    assert (filled.typed, filled.ticked) == ("+351 912 345 678", ())


@given(
    st.dictionaries(st.sampled_from(["number", "purpose", "version", "token", "lang"]), st.lists(st.text(), max_size=3))
)
def test_no_form_whatever_it_holds_makes_the_reading_fail(fields: dict[str, list[str]]) -> None:
    filled = read(FORM, fields)
    assert filled.problems or (filled.number and filled.ticked)
    assert len(read_token(fields)) in (0, 32)


def test_a_problem_never_repeats_the_number() -> None:
    """The page shows it in its field only; words may end up in logs and titles."""
    assert all("912345" not in one.words for one in read(FORM, sent(number="912345")).problems)


def test_the_confirming_message_carries_the_purpose_and_its_own_buttons() -> None:
    message, words = confirmation(BUSINESS, REQUEST, lambda text: text)
    assert (message.name, message.language, message.parameters) == ("confirm", "en", ("our newsletter",))
    assert message.buttons == (f"recado:opt-in:yes:{REQUEST.id}", f"recado:opt-in:not-me:{REQUEST.id}")
    assert words == "Do you want our newsletter?\nWrite STOP\n[Yes]\n[Not me]"


@pytest.mark.parametrize(
    ("language", "used"),
    [
        pytest.param("pt", "pt", id="its own"),
        pytest.param("pt-BR", "pt", id="its base"),
        pytest.param("de", "en", id="none: the first"),
    ],
)
def test_the_confirming_message_is_in_the_pages_language(language: str, used: str) -> None:
    assert confirmation(BUSINESS, replace(REQUEST, language=language), lambda text: text)[0].language == used


@pytest.mark.parametrize(
    ("template", "website"),
    [
        pytest.param({}, {"purposes": ["orders"]}, id="a purpose without consent"),
        pytest.param({}, {"purposes": ["tips"]}, id="a consent with one yes"),
        pytest.param({}, {"purposes": ["nothing"]}, id="an unknown purpose"),
        pytest.param({}, {"purposes": []}, id="no purpose"),
        pytest.param({}, {"template": "nothing"}, id="an unknown template"),
        pytest.param({"category": "marketing"}, {}, id="a marketing template"),
        pytest.param({"category": "authentication"}, {}, id="an authentication template"),
        pytest.param({"payloads": ["recado:opt-in:yes", "x"]}, {}, id="no way to say: not me"),
        pytest.param({"payloads": []}, {}, id="no payloads"),
        pytest.param({"buttons": {"en": ["Yes", "Not me"]}}, {}, id="no buttons in one language"),
        pytest.param({"languages": {"en": "{{2}}", "pt": "x"}}, {}, id="a value nobody fills in"),
    ],
)
def test_a_form_that_could_not_be_asked_twice_or_proven_is_refused(
    template: dict[str, Any], website: dict[str, Any]
) -> None:
    with pytest.raises(ValidationError, match=r"website|template|purpose"):
        declared(template, website)


# -- limits ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "group"),
    [
        pytest.param("192.0.2.7", "192.0.2.7", id="IPv4"),
        pytest.param("::ffff:192.0.2.7", "192.0.2.7", id="IPv4 in IPv6"),
        pytest.param("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", id="IPv6: the subscriber's network"),
        pytest.param("unknown", "", id="no address"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_what_counts_as_one_client(address: str, group: str) -> None:
    assert client_group(address) == group


@given(st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1)), st.integers(1, 100_000))  # noqa: DTZ001
def test_a_stretch_of_time_ends_after_now_and_within_its_length(moment: datetime, seconds: int) -> None:
    now, limit = moment.replace(tzinfo=UTC), Limit(1, timedelta(seconds=seconds))
    number, ends = window_of(now, limit)
    assert now < ends <= now + limit.period + timedelta(seconds=1)
    assert window_of(ends + timedelta(milliseconds=1), limit)[0] > number


def test_a_machine_is_slowed_long_before_it_does_harm() -> None:
    assert PER_CLIENT.most <= 20


# -- the gate -------------------------------------------------------------------------------------------------------------


def verdict(conversation: Conversation, *, sent_before: int = 0, now: datetime = NOW, **suppressed: datetime) -> object:
    message, _ = confirmation(BUSINESS, REQUEST, lambda text: text)
    send = Send(CommandId(REQUEST.id), OPT_IN, message, "newsletter", "utility", expires=REQUEST.expires)
    return decide(
        send, as_the_gate_sees(conversation, REQUEST), BUSINESS, now=now, zone=UTC, sent_in_period=sent_before,
        suppressed=suppressed,
    )  # fmt: skip


STRANGER = Conversation(PersonId(REQUEST.id))
EARLIER = NOW - timedelta(hours=1)


@pytest.mark.parametrize(
    ("conversation", "facts", "code"),
    [
        pytest.param(STRANGER, {}, None, id="a stranger"),
        pytest.param(STRANGER, {"sent_before": 2}, None, id="two messages before"),
        pytest.param(STRANGER, {"sent_before": 3}, Code.CAPPED, id="three messages before"),
        pytest.param(STRANGER, {"all": EARLIER}, Code.STOPPED, id="a number that stopped"),
        pytest.param(STRANGER, {"marketing": EARLIER}, Code.STOPPED, id="a number that was not them"),
        pytest.param(STRANGER, {"newsletter": EARLIER}, Code.STOPPED, id="a number that left this newsletter"),
        pytest.param(STRANGER, {"now": REQUEST.expires}, Code.EXPIRED, id="too late"),
        pytest.param(
            Conversation(PERSON, stopped={"all": EARLIER}, window_until=NOW + timedelta(hours=9)), {}, Code.STOPPED,
            id="somebody who stopped within the last day: a form is not their own words",
        ),
        pytest.param(Conversation(PERSON, restricted=True), {}, Code.RESTRICTED, id="somebody restricted"),
        pytest.param(Conversation(PERSON, erasing=True), {}, Code.ERASING, id="somebody who is being erased"),
    ],
)  # fmt: skip
def test_the_gate_on_a_websites_request(conversation: Conversation, facts: dict[str, Any], code: Code | None) -> None:
    found = verdict(conversation, **facts)
    assert isinstance(found, Allowed) if code is None else isinstance(found, Refused) and found.code is code
