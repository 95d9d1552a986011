"""A person gets all that is theirs, readable by people and programs, and nothing that is not theirs."""

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain import plain as domain_plain
from bot.domain import turn
from bot.domain.consent import Consent
from bot.domain.conversation import Conversation, HeldWords
from bot.domain.ids import Bsuid, CommandId, EventId, PersonId, PhoneNumber, Wamid, Words
from bot.privacy import export, inventory, notice
from tests.privacy.sample import BUSINESS, DAY, NOW

assert turn.Turn  # importing it registers every stored value

NOTICE = notice.render(BUSINESS, "en", str)
PERSON = PersonId("a" * 32)


def conversation_row() -> dict[str, Any]:
    person = Conversation(
        PERSON, version=3, created_at=NOW - DAY, language="pt", country="PT", stopped={"tips": NOW},
        consents={"newsletter": Consent("given", NOW, "r", None, NOW + DAY, CommandId("c"), "n", "h")},
        slots=({"name": "Ana Exemplo", "when": timedelta(hours=2)},), held=HeldWords(Words("hello there"), EventId("e"), Wamid("w"), NOW),
    )  # fmt: skip
    clear, private = domain_plain.split(person)
    clear.pop("person")
    return {
        "_id": PERSON, "v": 3, "g": 1, **clear, "p": private, "seen": [{"i": b"x" * 12, "t": NOW}], "lease": {"t": "token", "u": NOW},
        "pending": [{"id": "c1", "s": "waiting", "n": 0, "c": {"_": "OpenRequest", "kind": "access", "received_at": NOW},
                     "p": {"words": "send me my data"}}],
    }  # fmt: skip


ROWS: dict[str, list[dict[str, Any]]] = {
    "conversations": [conversation_row()],
    "subjects": [
        {
            "_id": PERSON,
            "subject_ref": "ref-1",
            "key": b"wrapped-secret",
            "kid": "kek-1",
            "salt": b"salt-secret",
            "p": b"sealed",
        }
    ],
    "identities": [{"_id": "hash-secret", "person": PERSON, "kind": "phone", "kid": "index-1", "since": NOW}],
    "evidence": [
        {"_id": "e1", "person": PERSON, "p": {"prompt_text": "Shall we write to you?", "answer_text": "Sim, quero"}}
    ],
    "suppressions": [
        {"_id": "hash-secret:tips", "i": "hash-secret", "kid": "s1", "scope": "tips", "since": NOW, "source": "self"}
    ],
}


def made(rows: dict[str, list[dict[str, Any]]] | None = None) -> export.SubjectExport:
    return export.assemble(
        ROWS if rows is None else rows, business=BUSINESS, notice=NOTICE, reference="R-1", made_at=NOW,
        numbers=(PhoneNumber("+15550100123"), Bsuid("PT.123")),
    )  # fmt: skip


def test_the_file_has_what_is_stored_about_the_person() -> None:
    text = made().json_text()
    for said in (
        "recado-subject-export/1", "Ana Exemplo", "hello there", "send me my data", "Shall we write to you?", "Sim, quero", "tips",
        "+15550100123", "PT.123", "newsletter", "given", "ref-1", "Casa do Pão Lda.", "dpo@casadopao.example",
    ):  # fmt: skip
        assert said in text


def test_no_key_hash_or_machinery_is_in_it() -> None:
    text = made().json_text()
    for secret in (
        "wrapped-secret",
        b"wrapped-secret".hex(),
        b"salt-secret".hex(),
        "hash-secret",
        "kek-1",
        "index-1",
        "token",
        "sealed",
    ):
        assert secret not in text
    assert '"_"' not in text


def test_the_information_of_article_15_goes_with_it() -> None:
    articles = {one.article for one in made().information}
    assert articles == {"15(1)(a)", "15(1)(c)", "15(1)(d)", "15(1)(e)", "15(1)(f)", "15(1)(h)", "15(2)"}


