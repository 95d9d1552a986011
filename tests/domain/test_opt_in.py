"""When an answer to a website's request decides, and what the buttons of its message say."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.consent import EXPIRED, GIVEN, PENDING, REFUSED, REQUESTED, STATES, WITHDRAWN, Consent
from bot.domain.opt_in import KINDS, OptInRequest, counts, payload, read_payload

NOW = datetime(2026, 5, 4, 12, 0, 0, 500_000, tzinfo=UTC)
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
REQUEST = OptInRequest("a" * 32, "newsletter", "en", NOW, NOW + 48 * HOUR, "website", "f", "n", "p")
EARLIER = NOW - HOUR


@pytest.mark.parametrize(
    ("consent", "stops", "said_at", "played_at", "decides"),
    [
        pytest.param(Consent(), [], NOW + HOUR, NOW + HOUR, True, id="in time"),
        pytest.param(Consent(), [], NOW + 48 * HOUR - SECOND, NOW + 48 * HOUR - SECOND, True, id="in the last second"),
        pytest.param(Consent(), [], NOW + 48 * HOUR, NOW + 48 * HOUR, False, id="at its very end"),
        pytest.param(Consent(), [], NOW + HOUR, NOW + 49 * HOUR, False, id="said in time, delivered too late"),
        pytest.param(Consent(), [], NOW + 49 * HOUR, NOW + HOUR, False, id="dated after its end"),
        pytest.param(Consent(), [EARLIER], NOW + HOUR, NOW + HOUR, False, id="a stop from before the form"),
        pytest.param(Consent(), [NOW + HOUR], NOW + HOUR, NOW + HOUR, False, id="a stop in the second of the answer"),
        pytest.param(Consent(WITHDRAWN, EARLIER), [], NOW + HOUR, NOW + HOUR, True, id="withdrawn before the form"),
        pytest.param(Consent(REFUSED, EARLIER), [], NOW + HOUR, NOW + HOUR, True, id="refused before the form"),
        pytest.param(Consent(EXPIRED, EARLIER), [], NOW + HOUR, NOW + HOUR, True, id="expired before the form"),
        pytest.param(
            Consent(WITHDRAWN, NOW + SECOND), [], NOW + HOUR, NOW + HOUR, False, id="withdrawn after the form"
        ),
        pytest.param(
            Consent(WITHDRAWN, NOW.replace(microsecond=0)),
            [],
            NOW + HOUR,
            NOW + HOUR,
            False,
            id="withdrawn in its second",
        ),
        pytest.param(Consent(REFUSED, NOW + SECOND), [], NOW + HOUR, NOW + HOUR, False, id="refused after the form"),
        pytest.param(Consent(REQUESTED, NOW + SECOND), [], NOW + HOUR, NOW + HOUR, False, id="asked in the chat since"),
        pytest.param(
            Consent(PENDING, NOW + SECOND), [], NOW + HOUR, NOW + HOUR, False, id="half answered in the chat since"
        ),
        pytest.param(Consent(GIVEN, EARLIER), [], NOW + HOUR, NOW + HOUR, True, id="given before the form and over"),
    ],
)
def test_what_an_answer_decides(
    consent: Consent, stops: list[datetime], said_at: datetime, played_at: datetime, decides: bool
) -> None:
    assert counts(REQUEST, consent, stops, said_at=said_at, now=played_at) is decides


moments = st.integers(-100, 100).map(lambda hours: NOW + hours * HOUR)


@given(st.sampled_from(STATES), moments, st.lists(moments, max_size=2), moments, moments)
def test_one_more_stop_or_a_later_word_never_makes_an_answer_count(
    state: str, since: datetime, stops: list[datetime], said_at: datetime, played_at: datetime
) -> None:
    """Whatever restricts, comes later or is added to what is known can only take a yes away."""
    decided = counts(REQUEST, Consent(state, since), stops, said_at=said_at, now=played_at)
    later = Consent(state, since + HOUR)
    assert decided >= counts(REQUEST, later, stops, said_at=said_at, now=played_at)
    assert decided >= counts(REQUEST, Consent(state, since), stops, said_at=said_at + HOUR, now=played_at)
    assert decided >= counts(REQUEST, Consent(state, since), [*stops, since], said_at=said_at, now=played_at)
    assert not (decided and (stops or max(said_at, played_at) >= REQUEST.expires))


@pytest.mark.parametrize("kind", KINDS)
def test_a_button_is_read_as_it_was_written(kind: str) -> None:
    assert read_payload(payload(kind, REQUEST.id)) == (kind, REQUEST.id)


@pytest.mark.parametrize(
    "option",
    [
        pytest.param("", id="nothing"),
        pytest.param("recado:stop:newsletter", id="another button of ours"),
        pytest.param("recado:opt-in:yes", id="without a request"),
        pytest.param("recado:opt-in:yes:", id="with an empty one"),
        pytest.param(f"recado:opt-in:maybe:{REQUEST.id}", id="an unknown kind"),
        pytest.param(f"yes:{REQUEST.id}", id="without our name"),
    ],
)
def test_what_is_no_button_of_ours(option: str) -> None:
    assert read_payload(option) is None


def test_the_words_of_a_request_never_show_in_logs() -> None:
    shown = OptInRequest(
        "a", "b", "en", NOW, NOW, "website", "f", "n", "p", "t", "secret words", "secret label", "secret"
    )
    assert "secret" not in repr(shown)
