"""Looks for a person in raw documents: in clear, base64 and hex, in every field of every collection."""

import base64
import re
from collections.abc import Iterable, Iterator
from typing import Any

import bson
from pymongo import MongoClient

from bot.privacy import inventory

# What an erasure leaves, and why (decisions.md 16). A row of any other collection about a person is a failure.
KEPT = {
    "ledger": "skeleton: that consents were given and withdrawn, without words or number (GDPR art. 7(1), 17(3)(e))",
    "requests": "that the request was answered in time, without content (GDPR art. 5(2))",
    "suppressions": "keyed hashes by which nobody writes to the person again (GDPR art. 21(3))",
    "access_log": "who read the person's data, when and why, without the data (GDPR art. 5(2), 32)",
    "tombstones": "keyed hashes of message ids for eight days, against late redeliveries (GDPR art. 17)",
    "audit_log": "who of the business looked at the data and why, without content, under a random id (GDPR art. 5(2), 32)",
    "replay": "a random id by which a restored backup is erased again (GDPR art. 17, 32)",
}
ABOUT_NOBODY = frozenset(
    {
        "ledger_leaves",
        "ledger_heads",
        "flow_versions",
        "texts",
        "schema",
        "locks",
        "key_checks",
        "pace",
        "channel",
        "console_events",
        "api_keys",
        "api_answers",
        "staff",
        "credentials",
        "sessions",
        "canned_replies",
    }
)


def spellings(secret: str) -> frozenset[bytes]:
    """A secret as it might stand somewhere: in clear, in base64 at each of its three alignments, in hex, reversed."""
    data = secret.encode()
    forms = {data, data.hex().encode(), secret[::-1].encode(), secret.encode("utf-16-le")}
    for shift in range(3):
        coded = base64.b64encode(b"\0" * shift + data)
        start = -(-shift * 8 // 6)
        forms.add(coded[start : start + (len(data) * 8 // 6) - 2])
    return frozenset(form for form in forms if len(form) > 4)


def documents(uri: str, names: Iterable[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every raw document of these databases."""
    with MongoClient(uri) as client:
        for name in names:
            for collection in client[name].list_collection_names():
                for document in client[name][collection].find({}):
                    yield collection, document


def found(uri: str, names: Iterable[str], secrets: Iterable[str]) -> list[str]:
    """`collection: secret number` for each place a secret was found in; empty when it is nowhere."""
    wanted = [(index, form) for index, secret in enumerate(secrets) for form in spellings(secret)]
    hits = []
    for collection, document in documents(uri, names):
        raw = bson.encode(document)
        text = _decoded(raw)
        hits += [f"{collection}: secret {index}" for index, form in wanted if form in raw or form in text]
    return sorted(set(hits))


def _decoded(raw: bytes) -> bytes:
    """The bytes in lower case, so that upper-case hex does not hide anything."""
    return raw.lower()


def strangers(uri: str, names: Iterable[str]) -> list[str]:
    """What stands in the raw documents and not in the register, or stands there otherwise than the register says (GDPR art. 30, 32).

    A field that is listed as encrypted holds bytes that BSON cannot read; one listed as a hash holds hex digits or bytes.
    """
    faults = set()
    for name, document in documents(uri, names):
        faults |= {f"{name}.{path}: not listed" for path in inventory.unlisted(name, document)}
        for listed in inventory.COLLECTIONS[name].fields if name in inventory.COLLECTIONS else ():
            for value in _values(document, listed.path.split(".")):
                if not _as_said(value, listed.kept):
                    faults.add(f"{name}.{listed.path}: not kept as {listed.kept}")
    return sorted(faults)


def _values(value: Any, path: list[str]) -> Iterator[Any]:
    """Whatever stands at a path, through lists and any key of a map."""
    if isinstance(value, list) and (path or any(isinstance(one, dict) for one in value)):
        for one in value:
            yield from _values(one, path)
    elif not path:
        yield value
    elif isinstance(value, dict):
        for key, one in value.items():
            if path[0] in ("*", key):
                yield from _values(one, path[1:])


def _as_said(value: Any, kept: inventory.Kept) -> bool:
    if value in (None, [], {}):
        return True
    if kept is inventory.Kept.ENCRYPTED:
        return isinstance(value, bytes) and not _is_bson(value)
    if kept is inventory.Kept.HASH:
        each = value if isinstance(value, list) else [value]
        return all(isinstance(one, bytes) or re.fullmatch(r"[0-9a-f]{24,64}(:[a-z0-9_]+)?", str(one)) for one in each)
    return True


def _is_bson(value: bytes) -> bool:
    try:
        bson.decode(value)
    except bson.errors.BSONError:
        return False
    return True
