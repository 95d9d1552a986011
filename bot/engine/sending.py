"""A message of the business's own accord that somebody of ours asks for: by command, by a campaign, by the business's systems.

It stands under an id that whoever asked for it knows; whether it goes out is the gate's to say.
"""

from bot.domain.command import Send
from bot.domain.event import SendRequested
from bot.domain.ids import own_command_id
from bot.domain.message import TextMessage
from bot.engine.play import Play
from bot.engine.templates import template

WAY_OUT = "To get no more messages like this, write {words.stop}."


def way_out(play: Play, purpose: str) -> None:
    """Says below a flow that nobody asked for how to stop what it is for: apart, so that no other words are changed."""
    play.flush()
    if any(isinstance(one, Send) and one.reason == "business" for one in play.commands):
        sends = play.world.book.business.purposes[purpose].sends
        play.add(Send(play.next_id(), "business", TextMessage(play.render(WAY_OUT)), purpose, sends))


def own_accord(play: Play, event: SendRequested) -> None:
    """Puts the template, or the text with the way out below it, among the commands (GDPR art. 7(3), 21(4); decisions.md 39)."""
    own, business = own_command_id(play.conversation.person, event.id), play.world.book.business
    if event.template:
        message = template(play, event.template, event.parameters)
        play.add(Send(own, "business", message, event.purpose, business.templates[event.template].category))
    else:
        body = TextMessage(f"{event.text}\n\n{play.render(WAY_OUT)}")
        play.add(Send(own, "business", body, event.purpose, business.purposes[event.purpose].sends))
