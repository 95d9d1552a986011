"""Answers that are values: dates, times, amounts, numbers to call, places, pictures.

What can mean two things is asked about with options, what lies outside the bounds the author set is refused with the bound, and
what is not understood is explained with an example. Nothing is guessed silently (flow-language.md, `ask`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from bot.domain.event import MessageReceived
from bot.engine import flow as schema
from bot.engine.bounds import bound_of
from bot.engine.files import file_lasts, taken_over
from bot.engine.linter import BUTTON_TITLE, units
from bot.engine.play import Play

READINGS = "?readings"
"""Slot for the readings that are being asked about; no field of a flow can have this name."""

SPOKEN = frozenset({"text", "tap", "template_tap"})
"""Kinds of message that carry an answer in words."""

SENT = {"image": "image", "document": "document", "voice": "audio", "location": "location"}
"""Type of a field whose answer is no text, and the kind of message that holds it."""

_KEPT = ("mime_type", "latitude", "longitude")
"""What is kept of such a message: the reference alone, no name of a file."""

NOT_UNDERSTOOD = "I did not understand that. Please try again."
WHICH = "Which one do you mean?"
NO_DATE = "I did not understand that. Please write a date, for example {example}."
NO_TIME = "I did not understand that. Please write a time of day, for example {example}."
NO_MOMENT = "I did not understand that. Please write a day and a time, for example {example}."
NO_LENGTH = "I did not understand that. Please write how long, for example {example}."
NO_NUMBER = "I did not understand that. Please write a number, for example {example}."
NO_MONEY = "I did not understand that. Please write an amount, for example {example}."
NO_PHONE = "That does not look like a telephone number. Please write it with the code of the country, beginning with +."
NO_EMAIL = "That does not look like an e-mail address. Please write it again."
NO_PHOTO = "Please send a photo."
NO_DOCUMENT = "Please send a document."
NO_VOICE = "Please send a voice message."
NO_PLACE = "Please share a location: tap the paper clip or +, then Location."
LACKS_TIME = "Please add the time of day, for example {example}."
OTHER_MONEY = "Please write the amount in our currency, for example {example}."
TOO_EARLY = "That is too early. The earliest is {bound}."
TOO_LATE = "That is too late. The latest is {bound}."
TOO_LITTLE = "That is too little. The least is {bound}."
TOO_MUCH = "That is too much. The most is {bound}."
GONE_BY = "That is in the past. Please give a later one."
AHEAD = "That is in the future. Please give an earlier one."

_EXPLAIN = {
    "date": NO_DATE, "time": NO_TIME, "datetime": NO_MOMENT, "duration": NO_LENGTH, "number": NO_NUMBER, "whole_number": NO_NUMBER,
    "money": NO_MONEY, "phone": NO_PHONE, "email": NO_EMAIL, "image": NO_PHOTO, "document": NO_DOCUMENT, "voice": NO_VOICE,
    "location": NO_PLACE,
}  # fmt: skip
_REASONS = {"time": LACKS_TIME, "currency": OTHER_MONEY, "country": NO_PHONE}


@dataclass(frozen=True, slots=True)
class Heard:
    """What an answer was: its `value`; or the `refusal`, already in the person's words; or neither, when it was asked about.

    Attributes:
        precise: the refusal says what is wrong with this very answer, so that it goes before the author's `explain`.
        again: it was asked about although the last answer had been as well.
    """

    value: Any = None
    refusal: str = ""
    precise: bool = False
    again: bool = False


def hear(
    play: Play, declared: schema.DataField | schema.Input, event: MessageReceived, tapped: str | None, *, last: bool
) -> Heard:
    """The value of an answer to a question for `declared`; `tapped` is the key of the option tapped, if one was.

    Where the words allow several readings the question which is meant is sent, and `Heard` is empty; `again` then says that it
    follows upon another such question, so that nobody goes round in circles: on the `last` try it is not asked once more.
    """
    settling = play.slots[-1].get(READINGS)
    forget(play)
    if settling is not None:
        chosen = _settled(play, settling, event, tapped)
        if chosen is not None:
            value = None if chosen < 0 else settling[chosen]
            return Heard(value) if value is not None else Heard(refusal=_explain(play, declared.type, ""))
    if tapped is not None or event.option:  # a stale tap answers nothing (decisions.md 4)
        return Heard(refusal=_explain(play, declared.type, ""))
    if declared.type in SENT:
        return _sent(play, declared, event)
    given = event.data.get("phone") if declared.type == "phone" and event.kind == "contacts" else None
    words = str(given or event.words.value).strip()
    if not words or (event.kind not in SPOKEN and given is None):
        return Heard(refusal=_explain(play, declared.type, ""))
    now = play.now.astimezone(ZoneInfo(play.zone))
    tense = getattr(declared, "expects", "any")
    reading = play.world.values.read(
        declared.type, words, play.language, now, play.conversation.country, "" if tense == "any" else tense
    )
    if reading.status == "wrong":
        return Heard(refusal=_explain(play, declared.type, reading.reason), precise=bool(reading.reason))
    values = (reading.value,) if reading.status == "ok" else reading.choices
    refusals = [_out_of_bounds(play, declared, one) for one in values]
    fitting = [one for one, refusal in zip(values, refusals, strict=True) if not refusal]
    if not fitting:
        return Heard(refusal=refusals[0], precise=True)
    if reading.status == "ok":
        return Heard(fitting[0])
    if getattr(declared, "sensitive", False):  # never shown, not even to ask about it
        return Heard(refusal=_explain(play, declared.type, reading.reason))
    if settling is None or not last:
        _pose(play, declared.type, fitting)
    return Heard(again=settling is not None)


def _sent(play: Play, declared: schema.DataField | schema.Input, event: MessageReceived) -> Heard:
    """A place, or the name under which a picture, document or voice message is kept: nothing else is ever fetched."""
    kind = declared.type
    as_document = (
        kind == "image" and event.kind == "document" and str(event.data.get("mime_type", "")).startswith("image/")
    )
    if event.kind != SENT[kind] and not as_document:
        return Heard(refusal=_explain(play, kind, ""))
    kept = {name: event.data[name] for name in _KEPT if name in event.data}
    if event.data.get("media_id"):
        kept["media"] = taken_over(play, event, file_lasts(declared))
    return Heard(kept) if kept else Heard(refusal=_explain(play, kind, ""))


def can_be(play: Play, kind: str, event: MessageReceived) -> bool:
    """Whether a message can be read as a value of this kind; False for the kinds that any words would do for, and for files."""
    if kind in ("text", "long_text", "reference", *SENT) or event.kind not in SPOKEN:
        return False
    now = play.now.astimezone(ZoneInfo(play.zone))
    words = event.words.value.strip()
    return play.world.values.read(kind, words, play.language, now, play.conversation.country).status != "wrong"


# -- which one is meant ---------------------------------------------------------------------------------------------------


def _pose(play: Play, kind: str, values: list[Any]) -> None:
    """Asks which reading is meant: yes or no for one, one button or row each for several."""
    shown = [_shown(play, kind, one) for one in values]
    if len(values) == 1:
        text = play.render("Did you mean {value}?", value=shown[0])
        options = [("0", play.render("Yes"), ""), ("no", play.render("No"), "")]
    else:
        text = "\n".join([play.render(WHICH), *(f"{number}. {one}" for number, one in enumerate(shown, 1))])
        options = [(str(index), _label(play, kind, one, index), "") for index, one in enumerate(values)]
        options.append(("no", play.render("None of these"), ""))
    play.ask(text, tuple(options))
    play.put(**{READINGS: tuple(values)})


def _settled(play: Play, values: tuple[Any, ...], event: MessageReceived, tapped: str | None) -> int | None:
    """The index of the reading chosen, -1 for none of them, None when the answer is something else."""
    if tapped is not None:
        return int(tapped) if tapped.isdigit() and int(tapped) < len(values) else -1
    said = event.words.value.strip().rstrip(".)")
    if len(values) > 1:
        number = int(said) if said.isascii() and said.isdigit() and len(said) == 1 else 0
        return number - 1 if 1 <= number <= len(values) else None
    return {"yes": 0, "no": -1}.get(play.world.rules.says(said, play.language))


def _label(play: Play, kind: str, value: Any, index: int) -> str:
    """The reading as a button says it; its number where that does not fit."""
    text = play.world.texts.show(value, _STYLES.get(kind, "short"), play.language, play.zone)
    return text if units(text) <= BUTTON_TITLE else str(index + 1)


_STYLES = {"money": "money", "phone": "phone", "number": "number", "whole_number": "number", "email": ""}


def _shown(play: Play, kind: str, value: Any) -> str:
    return play.world.texts.show(value, _STYLES.get(kind, "full"), play.language, play.zone)


# -- what does not do -----------------------------------------------------------------------------------------------------


def being_settled(play: Play) -> bool:
    """Whether the open question is which reading of the last answer is meant."""
    return READINGS in play.slots[-1]


def forget(play: Play) -> None:
    """Drops readings nobody chose between."""
    if being_settled(play):
        play.put(**{READINGS: None})


def explain(play: Play, kind: str) -> str:
    """What is said when an answer of this kind was not understood and the author says nothing of their own."""
    return _explain(play, kind, "")


def _explain(play: Play, kind: str, reason: str) -> str:
    text = _REASONS.get(reason) or _EXPLAIN.get(kind, NOT_UNDERSTOOD)
    example = _example(play, kind) if "{example}" in text else ""
    return play.render(text, example=example)


def _example(play: Play, kind: str) -> str:
    day = play.local_day(play.now) + timedelta(days=9)
    examples: Mapping[str, tuple[Any, str]] = {
        "date": (day, "short"), "time": (time(15, 30), "time"), "duration": (timedelta(minutes=90), "full"),
        "datetime": (datetime.combine(day, time(15, 30), tzinfo=ZoneInfo(play.zone)), "short"),
        "money": (Decimal("12.50"), "money"), "number": (Decimal("2.5"), "number"), "whole_number": (3, "number"),
    }  # fmt: skip
    value, how = examples[kind]
    return play.world.texts.show(value, how, play.language, play.zone)


def _out_of_bounds(play: Play, declared: schema.DataField | schema.Input, value: Any) -> str:
    """Why a value does not do, in the person's words; empty when it does."""
    if not isinstance(declared, schema.DataField):
        return ""
    now: Any = play.now if isinstance(value, datetime) else play.local_day(play.now)
    if isinstance(value, date) and declared.expects == "future" and value < now:
        return play.render(GONE_BY)
    if isinstance(value, date) and declared.expects == "past" and value > now:
        return play.render(AHEAD)
    timely = isinstance(value, date | time)
    for written, sign, text in (
        (declared.min, 1, TOO_EARLY if timely else TOO_LITTLE), (declared.max, -1, TOO_LATE if timely else TOO_MUCH),
    ):  # fmt: skip
        bound = bound_of(play, play.zone, declared.type, written)
        if bound is not None and ((value < bound) if sign > 0 else (value > bound)):
            return play.render(text, bound=_shown(play, declared.type, bound))
    return ""
