"""The rules of the linter beyond names and lengths (those stand in `bot.engine.linter`), one module a topic.

docs/flows/rules.md explains every code. Privacy rules are errors, never warnings. Nothing here is tied to a list of verbs:
rules look at what a step holds and at its outcomes, so a new verb needs no change.
"""

from collections.abc import Sequence

from bot.engine.flow import Flow
from bot.engine.linting import channel, idling, privacy, structure, values, words
from bot.engine.linting.look import Look, Project
from bot.engine.linting.structure import subflow_cycles
from bot.engine.linting.words import start_clashes
from bot.engine.reading import Source

__all__ = ["Look", "Project", "check_flow", "check_together"]


def check_flow(flow: Flow, source: Source, project: Project, *, builtin: bool) -> None:
    """Reports everything wrong with one flow that `bot.engine.linter` does not."""
    look = Look(flow, source, project, builtin)
    for topic in (structure, values, channel, idling, words, privacy):
        topic.check(look)


def check_together(flows: Sequence[tuple[Flow, Source]]) -> None:
    """Rules between flows: calls in a circle, ways in that meet."""
    subflow_cycles(flows)
    start_clashes(flows)
