"""A wish for another language, in people's own words: "in English please", "fale português", "auf Deutsch bitte".

Whole messages only: every word beside the language's name must be one of those people ask with, so that "is the manual in
English?" stays a question about a manual. Pure.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from babel import Locale, UnknownLocaleError

from bot.i18n.catalog import base
from bot.i18n.detecting import KNOWN
from bot.i18n.vocabulary import folded

LONGEST = 90
"""Characters of a message that is nothing but such a wish."""

NAMED_IN = KNOWN
"""Languages in which the names of languages are known (CLDR)."""

_MORE = {
    "pt-BR": ("brasileiro", "portugues brasileiro", "portugues do brasil", "brazilian", "brazilian portuguese"),
    "pt": ("portuguese", "portugues de portugal", "portugues europeu", "po portugalsku"),
    "en": ("angielsku", "anglais", "engels", "inglese", "inglesa", "إنجليزي", "الإنجليزية", "بالإنجليزية", "انجليزي"),
    "de": ("deutsche", "allemand", "niemiecku", "duits", "tedesco", "بالألمانية"),
    "es": ("castellano", "espanhol", "hiszpansku", "بالإسبانية"),
    "fr": ("francais", "francuzku", "frans", "بالفرنسية"),
    "it": ("wlosku", "italiaans", "بالإيطالية"),
    "nl": ("flemish", "vlaams", "nederlands", "hollands"),
    "pl": ("polsku", "polskim", "pools"),
    "ar": ("عربي", "بالعربية", "بالعربي", "arabisch"),
    "uk": ("украïнською", "українською"),
    "ru": ("по русски", "русски"),
    "sv": ("svenska",),
    "no": ("norsk",),
    "da": ("dansk",),
    "tr": ("turkce",),
    "cs": ("cesky",),
    "fi": ("suomeksi",),
}

_ASKING = """
please thanks in speak talk write continue switch change to the can could you we i would like want prefer into only my language
por favor em falo fale falar fala falem escreva escrever
pode podem podemos podia queria quero gostava gostaria prefiro eu a minha lingua no o mudar para obrigado obrigada
en hablo habla hable hablar hablen puede pueden podemos quiero quisiera prefiero yo el idioma cambiar escriba escribir gracias
auf bitte in spreche sprichst sprecht sprechen schreiben konnen konnten kannst wir sie du ich mochte hatte gern gerne lieber
weiter wechseln zu
s il vous plait parlez parler parle parles ecrivez ecrire pouvez pouvons on nous je voudrais veux prefere continuer le la changer merci
per favore parlo parli parlare parlate parla scriva scrivere puo possiamo potete vorrei preferisco io l italiano lingua cambiare grazie
het graag alstublieft aub spreek spreekt spreken praat praten schrijf schrijven kunt kunnen kan u je wij we ik wil liever verder over
po prosze mow mowie mowic pisz pisac pisac mozna mozemy moze czy chce chcialbym wole ja jezyk zmien zmienic na dziekuje
من فضلك لو سمحت تكلم تحدث اكتب هل يمكن أريد اريد أفضل باللغة اللغة إلى غير الرجاء
"""
_NOT = """
not don t dont no nao não nicht kein pas ne n non nie niet geen لا ليس لست sem without understand entendo entiendo verstehe comprends
capisco begrijp rozumiem أفهم افهم
"""


@dataclass(frozen=True, slots=True)
class Wish:
    """A wish about the language: `language` is the offered tag; empty where another is wanted and which one must be asked."""

    language: str


def wish(text: str, offered: Iterable[str]) -> Wish | None:
    """The wish for a language a message is, or None. Never raises; longer messages are none."""
    if len(text) > LONGEST:
        return None
    words = re.findall(r"[^\W\d_]+", folded(text))
    tags = tuple(offered)
    names, longest = _names()
    for length in range(min(longest, len(words)), 0, -1):
        for at in range(len(words) - length + 1):
            language = names.get(tuple(words[at : at + length]))
            rest = [*words[:at], *words[at + length :]]
            if language is None or not all(one in _asking() or one in _denying() for one in rest):
                continue
            if any(one in _denying() for one in rest):
                return Wish("")
            return Wish(_offered(language, tags))
    return None


def _offered(language: str, offered: tuple[str, ...]) -> str:
    """The offered tag of a language, its own region first; empty when it is not offered."""
    exact = next((tag for tag in offered if tag.casefold() == language.casefold()), "")
    return exact or next((tag for tag in offered if base(tag) == base(language)), "")


@lru_cache(maxsize=1)
def _asking() -> frozenset[str]:
    return frozenset(folded(_ASKING).split())


@lru_cache(maxsize=1)
def _denying() -> frozenset[str]:
    return frozenset(folded(_NOT).split())


@lru_cache(maxsize=1)
def _names() -> tuple[dict[tuple[str, ...], str], int]:
    """Folded names of the languages in many languages, as words; and the length of the longest."""
    found: dict[tuple[str, ...], str] = {}
    for where in NAMED_IN:
        known = _locale(where).languages
        for language in NAMED_IN:
            key = tuple(re.findall(r"[^\W\d_]+", folded(known.get(language, ""))))
            if key:
                found.setdefault(key, language)
    for language, more in _MORE.items():
        for name in more:
            found[tuple(re.findall(r"[^\W\d_]+", folded(name)))] = language
    return found, max(map(len, found))


def _locale(language: str) -> Locale:
    try:
        return Locale.parse(language)
    except (ValueError, UnknownLocaleError):
        return Locale.parse("en")
