"""`recado i18n`: the list of texts follows the flows, translators' work is kept, and what does not fit is told with its line."""

import json
import re
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from click.testing import CliRunner, Result

from bot.cli import recado
from bot.cli.catalogs import Translated, problems_of, updated
from bot.cli.texts import Written
from bot.i18n.po import NATIVE_REVIEW
from tests.cli.project import FLOW, ROOT, copied


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The example business with a flow of its own and the shipped translations of its flows."""
    made = copied(tmp_path)
    for language in ("pt", "es"):
        folder = made / "locales" / language / "LC_MESSAGES"
        folder.mkdir(parents=True)
        (folder / "flows.po").write_bytes((ROOT / "locales" / language / "LC_MESSAGES" / "flows.po").read_bytes())
    return made


def run(project: Path, command: str, *options: str) -> Result:
    return CliRunner().invoke(recado, ["i18n", command, "--project", str(project), *options])


def po(project: Path, language: str = "pt") -> Path:
    return project / "locales" / language / "LC_MESSAGES" / "flows.po"


def test_a_business_translates_its_own_texts_only(project: Path) -> None:
    """What comes with Recado is translated already; no bot.po is made."""
    (project / "flows" / "parcel.yaml").write_text(FLOW)

    result = run(project, "update", "--lang", "pt")

    assert result.output == f"{po(project)}: 107 texts, 3 to translate.\n"
    assert not (po(project).parent / "bot.po").exists()
    new = [one for one in read_po(BytesIO(po(project).read_bytes())) if one.id and not one.string]
    assert {one.id for one in new} == {"parcel", "How large is it?", "Thank you, {size} it is."}
    assert all(one.user_comments == [NATIVE_REVIEW] for one in new)
    assert ("flows/parcel.yaml", 10) in {place for one in new for place in one.locations}


def test_updating_twice_changes_nothing(project: Path) -> None:
    run(project, "update")
    before = po(project).read_bytes()

    run(project, "update")

    assert po(project).read_bytes() == before


def test_what_is_gone_is_kept_and_comes_back(project: Path) -> None:
    path = project / "flows" / "welcome.yaml"
    text = path.read_text()
    path.write_text(text.replace("How can I help you?", "What may I do?"))
    run(project, "update")
    gone = po(project).read_text()
    path.write_text(text)

    run(project, "update")

    assert '#~ msgid "How can I help you?"\n#~ msgstr "Como posso ajudar?"' in gone
    catalog = read_po(BytesIO(po(project).read_bytes()))
    assert catalog["How can I help you?"].string == "Como posso ajudar?"
    assert "#~" not in po(project).read_text().replace("What may I do?", "")


def test_translators_comments_stay(project: Path) -> None:
    entry = '#: flows/business.yaml:24\nmsgid "your choices"'
    mine = po(project).read_text().replace(f"# review: native\n{entry}", f"# review: done, Ana\n{entry}")
    assert "done, Ana" in mine
    po(project).write_text(mine)

    run(project, "update")

    assert read_po(BytesIO(po(project).read_bytes()))["your choices"].user_comments == ["review: done, Ana"]


def test_a_new_language_gets_a_catalog(project: Path) -> None:
    result = run(project, "update", "--lang", "pt-BR")

    assert result.exit_code == 0
    assert (project / "locales" / "pt_BR" / "LC_MESSAGES" / "flows.po").exists()


def test_an_unknown_language_is_misuse(project: Path) -> None:
    result = run(project, "update", "--lang", "klingon")

    assert result.exit_code == 2
    assert "`klingon` is not a language" in result.output


def test_templates_are_written_where_asked(project: Path, tmp_path: Path) -> None:
    result = run(project, "extract", "--output", str(tmp_path / "pot"))

    assert result.exit_code == 0
    assert [path.name for path in (tmp_path / "pot").iterdir()] == ["flows.pot"]
    assert 'msgid "How can I help you?"\nmsgstr ""' in (tmp_path / "pot" / "flows.pot").read_text()


def test_the_texts_as_json_say_where_each_stands(project: Path) -> None:
    found = json.loads(run(project, "extract", "--json").output)

    one = next(row for row in found if row["text"] == "News by WhatsApp")
    assert one == {"text": "News by WhatsApp", "file": "flows/welcome.yaml", "line": 12, "kind": "flow", "language": "en",
                   "group": "welcome:steps.0", "limit": 20}  # fmt: skip


def with_translation(project: Path, source: str, said: str) -> None:
    text = po(project).read_text()
    changed, count = re.subn(
        rf'(msgid "{re.escape(source)}"\nmsgstr )"[^\n]*"', lambda match: f'{match[1]}"{said}"', text
    )
    assert count == 1, source
    po(project).write_text(changed)


WRONG = [
    pytest.param("We are packing it. It should arrive on {eta|date}.", "Em breve.", "placeholder", id="a value is missing"),
    pytest.param("What is it about?", "{assunto}?", "placeholder", id="a value is invented"),
    pytest.param("What is it about?", "De que {se trata?", "text-blank", id="a brace is not closed"),
    pytest.param("Where is my order?", "Onde está a minha encomenda?", "label-long", id="a button of 28 characters"),
    pytest.param("Delivery", "Entrega das encomendas todas", "label-long", id="a list row of 28 characters"),
    pytest.param("A person", "Tentar de novo", "label-twice", id="two buttons that look the same"),
    pytest.param("problem", "encomenda", "word-clash", id="a start word of another flow"),
    pytest.param("problem", "problema, avaria", "start-words", id="two start words in one"),
    pytest.param("Please tap one of the three, or write HELP.", "Toque numa das três opções.", "keyword", id="no word for help"),
    pytest.param("Please tap one of the three, or write HELP.", "Escreva CADEIRA.", "keyword", id="a word for help nobody understands"),
    pytest.param("What is it about?", "x" * 1025, "text-long", id="too long beside buttons"),
    pytest.param("What is it about?", "", "missing", id="no translation"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "said", "code"), WRONG)
def test_a_translation_that_does_not_fit_is_told(
    project: Path, source: str, said: str, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_translation(project, source, said)
    only_its_own(monkeypatch)

    result = run(project, "check", "--lang", "pt", "--json")

    problems = json.loads(result.output)["problems"]
    assert [one["code"] for one in problems] == [code]
    assert result.exit_code == 1
    if code != "missing":
        assert problems[0]["file"].endswith("flows.po")
        line = po(project).read_text().splitlines()[problems[0]["line"] - 1]
        assert source in line
    assert problems[0]["fix"]


def only_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Recado's checkout ships flows.po of the example too; a real installation has bot.po alone."""
    from bot.cli import catalogs

    whole = catalogs.catalog_files
    monkeypatch.setattr(
        catalogs, "catalog_files",
        lambda project: [(tag, path) for tag, path in whole(project) if path.name == "bot.po" or not path.is_relative_to(ROOT)],
    )  # fmt: skip


