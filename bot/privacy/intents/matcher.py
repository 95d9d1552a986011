"""From a message to its intent: whole-message keywords of all languages first, then phrases inside it, then near spellings."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from importlib import resources

from bot.domain.intent import Decision, Intent
from bot.privacy.intents import grammar
from bot.privacy.intents.normalise import flat, keyed, latin, signs, squeezed, tokens

FLAGS = (
    "erase",
    "access",
    "rectify",
    "restrict",
    "object",
    "start",
    "help",
    "privacy",
    "agent",
    "complaint",
    "language",
)
CANCELLING = frozenset({"cancel", "end", "quit", "cancelar", "fin", "fim"})
"""Words that end a flow while one is open, and stop otherwise (decisions.md 5)."""


@dataclass(frozen=True, slots=True)
class _Data:
    """All languages, merged for looking up: phrase to what it means where."""

    whole: Mapping[str, tuple[tuple[str, str], ...]]
    inside: Mapping[str, str]
    longest: int
    polite: frozenset[str]
    own_names: Mapping[str, str]
    answers: Mapping[str, Mapping[str, str]]
    version: str
    phrases: grammar.Phrases = field(default_factory=grammar.Phrases)
    near: Mapping[int, tuple[str, ...]] = field(default_factory=dict)


@lru_cache(maxsize=1)
def _data() -> _Data:
    whole: dict[str, list[tuple[str, str]]] = {}
    inside: dict[str, str] = {}
    polite: set[str] = set()
    own_names: dict[str, str] = {}
    answers: dict[str, dict[str, str]] = {}
    grammars: dict[str, Mapping[str, Sequence[str]]] = {}
    digest = sha256()
    for file in sorted(
        resources.files("bot.privacy.intents").joinpath("languages").iterdir(), key=lambda one: one.name
    ):
        if not file.name.endswith(".toml"):
            continue
        code, content = file.name.removesuffix(".toml"), file.read_bytes()
        digest.update(content)
        table = tomllib.loads(content.decode())
        grammars[code] = table.get("grammar", {})
        for meaning in ("stop", "ask", *FLAGS):
            for phrase in table.get(meaning, ()):
                whole.setdefault(keyed(phrase), []).append((code, meaning))
        for meaning in (
            "sentences",
            "marketing",
            "negations",
            *(flag for flag in FLAGS if flag not in ("start", "help", "language", "privacy", "agent")),
        ):
            for phrase in table.get(meaning, ()):
                key = keyed(phrase)
                if " " in key:
                    inside[key] = meaning
        polite.update(keyed(word) for word in table.get("polite", ()))
        own_names.update({keyed(word): code for word in table.get("own_name", ())})
        answers[code] = {keyed(word): meaning for meaning in ("yes", "no") for word in table.get(meaning, ())}
        for role, meaning in (("agree", "yes"), ("decline", "no")):
            answers[code] |= {keyed(word): meaning for word in grammars[code].get(role, ())}
    longest = max(len(key.split()) for key in inside)
    near: dict[int, list[str]] = {}
    for key, meanings in whole.items():
        if " " not in key and any(meaning == "stop" for _, meaning in meanings):
            near.setdefault(len(key), []).append(key)
    return _Data(
        {key: tuple(rows) for key, rows in whole.items()}, inside, longest, frozenset(polite), own_names, answers,
        digest.hexdigest()[:12], grammar.phrases_of(grammars, lambda text: tokens(flat(text))),
        {size: tuple(words) for size, words in near.items()},
    )  # fmt: skip


def _codes() -> tuple[str, ...]:
    files = resources.files("bot.privacy.intents").joinpath("languages").iterdir()
    return tuple(sorted({*(one.name.removesuffix(".toml") for one in files if one.name.endswith(".toml")), "pt-BR"}))


LANGUAGES = _codes()
"""The languages whose wishes are understood, always all of them (decisions.md 5)."""


def stop_word(language: str) -> str:
    """The word told to people for stopping; the same everywhere, because it is understood everywhere."""
    return {"tr": "RET", "ar": "توقف", "ru": "СТОП", "uk": "СТОП", "bg": "СТОП", "el": "STOP"}.get(
        _base(language), "STOP"
    )


def start_word(language: str) -> str:
    """The word told to people for coming back."""
    return {
        "pt": "INICIAR",
        "es": "ALTA",
        "ar": "ابدأ",
        "ru": "СТАРТ",
        "uk": "СТАРТ",
        "bg": "СТАРТ",
        "tr": "BAŞLAT",
    }.get(_base(language), "START")


def _base(language: str | None) -> str:
    return (language or "").replace("_", "-").split("-", maxsplit=1)[0].casefold()


def understand(
    text: str,
    *,
    language: str | None = None,
    flow_open: bool = False,
    purposes: Mapping[str, Sequence[str]] | None = None,
) -> Intent:
    """Reads one message.

    Args:
        text: what the person wrote, or the title of what they tapped.
        language: the person's, which only decides ties and what counts as yes and no.
        flow_open: a bare cancel, end or quit then asks instead of stopping (decisions.md 5).
        purposes: words a business gives for each of its purposes, for a stop of that purpose alone.
    """
    data = _data()
    sign = signs(text)
    if sign:
        return Intent(
            Decision.STOP if sign == "stop" else Decision.ASK,
            "all" if sign == "stop" else "unclear",
            frozenset(),
            "sign",
            data.version,
        )
    words = tokens(flat(text))
    if not words:
        return Intent(version=data.version)
    bare = _without_politeness(words, data)
    sentence = _sentence(words, data, language)
    flags, wanted = _flags(words, bare, data, language)
    flags |= sentence.flags
    decision, scope, rule = _decision(words, bare, data, sentence, flow_open=flow_open, purposes=purposes or {})
    if "erase" in flags:
        flags = flags - {"access", "rectify"}
        if decision is Decision.STOP and rule in grammar.MAY_BE_ERASURE:
            decision, scope, rule = Decision.NONE, "", ""
    if decision is Decision.ASK and rule == "keyword-cancel":
        flags = flags | {"cancel"}
    if decision is not Decision.NONE:
        flags = flags - {"help", "start", "access", "object"}
    return Intent(decision, scope, flags, rule, data.version, wanted)


def _sentence(words: list[str], data: _Data, language: str | None) -> grammar.Reading:
    """What the sentence says by the rules of the person's language and of the one most of its words belong to."""
    blocks = data.phrases.found(words)
    if not blocks:
        return grammar.NOTHING
    sizes = {code: len({block.start for block in found}) for code, found in blocks.items()}
    most = max(sizes.values())
    own = _base(language)
    chosen = sorted((code for code, size in sizes.items() if code == own or size == most), key=lambda code: code != own)
    readings = [grammar.read(blocks[code], len(words)) for code in chosen]
    if own in sizes and sizes[own] * 2 >= most:
        readings = readings[:1]
    stop = next((one for one in readings if one.stop), grammar.NOTHING)
    return grammar.Reading(stop.stop, stop.scope, stop.rule, frozenset().union(*(one.flags for one in readings)))