def test_the_file_is_what_its_schema_says() -> None:
    assert export.SubjectExport.model_validate_json(made().json_text()) == made()
    schema = export.json_schema()
    assert set(json.loads(made().json_text())) == set(schema["properties"])
    assert schema["properties"]["schema"]["const"] == "recado-subject-export/1"


def test_each_section_says_what_it_holds_and_how_long() -> None:
    for section in made().sections:
        assert section.holds
        assert section.kept


def test_a_collection_nobody_knows_is_not_left_out_unseen() -> None:
    with pytest.raises(ValueError, match="scratch"):
        made({**ROWS, "scratch": [{"_id": 1}]})


def test_somebody_unknown_gets_an_empty_copy() -> None:
    found = made({})
    assert found.sections == ()
    assert "We have stored nothing about you." in export.page(found, str)
    assert export.summary(found, BUSINESS, str)[0].startswith("We have stored nothing")


names = st.text(min_size=1, max_size=8)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(sorted(inventory.COLLECTIONS)),
    st.dictionaries(names, st.text() | st.integers() | st.dictionaries(names, st.text())),
)
def test_what_the_register_does_not_export_never_gets_out(collection: str, document: dict[str, Any]) -> None:
    """Any document: each value in the copy stands on an exported path."""
    known = inventory.COLLECTIONS[collection]
    exported = [field.path for field in known.fields if field.exported]
    for section in made({collection: [document]}).sections:
        for row in section.rows:
            for name in row:
                assert any(path.split(".")[0] in (name, "*") or path == f"p/{name}" for path in exported)


# -- as a page --------------------------------------------------------------------------------------------------------------


def test_the_page_escapes_everything() -> None:
    evil = "<script>alert('x')</script>\"&"
    rows = {"evidence": [{"_id": evil, "person": evil, "p": {"prompt_text": evil, "answer_text": evil}}]}
    page = export.page(made(rows), lambda text: text)
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_the_page_needs_nothing_from_elsewhere() -> None:
    page = export.page(made(), str)
    for outside in ("src=", "href=", "@import", "url(", "<script", "<img", "<link", "http-equiv"):
        assert outside not in page
    assert '<html lang="en"' in page
    assert page.count("<h1>") == 1


def test_the_page_is_in_the_person_s_language() -> None:
    page = export.page(
        made(), lambda text: "Os seus dados em {controller}" if text.startswith("Your data at") else text
    )
    assert "<h1>Os seus dados em Casa do Pão Lda.</h1>" in page


# -- in the chat ------------------------------------------------------------------------------------------------------------


def test_the_chat_says_the_gist_and_shows_no_words_or_numbers() -> None:
    text = "\n".join(export.summary(made(), BUSINESS, str))
    assert "our newsletter: agreed since 2026-05-04" in text
    assert "Language: pt. Country: PT. First message: 2026-05-03." in text
    for private in ("Ana Exemplo", "hello there", "+15550100123", "PT.123", "Sim, quero"):
        assert private not in text


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.text(min_size=1, max_size=1500), st.just({"state": "given", "since": NOW}), max_size=12))
def test_no_part_is_too_long_and_nothing_is_lost(consents: dict[str, Any]) -> None:
    parts = export.summary(made({"conversations": [{"_id": "x", "consents": consents}]}), BUSINESS, str)
    assert all(0 < len(part) <= export.CHAT_LIMIT for part in parts)
    assert sum(part.count("agreed since") for part in parts) >= sum(len(name) < 900 for name in consents) - 1


def test_values_with_braces_stay_as_they_are() -> None:
    odd = BUSINESS.model_copy(update={"controller": BUSINESS.controller.model_copy(update={"name": "A {reference} B"})})
    found = export.assemble({}, business=odd, notice=NOTICE, reference="R-1", made_at=NOW)
    assert "A {reference} B" in export.page(found, str)
