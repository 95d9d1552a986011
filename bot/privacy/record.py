"""The record of processing activities (GDPR art. 30(1)), made from the register of stored fields and from business.yaml.

Pure: what it says is what the program stores and what the business declared; nothing is written by hand, so nothing can be forgotten.
What only the business knows (processing outside this program) is for the business to add.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from bot.domain.business import Business
from bot.domain.business import Purpose as Declared
from bot.privacy import inventory
from bot.privacy.inventory import COLLECTIONS, Collection, DataClass, Field, Kept, Purpose
from bot.privacy.retention import Periods

SCHEMA = "recado-ropa/1"

SUBJECTS = "people who write to the business on WhatsApp or asked to be written to"

_PROTECTED: Mapping[Kept, str] = {
    Kept.ENCRYPTED: "encrypted under the person's own key (AES-256-GCM), which is wrapped and stands in another database",
    Kept.HASH: "keyed hash (HMAC-SHA-256); the key is outside the database",
    Kept.PSEUDONYMOUS: "random id",
    Kept.CLEAR: "clear: states, times and codes",
}

MEASURES = (
    "Each person has an own key; deleting it makes what it sealed unreadable, in backups too (art. 17, 32(1)(a)).",
    "Keys stand outside the databases, in files of their owner alone, in versions that are rotated while the program runs (art. 32(1)(a)).",
    "Every ciphertext is bound to its collection, row, field and person (art. 32(1)(b)).",
    "Numbers are looked up by keyed hashes; message ids, names and words stand nowhere in clear, in no log and in no metric (art. 25).",
    "What is past its time is deleted on schedule and read back (art. 5(1)(e), 25(2)).",
    "A restored backup is refused until the erasures, objections and withdrawals since were done again (art. 17, 32(1)(c)).",
    "Production refuses unencrypted connections, missing contracts and unsafe keys (art. 28, 32).",
)
"""General description of the technical measures (art. 30(1)(g)); each is shown by a test of this program."""


def record(business: Business, periods: Periods) -> dict[str, Any]:
    """The record as plain data, in a fixed order; `markdown` makes a page of it."""
    return {
        "schema": SCHEMA,
        "law": "GDPR art. 30(1)",
        "controller": business.controller.model_dump(),
        "officer": business.dpo.model_dump(),
        "activities": [_activity(name, one, periods) for name, one in business.purposes.items()],
        "system": [_system(purpose, periods) for purpose in Purpose],
        "recipients": [one.model_dump() for one in business.processors],
        "transfers": [
            {"recipient": one.name, "country": one.country, "safeguard": one.transfer}
            for one in business.processors if one.transfer
        ],
        "storage": business.notice.storage,
        "measures": list(MEASURES),
    }  # fmt: skip


def _activity(name: str, purpose: Declared, periods: Periods) -> dict[str, Any]:
    """One purpose the business declared."""
    return {
        "name": name,
        "purpose": purpose.title,
        "basis": purpose.basis,
        "interest": purpose.interest,
        "subjects": SUBJECTS,
        "data": list(purpose.data),
        "kept": length(purpose.keep_at_most) if purpose.keep_at_most else "",
        "proof_kept": length(periods.proof(name)) + " after the consent's end" if purpose.basis == "consent" else "",
    }


def _system(purpose: Purpose, periods: Periods) -> dict[str, Any]:
    """What the program itself stores for one purpose, by collection."""
    tables = []
    for table in COLLECTIONS.values():
        fields = [one for one in table.fields if one.purpose is purpose]
        if fields:
            tables.append(_table(table, fields, periods))
    return {
        "purpose": str(purpose),
        "subjects": SUBJECTS if any(one["person"] for one in tables) else "nobody",
        "stored": tables,
    }


def _table(table: Collection, fields: Iterable[Field], periods: Periods) -> dict[str, Any]:
    rows = [
        {
            "path": one.path, "class": str(one.data_class), "protection": _protection(one), "kept": _kept(one, periods),
            "after_erasure": one.kept_because,
        }
        for one in fields
    ]  # fmt: skip
    return {
        "collection": table.name,
        "holds": table.holds,
        "vault": table.vault,
        "person": bool(table.found_by),
        "fields": rows,
    }


def _protection(field: Field) -> str:
    if field.data_class is DataClass.SECRET:
        return (
            "wrapped under a key outside the databases"
            if field.kept is Kept.ENCRYPTED
            else "random; apart in the vault"
        )
    return _PROTECTED[field.kept]


def _kept(field: Field, periods: Periods) -> str:
    lasts = periods.lasts.get(field.retention.name)
    if lasts is None or lasts == field.retention.lasts:
        return field.retention.words
    return f"{length(lasts)} (counted from: {field.retention.counted_from})"


def length(lasts: timedelta) -> str:
    """A length of time in words, to the second: `3 years`, `8 days`, `12 hours`, `1 hour 30 minutes`, `10 minutes`."""
    days, seconds = lasts.days, lasts.seconds
    if days and days % 365 == 0 and not seconds:
        return _counted(days // 365, "year")
    if days < 2:
        days, seconds = 0, days * 86400 + seconds
    parts = [
        (days, "day"), (seconds // 3600, "hour"), (seconds % 3600 // 60, "minute"), (seconds % 60, "second"),
    ]  # fmt: skip
    return " ".join(_counted(count, unit) for count, unit in parts if count) or "at once"


def _counted(count: int, unit: str) -> str:
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"


# -- as a page ----------------------------------------------------------------------------------------------------------------


def markdown(plain: Mapping[str, Any]) -> str:
    """The record as a page to print or to hand to an authority (GDPR art. 30(4))."""
    controller, officer = plain["controller"], plain["officer"]
    lines = [
        "# Record of processing activities", "",
        "GDPR art. 30(1). Made by `recado ropa` from what is stored and declared; what you process elsewhere is yours to add.", "",
        "## Controller", "",
        *_pairs(controller), "",
        "## Data protection officer", "",
        *(_pairs({"name": officer["name"], "email": officer["email"]}) or [f"None: {_cell(officer['not_required_because'])}."]), "",
        "## Purposes", "",
        "| purpose | basis | people | data | kept |", "|---|---|---|---|---|",
        *(_row(_activity_cells(one)) for one in plain["activities"]), "",
        "## Recipients", "",
        "| recipient | what for | where | safeguard of a transfer | contract of | next review |", "|---|---|---|---|---|---|",
        *(_row([one[key] for key in ("name", "does", "country", "transfer", "contract", "review")]) for one in plain["recipients"]), "",
        f"Data are stored {_cell(plain['storage'])}.", "",
        "## What the program stores", "",
    ]  # fmt: skip
    for one in plain["system"]:
        lines += _system_lines(one)
    lines += ["## Measures of security", "", *(f"- {one}" for one in plain["measures"]), ""]
    return "\n".join(lines)


def _activity_cells(one: Mapping[str, Any]) -> list[str]:
    basis = f"{one['basis']}: {one['interest']}" if one["interest"] else one["basis"]
    kept = "; ".join(part for part in (one["kept"], f"proof: {one['proof_kept']}" if one["proof_kept"] else "") if part)
    return [f"{one['purpose']} (`{one['name']}`)", basis, one["subjects"], ", ".join(one["data"]), kept]


def _system_lines(one: Mapping[str, Any]) -> list[str]:
    lines = [f"### {one['purpose'][:1].upper()}{one['purpose'][1:]}", ""]
    for table in one["stored"]:
        where = " (vault)" if table["vault"] else ""
        lines += [f"**`{table['collection']}`**{where}: {table['holds']}", ""]
        lines += ["| fields | class | protection | kept | stays after an erasure because |", "|---|---|---|---|---|"]
        grouped: dict[tuple[str, str, str, str], list[str]] = {}
        for field in table["fields"]:
            key = (field["class"], field["protection"], field["kept"], field["after_erasure"])
            grouped.setdefault(key, []).append(f"`{field['path']}`")
        lines += [_row([" ".join(paths), *key]) for key, paths in grouped.items()]
        lines.append("")
    return lines


def _pairs(values: Mapping[str, str]) -> list[str]:
    return [f"- {name}: {_cell(value)}" for name, value in values.items() if value]


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(_cell(one) for one in cells) + " |"


def _cell(text: str) -> str:
    """One line that cannot break out of its cell."""
    return " ".join(str(text).split()).replace("|", "\\|")


def named(plain: Mapping[str, Any]) -> set[tuple[str, str]]:
    """(collection, path) of every field in a record: what a check holds against the register."""
    return {
        (table["collection"], field["path"])
        for one in plain["system"]
        for table in one["stored"]
        for field in table["fields"]
    }


def missing(plain: Mapping[str, Any]) -> set[tuple[str, str]]:
    """The stored fields that a record does not name; empty for one that was made by this version of the program."""
    return {(table.name, one.path) for table in inventory.COLLECTIONS.values() for one in table.fields} - named(plain)