def _without_politeness(words: list[str], data: _Data) -> str:
    """The message without please, thanks and greetings; the whole of it where nothing else is there."""
    kept: list[str] = []
    at = 0
    while at < len(words):
        size = next((n for n in (3, 2, 1) if " ".join(words[at : at + n]) in data.polite and at + n <= len(words)), 0)
        if size:
            at += size
        else:
            kept.append(words[at])
            at += 1
    return " ".join(kept or words)


def _meanings(bare: str, data: _Data) -> tuple[str, ...]:
    """The meanings of a whole message: as it is, in Latin look-alikes, without repeated letters, with its letters joined."""
    pieces = bare.split()
    joined = "".join(pieces) if len(pieces) > 1 and all(len(piece) == 1 for piece in pieces) else ""
    for form in (bare, latin(bare), squeezed(bare), joined):
        found = data.whole.get(form)
        if found:
            return tuple(meaning for _, meaning in found)
    return ()


def _flags(words: list[str], bare: str, data: _Data, language: str | None) -> tuple[frozenset[str], str | None]:
    flags = {meaning for meaning in _meanings(bare, data) if meaning in FLAGS}
    flags |= {meaning for meaning in _inside(words, data) if meaning in FLAGS}
    wanted = next(
        (data.own_names[part] for part in (bare, *words[:6]) if part in data.own_names and len(words) <= 6), None
    )
    if wanted:
        flags.add("language")
    answer = data.answers.get(_base(language), {}).get(bare)
    if answer:
        flags.add(answer)
    if "erase" in flags:
        flags.discard("access")
    return frozenset(flags), wanted


