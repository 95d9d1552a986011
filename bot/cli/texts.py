"""Every text that people get in their language: those of flows, of business.yaml and of the code, with the place of each.

Reads files; decides nothing about translations.
"""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from io import BytesIO
from pathlib import Path

from babel.messages.extract import extract

from bot.app.project import flow_files
from bot.domain.business import Business
from bot.domain.errors import SettingsProblem
from bot.engine import flow as schema
from bot.engine.compiler import CompiledFlow
from bot.engine.linter import texts_of, walk
from bot.engine.loader import BUILTIN_FOLDER, BUSINESS, load
from bot.engine.reading import Path as Place
from bot.engine.reading import Source, read

CODE_LANGUAGE = "en"
"""The language of the texts in the code."""


@dataclass(frozen=True, slots=True)
class Written:
    """One text, where it stands, and what it is.

    Attributes:
        kind: `flow` (values are filled in as flows write them), `business` (no values) or `code` (`{name}` only).
        language: the language it is written in.
        group: of a label or a start word: what it stands beside, so that two may not become the same; else empty.
        limit: most UTF-16 units WhatsApp takes here; 0 where there is no such limit.
    """

    text: str
    file: str
    line: int
    kind: str
    language: str
    group: str = ""
    limit: int = 0


@dataclass(frozen=True, slots=True)
class Texts:
    """All texts of a project: `bot` comes with Recado, `project` is the business's own, `console` is read by its staff alone."""

    business: Business
    bot: tuple[Written, ...]
    project: tuple[Written, ...]
    console: tuple[Written, ...] = ()

    @property
    def every(self) -> tuple[Written, ...]:
        return (*self.bot, *self.project)

    def said_in(self, language: str, *, ours: bool) -> tuple[Written, ...]:
        """What there is to translate into a language; `ours` says whether the business's own texts are meant for it."""
        staff = self.console if language in CONSOLE_LANGUAGES else ()
        return (*self.bot, *staff, *(self.project if ours else ()))


def texts_of_project(project: Path) -> Texts:
    """The texts of a project and of Recado itself. Raises `SettingsProblem` while its flows have errors."""
    files = flow_files(project)
    loaded = load(files)
    if loaded.book is None:
        raise SettingsProblem(
            "the flows have errors, so their texts cannot be collected; `recado flows check` shows them"
        )
    business = loaded.book.business
    sources = {name: read(name, content) for name, content in files.items()}
    shipped = [one.file for one in loaded.book.flows.values() if _is_shipped(one.file, project)]
    built_in = [one for one in loaded.book.flows.values() if one.file in shipped]
    own = [one for one in loaded.book.flows.values() if one.file not in shipped]
    bot = [*_of_flows(built_in, sources), *of_code()]
    ours = [*_of_flows(own, sources), *of_business(business, sources[BUSINESS])]
    console = list(of_console()) if is_home(project) else []
    return Texts(business, _with_words(bot), _with_words(ours), _with_words(console))


def is_home(project: Path) -> bool:
    """Whether the project is the checkout of Recado itself, whose built-in flows and catalogs are the shipped ones."""
    return Path(str(resources.files("bot"))).resolve().parent == project.resolve()


def _is_shipped(file: str, project: Path) -> bool:
    return file.startswith(BUILTIN_FOLDER) and (is_home(project) or not (project / "flows" / file).exists())


_BARE_VALUE = re.compile(r"\{[^{}|]*\}")


def _with_words(texts: Iterable[Written]) -> tuple[Written, ...]:
    """Without the texts that are nothing but one value, which have no word to translate."""
    return tuple(one for one in texts if not _BARE_VALUE.fullmatch(one.text))


# -- flows ----------------------------------------------------------------------------------------------------------------


def _of_flows(flows: Iterable[CompiledFlow], sources: Mapping[str, Source]) -> Iterator[Written]:
    for one in flows:
        yield from _of_flow(one.flow, sources[one.file])


def _of_flow(flow: schema.Flow, source: Source) -> Iterator[Written]:
    def found(text: str, path: Place, *, group: str = "", limit: int = 0) -> Written:
        line = source.place(path).line
        return Written(text, f"flows/{source.name}", line, "flow", flow.language, group, limit)

    for index, start in enumerate(flow.starts):
        for place, word in enumerate(start.words):
            yield found(word, ("starts", index, "words", place), group=f"start:{flow.flow}")
    for name, declared in flow.data.items():
        asked = any(isinstance(step, schema.Ask) and step.into == name and not step.options for step, _ in walk(flow))
        labels = (
            declared.options
            if isinstance(declared.options, Mapping)
            else dict.fromkeys(declared.options if asked else ())
        )
        group = f"{flow.flow}:data:{name}"
        for key in labels:
            label = labels[key] or key
            yield found(
                label, ("data", name, "options", key), group=group, limit=_row_limit(len(labels)) if asked else 0
            )
    for step, path in walk(flow):
        group = f"{flow.flow}:{'.'.join(map(str, path))}"
        for where, text in texts_of(step):
            limit = _limit(step, where)
            yield found(text, (*path, *where), group=group if limit else "", limit=limit)
        for key, option in getattr(step, "options", {}).items():
            for place, word in enumerate(option.words):
                yield found(word, (*path, "options", key, "words", place))


