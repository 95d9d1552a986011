"""A person's copy of their data: as JSON with a documented schema, as a readable page, and as a short answer in the chat.

Pure: whoever calls has read the rows and opened their encrypted parts. What goes out is what the register marks as exported, so a
key, a hash or another person's data cannot slip in (GDPR art. 15, 20; EDPB 01/2022).
"""

import html
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import is_dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from bot.domain.business import Business
from bot.domain.ids import Hidden
from bot.domain.plain import encode
from bot.privacy import inventory
from bot.privacy.inventory import Collection
from bot.privacy.msgid import N_, fill
from bot.privacy.notice import Notice

SCHEMA: Final = "recado-subject-export/1"

CHAT_LIMIT = 1000
"""Characters of one part of the answer in the chat."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Information(_Part):
    """One thing that GDPR art. 15(1) and (2) ask for beside the copy itself."""

    article: str = Field(description="Article of the GDPR.")
    heading: str
    paragraphs: tuple[str, ...]


class Section(_Part):
    """The rows of one collection, each with the fields that are stored about the person."""

    name: str = Field(description="Name of the collection in the database.")
    holds: str = Field(description="What it holds, in plain words.")
    kept: tuple[str, ...] = Field(description="How long its fields are kept.")
    rows: tuple[dict[str, Any], ...]


class SubjectExport(_Part):
    """The whole copy."""

    schema_name: Literal["recado-subject-export/1"] = Field(default=SCHEMA, alias="schema")
    reference: str = Field(
        description="Random reference of this copy's request; quote it when writing to the controller."
    )
    made_at: datetime = Field(description="When the copy was made (UTC); the data are as of then.")
    language: str
    controller: str
    contact: str
    numbers: tuple[str, ...] = Field(description="The number and WhatsApp user ids by which the person is known.")
    information: tuple[Information, ...]
    sections: tuple[Section, ...]

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    def json_text(self) -> str:
        """The file the person gets: UTF-8 JSON, indented, with the schema's name first."""
        return self.model_dump_json(indent=2, by_alias=True)


def json_schema() -> dict[str, Any]:
    """The JSON Schema of the file, for the documentation and for programs that read it (GDPR art. 20(1))."""
    return SubjectExport.model_json_schema(by_alias=True)


def assemble(
    rows: Mapping[str, Sequence[Mapping[str, Any]]], *, business: Business, notice: Notice, reference: str, made_at: datetime,
    numbers: Sequence[Hidden] = (),
) -> SubjectExport:  # fmt: skip
    """The copy of one person.

    Args:
        rows: raw documents by collection, their encrypted parts opened: under `p` a mapping instead of bytes. Encrypted bytes that
            could not be opened are left out.
        business: who answers.
        notice: the notice in the person's language; its points are the information of art. 15(1).
        reference: of the request.
        made_at: now, UTC.
        numbers: number and user ids, from the person's own address.

    Raises:
        ValueError: for a collection that the register does not know: nothing may be left out unseen.
    """
    unknown = sorted(set(rows) - set(inventory.COLLECTIONS))
    if unknown:
        raise ValueError(f"{', '.join(unknown)}: not in the register of stored data")
    sections = [_section(one, rows.get(one.name, ())) for one in inventory.collections_of_person()]
    return SubjectExport(
        reference=reference,
        made_at=made_at,
        language=notice.language,
        controller=business.controller.name,
        contact=business.dpo.email or business.controller.email or business.controller.address,
        numbers=tuple(one.value for one in numbers),
        information=tuple(
            Information(article=_ASKED_BY[one.key], heading=one.heading, paragraphs=one.paragraphs)
            for one in notice.points
            if one.key in _ASKED_BY
        ),
        sections=tuple(one for one in sections if one.rows),
    )


# Where art. 15 asks for what a point of the notice says.
_ASKED_BY = {
    "purposes": "15(1)(a)", "recipients": "15(1)(c)", "retention": "15(1)(d)", "rights": "15(1)(e)", "withdrawal": "15(1)(e)",
    "complaint": "15(1)(f)", "automated": "15(1)(h)", "transfers": "15(2)",
}  # fmt: skip


