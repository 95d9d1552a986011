"""PO files of a project: which there are, how they are brought up to date, and what is wrong with them.

The files are read and written here; which texts there are says `bot.cli.texts`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import PoFileError, read_po, write_po

from bot.cli.texts import Written
from bot.engine.linter import BUTTON_BODY, TEXT_BODY, units
from bot.engine.problem import Place, Problem
from bot.engine.text import Blank, Text, TextProblem, parse
from bot.i18n import po
from bot.i18n.catalog import base, chain
from bot.i18n.locales import locale_of
from bot.privacy import intents
from bot.privacy.msgid import placeholders

_HEADER = "# {language}: texts of {what}. `recado i18n update` keeps the list of texts; the translations are yours.\n#"


@dataclass(frozen=True, slots=True)
class Translated:
    """One translation and where it stands."""

    text: str
    file: str
    line: int
    fuzzy: bool = False


Translations = Mapping[str, Mapping[str, Translated]]
"""Language → text → translation."""


# -- reading --------------------------------------------------------------------------------------------------------------


def catalog_files(project: Path) -> Iterator[tuple[str, Path]]:
    """(language, PO file) of Recado and of the project, in the order in which a later one wins."""
    package = Path(str(resources.files("bot")))
    folders = dict.fromkeys(
        one.resolve() for one in (package / "_locales", package.parent / "locales", project / "locales")
    )
    for folder in folders:
        for path in sorted(folder.glob("*/LC_MESSAGES/*.po")):
            yield path.parent.parent.name.replace("_", "-"), path


def read_translations(project: Path) -> tuple[Translations, list[Problem]]:
    """All translations there are, and a problem for each file that cannot be read."""
    found: dict[str, dict[str, Translated]] = {}
    problems: list[Problem] = []
    for language, path in catalog_files(project):
        try:
            catalog = read_po(BytesIO(path.read_bytes()), abort_invalid=True)
        except (PoFileError, ValueError) as problem:
            place = Place(_shown(path), getattr(problem, "lineno", 0) or 1)
            reason = "This file is not a readable catalog."
            problems.append(Problem("po-unreadable", place, reason, "Mend the line, or restore the file."))
            continue
        messages = found.setdefault(language, {})
        for message in catalog:
            if message.id and isinstance(message.id, str) and message.string:
                messages[message.id] = Translated(str(message.string), _shown(path), message.lineno or 1, message.fuzzy)
    return found, problems


def _shown(path: Path) -> str:
    """The path as it can be opened from here."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


# -- writing --------------------------------------------------------------------------------------------------------------


def template(texts: Iterable[Written], what: str) -> bytes:
    """The POT file of these texts."""
    catalog = Catalog(project="Recado", charset="utf-8", fuzzy=False)
    catalog.header_comment = f"# Texts of {what}."
    for one in texts:
        catalog.add(one.text, locations=[(one.file, one.line)])
    return _written(catalog)


def updated(existing: bytes | None, texts: Sequence[Written], language: str, what: str) -> bytes:
    """The catalog with exactly these texts; translations and comments stay.

    New texts are marked for a native's review (decisions.md 33). What is no longer said is kept as obsolete, and comes back with
    its text.
    """
    tag = language.replace("-", "_")
    entries = [po.Entry(one.text, one.file, one.line) for one in texts]
    catalog = read_po(BytesIO(po.update(existing, entries, language)), locale=tag)
    catalog.header_comment = _HEADER.format(language=language, what=what)
    catalog.language_team = catalog.last_translator = catalog.msgid_bugs_address = ""
    old = read_po(BytesIO(existing), locale=tag) if existing is not None else None
    if old is not None:
        catalog.creation_date, catalog.revision_date = old.creation_date, old.revision_date
        catalog.obsolete.update({key: one for key, one in _gone(old, catalog) if one.string})
    for message in catalog:
        returned = catalog.obsolete.pop(str(message.id), None) if message.id and not message.string else None
        if returned is not None:
            message.string, message.user_comments = returned.string, returned.user_comments
        if message.id and not message.string and po.NATIVE_REVIEW not in message.user_comments:
            message.user_comments.append(po.NATIVE_REVIEW)
    return _written(catalog)


