"""Rules of the templates in business.yaml: what Meta would refuse, and what a person must be able to do about an advertisement.

Source: Meta: message-templates/components; lengths in UTF-16 units. Asks nobody; what Meta has approved is for `recado templates`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from bot.domain.business import Business, Template
from bot.domain.template_text import are_named, meta_language, values_of
from bot.engine.linter import units
from bot.engine.reading import Path, Source

BODY, HEADER, FOOTER, LABEL, NAME, ADDRESS, BUTTONS, ON_DESKTOP = 1024, 60, 60, 25, 512, 2000, 10, 3
STOPS = "recado:stop:"
_NAME = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_")
_DAYS_30 = timedelta(days=30)
LIVES: Mapping[str, tuple[timedelta, timedelta]] = {
    "authentication": (timedelta(seconds=30), timedelta(seconds=900)),
    "utility": (timedelta(seconds=30), timedelta(seconds=43_200)),
    "marketing": (timedelta(seconds=43_200), _DAYS_30),
}
"""Category to the shortest and longest time Meta tries to deliver (Meta: message templates, time to live)."""


def check_templates(business: Business, source: Source, meaning: Callable[[str], str]) -> None:
    """Reports everything wrong with the declared templates. `meaning` says whether a word is one that stops messages."""
    for name, template in business.templates.items():
        one = _Check(name, template, business, source, meaning)
        one.name_fits()
        one.lengths()
        one.values()
        one.buttons()
        one.languages()
        one.category()
        one.way_out()


@dataclass
class _Check:
    name: str
    template: Template
    business: Business
    source: Source
    meaning: Callable[[str], str]

    def error(self, code: str, path: Path, reason: str, fix: str, severity: str = "error") -> None:
        self.source.report(code, ("templates", self.name, *path), reason, fix, severity=severity)

    def name_fits(self) -> None:
        if not set(self.name) <= _NAME or len(self.name) > NAME:
            reason = f"Meta takes names of small letters, digits and `_`, up to {NAME} of them."
            self.error("template-name", (), reason, "Rename it, for example `order_sent`.")

    def _texts(self) -> Iterator[tuple[Path, str, int]]:
        declared = self.template
        for part, texts, most in (
            ("languages", declared.languages, BODY), ("header", declared.header, HEADER), ("footer", declared.footer, FOOTER),
        ):  # fmt: skip
            for language, text in texts.items():
                yield (part, language), text, most
        for language, labels in declared.buttons.items():
            for index, label in enumerate(labels):
                yield ("buttons", language, index), label, LABEL
        if declared.link is not None:
            yield ("link", "address"), declared.link.address, ADDRESS
            for language, label in declared.link.label.items():
                yield ("link", "label", language), label, LABEL

    def lengths(self) -> None:
        for path, text, most in self._texts():
            if not 1 <= units(text) <= most:
                reason = f"This has {units(text)} characters; Meta takes 1 to {most} here."
                self.error("template-long", path, reason, "Shorten it." if text else "Write a text.")

    def values(self) -> None:
        """Numbered from 1 or named, the same in each language, in the body alone, each with a sample."""
        first = values_of(next(iter(self.template.languages.values())))
        for path, text, _ in self._texts():
            found = values_of(text)
            if path[0] != "languages":
                if found:
                    self.error("template-value", path, "A value can stand in the body only.", "Move it there.")
                continue
            if set(found) != set(first):
                reason = "The languages of this template do not hold the same values."
                self.error("template-value", path, reason, "Use the same `{{…}}` in each language.")
            elif are_named(found) and any(one.isdecimal() for one in found):
                self.error("template-value", path, "Values are either all numbered or all named.", "Choose one way.")
            elif found and not are_named(found) and found != tuple(str(n + 1) for n in range(len(found))):
                self.error(
                    "template-value", path, "Numbered values begin with {{1}} and leave none out.", "Number anew."
                )
            self._edges(path, text)
        if self.template.samples and len(self.template.samples) != len(first):
            reason = f"There are {len(self.template.samples)} samples for {len(first)} values."
            self.error("template-sample", ("samples",), reason, "Write one invented sample for each value.")
        elif first and not self.template.samples:
            reason = "Meta reviews a template with an example for each value; there is none."
            self.error("template-sample", (), reason, "Add `samples`, invented ones.", "warning")

    def _edges(self, path: Path, text: str) -> None:
        bare = text.strip()
        if bare.startswith("{{") or bare.endswith("}}"):
            reason = "Meta refuses templates whose body begins or ends with a value."
            self.error("template-edge", path, reason, "Put words or a full stop around it.", "warning")

    def buttons(self) -> None:
        declared = self.template
        most = BUTTONS - (declared.link is not None)
        if declared.payloads and not declared.buttons:
            self.error("template-buttons", ("payloads",), "There are payloads but no buttons.", "Add `buttons`.")
        for language, labels in declared.buttons.items():
            path: Path = ("buttons", language)
            if len(labels) > most:
                self.error("template-buttons", path, f"Meta takes {BUTTONS} buttons in all.", "Take some away.")
            elif len(set(labels)) < len(labels):
                self.error("template-buttons", path, "Two buttons say the same.", "Give each words of its own.")
            elif len(labels) != len(declared.payloads):
                reason = f"{len(labels)} buttons, but {len(declared.payloads)} `payloads`."
                self.error("template-buttons", path, reason, "Give each button what it sends back.")
            elif len(labels) + (declared.link is not None) > ON_DESKTOP:
                reason = "More than three buttons are not shown on computers."
                self.error("template-buttons", path, reason, "Keep to three where you can.", "warning")

    def languages(self) -> None:
        declared = self.template
        for language in declared.languages:
            if not meta_language(language):
                reason = f"Meta takes no templates in `{language}`."
                self.error(
                    "template-tongue", ("languages", language), reason, "Leave it out; another language is sent."
                )
        parts: list[tuple[str, Mapping[str, object]]] = [
            ("header", declared.header), ("footer", declared.footer), ("buttons", declared.buttons),
        ]  # fmt: skip
        if declared.link is not None:
            parts.append(("link", declared.link.label))
        for part, texts in parts:
            missing = sorted(set(declared.languages) - set(texts))
            if texts and missing:
                reason = f"`{part}` is not there in {', '.join(missing)}."
                self.error("template-tongue", (part,), reason, "Write it for each language of `languages`.")

    def category(self) -> None:
        declared = self.template
        purpose = self.business.purposes[declared.purpose]
        if declared.category == "marketing" and purpose.sends != "marketing":
            reason = (
                f"The template advertises, but its purpose `{declared.purpose}` does not (`sends: {purpose.sends}`)."
            )
            fix = "Give it a purpose with `sends: marketing`, whose consent the gate asks for (ePrivacy art. 13)."
            self.error("template-category", ("category",), reason, fix)
        if declared.lives is not None:
            least, most = LIVES[declared.category]
            if not least <= declared.lives <= most:
                reason = f"Meta delivers a template of this category for {_seconds(least)} to {_seconds(most)} seconds."
                self.error("template-lives", ("lives",), reason, "Take a length of time between them.")

    def way_out(self) -> None:
        """Every advertisement says how to end them: by a button, or by a word that stops (GDPR art. 7(3), 21(4); ePrivacy art. 13(4))."""
        declared = self.template
        if declared.category != "marketing" or any(one.startswith(STOPS) for one in declared.payloads):
            return
        for language, body in declared.languages.items():
            words = f"{body} {declared.footer.get(language, '')}".split()
            if not any(self.meaning(one.strip(".,:;!?\"'()«»")) == "stop" for one in words):
                reason = f"Nothing in this advertisement says in `{language}` how to end them."
                fix = f"Add a button with the payload `{STOPS}{declared.purpose}`, or `Write STOP to unsubscribe` in `footer`."
                self.error("template-way-out", ("languages", language), reason, fix)


def _seconds(length: timedelta) -> str:
    return f"{int(length.total_seconds()):,}"
