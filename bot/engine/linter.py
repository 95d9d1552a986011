"""What can be wrong with a flow although it is written correctly: names that lead nowhere, texts that do not fit, missing ways on.

Each rule has a code; docs/flows/rules.md explains them. Privacy rules are errors.
"""

from collections.abc import Iterator, Mapping, Sequence

from bot.domain.business import Business, Part
from bot.engine import flow as schema
from bot.engine.expressions import ExpressionProblem, condition
from bot.engine.outcomes import OUTCOMES
from bot.engine.problem import nearest
from bot.engine.reading import Path, Source
from bot.engine.text import TextProblem, parse

BUTTON_TITLE, ROW_TITLE, BUTTONS, ROWS = 20, 24, 3, 10
"""Meta: interactive messages (whatsapp.md 3.3); characters counted as UTF-16 units, the stricter reading."""

BUTTON_BODY, TEXT_BODY = 1024, 4096
PERSON_VALUES = frozenset({
    "person.language", "person.first_contact", "person.language_asked", "answer.text", "language.name", "words.stop", "words.start",
    "business.name", "business.email", "business.phone", "business.link", "business.languages", "business.authority", "law.term",
    "dpo.email", "ticket.place",
})  # fmt: skip
ASKABLE = frozenset({
    "text", "long_text", "number", "whole_number", "money", "yes_no", "email", "choice", "date", "time", "datetime", "duration", "phone",
    "location", "image", "document", "voice",
})  # fmt: skip
"""Value types `ask` can read so far (bot.i18n.values)."""

HANDOFF_VALUES = frozenset({"place", "agent"})
"""What the lines of a handoff may say: the place in the queue, and who took over."""

BUILTIN_SETTABLE = frozenset({"person.language"})


def units(text: str) -> int:
    """Length in UTF-16 units."""
    return len(text.encode("utf-16-le")) // 2


def walk(flow: schema.Flow) -> Iterator[tuple[schema.StepBase, Path]]:
    """Every step of a flow with its path, branches included."""
    yield from _walk(flow.steps, ("steps",))
    yield from _walk(flow.idle.then, ("idle", "then"))


def _walk(steps: Sequence[schema.StepBase], path: Path) -> Iterator[tuple[schema.StepBase, Path]]:
    for index, step in enumerate(steps):
        here = (*path, index)
        yield step, here
        for name, branch in branches(step):
            yield from _walk(branch, (*here, *name))


def branches(step: schema.StepBase) -> Iterator[tuple[Path, Sequence[schema.StepBase]]]:
    """The lists of steps inside a step."""
    if isinstance(step, schema.When):
        for index, case in enumerate(step.when):
            yield ("when", index, "then"), case.then
        yield ("else",), step.otherwise
    elif isinstance(step, schema.Match):
        for key, steps in step.cases.items():
            yield ("cases", key), steps
        yield ("else",), step.otherwise
    elif isinstance(step, schema.Ask | schema.Menu):
        for key, option in step.options.items():
            yield ("options", key, "then"), option.then
    for outcome, steps in getattr(step, "outcomes", {}).items():
        yield ("outcomes", outcome), steps


def lint_business(business: Business, source: Source) -> None:
    """Rules of business.yaml that the schema cannot say."""
    known = {processor.name for processor in business.processors}
    for name, connector in business.connectors.items():
        path: Path = ("connectors", name, "processor")
        if connector.processor and connector.processor not in known:
            source.report(
                "unknown-processor",
                path,
                f"`{connector.processor}` is not among `processors`.",
                nearest(connector.processor, known),
            )
    for name, purpose in business.purposes.items():
        if purpose.basis == "consent" and purpose.sends == "marketing" and not purpose.frequency:
            reason = f"The purpose `{name}` does not say how often it sends."
            source.report(
                "no-frequency", ("purposes", name), reason, "Add `frequency`, for example `at most four times a month`."
            )


