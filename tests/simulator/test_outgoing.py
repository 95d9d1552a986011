"""What the Graph API takes and what it refuses: Meta's limits, counted in UTF-16 units, and codes."""

# ruff: noqa: E501 - a case a line reads best in the tables

from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.simulator.chat import MediaRef
from bot.simulator.errors import GraphError
from bot.simulator.outgoing import Outgoing, ReadMark, read_body
from bot.simulator.templates import Template, TemplateButton

ADA = "+447700900123"
BSUID = "GB.13491208655302741918"


class Shelf:
    uploads: ClassVar = {"77": MediaRef("image", id="77", mime_type="image/png"), "78": MediaRef("document", id="78")}
    templates: ClassVar = {
        ("news", "en"): Template(
            "news", "en", "News: {{1}} and {{2}}", category="MARKETING", footer="STOP ends it",
            buttons=(TemplateButton("QUICK_REPLY", "Stop"), TemplateButton("URL", "Open", "https://shop.example/{{1}}"), TemplateButton("COPY_CODE", "Copy")),
        ),
        ("named", "es"): Template("named", "es", "Hola {{first_name}}"),
        ("paused", "en"): Template("paused", "en", "x", status="PAUSED"),
        ("disabled", "en"): Template("disabled", "en", "x", status="DISABLED"),
        ("pending", "en"): Template("pending", "en", "x", status="PENDING"),
        ("photo", "en"): Template("photo", "en", "x", header_format="IMAGE"),
    }  # fmt: skip

    def template(self, name: str, language: str) -> Template | None:
        return self.templates.get((name, language))


def read(body: dict[str, Any]) -> Outgoing | ReadMark:
    return read_body({"messaging_product": "whatsapp"} | body, Shelf())


def code(body: dict[str, Any]) -> int:
    with pytest.raises(GraphError) as refused:
        read(body)
    return refused.value.code


def text(body: object = "hi", **more: object) -> dict[str, Any]:
    return {"to": ADA, "type": "text", "text": {"body": body}} | more


def buttons(*pairs: tuple[str, str], **more: object) -> dict[str, Any]:
    rows = [{"type": "reply", "reply": {"id": key, "title": title}} for key, title in pairs]
    inner = {"type": "button", "body": {"text": "?"}, "action": {"buttons": rows}} | more
    return {"to": ADA, "type": "interactive", "interactive": inner}


def choose(*sections: dict[str, Any], **more: object) -> dict[str, Any]:
    inner = {"type": "list", "body": {"text": "?"}, "action": {"button": "Choose", "sections": list(sections)}} | more
    return {"to": ADA, "type": "interactive", "interactive": inner}


def section(count: int, title: str | None = None, start: int = 0) -> dict[str, Any]:
    rows = [{"id": f"r{n}", "title": f"Row {n}"} for n in range(start, start + count)]
    return {"rows": rows} | ({"title": title} if title else {})


def link(label: str = "Open", url: str = "https://shop.example/", **more: object) -> dict[str, Any]:
    action = {"name": "cta_url", "parameters": {"display_text": label, "url": url}}
    return {
        "to": ADA,
        "type": "interactive",
        "interactive": {"type": "cta_url", "body": {"text": "x"}, "action": action} | more,
    }


def template(name: str, language: str = "en", *components: dict[str, Any]) -> dict[str, Any]:
    return {
        "to": ADA,
        "type": "template",
        "template": {"name": name, "language": {"code": language}, "components": list(components)},
    }


def body_of(*texts: str, **names: str) -> dict[str, Any]:
    positional = [{"type": "text", "text": one} for one in texts]
    named = [{"type": "text", "parameter_name": name, "text": one} for name, one in names.items()]
    return {"type": "body", "parameters": positional + named}


def button(index: int, kind: str, parameter: dict[str, str]) -> dict[str, Any]:
    return {"type": "button", "sub_type": kind, "index": str(index), "parameters": [parameter]}


