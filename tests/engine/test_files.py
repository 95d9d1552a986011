"""Files are fetched where a flow asks for one or people have the chat, and nowhere else (GDPR art. 5(1)(c))."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.command import FetchMedia, OpenTicket
from tests.engine.phone import Phone, book, text

ASKS = """\
flow: damage
title: A damaged parcel
purpose: support
starts: [{words: [damaged]}]
data:
  photo: {type: image, keep: KEEP}
steps:
  - ask: Please send a photo of it.
    into: photo
    outcomes: {silent: [end], gave_up: [end]}
  - when:
      - {if: photo is known, then: [{say: Thank you.}]}
    else: carry on
  - end
"""
FILE = {"media_id": "1003", "mime_type": "image/jpeg", "sha256": "abc=", "filename": "me.jpg"}


def met(**own: str) -> Phone:
    """Somebody who was greeted already."""
    phone = Phone(book(**own))
    phone.say("hello")
    phone.conversation = replace(phone.conversation, frames=(), slots=(), timers=())
    return phone


def sent(phone: Phone, kind: str) -> list[FetchMedia]:
    """What is fetched after a file of this kind."""
    before = len(phone.commands)
    phone.play(replace(phone._event("", kind=kind), data=FILE))
    return [one for one in phone.commands[before:] if isinstance(one, FetchMedia)]


def heard(phone: Phone) -> str:
    return text(phone.heard[-1])


@pytest.mark.parametrize(
    ("keep", "lasts"),
    [("30 days", timedelta(days=30)), ("until_end", timedelta(days=7))],
)
def test_a_file_that_was_asked_for_is_fetched_and_kept_as_long_as_the_flow_says(keep: str, lasts: timedelta) -> None:
    phone = met(damage=ASKS.replace("KEEP", keep))
    phone.say("damaged")
    fetched = sent(phone, "image")

    assert [(one.kind, one.media, one.sha256, one.lasts) for one in fetched] == [("image", "1003", "abc=", lasts)]
    assert heard(phone) == "Thank you."


def test_a_file_that_nobody_asked_for_is_declined_politely_and_never_fetched() -> None:
    phone = met()
    assert sent(phone, "image") == []
    assert "Nothing of it was kept" in heard(phone)


@pytest.mark.parametrize("kind", ["image", "audio", "video", "document"])
def test_where_somebody_is_there_it_goes_to_people(kind: str) -> None:
    phone = met()
    phone.rules.open = phone.rules.staffed = True
    fetched = sent(phone, kind)

    assert [one.lasts for one in fetched] == [timedelta(days=30)]
    assert any(isinstance(one, OpenTicket) for one in phone.commands)
    assert "I pass it on to a colleague" in heard(phone)
    assert len(sent(phone, kind)) == 1, "and what follows while they have the chat"


def test_a_question_that_wants_words_stays_open_below_the_people() -> None:
    phone = Phone(book())
    phone.say("hello")
    below = phone.conversation.frames
    phone.rules.open = phone.rules.staffed = True
    assert len(sent(phone, "audio")) == 1
    assert phone.conversation.frames[: len(below)] == below


def test_a_sticker_is_nothing_for_people() -> None:
    phone = met()
    phone.rules.open = phone.rules.staffed = True
    assert sent(phone, "sticker") == []