def lint_flow(
    flow: schema.Flow,
    source: Source,
    business: Business | None,
    flows: Mapping[str, schema.Flow],
    *,
    builtin: bool,
    broken: frozenset[str] = frozenset(),
) -> None:
    """Rules of names and lengths for one flow; the others stand in `bot.engine.linting`. `broken`: flows whose files have faults."""
    check = _FlowCheck(flow, source, business, {**dict.fromkeys(broken, flow), **flows}, builtin)
    check.names()
    for step, path in walk(flow):
        check.step(step, path)
    check.conditions()


def lint_together(flows: Sequence[tuple[schema.Flow, Source]]) -> None:
    """Rules between flows: names and start words that meet."""
    names: dict[str, str] = {}
    words: dict[str, str] = {}
    for flow, source in flows:
        if flow.flow in names:
            source.report(
                "duplicate-flow",
                ("flow",),
                f"`{flow.flow}` is also the name of {names[flow.flow]}.",
                "Rename one of them.",
            )
        names.setdefault(flow.flow, source.name)
        for index, start in enumerate(flow.starts):
            for place, word in enumerate(start.words):
                other = words.setdefault(word.casefold(), flow.flow)
                if other != flow.flow:
                    reason = f"`{word}` starts the flow `{other}` already."
                    source.report(
                        "word-clash", ("starts", index, "words", place), reason, "Use other words in one of them."
                    )