def test_a_fuzzy_translation_does_not_count(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = po(project).read_text()
    po(project).write_text(text.replace('msgid "What is it about?"', '#, fuzzy\nmsgid "What is it about?"'))
    only_its_own(monkeypatch)

    found = json.loads(run(project, "check", "--lang", "pt", "--json").output)

    assert [one["code"] for one in found["problems"]] == ["fuzzy"]
    assert found["languages"]["pt"]["translated"] == found["languages"]["pt"]["texts"] - 1


def test_an_unreadable_catalog_is_told_with_its_line(project: Path) -> None:
    po(project).write_text('msgid ""\nmsgstr ""\n\nmsgid "a"\nmsgstr "b\nnonsense here\n')

    result = run(project, "check", "--lang", "pt")

    assert result.exit_code == 1
    assert "error[po-unreadable]" in result.output
    assert "Traceback" not in result.output


def test_flows_with_errors_are_mended_first(project: Path) -> None:
    (project / "flows" / "parcel.yaml").write_text("flow: [\n")

    for command in ("extract", "update", "check"):
        result = run(project, command)
        assert result.exit_code == 2
        assert "`recado flows check` shows them" in result.output


FORMS = '{n|plural one:"{n} order" other:"{n} orders"}'


def written(text: str, *, language: str = "en", kind: str = "flow") -> Written:
    return Written(text, "flows/a.yaml", 3, kind, language)


@pytest.mark.parametrize(
    ("said", "codes"),
    [
        pytest.param('{n|plural one:"{n} pedido" other:"{n} pedidos"}', [], id="its forms are kept"),
        pytest.param("{n} pedidos", ["forms"], id="its forms are lost"),
        pytest.param('{n|select other:"{n} pedidos"}', ["forms"], id="they became forms of another kind"),
        pytest.param('{n|plural one:"{n} pedido"}', ["text-blank"], id="the form for all others is missing"),
    ],
)
def test_plural_and_select_are_kept(said: str, codes: list[str]) -> None:
    found = problems_of([written(FORMS)], "pt", {"pt": {FORMS: Translated(said, "flows.po", 7)}})

    assert [one.code for one in found] == codes


ARABIC = '{n|plural zero:"لا طلبات" one:"طلب واحد" two:"طلبان" few:"{n} طلبات" many:"{n} طلبا" other:"{n} طلب"}'


@pytest.mark.parametrize(
    ("language", "said", "codes"),
    [
        pytest.param("ar", ARABIC, [], id="Arabic has six"),
        pytest.param("ar", '{n|plural one:"طلب" other:"{n} طلب"}', ["plural-forms"], id="two are not enough in Arabic"),
        pytest.param(
            "pl", '{n|plural one:"{n} paczka" other:"{n} paczki"}', ["plural-forms"], id="Polish has few and many"
        ),
        pytest.param("de", '{n|plural one:"{n} Bestellung" other:"{n} Bestellungen"}', [], id="German has two"),
        pytest.param(
            "fr", '{n|plural one:"{n} commande" other:"{n} commandes"}', [], id="no text counts millions in French"
        ),
    ],
)
def test_a_translation_has_the_plural_forms_of_its_language(language: str, said: str, codes: list[str]) -> None:
    found = problems_of([written(FORMS)], language, {language: {FORMS: Translated(said, "flows.po", 7)}})

    assert [one.code for one in found] == codes


def test_a_text_needs_no_translation_into_its_own_language() -> None:
    found = problems_of([written("Bom dia.", language="pt"), written("Good day.")], "pt-BR", {})

    assert [one.source for one in found] == ["Good day."]


def test_an_update_marks_new_texts_and_keeps_the_rest() -> None:
    first = updated(None, [written("One."), written("Two.")], "pt", "a test")
    done = first.replace(b'msgid "One."\nmsgstr ""', b'msgid "One."\nmsgstr "Um."')

    again = read_po(BytesIO(updated(done, [written("One."), written("Three.")], "pt", "a test")))

    assert again["One."].string == "Um."
    assert again["Three."].user_comments == [NATIVE_REVIEW]
    assert again.get("Two.") is None