URL = button(1, "url", {"type": "text", "text": "may"})
CODE = button(2, "copy_code", {"type": "coupon_code", "coupon_code": "AUTUMN"})


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(text("x" * 4096), id="a text of 4096 characters"),
        pytest.param(text("🎉" * 2048), id="an emoji counts twice"),
        pytest.param({"recipient": BSUID, "type": "text", "text": {"body": "x", "preview_url": True}}, id="to a BSUID"),
        pytest.param(text(context={"message_id": "wamid.X"}, biz_opaque_callback_data="x" * 512), id="a reply with callback data"),
        pytest.param(buttons(("a", "A" * 20), ("b", "B"), ("c", "C")), id="three buttons"),
        pytest.param(buttons(("x" * 256, "A"), footer={"text": "f" * 60}, header={"type": "text", "text": "h" * 60}), id="a button at its limits"),
        pytest.param(buttons(("a", "A"), header={"type": "image", "image": {"id": "77"}}), id="a picture above buttons"),
        pytest.param(choose(section(10)), id="ten rows in one section without a title"),
        pytest.param(choose(section(5, "A"), section(5, "B", 5)), id="ten rows in two sections"),
        pytest.param(link("O" * 20), id="a link button"),
        pytest.param({"to": ADA, "type": "image", "image": {"id": "77", "caption": "x" * 1024}}, id="an upload"),
        pytest.param({"to": ADA, "type": "document", "document": {"link": "https://shop.example/a.pdf", "filename": "a.pdf"}}, id="a document by link"),
        pytest.param({"to": ADA, "type": "location", "location": {"latitude": "37.4", "longitude": -122.1}}, id="a place"),
        pytest.param({"to": ADA, "type": "contacts", "contacts": [{"name": {"formatted_name": "Bo"}}]}, id="a contact card"),
        pytest.param({"to": ADA, "type": "reaction", "reaction": {"message_id": "wamid.X", "emoji": ""}}, id="a reaction taken back"),
        pytest.param({"status": "read", "message_id": "wamid.X", "typing_indicator": {"type": "text"}}, id="a read mark"),
        pytest.param(template("news", "en", body_of("a", "b"), URL, CODE), id="a template"),
        pytest.param(template("named", "es", body_of(first_name="Ada")), id="a template with named parameters"),
        pytest.param(template("photo", "en", {"type": "header", "parameters": [{"type": "image", "image": {"id": "77"}}]}), id="a template with a picture"),
    ],
)  # fmt: skip
def test_taken(body: dict[str, Any]) -> None:
    assert isinstance(read(body), (Outgoing, ReadMark))


