"""Pictures of a flow, made from its compiled machine: Mermaid text, and an SVG whose layout is the author's own list.

One row a step, in the order of the file; a branch stands one column to the right of the step it belongs to. So no line ever
crosses a step, and a flow of any length keeps its width. Pure: text in, text out; every word of a flow is escaped.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from bot.engine import flow as schema
from bot.engine.compiler import CompiledFlow, Node
from bot.engine.linter import texts_of
from bot.engine.outcomes import END, OUTCOMES, UNHANDLED

WIDTH = 1240
"""Fits a page of 1280 pixels with its margins."""

BOX, HEIGHT, ROW, TRUNK, TOP = 330, 44, 76, 16, 60
INDENT_MOST = 120
LETTERS = 46
"""Letters of a text that fit a box."""


@dataclass(frozen=True, slots=True)
class Step:
    """One box."""

    state: str
    verb: str
    words: str
    depth: int
    row: int
    system: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Way:
    """One line: `branch` hangs a step below another, `next` goes on in the same column, `back` leaves a branch, `jump` is a `go`."""

    start: str
    to: str
    label: str
    kind: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A flow as rows and lines."""

    flow: str
    title: str
    steps: Sequence[Step]
    ways: Sequence[Way]


def picture(flow: CompiledFlow) -> Picture:
    """What is drawn of a flow: every step, and every outcome that leads to one."""
    order = list(
        flow.nodes.values()
    )  # the compiler puts them in as they stand in the file, each followed by its branches
    rows = {node.state: row for row, node in enumerate(order)}
    depths = {node.state: _depth(node) for node in order}
    steps = [
        Step(node.state, node.verb, _words(node), depths[node.state], rows[node.state], _left_to_system(flow, node))
        for node in order
    ]
    ways: dict[tuple[str, str, str], list[str]] = {}
    for outcome, state, to in flow.machine.moves:
        if to in rows and not _silent(flow.nodes[state], outcome):
            kind = _kind(flow.nodes[state], outcome, state, to, depths, rows)
            ways.setdefault((state, to, kind), []).append(_label(flow.nodes[state], outcome))
    made = [
        Way(state, to, ", ".join(filter(None, dict.fromkeys(labels))), kind)
        for (state, to, kind), labels in ways.items()
    ]
    return Picture(flow.id, flow.flow.title, steps, made)


def _depth(node: Node) -> int:
    return sum(isinstance(part, int) for part in node.path) - 1 - node.path.count("when")


def _words(node: Node) -> str:
    """What a step says, or what it names."""
    for _, text in texts_of(node.step):
        return " ".join(text.split())
    value = getattr(node.step, node.verb, "")
    named = getattr(value, "team", value)
    return " ".join(str(named).split()) if isinstance(named, str | int) else ""


def _left_to_system(flow: CompiledFlow, node: Node) -> tuple[str, ...]:
    """Outcomes the author left out, which the built-in flows answer."""
    return tuple(outcome for outcome, state, to in flow.machine.moves if state == node.state and to == UNHANDLED)


def _silent(node: Node, outcome: str) -> bool:
    """Ways that cannot be taken: a question nobody may skip, an answer whose options all branch."""
    options = getattr(node.step, "options", {})
    branches = bool(options) and all(option.then or option.run for option in options.values())
    skipped = outcome == "skipped" and not getattr(node.step, "optional", False)
    return skipped or (branches and outcome == OUTCOMES[node.verb].main)


def _kind(node: Node, outcome: str, state: str, to: str, depths: Mapping[str, int], rows: Mapping[str, int]) -> str:
    if outcome == "going":
        return "jump"
    if depths[to] > depths[state]:
        return "branch"
    del node
    return "next" if depths[to] == depths[state] and rows[to] > rows[state] else "back"


def _label(node: Node, outcome: str) -> str:
    """What an outcome is called in the picture; the main one needs no name."""
    kind, _, key = outcome.partition(":")
    if kind == "answered" and key:
        return str(node.step.options[key].label) if isinstance(node.step, schema.Ask | schema.Menu) else key
    if kind == "case":
        return str(node.step.when[int(key)].condition) if isinstance(node.step, schema.When) else f"is {key}"
    return "" if outcome in (OUTCOMES[node.verb].main, "going") and outcome != "else" else outcome


def mermaid(flow: CompiledFlow) -> str:
    """A Mermaid flowchart of the machine; GitHub and most editors draw it."""
    drawn = picture(flow)
    names = {step.state: f"s{step.row}" for step in drawn.steps}
    lines = ["flowchart TD", f"    start([{_quoted(drawn.title)}]) --> {names.get(flow.start, 'stop')}"]
    for step in drawn.steps:
        left, right = (
            ("([", "])") if step.verb == "end" else ("{", "}") if step.verb in ("when", "match") else ("[", "]")
        )
        lines.append(f"    {names[step.state]}{left}{_quoted(_said(step))}{right}")
    for way in drawn.ways:
        label = f"|{_quoted(_cut(way.label))}|" if way.label else ""
        lines.append(f"    {names[way.start]} {'-.->' if way.kind == 'jump' else '-->'}{label} {names[way.to]}")
    ends = dict.fromkeys(state for _, state, to in flow.machine.moves if to == END)
    lines += [f"    {names[state]} --> stop" for state in ends]
    lines.append("    stop([end])")
    return "\n".join(lines) + "\n"


def _said(step: Step) -> str:
    return f"{step.verb}: {_cut(step.words)}" if step.words else step.verb


