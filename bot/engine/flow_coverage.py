"""Which steps and outcomes the tests of a project went through, with their lines."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from bot.domain.machine import Machine, Move
from bot.engine import flow as schema
from bot.engine.book import Book
from bot.engine.compiler import CompiledFlow, Node
from bot.engine.outcomes import OUTCOMES, UNHANDLED
from bot.engine.reading import Source, read

Mark = tuple[str, str, str]
"""(flow, state, outcome); the outcome is empty for a step that was entered."""


class Watched(Machine):
    """A machine that notes where it was moved."""

    __slots__ = ("_inner", "_seen")

    def __init__(self, inner: Machine, seen: set[Mark]) -> None:
        self._inner, self._seen = inner, seen
        self.name, self.initial = inner.name, inner.initial

    def apply(self, state: str, trigger: str) -> str:
        to = self._inner.apply(state, trigger)
        self._seen |= {(self.name, state, ""), (self.name, state, trigger), (self.name, to, "")}
        return to

    def allows(self, state: str, trigger: str) -> bool:
        return self._inner.allows(state, trigger)

    @property
    def states(self) -> tuple[str, ...]:
        return self._inner.states

    @property
    def moves(self) -> tuple[Move, ...]:
        return self._inner.moves


def watched(book: Book, seen: set[Mark]) -> Book:
    """The same book whose flows note in `seen` where they went."""
    flows = {name: replace(flow, machine=Watched(flow.machine, seen)) for name, flow in book.flows.items()}
    return Book(book.business, flows, {(flow.id, flow.version): flow for flow in flows.values()})


@dataclass(frozen=True, slots=True)
class Gap:
    """Something no test went through. `outcome` is empty for a step."""

    file: str
    line: int
    step: str
    outcome: str = ""


@dataclass(slots=True)
class FlowCoverage:
    """How much of one flow was gone through."""

    flow: str
    steps: int = 0
    steps_seen: int = 0
    outcomes: int = 0
    outcomes_seen: int = 0
    languages: list[str] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)


def coverage(book: Book, seen: Iterable[Mark], languages: Mapping[str, set[str]]) -> list[FlowCoverage]:
    """The coverage of every flow, the business's own first. `languages`: flow to the languages its tests were held in."""
    marks = set(seen)
    flows = sorted(book.flows.values(), key=lambda flow: (flow.builtin, flow.id))
    return [_of(flow, marks, sorted(languages.get(flow.id, ()))) for flow in flows]


def _of(flow: CompiledFlow, marks: set[Mark], languages: list[str]) -> FlowCoverage:
    found = FlowCoverage(flow.id, languages=languages)
    source = read(flow.file, flow.content)
    alive = _alive(flow)
    for node in sorted(flow.nodes.values(), key=lambda node: source.places.get(node.path, (0, 0))):
        if node.state not in alive:
            continue  # told by the linter's `unreachable`, or the `end` below a menu whose branches all leave
        line = source.place(node.path).line
        found.steps += 1
        if (flow.id, node.state, "") in marks:
            found.steps_seen += 1
        else:
            found.gaps.append(Gap(flow.file, line, f"{node.verb} {node.state}"))
        for outcome in _written(flow, node):
            found.outcomes += 1
            if (flow.id, node.state, outcome) in marks:
                found.outcomes_seen += 1
            else:
                found.gaps.append(Gap(flow.file, _line(source, node, outcome), f"{node.verb} {node.state}", outcome))
    return found


def _alive(flow: CompiledFlow) -> set[str]:
    """The steps that any way leads to."""
    seen, open_ = {flow.start}, [flow.start]
    while open_:
        here = open_.pop()
        node = flow.nodes.get(here)
        for outcome, state, to in flow.machine.moves:
            if state == here and to not in seen and not (node and _cannot_be(node, outcome)):
                seen.add(to)
                open_.append(to)
    return seen


def _written(flow: CompiledFlow, node: Node) -> Iterator[str]:
    """The outcomes an author sees: the main one, and those written out."""
    main = OUTCOMES[node.verb].main
    given = getattr(node.step, "outcomes", {})
    for outcome, state, to in flow.machine.moves:
        if state != node.state or (to == UNHANDLED and outcome not in given):
            continue
        branch = outcome.startswith(("case:", "answered:")) or outcome in given
        if branch or (outcome == main and not _branches(node) and not _never_by_itself(node)):
            yield outcome


def _cannot_be(node: Node, outcome: str) -> bool:
    skipped = outcome == "skipped" and not getattr(node.step, "optional", False)
    return skipped or (outcome == OUTCOMES[node.verb].main and _branches(node))


def _branches(node: Node) -> bool:
    """Whether every answer has a branch of its own, so that the plain outcome cannot be."""
    options = getattr(node.step, "options", {})
    return bool(options) and all(option.then or option.run for option in options.values())


_BY_PEOPLE = frozenset({"correct", "restrict", "object", "complaint"})
"""Rights a person must look at."""


def _never_by_itself(node: Node) -> bool:
    """A handoff resolves only by an agent; a request to people is `pending`, not `done`."""
    step = node.step
    return isinstance(step, schema.Handoff) or (isinstance(step, schema.MyData) and step.my_data in _BY_PEOPLE)


def _line(source: Source, node: Node, outcome: str) -> int:
    kind, _, key = outcome.partition(":")
    if kind == "answered" and key:
        return source.place((*node.path, "options", key), key=True).line
    if kind == "case":
        inside = ("when", int(key)) if key.isdigit() and isinstance(node.step, schema.When) else ("cases", key)
        return source.place((*node.path, *inside), key=True).line
    return source.place((*node.path, "outcomes", outcome), key=True).line
