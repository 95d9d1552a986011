"""An erasure goes its whole way, whatever interrupts it, leaves nothing that is not named, and says what it leaves."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.privacy import erasure, inventory
from tests.privacy.sample import NOW

NAMES = [step.name for step in erasure.STEPS]


def test_the_steps_stand_in_their_order() -> None:
    """decisions.md 16."""
    assert NAMES == ["flag", "flush", "replay", "tombstones", "job", "key", "rows", "receivers", "receipt", "close"]


def test_one_step_follows_the_other_until_none_is_left() -> None:
    done, way = "", []
    while (step := erasure.next_step(done)) is not None:
        way.append(step.name)
        done = step.name
    assert way == NAMES
    assert erasure.remaining("close") == ()
    assert [step.name for step in erasure.remaining("rows")] == ["receivers", "receipt", "close"]


def test_a_step_of_an_unknown_version_is_not_guessed_at() -> None:
    with pytest.raises(ValueError, match="no step"):
        erasure.next_step("shred")


@given(st.lists(st.booleans(), max_size=60))
def test_however_often_it_is_interrupted_no_step_is_skipped(crashes: list[bool]) -> None:
    """A crash after a step's work and before its note makes it done again: never less than once, never out of turn."""
    noted, worked = "", []
    for crash in [*crashes, *[False] * len(NAMES)]:
        step = erasure.next_step(noted)
        if step is None:
            break
        worked.append(step.name)
        if not crash:
            noted = step.name
    assert noted == "close"
    assert list(dict.fromkeys(worked)) == NAMES


def test_until_the_job_row_stands_the_conversation_drives_and_afterwards_never() -> None:
    driven = [step.driven_by for step in erasure.STEPS]
    assert driven == ["conversation"] * 5 + ["job"] * 5


def test_completion_is_not_said_while_another_process_may_hold_the_key() -> None:
    receipt = erasure.STEPS[NAMES.index("receipt")]
    assert erasure.not_before(receipt, NOW) == NOW + erasure.KEY_CACHES_LIVE
    assert timedelta(0) < erasure.KEY_CACHES_LIVE <= timedelta(seconds=60), "decisions.md 16"
    assert erasure.not_before(erasure.STEPS[0], None) is None
    with pytest.raises(ValueError, match="key"):
        erasure.not_before(receipt, None)


def test_an_erasure_that_hangs_is_noticed() -> None:
    assert not erasure.is_overdue(NOW, NOW + timedelta(minutes=50))
    assert erasure.is_overdue(NOW, NOW + timedelta(hours=2))


def test_every_collection_about_people_is_deleted_reduced_or_kept_by_name() -> None:
    acted = {one.collection for one in erasure.row_actions()}
    kept = {name for one in erasure.kept() for name in one.collections}
    people = {one.name for one in inventory.collections_of_person()}
    assert people <= acted | kept | {"subjects", "erasure_jobs"}
    assert acted & kept == {"requests"}, "only a reduced collection is in both"


def test_who_somebody_is_goes_first() -> None:
    assert [one.collection for one in erasure.row_actions()][:2] == ["identities", "conversations"]


def test_a_reduced_row_loses_all_that_has_no_reason_to_stay() -> None:
    requests = next(one for one in erasure.row_actions() if one.collection == "requests")
    assert not requests.delete
    assert set(requests.unset) == {"person", "p"}


def test_what_is_kept_is_told_with_its_reason_and_its_end() -> None:
    lines = "\n".join(erasure.receipt_lines(lambda text: text))
    for said in (
        "not to write to you again",
        "art. 21(3)",
        "3 years after it was last needed",
        "art. 7(1)",
        "36 days",
        "8 days",
    ):
        assert said in lines
    assert all(one.why and one.how_long for one in erasure.kept())


def test_the_receipt_is_in_the_person_s_language() -> None:
    lines = erasure.receipt_lines(
        lambda text: "Apagámos os seus dados." if text.startswith("Your data are deleted") else text
    )
    assert lines[0] == "Apagámos os seus dados."
