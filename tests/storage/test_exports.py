"""Copies that people may fetch once: neither link nor code stands in the database, and the copy goes with the fetching."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest

from bot.domain.errors import Unreadable
from bot.domain.ids import CommandId, PersonId
from bot.storage.exports import AGAIN_WITHIN, LASTS, TRIES, MongoExports
from tests.storage.shelf import NOW, Shelf

pytestmark = pytest.mark.mongo

TOKEN, CODE, COMMAND = "5a" * 16, "271828", CommandId("c" * 32)
FILE = b"PK and all that is known about Anabela"


async def kept(shelf: Shelf, *, token: str = TOKEN) -> tuple[MongoExports, PersonId]:
    exports = MongoExports(shelf.mongo, shelf.subjects)
    person = await shelf.somebody()
    await exports.put(person, COMMAND, FILE, token=token, code=CODE, language="pt", now=NOW)
    return exports, person


async def test_it_is_fetched_once_and_is_gone_then(shelf: Shelf) -> None:
    exports, _ = await kept(shelf)
    found = await exports.fetch(TOKEN, CODE, NOW)
    await exports.handed_over(TOKEN)
    assert found is not None
    assert (found.document, found.language) == (FILE, "pt")
    assert await exports.fetch(TOKEN, CODE, NOW) is None
    [row] = await shelf.rows("exports")
    assert "p" not in row
    assert row["fetched_at"] == NOW


async def test_neither_link_nor_code_nor_content_can_be_read_from_the_row(shelf: Shelf) -> None:
    await kept(shelf)
    [row] = await shelf.rows("exports")
    assert [secret for secret in (TOKEN, CODE, "Anabela") if secret in repr(row)] == []


async def test_after_a_few_wrong_codes_the_right_one_comes_too_late(shelf: Shelf) -> None:
    exports, _ = await kept(shelf)
    for n in range(TRIES):
        assert await exports.fetch(TOKEN, f"{n:06}", NOW) is None
    assert await exports.fetch(TOKEN, CODE, NOW) is None


@pytest.mark.parametrize(
    ("later", "there"),
    [
        pytest.param(LASTS - timedelta(seconds=1), True, id="just in time"),
        pytest.param(LASTS, False, id="just too late"),
    ],
)
async def test_a_link_ends(shelf: Shelf, later: timedelta, *, there: bool) -> None:
    exports, _ = await kept(shelf)
    assert (await exports.fetch(TOKEN, CODE, NOW + later) is not None) is there


async def test_a_new_link_of_the_same_request_ends_the_old_one(shelf: Shelf) -> None:
    exports, person = await kept(shelf)
    await exports.put(person, COMMAND, FILE, token="6b" * 16, code=CODE, language="pt", now=NOW)
    assert await exports.fetch(TOKEN, CODE, NOW) is None
    assert await exports.fetch("6b" * 16, CODE, NOW) is not None


async def test_two_who_hold_the_code_at_once_get_one_copy(shelf: Shelf) -> None:
    exports, _ = await kept(shelf)
    found = await asyncio.gather(*(exports.fetch(TOKEN, CODE, NOW) for _ in range(TRIES)))
    assert sum(one is not None for one in found) == 1


async def test_with_the_persons_key_the_copy_goes_too(shelf: Shelf, process: Callable[[], Shelf]) -> None:
    _, person = await kept(shelf)
    await shelf.subjects.destroy(person)
    fresh = process()
    exports = MongoExports(fresh.mongo, fresh.subjects)
    assert await exports.fetch(TOKEN, CODE, NOW) is None
    with pytest.raises(Unreadable):
        await exports.put(person, COMMAND, FILE, token=TOKEN, code=CODE, language="pt", now=NOW)


async def test_one_that_broke_off_is_fetched_once_more_and_soon(shelf: Shelf) -> None:
    exports, _ = await kept(shelf)
    assert await exports.fetch(TOKEN, CODE, NOW) is not None
    assert await exports.fetch(TOKEN, CODE, NOW) is None, "not while it is under way"
    await exports.broke_off(TOKEN)
    assert await exports.fetch(TOKEN, "000000", NOW) is None, "the code is asked for again"
    again = await exports.fetch(TOKEN, CODE, NOW + AGAIN_WITHIN / 2)
    assert again is not None
    assert again.document == FILE
    await exports.broke_off(TOKEN)
    assert await exports.fetch(TOKEN, CODE, NOW + AGAIN_WITHIN / 2) is None, "once"


async def test_one_that_broke_off_is_over_after_ten_minutes(shelf: Shelf) -> None:
    exports, _ = await kept(shelf)
    assert await exports.fetch(TOKEN, CODE, NOW) is not None
    await exports.broke_off(TOKEN)
    assert await exports.fetch(TOKEN, CODE, NOW + AGAIN_WITHIN) is None


async def test_what_was_handed_over_does_not_come_again(shelf: Shelf) -> None:
    exports, _ = await kept(shelf)
    assert await exports.fetch(TOKEN, CODE, NOW) is not None
    await exports.handed_over(TOKEN)
    await exports.broke_off(TOKEN)
    assert await exports.fetch(TOKEN, CODE, NOW) is None
    [row] = await shelf.rows("exports")
    assert "p" not in row
