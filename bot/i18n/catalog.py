"""Translations: PO files read once at start, looked up along a chain of languages, never compiled to disk."""

from collections.abc import Iterable, Mapping
from io import BytesIO

from babel.messages.pofile import PoFileError, read_po

from bot.domain.errors import SettingsProblem


class Catalog:
    """All translations by language. Immutable after it is made; safe to share."""

    __slots__ = ("_default", "_messages", "_offered")

    def __init__(self, messages: Mapping[str, Mapping[str, str]], *, offered: Iterable[str], default: str) -> None:
        """`messages` is language → source text → translation; `default` is the language texts are written in."""
        self._messages = messages
        self._offered = tuple(offered)
        self._default = default

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages offered to customers."""
        return self._offered

    @property
    def translated(self) -> tuple[str, ...]:
        """The languages there are texts in, offered or not."""
        return tuple(sorted(self._messages))

    def translate(self, text: str, language: str) -> str:
        """The text in `language`, else in its base (`pt` for `pt-BR`), else as it was written."""
        for tag in chain(language):
            found = self._messages.get(tag, {}).get(text)
            if found:
                return found
        return text

    def has(self, text: str, language: str) -> bool:
        """Whether a translation exists along the chain; the source language has every text."""
        tags = chain(language)
        return base(self._default) in tags or any(text in self._messages.get(tag, {}) for tag in tags)

    def closest(self, language: str) -> str:
        """The offered language nearest to a tag, or the default one."""
        wanted = language.replace("_", "-")
        for tag in self._offered:
            if tag.casefold() == wanted.casefold():
                return tag
        for tag in self._offered:
            if base(tag).casefold() == base(wanted).casefold():
                return tag
        return self._default


def base(language: str) -> str:
    """`pt` of `pt-BR`."""
    return language.replace("_", "-").split("-", maxsplit=1)[0]


def chain(language: str) -> tuple[str, ...]:
    """The languages to look a text up in, nearest first."""
    tag = language.replace("_", "-")
    return (tag, base(tag)) if "-" in tag else (tag,)


def read_catalogs(files: Mapping[str, Iterable[tuple[str, bytes]]]) -> dict[str, dict[str, str]]:
    """Language → (file name, content of a PO file)… as translations. Raises `SettingsProblem` naming a file that cannot be read.

    Entries that are marked fuzzy or empty are left out: a person gets the source text rather than a guess.
    """
    catalogs: dict[str, dict[str, str]] = {}
    for language, contents in files.items():
        messages = catalogs.setdefault(language.replace("_", "-"), {})
        for name, content in contents:
            try:
                catalog = read_po(BytesIO(content), abort_invalid=True)
            except (PoFileError, ValueError, UnicodeDecodeError) as problem:
                raise SettingsProblem(f"{name} is not a readable catalog: {problem}") from problem
            for message in catalog:
                if message.id and isinstance(message.id, str) and message.string and not message.fuzzy:
                    messages[message.id] = str(message.string)
    return catalogs
