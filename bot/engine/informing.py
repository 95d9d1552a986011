"""Whoever was shown a notice that no longer tells everything is shown the present one, after their next message was answered.

GDPR art. 13(3): people are told of a change before data are used in the new way; `bot.privacy.terms` says which changes are such.
"""

from bot.domain.event import MessageReceived
from bot.domain.intent import Decision
from bot.engine.play import Play
from bot.engine.renewing import is_free

FLOW = "notice_changed"


def tell(play: Play) -> None:
    """Opens the flow that shows the notice, where the bot has the chat and nothing else is asked."""
    shown = play.conversation.notice
    if not isinstance(play.event, MessageReceived) or not shown or play.world.rules.informs(shown) or not is_free(play):
        return
    if play.event.intent.decision is not Decision.NONE:
        return  # whoever stops gets the confirmation and nothing else (privacy.md 4.6)
    play.flush()
    play.push(FLOW)
