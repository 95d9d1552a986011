"""Words: what starts a flow must not take a privacy word away, must not meet another flow, must be sayable."""

import re
from collections.abc import Sequence

from bot.engine import flow as schema
from bot.engine.linting.look import Look
from bot.engine.problem import nearest
from bot.engine.reading import Path, Source

_TAG = re.compile(r"([a-z]{2,3})(-[A-Z][a-z]{3})?(-(?:[A-Z]{2}|\d{3}))?")

_PAIRS = (
    "aaabaeafakamanarasavayazbabebgbhbibmbnbobrbscacechcocrcscucvcydadedvdzeeeleneoeseteufafffifjfofrfygagdglgngugvhahehi"
    "hohrhthuhyhziaidieigiiikioisitiujajvkakgkikjkkklkmknkokrkskukvkwkylalblglilnloltlulvmgmhmimkmlmnmrmsmtmynanbndnengnl"
    "nnnonrnvnyocojomorospapiplpsptqurmrnrorurwsascsdsesgsiskslsmsnsosqsrssstsusvswtatetgthtitktltntotrtstttwtyugukuruzve"
    "vivowawoxhyiyozazhzu"
)
TWO_LETTERS = frozenset(map("".join, zip(*[iter(_PAIRS)] * 2, strict=True)))
"""ISO 639-1. Of three-letter codes only the form is checked."""


def check(look: Look) -> None:
    _language(look)
    for index, start in enumerate(look.flow.starts):
        for place, word in enumerate(start.words):
            _start_word(look, word, ("starts", index, "words", place))
    for step, path in look.steps:
        if not look.builtin:
            _options(look, step, path)


def _language(look: Look) -> None:
    tag = look.flow.language
    match = _TAG.fullmatch(tag)
    if match is None or (len(match[1]) == 2 and match[1] not in TWO_LETTERS):
        known = look.business.languages if look.business is not None else ("en",)
        look.error("unknown-language", ("language",), f"`{tag}` is not a language tag.", nearest(tag, known))


def _start_word(look: Look, word: str, path: Path) -> None:
    if not word.strip():
        look.error("word-empty", path, "This start word is empty.", "Write a word, or take the line out.")
    elif word.strip().isdigit():
        reason = f"`{word}` is only digits; people write numbers as answers and in lists."
        look.error("word-digits", path, reason, "Add a word to it.")
    elif (meaning := look.project.meaning(word)) and not (look.builtin and meaning == "help"):
        reason = f"`{word}` means `{meaning}` to the privacy intents, which always win: it would never start this flow."
        look.error("word-reserved", path, reason, "Use another word.")


def _options(look: Look, step: schema.StepBase, path: Path) -> None:
    """decisions.md 4: an option that says a stop word must do what it says."""
    for key, option in getattr(step, "options", {}).items():
        said = [option.label, *option.words]
        stops = any(look.project.meaning(word) == "stop" for word in said)
        does = {schema.verb_of(one) for one in option.then} & {"withdraw", "stop"}
        if stops and not does:
            reason = f"`{option.label}` says stop, but choosing it withdraws nothing (GDPR art. 7(3))."
            look.error("option-stop", (*path, "options", key), reason, "Add `withdraw: all`, or use another word.")


def start_clashes(flows: Sequence[tuple[schema.Flow, Source]]) -> None:
    """One button, link, event or template reply can start only one flow; words are told by `word-clash`."""
    owners: dict[tuple[str, str], str] = {}
    for flow, source in flows:
        for index, start in enumerate(flow.starts):
            for kind in type(start).model_fields:
                value = getattr(start, kind)
                if kind == "words" or not isinstance(value, str) or not value:
                    continue
                owner = owners.setdefault((kind, value), flow.flow)
                if owner != flow.flow:
                    reason = f"The {kind.replace('_', ' ')} `{value}` starts the flow `{owner}` already."
                    source.report("start-clash", ("starts", index, kind), reason, "Use another one.")
