"""What every rule looks at: one flow with its place in the project, and the ways it can go."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from bot.domain.business import Business
from bot.engine import flow as schema
from bot.engine.compiler import CompiledFlow, compile_flow
from bot.engine.expressions import Expression, ExpressionProblem, condition
from bot.engine.linter import conditions_of, texts_of, walk
from bot.engine.reading import Path, Source
from bot.engine.text import TextProblem, parse


def no_meaning(_: str) -> str:
    """Stands in where nobody says which words the privacy intents take for themselves."""
    return ""


@dataclass(frozen=True, slots=True)
class Project:
    """What surrounds a flow. `meaning` says what the privacy intents make of words: `stop`, a right, or empty (decisions.md 4)."""

    business: Business | None
    flows: Mapping[str, schema.Flow]
    meaning: Callable[[str], str] = no_meaning


@dataclass
class Look:
    """One flow under the linter."""

    flow: schema.Flow
    source: Source
    project: Project
    builtin: bool
    steps: list[tuple[schema.StepBase, Path]] = field(init=False)

    def __post_init__(self) -> None:
        self.steps = list(walk(self.flow))

    @property
    def business(self) -> Business | None:
        return self.project.business

    def error(self, code: str, path: Path, reason: str, fix: str) -> None:
        self.source.report(code, path, reason, fix)

    def warn(self, code: str, path: Path, reason: str, fix: str) -> None:
        self.source.report(code, path, reason, fix, severity="warning")

    @cached_property
    def compiled(self) -> CompiledFlow | None:
        """The machine, or None when a jump leads nowhere (told by `unknown-step`)."""
        try:
            return compile_flow(self.flow, content=b"", file=self.source.name)
        except ValueError:
            return None

    @cached_property
    def ways(self) -> Mapping[str, tuple[str, ...]]:
        """State to the states that can follow it."""
        found: dict[str, list[str]] = {}
        if self.compiled is not None:
            for _, state, to in self.compiled.machine.moves:
                found.setdefault(state, []).append(to)
        return {state: tuple(dict.fromkeys(to)) for state, to in found.items()}

    def reached_from(self, start: str) -> set[str]:
        """All states on ways from `start`, itself included."""
        seen, open_ = {start}, [start]
        while open_:
            for to in self.ways.get(open_.pop(), ()):
                if to not in seen:
                    seen.add(to)
                    open_.append(to)
        return seen

    def state_at(self, path: Path) -> str:
        """The state of the innermost step a path leads into, or empty."""
        nodes = self.compiled.nodes.values() if self.compiled else ()
        fitting = [node for node in nodes if path[: len(node.path)] == node.path]
        return max(fitting, key=lambda node: len(node.path)).state if fitting else ""

    @cached_property
    def conditions(self) -> list[tuple[Expression, Path]]:
        """Every condition that can be read."""
        found = []
        for words, path in conditions_of(self.flow):
            try:
                found.append((condition(words, self.fields), path))
            except ExpressionProblem:
                continue  # told by `condition`
        return found

    @cached_property
    def fields(self) -> frozenset[str]:
        return frozenset(self.flow.data) | frozenset(self.flow.inputs)

    def type_of(self, name: str) -> str:
        """The declared type of a field, or empty."""
        declared = self.flow.data.get(name) or self.flow.inputs.get(name)
        return declared.type if declared is not None else ""

    def purpose_of(self, name: str) -> str:
        """The purpose a field is kept for: its own, else the flow's."""
        declared = self.flow.data.get(name)
        return (declared.purpose if declared else "") or self.flow.purpose

    def texts(self) -> Iterator[tuple[schema.StepBase, Path, str]]:
        """Every text a person may get, with its step and place."""
        for step, path in self.steps:
            for name, text in texts_of(step):
                yield step, (*path, *name), text

    @staticmethod
    def blanks(text: str) -> frozenset[str]:
        """The names a text fills in; none when it cannot be cut (told by `text-blank`)."""
        try:
            return parse(text).names
        except TextProblem:
            return frozenset()
