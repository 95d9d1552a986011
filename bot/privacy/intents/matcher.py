"""From a message to its intent: whole-message keywords of all languages first, then sentences, then near spellings."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, groupby

from bot.domain.intent import Decision, Intent
from bot.privacy.intents import grammar, hunch, rights
from bot.privacy.intents.lexicon import Block, Lexicon, codes, lexicon
from bot.privacy.intents.normalise import HARD, SOFT, keyed, latin, signs, squeezed, words_of
from bot.privacy.intents.sentence import Sentence
from bot.privacy.intents.spelling import NearWords

FLAGS = frozenset({
    "erase", "access", "rectify", "restrict", "object", "start", "help", "privacy", "agent", "complaint", "language",
})  # fmt: skip
CANCELLING = frozenset({"cancel", "end", "quit", "cancelar", "fin", "fim"})
"""Words that end a flow while one is open, and stop otherwise (decisions.md 5)."""

_KEYWORD_WORDS = 8
_NEAR_WORDS = 3
_UNSURE_LETTERS = 6
_LANGUAGE_WISH_WORDS = 6
_CLAUSES = 6
_CLAUSE_WORDS = 4
_HUSHED = frozenset({"help", "start", "access", "agent", "privacy"})
"""Flags that say nothing where the person wants no more messages: "stop messages" is no call for help."""

_RAISED, _DOUBTED, _NO_GUESS, _ROUTES, _ROUTES_ANEW = 0.6, -0.7, -1.0, 0.8, 0.8
"""How much a message must resemble a kind; chosen on a fresh round that was not learned from (docs/intents.md)."""

_RAISED_BESIDE = {
    "erase": 2.0,
    rights.ERASE_ME: 2.0,
    "start": 2.0,
    "access": 1.0,
    "rectify": 1.0,
    "privacy": 1.0,
    "agent": 1.0,
}
"""How much where the message already says something else that is easily taken for a stop."""

_DOUBTFUL = grammar.NAMES | {"clause"}
_ERASING = frozenset({"erase", rights.ERASE_ME})
_NO_HUNCH = frozenset({"yes", "no", "language"})
_MENTIONED = frozenset({"access", "privacy"})
"""Flags that a mention gives ("my data"), so that another right may be meant."""

_WEIGHED_WORDS = _ROUTED_WORDS = 3
_ROUTES_TO = tuple(kind for kind in hunch.KINDS if kind != "stop")

LANGUAGES = tuple(sorted({*codes(), "pt-BR"}))
"""The languages whose wishes are understood, always all of them (decisions.md 5)."""

_STOP_WORDS = {
    "tr": ("RET", "STOP"), "ar": ("توقف", "STOP"), "ru": ("СТОП", "STOP"), "uk": ("СТОП", "STOP"), "bg": ("СТОП", "STOP"),
    "pt": ("STOP", "SAIR"), "es": ("STOP", "BAJA"), "el": ("STOP", "ΣΤΟΠ"), "fr": ("STOP", "ARRÊT"), "de": ("STOP", "ABMELDEN"),
}  # fmt: skip
_START_WORDS = {
    "pt": "INICIAR", "es": "ALTA", "ar": "ابدأ", "ru": "СТАРТ", "uk": "СТАРТ", "bg": "СТАРТ", "tr": "BAŞLAT",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Heard:
    """A message made ready: its words with and without the marks between sentences, and without politeness."""

    marked: list[str]
    words: list[str]
    bare: str
    language: str


def stop_words(language: str) -> tuple[str, ...]:
    """The words to tell people for stopping in a language, the best first; each is understood everywhere."""
    return _STOP_WORDS.get(_base(language), ("STOP",))


def stop_word(language: str) -> str:
    """The one word told to people for stopping."""
    return stop_words(language)[0]


def start_word(language: str) -> str:
    """The word told to people for coming back."""
    return _START_WORDS.get(_base(language), "START")


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
    known = lexicon()
    sign = signs(text)
    if sign:
        decision = Decision.STOP if sign == "stop" else Decision.ASK
        return Intent(decision, "all" if sign == "stop" else "unclear", frozenset(), "sign", known.version)
    heard = _heard(text, known, _base(language))
    if not heard.words:
        return Intent(version=known.version)
    found, wanted = _whole_flags(heard, known)
    named = frozenset(found)  # what the whole message is a keyword of stands, whatever it resembles
    reading = _keyword(heard, known, flow_open=flow_open)
    if reading.rule in ("", "keyword-unsure"):
        reading, found = _by_sentences(heard, known, reading, found if not wanted else found | {"language"})
    return _intent(reading, found | named, wanted, heard, known.version, purposes or {})


def _by_sentences(
    heard: _Heard, known: Lexicon, keyword: grammar.Reading, whole: set[str]
) -> tuple[grammar.Reading, set[str]]:
    """What is made of a message that is no keyword: by the rules, a clause, a near spelling, and at last what it resembles."""
    sentences = _sentences(heard, known)
    said, flags = _read(sentences)
    flags |= whole
    reading = said if said.stop == "stop" or not keyword.stop else keyword
    if reading.stop != "stop" and not any(one.has("meant") for one in chain.from_iterable(sentences)):
        reading = _clause(heard, known, reading)
    if not reading.stop and not flags:
        reading = _misspelt(heard, known)
    if "erase" in flags and reading.rule in grammar.MAY_BE_ERASURE:
        reading = grammar.NOTHING
    likeness = _likeness(heard, sentences)
    reading = _weighed(reading, flags, likeness)
    routed = reading.stop != "stop" and flags <= _MENTIONED and not whole and len(heard.words) >= _ROUTED_WORDS
    return reading, _routed(flags, likeness) if routed else flags


def _intent(
    reading: grammar.Reading,
    flags: set[str],
    wanted: str | None,
    heard: _Heard,
    version: str,
    purposes: Mapping[str, Sequence[str]],
) -> Intent:
    if "erase" in flags:
        flags -= {"access", "rectify"}
    if rights.ERASE_ME in flags:
        flags = flags - {rights.ERASE_ME} | {"erase"}
    if not reading.stop:
        return Intent(Decision.NONE, "", frozenset(flags), "", version, wanted)
    flags -= _HUSHED
    if reading.rule == "keyword-cancel":
        flags.add("cancel")
    scope = reading.scope
    if reading.stop == "stop" and scope == "marketing":
        scope = _purpose(heard.words, purposes) or scope
    return Intent(Decision(reading.stop), scope, frozenset(flags), reading.rule, version, wanted)


def _base(language: str | None) -> str:
    return (language or "").replace("_", "-").split("-", maxsplit=1)[0].casefold()


def _heard(text: str, known: Lexicon, language: str) -> _Heard:
    marked = words_of(text)
    words = [one for one in marked if one not in (HARD, SOFT)]
    return _Heard(marked, words, _without_politeness(words, known), language)


def _without_politeness(words: list[str], known: Lexicon) -> str:
    """The message without please, thanks and greetings; the whole of it where nothing else is there."""
    if len(words) > _KEYWORD_WORDS * 2:
        return " ".join(words)
    kept: list[str] = []
    at = 0
    while at < len(words):
        size = next((n for n in (4, 3, 2, 1) if " ".join(words[at : at + n]) in known.polite), 0)
        if size:
            at += size
        else:
            kept.append(words[at])
            at += 1
    return " ".join(kept or words)


def _forms(heard: _Heard, known: Lexicon) -> Iterator[str]:
    """A whole message as it may stand in the lists: as it is, in look-alike Latin, with letters joined, none repeated."""
    said = " ".join(heard.words)
    for bare in dict.fromkeys((said, heard.bare)):
        yield bare
        yield latin(bare)
        pieces = bare.split()
        if len(pieces) > 1 and all(len(piece) == 1 for piece in pieces):
            yield from _without_spaced_politeness("".join(pieces), known)
        yield squeezed(bare)
        yield squeezed(latin(bare))


def _without_spaced_politeness(joined: str, known: Lexicon) -> Iterator[str]:
    """`s t o p  p l e a s e`: the letters joined, and with a word of politeness at either end left out."""
    yield joined
    yield latin(joined)
    for at in range(2, len(joined) - 1):
        if joined[at:] in known.polite:
            yield joined[:at]
        if joined[:at] in known.polite:
            yield joined[at:]


def _meanings(heard: _Heard, known: Lexicon) -> tuple[str, set[str]]:
    """(the form found in the lists, what it means there); the person's own language wins where it says something else."""
    if len(heard.words) > _KEYWORD_WORDS * 2:
        return "", set()
    for form in _forms(heard, known):
        rows = known.whole.get(form)
        if rows:
            own = {meaning for code, meaning in rows if code == heard.language}
            if not own and form in known.dictionary.get(heard.language, ()):
                # An everyday word of the person's own language: asked about, because another's STOP may be meant.
                return form, {"ask"} if any(meaning == "stop" for _, meaning in rows) else set()
            return form, own or {meaning for _, meaning in rows}
    return "", set()


