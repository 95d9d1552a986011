"""Key files: made once by `recado keys init`, read at start, checked before a byte of them is believed, rotated in one step.

Nothing here invents a key for a running program: a missing file is refused, because data sealed under a lost key are lost.
"""

import base64
import binascii
import fcntl
import json
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

from bot.domain.errors import SettingsProblem
from bot.privacy import crypto

SCHEMA = "recado-keys/1"

KINDS = ("kek", "index", "suppression", "ledger")
"""Four kinds of keys, four files: who holds one can do nothing with the others."""

_MORE_THAN_OWNER = stat.S_IRWXG | stat.S_IRWXO
_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH
_LARGEST = 64 * 1024


@dataclass(frozen=True, slots=True)
class KeyVersion:
    """One version of a key; the newest `since` is used for new rows, all of them for old ones (decisions.md 19)."""

    kid: str
    since: datetime
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeyFile:
    """All versions of one kind, the newest first.

    Attributes:
        event_key: of the index file only: the key of event ids, kept when the version it came from is dropped.
    """

    kind: str
    versions: tuple[KeyVersion, ...]
    event_key: bytes | None = field(default=None, repr=False)

    def current(self, now: datetime) -> KeyVersion:
        """The version new rows are made with: the newest whose `since` has come; the oldest where none has (a wrong clock).

        A version whose `since` lies ahead is for reading only, so that every process knows it before any writes under it.
        """
        return next((one for one in self.versions if one.since <= now), self.versions[-1])

    def find(self, kid: str) -> KeyVersion | None:
        """The version of that name, or None."""
        return next((one for one in self.versions if one.kid == kid), None)


def event_key(index: KeyFile) -> bytes:
    """The key of event ids derived from the oldest version of an index file; written into it before that version is dropped."""
    return crypto.keyed_hash(index.versions[-1].key, "event-key", crypto.TENANT)


def read(path: Path, kind: str) -> KeyFile:
    """The keys in a file. Raises `SettingsProblem` in plain words for a missing, readable-by-others, damaged or mistaken file."""
    try:
        data = _read_private(path)
    except FileNotFoundError:
        raise SettingsProblem(
            f"the {kind} key file {path} does not exist; `recado keys init DIR` makes one, or restore it from your backup"
        ) from None
    except OSError as problem:
        raise SettingsProblem(f"the {kind} key file {path} cannot be read: {problem.strerror}") from None
    try:
        plain = json.loads(data)
    except ValueError:
        raise SettingsProblem(
            f"the {kind} key file {path} is damaged: it is not JSON; restore it from your backup"
        ) from None
    return _parse(plain, path, kind)


def _read_private(path: Path) -> bytes:
    _refuse_open_folder(path)
    # Looked at through the opened file, so that it cannot be exchanged between the look and the reading.
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        facts = os.fstat(handle)
        if not stat.S_ISREG(facts.st_mode):
            raise SettingsProblem(f"the key file {path} is no ordinary file")
        if facts.st_mode & _MORE_THAN_OWNER:
            mode = stat.S_IMODE(facts.st_mode)
            raise SettingsProblem(
                f"the key file {path} is open to other accounts (mode {mode:04o}); run `chmod 600 {path}` and think about "
                "whether the keys must be rotated"
            )
        if facts.st_uid not in (os.geteuid(), 0):
            raise SettingsProblem(
                f"the key file {path} belongs to another account; it must be owned by the one that runs Recado"
            )
        return file.read(_LARGEST + 1)


def _refuse_open_folder(path: Path) -> None:
    """Whoever may write in the folder may put another file in the place of this one."""
    folder = path.resolve().parent
    mode = folder.stat().st_mode
    if mode & _WRITABLE_BY_OTHERS and not mode & stat.S_ISVTX:
        raise SettingsProblem(
            f"the folder {folder} of a key file may be written by other accounts (mode {stat.S_IMODE(mode):04o}); "
            f"run `chmod go-w {folder}` and look whether the keys are still yours"
        )


def _parse(plain: Any, path: Path, kind: str) -> KeyFile:
    if not isinstance(plain, dict) or plain.get("schema") != SCHEMA:
        raise SettingsProblem(f"{path} is no key file of Recado (`schema` must be {SCHEMA})")
    if plain.get("kind") != kind:
        raise SettingsProblem(f"{path} holds keys of another kind than `{kind}`; are two settings exchanged?")
    rows = plain.get("versions")
    if not isinstance(rows, list) or not rows:
        raise SettingsProblem(f"{path} holds no key; restore it from your backup")
    versions = [_version(row, path, number) for number, row in enumerate(rows, start=1)]
    if len({one.kid for one in versions}) != len(versions) or len({one.key for one in versions}) != len(versions):
        raise SettingsProblem(f"{path} holds the same `kid` or the same `key` twice")
    event_key = _key(plain["event_key"], path, "event_key") if "event_key" in plain else None
    newest_first = sorted(versions, key=lambda one: one.since, reverse=True)
    return KeyFile(kind, tuple(newest_first), event_key)


