"""Messages made comparable: case, accents, scripts, mark-up and decoration do not count (privacy.md 4.3.2). Linear in the length."""

import re
import unicodedata

MOST = 4096
"""Characters that are looked at; a longer message is read at both ends, where wishes stand."""

_FOLD = str.maketrans({
    "ø": "o", "ł": "l", "đ": "d", "ß": "ss", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h", "ς": "σ", "ё": "е", "ґ": "г",
    "أ": "ا", "إ": "ا", "آ": "ا", "ى": "ي", "ة": "ه", "ـ": "", "’": "'", "‘": "'", "`": "'", "´": "'", "ș": "s", "ț": "t",
})  # fmt: skip
_LATIN_LOOK_ALIKES = str.maketrans("аеорсухіјѕтмнквԁɡοαερυτικνμ", "aeopcyxijstmhkbdgoaepytikvm")
_STOP_SIGNS = re.compile("[\U0001f6d1]")
_UNSURE_SIGNS = re.compile("[\u270b\u26d4\U0001f44e\U0001f645]")


def flat(text: str) -> str:
    """Lower case without marks and invisible characters, quoted lines dropped."""
    shortened = text if len(text) <= MOST else text[: MOST // 2] + " " + text[-MOST // 2 :]
    lines = [line for line in shortened.splitlines() if not line.lstrip().startswith(">")]
    lowered = unicodedata.normalize("NFKC", " ".join(lines)).replace("İ", "i").casefold()
    kept = [
        one for one in unicodedata.normalize("NFKD", lowered) if unicodedata.category(one) not in ("Mn", "Me", "Cf")
    ]
    return unicodedata.normalize("NFC", "".join(kept)).translate(_FOLD)


def tokens(text: str) -> list[str]:
    """The words of a flat text; apostrophes inside a word stay out of it, so that `don't` is `dont`."""
    bare = text.replace("'", "")
    return "".join(one if one.isalnum() else " " for one in bare).split()


def keyed(text: str) -> str:
    """A text as it is looked up: its words, one space between them."""
    return " ".join(tokens(flat(text)))


def latin(word: str) -> str:
    """A word in Latin letters where foreign ones only look like them; for the keywords alone."""
    return word.translate(_LATIN_LOOK_ALIKES)


def squeezed(word: str) -> str:
    """Without repeated letters: `stoooop` is `stop`."""
    return re.sub(r"(.)\1+", r"\1", word)


def signs(text: str) -> str:
    """`stop` for a stop sign alone, `ask` for a raised hand and its like, else empty."""
    bare = "".join(
        one for one in text if not one.isspace() and one not in "\ufe0f\u200d" and unicodedata.category(one) != "Sk"
    )
    if not bare or any(one.isalnum() for one in bare):
        return ""
    return "stop" if _STOP_SIGNS.search(bare) else "ask" if _UNSURE_SIGNS.search(bare) else ""