def _section(collection: Collection, rows: Sequence[Mapping[str, Any]]) -> Section:
    exported = [field for field in collection.fields if field.exported]
    wanted = {tuple(field.path.split(".")) for field in exported}
    copies = [_copy(row, wanted, ()) for row in rows]
    return Section(
        name=collection.name,
        holds=collection.holds,
        kept=tuple(dict.fromkeys(field.retention.words for field in exported)),
        rows=tuple(one for one in copies if one),
    )


def _copy(document: Mapping[str, Any], wanted: set[tuple[str, ...]], path: tuple[str, ...]) -> dict[str, Any]:
    """The exported fields of a document; `path` is where it stands."""
    out: dict[str, Any] = {}
    for key, value in document.items():
        here = (*path, str(key))
        if key == "p" and isinstance(value, Mapping):
            # The opened part: its names are listed as `p/name`, and below a name everything is the person's own.
            for name, inner in value.items():
                if _is_wanted((*path, f"p/{name}"), wanted):
                    out[str(name)] = plain(inner)
        elif isinstance(value, Mapping):
            inner_copy = _copy(value, wanted, here)
            if inner_copy:
                out[str(key)] = inner_copy
        elif isinstance(value, list | tuple) and any(isinstance(one, Mapping) for one in value):
            copies = [_copy(one, wanted, here) for one in value if isinstance(one, Mapping)]
            out[str(key)] = [one for one in copies if one]
        elif key not in ("_", "p") and _is_wanted(here, wanted):
            out[str(key)] = plain(value)
    return {key: value for key, value in out.items() if value not in ({}, [])}


def _is_wanted(path: tuple[str, ...], wanted: set[tuple[str, ...]]) -> bool:
    return path in wanted or any(
        len(one) == len(path) and all(want in ("*", got) for got, want in zip(path, one, strict=True)) for one in wanted
    )


def plain(value: Any) -> Any:
    """A stored value as JSON has it: times in ISO 8601, bytes in hex, our own values by their fields, `_` tags gone."""
    if isinstance(value, Hidden):
        return value.value
    if is_dataclass(value) and not isinstance(value, type):
        value = encode(value)
    if isinstance(value, Mapping):
        if set(value) == {"_", "v"}:
            return plain(value["v"])
        return {str(key): plain(one) for key, one in value.items() if key != "_"}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(one) for one in value]
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, bytes | bytearray):
        return bytes(value).hex()
    return value if value is None or isinstance(value, str | bool | int | float) else str(value)


# -- as a page ------------------------------------------------------------------------------------------------------------

_TITLE = N_("Your data at {controller}")
_MADE = N_("Made on {when}. Reference: {reference}. Questions: {contact}")
_KNOWN_BY = N_("You are known to us by")
_KEPT = N_("Kept: {how_long}")
_NOTHING = N_("We have stored nothing about you.")

_STYLE = (
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem;color:#111;background:#fff}"
    "table{border-collapse:collapse;width:100%;margin:0 0 1rem}th,td{border:1px solid #767676;padding:.3rem .5rem;text-align:start;"
    "vertical-align:top;overflow-wrap:anywhere}th{width:35%;background:#f2f2f2}"
)


def page(export: SubjectExport, translate: Callable[[str], str]) -> str:
    """The copy as one HTML page that needs nothing from elsewhere and runs no script; every value is escaped."""
    made = fill(
        translate(_MADE),
        when=export.made_at.isoformat(" ", "seconds"),
        reference=export.reference,
        contact=export.contact,
    )
    title = fill(translate(_TITLE), controller=export.controller)
    body = [f"<h1>{html.escape(title)}</h1>", f"<p>{html.escape(made)}</p>"]
    if export.numbers:
        body += [f"<h2>{html.escape(translate(_KNOWN_BY))}</h2>", _items(export.numbers)]
    if not export.sections:
        body.append(f"<p>{html.escape(translate(_NOTHING))}</p>")
    for section in export.sections:
        how_long = fill(translate(_KEPT), how_long="; ".join(translate(one) for one in section.kept))
        body += [f"<h2>{html.escape(translate(section.holds))}</h2>", f"<p>{html.escape(how_long)}</p>"]
        body += [_table(row) for row in section.rows]
    for one in export.information:
        body += [f"<h2>{html.escape(one.heading)}</h2>", _items(one.paragraphs)]
    head = f'<meta charset="utf-8"><meta name="robots" content="noindex"><title>{html.escape(title)}</title><style>{_STYLE}</style>'
    language = html.escape(export.language, quote=True)
    return (
        f'<!doctype html>\n<html lang="{language}" dir="auto"><head>{head}</head><body>\n'
        + "\n".join(body)
        + "\n</body></html>\n"
    )


