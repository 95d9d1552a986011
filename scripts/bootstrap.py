"""Build .venv exactly as uv.lock says, on a machine that has only Python: `python scripts/bootstrap.py`.

Lives here: the steps from nothing to a synced environment, with the standard library alone. Never: a version or a hash of
a dependency; those stand in uv.lock and, for uv itself, in bootstrap.txt.
"""

# ruff: noqa: T201 - its reader sits at a terminal, and logging is set up by nobody yet

import os
import platform
import re
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = ROOT / ".venv"
TOOL = ENVIRONMENT / "tool"
"""uv lives in a small environment inside the big one, because `uv sync` removes from the big one what the lock does not name."""

EMBEDDED = "secantusdb"


def has_wheel(lock: str, package: str, version: tuple[int, int], system: str, machine: str) -> bool:
    """Whether the lock names a wheel of the package for this CPython version, operating system and processor."""
    marks = {"Linux": "linux", "Darwin": "macosx", "Windows": "win"}
    entries = [entry for entry in tomllib.loads(lock)["package"] if entry["name"] == package]
    names = [wheel["url"].rpartition("/")[2] for entry in entries for wheel in entry.get("wheels", [])]
    return any(
        f"-cp{version[0]}{version[1]}-" in name and marks.get(system, "?") in name and machine.lower() in name.lower()
        for name in names
    )


def version_of(environment: Path) -> tuple[int, int] | None:
    """The Python version of a virtual environment; None where there is none."""
    settings = environment / "pyvenv.cfg"
    found = (
        re.search(r"^version(?:_info)? *= *(\d+)\.(\d+)", settings.read_text(), re.MULTILINE)
        if settings.is_file()
        else None
    )
    return (int(found[1]), int(found[2])) if found else None


def run(*command: str | Path) -> None:
    """Run a step and stop with its exit status if it fails; its own output says why."""
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    finished = subprocess.run(  # noqa: S603 - the commands below, nothing from outside
        [str(part) for part in command],
        cwd=ROOT,
        env={**environment, "UV_PYTHON_DOWNLOADS": "never", "UV_PROJECT_ENVIRONMENT": str(ENVIRONMENT)},
        check=False,
    )
    if finished.returncode:
        print(f"\nRecado could not be set up: `{Path(command[0]).name} ...` failed, see above.", file=sys.stderr)
        raise SystemExit(finished.returncode)


def main() -> None:
    """Create the environments if they are missing, then make the big one match the lock."""
    binaries = "Scripts" if os.name == "nt" else "bin"
    if version_of(ENVIRONMENT) != sys.version_info[:2]:
        venv.create(ENVIRONMENT, with_pip=False, clear=True, symlinks=os.name != "nt")
    pinned = ROOT / "scripts" / "bootstrap.txt"
    installed = TOOL / "bootstrap.txt"
    if not installed.is_file() or installed.read_text() != pinned.read_text():
        print("Fetching the installer ...", flush=True)
        venv.create(TOOL, with_pip=True, clear=True, symlinks=os.name != "nt")
        run(TOOL / binaries / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
            "--require-hashes", "--only-binary=:all:", "-r", pinned)  # fmt: skip
        installed.write_text(pinned.read_text())

    extras = ["--all-extras"]
    python = ENVIRONMENT / binaries / "python"
    if not has_wheel(
        (ROOT / "uv.lock").read_text(), EMBEDDED, sys.version_info[:2], platform.system(), platform.machine()
    ):
        extras = ["--all-extras", "--no-extra", "embedded"]
        print(
            f"The embedded database has no build for Python {platform.python_version()} on {platform.system()} "
            f"{platform.machine()}. Everything else works; for the demo and the tests set RECADO_STORAGE__URI and "
            "RECADO_TEST_MONGO_URI to a MongoDB of yours, or use Python 3.11 to 3.13 on Linux or an ARM Mac.",
            file=sys.stderr,
        )
    print("Fetching what uv.lock names ...", flush=True)
    run(TOOL / binaries / "uv", "sync", "--frozen", "--quiet", "--python", python, *extras)
    print("Ready.", flush=True)


if __name__ == "__main__":
    main()