def _keyword(heard: _Heard, known: Lexicon, *, flow_open: bool) -> grammar.Reading:
    form, meanings = _meanings(heard, known)
    if flow_open and form in CANCELLING:
        return grammar.Reading("ask", "unclear", "keyword-cancel")
    if "stop" in meanings:
        return grammar.Reading("stop", "all", "keyword")
    if "ask" in meanings:
        return grammar.Reading("ask", "unclear", "keyword-unsure")
    return grammar.NOTHING


def _whole_flags(heard: _Heard, known: Lexicon) -> tuple[set[str], str | None]:
    _, meanings = _meanings(heard, known)
    flags = {meaning for meaning in meanings if meaning in FLAGS}
    wanted = None
    if len(heard.words) <= _LANGUAGE_WISH_WORDS:
        wanted = next((known.own_names[part] for part in (heard.bare, *heard.words) if part in known.own_names), None)
    if wanted:
        flags.add("language")
    answer = _answer(heard, known)
    if answer:
        flags.add(answer)
    return flags, wanted


def _answer(heard: _Heard, known: Lexicon) -> str:
    """A clear yes or no in the person's language; "well, yes then" is none (consent is unambiguous, GDPR art. 4(11))."""
    answers = known.answers.get(heard.language, {})
    exact = answers.get(" ".join(heard.words))
    if exact:
        return exact
    answer = answers.get(heard.bare) or answers.get(squeezed(heard.bare)) or ""
    weak = answer == "yes" and not known.hedges.get(heard.language, set()).isdisjoint(heard.words)
    return "" if weak else answer


