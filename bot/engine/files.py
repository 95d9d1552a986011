"""Files people send: which are fetched at all, and how long they are kept (GDPR art. 5(1)(c), (e)).

Only what a flow asked for, and what is sent to people of the business while they have the chat.
"""

from datetime import timedelta

from bot.domain.business import duration
from bot.domain.command import FetchMedia
from bot.domain.event import MessageReceived
from bot.engine import flow as schema
from bot.engine.play import Play

FILES = frozenset({"image", "video", "audio", "document", "sticker"})
"""Kinds of messages that come with a file."""

LASTS = timedelta(days=7)
"""Where the flow names no length: as long as an open flow is kept at most."""

WITH_PEOPLE = timedelta(days=30)
"""Of what people of the business were sent: as long as the chat's other lines (decisions.md 39)."""


def file_lasts(declared: schema.DataField | schema.Input) -> timedelta:
    """How long a file is kept that was asked for this field."""
    keep = getattr(declared, "keep", "until_end")
    if keep == "until_end":
        return LASTS
    if keep == "until_withdrawn":
        return timedelta(days=730)
    lasts = duration(keep)
    assert isinstance(lasts, timedelta)  # noqa: S101 - the linter refuses everything else
    return lasts


def taken_over(play: Play, event: MessageReceived, lasts: timedelta) -> str:
    """Has the message's file fetched; returns the id under which it is kept."""
    data = event.data
    return play.add(
        FetchMedia(
            play.next_id(), event.kind, str(data["media_id"]), str(data.get("sha256", "")), lasts,
        )
    )  # fmt: skip
