"""The embedded database: a MongoDB-compatible server run as a separate process for demos, tests and first steps.

Lives here: finding, starting, watching, stopping and (for crash tests) killing that process. Must never live here: an import
of the database's own code. It is GPL-2.0 and stays on the other side of a process boundary (docs/adr/0010).
"""

import asyncio
import fcntl
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from bot.domain.errors import RecadoError

PROGRAM = "secantusd-py"
DEFAULT_PATH = Path(".recado/db")

START_SECONDS = 60.0
"""Long, because a first start on a slow disk and a start after a crash (the journal is replayed) take their time."""
STOP_SECONDS = 15.0
LOCK_SECONDS = STOP_SECONDS + 5.0
"""How long a server whose owner died may need to close its files before the path counts as stuck."""
POLL_SECONDS = 0.05

OPLOG_SECONDS = 60
"""The oplog holds whole documents for a while after they were erased; a minute is enough to resume a cursor (GDPR art. 17)."""

_LISTENING = re.compile(r"secantus listening on 127\.0\.0\.1:(\d+)")

_HANDED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR")
"""The only environment the server sees: no secret of ours, and no SECANTUS_ variable that would change its durability."""

# Runs in an interpreter of its own, before it becomes the server. The forked half holds our pipe and ends the server when
# the pipe closes, which the kernel does even when we die by SIGKILL. It asks for its parent's id before every signal, so
# that it can never hit a stranger who was given the same number.
_LAUNCHER = """
import os, signal, sys, time
server = os.getpid()
if os.fork() == 0:
    while os.read(0, 1):
        pass
    if os.getppid() == server:
        os.kill(server, signal.SIGTERM)
    limit = time.monotonic() + float(sys.argv[1])
    while os.getppid() == server and time.monotonic() < limit:
        time.sleep(0.05)
    if os.getppid() == server:
        os.kill(server, signal.SIGKILL)
    os._exit(0)
os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
os.execv(sys.argv[2], sys.argv[2:])
"""


class EmbeddedDatabaseMissing(RecadoError):
    """The embedded database is not installed here; the text says what to install or to set instead."""


class EmbeddedDatabaseBusy(RecadoError):
    """Another running process uses this storage path; nothing was touched."""


class EmbeddedDatabaseFailed(RecadoError):
    """The embedded database did not start or did not answer; the text holds the last lines of its own log."""


def find_program() -> Path:
    """Say where the server's console script is.

    Raises:
        EmbeddedDatabaseMissing: it is not installed beside this interpreter nor on the PATH.
    """
    beside = Path(sys.executable).with_name(PROGRAM)
    if beside.is_file():
        return beside
    found = shutil.which(PROGRAM)
    if found is None:
        raise EmbeddedDatabaseMissing(
            "The embedded database is not installed here. It exists for Python 3.11 to 3.13 on Linux (x86_64, aarch64) and "
            "macOS (arm64): install it with `pip install 'recado[embedded]'`, or set RECADO_STORAGE__URI to a MongoDB "
            "of your own."
        )
    return Path(found)