def _version(row: Any, path: Path, number: int) -> KeyVersion:
    where = f"version {number}"
    if not isinstance(row, dict) or not isinstance(row.get("kid"), str) or not row["kid"]:
        raise SettingsProblem(f"{path}, {where}: `kid` is missing")
    try:
        since = datetime.fromisoformat(row["since"])
    except (KeyError, TypeError, ValueError):
        raise SettingsProblem(
            f"{path}, {where}: `since` must be a date and time like 2026-01-31T00:00:00+00:00"
        ) from None
    if since.tzinfo is None:
        raise SettingsProblem(f"{path}, {where}: `since` needs a time zone, e.g. +00:00")
    return KeyVersion(row["kid"], since, _key(row.get("key"), path, where))


def _key(value: Any, path: Path, where: str) -> bytes:
    try:
        key = base64.b64decode(value, validate=True)
    except (TypeError, binascii.Error, ValueError):
        raise SettingsProblem(f"{path}, {where}: `key` is damaged (it must be base64)") from None
    if len(key) != crypto.KEY_BYTES:
        raise SettingsProblem(f"{path}, {where}: a key has {crypto.KEY_BYTES} bytes, this one has {len(key)}")
    return key


def create_key_files(folder: Path) -> list[Path]:
    """Makes one file per kind with a fresh key, readable by its owner only (0600); the folder is made 0700 if it is missing.

    Raises:
        SettingsProblem: when any of them is there already. Then nothing is written: overwriting a key destroys data.
    """
    paths = [folder / kind for kind in KINDS]
    standing = [path.name for path in paths if path.exists() or path.is_symlink()]
    if standing:
        raise SettingsProblem(f"{folder} holds key files already ({', '.join(standing)}); they are never overwritten")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    now = datetime.now(UTC).replace(microsecond=0)
    for path in paths:
        _write_new(path, _fresh(path.name, now))
    return paths


def _fresh(kind: str, now: datetime) -> str:
    return _text({"schema": SCHEMA, "kind": kind, "versions": [_row(_new_version(kind, now))]})


def _new_version(kind: str, since: datetime) -> KeyVersion:
    return KeyVersion(f"{kind}-{crypto.random_token(4)}", since, crypto.new_key())


def _row(version: KeyVersion) -> dict[str, str]:
    return {
        "kid": version.kid,
        "since": version.since.isoformat(),
        "key": base64.b64encode(version.key).decode(),
    }


def _text(plain: "_Plain") -> str:
    return json.dumps(plain, indent=2) + "\n"


def _write_new(path: Path, text: str, like: os.stat_result | None = None) -> None:
    # O_EXCL: made by us or not at all; the mode is set at birth, so that the key never stands open for a moment.
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        if like is not None and (like.st_uid, like.st_gid) != (os.geteuid(), os.getegid()):
            os.fchown(handle, like.st_uid, like.st_gid)  # rotated by root for the account that runs Recado
        file.write(text)
        file.flush()
        os.fsync(handle)


# -- changing a file ------------------------------------------------------------------------------------------------------

_Plain: TypeAlias = dict[str, Any]


def add_version(path: Path, kind: str, since: datetime) -> KeyVersion:
    """Adds a fresh version that is in use from `since` on, for reading at once. The file is the old one or the new one, never half.

    Raises `SettingsProblem` where the file cannot be trusted or written, and when a version is waiting for its time already.
    """

    def added(file: KeyFile, plain: _Plain) -> _Plain:
        waiting = [one.kid for one in file.versions if one.since >= since]
        if waiting:
            raise SettingsProblem(f"{path} holds a version ({waiting[0]}) that is in use only later; wait for it")
        return {**plain, "versions": [*plain["versions"], _row(new)]}

    new = _new_version(kind, since)
    _changed(path, kind, added)
    return new


def drop_version(path: Path, kind: str, kid: str, now: datetime) -> None:
    """Takes an old version out for good; what is sealed under it is lost, so the caller has counted that nothing is.

    Event ids stay the same: the key they come from is written down first (`event_key`). Raises `SettingsProblem` for a version
    that is not there or still in use.
    """

    def dropped(file: KeyFile, plain: _Plain) -> _Plain:
        if file.find(kid) is None:
            raise SettingsProblem(f"{path} holds no version {kid}; `recado keys status` lists them")
        place = file.versions.index(file.current(now))
        if all(one.kid != kid for one in file.versions[place + 1 :]):
            raise SettingsProblem(
                f"{kid} is in use, or will be; only a version that a newer one replaced can be retired"
            )
        rest = {**plain, "versions": [row for row in plain["versions"] if row["kid"] != kid]}
        if kind == "index":
            rest["event_key"] = base64.b64encode(file.event_key or event_key(file)).decode()
        return rest

    _changed(path, kind, dropped)


def _changed(path: Path, kind: str, change: Callable[[KeyFile, _Plain], _Plain]) -> None:
    path = path.resolve()
    with _alone(path):
        file = read(path, kind)
        fresh = path.with_name(f".{path.name}.new")
        fresh.unlink(missing_ok=True)  # what a killed rotation left; nobody ever used that key
        try:
            _write_new(fresh, _text(change(file, json.loads(path.read_bytes()))), path.stat())
            fresh.replace(path)
        except OSError as problem:
            raise SettingsProblem(f"the {kind} key file {path} cannot be replaced: {problem.strerror}") from None
        _sync_folder(path.parent)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """One rotation at a time; the lock ends with the process, however it ends."""
    try:
        handle = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as problem:
        raise SettingsProblem(f"the folder of the key file {path} cannot be opened: {problem.strerror}") from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _sync_folder(folder: Path) -> None:
    # Without it a power cut may bring the old file back after the new key was used.
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