BUTTON, ROW, DESCRIPTION, BUTTONS = 20, 24, 72, 3
"""Meta: interactive messages (whatsapp.md 3.3), in UTF-16 units."""


def _row_limit(options: int) -> int:
    return BUTTON if options <= BUTTONS else ROW


def _limit(step: schema.StepBase, where: Place) -> int:
    """The limit of a label; 0 for a text that is none."""
    if where[-1] == "description":
        return DESCRIPTION
    if where[0] == "options":
        offered = len(getattr(step, "options", {})) + bool(getattr(step, "optional", False))
        return _row_limit(offered)
    return BUTTON if str(where[-1]).endswith("label") else 0


# -- business.yaml --------------------------------------------------------------------------------------------------------


def of_business(business: Business, source: Source) -> Iterator[Written]:
    """What the notice and the desk say out of business.yaml, in its language. Two-letter countries are codes, not words."""
    for path in _paths_of_business(business):
        value: object = business
        for part in path:
            value = value[part] if isinstance(value, Mapping | tuple) else getattr(value, str(part))  # type: ignore[index]
        if isinstance(value, str) and value:
            line = source.place(path).line
            yield Written(value, f"flows/{BUSINESS}", line, "business", business.language)


def _paths_of_business(business: Business) -> Iterator[Place]:
    notice = business.notice
    yield from (("notice", "data", index) for index in range(len(notice.data)))
    for key in ("storage", "retention", "complaint", "required", "automated", "transfers"):
        yield ("notice", key)
    for name, purpose in business.purposes.items():
        yield from (("purposes", name, key) for key in ("title", "interest", "frequency"))
        yield from (("purposes", name, "data", index) for index in range(len(purpose.data)))
    for index, processor in enumerate(business.processors):
        yield from (("processors", index, key) for key in ("does", "transfer"))
        if len(processor.country) > 2:
            yield ("processors", index, "country")
    yield from (("teams", name, "title") for name in business.teams)


# -- code -----------------------------------------------------------------------------------------------------------------

_MARKED = ("privacy", "web", "app")
_SPOKEN = (
    "engine/steps",
    "engine/exercising.py",
    "engine/sending.py",
    "engine/handing.py",
    "engine/play.py",
    "engine/flow.py",
    "i18n/formatting.py",
)
"""Where the code says something without a flow: the marked texts, and the defaults of questions."""


def of_code() -> Iterator[Written]:
    """The texts in the code: those marked `N_`, and the default words of the engine."""
    package = Path(str(resources.files("bot")))
    for path in (path for room in _MARKED for path in sorted((package / room).rglob("*.py"))):
        content = BytesIO(path.read_bytes())
        for line, message, _, _ in extract("python", content, keywords={"N_": None}):
            yield _coded(str(message), path, line, package)
    for place in _SPOKEN:
        target = package / place
        for path in sorted(target.rglob("*.py")) if target.is_dir() else [target]:
            for text, line in _defaults(ast.parse(path.read_text(encoding="utf-8"))):
                yield _coded(text, path, line, package, BUTTON if not text.endswith((".", "?")) else 0)


CONSOLE_LANGUAGES = ("pt", "es", "de", "fr")
"""What the console's own pages are translated into; customers are spoken to in more."""


def of_console() -> Iterator[Written]:
    """The texts of the agents' console: those marked in its code, and those its pages call with `_(…)`."""
    package = Path(str(resources.files("bot")))
    for path in sorted((package / "console").rglob("*.py")):
        for line, message, _, _ in extract("python", BytesIO(path.read_bytes()), keywords={"N_": None}):
            yield _coded(str(message), path, line, package)
    for path in sorted((package / "console" / "templates").glob("*.html")):
        yield from _of_page(path, package)


def _of_page(path: Path, package: Path) -> Iterator[Written]:
    """The texts of a page, as its templates call them."""
    found = extract(
        "jinja2.ext:babel_extract", BytesIO(path.read_bytes()), keywords={"_": None}, options={"trimmed": "true"}
    )
    for line, message, _, _ in found:
        text = str(message[0] if isinstance(message, tuple) else message)
        if text:
            yield _coded(text, path, line, package)


def _coded(text: str, path: Path, line: int, package: Path, limit: int = 0) -> Written:
    return Written(text, f"bot/{path.relative_to(package).as_posix()}", line, "code", CODE_LANGUAGE, limit=limit)


def _defaults(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Literal texts that are rendered or translated, default labels, and sentences kept as constants of a module."""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in ("render", "translate")
        ):
            yield from _literals(node.args[:1])
        elif isinstance(node, ast.Call):
            yield from _literals(one.value for one in node.keywords if one.arg == "label")
        elif (
            isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id.endswith("_label")
        ):
            fields = node.value.keywords if isinstance(node.value, ast.Call) else ()
            given = [one.value for one in fields if one.arg == "default"] if fields else [node.value]
            yield from _literals(one for one in given if one is not None)
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            yield from (
                (text, line) for text, line in _literals([node.value]) if text.endswith((".", "?")) and " " in text
            )


def _literals(nodes: Iterable[ast.expr]) -> Iterator[tuple[str, int]]:
    for node in nodes:
        for part in (node.body, node.orelse) if isinstance(node, ast.IfExp) else (node,):
            if isinstance(part, ast.Constant) and isinstance(part.value, str) and part.value:
                yield part.value, part.lineno
