"""A small project to be broken: a copy of the shipped one, in a folder of the test's own."""

import shutil
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
