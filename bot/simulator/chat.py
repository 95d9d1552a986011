"""What stands on a phone: bubbles, their choices, and the chat they make. Values and their changes, no network, no clock."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Literal

Sender = Literal["business", "person"]

PROGRESS = ("pending", "sent", "delivered", "read", "played")


@dataclass(frozen=True, slots=True)
class Choice:
    """Something that can be tapped under a bubble.

    `kind`: reply (button of a session message), row (of a list), quick_reply (button of a template), url, phone, copy,
    location, contact. `section` names the part of a list that a row stands in.
    """

    kind: str
    id: str
    title: str
    description: str = ""
    section: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class MediaRef:
    """A file in a bubble: by `id` of the stand-in's own store, or by `link`, which is shown and never fetched."""

    kind: str
    id: str = ""
    link: str = ""
    mime_type: str = ""
    filename: str = ""


@dataclass(frozen=True, slots=True)
class Face:
    """How a message looks. `list_label` is the text of the button that opens a list."""

    kind: str
    text: str = ""
    header: str = ""
    footer: str = ""
    choices: tuple[Choice, ...] = ()
    list_label: str = ""
    media: MediaRef | None = None
    place: tuple[float, float] | None = None
    template: str = ""


@dataclass(frozen=True, slots=True)
class Bubble:
    """One message on a phone. `payload` is the body the business posted, or the message object its webhook got.

    `status`: pending, sent, delivered, read or failed. `reactions`: emoji by sender. `tapped`: title of the choice taken.
    `category` and `to_number` are of a business's message: what it is billed as, and whether it went to a phone number.
    """

    id: str
    sender: Sender
    face: Face
    at: float
    status: str = "sent"
    reply_to: str = ""
    reactions: Mapping[str, str] = field(default_factory=dict)
    tapped: str = ""
    error: int = 0
    callback_data: str = ""
    category: str = "service"
    to_number: bool = True
    payload: Mapping[str, object] = field(default_factory=dict, repr=False)

    @property
    def kind(self) -> str:
        """text, buttons, list, link, template, image, location, …."""
        return self.face.kind

    @property
    def text(self) -> str:
        """The words of the bubble's body."""
        return self.face.text

    @property
    def buttons(self) -> tuple[str, ...]:
        """Titles of everything that can be tapped, in order."""
        return tuple(choice.title for choice in self.face.choices)

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids (payloads) of everything that can be tapped, in the same order."""
        return tuple(choice.id for choice in self.face.choices)

    def to_json(self) -> dict[str, object]:
        """For the control API and the page."""
        return {
            "id": self.id, "sender": self.sender, "at": self.at, "status": self.status, "reply_to": self.reply_to,
            "reactions": dict(self.reactions), "tapped": self.tapped, "error": self.error, "face": asdict(self.face),
        }  # fmt: skip


def further(old: str, new: str) -> str:
    """The later of two statuses: a bubble's ticks never go back."""
    if new == "failed" or old not in PROGRESS:
        return new if new == "failed" else old
    return new if PROGRESS.index(new) > PROGRESS.index(old) else old


@dataclass(slots=True)
class Chat:
    """All that passed between one person and the business, and what Meta keeps beside it."""

    bubbles: list[Bubble] = field(default_factory=list)
    last_inbound: float | None = None
    marketing_stopped: bool = False
    blocked: bool = False
    typing_until: float = 0.0
    _places: dict[str, int] = field(default_factory=dict)

    def add(self, bubble: Bubble) -> None:
        """Puts a new bubble at the end."""
        self._places[bubble.id] = len(self.bubbles)
        self.bubbles.append(bubble)

    def find(self, message_id: str) -> Bubble | None:
        """The bubble with that id."""
        place = self._places.get(message_id)
        return None if place is None else self.bubbles[place]

    def change(self, message_id: str, how: Callable[[Bubble], Bubble]) -> Bubble | None:
        """Replaces a bubble; None where there is none with that id."""
        place = self._places.get(message_id)
        if place is None:
            return None
        self.bubbles[place] = how(self.bubbles[place])
        return self.bubbles[place]

    def clear(self) -> None:
        """Empties the phone's view of the chat, as a person can."""
        self.bubbles.clear()
        self._places.clear()

    def received(self) -> tuple[Bubble, ...]:
        """What the business sent and what did not fail, oldest first."""
        return tuple(bubble for bubble in self.bubbles if bubble.sender == "business" and bubble.status != "failed")

    def with_choice(self, wanted: str, message_id: str | None = None) -> tuple[Bubble, Choice] | None:
        """The newest bubble (or the named one) with a choice of that id or title; ids and exact titles go first."""
        among = [b for b in reversed(self.received()) if message_id is None or b.id == message_id]
        tests: tuple[Callable[[Choice], bool], ...] = (
            lambda choice: wanted in {choice.id, choice.title},
            lambda choice: choice.title.casefold() == wanted.casefold(),
        )
        for test in tests:
            for bubble in among:
                for choice in bubble.face.choices:
                    if test(choice):
                        return bubble, choice
        return None


def moved(bubble: Bubble, status: str, error: int = 0) -> Bubble:
    """The bubble with a later status."""
    return replace(bubble, status=further(bubble.status, status), error=error or bubble.error)


def reacted(bubble: Bubble, sender: Sender, emoji: str) -> Bubble:
    """The bubble with a reaction, or without it where the emoji is empty."""
    rest = {who: sign for who, sign in bubble.reactions.items() if who != sender}
    return replace(bubble, reactions=rest | ({sender: emoji} if emoji else {}))