def _inside(words: list[str], data: _Data) -> list[str]:
    """The meanings of phrases inside a message, each looked up by its words; bounded by the longest phrase."""
    found: list[str] = []
    for at in range(len(words)):
        for size in range(2, min(data.longest, len(words) - at) + 1):
            meaning = data.inside.get(" ".join(words[at : at + size]))
            if meaning:
                found.append(meaning)
    return found


def _decision(
    words: list[str],
    bare: str,
    data: _Data,
    sentence: grammar.Reading,
    *,
    flow_open: bool,
    purposes: Mapping[str, Sequence[str]],
) -> tuple[Decision, str, str]:
    meanings = _meanings(bare, data)
    if "stop" in meanings:
        if flow_open and bare in CANCELLING:
            return Decision.ASK, "unclear", "keyword-cancel"
        return Decision.STOP, "all", "keyword"
    phrases = _inside(words, data)
    if "negations" in phrases:
        return Decision.NONE, "", ""
    if "marketing" in phrases:
        return Decision.STOP, _purpose(words, purposes) or "marketing", "sentence-marketing"
    if "sentences" in phrases:
        return Decision.STOP, "all", "sentence"
    first = data.whole.get(words[0], ())
    if ("erase" in phrases or "erase" in sentence.flags) and any(meaning == "stop" for _, meaning in first):
        return Decision.STOP, "all", "stop-and-erase"
    if sentence.stop == "ask":
        return Decision.ASK, "unclear", sentence.rule
    if sentence.stop:
        scope = (_purpose(words, purposes) or "marketing") if sentence.scope == "marketing" else "all"
        return Decision.STOP, scope, sentence.rule
    if "ask" in meanings:
        return Decision.ASK, "unclear", "keyword-cancel" if flow_open and bare in CANCELLING else "keyword-unsure"
    pieces = bare.split()
    if len(pieces) <= 2 and _near(bare, data):
        return Decision.STOP, "all", "near"
    if len(pieces) == 2 and pieces[0] == "stop":
        return Decision.ASK, "unclear", "stop-something"
    return Decision.NONE, "", ""


def _purpose(words: list[str], purposes: Mapping[str, Sequence[str]]) -> str:
    said = set(words)
    return next((name for name, known in purposes.items() if any(keyed(word) in said for word in known)), "")


def _near(word: str, data: _Data) -> bool:
    """One slip in four to seven letters, two in longer ones, never in shorter (privacy.md 4.3.5); never onto another known word."""
    if " " in word or len(word) < 4 or word in data.whole:
        return False
    slips = 1 if len(word) <= 7 else 2
    candidates = (
        key for size in range(len(word) - slips, len(word) + slips + 1) for key in data.near.get(size, ()) if size >= 4
    )
    return any(key[0] == word[0] and _distance(word, key, slips) <= slips for key in candidates)


def _distance(one: str, other: str, most: int) -> int:
    """Damerau-Levenshtein distance with neighbours swapped, or `most` + 1 when it is larger."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, left in enumerate(one, 1):
        before, previous, row = row, before, [i]
        for j, right in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (left != right))
            if i > 1 and j > 1 and left == other[j - 2] and one[i - 2] == right:
                cost = min(cost, previous[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return row[-1]
