"""A small project to be broken: a copy of the shipped one, in a folder of the test's own."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

FLOW = """\
flow: parcel
title: Parcel
language: en
purpose: orders
starts:
  - words: [parcel]
data:
  size: {type: text, keep: until_end}
steps:
  - ask: How large is it?
    into: size
    outcomes:
      silent: [end]
  - say: "Thank you, {size} it is."
  - end
"""
"""A flow without a fault."""


def copied(folder: Path) -> Path:
    """The example business without its built-in flows (those come with Recado) and without catalogs."""
    project = folder / "shop"
    (project / "flows").mkdir(parents=True)
    for path in (ROOT / "flows").glob("*.yaml"):
        shutil.copy(path, project / "flows" / path.name)
    return project


def fresh(
    *arguments: str, env: Mapping[str, str] | None = None, text: str = "", cwd: Path | None = None
) -> "subprocess.CompletedProcess[str]":
    """The command in a process of its own, as a user starts it: without the settings of this one but `env`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RECADO_", "PYTHONDONTWRITE"))}
    kept["PYTHONPYCACHEPREFIX"] = str(
        Path(tempfile.gettempdir()) / "recado-tests-bytecode"
    )  # as fast as where it is installed
    return subprocess.run(
        [sys.executable, "-m", "bot", *arguments], env={**kept, "PYTHONPATH": str(ROOT), **(env or {})}, cwd=cwd or ROOT,
        input=text, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
