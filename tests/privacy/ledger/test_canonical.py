"""One spelling of JSON (RFC 8785), and what has none is refused."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from bot.domain.errors import Unreadable
from bot.privacy.ledger.canonical import canonical, moment


@pytest.mark.parametrize(
    ("value", "spelt"),
    [
        pytest.param({"b": 1, "a": 2}, '{"a":2,"b":1}', id="names are sorted"),
        pytest.param({"\u20ac": 1, "\r": 2, "1": 4, "\U0001f600": 5, "\u0080": 6, "\u00f6": 7},
                     '{"\\r":2,"1":4,"\u0080":6,"\u00f6":7,"\u20ac":1,"\U0001f600":5}', id="by UTF-16 units, RFC 8785 3.2.3"),
        pytest.param({"\U0001f600": 1, "\ufb33": 2}, '{"\U0001f600":1,"\ufb33":2}', id="an emoji before a presentation form"),
        pytest.param([333333333.33333329, 1e30, 4.5, 2e-3, 1e-27],
                     "[333333333.3333333,1e+30,4.5,0.002,1e-27]", id="numbers, RFC 8785 3.2.2"),
        pytest.param('\u20ac$\u000f\nA\'B"\\\\"/', '"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"', id="strings, RFC 8785 3.2.2"),
        pytest.param([None, True, False], "[null,true,false]", id="literals"),
        pytest.param(b"\x00\xff", '"00ff"', id="bytes are hex"),
    ],
)  # fmt: skip
def test_a_value_has_one_spelling(value: object, spelt: str) -> None:
    assert canonical(value) == spelt.encode()


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(float("nan"), id="not a number"),
        pytest.param(float("inf"), id="infinity"),
        pytest.param(2**53, id="an integer other readers would round"),
        pytest.param("\ud800", id="half a character"),
    ],
)
def test_what_has_no_spelling_is_refused(value: object) -> None:
    with pytest.raises(Unreadable, match="canonical"):
        canonical([value])


def test_a_moment_is_told_in_utc_with_milliseconds() -> None:
    """The same instant in another zone is the same text; over a change of the clocks too."""
    here = datetime(2026, 10, 25, 1, 30, 0, 7000, tzinfo=UTC)
    assert moment(here) == moment(here.astimezone(timezone(timedelta(hours=2)))) == "2026-10-25T01:30:00.007Z"
    with pytest.raises(ValueError, match="zone"):
        moment(here.replace(tzinfo=None))
