"""The notice says all that GDPR art. 13 asks for, in any language, short and in full, and claims nothing untrue."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bot.domain.business import Business
from bot.domain.errors import SettingsProblem, Unreadable
from bot.privacy import notice
from tests.privacy.sample import BUSINESS, BUSINESS_PLAIN


def same(text: str) -> str:
    return text


def business(**changes: Any) -> Business:
    return Business.model_validate({**BUSINESS_PLAIN, **changes})


def test_the_first_layer_says_what_it_must_within_a_thousand_characters() -> None:
    short = notice.render(BUSINESS, "en", same).short
    assert len(short) <= 1000
    for said in (
        "Migalha", "a computer program", "Casa do Pão Lda.", "ola@casadopao.example", "your number", "our newsletter", "your order",
        "Meta Platforms Ireland", "Nuvem Exemplo", "European Union (Frankfurt)", "WhatsApp (Meta) and we can read them",
        "Write STOP", "https://casadopao.example/privacy",
    ):  # fmt: skip
        assert said in short


def test_the_way_to_object_stands_by_itself() -> None:
    """GDPR art. 21(4): separately from any other information."""
    assert "No more messages from us? Write STOP at any time." in notice.render(BUSINESS, "en", same).short.split(
        "\n\n"
    )


def test_the_full_layer_has_the_thirteen_points_each_with_something_said() -> None:
    points = notice.render(BUSINESS, "en", same).points
    assert [one.article for one in points] == [
        "13(1)(a)", "13(1)(b)", "13(1)(c)", "13(1)(d)", "13(1)(e)", "13(1)(f)", "13(2)(a)", "13(2)(b)", "13(2)(c)", "13(2)(d)",
        "13(2)(e)", "13(2)(f)", "13(3)",
    ]  # fmt: skip
    assert all(one.heading and one.paragraphs and all(one.paragraphs) for one in points)


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("controller", "Rua Inventada 1, Lisboa"), ("dpo", "dpo@casadopao.example"), ("purposes", "you agreed (GDPR art. 6(1)(a))"),
        ("interests", "asking how it was: to get better"), ("recipients", "Nuvem Exemplo: runs our servers (Germany)"),
        ("transfers", "Those who work for us keep them in: Ireland; Germany."), ("transfers", "Data Privacy Framework"),
        ("retention", "24 months"), ("rights", "within one month"), ("withdrawal", "write STOP"), ("complaint", "cnpd.pt"),
        ("required", "need not give"), ("automated", "No decision"), ("further", "nothing else"),
    ],
)  # fmt: skip
def test_a_point_comes_from_business_yaml(key: str, said: str) -> None:
    points = {one.key: "\n".join(one.paragraphs) for one in notice.render(BUSINESS, "en", same).points}
    assert said in points[key]


def test_it_is_said_in_the_language_asked_for_also_what_the_business_wrote() -> None:
    german = {
        "No more messages from us? Write {stop} at any time.": "Keine Nachrichten mehr? Schreiben Sie {stop}.",
        "our newsletter": "unser Rundbrief",
    }
    found = notice.render(BUSINESS, "de", lambda text: german.get(text, text), stop_word="STOPP")
    assert "Schreiben Sie STOPP." in found.short
    assert "unser Rundbrief" in found.short
    assert "unser Rundbrief: " in found.points[2].paragraphs[0]
    assert found.language == "de"


@pytest.mark.parametrize(
    "broken", ["Write {halt}", "Write {", "Write {0}", "Write {stop.x}", "Write {stop} {halt}", "Write"]
)
def test_a_broken_translation_falls_back_instead_of_failing(broken: str) -> None:
    def translate(text: str) -> str:
        return broken if text.startswith("No more messages") else text

    assert "Write STOP at any time." in notice.render(BUSINESS, "en", translate).short


def test_braces_in_what_the_business_wrote_are_only_characters() -> None:
    odd = business(notice={**BUSINESS_PLAIN["notice"], "data": ["your {number}"]})
    assert "your {number}" in notice.render(odd, "en", same).short


def test_a_long_notice_leaves_out_detail_but_no_recipient() -> None:
    many = [{"name": f"Meta {number}", "does": "x" * 60, "country": "Ireland"} for number in range(8)]
    short = notice.render(business(processors=many), "en", same).short
    assert len(short) <= 1000
    assert all(f"Meta {number}" in short for number in range(8))


def test_a_notice_that_cannot_be_short_says_what_to_shorten() -> None:
    with pytest.raises(SettingsProblem, match="shorten"):
        notice.render(business(notice={**BUSINESS_PLAIN["notice"], "storage": "x" * 1000}), "en", same)


# -- versions ---------------------------------------------------------------------------------------------------------------


def test_the_hash_names_this_very_content() -> None:
    one = notice.render(BUSINESS, "en", same)
    assert one.hash == notice.render(BUSINESS, "en", same).hash == notice.text_hash(one.content())
    assert len(one.hash) == 32


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda plain: {**plain, "name": "Casa do Bolo"}, id="the name"),
        pytest.param(lambda plain: {**plain, "notice": {**plain["notice"], "version": 2}}, id="the version"),
        pytest.param(
            lambda plain: {**plain, "notice": {**plain["notice"], "retention": "for ever"}},
            id="a point of the full layer",
        ),
        pytest.param(lambda plain: {**plain, "processors": plain["processors"][:1]}, id="a recipient"),
    ],
)
def test_any_change_makes_another_hash(change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    changed = Business.model_validate(change(BUSINESS_PLAIN))
    assert notice.render(changed, "en", same).hash != notice.render(BUSINESS, "en", same).hash


def test_two_spellings_of_one_letter_have_one_hash() -> None:
    assert notice.text_hash("Pão") == notice.text_hash("Pa\u0303o")


def test_a_stored_notice_comes_back_whole() -> None:
    one = notice.render(BUSINESS, "pt", same)
    assert notice.from_content(one.content(), one.hash) == one


def test_a_stored_notice_that_was_changed_is_refused() -> None:
    one = notice.render(BUSINESS, "pt", same)
    with pytest.raises(Unreadable):
        notice.from_content(one.content().replace("Frankfurt", "Atlantis"), one.hash)


# -- truth ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "claim",
    [
        "Your chat is END-TO-END encrypted.", "end to end", "We use E2EE.", "cifragem de ponta a ponta", "encriptada ponta-a-ponta",
        "cifrado de extremo a extremo", "chiffré de bout en bout", "Ende-zu-Ende-verschlüsselt", "crittografia da estremo a estremo",
        "eind-tot-eindversleuteling", "szyfrowanie od końca do końca", "koncové šifrování", "koncovým šifrovaním",
        "celovito šifriranje", "enkripcija s kraja na kraj", "criptare de la un capăt la altul", "criptare cap la cap",
        "végpontok közötti titkosítás", "криптиране от край до край", "сквозное шифрование", "наскрізне шифрування",
        "κρυπτογράφηση από άκρο σε άκρο", "διατερματική κρυπτογράφηση", "uçtan uca şifreleme", "تشفير من طرف إلى طرف",
        "التشفير التام بين الطرفين", "ende-til-ende-kryptering", "ände-till-ände", "totalsträckskrypterat", "päästä päähän -salaus",
        "otspunktkrüpteerimine", "pilnīga šifrēšana", "visapusiškas šifravimas", "kriptaġġ minn tarf sa tarf", "criptiú ó cheann ceann",
    ],
)  # fmt: skip
def test_a_claim_of_end_to_end_encryption_is_found(claim: str) -> None:
    assert notice.end_to_end_claims(claim)


@pytest.mark.parametrize(
    "harmless",
    [
        "Messages are encrypted on their way.", "at the end of the month", "até ao fim do ano", "am Ende", "la fin de l'année",
        "the week ends today", "Weekend to enjoy", "до конца года", "von Anfang bis Ende", "Nachrichten sind auf dem Weg verschlüsselt.",
    ],
)  # fmt: skip
def test_other_words_are_left_alone(harmless: str) -> None:
    assert notice.end_to_end_claims(harmless) == []


def test_our_own_texts_make_no_such_claim() -> None:
    found = notice.render(BUSINESS, "en", same)
    assert notice.end_to_end_claims(found.content()) == []


def test_a_sound_notice_has_no_problems() -> None:
    assert notice.check(BUSINESS, notice.render(BUSINESS, "en", same)) == []


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        pytest.param({"notice": {**BUSINESS_PLAIN["notice"], "storage": "end-to-end encrypted in Frankfurt"}}, "not encrypted end to end",
                     id="an untrue promise"),
        pytest.param({"processors": BUSINESS_PLAIN["processors"][1:]}, "Meta is not among", id="Meta left out"),
        pytest.param({"notice": {**BUSINESS_PLAIN["notice"], "transfers": ""}}, "notice.transfers", id="a transfer left out"),
        pytest.param({"controller": {"name": "Casa"}}, "neither `email`", id="no way to reach us"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(changes: dict[str, Any], says: str) -> None:
    found = business(**changes)
    assert any(says in problem for problem in notice.check(found, notice.render(found, "en", same)))


def test_what_must_be_said_is_found_missing() -> None:
    empty = replace(notice.render(BUSINESS, "en", same), short="", introduction=(), points=())
    problems = notice.check(BUSINESS, empty)
    assert "the short notice does not name Meta Platforms Ireland" in problems
    assert "the full notice does not name Nuvem Exemplo" in problems
    assert any("`STOP` stops messages" in one for one in problems)
    assert any("lacks the link" in one for one in problems)
