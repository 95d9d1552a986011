"""Reads the body of `POST /{phone_number_id}/messages` strictly, as Meta's pages describe it. Pure: no people, no clock.

Source: Meta: cloud-api/reference/messages and the pages of each message type.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from bot.simulator.chat import Face
from bot.simulator.checks import Body, flag, items, mapping, number, only, utf16, words, words_or_none
from bot.simulator.errors import GraphError
from bot.simulator.filling import fill
from bot.simulator.ids import BSUID, E164
from bot.simulator.interactive import read_interactive
from bot.simulator.mediarefs import KEYS, MediaLookup, media_ref
from bot.simulator.templates import Template

COMMON = (
    "messaging_product", "recipient_type", "to", "recipient", "type", "context", "biz_opaque_callback_data",
    "messaging_account_id", "recipient_identity_key_hash",
)  # fmt: skip


class Known(Protocol):
    """What Meta already has: uploads and templates."""

    @property
    def uploads(self) -> MediaLookup: ...

    def template(self, name: str, language: str) -> Template | None: ...


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message the business may send as far as its body goes. `to` with + and digits, or `recipient`, never both."""

    to: str | None
    recipient: str | None
    kind: str
    face: Face
    reply_to: str = ""
    callback_data: str = ""
    category: str = "service"
    reacts_to: str = ""


@dataclass(frozen=True, slots=True)
class ReadMark:
    """`status: read`, with or without the typing indicator."""

    message_id: str
    typing: bool


def read_body(body: Body, known: Known) -> Outgoing | ReadMark:
    """The message or the read mark in a body; raises GraphError with Meta's code and the place of the fault."""
    if body.get("messaging_product") != "whatsapp":
        raise GraphError(100, "The parameter messaging_product must be whatsapp")
    if "status" in body:
        return _read_mark(body)
    kind = body.get("type", "text")
    if not isinstance(kind, str) or kind not in READERS:
        raise GraphError(131051, f"type must be one of {', '.join(READERS)}")
    only(body, (*COMMON, kind), "message")
    if body.get("recipient_type", "individual") != "individual":
        raise GraphError(131009, "recipient_type must be individual")
    to, recipient = _recipient(body)
    callback_data = words_or_none(body, "biz_opaque_callback_data", "message", most=512)
    content = body if kind == "contacts" else mapping(body, kind, "message")
    face, category = READERS[kind](content, known)
    reacts_to = words(content, "message_id", "reaction", most=512) if kind == "reaction" else ""
    return Outgoing(to, recipient, kind, face, _context(body, kind), callback_data, category, reacts_to)


def _read_mark(body: Body) -> ReadMark:
    only(body, ("messaging_product", "status", "message_id", "typing_indicator"), "message")
    if body["status"] != "read":
        raise GraphError(131009, "status must be read")
    typing = "typing_indicator" in body
    if typing and mapping(body, "typing_indicator", "message").get("type") != "text":
        raise GraphError(131009, "typing_indicator.type must be text")
    return ReadMark(words(body, "message_id", "message", most=512), typing)


def _recipient(body: Body) -> tuple[str | None, str | None]:
    to, recipient = body.get("to"), body.get("recipient")
    if to is None and recipient is None:
        raise GraphError(131008, "The parameter to (or recipient) is required")
    if to is not None and recipient is not None:
        raise GraphError(131009, "Give exactly one of to and recipient: with both, Meta takes to and ignores recipient")
    if to is not None:
        if not isinstance(to, str) or not E164.match("+" + to.lstrip("+")):
            raise GraphError(131009, "to must be a phone number: + and country code, digits only")
        if not to.startswith("+"):
            raise GraphError(131009, "to must begin with +: without it Meta prepends the business's own country code")
        return to, None
    if not isinstance(recipient, str) or not BSUID.match(recipient):
        raise GraphError(131009, "recipient must be a business-scoped user id")
    return None, recipient


def _context(body: Body, kind: str) -> str:
    if "context" not in body:
        return ""
    if kind == "reaction":
        raise GraphError(131009, "context is not allowed for reactions")
    context = mapping(body, "context", "message")
    only(context, ("message_id",), "context")
    return words(context, "message_id", "context", most=512)


def _text(content: Body, _: Known) -> tuple[Face, str]:
    only(content, ("body", "preview_url"), "text")
    flag(content, "preview_url", "text")
    return Face("text", words(content, "body", "text", most=4096)), "service"


def _media(kind: str) -> Callable[[Body, Known], tuple[Face, str]]:
    def read(content: Body, known: Known) -> tuple[Face, str]:
        ref = media_ref(kind, content, kind, known.uploads)
        return Face(kind, words_or_none(content, "caption", kind, most=1024), media=ref), "service"

    return read


def _interactive(content: Body, known: Known) -> tuple[Face, str]:
    return read_interactive(content, known.uploads), "service"


def _location(content: Body, _: Known) -> tuple[Face, str]:
    only(content, ("latitude", "longitude", "name", "address"), "location")
    place = (
        number(content, "latitude", "location", low=-90, high=90),
        number(content, "longitude", "location", low=-180, high=180),
    )
    name = words_or_none(content, "name", "location", most=1000)
    return Face(
        "location", words_or_none(content, "address", "location", most=1000), header=name, place=place
    ), "service"


def _contacts(content: Mapping[str, object], _: Known) -> tuple[Face, str]:
    names = []
    for place, contact in enumerate(items(content, "contacts", "message", least=1, most=257)):
        name = mapping(contact, "name", f"contacts[{place}]")
        names.append(words(name, "formatted_name", f"contacts[{place}].name", most=1024))
    return Face("contacts", "\n".join(names)), "service"


def _reaction(content: Body, _: Known) -> tuple[Face, str]:
    only(content, ("message_id", "emoji"), "reaction")
    emoji = content.get("emoji")
    if not isinstance(emoji, str):
        raise GraphError(131008, "The parameter reaction.emoji is required (empty to remove)")
    if emoji and (emoji.isascii() or utf16(emoji) > 24):
        raise GraphError(131009, "reaction.emoji must be one emoji")
    return Face("reaction", emoji), "service"


def _template(content: Body, known: Known) -> tuple[Face, str]:
    only(content, ("name", "language", "components"), "template")
    name = words(content, "name", "template", most=512)
    language = mapping(content, "language", "template")
    only(language, ("code", "policy"), "template.language")
    code = words(language, "code", "template.language", most=20)
    template = known.template(name, code)
    if template is None or template.status in {"PENDING", "REJECTED"}:
        raise GraphError(132001, f"template name ({name}) does not exist in {code}")
    if template.status == "PAUSED":
        raise GraphError(132015, "The template is paused because of low quality")
    if template.status == "DISABLED":
        raise GraphError(132016, "The template was paused too often and is now disabled")
    return fill(template, content, known.uploads), template.category.lower()


READERS: Mapping[str, Callable[[Body, Known], tuple[Face, str]]] = {
    "text": _text,
    "interactive": _interactive,
    "template": _template,
    "reaction": _reaction,
    "location": _location,
    "contacts": _contacts,
} | {kind: _media(kind) for kind in KEYS}