def _items(lines: Sequence[str]) -> str:
    return "<ul>" + "".join(f"<li>{html.escape(line)}</li>" for line in lines) + "</ul>"


def _table(row: Mapping[str, Any]) -> str:
    cells = "".join(
        f'<tr><th scope="row">{html.escape(name)}</th><td>{html.escape(value)}</td></tr>' for name, value in _flat(row)
    )
    return f"<table>{cells}</table>"


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        for key, one in value.items():
            yield from _flat(one, f"{name} · {key}" if name else str(key))
    elif isinstance(value, list) and value:
        for number, one in enumerate(value, start=1):
            yield from _flat(one, f"{name} {number}")
    else:
        yield name, "" if value is None else str(value)


# -- in the chat ----------------------------------------------------------------------------------------------------------

_WE_HAVE = N_("This is what we have about you, in short:")
_YOU = N_("Language: {language}. Country: {country}. First message: {first}.")
_CONSENT = N_("{purpose}: {state} since {since}")
_STATES = {
    "given": N_("agreed"), "withdrawn": N_("taken back"), "refused": N_("refused"), "requested": N_("asked"),
    "pending_confirmation": N_("waiting for your second yes"), "expired": N_("expired"), "invalidated": N_("no longer valid"),
    "unknown": N_("never asked"),
}  # fmt: skip
_ROWS = N_("{holds}: {count}")
_FILE = N_("You can have it corrected or deleted: just say so.")


def summary(export: SubjectExport, business: Business, translate: Callable[[str], str]) -> tuple[str, ...]:
    """The short answer in the chat: who you are to us, your consents, how much there is; parts of at most 1000 characters.

    It shows no stored words, number or message: a screen may be read by others (privacy.md T13, T47). The file has them.
    """
    found = {section.name: section.rows for section in export.sections}
    conversation = found["conversations"][0] if found.get("conversations") else {}
    lines = [translate(_WE_HAVE if export.sections else _NOTHING)]
    if conversation:
        first = str(conversation.get("created_at", ""))[:10] or "–"
        who = {"language": str(conversation.get("language", "–")), "country": str(conversation.get("country", "–"))}
        lines.append(fill(translate(_YOU), first=first, **who))
    consents = conversation.get("consents", {})
    lines += ["• " + _consent_line(name, one, business, translate) for name, one in consents.items()]
    for section in export.sections:
        if section.name not in ("conversations", "identities", "subjects"):
            lines.append("• " + fill(translate(_ROWS), holds=translate(section.holds), count=str(len(section.rows))))
    return _parts([*lines, translate(_FILE)])


def _consent_line(name: str, one: Mapping[str, Any], business: Business, translate: Callable[[str], str]) -> str:
    declared = business.purposes.get(name)
    title = translate(declared.title) if declared else name
    state = translate(_STATES.get(str(one.get("state")), _STATES["unknown"]))
    return fill(translate(_CONSENT), purpose=title, state=state, since=str(one.get("since", ""))[:10] or "–")


def _parts(lines: Sequence[str]) -> tuple[str, ...]:
    """The lines joined into as few parts as the limit allows; a line that is too long by itself is cut between characters."""
    parts: list[str] = []
    for line in lines:
        for piece in (line[at : at + CHAT_LIMIT] for at in range(0, len(line), CHAT_LIMIT)):
            if parts and len(parts[-1]) + 1 + len(piece) <= CHAT_LIMIT:
                parts[-1] += f"\n{piece}"
            else:
                parts.append(piece)
    return tuple(parts)
