"""Reads a project's files into a `Book`, or says everything that is wrong with them at once.

Bytes and names in; no file is opened here (decisions.md 28).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bot.domain.business import Business
from bot.engine import flow as schema
from bot.engine.book import REQUIRED, Book
from bot.engine.compiler import CompiledFlow, compile_flow
from bot.engine.formats import brought_up
from bot.engine.linter import lint_business, lint_flow, lint_together
from bot.engine.linting import Project, check_flow, check_together
from bot.engine.linting.look import no_meaning
from bot.engine.linting.templates import check_templates
from bot.engine.problem import Place, Problem, nearest
from bot.engine.reading import Path, Source, read

Model = TypeVar("Model", bound=BaseModel)

BUSINESS = "business.yaml"
BUILTIN_FOLDER = "privacy/"


@dataclass(frozen=True, slots=True)
class Loaded:
    """A book, or None when something must be mended first; and all problems of all files."""

    book: Book | None
    problems: tuple[Problem, ...] = field(default=())

    @property
    def errors(self) -> tuple[Problem, ...]:
        return tuple(problem for problem in self.problems if problem.severity == "error")


@dataclass(slots=True)
class ReadFlow:
    """A flow that could be read, with its file."""

    flow: schema.Flow
    source: Source
    content: bytes
    builtin: bool


def load(
    files: Mapping[str, bytes], *, require_builtin: bool = True, meaning: Callable[[str], str] = no_meaning
) -> Loaded:
    """Reads the files of `flows/` (names relative to it). Never raises for what stands in them.

    `meaning` says what the privacy intents make of a word, so that no flow takes one for itself (decisions.md 4).
    """
    sources: list[Source] = []
    business: Business | None = None
    flows: list[ReadFlow] = []
    broken: list[str] = []
    for name in sorted(files):
        if name.startswith("tests/") or not name.endswith((".yaml", ".yml")):
            continue
        source = read(name, files[name])
        sources.append(source)
        if source.data is None or source.problems:
            broken.append(_flow_name(source))
            continue
        if name == BUSINESS:
            business = validated(Business, source)
            if business:
                lint_business(business, source)
                check_templates(business, source, meaning)
        elif (flow := _flow(source)) is not None:
            flows.append(ReadFlow(flow, source, files[name], name.startswith(BUILTIN_FOLDER)))
        else:
            broken.append(_flow_name(source))
    if BUSINESS not in files:
        missing = Source(BUSINESS)
        missing.report(
            "no-business", (), "There is no business.yaml in this folder.", "`recado init` writes one to start from."
        )
        sources.append(missing)
    _lint(business, flows, broken, meaning)
    return _assembled(sources, business, flows, require_builtin=require_builtin)


def _flow(source: Source) -> schema.Flow | None:
    """The flow of a file in whatever format it is written, or None with every fault reported."""
    return validated(schema.Flow, source) if brought_up(source) else None


def _flow_name(source: Source) -> str:
    """The name of a flow whose file is broken, as far as it can be told: what leads to it is not wrong for that."""
    written = source.data.get("flow") if isinstance(source.data, dict) else None
    head = next((line for line in source.lines if line.startswith("flow:")), "")
    return str(
        written
        or head.removeprefix("flow:").split("#")[0].strip(" \"'")
        or source.name.rpartition("/")[2].partition(".")[0]
    )


def _lint(
    business: Business | None, flows: Sequence[ReadFlow], broken: Sequence[str], meaning: Callable[[str], str]
) -> None:
    known = {one.flow.flow: one.flow for one in flows}
    for one in flows:
        lint_flow(one.flow, one.source, business, known, builtin=one.builtin, broken=frozenset(broken))
        check_flow(one.flow, one.source, Project(business, known, meaning), builtin=one.builtin)
    pairs = [(one.flow, one.source) for one in flows]
    lint_together(pairs)
    check_together(pairs)


def _assembled(
    sources: list[Source],
    business: Business | None,
    flows: list[ReadFlow],
    *,
    require_builtin: bool,
) -> Loaded:
    problems = tuple(problem for source in sources for problem in source.problems)
    if business is None or any(problem.severity == "error" for problem in problems):
        return Loaded(None, problems)
    compiled = [compile_flow(one.flow, content=one.content, file=one.source.name, builtin=one.builtin) for one in flows]
    present = {one.flow.flow for one in flows}
    missing = [name for name in REQUIRED if name not in present] if require_builtin else []
    if missing:
        place = Place(BUILTIN_FOLDER)
        lack = Problem(
            "no-builtin", place, f"Built-in flows are missing: {', '.join(missing)}.", "Restore them from Recado."
        )
        return Loaded(None, (*problems, lack))
    return Loaded(book_of(business, compiled), problems)


def book_of(business: Business, compiled: Sequence[CompiledFlow]) -> Book:
    """A book of these flows, all at their current version."""
    return Book(business, {one.id: one for one in compiled}, {(one.id, one.version): one for one in compiled})


def recompiled(name: str, content: bytes) -> CompiledFlow | None:
    """A flow published earlier, for the conversations that still stand on it; None when this program can no longer read it."""
    source = read(f"{name}.yaml", content)
    flow = _flow(source) if source.data is not None and not source.problems else None
    return compile_flow(flow, content=content, file=source.name) if flow is not None else None


def validated(model: type[Model], source: Source) -> Model | None:
    """The file's data as `model`, or None with every fault reported at its place in plain words."""
    try:
        return model.model_validate(source.data)
    except ValidationError as failure:
        for detail in failure.errors(include_url=False):
            _report(source, model, detail)
        return None