def examined(text: str, *, language: str) -> tuple[list[str], list[Sentence]]:
    """The words of a message and its sentences in the language it seems to be written in: what a hunch is learned from."""
    heard = _heard(text, lexicon(), _base(language))
    sentences = _sentences(heard, lexicon())
    return heard.words, sentences[0] if sentences else []


def _sentences(heard: _Heard, known: Lexicon) -> list[list[Sentence]]:
    """The sentences in each of the languages they may be written in, the likeliest first."""
    blocks = known.found(heard.marked)
    return [list(_cut(blocks[code], heard.marked)) for code in _spoken(blocks, heard.language)]


def _read(sentences: Iterable[Iterable[Sentence]]) -> tuple[grammar.Reading, set[str]]:
    """What the sentences say by the rules; the strongest wish wins."""
    best, flags = grammar.NOTHING, set()
    for sentence in chain.from_iterable(sentences):
        reading = grammar.read(sentence)
        flags |= set(rights.flags(sentence))
        if (reading.stop == "stop" and best.stop != "stop") or (reading.stop and not best.stop):
            best = reading
    return best, flags


def _likeness(heard: _Heard, sentences: Sequence[Iterable[Sentence]]) -> dict[str, float]:
    """A word or two resemble nothing: they are a keyword, or misspelt, or a greeting."""
    if len(heard.words) < _WEIGHED_WORDS:
        return hunch.weigh(())
    return hunch.weigh(hunch.traits(heard.words, sentences[0] if sentences else ()))