def _gone(old: Catalog, fresh: Catalog) -> Iterator[tuple[str, Message]]:
    for message in old:
        if message.id and fresh.get(message.id) is None:
            yield str(message.id), message
    yield from ((str(key), message) for key, message in old.obsolete.items())


def _written(catalog: Catalog) -> bytes:
    out = BytesIO()
    write_po(out, catalog, width=120, sort_by_file=True)
    return out.getvalue()


# -- checking -------------------------------------------------------------------------------------------------------------


def needing(texts: Iterable[Written], language: str) -> list[Written]:
    """The texts that are written in another language than this one."""
    return [one for one in texts if base(one.language) != base(language)]


def translation_of(text: str, language: str, translations: Translations) -> Translated | None:
    """The translation people get: in the language or its base."""
    for tag in chain(language):
        found = translations.get(tag, {}).get(text)
        if found is not None:
            return found
    return None


def problems_of(texts: Iterable[Written], language: str, translations: Translations) -> Iterator[Problem]:
    """Everything that is wrong with the translations into one language."""
    told: set[tuple[str, str]] = set()
    groups: dict[tuple[str, str], Written] = {}
    words: dict[str, Written] = {}
    for one in needing(texts, language):
        known = translation_of(one.text, language, translations)
        if known is None or known.fuzzy:
            if ("missing", one.text) not in told:
                yield _missing(one, language, known)
            told.add(("missing", one.text))
            continue
        for problem in (*_faults(one, known, language), *_twice(one, known, groups, words)):
            if (problem.code, one.text) not in told:
                yield problem
            told.add((problem.code, one.text))


def _missing(one: Written, language: str, known: Translated | None) -> Problem:
    if known is not None:
        reason = f"The translation into `{language}` is marked fuzzy, so nobody gets it."
        return Problem(
            "fuzzy",
            Place(known.file, known.line),
            reason,
            "Look it over and take the mark away.",
            source=_line(one.text),
        )
    reason = f"There is no translation into `{language}`."
    fix = "`recado i18n update` adds it to the catalog; translate it there."
    return Problem("missing", Place(one.file, one.line), reason, fix, source=_line(one.text))


def _line(text: str) -> str:
    return text.partition("\n")[0][:200]


def _at(known: Translated, code: str, reason: str, fix: str) -> Problem:
    return Problem(code, Place(known.file, known.line), reason, fix, source=_line(known.text))


def _faults(one: Written, known: Translated, language: str) -> Iterator[Problem]:
    """What is wrong with one translation by itself."""
    yield from _values(one, known, language)
    if one.limit and units(known.text) > one.limit:
        yield _at(
            known, "label-long", f"This label has {units(known.text)} characters; {one.limit} fit.", "Shorten it."
        )
    limit = BUTTON_BODY if units(one.text) <= BUTTON_BODY else TEXT_BODY
    if units(known.text) > limit:
        yield _at(known, "text-long", f"This text has {units(known.text)} characters; {limit} fit.", "Shorten it.")
    if one.group.startswith("start:") and re.search(r"[,;]", known.text):
        yield _at(
            known, "start-words", "This is one word or phrase people write, not a list.", "Write one, without a comma."
        )
    lost = keywords(one.text, one.language) - keywords(known.text, language)
    if lost:
        reason = (
            f"The source names a word people can write ({', '.join(sorted(lost))}); here is none that is understood."
        )
        yield _at(
            known, "keyword", reason, f"Write a word that `recado intents --lang {language}` understands, in capitals."
        )


