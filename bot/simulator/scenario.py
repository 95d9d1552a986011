"""Scenarios: what Meta and people do, one step after another, written in YAML. Those that come with the stand-in are in `scenarios/`.

A step has one verb; its values are those of the control API's path of the same name. docs/simulator.md lists them.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from bot.simulator import gestures
from bot.simulator.asking import Ask
from bot.simulator.courier import Manner
from bot.simulator.envelope import Change
from bot.simulator.errors import SimulatorError
from bot.simulator.faults import Fault
from bot.simulator.people import key_of
from bot.simulator.stage import Stage
from bot.simulator.statuses import ALL, Mischief
from bot.simulator.templates import CATEGORIES, STATUSES

HERE = Path(__file__).parent / "scenarios"
MOST_STEPS, LARGEST, LONGEST_WAIT = 200, 64 * 1024, 60.0
QUALITIES = ("GREEN", "YELLOW", "RED")

Verb = Callable[[Stage, Ask], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Scenario:
    """A title, a line about it, and its steps as (verb, values)."""

    title: str
    about: str
    steps: tuple[tuple[str, Mapping[str, object]], ...]


def shipped() -> dict[str, Scenario]:
    """Name to scenario, of those that come with the stand-in."""
    return {path.stem: read(path.read_text(encoding="utf-8")) for path in sorted(HERE.glob("*.yaml"))}


def read(text: str) -> Scenario:
    """A scenario from YAML; raises SimulatorError that says which step is wrong."""
    if len(text) > LARGEST:
        raise SimulatorError(f"a scenario has at most {LARGEST} characters")
    try:
        found = YAML(typ="safe", pure=True).load(text)
    except (YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        raise SimulatorError(f"not readable as YAML{f', line {mark.line + 1}' if mark else ''}") from None
    if not isinstance(found, dict) or set(found) - {"scenario", "about", "steps"}:
        raise SimulatorError("a scenario has `scenario` (its title), `about` and `steps`")
    steps = found.get("steps")
    if not isinstance(steps, list) or not 1 <= len(steps) <= MOST_STEPS:
        raise SimulatorError(f"steps: 1 to {MOST_STEPS} of them")
    return Scenario(
        str(found.get("scenario") or "Unnamed"),
        str(found.get("about") or ""),
        tuple(_step(n, one) for n, one in enumerate(steps, 1)),
    )


def _step(number: int, step: object) -> tuple[str, Mapping[str, object]]:
    if not isinstance(step, dict) or len(step) != 1:
        raise SimulatorError(f"step {number}: one verb, for example `say: {{who: ada, text: Hello}}`")
    verb, values = next(iter(step.items()))
    if verb not in VERBS:
        raise SimulatorError(f"step {number}: `{verb}` is none of {', '.join(VERBS)}")
    if not isinstance(values, dict):
        values = {} if values is None else {"value": values}
    return str(verb), {str(key): _flag(value) for key, value in values.items()}


def _flag(value: object) -> object:
    """YAML 1.2 has no yes and no; people write them all the same."""
    return {"yes": True, "no": False}.get(value, value) if isinstance(value, str) else value


async def run(stage: Stage, scenario: Scenario) -> list[str]:
    """Does every step in its order; returns them as lines. Raises SimulatorError that names the step which cannot be done."""
    done = []
    for number, (verb, values) in enumerate(scenario.steps, 1):
        ask = Ask(values)
        try:
            await VERBS[verb](stage, ask)
            ask.done()
        except SimulatorError as error:
            raise SimulatorError(f"step {number} ({verb}): {error}") from error
        done.append(f"{number}. {verb} " + ", ".join(f"{key} {value}" for key, value in values.items()))
    return done


# -- the verbs ------------------------------------------------------------------------------------------------------------


async def _person(stage: Stage, ask: Ask) -> None:
    """Somebody new; who is there already stays."""
    key = key_of(ask.text("key", "") or ask.text("name", "somebody"), set())
    name, language, country = ask.text("name", ""), ask.text("language", "en"), ask.text("country", "")
    with_number = ask.flag("with_number", otherwise=True)
    if key not in stage.world.people:
        person = stage.world.invent(name=name, language=language, country=country, with_number=with_number)
        if person.key != key:
            stage.world.rename(person, key)


async def _say(stage: Stage, ask: Ask) -> None:
    await stage.tried(gestures.say(stage.world, stage.world.find(ask.text("who")), ask.text("text")))


async def _tap(stage: Stage, ask: Ask) -> None:
    await stage.tried(gestures.tap(stage.world, stage.world.find(ask.text("who")), ask.text("choice")))


async def _preference(stage: Stage, ask: Ask) -> None:
    gestures.prefer(stage.world, stage.world.find(ask.text("who")), ask.text("value"))


async def _number(stage: Stage, ask: Ask) -> None:
    gestures.change_number(stage.world, stage.world.find(ask.text("who")), ask.text_or_none("number"))


async def _close_window(stage: Stage, ask: Ask) -> None:
    stage.world.close_window(stage.world.find(ask.text("who")))


async def _storm(stage: Stage, ask: Ask) -> None:
    people = [stage.world.find(key) for key in ask.texts("people")] or list(stage.world.people.values())
    await stage.storm(people, ask.whole("each", 10, least=1, most=1000), ask.text("text", "message {n}"))


async def _fault(stage: Stage, ask: Ask) -> None:
    stage.world.faults.add(fault_of(ask))


def fault_of(ask: Ask) -> Fault:
    """A fault as the control API and scenarios write it."""
    return Fault(
        ask.text("kind"), ask.whole("code", 131000, most=10**9), ask.whole("http", 500, most=599),
        ask.seconds("seconds", 30.0), ask.whole("times", 1, least=1, most=10**6), ask.text("person", ""),
        every=ask.whole("every", 1, least=1, most=10**6),
    )  # fmt: skip


async def _no_faults(stage: Stage, _: Ask) -> None:
    stage.world.faults.clear()


async def _statuses(stage: Stage, ask: Ask) -> None:
    lose = frozenset(ask.texts("lose"))
    if not lose <= {*ALL, "failed"}:
        raise SimulatorError(f"lose: some of {', '.join(ALL)}, failed")
    times = ask.whole("times", 1, least=1, most=10**6) if ask.has("times") else None
    stage.statuses.misbehave(Mischief(lose, ask.seconds("delay"), times))


async def _delivery(stage: Stage, ask: Ask) -> None:
    manner = Manner(ask.whole("duplicate", 0, most=100), ask.seconds("delay"), ask.flag("hold", otherwise=False))
    stage.world.courier.manner = manner


async def _release(stage: Stage, ask: Ask) -> None:
    stage.world.courier.release(
        shuffle=ask.flag("shuffle", otherwise=False), batch=ask.whole("batch", 1, least=1, most=1000),
        shape=ask.text("shape", "messages"), duplicate=ask.whole("duplicate", 0, most=100),
    )  # fmt: skip


async def _template_status(stage: Stage, ask: Ask) -> None:
    await _templates(stage, ask, "status", STATUSES, stage.template_status)


async def _template_category(stage: Stage, ask: Ask) -> None:
    await _templates(stage, ask, "category", CATEGORIES, stage.template_category)


async def _templates(
    stage: Stage, ask: Ask, key: str, known: tuple[str, ...], change: Callable[[str, str, str], None]
) -> None:
    """The named template, or all of them."""
    value, name, language = ask.text(key), ask.text("name", ""), ask.text("language", "")
    if value not in known:
        raise SimulatorError(f"{key}: one of {', '.join(known)}")
    found = [one for _, one in stage.world.templates() if name in ("", one.name) and language in ("", one.language)]
    if name and not found:
        raise SimulatorError(f"there is no template {name}")
    for one in found:
        change(one.name, one.language, value)


async def _token(stage: Stage, ask: Ask) -> None:
    stage.world.token_expired = ask.text("value") == "expired"


async def _quality(stage: Stage, ask: Ask) -> None:
    """The number's rating, with the webhook that tells of it (Meta: phone_number_quality_update)."""
    quality = ask.text("value")
    if quality not in QUALITIES:
        raise SimulatorError(f"one of {', '.join(QUALITIES)}")
    stage.world.quality = quality
    event = {"GREEN": "UNFLAGGED", "YELLOW": "FLAGGED", "RED": "FLAGGED"}[quality]
    value = {"display_phone_number": stage.world.business.digits, "event": event, "current_limit": "TIER_2K"}
    stage.world.courier.send(Change("phone_number_quality_update", value, at=int(stage.world.clock())))


async def _webhook(stage: Stage, ask: Ask) -> None:
    stage.change(ask.text("field"), dict(ask.mapping("value")))


async def _wait(stage: Stage, ask: Ask) -> None:
    await asyncio.sleep(min(ask.seconds("value", most=LONGEST_WAIT), LONGEST_WAIT))
    await stage.settled()


VERBS: Mapping[str, Verb] = {
    "person": _person, "say": _say, "tap": _tap, "preference": _preference, "number": _number, "close_window": _close_window,
    "storm": _storm, "fault": _fault, "no_faults": _no_faults, "statuses": _statuses, "delivery": _delivery, "release": _release,
    "template_status": _template_status, "template_category": _template_category, "token": _token, "quality": _quality,
    "webhook": _webhook, "wait": _wait,
}  # fmt: skip
