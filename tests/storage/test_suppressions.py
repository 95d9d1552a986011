"""Who wants no messages: found under every spelling, outliving the person, and never in clear."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest

from bot.domain.command import Suppress
from bot.domain.ids import Address, Bsuid, PhoneNumber
from bot.privacy.suppression import LASTS
from tests.storage.shelf import ADDRESS, BSUID, DAY, NOW, NUMBER, SECRETS, Shelf, Ticking

pytestmark = pytest.mark.mongo

Process = Callable[..., Shelf]

PHONE = PhoneNumber(NUMBER)
STOP = Suppress("all", NOW, "keyword")


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param(Address(phone=PHONE), id="by the number alone"),
        pytest.param(Address(bsuid=Bsuid(BSUID)), id="by the user id alone"),
        pytest.param(Address(phone=PHONE, bsuid=Bsuid("GB.99110022003300440055")), id="by the number's new owner"),
    ],
)
async def test_a_stop_stands_under_every_identity(shelf: Shelf, process: Process, asked: Address) -> None:
    await shelf.suppressions.suppress(ADDRESS, [STOP, Suppress("newsletter", NOW - DAY, "keyword")])
    assert await process().suppressions.standing(asked) == {"all": NOW, "newsletter": NOW - DAY}


async def test_a_stop_stands_under_the_other_spelling_of_a_number(shelf: Shelf) -> None:
    await shelf.suppressions.suppress(Address(phone=PhoneNumber("+551187654321")), [STOP])
    assert await shelf.suppressions.standing(Address(phone=PhoneNumber("+5511987654321"))) == {"all": NOW}


async def test_nobody_else_is_suppressed(shelf: Shelf) -> None:
    await shelf.suppressions.suppress(ADDRESS, [STOP])
    assert await shelf.suppressions.standing(Address(phone=PhoneNumber("+447700900123"))) == {}


async def test_twenty_stops_at_once_are_one(shelf: Shelf, process: Process) -> None:
    """Two processes write the same rows at the same time, and the latest wish counts."""
    shelves = [shelf, process()]
    stops = [Suppress("all", NOW + timedelta(seconds=number), "keyword") for number in range(20)]
    await asyncio.gather(*(shelves[n % 2].suppressions.suppress(ADDRESS, [one]) for n, one in enumerate(stops)))
    assert await shelf.suppressions.standing(ADDRESS) == {"all": stops[-1].since}
    assert len(await shelf.rows("suppressions")) == 2


async def test_an_older_wish_does_not_move_a_newer_one_back(shelf: Shelf) -> None:
    await shelf.suppressions.suppress(ADDRESS, [STOP])
    await shelf.suppressions.suppress(ADDRESS, [Suppress("all", NOW - DAY, "import")])
    assert await shelf.suppressions.standing(ADDRESS) == {"all": NOW}


async def test_a_fresh_yes_lifts_only_what_it_covers(shelf: Shelf) -> None:
    await shelf.suppressions.suppress(ADDRESS, [STOP, Suppress("tips", NOW, "keyword")])
    for _ in range(2):
        await shelf.suppressions.lift(ADDRESS, ["all", "newsletter"])
    assert await shelf.suppressions.standing(ADDRESS) == {"tips": NOW}


async def test_a_stop_ends_three_years_after_it_was_last_needed(shelf: Shelf, clock: Ticking) -> None:
    """Being asked for renews it, at most once a month (decisions.md 39)."""
    await shelf.suppressions.suppress(ADDRESS, [STOP])
    clock.time = NOW + timedelta(days=29)
    await shelf.suppressions.standing(ADDRESS)
    assert {row["expires"] for row in await shelf.rows("suppressions")} == {NOW + LASTS}
    clock.time = NOW + timedelta(days=60)
    assert await shelf.suppressions.standing(ADDRESS) == {"all": NOW}
    assert {row["expires"] for row in await shelf.rows("suppressions")} == {clock.time + LASTS}
    clock.time += LASTS
    assert await shelf.suppressions.standing(ADDRESS) == {}


async def test_rows_hold_nobody_in_clear(shelf: Shelf) -> None:
    await shelf.suppressions.suppress(ADDRESS, [STOP])
    text = repr(await shelf.rows("suppressions"))
    assert [secret for secret in SECRETS if secret in text] == []


async def test_a_stop_outlives_the_person(shelf: Shelf) -> None:
    """The rows do not need the person's key, and are found when the number writes again (GDPR art. 21(3), 17(3)(b))."""
    person = await shelf.somebody()
    await shelf.suppressions.suppress(ADDRESS, [STOP])
    await shelf.subjects.destroy(person)
    assert await shelf.suppressions.standing(Address(phone=PHONE)) == {"all": NOW}