class _FlowCheck:
    def __init__(
        self,
        flow: schema.Flow,
        source: Source,
        business: Business | None,
        flows: Mapping[str, schema.Flow],
        builtin: bool,
    ) -> None:
        self.flow, self.source, self.business, self.flows, self.builtin = flow, source, business, flows, builtin
        self.fields = frozenset(flow.data) | frozenset(flow.inputs)
        self.ids = [step.id for step, _ in walk(flow) if step.id]

    def names(self) -> None:
        """Purpose, ids and fields are declared once and known."""
        purposes = self.business.purposes if self.business else None
        if purposes is not None and self.flow.purpose and self.flow.purpose not in purposes:
            self._unknown("unknown-purpose", ("purpose",), "purpose", self.flow.purpose, purposes)
        seen: set[str] = set()
        for step, path in walk(self.flow):
            if step.id in seen and step.id:
                self.source.report(
                    "duplicate-id", (*path, "id"), f"Two steps are called `{step.id}`.", "Rename one of them."
                )
            seen.add(step.id)
            if step.id in ("end", "unhandled"):
                self.source.report(
                    "reserved-id", (*path, "id"), f"`{step.id}` has a meaning of its own.", "Choose another name."
                )
        for name, declared in self.flow.data.items():
            own = declared.purpose or self.flow.purpose
            if not own and not self.builtin:
                reason = f"Nobody can tell what `{name}` is kept for (GDPR art. 5(1)(b))."
                self.source.report("no-purpose", ("data", name), reason, "Give the flow or the field a `purpose`.")
            elif purposes is not None and declared.purpose and declared.purpose not in purposes:
                self._unknown("unknown-purpose", ("data", name, "purpose"), "purpose", declared.purpose, purposes)

    def _unknown(
        self, code: str, path: Path, what: str, word: str, known: Sequence[str] | Mapping[str, object]
    ) -> None:
        self.source.report(code, path, f"There is no {what} called `{word}`.", nearest(word, known))

    def step(self, step: schema.StepBase, path: Path) -> None:
        """The rules of one step, by its kind."""
        verb = schema.verb_of(step) or ""
        if verb in schema.PRIVACY_VERBS and not self.builtin:
            reason = f"`{verb}` may only stand in the built-in flows under flows/privacy/."
            self.source.report("privacy-verb", path, reason, "Use `withdraw`, or let the built-in flow do it.")
        for outcome in getattr(step, "outcomes", {}):
            if outcome not in OUTCOMES[verb].all:
                fix = nearest(outcome, OUTCOMES[verb].all)
                self.source.report(
                    "unknown-outcome",
                    (*path, "outcomes", outcome),
                    f"`{verb}` has no outcome `{outcome}`.",
                    fix,
                    key=True,
                )
        rule = getattr(self, f"_{verb}", None)
        if rule is not None:
            rule(step, path)
        for name, text in texts_of(step):
            self.text(text, (*path, *name))

    def text(self, text: str, path: Path) -> None:
        """A text fits WhatsApp and fills in only what is declared."""
        try:
            parsed = parse(text)
        except TextProblem as problem:
            self.source.report(
                "text-blank", path, f"This text cannot be filled in: {problem}.", "Write {field} or {field|date}."
            )
            return
        for name in sorted(parsed.names):
            head = name.split(".")[0]
            if name in self.fields or name in PERSON_VALUES:
                if name in self.flow.data and self.flow.data[name].sensitive:
                    self.source.report(
                        "sensitive-shown",
                        path,
                        f"`{name}` is sensitive and would be shown here.",
                        "Leave it out of the text.",
                    )
                continue
            if head not in self.fields and not (name in HANDOFF_VALUES and "texts" in path):
                self._unknown("unknown-field", path, "field", name, [*self.fields, *PERSON_VALUES])
        if units(text) > TEXT_BODY:
            self.source.report(
                "text-long", path, f"This text has {units(text)} characters; WhatsApp takes {TEXT_BODY}.", "Shorten it."
            )

    def _options(self, options: schema.Options, path: Path) -> None:
        limit, kind = (BUTTON_TITLE, "button") if len(options) <= BUTTONS else (ROW_TITLE, "list row")
        if len(options) > ROWS:
            self.source.report(
                "options-many",
                (*path, "options"),
                f"There are {len(options)} options; a list holds {ROWS}.",
                "Split the question.",
            )
        labels: dict[str, str] = {}
        for key, option in options.items():
            where = (*path, "options", key)
            if units(option.label) > limit:
                reason = f"This label has {units(option.label)} characters; a {kind} holds {limit}."
                self.source.report("label-long", where, reason, "Shorten it.")
            if option.label.casefold() in labels:
                self.source.report(
                    "label-twice",
                    where,
                    f"`{labels[option.label.casefold()]}` has the same label.",
                    "Change one of them.",
                )
            labels[option.label.casefold()] = key
            if option.run and option.run not in self.flows:
                self._unknown("unknown-flow", (*where, "run"), "flow", option.run, self.flows)

    def _ask(self, step: schema.Ask, path: Path) -> None:
        self._options(step.options, path)
        if step.into and step.into not in self.fields:
            self._unknown("unknown-field", (*path, "into"), "field", step.into, list(self.flow.data))
        elif not step.into:
            self.source.report("no-into", path, "The answer is kept nowhere.", "Add `into: <field>`, or use `menu`.")

        declared = self.flow.data.get(step.into)
        if declared is not None and declared.type not in ASKABLE:
            reason = f"A value of the type `{declared.type}` cannot be asked for yet."
            self.source.report("type-later", (*path, "into"), reason, f"Known here: {', '.join(sorted(ASKABLE))}.")

    def _menu(self, step: schema.Menu, path: Path) -> None:
        self._options(step.options, path)

    def _match(self, step: schema.Match, path: Path) -> None:
        if step.match not in self.fields:
            self._unknown("unknown-field", (*path, "match"), "field", step.match, list(self.fields))

    def _go(self, step: schema.Go, path: Path) -> None:
        if step.go not in self.ids:
            self._unknown("unknown-step", (*path, "go"), "step", step.go, self.ids)
        elif step.at_most is None and self._comes_before(step.go, path):
            self.source.report("unbounded-jump", path, "This goes backwards without a bound.", "Add `at_most: 3`.")

    def _comes_before(self, name: str, path: Path) -> bool:
        order = [here for step, here in walk(self.flow) if step.id == name or here == path]
        return bool(order) and (order[0] != path or len(order) == 1)

    def _run(self, step: schema.Run, path: Path) -> None:
        if step.run not in self.flows:
            self._unknown("unknown-flow", (*path, "run"), "flow", step.run, self.flows)

    def _call(self, step: schema.Call, path: Path) -> None:
        if self.business is None:
            return
        connector, _, action = step.call.partition(".")
        known = {
            f"{name}.{one}": found
            for name, declared in self.business.connectors.items()
            for one, found in declared.actions.items()
        }
        declared = known.get(f"{connector}.{action}")
        if declared is None:
            self._unknown("unknown-action", (*path, "call"), "connector action", step.call, list(known))
            return
        for name in step.with_:
            if name not in declared.send:
                self._unknown(
                    "field-not-sent", (*path, "with", name), "field this action may be sent", name, declared.send
                )
        for name, field in step.save.items():
            if name not in self.fields:
                self._unknown("unknown-field", (*path, "save", name), "field", name, list(self.flow.data))
            if field not in declared.receive:
                self._unknown(
                    "field-not-kept", (*path, "save", name), "field this action may keep", field, declared.receive
                )
        if "failed" not in step.outcomes:
            self.source.report(
                "failed-open",
                path,
                "Nothing is said when the system does not answer.",
                "Add `outcomes: {failed: …}`.",
                severity="warning",
            )

    def _consent(self, step: schema.ConsentStep, path: Path) -> None:
        if self.business is None:
            return
        purpose = self.business.purposes.get(step.consent)
        if purpose is None:
            self._unknown("unknown-purpose", (*path, "consent"), "purpose", step.consent, self.business.purposes)
            return
        if purpose.double and step.double is None:
            self.source.report(
                "consent-single", path, f"`{step.consent}` needs a second yes.", "Add `double: {ask: …}`."
            )
        if self.business.name.casefold() not in step.ask.casefold() and "{business.name}" not in step.ask:
            reason = "The question does not name the business (Meta's opt-in rule; GDPR art. 4(11))."
            self.source.report("consent-nameless", (*path, "ask"), reason, f"Write {self.business.name} into it.")
        self._labels(step, path, ("yes_label", "no_label"))
        if step.double is not None:
            self._labels(step.double, (*path, "double"), ("yes_label", "no_label"))
        if units(step.ask) > BUTTON_BODY:
            self.source.report(
                "text-long", (*path, "ask"), f"A text with buttons holds {BUTTON_BODY} characters.", "Shorten it."
            )

    def _labels(self, part: Part, path: Path, names: tuple[str, ...]) -> None:
        """Buttons that stand side by side: not empty, short enough, and not the same (Meta refuses the whole message otherwise)."""
        seen: set[str] = set()
        for name in names:
            label = str(getattr(part, name)).strip()
            if not label:
                self.source.report(
                    "label-empty", (*path, name), "This button has no text.", "Write what a tap on it says."
                )
            elif units(label) > BUTTON_TITLE:
                reason = f"This label has {units(label)} characters; a button holds {BUTTON_TITLE}."
                self.source.report("label-long", (*path, name), reason, "Shorten it.")
            elif label.casefold() in seen:
                self.source.report("label-twice", (*path, name), f"Two buttons say `{label}`.", "Change one of them.")
            seen.add(label.casefold())

    def _my_data(self, step: schema.MyData, path: Path) -> None:
        if step.my_data == "delete":
            self._labels(step, path, ("yes_label", "no_label"))
            self._labels(step, path, ("confirm_label", "no_label"))

    def _withdraw(self, step: schema.Withdraw, path: Path) -> None:
        if self.business is not None and step.withdraw not in (*self.business.purposes, "all", "marketing"):
            self._unknown("unknown-purpose", (*path, "withdraw"), "purpose", step.withdraw, self.business.purposes)

    def _handoff(self, step: schema.Handoff, path: Path) -> None:
        details = step.handoff
        if self.business is not None and details.team not in self.business.teams:
            self._unknown("unknown-team", (*path, "handoff", "team"), "team", details.team, self.business.teams)
        for index, name in enumerate(details.share):
            where = (*path, "handoff", "share", index)
            if name not in self.fields:
                self._unknown("unknown-field", where, "field", name, list(self.flow.data))
            elif name in self.flow.data and self.flow.data[name].sensitive:
                self.source.report(
                    "sensitive-shared",
                    where,
                    f"`{name}` is sensitive and may not be shared.",
                    "Take it out of `share`.",
                )

    def _send(self, step: schema.SendStep, path: Path) -> None:
        if self.business is not None and step.send not in self.business.templates:
            self._unknown("unknown-template", (*path, "send"), "template", step.send, self.business.templates)

    def _set(self, step: schema.Set, path: Path) -> None:
        for name, value in step.set.items():
            targets = value if name == "clear" and isinstance(value, list) else [value if name == "count up" else name]
            if name in ("add to", "remove from"):
                targets = list(value) if isinstance(value, dict) else []
            for target in targets:
                if target in self.fields or (self.builtin and target in BUILTIN_SETTABLE):
                    continue
                self._unknown("unknown-field", (*path, "set", name), "field", str(target), list(self.flow.data))

    def conditions(self) -> None:
        """Every condition can be parsed and names only what exists."""
        for source, path in conditions_of(self.flow):
            try:
                parsed = condition(source, self.fields)
            except ExpressionProblem as problem:
                fix = (
                    nearest(problem.word, [*self.fields, "is", "known", "empty", "between", "consent"])
                    if problem.word
                    else ""
                )
                self.source.report(
                    "condition", path, f"This condition cannot be read at column {problem.column}: {problem}.", fix
                )
                continue
            for purpose in parsed.purposes:
                if self.business is not None and purpose not in self.business.purposes:
                    self._unknown("unknown-purpose", path, "purpose", purpose, self.business.purposes)
            for team in parsed.teams:
                if self.business is not None and team not in self.business.teams:
                    self._unknown("unknown-team", path, "team", team, self.business.teams)


