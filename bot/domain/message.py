"""What goes to a person: values without transport detail. Limits and wire forms are the channel's business."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from bot.domain.ids import Wamid


@dataclass(frozen=True, slots=True)
class Option:
    """One thing to tap. `id` comes back when it is tapped; it names the question too (decisions.md 4)."""

    id: str
    title: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class Header:
    """What stands above a message: a text, or an image, video or document (`kind`) by public https link or media id."""

    text: str = ""
    kind: str = ""
    link: str = ""
    media_id: str = ""
    filename: str = ""


@dataclass(frozen=True, slots=True)
class TextMessage:
    """A text; with `preview` the first web address in it is shown as a card."""

    body: str
    preview: bool = False


@dataclass(frozen=True, slots=True)
class ButtonsMessage:
    """A text with one to three reply buttons."""

    body: str
    options: tuple[Option, ...]
    footer: str = ""
    header: Header | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """Some rows of a list under a title of their own."""

    title: str
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class ListMessage:
    """A text with a sheet of up to ten rows, opened by `button`; `options` stand alone or `sections` do."""

    body: str
    button: str
    options: tuple[Option, ...] = ()
    footer: str = ""
    header: Header | None = None
    sections: tuple[Section, ...] = ()


@dataclass(frozen=True, slots=True)
class LinkMessage:
    """A text with one button that opens a web page."""

    body: str
    label: str
    url: str
    footer: str = ""
    header: Header | None = None


@dataclass(frozen=True, slots=True)
class MediaMessage:
    """An image, video, audio, document or sticker by public https link or by the channel's media id.

    `voice` shows an audio as a voice note.
    """

    kind: str
    link: str = ""
    media_id: str = ""
    caption: str = ""
    filename: str = ""
    voice: bool = False


@dataclass(frozen=True, slots=True)
class LocationMessage:
    """A place on the map, in degrees."""

    latitude: float
    longitude: float
    name: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class ContactCard:
    """A card the person can keep; of the business and its people, never of other customers."""

    name: str
    first_name: str = ""
    last_name: str = ""
    phones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()
    company: str = ""


@dataclass(frozen=True, slots=True)
class ContactsMessage:
    """One or more cards."""

    cards: tuple[ContactCard, ...]


@dataclass(frozen=True, slots=True)
class ReactionMessage:
    """An emoji on a message of the person; an empty one takes it back."""

    to: Wamid
    emoji: str


@dataclass(frozen=True, slots=True)
class AskMessage:
    """A text with a button by which the person gives one thing: `what` is `location`, `phone` (their own number) or `address`.

    `country` (two letters) is needed for an address.
    """

    what: str
    body: str
    country: str = ""


@dataclass(frozen=True, slots=True)
class FormMessage:
    """A text with a button that opens a form made at Meta (a "Flow").

    Attributes:
        token: comes back with the answers, so it names what was asked; never empty and never personal.
        flow_id: which form; else `flow_name`.
        screen: where it begins; empty lets the form's own endpoint decide. `data` is filled in there.
    """

    body: str
    label: str
    token: str
    flow_id: str = ""
    flow_name: str = ""
    screen: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    footer: str = ""
    header: Header | None = None


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in thousandths of the currency; `shown` stands where it cannot be put in the reader's way."""

    shown: str
    currency: str
    thousandths: int


@dataclass(frozen=True, slots=True)
class Moment:
    """A date or time of day as it is to be shown."""

    shown: str


Parameter: TypeAlias = str | Money | Moment


@dataclass(frozen=True, slots=True)
class TemplateButton:
    """What one button of a template needs.

    Attributes:
        kind: `quick_reply` (value: its payload), `url` (what is put behind the address), `copy_code` (the code), `flow` (the token).
        index: its place among all buttons of the template from 0, those without values too.
    """

    kind: str
    index: int
    value: str


@dataclass(frozen=True, slots=True)
class TemplateCard:
    """One card of a carousel template."""

    header: Header
    parameters: tuple[Parameter, ...] = ()
    buttons: tuple[TemplateButton, ...] = ()


@dataclass(frozen=True, slots=True)
class TemplateMessage:
    """A message approved by Meta beforehand: the only kind that may go out when the 24-hour window is shut.

    Attributes:
        parameters: the body's values in order; `names` holds their names where the template uses named ones.
        buttons: payloads of the quick replies, in order.
        link_suffix: what is put behind the address of a URL button, or empty.
        header: the media or the one text value of its header.
        actions: buttons with values, where `buttons` and `link_suffix` do not say enough.
        offer_ends: end of a limited-time offer, in milliseconds since 1970.
        cards: the cards of a carousel.
        code: the one-time code of an authentication template; goes by phone number only (Meta: error 131062).
    """

    name: str
    language: str
    parameters: tuple[Parameter, ...] = ()
    names: tuple[str, ...] = ()
    buttons: tuple[str, ...] = ()
    link_suffix: str = ""
    header: Header | None = None
    actions: tuple[TemplateButton, ...] = ()
    offer_ends: int = 0
    cards: tuple[TemplateCard, ...] = ()
    code: str = ""


Plain: TypeAlias = (
    TextMessage | ButtonsMessage | ListMessage | LinkMessage | MediaMessage | TemplateMessage | LocationMessage
    | ContactsMessage | ReactionMessage | AskMessage | FormMessage
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class QuotingMessage:
    """A message shown as the reply to another one; a reaction cannot be."""

    to: Wamid
    message: Plain


OutMessage: TypeAlias = Plain | QuotingMessage
