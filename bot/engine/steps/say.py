"""`say`: a text, with a link button if there is one."""

from bot.engine import flow as schema
from bot.engine.compiler import Node
from bot.engine.play import Play


def enter(play: Play, node: Node) -> str:
    step = node.step
    assert isinstance(step, schema.Say)  # noqa: S101 - the compiler pairs verb and model
    text = play.render(step.say)
    if step.link_button is None:
        play.say(text)
        return "said"
    address = _address(play, step.link_button.to)
    if address:
        play.link(text, play.render(step.link_button.label), address)
    else:
        play.say(text)
    return "said"


def _address(play: Play, to: str) -> str:
    """A link of business.yaml, or a field that holds one; only https leaves (no script or data addresses)."""
    head, _, name = to.partition(".")
    if head == "links":
        return play.world.book.business.links.get(name, "")
    value = play.value(to)
    return value if isinstance(value, str) and value.startswith("https://") else ""