def conditions_of(flow: schema.Flow) -> Iterator[tuple[str, Path]]:
    """Every condition of a flow with its place."""
    if flow.only_if:
        yield flow.only_if, ("only_if",)
    for step, path in walk(flow):
        if isinstance(step, schema.When):
            for index, case in enumerate(step.when):
                yield case.condition, (*path, "when", index, "if")
        if isinstance(step, schema.Ask):
            for index, check in enumerate(step.check):
                yield check.rule, (*path, "check", index, "rule")
        for key, option in getattr(step, "options", {}).items():
            if option.when:
                yield option.when, (*path, "options", key, "when")


def texts_of(step: schema.StepBase) -> Iterator[tuple[Path, str]]:
    """Every text of one step that a person may get, with its place; the extractor of catalogs reads these too."""
    for name in (
        "say",
        "ask",
        "hint",
        "explain",
        "menu",
        "confirm",
        "yes_label",
        "confirm_label",
        "no_label",
        "begun",
        "receipt",
        "end",
    ):
        text = getattr(step, name, None)
        if isinstance(text, str) and text:
            yield (name,), text
    if isinstance(step, schema.Say) and step.link_button:
        yield ("link_button", "label"), step.link_button.label
    for key, option in getattr(step, "options", {}).items():
        yield ("options", key), option.label
        if option.description:
            yield ("options", key, "description"), option.description
    for index, check in enumerate(getattr(step, "check", ())):
        yield ("check", index, "else"), check.otherwise
    double = getattr(step, "double", None)
    if isinstance(double, schema.Double):
        for name in ("ask", "yes_label", "no_label"):
            yield ("double", name), getattr(double, name)
    if isinstance(step, schema.Handoff):
        for name, text in step.handoff.texts:
            if text:
                yield ("handoff", "texts", name), text
        if step.handoff.about:
            yield ("handoff", "about"), step.handoff.about
