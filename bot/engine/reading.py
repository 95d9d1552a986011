"""YAML as flows use it: a strict reading of YAML 1.2 that keeps the position of everything (flow-language.md, "Reading").

No anchors, tags or merge keys, no duplicate keys, only text keys; `yes`, `on` and `09:00` stay text. Bytes in, a `Source` out:
plain data whose every part can be located. Never raises for what an author wrote; it reports `Problem`s.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from bot.engine.problem import Place, Problem

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 40

Path = tuple[str | int, ...]

_INTEGER = re.compile(r"[-+]?\d{1,18}")
_DECIMAL = re.compile(r"[-+]?\d{1,18}\.\d{1,18}")
_CORE_WORDS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_CORE_TAGS = frozenset({"map", "seq", "str", "int", "float", "bool", "null", "timestamp", "merge", "value", "binary"})
_NULLS = {"", "~", "null", "Null", "NULL"}


@dataclass(slots=True)
class Source:
    """A file that was read: its plain data, and the place of each part of it."""

    name: str
    data: Any = None
    lines: Sequence[str] = ()
    problems: list[Problem] = field(default_factory=list)
    places: dict[Path, tuple[int, int]] = field(default_factory=dict)
    keys: dict[Path, tuple[int, int]] = field(default_factory=dict)

    def place(self, path: Path, *, key: bool = False) -> Place:
        """Where the value at `path` stands (with `key`: its key), or the nearest part around it."""
        tables = (self.keys, self.places) if key else (self.places, self.keys)
        for end in range(len(path), -1, -1):
            for table in tables:
                found = table.get(path[:end])
                if found is not None:
                    return Place(self.name, *found)
        return Place(self.name)

    def report(
        self, code: str, path: Path, reason: str, fix: str = "", *, key: bool = False, severity: str = "error"
    ) -> None:
        """Notes a problem at the part `path` leads to."""
        self.report_at(code, self.place(path, key=key), reason, fix, severity=severity)

    def report_at(self, code: str, place: Place, reason: str, fix: str = "", *, severity: str = "error") -> None:
        source = self.lines[place.line - 1] if 0 < place.line <= len(self.lines) else ""
        self.problems.append(Problem(code, place, reason, fix, severity, source[:200]))


def read(name: str, content: bytes) -> Source:
    """Reads one file. The result's `problems` say what is wrong; its `data` is None when nothing could be made of it."""
    source = Source(name)
    text = _decoded(source, content)
    if text is None:
        return source
    source.lines = text.splitlines()
    tab = _leading_tab(source.lines)
    if tab:
        source.report_at(
            "yaml-tab",
            Place(name, tab, 1),
            "This line is indented with a tab.",
            "Indent with spaces, two for each level.",
        )
        return source
    try:
        node = YAML(typ="safe", pure=True).compose(text)
    except (YAMLError, ValueError, RecursionError) as problem:
        _syntax(source, problem)
        return source
    if node is None:
        source.report_at("yaml-empty", Place(name), "This file is empty.", "Write a flow into it, or delete it.")
        return source
    source.data = _Builder(source).build(node, (), 0)
    if source.data is None and not source.problems:
        source.report_at("yaml-empty", Place(name), "This file holds nothing.", "Write a flow into it, or delete it.")
    return source


def _decoded(source: Source, content: bytes) -> str | None:
    start = Place(source.name)
    if len(content) > MAX_BYTES:
        source.report_at(
            "yaml-size", start, f"This file has {len(content):,} bytes; at most {MAX_BYTES:,} are read.", "Split it."
        )
        return None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = content[: problem.start].count(b"\n") + 1
        column = problem.start - (content.rfind(b"\n", 0, problem.start) + 1) + 1
        reason = "This file is not written in UTF-8; a character here cannot be read."
        source.report_at("yaml-encoding", Place(source.name, line, column), reason, "Save it as UTF-8 in your editor.")
        return None
    for number, line_text in enumerate(text.splitlines(), 1):
        for column, character in enumerate(line_text, 1):
            if (character < " " and character != "\t") or character == "\x7f" or "\ud800" <= character <= "\udfff":
                reason = "An invisible control character stands here."
                source.report_at(
                    "yaml-character", Place(source.name, number, column), reason, "Delete it and type the line again."
                )
                return None
    return text


def _leading_tab(lines: Sequence[str]) -> int:
    for number, line in enumerate(lines, 1):
        indent = line[: len(line) - len(line.lstrip())]
        if "\t" in indent and line.strip():
            return number
    return 0


