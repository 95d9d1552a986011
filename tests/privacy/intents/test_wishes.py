"""The rules of the intents, row by row (privacy.md 4.3 and 4.5)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.privacy.intents import LANGUAGES, understand

STOPS = [
    "stop", "STOP", "Stop!", "*stop*", "_STOP_", "  stop  ", "s t o p", "s.t.o.p", "stoooop", "ＳＴＯＰ", "ⓢⓣⓞⓟ", "ЅТОР", "st\u200bop",
    "stop please", "please stop", "STOP!!!", "\"stop\"", "🛑", "stpo", "sotp", "unsubscibe",
    "unsubscribe", "opt out", "parar", "sair", "baja",
    "darme de baja", "arrêt", "abmelden", "ferma", "afmelden", "rezygnuję", "avregistrera", "afmeld", "lopeta", "odhlásit", "odjava",
    "leiratkozás", "dezabonare", "стоп", "отписване", "ΣΤΟΠ", "στοπ", "lõpeta", "atteikties", "atsisakau", "stad", "ieqaf", "RET", "durdur",
    "توقف", "إيقاف", "отписаться", "відписатися",
]  # fmt: skip


@pytest.mark.parametrize("text", STOPS)
@pytest.mark.parametrize("language", [None, "en", "ar"])
def test_keywords_stop_in_every_language_whatever_the_persons(text: str, language: str | None) -> None:
    found = understand(text, language=language)
    if language == "en" and text in ("baja", "stad", "RET"):
        # Also a word or an abbreviation of the person's own language: asked about at once, advertising on hold.
        assert found.decision.value == "ask"
        return
    assert (found.decision.value, found.scope) == ("stop", "all")
    assert found.rule


SENTENCES = [
    pytest.param("pode parar de me mandar mensagem?", "pt", "all", id="asked politely"),
    pytest.param("remove me from your list pls", "en", "all", id="off the list"),
    pytest.param("I don't want any more messages from you", "en", "all", id="not wanted"),
    pytest.param("stop sending me offers", "en", "marketing", id="advertising alone"),
    pytest.param("ich möchte keine Werbung mehr", "de", "marketing", id="advertising, German"),
    pytest.param("ich widerrufe meine Einwilligung", "de", "all", id="legal wording"),
    pytest.param("je ne veux plus recevoir vos messages", "fr", "all", id="French"),
    pytest.param("no me escriban más", "es", "all", id="Spanish"),
    pytest.param("basta messaggi per favore", "it", "all", id="Italian"),
    pytest.param("ik wil geen berichten meer", "nl", "all", id="Dutch"),
]


@pytest.mark.parametrize(("text", "language", "scope"), SENTENCES)
def test_a_wish_in_a_sentence_counts_as_much(text: str, language: str, scope: str) -> None:
    found = understand(text, language=language)
    assert (found.decision.value, found.scope) == ("stop", scope)


ORDINARY = [
    "where is my order", "please cancel my order", "good morning everyone", "buenos días",
    "guten morgen zusammen", "the bus stop is full of people", "don't stop sending me recipes",
    "that's all, thank you",
    "at the end of the month", "my sister no longer gets your messages", "what happens if I write STOP?", "> Write STOP to unsubscribe",
    "stoppen sie die Lieferung der Bestellung", "dónde está la parada", "stopcontact", "durum", "retina", "no", "ok", "hello", "12", "",
]  # fmt: skip


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_messages_are_left_alone(text: str) -> None:
    assert understand(text, language="en").decision.value == "none"


@pytest.mark.parametrize("text", ["enough", "chega", "leave", "✋", "👎", "löschen", "usuń"])
def test_doubt_is_asked_about(text: str) -> None:
    found = understand(text, language="en")
    assert (found.decision.value, found.scope) == ("ask", "unclear")


@pytest.mark.parametrize("text", ["cancel", "end", "quit"])
def test_a_bare_cancel_stops_unless_a_flow_is_open(text: str) -> None:
    assert understand(text, language="en").decision.value == "stop"
    found = understand(text, language="en", flow_open=True)
    assert (found.decision.value, "cancel" in found.flags) == ("ask", True)


@pytest.mark.parametrize(
    ("text", "language", "flag"),
    [
        ("delete my data", "en", "erase"), ("apagar os meus dados", "pt", "erase"), ("borren mis datos", "es", "erase"),
        ("my data", "en", "access"), ("what do you know about me", "en", "access"), ("correct my data", "en", "rectify"),
        ("privacy", "en", "privacy"), ("START", "en", "start"), ("help", "en", "help"), ("a real person please", "en", "agent"),
        ("I want to complain", "en", "complaint"), ("yes", "en", "yes"), ("no thanks", "en", "no"), ("sim", "pt", "yes"),
    ],
)  # fmt: skip
def test_rights_and_ways_on_are_recognised(text: str, language: str, flag: str) -> None:
    assert flag in understand(text, language=language).flags


@pytest.mark.parametrize(
    ("text", "flag", "never"),
    [
        pytest.param("remove all my details from your system", "erase", "access", id="out of the system"),
        pytest.param("delete me from your records", "erase", "access", id="out of the records"),
        pytest.param("I don't want you to store my data any longer", "erase", "access", id="kept no longer"),
        pytest.param("i no longer want to exist in your database", "erase", "access", id="be in the database no longer"),
        pytest.param("how do you handle my data", "privacy", "access", id="how data is handled"),
        pytest.param("tell me everything you have stored about me", "access", "erase", id="everything stored"),
        pytest.param("article 15 gdpr request for my data", "access", "erase", id="an article by number"),
        pytest.param("under article 17 gdpr please", "erase", "access", id="another article"),
        pytest.param("i changed my mind, no news please", "", "start", id="changed one's mind against it"),
    ],
)  # fmt: skip
def test_rights_are_told_apart(text: str, flag: str, never: str) -> None:
    flags = understand(text, language="en").flags
    assert not flag or flag in flags
    assert never not in flags


@pytest.mark.parametrize(
    "text", ["where is my order", "it does not work", "article 15 in the catalogue, is it in stock"]
)
def test_everyday_words_are_no_right(text: str) -> None:
    assert not understand(text, language="en").flags


@pytest.mark.parametrize("text", ["ok", "okay", "👍", "✅", "❤️", "fine", "sure whatever", "hm", "k", "alright then"])
@pytest.mark.parametrize("language", ["en", "pt", "de"])
def test_weak_affirmations_are_never_a_yes(text: str, language: str) -> None:
    assert "yes" not in understand(text, language=language).flags


@pytest.mark.parametrize(
    ("text", "language"), [("ne", "cs"), ("no", "cs"), ("tak", "da"), ("da", "en"), ("ja", "en"), ("sí", "pt")]
)
def test_false_friends_are_no_yes_in_another_language(text: str, language: str) -> None:
    assert "yes" not in understand(text, language=language).flags


@pytest.mark.parametrize(
    ("text", "language", "decision"),
    [
        pytest.param("please don't send the invoice to my old email", "en", "none", id="only an order is spoken of"),
        pytest.param(
            "thanks for the parcel, but please stop writing to me", "en", "stop", id="an order, then but and a wish"
        ),
        pytest.param(
            "stop the messages about my delivery to the office", "en", "ask", id="an order and a wish at once"
        ),
        pytest.param("my parcel arrived! do not write to me any more", "en", "stop", id="sentences are cut apart"),
        pytest.param("I never allowed this, stop immediately", "en", "stop", id="a keyword that is the last clause"),
        pytest.param("non l'ho mai autorizzato, smettete subito", "it", "stop", id="a clause, Italian"),
        pytest.param(
            "kann ich meinen Sohn am Samstag vom Training abmelden", "de", "none", id="somebody signed off a class"
        ),
        pytest.param("bitte nicht anrufen, schreiben Sie mir", "de", "none", id="do not call, write"),
        pytest.param("i never asked you to stop", "en", "none", id="a stop denied"),
        pytest.param("don't text me before 8 please, I sleep late", "en", "none", id="hours, not for good"),
        pytest.param("bitte nicht vor 8 schreiben", "de", "none", id="hours, German"),
        pytest.param("dont text me before 8, or ever again", "en", "ask", id="hours, but for good"),
        pytest.param("stop, i meant the large one", "en", "none", id="putting right what one wrote"),
        pytest.param("publicidade não, info da encomenda sim", "pt", "stop", id="advertising no, orders yes"),
        pytest.param("just order info, the rest not", "en", "stop", id="only orders"),
        pytest.param("cancel my subscription to these messages", "en", "stop", id="a subscription to our messages"),
        pytest.param("cancel my subscription to the magazine", "en", "none", id="a subscription to anything else"),
        pytest.param("if you message me again I'll complain", "en", "stop", id="a threat to complain"),
        pytest.param("how many times must I say don't text me", "en", "stop", id="said before"),
        pytest.param("that's enough for today, see you tomorrow", "en", "none", id="enough for today"),
        pytest.param("s t o p  p l e a s e", "en", "stop", id="spaced letters with politeness"),
        pytest.param("delete the photo i sent you", "en", "none", id="delete a photo"),
        pytest.param("me tira da lista de espera", "pt-BR", "none", id="off the waiting list"),
        pytest.param("hediye kartına mesaj yazmayın sadece isim olsun", "tr", "none", id="no message on the gift card"),
        pytest.param("my mum wants you to stop sending her catalogues", "en", "ask", id="somebody else's wish"),
        pytest.param("quand est-ce que l'offre se termine", "fr", "none", id="when the offer ends"),
        pytest.param("ne m'appelez pas, écrivez-moi", "fr", "none", id="do not call, write, French"),
        pytest.param("i will stop by the shop at five", "en", "none", id="stop by"),
        pytest.param("mahnete me ot spisyka", "bg", "stop", id="Bulgarian in Latin letters"),
        pytest.param("perestante meni pysaty", "uk", "stop", id="Ukrainian in Latin letters"),
        pytest.param("hvatit mne pisat", "ru", "stop", id="Russian in Latin letters"),
        pytest.param("stamatiste na mou stelnete minimata", "el", "stop", id="Greek in Latin letters"),
    ],
)
def test_a_guard_holds(text: str, language: str, decision: str) -> None:
    assert understand(text, language=language).decision.value == decision


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("no tak jo no", "cs"),
        ("no jo", "cs"),
        ("well yes", "en"),
        ("na ja", "de"),
        ("tá bom né", "pt"),
        ("no dobra tak", "pl"),
    ],
)
def test_a_hedged_yes_is_none(text: str, language: str) -> None:
    assert "yes" not in understand(text, language=language).flags


@pytest.mark.parametrize("text", ["delete me from your systems", "erase me"])
def test_delete_me_asks_for_erasure(text: str) -> None:
    assert "erase" in understand(text, language="en").flags


def test_stop_and_delete_does_both() -> None:
    found = understand("stop and delete my data", language="en")
    assert (found.decision.value, "erase" in found.flags) == ("stop", True)


def test_another_language_may_be_asked_for() -> None:
    assert understand("in English please", language="pt").target_language == "en"
    assert understand("português", language="en").target_language == "pt"


def test_all_thirty_languages_are_there() -> None:
    assert len(LANGUAGES) == 30


@given(st.text(max_size=400), st.sampled_from([None, *LANGUAGES]))
def test_any_text_is_read_the_same_way_twice_and_its_words_are_not_kept(text: str, language: str | None) -> None:
    found = understand(text, language=language)
    assert found == understand(text, language=language)
    assert found.decision.value in ("stop", "ask", "none")
    assert not text.strip() or len(text) < 12 or text not in repr(found)
