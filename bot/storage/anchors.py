"""The file drop: tree heads as files in a folder that the operator of the database should not be able to write (decisions.md 17).

A file is made once and never opened for writing again, so the folder may be append-only or a mount of somebody else's.
"""

import asyncio
import os
from pathlib import Path

from bot.domain.errors import RetryLater, Unreadable
from bot.privacy.ledger.heads import TreeHead, head_file, read_head

_MOST = 4096
PREFIX, SUFFIX = "recado-head-", ".json"


class FileDrop:
    """The sequencer's `Anchor`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def drop(self, head: TreeHead) -> None:
        """Raises `RetryLater` with the reason when the folder cannot take the file now."""
        try:
            await asyncio.to_thread(_drop, self._folder, head)
        except OSError as problem:
            raise RetryLater(f"the anchor folder cannot be written ({problem.strerror})") from None


def _drop(folder: Path, head: TreeHead) -> None:
    content = head_file(head)
    name = f"{PREFIX}{head.id.replace(':', '-')}"
    for again in range(100):
        path = folder / f"{name}{f'-{again}' if again else ''}{SUFFIX}"
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        except FileExistsError:
            if path.read_bytes() == content:
                return
            continue  # cut short by a crash, or signed by another process at another moment: both stay
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(handle)
        return
    raise OSError(17, "a hundred files of this head are there already")


def read_heads(place: Path) -> tuple[list[TreeHead], list[str]]:
    """Heads from a file or from all files of a folder, and what could not be read. Raises `OSError` where there is nothing to read."""
    paths = sorted(place.glob(f"{PREFIX}*{SUFFIX}")) if place.is_dir() else [place]
    heads: dict[tuple[str, bytes], TreeHead] = {}
    troubles = []
    for path in paths:
        try:
            head = read_head(path.read_bytes()[:_MOST])
        except Unreadable as problem:
            troubles.append(f"{path.name}: {problem}")
            continue
        heads[head.id, head.root] = head
    return list(heads.values()), troubles