class EmbeddedDatabase:
    """One embedded server on 127.0.0.1, alive for as long as this object's context, and never longer than this process.

    Every write of the client that uses `uri` waits for the journal (`w=majority`, `j=true`), so what was acknowledged
    survives `kill()`. Inside an event loop use `async with`; elsewhere `with`.

    Args:
        path: folder of the data, kept after the end. `None`: a temporary one, removed at the end.
        port: 0 takes a free one. It stays the same over `restart()`.

    Raises (on entering the context):
        EmbeddedDatabaseMissing: the package is not installed.
        EmbeddedDatabaseBusy: the path is in use by another running process.
        EmbeddedDatabaseFailed: the server ended or did not answer in time.
    """

    def __init__(self, path: Path | None = DEFAULT_PATH, port: int = 0) -> None:
        self._wanted = path
        self._temporary: Path | None = None
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None
        self._lock: IO[str] | None = None

    # --- what users ask ---------------------------------------------------------------------

    @property
    def port(self) -> int:
        """The port it listens on; 0 before the first start when none was asked for."""
        return self._port

    @property
    def uri(self) -> str:
        """Connection string with journaled, majority writes; meaningful once the context is entered."""
        return f"mongodb://127.0.0.1:{self._port}/?directConnection=true&w=majority&journal=true"

    @property
    def pid(self) -> int:
        """Process id of the server itself, not of the watcher beside it.

        Raises:
            EmbeddedDatabaseFailed: it is not running.
        """
        if self._process is None:
            raise EmbeddedDatabaseFailed("The embedded database is not running.")
        return self._process.pid

    def is_running(self) -> bool:
        """Whether the server process is alive; a dead one is noticed here, not reported by itself."""
        return self._process is not None and self._process.poll() is None

    # --- start and end ----------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        try:
            self._open()
            self._spawn()
            await asyncio.to_thread(self._wait_until_ready)
        except BaseException:
            self._abandon()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.stop)

    def __enter__(self) -> Self:
        try:
            self._open()
            self._spawn()
            self._wait_until_ready()
        except BaseException:
            self._abandon()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End the server in order (SIGTERM, SIGKILL after `STOP_SECONDS`) and free the path; harmless when it is not running."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._abandon()

    # --- for crash tests --------------------------------------------------------------------

    def kill(self) -> None:
        """Kill the server with SIGKILL and wait until it is gone; the path stays ours and `restart` brings it back."""
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process = None

    def restart(self) -> None:
        """Start the server again on the same path and port, after `kill` or over a running one (which is killed); blocks.

        Raises:
            EmbeddedDatabaseFailed: it did not come back.
        """
        if self._lock is None:
            raise EmbeddedDatabaseFailed("Only an embedded database whose context is entered can be restarted.")
        self.kill()
        self._spawn()
        self._wait_until_ready()

    # --- inside -----------------------------------------------------------------------------

    @property
    def _path(self) -> Path:
        path = self._wanted or self._temporary
        if path is None:
            raise EmbeddedDatabaseFailed("The embedded database has not been started.")
        return path

    def _beside(self, suffix: str) -> Path:
        return self._path.with_name(self._path.name + suffix)

    def _open(self) -> None:
        """Make the folder and take the path for ourselves."""
        find_program()
        if self._wanted is None:
            self._temporary = Path(tempfile.mkdtemp(prefix="recado-db-")) / "db"
        self._path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = _take(self._beside(".lock"))
        # An empty file of settings, named on the command line, keeps the server from looking for one elsewhere.
        self._beside(".toml").write_text("")

    def _spawn(self) -> None:
        assert self._lock is not None  # noqa: S101 - `_open` came before
        program = str(find_program())
        command = [program, "--config", str(self._beside(".toml")), "--host", "127.0.0.1", "--port", str(self._port),
                   "--storage-path", str(self._path), "--oplog-retention-seconds", str(OPLOG_SECONDS)]  # fmt: skip
        with self._beside(".log").open("wb") as log:
            # A session of its own: Ctrl-C in the terminal ends the bot first, which still needs its database to finish.
            # The lock is inherited, so that the path stays taken until the server has really closed its files.
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and the program found above
                [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(STOP_SECONDS), *command],
                stdin=subprocess.PIPE, stdout=log, stderr=subprocess.STDOUT, pass_fds=(self._lock.fileno(),),
                env={name: os.environ[name] for name in _HANDED_ON if name in os.environ}, start_new_session=True,
            )  # fmt: skip

    def _wait_until_ready(self) -> None:
        limit = time.monotonic() + START_SECONDS
        while time.monotonic() < limit:
            if not self.is_running():
                raise EmbeddedDatabaseFailed(f"The embedded database ended while starting. {self._last_words()}")
            listening = _LISTENING.search(self._beside(".log").read_text(errors="replace"))
            if listening is not None:
                self._port = int(listening[1])
                if _answers(self.uri):
                    return
            time.sleep(POLL_SECONDS)
        raise EmbeddedDatabaseFailed(
            f"The embedded database did not answer within {START_SECONDS:.0f} s. {self._last_words()}"
        )

    def _last_words(self) -> str:
        lines = self._beside(".log").read_text(errors="replace").splitlines()[-3:]
        return f"Its log ({self._beside('.log')}) ends: " + " / ".join(lines) if lines else "Its log is empty."

    def _abandon(self) -> None:
        """Leave nothing behind: no process, no lock, no temporary folder."""
        self.kill()
        if self._lock is not None:
            self._lock.truncate(0)
            self._lock.close()
            self._lock = None
        if self._temporary is not None:
            shutil.rmtree(self._temporary.parent, ignore_errors=True)
            self._temporary = None


def _answers(uri: str) -> bool:
    client: MongoClient[dict[str, object]] = MongoClient(uri, serverSelectionTimeoutMS=1000)
    try:
        client.admin.command("ping")
    except PyMongoError:
        return False
    finally:
        client.close()
    return True


def _take(path: Path) -> IO[str]:
    """Lock this file for our process and the server we start, and write our process id into it."""
    lock = path.open("a+")
    limit = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            owner = lock.read().strip()
            if _alive(owner) or time.monotonic() > limit:
                lock.close()
                raise EmbeddedDatabaseBusy(
                    f"The database folder {path.with_suffix('')} is in use by process {owner or 'unknown'}. "
                    "Stop that one first, or choose another folder."
                ) from None
            time.sleep(POLL_SECONDS)  # its owner is gone and the server is just closing its files
            continue
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        return lock


def _alive(owner: str) -> bool:
    if not owner.isdigit():
        return False
    try:
        os.kill(int(owner), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
