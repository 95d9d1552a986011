"""The lengths, counts and forms WhatsApp takes (whatsapp.md 3.3, 3.4), in UTF-16 units: the stricter of the two readings of "character"."""

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from bot.domain.message import (
    AskMessage,
    ButtonsMessage,
    ContactsMessage,
    FormMessage,
    Header,
    LinkMessage,
    ListMessage,
    LocationMessage,
    MediaMessage,
    Option,
    OutMessage,
    QuotingMessage,
    ReactionMessage,
    TextMessage,
)
from bot.whatsapp import links

TEXT, BODY, FOOTER, CAPTION, HEADER = 4096, 1024, 60, 1024, 60
BUTTONS, BUTTON_TITLE, BUTTON_ID = 3, 20, 256
ROWS, ROW_TITLE, ROW_ABOUT, ROW_ID, SECTIONS, SECTION_TITLE = 10, 24, 72, 200, 10, 24
LINK_LABEL, FORM_LABEL, FORM_TOKEN = 20, 30, 256
CARDS, NAME, PLACE = 5, 240, 1000
"""[OA] takes five contact cards in a message, another page of Meta's 257: the stricter counts."""

_MEDIA = frozenset({"image", "video", "audio", "document", "sticker"})
_CAPTIONED = frozenset({"image", "video", "document"})
_ASKS = frozenset({"location", "phone", "address"})
_WEB = ("https", "http")

Problems = Iterator[str]


class TooLarge(ValueError):
    """A message that WhatsApp would refuse; the text names the part and the counts, never the words."""


