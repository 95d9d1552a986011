"""`when`, `match`, `run`, `go` and `end`: where a flow goes next."""

from bot.engine import flow as schema
from bot.engine.compiler import Node
from bot.engine.expressions import condition
from bot.engine.play import EngineDefect, Play

RUNNING = "run"
"""`Frame.waiting` of a flow whose sub-flow is open above it."""


def fields_of(play: Play) -> frozenset[str]:
    """The names that mean fields in conditions of the innermost flow."""
    frame = play.frame
    assert frame is not None  # noqa: S101 - a step runs inside a frame
    flow = play.flow_of(frame).flow
    return frozenset(flow.data) | frozenset(flow.inputs)


def enter_when(play: Play, node: Node) -> str:
    step = node.step
    assert isinstance(step, schema.When)  # noqa: S101
    for index, case in enumerate(step.when):
        if condition(case.condition, fields_of(play)).holds(play):
            return f"case:{index}"
    return "else"


def enter_match(play: Play, node: Node) -> str:
    step = node.step
    assert isinstance(step, schema.Match)  # noqa: S101
    value = play.value(step.match)
    return f"case:{value}" if isinstance(value, str) and value in step.cases else "else"


def enter_run(play: Play, node: Node) -> None:
    step = node.step
    assert isinstance(step, schema.Run)  # noqa: S101
    values = {name: play.value(source) if isinstance(source, str) and play.value(source) is not None else source
              for name, source in step.with_.items()}  # fmt: skip
    if len(play.conversation.frames) > 12:
        raise EngineDefect("flows run each other more than twelve deep")
    play.update_frame(waiting=RUNNING)
    play.push(step.run, values)


def enter_go(play: Play, node: Node) -> str:
    step = node.step
    assert isinstance(step, schema.Go)  # noqa: S101
    if step.at_most is not None and play.count(f"go:{node.state}") > step.at_most:
        return "too_often"
    return "going"


def enter_end(play: Play, node: Node) -> str:
    step = node.step
    assert isinstance(step, schema.End)  # noqa: S101
    if step.end:
        play.say(play.render(step.end))
    play.put(**{f"_{name}": play.value(source) for name, source in step.returns.items()})
    return "ended"