_PLAIN_WORDS = (
    ("mapping values are not allowed", "There is a second `: ` on this line.", "Put the text in quotes: \"like: this\"."),
    ("could not find expected ':'", "This line is not finished; a `:` is missing.", "Write `key: value`, and indent what belongs to it."),
    ("found character '\\t'", "A tab stands where spaces are expected.", "Indent with spaces, two for each level."),
    ("found character", "This character cannot begin a text here.", "Put the text in quotes."),
    ("found duplicate key", "This key stands twice in the same place.", "Keep one of the two."),
    ("found undefined alias", "`*` at the beginning means something else in YAML.", "Put the text in quotes."),
    ("expected ',' or ']'", "A `[` is not closed, or a text in it needs quotes.", "Quote texts with : ? , # { } [ ] and close the `]`."),
    ("expected ',' or '}'", "A `{` is not closed, or a text in it needs quotes.", "Quote texts with : ? , # { } [ ] and close the `}`."),
    ("expected <block end>", "The indentation does not fit the lines above.", "Align this line with the others of its list."),
    ("while parsing a block", "The indentation does not fit the lines above.", "Align this line with the others of its list."),
    ("unexpected end of stream", "The text ends in the middle of something: a quote or bracket is not closed.", "Close it."),
    ("while scanning a quoted scalar", "A quotation mark is not closed.", "Add the closing quotation mark."),
    ("but found another document", "A second document begins here (`---`).", "One file holds one flow: delete the `---`."),
)  # fmt: skip


def _syntax(source: Source, problem: Exception) -> None:
    """Turns a parser's words into an author's (flow-language.md: 'put this text in quotes')."""
    words = str(problem)
    place = Place(source.name)
    if isinstance(problem, MarkedYAMLError):
        mark = problem.problem_mark or problem.context_mark
        if mark is not None:
            place = _at_mark(source, mark.line, mark.column)
        words = f"{problem.context or ''} {problem.problem or ''}"
    for needle, reason, fix in _PLAIN_WORDS:
        if needle in words:
            source.report_at("yaml-syntax", place, reason, fix)
            return
    if isinstance(problem, RecursionError):
        source.report_at(
            "yaml-depth", place, "The parts are nested too deeply.", "Move some steps into a flow of their own."
        )
        return
    source.report_at(
        "yaml-syntax", place, "This cannot be read as YAML.", "Check indentation, quotes and brackets around here."
    )


def _at_mark(source: Source, line: int, column: int) -> Place:
    """The place of a mark; one behind the last line stands at that line's end."""
    if line < len(source.lines) or not source.lines:
        return Place(source.name, line + 1, column + 1)
    return Place(source.name, len(source.lines), len(source.lines[-1]) + 1)


class _Builder:
    """Makes plain data of parsed nodes and notes where everything stood."""

    def __init__(self, source: Source) -> None:
        self.source = source

    def build(self, node: Node, path: Path, depth: int) -> Any:
        here = (node.start_mark.line + 1, node.start_mark.column + 1)
        self.source.places[path] = here
        if depth > MAX_DEPTH:
            self.source.report(
                "yaml-depth", path, "The parts are nested too deeply.", "Move some steps into a flow of their own."
            )
            return None
        if getattr(node, "anchor", None):
            self.source.report(
                "yaml-anchor",
                path,
                "Anchors (`&`) and aliases (`*`) are not used here.",
                "Write the text out, or quote it.",
            )
            return None
        tag = str(node.tag or "")
        if tag and tag.removeprefix("tag:yaml.org,2002:") not in _CORE_TAGS:
            self.source.report(
                "yaml-tag", path, "A text that begins with `!` means something else in YAML.", "Put the text in quotes."
            )
            return None
        if isinstance(node, MappingNode):
            return self._mapping(node, path, depth)
        if isinstance(node, SequenceNode):
            return [self.build(one, (*path, index), depth + 1) for index, one in enumerate(node.value)]
        return self._scalar(node) if isinstance(node, ScalarNode) else None

    def _mapping(self, node: MappingNode, path: Path, depth: int) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            place = Place(self.source.name, key_node.start_mark.line + 1, key_node.start_mark.column + 1)
            if not isinstance(key_node, ScalarNode):
                self.source.report_at(
                    "yaml-key", place, "A key must be a plain word.", "Put a text with { } or [ ] in quotes."
                )
                continue
            key = str(key_node.value)
            if key == "<<":
                self.source.report_at(
                    "yaml-merge", place, "Merge keys (`<<`) are not used here.", "Write the keys out."
                )
                continue
            if key in result:
                self.source.report_at(
                    "yaml-duplicate", place, f"`{key}` stands twice in the same place.", "Keep one of the two."
                )
                continue
            self.source.keys[*path, key] = (place.line, place.column)
            result[key] = self.build(value_node, (*path, key), depth + 1)
        return result

    @staticmethod
    def _scalar(node: ScalarNode) -> Any:
        """A plain scalar by the core rules of YAML 1.2, everything quoted as text."""
        value = str(node.value)
        if node.style is not None:
            return value
        if value in _NULLS:
            return None
        if value in _CORE_WORDS:
            return _CORE_WORDS[value]
        if _INTEGER.fullmatch(value) and not (len(value.lstrip("+-")) > 1 and value.lstrip("+-").startswith("0")):
            return int(value)
        if _DECIMAL.fullmatch(value):
            return float(value)
        return value