def units(text: str) -> int:
    """Length in UTF-16 units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def sized(name: str, text: str, least: int, most: int) -> Problems:
    """A problem if the length is not from `least` to `most`, or if there is nothing to be seen in it."""
    length = units(text)
    if not least <= length <= most:
        yield f"the {name} has {length} characters; {least} to {most} are possible"
    elif text and not text.strip():
        yield f"the {name} is blank"


def identified(name: str, text: str, most: int) -> Problems:
    """The problems of an id that comes back when something is tapped: Meta takes none with a space at an end."""
    yield from sized(name, text, 1, most)
    if text != text.strip():
        yield f"the {name} begins or ends with a space"


def check(message: OutMessage) -> list[str]:
    """Everything about a message that WhatsApp would refuse, in words; empty when it can be sent."""
    if isinstance(message, QuotingMessage):
        problems = [] if message.to else ["the message it replies to has no id"]
        if isinstance(message.message, ReactionMessage):
            problems.append("a reaction cannot be a reply")
        return problems + check(message.message)
    return list(_CHECKS[type(message)](message))


def media_source(what: str, link: str, media_id: str) -> Problems:
    """Media come by link or by id, and a link leads to the open web by https (whatsapp.md 3.5)."""
    if bool(link) == bool(media_id):
        yield f"the {what} needs either a link or a media id"
    if link:
        trouble = links.trouble(link, ("https",))
        if trouble:
            yield f"the link of the {what} {trouble}"
        elif links.private(link):
            yield f"the link of the {what} leads into a private network"


def header_of(header: Header | None, *, media: bool = True) -> Problems:
    """The problems of a header; `media` says whether it may be a picture, a video or a document."""
    if header is None:
        return
    if not header.kind:
        yield from sized("header", header.text, 1, HEADER)
    elif not media or header.kind not in _CAPTIONED:
        yield "the header is of a kind that cannot stand here"
    else:
        yield from media_source("header", header.link, header.media_id)


def _text(message: TextMessage) -> Problems:
    yield from sized("text", message.body, 1, TEXT)


def _buttons(message: ButtonsMessage) -> Problems:
    yield from _around(message)
    for option in message.options:
        yield from sized("button title", option.title, 1, BUTTON_TITLE)
        yield from identified("button id", option.id, BUTTON_ID)
        if option.description:
            yield "a button has no room for a description"
    yield from _counted("buttons", message.options, BUTTONS)
    if len({option.title for option in message.options}) < len(message.options):
        yield "two buttons are the same"


def _list(message: ListMessage) -> Problems:
    yield from _around(message, media=False)
    yield from sized("list button", message.button, 1, BUTTON_TITLE)
    if message.options and message.sections:
        yield "rows stand either alone or in sections"
    if len(message.sections) > SECTIONS:
        yield f"there are {len(message.sections)} sections; 1 to {SECTIONS} are possible"
    for section in message.sections:
        yield from sized("section title", section.title, 1, SECTION_TITLE)
        if not section.options:
            yield "a section has no rows"
    rows = (*message.options, *(option for section in message.sections for option in section.options))
    for option in rows:
        yield from sized("row title", option.title, 1, ROW_TITLE)
        yield from identified("row id", option.id, ROW_ID)
        yield from sized("row description", option.description, 0, ROW_ABOUT)
    yield from _counted("rows", rows, ROWS)


def _around(message: ButtonsMessage | ListMessage | LinkMessage | FormMessage, *, media: bool = True) -> Problems:
    yield from sized("body", message.body, 1, BODY)
    yield from sized("footer", message.footer, 0, FOOTER)
    yield from header_of(message.header, media=media)


def _counted(name: str, options: Sequence[Option], most: int) -> Problems:
    if not 1 <= len(options) <= most:
        yield f"there are {len(options)} {name}; 1 to {most} are possible"
    if len({option.id for option in options}) < len(options):
        yield f"two {name} are the same"


def _link(message: LinkMessage) -> Problems:
    yield from _around(message)
    yield from sized("link label", message.label, 1, LINK_LABEL)
    trouble = links.trouble(message.url, _WEB)
    if trouble:
        yield f"the web address {trouble}"


def _media(message: MediaMessage) -> Problems:
    if message.kind not in _MEDIA:
        yield "the kind of media is none of WhatsApp's"
        return
    yield from media_source(message.kind, message.link, message.media_id)
    yield from sized("caption", message.caption, 0, CAPTION if message.kind in _CAPTIONED else 0)
    yield from sized("file name", message.filename, 0, NAME if message.kind == "document" else 0)
    if message.voice and message.kind != "audio":
        yield "only an audio can be a voice note"


def _location(message: LocationMessage) -> Problems:
    for name, value, most in (("latitude", message.latitude, 90), ("longitude", message.longitude, 180)):
        if not (math.isfinite(value) and abs(value) <= most):
            yield f"the {name} is not between -{most} and {most} degrees"
    yield from sized("place's name", message.name, 0, PLACE)
    yield from sized("place's address", message.address, 0, PLACE)


def _contacts(message: ContactsMessage) -> Problems:
    if not 1 <= len(message.cards) <= CARDS:
        yield f"there are {len(message.cards)} contact cards; 1 to {CARDS} are possible"
    for card in message.cards:
        yield from sized("contact's name", card.name, 1, NAME)
        if not (card.first_name or card.last_name or card.company):
            yield "a contact needs a first name, a last name or a company beside the name that is shown"


def _reaction(message: ReactionMessage) -> Problems:
    if not message.to:
        yield "the message to react to has no id"
    yield from sized("emoji", message.emoji, 0, 32)
    if (
        any(one.isalnum() and ord(one) < 128 for one in message.emoji.rstrip("\ufe0f\u20e3"))
        and "\u20e3" not in message.emoji
    ):
        yield "a reaction is one emoji"


def _ask(message: AskMessage) -> Problems:
    if message.what not in _ASKS:
        yield "what is asked for is none of location, phone and address"
    yield from sized("body", message.body, 1, BODY)
    if (message.what == "address") != bool(re.fullmatch(r"[A-Z]{2}", message.country)):
        yield "an address needs a country of two letters, and nothing else has one"


def _form(message: FormMessage) -> Problems:
    yield from _around(message)
    yield from sized("form label", message.label, 1, FORM_LABEL)
    yield from sized("form token", message.token, 1, FORM_TOKEN)
    if bool(message.flow_id) == bool(message.flow_name):
        yield "the form needs either its id or its name"
    if message.data and not message.screen:
        yield "data for a form need the screen they belong to"


_CHECKS: Mapping[type, Callable[[Any], Problems]] = {
    TextMessage: _text, ButtonsMessage: _buttons, ListMessage: _list, LinkMessage: _link, MediaMessage: _media,
    LocationMessage: _location, ContactsMessage: _contacts, ReactionMessage: _reaction, AskMessage: _ask, FormMessage: _form,
}  # fmt: skip