def _weighed(reading: grammar.Reading, flags: AbstractSet[str], likeness: Mapping[str, float]) -> grammar.Reading:
    """The reading raised to "ask", or a decided one doubted, by what the message resembles.

    Never a stop from nothing and never nothing from a stop.
    """
    weight = likeness["stop"]
    if (
        not reading.stop
        and not flags & _NO_HUNCH
        and weight >= max((_RAISED_BESIDE.get(one, _RAISED) for one in flags), default=_RAISED)
    ):
        return grammar.Reading("ask", "unclear", "hunch")
    if flags & _ERASING:
        # The erasure is asked about before it is done; a second question would stand in its way.
        return grammar.NOTHING if reading.stop == "ask" and weight < _RAISED_BESIDE["erase"] else reading
    if weight == hunch.UNKNOWN:
        return reading
    if reading.rule in grammar.GUESSES and weight <= _NO_GUESS:
        return grammar.NOTHING
    if reading.stop == "stop" and reading.rule in _DOUBTFUL and weight <= _DOUBTED:
        return grammar.Reading("ask", "unclear", f"{reading.rule}-doubted")
    return reading


def _routed(flags: set[str], likeness: Mapping[str, float]) -> set[str]:
    """The right or way on that a message resembles where no rule named one, or only "my data" was mentioned."""
    kind = max(_ROUTES_TO, key=lambda one: likeness[one])
    least = max(_ROUTES_ANEW, *(likeness[one] for one in flags)) if flags else max(_ROUTES, likeness["stop"])
    return {kind} if likeness[kind] >= least else flags


def _clause(heard: _Heard, known: Lexicon, reading: grammar.Reading) -> grammar.Reading:
    """A keyword that is the first or last clause by itself: "I never allowed this, stop at once"."""
    clauses = [list(words) for marks, words in groupby(heard.marked, lambda one: one in (HARD, SOFT)) if not marks]
    if not 1 < len(clauses) <= _CLAUSES:
        return reading
    for clause in (clauses[0], clauses[-1]):
        bare = _without_politeness(clause, known)
        if len(clause) <= _CLAUSE_WORDS and bare not in CANCELLING and _own_stop(bare, heard.language, known):
            return grammar.Reading("stop", "all", "clause")
    return reading


def _own_stop(form: str, language: str, known: Lexicon) -> bool:
    rows = known.whole.get(form, ())
    return any(meaning == "stop" and code in (language or code, "en") for code, meaning in rows)


def _spoken(blocks: Mapping[str, Sequence[Block]], own: str) -> list[str]:
    """The languages that know most of the words; the person's own wins a near tie."""
    if not blocks:
        return []
    known = {
        code: len({at for block in found for at in range(block.start, block.end)}) for code, found in blocks.items()
    }
    most = max(known.values())
    if own in known and known[own] * 4 >= most * 3:
        return [own]
    widest = [code for code, size in known.items() if size == most and code != own][:3]
    return [own, *widest] if own in known and known[own] * 2 >= most else widest


def _cut(blocks: Sequence[Block], words: Sequence[str]) -> Iterator[Sentence]:
    """One sentence after the other with its blocks."""
    start = 0
    for at in range(len(words) + 1):
        if at == len(words) or words[at] == HARD:
            if at > start:
                inside = [one for one in blocks if start <= one.start and one.end <= at]
                if inside:
                    yield Sentence(inside, sum(word != SOFT for word in words[start:at]))
            start = at + 1


@lru_cache(maxsize=2)
def _near_words(wanted: str) -> NearWords:
    return NearWords(word for word, rows in lexicon().whole.items() if any(meaning == wanted for _, meaning in rows))


def _misspelt(heard: _Heard, known: Lexicon) -> grammar.Reading:
    """A near spelling of a keyword, unless it is a word of its own."""
    pieces = heard.bare.split()
    if len(pieces) > _NEAR_WORDS and not all(len(piece) == 1 for piece in pieces):
        return grammar.NOTHING
    joined = "".join(pieces) if all(len(piece) == 1 for piece in pieces) else heard.bare
    ordinary = known.dictionary.get(heard.language, set()) | known.dictionary["en"]
    for form in dict.fromkeys((joined, squeezed(joined), latin(joined))):
        if form in ordinary or form in known.whole:
            return grammar.NOTHING
        if _near_words("stop").nearest(form):
            return grammar.Reading("stop", "all", "near")
    if len(joined) >= _UNSURE_LETTERS and _near_words("ask").nearest(joined):
        return grammar.Reading("ask", "unclear", "near-unsure")
    return grammar.NOTHING


def _purpose(words: Sequence[str], purposes: Mapping[str, Sequence[str]]) -> str:
    said = set(words)
    return next((name for name, known in purposes.items() if any(keyed(word) in said for word in known)), "")
