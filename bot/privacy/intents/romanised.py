"""How people write Bulgarian, Greek, Russian and Ukrainian with a Latin keyboard.

Here lives the spelling of the language files' phrases in Latin letters, the common ways of it; nothing of what they mean.
"""

from collections.abc import Iterator

_CYRILLIC = {
    "а": "a", "б": "b", "в": "v", "г": "g", "д": "d", "е": "e", "ж": "zh", "з": "z", "и": "i", "і": "i", "к": "k", "л": "l",
    "м": "m", "н": "n", "о": "o", "п": "p", "р": "r", "с": "s", "т": "t", "у": "u", "ф": "f", "х": "h", "ц": "ts", "ч": "ch",
    "ш": "sh", "щ": "sht", "ъ": "a", "ы": "y", "ь": "", "э": "e", "ю": "yu", "я": "ya", "є": "ye",
}  # fmt: skip
_GREEK = {
    "α": "a", "β": "v", "γ": "g", "δ": "d", "ε": "e", "ζ": "z", "η": "i", "θ": "th", "ι": "i", "κ": "k", "λ": "l", "μ": "m",
    "ν": "n", "ξ": "x", "ο": "o", "π": "p", "ρ": "r", "σ": "s", "τ": "t", "υ": "i", "φ": "f", "χ": "h", "ψ": "ps", "ω": "o",
}  # fmt: skip
_GREEK_PAIRS = {"ου": "ou", "αι": "e", "ει": "i", "οι": "i", "ευ": "ef", "αυ": "af", "μπ": "b", "ντ": "nt"}

_WAYS: dict[str, tuple[dict[str, str], ...]] = {
    "bg": (_CYRILLIC, {**_CYRILLIC, "ъ": "y", "ж": "j", "ц": "c"}, {**_CYRILLIC, "ъ": "u", "ч": "4", "ш": "6"}),
    "ru": (
        {**_CYRILLIC, "щ": "sch", "ъ": ""},
        {**_CYRILLIC, "щ": "shch", "ъ": "", "х": "kh", "ж": "j", "ю": "u", "я": "ja"},
    ),
    "uk": (
        {**_CYRILLIC, "щ": "shch", "и": "y", "г": "h", "х": "kh"},
        {**_CYRILLIC, "щ": "sch", "я": "ia", "ю": "iu", "є": "e"},
    ),
    "el": (
        {**_GREEK, **_GREEK_PAIRS},
        {**_GREEK, **_GREEK_PAIRS, "αι": "ai", "ει": "ei", "οι": "oi", "υ": "y", "χ": "x", "ντ": "d"},
        {**_GREEK, "ου": "ou", "η": "h", "υ": "u", "ω": "w", "χ": "x", "ξ": "ks", "θ": "8"},
    ),
}


def romanised(code: str, text: str) -> Iterator[str]:
    """The text of a language file in the Latin spellings of its language; nothing for languages written in Latin."""
    for way in _WAYS.get(code, ()):
        spelled = text
        for letters in sorted(way, key=len, reverse=True):
            spelled = spelled.replace(letters, way[letters])
        yield spelled
