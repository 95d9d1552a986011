"""Ways through a flow: steps nobody reaches, outcomes that run on by accident, calls in a circle.

That a flow ends needs no rule: only `go` leads back, and its bound always leaves a way out (`unbounded-jump`).
"""

from collections.abc import Sequence
from datetime import timedelta

from bot.domain.business import Part
from bot.engine import flow as schema
from bot.engine.linter import walk
from bot.engine.linting.look import Look
from bot.engine.outcomes import OUTCOMES
from bot.engine.problem import nearest
from bot.engine.reading import Path, Source

MANY_STEPS = 8
"""A flow with more steps than this should let people go."""

LEAVES = ("end", "go", "continue_with")
"""Verbs after which a branch does not go on below."""


def check(look: Look) -> None:
    _unreachable(look)
    for step, path in look.steps:
        _falls_through(look, step, path)
        _lengths(look, step, path)
    if look.flow.interrupt == "never" and len(look.steps) > MANY_STEPS and not look.builtin:
        reason = f"Nobody can leave this flow for another one over {len(look.steps)} steps."
        look.warn("interrupt-never", ("interrupt",), reason, "Write `interrupt: ask`, or shorten the flow.")
    for place, name in enumerate(look.flow.returns):
        if name not in look.fields:
            reason = f"The flow returns `{name}`, which is not among `data`."
            look.error("unknown-return", ("returns", place), reason, nearest(name, look.fields))
    _sub_flows(look)


def _unreachable(look: Look) -> None:
    """Only the first step of a dead stretch is told."""
    if look.compiled is None:
        return
    alive = look.reached_from(look.compiled.start)
    told: list[Path] = []
    for node in sorted(look.compiled.nodes.values(), key=lambda one: look.source.places.get(one.path, (0, 0))):
        before = (*node.path[:-1], int(node.path[-1]) - 1) if isinstance(node.path[-1], int) else node.path
        inside = any(node.path[: len(one)] == one for one in told)
        dead = node.state not in alive
        if dead and (inside or before in told):
            told.append(node.path)
        elif dead and not (node.verb == "end" and before != node.path):
            told.append(node.path)
            look.warn("unreachable", node.path, "No way leads to this step.", "Delete it, or lead a `go` to it.")


def _falls_through(look: Look, step: schema.StepBase, path: Path) -> None:
    """decisions.md 30: other outcomes go on below unless ended; where that may be an accident it is told."""
    verb = schema.verb_of(step) or ""
    for outcome, steps in getattr(step, "outcomes", {}).items():
        known = OUTCOMES.get(verb)
        if known is None or outcome not in known.others or outcome in known.gentle or not steps:
            continue
        if not _all_leave(steps):
            reason = f"After `{outcome}` the flow goes on below as if this step had succeeded."
            look.warn("falls-through", (*path, "outcomes", outcome), reason, "Finish with `- end` or `- go: …`.")


def _all_leave(steps: Sequence[schema.StepBase]) -> bool:
    if not steps:
        return False
    last = steps[-1]
    verb = schema.verb_of(last) or ""
    if verb in LEAVES:
        return True
    if isinstance(last, schema.Menu):
        return all(_all_leave(option.then) for option in last.options.values())
    if isinstance(last, schema.When | schema.Match):
        ways = [case.then for case in last.when] if isinstance(last, schema.When) else list(last.cases.values())
        return all(_all_leave(way) for way in (*ways, last.otherwise))
    return False


def _lengths(look: Look, step: schema.StepBase, path: Path) -> None:
    """A length of time is longer than nothing: a question must not be over before it was asked."""
    for part, where in ((step, path), (getattr(step, "double", None), (*path, "double"))):
        for name in type(part).model_fields if isinstance(part, Part) else ():
            value = getattr(part, name)
            if isinstance(value, timedelta) and value <= timedelta(0):
                reason = f"`{name}` is no time at all."
                look.error("no-time", (*where, name.rstrip("_")), reason, "Write a length such as `2 hours`.")


def _sub_flows(look: Look) -> None:
    """What a flow is given when another runs it, and what comes back."""
    for step, path in look.steps:
        if not isinstance(step, schema.Run) or step.run not in look.project.flows:
            continue
        other = look.project.flows[step.run]
        for name in step.with_:
            if name not in other.inputs:
                reason = f"The flow `{step.run}` takes no input `{name}`."
                look.error("unknown-input", (*path, "with", name), reason, nearest(name, other.inputs))
        for name, declared in other.inputs.items():
            if not declared.optional and name not in step.with_:
                reason = f"The flow `{step.run}` needs the input `{name}`."
                look.error("missing-input", path, reason, f"Add `with: {{{name}: …}}`.")
        given = {*other.returns, *(name for end in _ends_of(other) for name in end.returns)}
        for name, field in step.save.items():
            if field not in given:
                reason = f"The flow `{step.run}` does not return `{field}`."
                look.error("not-returned", (*path, "save", name), reason, nearest(field, given))


def _ends_of(flow: schema.Flow) -> list[schema.End]:
    return [step for step, _ in walk(flow) if isinstance(step, schema.End)]


def subflow_cycles(flows: Sequence[tuple[schema.Flow, Source]]) -> None:
    """A flow that runs itself, directly or through others, would open frames without bound."""
    calls: dict[str, list[tuple[str, Path, Source]]] = {}
    for flow, source in flows:
        for step, path in walk(flow):
            if isinstance(step, schema.Run):
                calls.setdefault(flow.flow, []).append((step.run, (*path, "run"), source))
            for key, option in getattr(step, "options", {}).items():
                if option.run:
                    calls.setdefault(flow.flow, []).append((option.run, (*path, "options", key, "run"), source))
    for name, runs in calls.items():
        for other, path, source in runs:
            if name in _called(other, calls):
                reason = f"`{other}` runs `{name}` again: they would call each other for ever."
                source.report("flow-circle", path, reason, "End this flow first, or break the circle.")


def _called(start: str, calls: dict[str, list[tuple[str, Path, Source]]]) -> set[str]:
    seen, open_ = {start}, [start]
    while open_:
        for other, _, _ in calls.get(open_.pop(), ()):
            if other not in seen:
                seen.add(other)
                open_.append(other)
    return seen
