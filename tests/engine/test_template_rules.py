"""Each rule about templates in business.yaml, broken one at a time in the example business."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.app.project import privacy_meaning
from bot.domain.template_text import are_named, meta_language, values_of
from bot.engine.loader import load
from bot.engine.problem import Problem

ROOT = Path(__file__).resolve().parents[2]
BUSINESS = (ROOT / "flows" / "business.yaml").read_text(encoding="utf-8")
GOOD = """\
  order_sent:
    category: utility
    purpose: orders
    languages: {en: "Your order {{1}} is on its way.", pt: "A encomenda {{1}} vai a caminho."}
    samples: [AB12345]
    header: {en: Good news, pt: Boas notícias}
    buttons: {en: [Thanks], pt: [Obrigado]}
    payloads: [thanks]
    link: {label: {en: Track, pt: Seguir}, address: "https://casa-lua.example/track"}
    lives: 2 hours
"""


def problems(declaration: str) -> list[Problem]:
    content = BUSINESS.replace("templates:\n", f"templates:\n{declaration}", 1)
    assert content != BUSINESS
    return list(load({"business.yaml": content.encode()}, require_builtin=False, meaning=privacy_meaning).problems)


def test_a_template_without_a_fault_has_none() -> None:
    assert problems(GOOD) == []


BREAKS = [
    pytest.param("  order_sent:", "  Order-Sent:", "template-name", "error", id="a name in capitals"),
    pytest.param("on its way", "x" * 1024, "template-long", "error", id="a body over 1024"),
    pytest.param("Good news", "😀" * 31, "template-long", "error", id="a header of 62 UTF-16 units"),
    pytest.param("[Thanks]", "[Thank you ever so much all]", "template-long", "error", id="a label over 25"),
    pytest.param("Good news", "'Good {{1}}'", "template-value", "error", id="a value in the header"),
    pytest.param("encomenda {{1}}", "encomenda {{2}}", "template-value", "error", id="languages that differ"),
    pytest.param("{{1}}", "{{2}}", "template-value", "error", id="a gap in the numbers"),
    pytest.param("{{1}} is", "{{1}} of {{name}} is", "template-value", "error", id="names and numbers mixed"),
    pytest.param("samples: [AB12345]", "samples: [a, b]", "template-sample", "error", id="more samples than values"),
    pytest.param("    samples: [AB12345]\n", "", "template-sample", "warning", id="no sample"),
    pytest.param("{{1}} is on its way.", "is {{1}}", "template-edge", "warning", id="a value at the end"),
    pytest.param("payloads: [thanks]", "payloads: [a, b]", "template-buttons", "error", id="more payloads than buttons"),
    pytest.param("    buttons: {en: [Thanks], pt: [Obrigado]}\n", "", "template-buttons", "error", id="payloads without buttons"),
    pytest.param("pt: [Obrigado]}\n    payloads: [thanks]", "pt: [A, A]}\n    payloads: [a, b]", "template-buttons", "error",
                 id="the same twice"),
    pytest.param(
        "{en: [Thanks], pt: [Obrigado]}\n    payloads: [thanks]",
        "{en: [A, B, C], pt: [A, B, C]}\n    payloads: [a, b, c]", "template-buttons", "warning", id="four with the link",
    ),
    pytest.param("pt: Boas notícias", "es: Buenas noticias", "template-tongue", "error", id="a header in another language"),
    pytest.param("pt: Seguir", "es: Seguir", "template-tongue", "error", id="a link's label in another language"),
    pytest.param("en: Good news, pt: Boas notícias", "en: Good news", "template-tongue", "error", id="a header in one language"),
    pytest.param("category: utility", "category: marketing", "template-category", "error", id="an advertisement for orders"),
    pytest.param("lives: 2 hours", "lives: 2 days", "template-lives", "error", id="an order's news delivered for two days"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "code", "severity"), BREAKS)
def test_a_fault_is_told_with_its_place(old: str, new: str, code: str, severity: str) -> None:
    assert old in GOOD
    found = [one for one in problems(GOOD.replace(old, new)) if one.code == code]

    assert found, code
    assert {one.severity for one in found} == {severity}
    assert all(one.place.file == "business.yaml" and one.fix and one.reason for one in found)


MARKETING = """\
  offer:
    category: marketing
    purpose: newsletter
    languages: {en: "We have new teas.", pt: "Temos chás novos."}
"""


@pytest.mark.parametrize(
    ("more", "missing"),
    [
        pytest.param("", 2, id="nothing says how to end it"),
        pytest.param("    footer: {en: Write STOP to unsubscribe, pt: Escreva STOP para cancelar}\n", 0, id="the word STOP"),
        pytest.param("    footer: {en: Stop at any time., pt: Até breve}\n", 1, id="in one language only"),
        pytest.param('    buttons: {en: [Enough], pt: [Basta]}\n    payloads: ["recado:stop:newsletter"]\n', 0, id="a button that stops"),
        pytest.param("    buttons: {en: [Enough], pt: [Basta]}\n    payloads: [enough]\n", 2, id="a button that does not"),
    ],
)  # fmt: skip
def test_an_advertisement_says_how_to_end_them(more: str, missing: int) -> None:
    """GDPR art. 7(3), 21(4); ePrivacy art. 13(4)."""
    assert [one.code for one in problems(MARKETING + more)] == ["template-way-out"] * missing


def test_a_language_that_meta_does_not_take_is_told() -> None:
    found = problems(GOOD.replace("pt:", "mt:"))

    assert {one.code for one in found} == {"template-tongue"}
    assert "`mt`" in found[0].reason


@pytest.mark.parametrize(
    ("tag", "code"),
    [("en", "en"), ("pt", "pt_PT"), ("pt-BR", "pt_BR"), ("de-LU", "de"), ("no", "nb"), ("zh-HK", "zh_HK"), ("mt", ""), ("PT_br", "pt_BR")],
)  # fmt: skip
def test_a_tag_is_named_as_meta_names_it(tag: str, code: str) -> None:
    assert meta_language(tag) == code


@given(st.lists(st.sampled_from(["1", "2", "3", "10"]), unique=True, min_size=1).map(tuple))
def test_numbered_values_are_sent_by_their_numbers(names: tuple[str, ...]) -> None:
    text = " and ".join("{{" + one + "}}" for one in names)

    assert values_of(text) == tuple(sorted(names, key=int))
    assert not are_named(values_of(text))


def test_named_values_are_sent_as_they_first_appear() -> None:
    assert values_of("{{name}}, your {{ thing }} is here, {{name}}.") == ("name", "thing")
    assert are_named(("name", "thing"))
