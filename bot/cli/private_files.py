"""Files that hold personal data: made new, readable by their owner alone, never half, never over another (GDPR art. 32)."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import click


def refuse_target(path: Path) -> None:
    """Says what is wrong with a place to write to before any work is done. Raises `click.UsageError`."""
    if path.exists() or path.is_symlink():
        raise click.UsageError(f"{path} exists already; nothing was written.")
    if not path.parent.is_dir():
        raise click.UsageError(f"There is no folder {path.parent}; make it first. Nothing was written.")


@contextmanager
def new_private_file(path: Path) -> Iterator[IO[bytes]]:
    """A new file of mode 0600, to be written in the context; it is taken away again when that fails.

    Raises `click.UsageError` when something stands there already, or its folder does not.
    """
    refuse_target(path)
    try:
        # The mode is set at birth, so that the file never stands open for a moment; O_EXCL follows no link.
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise click.UsageError(f"{path} exists already; nothing was written.") from None
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
    except BaseException:
        path.unlink(missing_ok=True)
        raise
