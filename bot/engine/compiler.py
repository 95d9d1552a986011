"""Turns a flow into a state machine: steps are states, outcomes are triggers (flow-language.md, first paragraph).

What a step does stands in `bot.engine.steps`; here is only where each outcome leads.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.domain.business import content_hash
from bot.domain.machine import Machine, Move
from bot.engine import flow as schema
from bot.engine.outcomes import END, OUTCOMES, UNHANDLED
from bot.engine.reading import Path

SILENCE = "idle."
"""What the states of `idle: then` begin with."""


@dataclass(frozen=True, slots=True)
class Node:
    """One step as a state. `path` leads to it in the file."""

    state: str
    verb: str
    step: schema.StepBase
    path: Path


@dataclass(frozen=True, slots=True)
class CompiledFlow:
    """A flow ready to run; shared by all conversations and never changed."""

    flow: schema.Flow
    version: str
    file: str
    nodes: Mapping[str, Node]
    start: str
    machine: Machine = field(repr=False)
    builtin: bool = False
    content: bytes = field(default=b"", repr=False)

    @property
    def id(self) -> str:
        return self.flow.flow


def compile_flow(flow: schema.Flow, *, content: bytes, file: str, builtin: bool = False) -> CompiledFlow:
    """The flow as a machine. Call it only on a flow the loader found no errors in."""
    build = _Build(flow)
    start = build.chain(flow.steps, ("steps",), "", END)
    build.after_silence()
    states = [*build.nodes, END, UNHANDLED]
    machine = Machine(flow.flow, states=states, initial=start, moves=build.moves)
    return CompiledFlow(flow, content_hash(content), file, build.nodes, start, machine, builtin, content)


class _Build:
    """Walks the steps once, from the last to the first of each list, so that what follows a step is known."""

    def __init__(self, flow: schema.Flow) -> None:
        self.flow = flow
        self.nodes: dict[str, Node] = {}
        self.moves: list[Move] = []
        then = flow.idle.then
        self._silent = (then[0].id or f"{SILENCE}1") if then else UNHANDLED

    def after_silence(self) -> None:
        """Adds what `idle` says is done after a silence; a silence in there ends the flow, so that it comes to an end."""
        self._silent = UNHANDLED
        self.chain(self.flow.idle.then, ("idle", "then"), SILENCE, END)

    def chain(self, steps: tuple[schema.StepBase, ...], path: Path, prefix: str, after: str) -> str:
        """Adds a list of steps; returns the state it begins with."""
        states = [step.id or f"{prefix}{index + 1}" for index, step in enumerate(steps)]
        for index, (state, step) in enumerate(zip(states, steps, strict=True)):
            verb = schema.verb_of(step) or ""
            self.nodes[state] = Node(state, verb, step, (*path, index))
            follower = states[index + 1] if index + 1 < len(states) else after
            self._edges(state, verb, step, (*path, index), follower)
        return states[0] if states else after

    def _edges(self, state: str, verb: str, step: schema.StepBase, path: Path, below: str) -> None:
        known = OUTCOMES[verb]
        if isinstance(step, schema.End):
            return
        if isinstance(step, schema.When):
            for index, case in enumerate(step.when):
                branch = self.chain(case.then, (*path, "when", index, "then"), f"{state}.{index + 1}.", below)
                self.moves.append((f"case:{index}", state, branch))
            self._branch("else", state, step.otherwise, (*path, "else"), below)
            return
        if isinstance(step, schema.Match):
            for key, steps in step.cases.items():
                self.moves.append(
                    (f"case:{key}", state, self.chain(steps, (*path, "cases", key), f"{state}.{key}.", below))
                )
            self._branch("else", state, step.otherwise, (*path, "else"), below)
            return
        if isinstance(step, schema.Go):
            self.moves.append(("going", state, step.go))
        elif isinstance(step, schema.Ask | schema.Menu):
            self._options(state, step.options, path, below)
        given: Mapping[str, tuple[schema.StepBase, ...]] = getattr(step, "outcomes", {})
        for outcome in known.all:
            if outcome == "going":
                continue
            if outcome in given:
                self._branch(outcome, state, given[outcome], (*path, "outcomes", outcome), below)
            else:
                gentle = outcome == known.main or outcome in known.gentle
                left_out = self._silent if outcome == "silent" else UNHANDLED
                self.moves.append((outcome, state, below if gentle else left_out))

    def _branch(self, outcome: str, state: str, steps: tuple[schema.StepBase, ...], path: Path, below: str) -> None:
        self.moves.append((outcome, state, self.chain(steps, path, f"{state}.{outcome}.", below)))

    def _options(self, state: str, options: schema.Options, path: Path, below: str) -> None:
        for key, option in options.items():
            steps: tuple[schema.StepBase, ...] = option.then
            where: Path = (*path, "options", key, "then")
            if option.run:
                steps = (schema.Run(run=option.run), *steps)
                where = (*path, "options", key, "run")
            if steps:
                self.moves.append((f"answered:{key}", state, self.chain(steps, where, f"{state}.{key}.", below)))