def _values(one: Written, known: Translated, language: str) -> Iterator[Problem]:
    """The values filled in are the same, and those with forms keep theirs."""
    if one.kind == "business":
        return
    if one.kind == "code":
        wanted, given = placeholders(one.text), placeholders(known.text)
    else:
        try:
            text = parse(known.text)
        except TextProblem as problem:
            reason = f"This text cannot be filled in: {problem}, at character {problem.column}."
            yield _at(known, "text-blank", reason, "Write {field} or {field|date}.")
            return
        source = parse(one.text)
        wanted, given = set(source.names), set(text.names)
        yield from _forms(source, text, known, language)
    if wanted != given:
        lacks = "".join(f" `{{{name}}}` is missing." for name in sorted(wanted - given))
        extra = "".join(f" `{{{name}}}` is not in the source." for name in sorted(given - wanted))
        yield _at(known, "placeholder", f"The values filled in differ:{lacks}{extra}", "Use each value of the source.")


def _forms(source: Text, text: Text, known: Translated, language: str) -> Iterator[Problem]:
    given = {(part.name, part.filter) for part in text.parts if isinstance(part, Blank)}
    for part in text.parts:
        lacking = (
            plural_forms(language) - set(part.forms) if isinstance(part, Blank) and part.filter == "plural" else ()
        )
        if isinstance(part, Blank) and lacking:
            reason = f"`{part.name}` lacks forms that `{language}` has: {', '.join(sorted(lacking))}."
            yield _at(known, "plural-forms", reason, 'Write each of them, as in few:"…"; `other` is for the rest.')
    for part in source.parts:
        if isinstance(part, Blank) and part.forms and (part.name, part.filter) not in given:
            reason = f"`{part.name}` has forms in the source (`|{part.filter}`); here it has none."
            yield _at(known, "forms", reason, f'Write {{{part.name}|{part.filter} … other:"…"}}.')


def _twice(
    one: Written, known: Translated, groups: dict[tuple[str, str], Written], words: dict[str, Written]
) -> Iterator[Problem]:
    """Labels beside each other, and start words of two flows, stay different in every language."""
    if not one.group:
        return
    said = known.text.casefold()
    if one.group.startswith("start:"):
        other = words.setdefault(said, one)
        if other.group != one.group:
            reason = f"`{known.text}` starts the flow `{other.group.removeprefix('start:')}` already."
            yield _at(known, "word-clash", reason, "Use another word in one of them.")
        return
    other = groups.setdefault((one.group, said), one)
    if other.text != one.text:
        yield _at(
            known,
            "label-twice",
            f"The label beside it, `{other.text}`, is translated in the same way.",
            "Change one of them.",
        )


MILLIONS_ONLY = frozenset({"es", "fr", "it", "pt", "ca"})
"""Languages whose form `many` is that of whole millions alone; texts here count smaller things."""


def plural_forms(language: str) -> set[str]:
    """The plural forms a language has (CLDR): two in German, six in Arabic."""
    found = {"other", *locale_of(language).plural_form.rules}
    return found - {"many"} if base(language) in MILLIONS_ONLY else found


_QUOTED = re.compile("«([^«»{}]+)»")
_CAPITALS = re.compile(r"[^\W\d_]+(?: [^\W\d_]+)*")


def keywords(text: str, language: str) -> set[str]:
    """What the words in capitals in a text mean to the privacy intents, e.g. `access` for MY DATA."""
    found: set[str] = set()
    for phrase in capitals(text):
        if phrase in LAWS:
            continue
        meant = intents.understand(phrase, language=language)
        found |= meant.flags | ({"stop"} if meant.decision == "stop" else set())
    return found


LAWS = frozenset({"GDPR", "RGPD", "DSGVO", "AVG", "RODO"})
"""The regulation's names are in capitals as well, and nothing people are told to write."""


def capitals(text: str) -> Iterator[str]:
    """The phrases written in capitals, e.g. `DELETE MY DATA`, `I MIEI DATI`; in scripts without capitals those in «…»."""
    for quoted in _QUOTED.findall(text):
        if not any(one.isupper() or one.islower() for one in quoted):
            yield quoted
    for run in _CAPITALS.findall(text):
        phrase: list[str] = []
        for word in [*run.split(" "), ""]:
            if word.isupper():
                phrase.append(word)
            elif phrase:
                if any(len(one) > 1 for one in phrase):
                    yield " ".join(phrase)
                phrase = []