@pytest.mark.parametrize(
    ("body", "refused_with"),
    [
        pytest.param({"messaging_product": "other", **text()}, 100, id="another product"),
        pytest.param(text(surprise=1), 100, id="an unknown key"),
        pytest.param({"type": "text", "text": {"body": "x"}}, 131008, id="no recipient"),
        pytest.param(text(recipient=BSUID), 131009, id="both kinds of recipient"),
        pytest.param(text(to=ADA.lstrip("+")), 131009, id="a number without +"),
        pytest.param(text(to="+44 7700 900123"), 131009, id="a number with spaces"),
        pytest.param({"recipient": "447700900123", "type": "text", "text": {"body": "x"}}, 131009, id="a number as BSUID"),
        pytest.param(text(to=BSUID), 131009, id="a BSUID in to"),
        pytest.param(text("x" * 4097), 131009, id="a text too long"),
        pytest.param(text("🎉" * 2048 + "x"), 131009, id="a text too long in UTF-16"),
        pytest.param(text("  \n"), 131009, id="a blank text"),
        pytest.param(text(5), 131009, id="a number as text"),
        pytest.param({"to": ADA, "type": "text"}, 131008, id="the type's object is missing"),
        pytest.param({"to": ADA, "type": "poll", "poll": {}}, 131051, id="an unknown type"),
        pytest.param(text(image={"id": "77"}), 100, id="two kinds of content"),
        pytest.param(text(biz_opaque_callback_data="x" * 513), 131009, id="callback data too long"),
        pytest.param(buttons(), 131009, id="no button"),
        pytest.param(buttons(*[(str(n), str(n)) for n in range(4)]), 131009, id="four buttons"),
        pytest.param(buttons(("a", "A"), ("a", "B")), 131009, id="one id twice"),
        pytest.param(buttons(("a", "A"), ("b", "A")), 131009, id="one title twice"),
        pytest.param(buttons(("a", "A" * 21)), 131009, id="a title of 21"),
        pytest.param(buttons(("x" * 257, "A")), 131009, id="an id of 257"),
        pytest.param(buttons(("a", "A"), body={"text": "x" * 1025}), 131009, id="a body of 1025"),
        pytest.param(buttons(("a", "A"), footer={"text": "x" * 61}), 131009, id="a footer of 61"),
        pytest.param(buttons(("a", "A"), header={"type": "text", "text": "x" * 61}), 131009, id="a header of 61"),
        pytest.param(choose(section(11)), 131009, id="eleven rows"),
        pytest.param(choose(section(6, "A"), section(5, "B", 6)), 131009, id="eleven rows in two sections"),
        pytest.param(choose(section(2), section(2, "B", 2)), 131008, id="two sections, one without a title"),
        pytest.param(choose(section(2, "A"), section(2, "B")), 131009, id="a row id in two sections"),
        pytest.param(choose({"rows": [{"id": "a", "title": "x" * 25}]}), 131009, id="a row of 25"),
        pytest.param(choose({"rows": [{"id": "a", "title": "A", "description": "x" * 73}]}), 131009, id="a description of 73"),
        pytest.param(choose(section(1), header={"type": "image", "image": {"id": "77"}}), 131009, id="a picture above a list"),
        pytest.param(link("O" * 21), 131009, id="a link label of 21"),
        pytest.param(link(url="javascript:alert(1)"), 131009, id="a link that is no web address"),
        pytest.param({"to": ADA, "type": "image", "image": {"id": "77", "link": "https://a.example/"}}, 131009, id="id and link"),
        pytest.param({"to": ADA, "type": "image", "image": {"id": "0"}}, 131009, id="an unknown upload"),
        pytest.param({"to": ADA, "type": "image", "image": {"id": "78"}}, 131053, id="a document sent as a picture"),
        pytest.param({"to": ADA, "type": "location", "location": {"latitude": 91, "longitude": 0}}, 131009, id="a place off the globe"),
        pytest.param({"to": ADA, "type": "reaction", "reaction": {"message_id": "w", "emoji": "ok"}}, 131009, id="letters as a reaction"),
        pytest.param({"to": ADA, "type": "reaction", "reaction": {"message_id": "w", "emoji": "👍"}, "context": {"message_id": "w"}}, 131009, id="a reaction as reply"),
        pytest.param(template("unknown"), 132001, id="an unknown template"),
        pytest.param(template("news", "de", body_of("a", "b")), 132001, id="a language the template has not"),
        pytest.param(template("pending"), 132001, id="a template that was not approved yet"),
        pytest.param(template("paused"), 132015, id="a paused template"),
        pytest.param(template("disabled"), 132016, id="a disabled template"),
        pytest.param(template("news", "en", body_of("a"), URL, CODE), 132000, id="too few parameters"),
        pytest.param(template("news", "en", body_of("a", "b", "c"), URL, CODE), 132000, id="too many parameters"),
        pytest.param(template("news", "en", body_of("a", "b"), CODE), 132000, id="a link's parameter is missing"),
        pytest.param(template("news", "en", body_of("a\nb", "c"), URL, CODE), 132018, id="a line break in a parameter"),
        pytest.param(template("news", "en", body_of("x" * 1024, "y"), URL, CODE), 132005, id="a body that gets too long"),
        pytest.param(template("named", "es", body_of("Ada")), 132012, id="a positional parameter where a name is needed"),
        pytest.param(template("news", "en", body_of(a="x", b="y"), URL, CODE), 132012, id="named parameters where positions are needed"),
        pytest.param(template("photo", "en"), 132000, id="the picture is missing"),
        pytest.param({"status": "delivered", "message_id": "w"}, 131009, id="a status that is not read"),
    ],
)  # fmt: skip
def test_refused(body: dict[str, Any], refused_with: int) -> None:
    assert code(body) == refused_with


def test_a_template_is_filled_in_with_its_payloads() -> None:
    stop = button(0, "quick_reply", {"type": "payload", "payload": "stop:news"})
    message = read(template("news", "en", body_of("cups", "plates"), stop, URL, CODE))
    assert isinstance(message, Outgoing)
    assert (message.face.text, message.face.footer, message.category) == (
        "News: cups and plates",
        "STOP ends it",
        "marketing",
    )
    assert [choice.id for choice in message.face.choices] == ["stop:news", "url-1", "AUTUMN"]
    assert message.face.choices[1].url == "https://shop.example/may"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["type", "body", "text", "id", "action", "rows"]), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip
REFUSALS = {100, 131008, 131009, 131051, 131053, 132000, 132001, 132012}
KEYS = st.sampled_from(
    ["to", "recipient", "type", "text", "interactive", "template", "status", "image", "contacts", "context"]
)


@given(st.dictionaries(KEYS, JSON | st.sampled_from([ADA, BSUID, "text", "interactive", "template"]), max_size=6))
def test_any_body_is_taken_or_refused_with_metas_error_and_never_breaks(body: dict[str, Any]) -> None:
    try:
        found = read(body)
    except GraphError as error:
        found = error
    assert isinstance(found, (Outgoing, ReadMark)) or found.code in REFUSALS
