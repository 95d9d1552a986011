"""`handoff`: a ticket for people. The flow waits where somebody can come, and goes on at once where nobody can."""

from bot.domain.command import CloseTicket, OpenTicket
from bot.engine import flow as schema
from bot.engine import handing
from bot.engine.compiler import Node
from bot.engine.play import Play


def enter(play: Play, node: Node) -> str | None:
    step = node.step
    frame = play.frame
    assert isinstance(step, schema.Handoff)  # noqa: S101 - the compiler pairs verb and model
    assert frame is not None  # noqa: S101
    details = step.handoff
    if play.conversation.ticket:
        play.add(CloseTicket(play.next_id(), play.conversation.ticket, "repeated"))
    outcome = _at_once(play, details.team)
    ticket = play.next_id()
    shared = {name: play.value(name) for name in details.share if play.value(name) is not None}
    about = play.render(details.about) if details.about else play.flow_of(frame).flow.title
    urgent = bool(play.value(details.urgent)) if isinstance(details.urgent, str) else details.urgent
    play.add(
        OpenTicket(ticket, ticket, details.team, play.language, urgent, frame.flow, frame.step, about, shared, outcome)
    )
    play.set(ticket=ticket)
    if not outcome:
        handing.begin(play, ticket)
        return None
    said = details.texts.closed if outcome == "closed" else details.texts.nobody
    if said:
        play.say(play.render(said))
    elif outcome not in step.outcomes:
        play.say(play.render(_how_to_reach(play)))
    return outcome


def _at_once(play: Play, team: str) -> str:
    """The outcome where nobody can come now; empty where somebody can."""
    if not play.is_open(team):
        return "closed"
    return "" if play.is_staffed(team) else "nobody"


def _how_to_reach(play: Play) -> str:
    """The first text of the built-in flow `nobody_came`, which a business may reword."""
    flow = play.world.book.flows["nobody_came"].flow
    return next(step.say for step in flow.steps if isinstance(step, schema.Say))
