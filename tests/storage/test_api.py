"""What the REST API keeps: keys, answers and the log of reads; each holds after a crash and under races."""

import asyncio
from datetime import timedelta

import pytest

from bot.privacy.access import ApiKey
from bot.storage.access_log import MongoAccessLog
from bot.storage.api_answers import LEASE, MongoAnswers
from bot.storage.api_keys import MongoApiKeys
from tests.storage.shelf import DAY, NOW, SECOND, Shelf

pytestmark = pytest.mark.mongo

KEY, BODY = "a" * 64, "b" * 64


async def test_a_key_lives_until_its_day_or_its_revocation(shelf: Shelf) -> None:
    keys = MongoApiKeys(shelf.mongo)
    assert not await keys.any_live(NOW)
    short = ApiKey("00000001", "shop", ("consents:read",), "h" * 64, NOW, NOW + DAY)
    long = ApiKey("00000002", "crm", ("messages:send",), "i" * 64, NOW)
    assert [await keys.add(one) for one in (short, long, short)] == [True, True, False]
    assert await keys.find("00000001") == short
    assert await keys.revoke("00000002", NOW)
    assert not await keys.revoke("00000002", NOW)
    assert await keys.any_live(NOW)
    assert not await keys.any_live(NOW + DAY)
    await keys.used("00000001", NOW.date())
    found = await keys.find("00000001")
    assert found is not None
    assert found.used_on == NOW.date()


async def test_of_many_at_once_one_begins(shelf: Shelf) -> None:
    answers = MongoAnswers(shelf.mongo)
    claims = await asyncio.gather(*(answers.claim(KEY, BODY, NOW) for _ in range(10)))
    assert sorted(one.state for one in claims) == ["mine", *["working"] * 9]
    [mine] = [one for one in claims if one.state == "mine"]
    await answers.keep(KEY, mine.token, 202, {"status": "accepted"})
    again = await answers.claim(KEY, BODY, NOW)
    assert (again.state, again.status, again.answer) == ("done", 202, {"status": "accepted"})
    assert (await answers.claim(KEY, "c" * 64, NOW)).state == "other"


async def test_what_a_crash_left_is_taken_over_once(shelf: Shelf) -> None:
    answers = MongoAnswers(shelf.mongo)
    lost = await answers.claim(KEY, BODY, NOW)
    assert (await answers.claim(KEY, BODY, NOW + LEASE - SECOND)).state == "working"
    later = NOW + LEASE + timedelta(seconds=1)
    claims = await asyncio.gather(*(answers.claim(KEY, BODY, later) for _ in range(5)))
    assert [one.state for one in claims].count("mine") == 1
    await answers.keep(KEY, lost.token, 409, {})  # comes back after all, and changes nothing
    assert (await answers.claim(KEY, BODY, later)).state == "working"


async def test_what_was_dropped_may_begin_anew(shelf: Shelf) -> None:
    answers = MongoAnswers(shelf.mongo)
    first = await answers.claim(KEY, BODY, NOW)
    await answers.drop(KEY, "another")
    assert (await answers.claim(KEY, BODY, NOW)).state == "working"
    await answers.drop(KEY, first.token)
    assert (await answers.claim(KEY, BODY, NOW)).state == "mine"


async def test_a_read_stands_in_the_persons_copy(shelf: Shelf) -> None:
    """Who looked at their data is theirs to know (GDPR art. 15)."""
    person = await shelf.somebody()
    subject = await shelf.subjects.find(person)
    assert subject is not None
    log = MongoAccessLog(shelf.mongo)
    await log.note(by="00000001", name="shop", what="GET /requests", why="a letter", subject=subject.ref, now=NOW)
    await log.note(by="00000001", name="shop", what="GET /requests", why="a letter", subject="", now=NOW)
    rows = await shelf.copies.rows_of(person)
    assert [row["why"] for row in rows["access_log"]] == ["a letter"]
