"""Texts with places to fill in: `{field}`, `{field|date}`, `{n|plural one:"…" other:"…"}`, `{who|select a:"…" other:"…"}`.

Cut into segments once, when a flow or a catalog is loaded; filling in is a walk over them. `{{` stands for a brace.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

FILTERS = frozenset({"date", "time", "datetime", "money", "number", "upper", "lower", "join", "plural", "select"})

_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*")
_FORM = re.compile(r'\s*([A-Za-z_][A-Za-z0-9_]*|=\d+):"((?:[^"\\]|\\.)*)"')


class TextProblem(ValueError):
    """A text that cannot be filled in; the message says why, `column` where (from 1)."""

    def __init__(self, reason: str, column: int) -> None:
        super().__init__(reason)
        self.column = column


@dataclass(frozen=True, slots=True)
class Blank:
    """One place to fill in."""

    name: str
    filter: str = ""
    forms: Mapping[str, "Text"] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Text:
    """A text cut into literal parts and blanks."""

    parts: tuple[str | Blank, ...]

    @property
    def names(self) -> frozenset[str]:
        """The values it needs, those inside plural and select forms included."""
        found: set[str] = set()
        for part in self.parts:
            if isinstance(part, Blank):
                found.add(part.name)
                for form in part.forms.values():
                    found |= form.names
        return frozenset(found)

    def fill(self, value: Callable[[str], Any], show: Callable[[Any, str], str], plural: Callable[[float], str]) -> str:
        """The text with values put in. `value` gives a field's value, `show` writes it, `plural` names a number's form."""
        out: list[str] = []
        for part in self.parts:
            if isinstance(part, str):
                out.append(part)
                continue
            known = value(part.name)
            if part.forms:
                out.append(_form(part, known, plural).fill(value, show, plural))
            else:
                out.append(show(known, part.filter))
        return "".join(out)


def _form(blank: Blank, known: Any, plural: Callable[[float], str]) -> Text:
    if blank.filter == "plural":
        number = known if isinstance(known, int | float) else 0
        exact = blank.forms.get(f"={number}")
        return exact or blank.forms.get(plural(number)) or blank.forms["other"]
    return blank.forms.get(str(known)) or blank.forms["other"]


def parse(text: str) -> Text:
    """Cuts a text. Raises `TextProblem` with the column of the fault."""
    parts: list[str | Blank] = []
    literal: list[str] = []
    at = 0
    while at < len(text):
        character = text[at]
        if character in "{}" and text[at : at + 2] == character * 2:
            literal.append(character)
            at += 2
        elif character == "{":
            if literal:
                parts.append("".join(literal))
                literal = []
            end = _closing(text, at)
            parts.append(_blank(text[at + 1 : end], at + 2))
            at = end + 1
        elif character == "}":
            raise TextProblem("a `}` stands alone; write `}}` for the character itself", at + 1)
        else:
            literal.append(character)
            at += 1
    if literal:
        parts.append("".join(literal))
    return Text(tuple(parts))


def _closing(text: str, start: int) -> int:
    quoted = False
    at = start + 1
    while at < len(text):
        if text[at] == "\\" and quoted:
            at += 1
        elif text[at] == '"':
            quoted = not quoted
        elif text[at] == "}" and not quoted:
            return at
        elif text[at] == "{" and not quoted:
            break
        at += 1
    raise TextProblem("a `{` is not closed; write `{{` for the character itself", start + 1)


def _blank(inside: str, column: int) -> Blank:
    name, bar, rest = inside.partition("|")
    name = name.strip()
    if not _FIELD.fullmatch(name):
        raise TextProblem(f"`{name}` is not the name of a value", column)
    if not bar:
        return Blank(name)
    words = rest.strip().split(None, 1)
    kind = words[0] if words else ""
    if kind not in FILTERS:
        raise TextProblem(f"`{kind}` is not a way to write a value; known: {', '.join(sorted(FILTERS))}", column)
    if kind not in ("plural", "select"):
        if len(words) > 1:
            raise TextProblem(f"nothing may follow `{kind}`", column)
        return Blank(name, kind)
    forms: dict[str, Text] = {}
    tail = words[1] if len(words) > 1 else ""
    while tail.strip():
        match = _FORM.match(tail)
        if match is None:
            raise TextProblem(f'after `{kind}` write forms like one:"…" other:"…"', column)
        forms[match[1]] = parse(match[2].replace('\\"', '"'))
        tail = tail[match.end() :]
    if "other" not in forms:
        raise TextProblem(f'`{kind}` needs the form other:"…"', column)
    return Blank(name, kind, forms)
