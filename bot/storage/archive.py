"""A database as one file, by the driver alone: for the embedded database, and where MongoDB's own tools are not at hand.

The file is gzipped BSON: a head, every document behind the name of its collection, and an end with the counts, so that a file that
was cut short is not taken for a whole one. Indexes are not in it; a start of the bot makes them.
"""

import gzip
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import bson
from bson.raw_bson import RawBSONDocument

from bot.domain.errors import RecadoError
from bot.storage.mongo import Document, reaches

FORMAT = "recado-archive/1"
BATCH = 200
_LARGEST = 17 * 1024 * 1024
"""Bytes a document may have (MongoDB: 16 MiB), with the name of its collection around it."""


class BadArchive(RecadoError):
    """The file is no archive, or not a whole one; nothing was changed in the database."""


@reaches
async def dump(database: Any, path: Path, now: datetime) -> dict[str, int]:
    """Writes every collection of a database; the file appears when it is whole and on the disk, readable by its owner alone.

    Returns collection to count. Not a snapshot: a row that changes meanwhile stands in it as it was or as it is.
    """
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    counts: dict[str, int] = {}
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as raw:
        with gzip.GzipFile(fileobj=raw, mode="wb", filename="") as file:
            file.write(bson.encode({"format": FORMAT, "at": now}))
            for name in sorted(await database.list_collection_names()):
                if name.startswith("system."):
                    continue
                counts[name] = 0
                async for document in database[name].find({}):
                    file.write(bson.encode({"c": name, "d": document}))
                    counts[name] += 1
            file.write(bson.encode({"end": counts}))
        raw.flush()
        os.fsync(handle)
    fresh.replace(path)
    return counts


def read(path: Path) -> Iterator[tuple[str, RawBSONDocument]]:
    """(collection, document) of a whole archive. Raises `BadArchive`, at the latest at its end."""
    counts: dict[str, int] = {}
    try:
        with gzip.open(path, "rb") as file:
            head = _next(file)
            if head is None or head.get("format") != FORMAT:
                raise BadArchive(f"{path} is no archive of Recado")
            while (document := _next(file)) is not None:
                if "end" in document:
                    if dict(document["end"]) != {**dict.fromkeys(document["end"], 0), **counts}:
                        raise BadArchive(f"{path} holds other documents than it says")
                    if file.read(1):  # and the file's own check sum is looked at
                        raise BadArchive(f"{path} goes on after its end")
                    return
                counts[document["c"]] = counts.get(document["c"], 0) + 1
                yield document["c"], document["d"]
    except (OSError, EOFError, KeyError, bson.errors.BSONError) as problem:
        raise BadArchive(f"{path} is damaged ({type(problem).__name__})") from None
    raise BadArchive(f"{path} is cut short")


def _next(file: Any) -> RawBSONDocument | None:
    """The next document; None at the end of the file."""
    size = file.read(4)
    if not size:
        return None
    length = int.from_bytes(size, "little")
    if not 5 <= length <= _LARGEST:
        raise EOFError
    rest = file.read(length - 4)
    if len(rest) != length - 4:
        raise EOFError
    return RawBSONDocument(size + rest)


@reaches
async def restore(database: Any, path: Path) -> dict[str, int]:
    """Puts the archive in the place of everything the database holds; returns collection to count.

    Raises `BadArchive` before anything is changed. Interrupted it must be repeated: the database is neither old nor new then.
    """
    for _ in read(path):
        """All of it is looked at before anything is changed."""
    for name in await database.list_collection_names():
        if not name.startswith("system."):
            await database[name].delete_many({})
    counts: dict[str, int] = {}
    waiting: list[Document] = []
    place = ""
    for name, document in read(path):
        if waiting and (name != place or len(waiting) >= BATCH):
            await database[place].insert_many(waiting, ordered=False)
            waiting = []
        place = name
        waiting.append(document)  # type: ignore[arg-type]
        counts[name] = counts.get(name, 0) + 1
    if waiting:
        await database[place].insert_many(waiting, ordered=False)
    return counts
