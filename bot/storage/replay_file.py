"""The replay list as a file of its own, for one host whose vault may be lost together with the main database (decisions.md 15).

One JSON object a line, on the disk before the answer (fsync). It holds random ids and keyed hashes only, and is its owner's alone.
What the entries mean stands in `replays`.
"""

import fcntl
import json
import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from bot.domain.errors import RetryLater, SettingsProblem

Entry = dict[str, Any]
_TIMES = ("at", "since", "expires")


class ReplayFile:
    """Append-only but for `compact`; several processes of one host may use it at once."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def check(self) -> None:
        """Raises `SettingsProblem` when nothing can be written here: said at the start, not at the first STOP."""
        try:
            with self._locked():
                return
        except OSError as problem:
            raise SettingsProblem(
                f"the replay file {self._path} cannot be written ({problem.strerror}); make its folder, or name another file in "
                "RECADO_PRIVACY__REPLAY_FILE"
            ) from None

    def append(self, entries: Iterable[Mapping[str, Any]]) -> None:
        """Durable when it returns. Raises `RetryLater` when the disk did not take it."""
        lines = "".join(f"{json.dumps(_plain(one), sort_keys=True)}\n" for one in entries)
        if not lines:
            return
        try:
            with self._locked() as handle:
                self._end_torn_line(handle)
                os.write(handle, lines.encode())
                os.fsync(handle)
        except OSError as problem:
            raise RetryLater(f"the replay file cannot be written ({problem.strerror})") from None

    def entries(self) -> list[Entry]:
        """What holds now, by id: a later line of the same id counts, a `lifted` one takes its id away.

        Raises `SettingsProblem` when the file cannot be trusted. A last line that a crash cut short was never answered for.
        """
        if not self._path.exists():
            return []
        self._refuse_open()
        try:
            lines = self._path.read_bytes().split(b"\n")
        except OSError as problem:
            raise SettingsProblem(f"the replay file {self._path} cannot be read: {problem.strerror}") from None
        found: dict[str, Entry] = {}
        for number, line in enumerate(lines, start=1):
            if line:
                self._take(found, line, number, last=number == len(lines))
        return list(found.values())

    def _take(self, found: dict[str, Entry], line: bytes, number: int, *, last: bool) -> None:
        try:
            entry = _read(json.loads(line))
        except (ValueError, KeyError, TypeError):
            if last:
                return
            raise SettingsProblem(
                f"the replay file {self._path} is damaged in line {number}; restore it from its newest copy"
            ) from None
        if entry["kind"] == "lifted":
            found.pop(entry["_id"], None)
        else:
            known = found.get(entry["_id"])
            if known is None or known.get("since") is None or known["since"] <= entry["since"]:
                found[entry["_id"]] = entry

    def compact(self, now: datetime) -> int:
        """Leaves out what no backup can bring back any more; returns how many entries went. The file is the old or the new one."""
        with self._locked():
            standing = self.entries()
            kept = [one for one in standing if one["expires"] > now]
            fresh = self._path.with_name(f".{self._path.name}.new")
            fresh.unlink(missing_ok=True)
            handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.writelines(f"{json.dumps(_plain(one), sort_keys=True)}\n" for one in kept)
                file.flush()
                os.fsync(handle)
            fresh.replace(self._path)
            _sync(self._path.parent)
        return len(standing) - len(kept)

    @contextmanager
    def _locked(self) -> Iterator[int]:
        """The file itself, alone; opened again where another process compacted it meanwhile."""
        while True:
            made = not self._path.exists()
            handle = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX)
                if self._path.exists() and os.path.samestat(os.fstat(handle), self._path.stat()):
                    self._refuse_open()
                    if made:
                        _sync(self._path.parent)
                    yield handle
                    return
            finally:
                os.close(handle)

    @staticmethod
    def _end_torn_line(handle: int) -> None:
        """A crash may have cut the last line short; the next one must not hang on to it."""
        size = os.fstat(handle).st_size
        if size and os.pread(handle, 1, size - 1) != b"\n":
            start = os.pread(handle, size, 0).rfind(b"\n") + 1
            os.ftruncate(handle, start)

    def _refuse_open(self) -> None:
        mode = self._path.stat().st_mode
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise SettingsProblem(
                f"the replay file {self._path} is open to other accounts (mode {stat.S_IMODE(mode):04o}); "
                f"run `chmod 600 {self._path}`"
            )


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _plain(entry: Mapping[str, Any]) -> Entry:
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in entry.items()}


def _read(plain: Any) -> Entry:
    entry = {name: datetime.fromisoformat(value) if name in _TIMES else value for name, value in plain.items()}
    if not isinstance(entry["_id"], str) or not isinstance(entry["kind"], str):
        raise TypeError
    return entry


def entries_of(rows: Sequence[Mapping[str, Any]]) -> dict[str, Entry]:
    """Rows by their id."""
    return {row["_id"]: dict(row) for row in rows}
