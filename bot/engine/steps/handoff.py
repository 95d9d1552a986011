"""`handoff`: a ticket for people, and honest words about when somebody will answer.

As long as no desk is staffed in this installation the ticket is made and the person told how somebody can be reached.
"""

from bot.domain.command import OpenTicket
from bot.domain.event import Event, HandoffChanged
from bot.engine import flow as schema
from bot.engine.compiler import Node
from bot.engine.play import Play


def enter(play: Play, node: Node) -> str:
    step = node.step
    frame = play.frame
    assert isinstance(step, schema.Handoff)  # noqa: S101 - the compiler pairs verb and model
    assert frame is not None  # noqa: S101
    details = step.handoff
    ticket = play.next_id()
    shared = {name: play.value(name) for name in details.share if play.value(name) is not None}
    about = play.render(details.about) if details.about else play.flow_of(frame).flow.title
    urgent = bool(play.value(details.urgent)) if isinstance(details.urgent, str) else details.urgent
    play.add(OpenTicket(ticket, ticket, details.team, play.language, urgent, frame.flow, frame.step, about, shared))
    play.set(ticket=ticket)
    outcome = "nobody" if play.is_open(details.team) else "closed"
    said = details.texts.closed if outcome == "closed" else details.texts.nobody
    if said:
        play.say(play.render(said))
    elif outcome not in step.outcomes:
        play.say(play.render(_how_to_reach(play)))
    return outcome


def _how_to_reach(play: Play) -> str:
    """The first text of the built-in flow `nobody_came`, which a business may reword."""
    flow = play.world.book.flows["nobody_came"].flow
    return next(step.say for step in flow.steps if isinstance(step, schema.Say))


def hear(play: Play, _: Node, event: Event) -> str | None:
    frame = play.frame
    if isinstance(event, HandoffChanged) and frame is not None and event.ticket == play.conversation.ticket:
        return event.outcome
    return None
