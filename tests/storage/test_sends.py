"""What went out: statuses in any order, by our id or by Meta's, without content and without a message id in clear."""

import itertools
from datetime import timedelta

import pytest

from bot.domain.ids import PersonId, Wamid
from bot.storage.sends import KEPT
from tests.storage.shelf import NOW, SECOND, SECRETS, WAMID, Shelf, send

pytestmark = pytest.mark.mongo

PERSON = PersonId("7" * 32)
CALLBACK = "c" * 32


async def started(shelf: Shelf, callback: str = CALLBACK, **changes: object) -> None:
    await shelf.sends.start(callback, PERSON, send(PERSON, **changes), NOW)


async def status(shelf: Shelf, word: str, callback: str = CALLBACK, wamid: str = "", code: int = 0) -> None:
    await shelf.sends.status(callback, Wamid(wamid), word, NOW + SECOND, code, "")


@pytest.mark.parametrize(
    "order", [pytest.param(one, id=" ".join(one)) for one in itertools.permutations(("sent", "delivered", "read"))]
)
async def test_statuses_in_any_order_end_in_the_highest(shelf: Shelf, order: tuple[str, ...]) -> None:
    """A late `sent` never overwrites `delivered`, whatever comes twice."""
    await started(shelf)
    await shelf.sends.accepted(CALLBACK, Wamid(WAMID), NOW)
    best = []
    ranks = ["sent", "delivered", "read"]
    for word in order:
        best.append(ranks.index(word))
        for _ in range(2):
            await status(shelf, word)
        assert await shelf.sends.outcome(CALLBACK) == ranks[max(best)]


async def test_an_answer_that_comes_after_its_status_takes_nothing_back(shelf: Shelf) -> None:
    await started(shelf)
    assert await shelf.sends.outcome(CALLBACK) == "started"
    await status(shelf, "delivered")
    await shelf.sends.accepted(CALLBACK, Wamid(WAMID), NOW)
    assert await shelf.sends.outcome(CALLBACK) == "delivered"


async def test_a_failure_is_final_and_keeps_its_code(shelf: Shelf) -> None:
    await started(shelf)
    await status(shelf, "failed", code=131047)
    await status(shelf, "sent")
    assert await shelf.sends.outcome(CALLBACK) == "failed"
    [row] = await shelf.rows("sends")
    assert row["code"] == 131047


async def test_a_status_without_our_id_is_matched_by_the_message_id(shelf: Shelf) -> None:
    await started(shelf)
    await started(shelf, "d" * 32, position=1)
    await shelf.sends.accepted(CALLBACK, Wamid(WAMID), NOW)
    await status(shelf, "read", callback="", wamid=WAMID)
    assert await shelf.sends.outcome(CALLBACK) == "read"
    assert await shelf.sends.outcome("d" * 32) == "started"


@pytest.mark.parametrize(
    ("callback", "word"),
    [
        pytest.param("e" * 32, "read", id="an unknown message"),
        pytest.param("", "read", id="an unknown message id"),
        pytest.param(CALLBACK, "pondered", id="a status we do not know"),
    ],
)
async def test_what_is_not_known_is_ignored(shelf: Shelf, callback: str, word: str) -> None:
    """Nothing is made of it: a status never creates a row."""
    await started(shelf)
    before = await shelf.rows("sends")
    await status(shelf, word, callback=callback, wamid="wamid.another")
    assert await shelf.rows("sends") == before


async def test_a_start_told_twice_is_one_message(shelf: Shelf) -> None:
    await started(shelf)
    await status(shelf, "delivered")
    await started(shelf)
    assert await shelf.sends.outcome(CALLBACK) == "delivered"
    assert await shelf.sends.outcome("e" * 32) is None


async def test_only_handed_over_messages_of_the_same_kind_count(shelf: Shelf) -> None:
    """For the cap: same reason and purpose, not failed, not the one being decided, not older than the period."""
    facts = {"reason": "business", "purpose": "newsletter"}
    deciding = send(PERSON, 9, **facts)
    for number in range(3):
        await started(shelf, f"{number:032x}", position=number, **facts)
    await started(shelf, "a" * 32, position=3, reason="business", purpose="tips")
    await started(shelf, "b" * 32, position=4, reason="answer")
    await shelf.sends.start("f" * 32, PersonId("8" * 32), send(PERSON, 1, 5, **facts), NOW)
    await shelf.sends.start("9" * 32, PERSON, deciding, NOW)
    await status(shelf, "failed", callback=f"{1:032x}")
    await shelf.sends.refused(PERSON, send(PERSON, 1, 6, **facts), "capped", NOW)
    assert await shelf.sends.count(PERSON, deciding, NOW - SECOND) == 2
    assert await shelf.sends.count(PERSON, deciding, NOW) == 0


async def test_a_refusal_is_on_record_once_with_its_reason(shelf: Shelf) -> None:
    for reason in ("no_consent", "stopped"):
        await shelf.sends.refused(PERSON, send(PERSON, reason="business", purpose="newsletter"), reason, NOW)
    [row] = await shelf.rows("sends")
    assert (row["refused"], row["purpose"], row["person"]) == ("no_consent", "newsletter", PERSON)
    assert row["expires"] == NOW + KEPT == NOW + timedelta(days=30)


async def test_nothing_of_the_message_is_kept(shelf: Shelf) -> None:
    """Neither its words nor the message id, which holds the number in base64."""
    await started(shelf)
    await shelf.sends.accepted(CALLBACK, Wamid(WAMID), NOW)
    await status(shelf, "sent", callback="", wamid=WAMID)
    text = repr(await shelf.rows("sends"))
    assert [secret for secret in SECRETS if secret in text] == []
