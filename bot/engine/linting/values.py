"""Values: declared and used, read only after they can be known, compared with what they can be."""

from collections.abc import Iterator
from typing import Any

from lark import Token, Tree

from bot.engine import flow as schema
from bot.engine.bounds import bound_problem
from bot.engine.linter import PERSON_VALUES
from bot.engine.linting.look import Look
from bot.engine.problem import nearest
from bot.engine.reading import Path

ORDERED = frozenset({"number", "whole_number", "money", "date", "time", "datetime", "duration"})
ORDER_TESTS = frozenset({"more", "less", "at_least", "at_most", "between"})
VALUE_TESTS = ORDER_TESTS | {"is_known", "is_empty", "contains", "starts_with", "matches", "one_of", "not_one_of"}
CHOICES = frozenset({"choice", "choices"})
NAMES = ("into", "match", "once_per", "comment")
"""Keys of a step whose value is the name of a field."""


def check(look: Look) -> None:
    reads = list(_reads(look))
    writes = list(_writes(look))
    _unused(look, {name for name, _ in reads}, {name for name, _ in writes})
    _read_before(look, reads, writes)
    for expression, path in look.conditions:
        _tests(look, expression.tree, path)
        for pattern in expression.patterns:
            _pattern(look, pattern, path)
    for name, declared in look.flow.data.items():
        if declared.pattern:
            _pattern(look, declared.pattern, ("data", name, "pattern"))
        _bounds(look, name, declared)
    for step, path in look.steps:
        _choice(look, step, path)


def _reads(look: Look) -> Iterator[tuple[str, Path]]:
    """Every field that is read, with the place."""
    for expression, path in look.conditions:
        yield from ((name.partition(".")[0], path) for name, _ in expression.names)
    for _, path, text in look.texts():
        yield from ((name.partition(".")[0], path) for name in look.blanks(text))
    for step, path in look.steps:
        for key in ("match", "once_per"):
            if isinstance(getattr(step, key, None), str):
                yield getattr(step, key), (*path, key)
        given = getattr(step, "with_", {})
        for place, value in given.items() if isinstance(given, dict) else enumerate(given):
            yield str(value).partition(".")[0], (*path, "with", place)
        if isinstance(step, schema.Handoff):
            yield from ((name, (*path, "handoff", "share", i)) for i, name in enumerate(step.handoff.share))
            if isinstance(step.handoff.urgent, str):
                yield step.handoff.urgent, (*path, "handoff", "urgent")
        if isinstance(step, schema.Set):
            for key, value in step.set.items():
                yield from ((word, (*path, "set", key)) for word in _words(value) if key not in ("clear", "count up"))
        yield from ((value, (*path, "returns", key)) for key, value in (getattr(step, "returns", None) or {}).items())
        if isinstance(step, schema.Say) and step.link_button:
            yield step.link_button.to, (*path, "link_button", "to")
        for word, place in _others(step):
            yield word, (*path, place)


def _others(step: schema.StepBase) -> Iterator[tuple[str, str]]:
    """Words in keys that only some verbs have; what names no field is harmless here."""
    for name in ("at", "until", "unless", "for_", "repeat", "edit", "fields", "wait"):
        value = getattr(step, name, None)
        if isinstance(value, str | list | tuple | dict):
            yield from ((word, name.rstrip("_")) for word in _words(value))


def _words(value: Any) -> list[str]:
    """All names that may stand in a sum or a nested value."""
    if isinstance(value, dict):
        return [word for key, one in value.items() for word in (*_words(key), *_words(one))]
    if isinstance(value, list | tuple):
        return [word for one in value for word in _words(one)]
    text = "".join(letter if letter.isalnum() or letter == "_" else " " for letter in str(value))
    return text.split()


def _writes(look: Look) -> Iterator[tuple[str, Path]]:
    """Every field that is given a value, with the step that does it."""
    for step, path in look.steps:
        for key in ("into", "comment"):
            if isinstance(getattr(step, key, None), str):
                yield getattr(step, key), path
        for name in getattr(step, "save", None) or {}:
            yield name, path
        if isinstance(step, schema.Set):
            for key, value in step.set.items():
                targets = [str(value)] if key == "count up" else list(value) if isinstance(value, dict) else [key]
                yield from ((target, path) for target in targets if key != "clear")
        if schema.verb_of(step) not in _PLAIN:
            yield from ((name, path) for name in look.fields & set(_words(step.model_dump(mode="python"))))


_PLAIN = frozenset(
    {"say", "ask", "menu", "when", "match", "set", "call", "run", "go", "consent", "withdraw", "my_data", "handoff", "send",
     "end", "notice", "stop"}
)  # fmt: skip
"""Verbs whose writing is known above; of any other verb every field it names may be written."""


def _unused(look: Look, read: set[str], written: set[str]) -> None:
    for name, declared in look.flow.data.items():
        if name in read or name in look.flow.returns:
            continue
        if name not in written:
            look.warn("unused-field", ("data", name), f"`{name}` is never used.", "Delete it.")
        elif declared.keep == "until_end" and not look.builtin:
            reason = f"`{name}` is asked for but never used (GDPR art. 5(1)(c): ask only for what is needed)."
            look.error("never-read", ("data", name), reason, "Use it, or do not ask for it.")


