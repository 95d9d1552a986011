"""Which earlier words still stand for the present ones, as the business declared each change."""

from dataclasses import replace
from typing import Any

import pytest

from bot.domain.business import Purpose, purpose_hash
from bot.privacy.notice import Notice, render
from bot.privacy.terms import Version, covered, informing
from tests.privacy.sample import BUSINESS


def _purpose(**changes: Any) -> Purpose:
    return BUSINESS.purposes["newsletter"].model_copy(update=changes)


def _published(*versions: Purpose) -> list[Version]:
    return [Version("newsletter", "en", purpose_hash(one), one.model_dump_json()) for one in versions]


FIRST = _purpose()
MORE = _purpose(frequency="every day")
SPELLING = _purpose(frequency="at most 4 times a month", material_change=False)
OTHER_QUIET = _purpose(quiet="20:00-09:00")
THEN_SPELLING = _purpose(frequency="Every day", material_change=False)


@pytest.mark.parametrize(
    ("versions", "stand"),
    [
        pytest.param([FIRST], [True], id="nothing changed"),
        pytest.param([FIRST, MORE], [False, True], id="more often than agreed"),
        pytest.param([FIRST, SPELLING], [True, True], id="a mended spelling"),
        pytest.param([FIRST, OTHER_QUIET], [True, True], id="nothing that people agree to"),
        pytest.param([FIRST, MORE, THEN_SPELLING], [False, True, True], id="a mended spelling after a real change"),
        pytest.param([FIRST, MORE, FIRST], [True, False, True], id="a change taken back"),
        pytest.param([FIRST, MORE, OTHER_QUIET], [True, False, True], id="taken back, with something nobody agrees to"),
        pytest.param([FIRST, SPELLING, MORE], [False, False, True], id="a real change after a mended spelling"),
        pytest.param([FIRST, _purpose(basis="soft_opt_in")], [False, True], id="another basis"),
        pytest.param([FIRST, _purpose(data=("number", "birthday"))], [False, True], id="more data"),
        pytest.param(
            [FIRST, _purpose(title="news of our partners")], [False, True], id="another purpose under the name"
        ),
    ],
)
def test_a_consent_stands_as_far_back_as_nothing_material_changed(versions: list[Purpose], stand: list[bool]) -> None:
    own = BUSINESS.model_copy(update={"purposes": {**BUSINESS.purposes, "newsletter": versions[-1]}})
    seen: list[Purpose] = []
    for one in versions:  # published once each, in the order of their first day
        seen += [one] if one not in seen else []
    now = covered(own, _published(*seen)).purposes["newsletter"]
    assert [now.covers(purpose_hash(one)) for one in versions] == stand


def test_what_nobody_can_name_was_not_agreed_to() -> None:
    now = covered(BUSINESS, _published(FIRST)).purposes["newsletter"]
    assert not now.covers("")
    assert not now.covers("0" * 32)


def test_a_version_published_before_a_field_existed_still_stands() -> None:
    old = Version("newsletter", "en", "a" * 32, FIRST.model_dump_json(exclude={"material_change", "data", "interest"}))
    assert covered(BUSINESS, [old]).purposes["newsletter"].covers("a" * 32) is (not FIRST.data)


def test_versions_of_other_purposes_do_not_count() -> None:
    other = [replace(one, name="tips") for one in _published(FIRST)]
    changed = BUSINESS.model_copy(update={"purposes": {**BUSINESS.purposes, "newsletter": MORE}})
    assert not covered(changed, other).purposes["newsletter"].covers(purpose_hash(FIRST))


def _notice(**changes: Any) -> Notice:
    declared = BUSINESS.notice.model_copy(update=changes)
    return render(BUSINESS.model_copy(update={"notice": declared}), "en", str)


def _shown(*notices: Notice) -> list[Version]:
    return [Version(one.id, one.language, one.hash, one.content()) for one in notices]


@pytest.mark.parametrize(
    ("versions", "inform"),
    [
        pytest.param([{}], [True], id="nothing changed"),
        pytest.param([{}, {"storage": "in Iceland"}], [False, True], id="another place of storage"),
        pytest.param([{}, {"storage": "in the EU.", "material_change": False}], [True, True], id="a mended spelling"),
        pytest.param([{}, {"version": 2}], [True, True], id="a new number on the same words"),
        pytest.param([{}, {"storage": "in Iceland"}, {"storage": "in Iceland!", "material_change": False}], [False, True, True],
                     id="a spelling mended after a real change"),
    ],
)  # fmt: skip
def test_who_was_told_all_need_not_be_told_again(versions: list[dict[str, Any]], inform: list[bool]) -> None:
    notices = [_notice(**one) for one in versions]
    good = informing([notices[-1]], _shown(*notices))
    assert [one.hash in good for one in notices] == inform


def test_notices_of_another_language_are_judged_by_their_own_history() -> None:
    english, changed = _notice(), _notice(storage="in Iceland")
    german = render(BUSINESS, "de", str)
    good = informing([changed, german], _shown(english, german, changed))
    assert german.hash in good
    assert english.hash not in good
