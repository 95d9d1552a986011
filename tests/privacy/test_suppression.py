"""What a stop covers, how long it is remembered, what renews and what lifts it."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.privacy import suppression
from tests.privacy.sample import DAY, NOW


@pytest.mark.parametrize(
    ("scope", "purpose", "category", "covered"),
    [
        pytest.param("all", "orders", "utility", True, id="all covers everything"),
        pytest.param("all", "", "service", True, id="all covers what has no purpose"),
        pytest.param("marketing", "newsletter", "marketing", True, id="marketing covers marketing"),
        pytest.param("marketing", "orders", "utility", False, id="marketing covers no order"),
        pytest.param("newsletter", "newsletter", "marketing", True, id="a purpose covers itself"),
        pytest.param("newsletter", "tips", "marketing", False, id="a purpose covers no other"),
        pytest.param("unclear", "orders", "utility", True, id="an unclear stop counts as all"),
        pytest.param("", "orders", "utility", True, id="a stop of nothing counts as all"),
    ],
)
def test_a_scope_covers(scope: str, purpose: str, category: str, covered: bool) -> None:
    assert suppression.covers(scope, purpose=purpose, category=category) is covered


def test_the_latest_of_several_sources_counts() -> None:
    flags, rows = {"all": NOW - DAY}, {"all": NOW, "tips": NOW}
    assert suppression.standing(flags, rows) == suppression.standing(rows, flags) == {"all": NOW, "tips": NOW}


def test_the_widest_scope_is_named() -> None:
    scopes = ["newsletter", "marketing", "all"]
    assert suppression.first_cover(scopes, purpose="newsletter", category="marketing") == "all"
    assert suppression.first_cover(scopes[:2], purpose="newsletter", category="marketing") == "marketing"
    assert suppression.first_cover(["orders"], purpose="newsletter", category="marketing") is None


def test_a_stop_stands_three_years_after_it_was_last_needed() -> None:
    years = timedelta(days=3 * 365)
    assert suppression.is_standing(NOW, None, NOW + years - DAY)
    assert not suppression.is_standing(NOW, None, NOW + years)
    assert suppression.is_standing(NOW, NOW + 100 * DAY, NOW + years)


def test_a_hit_renews_at_most_monthly() -> None:
    assert suppression.renewal(NOW, None, NOW + 29 * DAY) is None
    assert suppression.renewal(NOW, None, NOW + 30 * DAY) == NOW + 30 * DAY
    assert suppression.renewal(NOW, NOW + 30 * DAY, NOW + 45 * DAY) is None


@pytest.mark.parametrize(
    ("purposes", "lifted"),
    [
        pytest.param(
            ["newsletter"], ("all", "marketing", "newsletter"), id="a marketing purpose lifts itself and the wide ones"
        ),
        pytest.param(["tips"], ("all", "tips"), id="another purpose leaves marketing stopped"),
        pytest.param([], (), id="nothing agreed to lifts nothing"),
    ],
)
def test_a_fresh_double_opt_in_lifts(purposes: list[str], lifted: tuple[str, ...]) -> None:
    standing = ["all", "marketing", "newsletter", "tips"]
    assert suppression.lifted_by(purposes, standing, marketing=["newsletter"]) == lifted


@settings(deadline=None)
@given(st.lists(st.integers(0, 2000), max_size=30))
def test_hits_never_shorten_and_are_written_at_most_monthly(days: list[int]) -> None:
    hit = None
    writes = 0
    for day in sorted(days):
        before = suppression.expires_at(NOW, hit)
        renewed = suppression.renewal(NOW, hit, NOW + day * DAY)
        if renewed is not None:
            writes += 1
            hit = renewed
        assert suppression.expires_at(NOW, hit) >= before
    assert writes <= 2000 / 30
