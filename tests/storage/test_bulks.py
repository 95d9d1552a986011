"""Group commit: what waits goes together, each write keeps its own outcome, and what cannot be written harms no other."""

import asyncio
import collections
from collections.abc import Iterator
from typing import Any

import pymongo.monitoring
import pytest
from pymongo.errors import PyMongoError

from bot.domain.conversation import Conversation
from bot.domain.ids import Address, PersonId, PhoneNumber
from bot.runtime.ports import Commit, Stored
from bot.storage.bulks import Bulks
from tests.storage.shelf import NOW, Shelf, event, following, lease, send, turn

pytestmark = pytest.mark.mongo


class Trips(pymongo.monitoring.CommandListener):
    """Counts what goes to the database."""

    def __init__(self) -> None:
        self.count: collections.Counter[str] = collections.Counter()

    def started(self, event: pymongo.monitoring.CommandStartedEvent) -> None:
        self.count[event.command_name] += 1

    def succeeded(self, event: pymongo.monitoring.CommandSucceededEvent) -> None: ...

    def failed(self, event: pymongo.monitoring.CommandFailedEvent) -> None: ...


TRIPS = Trips()


async def crowd(shelf: Shelf, count: int) -> list[PersonId]:
    """Invented people of a range reserved for fiction."""
    return [await shelf.somebody(Address(PhoneNumber(f"+1202555{number:04}"))) for number in range(100, 100 + count)]


@pytest.fixture(scope="module", autouse=True)
def listening() -> Iterator[None]:
    """Clients that are opened from here on tell; there is no way to take a listener off again, so its count is looked at only here."""
    pymongo.monitoring.register(TRIPS)
    yield
    pymongo.monitoring._LISTENERS.command_listeners.remove(TRIPS)


async def test_sixty_four_turns_side_by_side_take_few_round_trips(shelf: Shelf) -> None:
    """Goal of performance.md: half a round trip a message; a commit takes its share of two."""
    people = await crowd(shelf, 64)
    begun = [await shelf.begun(person) for person in people]
    TRIPS.count.clear()
    changes = [turn(one, following(one), send(one.conversation.person, 2), events=(event(9),)) for one in begun]
    results = await asyncio.gather(*(shelf.conversations.commit(change) for change in changes))
    assert all(one is not None and event(9) in one.seen for one in results)
    assert TRIPS.count.total() <= 4, TRIPS.count


async def test_alone_a_commit_is_one_round_trip(shelf: Shelf) -> None:
    before = await shelf.begun(await shelf.somebody())
    TRIPS.count.clear()
    assert await shelf.conversations.commit(turn(before, following(before), events=(event(9),))) is not None
    assert dict(TRIPS.count) == {"findAndModify": 1}


async def test_in_one_bulk_only_the_losers_are_told_to_play_again(shelf: Shelf) -> None:
    """Every second turn builds on a version that has moved on; its neighbours are committed all the same."""
    people = await crowd(shelf, 20)
    begun = [await shelf.begun(person) for person in people]
    for one in begun[::2]:
        assert await shelf.conversations.commit(turn(one, following(one), events=(event(5),))) is not None
    changes = [turn(one, following(one, misunderstood=7), events=(event(6),)) for one in begun]
    results = await asyncio.gather(*(shelf.conversations.commit(change) for change in changes))
    assert [one is not None for one in results] == [False, True] * 10
    for person, won in zip(people, [False, True] * 10, strict=True):
        found = await shelf.conversations.find(person)
        assert found is not None
        assert (found.conversation.misunderstood == 7) is won


async def test_in_one_bulk_every_small_write_keeps_its_own_outcome(shelf: Shelf) -> None:
    """Claims, settlements, deferrals, returns of a lease and reads of forty people, half of whom lost their lease."""
    stored: list[Stored] = []
    for number, person in enumerate(await crowd(shelf, 40)):
        token = "a" * 32 if number % 2 else "b" * 32
        begun = await shelf.conversations.commit(_first(person, token))
        assert begun is not None
        stored.append(begun)
    calls: list[Any] = []
    for number, one in enumerate(stored):
        person, command = one.conversation.person, one.pending[0].id
        kind = number // 2 % 4
        if kind == 0:
            calls.append(shelf.conversations.claim(person, "a" * 32, command, "c" * 32, 0, NOW))
        elif kind == 1:
            calls.append(shelf.conversations.settle(person, "a" * 32, command))
        elif kind == 2:
            calls.append(shelf.conversations.defer(person, "a" * 32, command, 3, NOW))
        else:
            calls.append(shelf.conversations.release(person, "a" * 32, 1, None, [command]))
    results = await asyncio.gather(*calls)
    for number, result in enumerate(results):
        assert bool(result) is bool(number % 2), f"number {number}"


def _first(person: PersonId, token: str) -> Commit:
    return turn(None, Conversation(person, version=1), send(person, 1), events=(event(1),), lease=lease(token))


async def test_two_writes_of_one_row_stay_in_order(shelf: Shelf) -> None:
    rows = shelf.mongo.collection("notes")
    bulks = Bulks(rows)
    await bulks.insert({"_id": "x", "n": 0})
    results = await asyncio.gather(
        *(bulks.update("x", {"_id": "x", "n": number}, {"$set": {"n": number + 1}}) for number in range(10)),
        *(bulks.insert({"_id": f"y{number}", "n": 0}) for number in range(10)),
    )
    assert [row["n"] for row in results[:10] if row is not None] == list(range(1, 11))


async def test_what_cannot_be_written_fails_alone(shelf: Shelf) -> None:
    """One write that the database refuses and one that cannot even be encoded stand among eight good ones."""
    bulks = Bulks(shelf.mongo.collection("notes"))
    await asyncio.gather(*(bulks.insert({"_id": f"z{number}", "n": 0}) for number in range(10)))
    changes: list[dict[str, Any]] = [{"$set": {"n": 1}} for _ in range(10)]
    changes[3] = {"$push": {"n": 1}}
    changes[6] = {"$set": {"n": object()}}
    results = await asyncio.gather(
        *(bulks.update(f"z{number}", {"_id": f"z{number}"}, change) for number, change in enumerate(changes)),
        return_exceptions=True,
    )
    assert isinstance(results[3], PyMongoError)
    assert isinstance(results[6], Exception)
    good = [one for number, one in enumerate(results) if number not in (3, 6)]
    assert all(isinstance(one, dict) and one["n"] == 1 for one in good)


async def test_a_caller_that_goes_away_leaves_the_others_their_answers(shelf: Shelf) -> None:
    bulks = Bulks(shelf.mongo.collection("notes"))
    tasks = [asyncio.create_task(bulks.insert({"_id": f"g{number}"})) for number in range(5)]
    await asyncio.sleep(0)
    tasks[2].cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [isinstance(one, asyncio.CancelledError) for one in results] == [False, False, True, False, False]
    assert len(await bulks.read(*(f"g{number}" for number in range(5)))) == 5