def _report(source: Source, model: type[BaseModel], detail: ErrorDetails) -> None:
    path, value = _raw(source.data, detail["loc"])
    kind = detail["type"]
    if kind == "unknown_verb":
        _unknown_verb(source, path, value)
        return
    if kind == "too_short" and isinstance(value, list) and value:
        return  # its parts are reported already
    key = str(detail["loc"][-1]) if detail["loc"] else ""
    if kind == "missing":
        source.report("missing", path, f"`{key}` is missing here.", "Add it.")
        return
    if kind == "extra_forbidden":
        known = _fields_at(model, detail["loc"][:-1])
        source.report("unknown-key", (*path, key), f"`{key}` is not known here.", nearest(key, known), key=True)
        return
    words, fix = _WORDS.get(kind, _plain)(detail)
    source.report("wrong-value", path, words, fix)


def _unknown_verb(source: Source, path: Path, value: Any) -> None:
    if isinstance(value, str):
        source.report("unknown-verb", path, f"`{value}` is not a step.", nearest(value, schema.VERBS))
    elif not isinstance(value, dict) or not value:
        source.report("unknown-verb", path, "A step is written as `verb: …`.", nearest("", schema.VERBS))
    else:
        first = next(iter(value))
        word = next((key for key in value if key not in ("id", "outcomes", "with", "save", "into", "options")), first)
        source.report(
            "unknown-verb",
            (*path, word),
            f"`{word}` is not a verb of the flow language.",
            nearest(word, schema.VERBS),
            key=True,
        )


def _raw(data: Any, location: Sequence[str | int]) -> tuple[Path, Any]:
    """The path in the file for pydantic's location, in which the verb chosen for a step follows the step's index."""
    path: list[str | int] = []
    value = data
    before: str | int | None = None
    for part in location:
        tag = isinstance(before, int) and part in schema.VERBS and schema.verb_of(value) == part
        before = part
        inside = (
            part < len(value)
            if isinstance(value, list) and isinstance(part, int)
            else isinstance(value, dict) and part in value
        )
        if inside and not tag:
            path.append(part)
            value = value[part]
    return tuple(path), value


def _fields_at(model: type[BaseModel], location: Sequence[str | int]) -> list[str]:
    """The keys known at a location, for the offer of the nearest."""
    verb = next((part for part in reversed(location) if part in schema.VERBS), None)
    last = location[-1] if location else None
    if verb is not None and last == verb:
        kind: type[BaseModel] = schema.VERBS[str(verb)]
        return [info.alias or name for name, info in kind.model_fields.items()]
    if not location:
        return [info.alias or name for name, info in model.model_fields.items()]
    for name, parts in _PARTS.items():
        if name in location:
            return [info.alias or field_name for part in parts for field_name, info in part.model_fields.items()]
    return []


_PARTS: Mapping[str, tuple[type[BaseModel], ...]] = {
    "options": (schema.Option,), "double": (schema.Double,), "handoff": (schema.HandoffDetails, schema.HandoffTexts),
    "when": (schema.Case,), "check": (schema.Check,), "data": (schema.DataField,), "starts": (schema.Start,),
    "inputs": (schema.Input,), "link_button": (schema.LinkButton,), "idle": (schema.Idle,),
}  # fmt: skip


def _choice(detail: ErrorDetails) -> tuple[str, str]:
    expected = str(detail.get("ctx", {}).get("expected", ""))
    names = [name.strip(" '") for name in expected.replace(" or ", ", ").split(",")]
    return f"`{detail['input']}` is not possible here.", nearest(str(detail["input"]), names)


def _own(detail: ErrorDetails) -> tuple[str, str]:
    words = detail["msg"].removeprefix("Value error, ")
    return f"{words[:1].upper()}{words[1:]}.", ""


def _plain(detail: ErrorDetails) -> tuple[str, str]:
    return f"{detail['msg'].replace('Input', 'This')}.", ""


def _fixed(words: str, fix: str = "") -> Callable[[ErrorDetails], tuple[str, str]]:
    return lambda _: (words, fix)


_WORDS: Mapping[str, Callable[[ErrorDetails], tuple[str, str]]] = {
    "literal_error": _choice,
    "value_error": _own,
    "string_type": _fixed("A text is expected here.", "Put it in quotes."),
    "string_too_short": _fixed("This is empty.", "Write a text."),
    "string_pattern_mismatch": _fixed("This is not written in the expected form.", "Use lower-case letters, digits and `_` for names."),
    "too_short": _fixed("This is empty.", "Write at least one entry, each beginning with `- `."),
    "tuple_type": _fixed("A list is expected here.", "Begin each entry with `- `."),
    "list_type": _fixed("A list is expected here.", "Begin each entry with `- `."),
    "mapping_type": _fixed("Keys with values are expected here.", "Write `key: value`, indented, one a line."),
    "dict_type": _fixed("Keys with values are expected here.", "Write `key: value`, indented, one a line."),
    "model_type": _fixed("Keys with values are expected here.", "Write `key: value`, indented, one a line."),
    "bool_type": _fixed("Write `yes` or `no` here."),
    "bool_parsing": _fixed("Write `yes` or `no` here."),
    "int_type": _fixed("A whole number is expected here."),
    "int_parsing": _fixed("A whole number is expected here."),
}  # fmt: skip