def _read_before(look: Look, reads: list[tuple[str, Path]], writes: list[tuple[str, Path]]) -> None:
    """A value that no way to this place can have set is always empty here."""
    if look.compiled is None:
        return
    setters: dict[str, set[str]] = {}
    for name, path in writes:
        setters.setdefault(name, set()).add(look.state_at(path))
    after = {state: look.reached_from(state) for names in setters.values() for state in names}
    told: set[tuple[str, str]] = set()
    for name, path in reads:
        declared = look.flow.data.get(name)
        state = look.state_at(path)
        if declared is None or name in look.flow.inputs or declared.default is not None or not state:
            continue
        own = path[-1] == "else" or "check" in path or "outcomes" in path or "options" in path
        known = any(state in after[one] and (state != one or own or _again(look, one)) for one in setters.get(name, ()))
        if not known and (name, state) not in told and setters.get(name):
            told.add((name, state))
            reason = f"`{name}` is read here before anything can have set it."
            look.error("read-early", path, reason, "Ask for it earlier, or give it a `default`.")


def _again(look: Look, state: str) -> bool:
    """Whether a way leads from a step back to itself."""
    return any(state in look.reached_from(to) for to in look.ways.get(state, ()))


def _tests(look: Look, tree: Any, path: Path) -> None:
    for part in tree.iter_subtrees() if isinstance(tree, Tree) else ():
        name = _name(part.children[0]) if part.children else ""
        known = {name, name.partition(".")[0]} & (look.fields | PERSON_VALUES)
        if part.data in VALUE_TESTS and name and not known:
            look.error("unknown-value", path, f"There is no value `{name}`.", nearest(name, look.fields))
        elif part.data in ORDER_TESTS and look.type_of(name) and look.type_of(name) not in ORDERED:
            reason = f"`{name}` is of the type `{look.type_of(name)}`, which has no more or less."
            look.error("type-mismatch", path, reason, "Compare a number, a date or a time.")
        elif part.data in ("is_", "is_not", "one_of", "not_one_of") and name in look.flow.data:
            _known_option(look, name, part.children[1], path)


def _known_option(look: Look, name: str, other: Any, path: Path) -> None:
    """`topic is delivry`: a bare word must be one of the options the field can hold."""
    options = _options_of(look, name)
    words = [_name(one) for one in (other.children if _is(other, "choices") else [other])]
    for word in words:
        known = {one.casefold() for one in (*options, *look.fields)}
        if options and word and "." not in word and word.casefold() not in known:
            look.error("unknown-option", path, f"`{name}` is never `{word}`.", nearest(word, options))


def _options_of(look: Look, name: str) -> set[str]:
    """What a choice can hold; empty when that is not known."""
    declared = look.flow.data[name]
    if declared.type not in CHOICES:
        return set()
    found = set(declared.options)
    for step, _ in look.steps:
        if getattr(step, "into", None) == name:
            for key, option in getattr(step, "options", {}).items():
                found |= {key, getattr(option, "label", "")}
    saved = any(name in (getattr(step, "save", None) or {}) for step, _ in look.steps)
    return set() if saved and not declared.options else found


def _is(tree: Any, data: str) -> bool:
    return isinstance(tree, Tree) and tree.data == data


def _name(tree: Any) -> str:
    """The name a part of a condition is, or empty."""
    if _is(tree, "value"):
        return ".".join(str(token) for token in tree.children[0].children if isinstance(token, Token))
    return ""


def _pattern(look: Look, pattern: str, path: Path) -> None:
    if look.business is not None and pattern not in look.business.patterns:
        known = nearest(pattern, look.business.patterns)
        look.error("unknown-pattern", path, f"There is no pattern called `{pattern}` in business.yaml.", known)


def _bounds(look: Look, name: str, declared: schema.DataField) -> None:
    """Bounds that can be read, for a type that has more and less, and in the right order where both are plain."""
    for key in ("min", "max"):
        written = getattr(declared, key)
        fix = bound_problem(declared.type, written) if written is not None else ""
        if fix:
            look.error(
                "bad-bound", ("data", name, key), f"`{written}` is no bound for the type `{declared.type}`.", fix
            )
    if declared.expects != "any" and declared.type not in DATED:
        reason = f"`{name}` is of the type `{declared.type}`, which is neither past nor future."
        look.error("bad-bound", ("data", name, "expects"), reason, "Leave `expects` out, or give it `type: date`.")
    if isinstance(declared.min, int | float) and isinstance(declared.max, int | float) and declared.min > declared.max:
        look.error("bad-bound", ("data", name, "max"), "The most is less than the least.", "Swap `min` and `max`.")


DATED = frozenset({"date", "datetime"})


def _choice(look: Look, step: schema.StepBase, path: Path) -> None:
    """Options and the type of the field fit together."""
    into = getattr(step, "into", "")
    declared = look.flow.data.get(into) if isinstance(into, str) else None
    if declared is None or not isinstance(step, schema.Ask):
        return
    if step.options and declared.type not in (*CHOICES, "text", "reference", "yes_no"):
        reason = f"`{into}` is of the type `{declared.type}`, but there are options to choose from."
        look.error("type-options", (*path, "into"), reason, "Give the field `type: choice`.")
    if declared.type in CHOICES and not step.options and not declared.options:
        reason = f"`{into}` is a choice, but there is nothing to choose from."
        look.error("no-options", (*path, "into"), reason, "Add `options:` to the question or to the field.")
