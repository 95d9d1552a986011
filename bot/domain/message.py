"""What goes to a person: values without transport detail. Limits and wire forms are the channel's business."""

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Option:
    """One thing to tap. `id` comes back when it is tapped; it names the question too (decisions.md 4)."""

    id: str
    title: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class TextMessage:
    body: str


@dataclass(frozen=True, slots=True)
class ButtonsMessage:
    """A text with one to three reply buttons."""

    body: str
    options: tuple[Option, ...]
    footer: str = ""


@dataclass(frozen=True, slots=True)
class ListMessage:
    """A text with a sheet of up to ten rows, opened by `button`."""

    body: str
    button: str
    options: tuple[Option, ...]
    footer: str = ""


@dataclass(frozen=True, slots=True)
class LinkMessage:
    """A text with one button that opens a web page."""

    body: str
    label: str
    url: str
    footer: str = ""


@dataclass(frozen=True, slots=True)
class MediaMessage:
    """An image, video, document or voice note by public https link or by the channel's media id."""

    kind: str
    link: str = ""
    media_id: str = ""
    caption: str = ""
    filename: str = ""


@dataclass(frozen=True, slots=True)
class TemplateMessage:
    """A message approved by Meta beforehand: the only kind that may go out when the 24-hour window is shut.

    Attributes:
        parameters: the body's values in order; `names` holds their names where the template uses named ones.
        buttons: payloads of the quick replies, in order.
        link_suffix: what is put behind the address of a URL button, or empty.
    """

    name: str
    language: str
    parameters: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    buttons: tuple[str, ...] = ()
    link_suffix: str = ""


OutMessage: TypeAlias = TextMessage | ButtonsMessage | ListMessage | LinkMessage | MediaMessage | TemplateMessage
