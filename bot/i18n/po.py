"""PO files, as Weblate and Poedit open them: written from the texts of flows and code, with the translator's work kept."""

from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO

from babel.messages.catalog import Catalog as PoCatalog
from babel.messages.pofile import read_po, write_po

NATIVE_REVIEW = "review: native"
"""Translator comment on every text a native should still read (decisions.md 33)."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One text to translate, and where it stands."""

    text: str
    file: str
    line: int


def update(existing: bytes | None, entries: Iterable[Entry], language: str) -> bytes:
    """The catalog with exactly these texts. Translations stay; new texts are marked for a native's review; gone ones are kept obsolete."""
    fresh = PoCatalog(locale=language.replace("-", "_"), project="Recado", charset="utf-8", fuzzy=False)
    for entry in entries:
        fresh.add(entry.text, locations=[(entry.file, entry.line)], auto_comments=[])
    if existing is not None:
        old = read_po(BytesIO(existing), locale=language.replace("-", "_"))
        for message in fresh:
            known = old.get(message.id) if message.id else None
            if known is not None and known.string:
                message.string = known.string
                message.user_comments = list(known.user_comments)
    out = BytesIO()
    write_po(out, fresh, width=120, sort_by_file=True, omit_header=False, include_previous=False)
    return out.getvalue()


def missing(content: bytes, entries: Iterable[Entry], language: str) -> list[str]:
    """The texts without a translation."""
    catalog = read_po(BytesIO(content), locale=language.replace("-", "_"))
    known = {message.id for message in catalog if message.id and message.string and not message.fuzzy}
    return [entry.text for entry in entries if entry.text not in known]
