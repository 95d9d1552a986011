"""Whether a flow may be changed while people stand in it: what they wait at, chose or told must have a place in the new version.

A conversation stays on the version it started in, so nothing breaks at once; but a step that is gone can be mended in no version,
and a field that is gone leaves its values without a name (flow-language.md, "Versions"). `bot.engine.moving` moves people by the same
answer. Pure.
"""

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bot.engine.compiler import CompiledFlow


@dataclass(frozen=True, slots=True)
class Parked:
    """How many conversations wait at a step of a published version. About nobody."""

    flow: str
    version: str
    step: str
    people: int


@dataclass(frozen=True, slots=True)
class Lost:
    """Something people stand on that a new version does not have."""

    flow: str
    what: str
    people: int

    def __str__(self) -> str:
        talks = "conversation stands" if self.people == 1 else "conversations stand"
        return f"{self.flow}: {self.what}; {self.people} {talks} on it."


def lost(
    parked: Sequence[Parked], published: Mapping[tuple[str, str], CompiledFlow], current: Mapping[str, CompiledFlow]
) -> list[Lost]:
    """What may not be published, in the order of `parked`. A version this program cannot read any more counts as lost whole."""
    found: list[Lost] = []
    for place in parked:
        new = current.get(place.flow)
        if new is not None and new.version == place.version:
            continue
        old = published.get((place.flow, place.version))
        if new is None:
            found.append(Lost(place.flow, "the flow is gone", place.people))
        elif old is None:
            found.append(Lost(place.flow, f"its version {place.version[:8]} cannot be read any more", place.people))
        else:
            found += [Lost(place.flow, what, place.people) for what in changes(place.step, old, new)]
    return found


def renamed_to(name: str, renamed: Mapping[str, str], known: Container[str]) -> str:
    """The name something has now: the new one where that is known, else the one it had. Steps, options and fields share one map."""
    here = renamed.get(name, name)
    return here if here in known else name


def changes(step: str, old: CompiledFlow, new: CompiledFlow) -> Iterator[str]:
    """What somebody who waits at the step would miss in the new version, in words; nothing when all of it is there."""
    renamed = new.flow.renamed
    here = renamed_to(step, renamed, new.nodes)
    before, after = old.nodes.get(step), new.nodes.get(here)
    if before is None:
        return  # a state of the engine's own, such as the end
    if after is None:
        wanted = renamed.get(step, step)
        target = f" (renamed to `{wanted}`, which does not exist)" if wanted != step else ""
        yield f"the step `{step}` is gone{target}; say where it went: `renamed: {{{step}: …}}`"
        return
    if after.verb != before.verb:
        yield f"the step `{step}` was `{before.verb}` and is `{after.verb}` now"
    options = getattr(after.step, "options", {})
    for key in getattr(before.step, "options", {}):
        if renamed_to(key, renamed, options) not in options:
            yield f"the option `{key}` of the step `{step}` is gone; say where it went: `renamed: {{{key}: …}}`"
    for name, declared in old.flow.data.items():
        now = new.flow.data.get(renamed_to(name, renamed, new.flow.data))
        if now is None:
            yield f"the field `{name}` is gone; say where it went: `renamed: {{{name}: …}}`"
        elif now.type != declared.type:
            yield f"the field `{name}` was of the type `{declared.type}` and is `{now.type}` now"
