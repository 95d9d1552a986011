"""The bot is silent while a colleague, or Meta's own agent, speaks with the person on the same number. Pure.

Only three things are still heard: a wish to stop (acts at once), an unclear one (marketing rests), and a right (kept for people to
answer, GDPR art. 12). Nothing here asks, greets or goes on with a flow (decisions.md 5; whatsapp.md 1.7).
"""

from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain.command import OpenRequest
from bot.domain.conversation import Conversation
from bot.domain.event import ColleagueSpoke, MessageReceived
from bot.domain.ids import command_id
from bot.domain.inbound import HumanEcho
from bot.domain.intent import Decision
from bot.domain.turn import Turn

AFTER_ECHO = timedelta(hours=4)
"""After words typed by hand the chat belongs to people for so long, counted from the last of them."""

AFTER_CONTROL = timedelta(hours=24)
"""At most so long after somebody took the thread: the service window is over then, unless it was given back before."""

AFTER_STANDBY = timedelta(hours=1)
"""After a message that went to Meta's agent; each of them says so anew."""

RESTS = timedelta(hours=24)
_STOP_PAYLOAD = "recado:stop:"
_RIGHTS = ("erase", "access", "rectify", "restrict", "object", "complaint")


def until_of(echo: HumanEcho, at: datetime) -> datetime | None:
    """Until when the bot is silent after this; None when it may speak again."""
    if echo.kind == "control_passed":
        return None
    return at + (AFTER_CONTROL if echo.kind == "control_taken" else AFTER_ECHO)


def is_quiet(conversation: Conversation, now: datetime) -> bool:
    """Whether somebody else speaks with the person."""
    return conversation.quiet_until is not None and now < conversation.quiet_until


def spoken(conversation: Conversation, event: ColleagueSpoke) -> Turn:
    """The turn of somebody else's words: open flows end, because their questions are not what is talked about any more.

    What is older than the last word about it changes nothing: webhooks come in any order.
    """
    after = _readable(replace(conversation, version=conversation.version + 1))
    if conversation.quiet_since is not None and event.at < conversation.quiet_since:
        return Turn(after)
    if event.until is None:
        return Turn(replace(after, quiet_since=event.at, quiet_until=None))
    known = conversation.quiet_until
    until = event.until if known is None else max(known, event.until)
    after = replace(after, quiet_since=event.at, quiet_until=until, frames=(), slots=(), timers=(), held=None)
    return Turn(after)


def _readable(conversation: Conversation) -> Conversation:
    """Without the flows whose values cannot be read any more: what is written now would leave them open and empty."""
    if conversation.readable:
        return conversation
    return replace(conversation, frames=(), slots=(), timers=(), held=None)


def as_stop(event: MessageReceived) -> MessageReceived:
    """The event with a tap on a template's stop button as the decided wish that it is."""
    if event.intent.decision is Decision.STOP or not event.option.startswith(_STOP_PAYLOAD):
        return event
    scope = event.option.removeprefix(_STOP_PAYLOAD) or "all"
    return replace(event, intent=replace(event.intent, decision=Decision.STOP, scope=scope, rule="template-button"))


def listened(conversation: Conversation, event: MessageReceived, now: datetime) -> Turn:
    """The turn of a message to somebody else that holds no decided wish to stop: nothing is said.

    `conversation` is as `Engine.heard` left it.
    """
    after = replace(_readable(conversation), version=conversation.version + 1)
    flags = event.intent.flags
    if event.intent.decision is Decision.ASK or "object" in flags:
        after = replace(after, paused_until=now + RESTS)
    right = next((one for one in _RIGHTS if one in flags), None)
    if right is None:
        return Turn(after)
    name = command_id(after.person, after.version, 0)
    return Turn(after, (OpenRequest(name, right, event.at, "unsure", after.language, event.words.value),))
