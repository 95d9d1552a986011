"""Two readings of Meta's documents check each other: whatever our side would send, the stand-in takes; and a schema agrees (jsonschema)."""

from dataclasses import dataclass, field
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from bot.domain.ids import Address, Wamid
from bot.domain.message import ButtonsMessage as Buttons
from bot.domain.message import Header, Option, OutMessage, TemplateButton, TemplateMessage, TextMessage
from bot.simulator.chat import MediaRef
from bot.simulator.outgoing import Outgoing, ReadMark
from bot.simulator.outgoing import read_body as simulated
from bot.simulator.templates import Template
from bot.simulator.templates import TemplateButton as Declared
from bot.whatsapp.limits import TooLarge
from bot.whatsapp.payload import body_of, read_body
from tests.whatsapp.meta_schema import SCHEMA
from tests.whatsapp.sample_messages import ADDRESSES, MESSAGES, NUMBER, WAMIDS, templates

UPLOADS = {f"up-{kind}": MediaRef(kind, id=f"up-{kind}") for kind in ("image", "video", "audio", "document", "sticker")}
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


@dataclass
class Meta:
    """What Meta knows of."""

    known: Template | None = None
    uploads: dict[str, MediaRef] = field(default_factory=lambda: UPLOADS)

    def template(self, name: str, language: str) -> Template | None:
        found = self.known
        return found if found is not None and (found.name, found.language) == (name, language) else None


def sent(to: Address, message: OutMessage) -> dict[str, Any]:
    """The body, or no example: what we refuse ourselves never reaches Meta."""
    try:
        return body_of(to, message, "cb")
    except TooLarge:
        assume(False)
        raise


def takes(body: dict[str, Any], known: Template | None = None) -> Outgoing | ReadMark:
    errors = [f"{'/'.join(map(str, one.absolute_path))}: {one.message[:120]}" for one in VALIDATOR.iter_errors(body)]
    assert errors == []
    return simulated(body, Meta(known))


@settings(max_examples=600, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow], deadline=None)
@given(ADDRESSES, MESSAGES)
@example(NUMBER, TextMessage(" \n "))
@example(NUMBER, TextMessage("\u200b"))
@example(NUMBER, Buttons("b", (Option(" a", "A"),)))
@example(NUMBER, Buttons("b", (Option("a", "A"), Option("b", "A "))))
@example(NUMBER, Buttons("b", (Option("a", "A"),), " "))
@example(NUMBER, Buttons("b", (Option("a", "A"),), header=Header(text=" ")))
def test_every_message_we_would_send_is_taken(to: Address, message: OutMessage) -> None:
    found = takes(sent(to, message))

    assert isinstance(found, Outgoing)
    assert (found.to is None) != (found.recipient is None)
    assert found.callback_data == "cb"


@settings(max_examples=300, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow], deadline=None)
@given(templates())
def test_every_template_message_we_would_send_is_taken(message: TemplateMessage) -> None:
    found = takes(sent(NUMBER, message), template_for(message))

    assert isinstance(found, Outgoing)
    assert found.kind == "template"


def template_for(message: TemplateMessage) -> Template:
    """The approved template of which this message is a filling."""
    code = {"pt": "pt_PT", "pt-BR": "pt_BR"}.get(message.language, message.language)
    if message.code:
        button = Declared("URL", "Copy", "https://www.example.com/otp/{{1}}")
        return Template(message.name, code, "{{1}} is your code.", "AUTHENTICATION", buttons=(button,))
    names = message.names or tuple(str(n + 1) for n in range(len(message.parameters)))
    body = "Hello " + " ".join("{{" + one + "}}" for one in names) + "."
    header = message.header or Header()
    form = header.kind.upper() or ("TEXT" if header.text else "")
    cards = tuple(
        Template(
            message.name,
            code,
            "Card " + " ".join(f"{{{{{n + 1}}}}}" for n in range(len(card.parameters))),
            header_format="IMAGE",
        )
        for card in message.cards
    )
    return Template(
        message.name, code, body, header="{{1}}" if header.text else "", header_format=form,
        buttons=tuple(_declared(one) for one in message.actions), offer=bool(message.offer_ends), cards=cards,
    )  # fmt: skip


def _declared(one: TemplateButton) -> Declared:
    return Declared(one.kind.upper(), "Press", "https://shop.example/{{1}}" if one.kind == "url" else "")


@given(WAMIDS, st.booleans())
def test_read_marks_are_taken(wamid: Wamid, typing: bool) -> None:
    assert takes(read_body(wamid, typing=typing)) == ReadMark(wamid.value, typing)


REFUSED: list[tuple[str, dict[str, Any]]] = [
    ("two recipients", {"to": "+15550100123", "recipient": "US.1", "type": "text", "text": {"body": "x"}}),
    ("no recipient", {"type": "text", "text": {"body": "x"}}),
    ("a number without +", {"to": "15550100123", "type": "text", "text": {"body": "x"}}),
    ("an empty text", {"to": "+15550100123", "type": "text", "text": {"body": ""}}),
    ("a long text", {"to": "+15550100123", "type": "text", "text": {"body": "x" * 4097}}),
    ("an unknown key", {"to": "+15550100123", "type": "text", "text": {"body": "x", "colour": "red"}}),
    ("a picture by id and link", {"to": "+15550100123", "type": "image", "image": {"id": "1", "link": "https://x.example"}}),
    ("no buttons", {"to": "+15550100123", "type": "interactive",
                    "interactive": {"type": "button", "body": {"text": "x"}, "action": {"buttons": []}}}),
    ("a reaction that replies", {"to": "+15550100123", "type": "reaction", "reaction": {"message_id": "w", "emoji": "👍"},
                                 "context": {"message_id": "w"}}),
]  # fmt: skip


@pytest.mark.parametrize("body", [pytest.param(body, id=name) for name, body in REFUSED])
def test_the_schema_itself_refuses_what_is_wrong(body: dict[str, Any]) -> None:
    """A schema that takes everything would prove nothing."""
    assert list(VALIDATOR.iter_errors({"messaging_product": "whatsapp", "recipient_type": "individual", **body}))