def _quoted(words: str) -> str:
    """A text Mermaid reads as words whatever stands in it."""
    safe = "".join(
        one if one.isalnum() or one in " .,:;!?-_'/()%+=" or ord(one) > 127 else f"#{ord(one)};" for one in words
    )
    return f'"{safe}"'


def _cut(words: str, most: int = LETTERS) -> str:
    return words if len(words) <= most else words[: most - 1].rstrip() + "…"


def svg(flow: CompiledFlow) -> str:
    """The picture as SVG, at most `WIDTH` wide. It loads nothing and runs nothing."""
    drawn = picture(flow)
    deepest = max((step.depth for step in drawn.steps), default=0)
    jumps = [way for way in drawn.ways if way.kind == "jump"]
    lanes = 24 + 12 * min(len(jumps), 8)
    indent = min(INDENT_MOST, (WIDTH - 20 - BOX - lanes) // max(deepest, 1))
    placed = {step.state: (20 + step.depth * indent, TOP + step.row * ROW) for step in drawn.steps}
    height = TOP + len(drawn.steps) * ROW + 10
    width = max((x + BOX for x, _ in placed.values()), default=BOX) + lanes
    parts = [_line(way, placed) for way in drawn.ways if way.kind != "jump"]
    parts += [_jump(way, placed, width - lanes + 14 + 12 * (index % 8)) for index, way in enumerate(jumps)]
    parts += [_box(step, placed[step.state]) for step in drawn.steps]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        f'aria-label="{escape(drawn.title)}">'
    )
    marker = (
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0 8 4 0 8z" class="tip"/></marker></defs>'
    )
    title = f'<text x="20" y="30" class="title">{escape(drawn.title)}</text>'
    return f"{head}<style>{STYLE}</style>{marker}{title}{''.join(parts)}</svg>\n"


def _line(way: Way, placed: Mapping[str, tuple[int, int]]) -> str:
    (x, y), (to_x, to_y) = placed[way.start], placed[way.to]
    if way.kind == "branch":
        path = f"M{x + TRUNK} {y + HEIGHT}V{to_y + HEIGHT // 2}H{to_x}"
        label = f'<text x="{to_x + 4}" y="{to_y - 6}" class="way">{escape(_cut(way.label))}</text>'
    elif way.kind == "next":
        path = f"M{x + TRUNK} {y + HEIGHT}V{to_y}"
        label = f'<text x="{x + TRUNK + 6}" y="{to_y - 6}" class="way">{escape(_cut(way.label))}</text>'
    else:
        side = x - 10
        path = f"M{x + TRUNK} {y + HEIGHT}v8H{side}V{to_y - 14}H{to_x + TRUNK + 12}V{to_y}"
        label = ""
    return f'<path d="{path}" class="{way.kind}" marker-end="url(#tip)"/>{label}'


def _jump(way: Way, placed: Mapping[str, tuple[int, int]], lane: int) -> str:
    (x, y), (to_x, to_y) = placed[way.start], placed[way.to]
    path = f"M{x + BOX} {y + HEIGHT // 2}H{lane}V{to_y + HEIGHT // 2}H{to_x + BOX}"
    return f'<path d="{path}" class="jump" marker-end="url(#tip)"/>'


def _box(step: Step, at: tuple[int, int]) -> str:
    x, y = at
    named = "" if step.state[:1].isdigit() or "." in step.state else f" · {step.state}"
    system = f"<title>Left to Recado: {escape(', '.join(step.system))}</title>" if step.system else ""
    kind = (
        "end"
        if step.verb == "end"
        else "choice"
        if step.verb in ("when", "match", "menu", "ask", "consent")
        else "plain"
    )
    words = escape(_cut(step.words))
    return (
        f'<g>{system}<rect x="{x}" y="{y}" width="{BOX}" height="{HEIGHT}" rx="{22 if kind == "end" else 8}" class="box {kind}"/>'
        f'<text x="{x + 12}" y="{y + 18}" class="verb">{escape(step.verb + named)}</text>'
        f'<text x="{x + 12}" y="{y + 35}" class="words">{words}</text></g>'
    )


STYLE = (
    "text{font-family:system-ui,sans-serif;fill:#16202a}.title{font-size:20px;font-weight:700}.verb{font-size:13px;font-weight:700}"
    ".words{font-size:12px}.way{font-size:12px;font-style:italic;fill:#0b5c4b}.box{stroke:#5b6b78;stroke-width:1.2;fill:#fff}"
    ".choice{fill:#eaf3ff}.end{fill:#e9ecef}path{fill:none;stroke:#5b6b78;stroke-width:1.4}.tip{fill:#5b6b78;stroke:none}"
    ".jump{stroke:#a33b00;stroke-dasharray:5 4}.back{stroke:#8a97a3}"
)


def page(flow: CompiledFlow) -> str:
    """The picture as a page of its own. Its policy forbids every request, so nobody learns that it was opened."""
    title = escape(flow.flow.title)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>body{{margin:0;padding:12px;background:#fff;font-family:system-ui,sans-serif}}"
        "main{overflow-x:auto}pre{overflow-x:auto}</style></head><body>"
        f"<main>{svg(flow)}</main><p>Dashed: a jump. Outcomes without a line are answered by Recado.</p>"
        f"<details><summary>Mermaid</summary><pre>{escape(mermaid(flow))}</pre></details></body></html>\n"
    )
