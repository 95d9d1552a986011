"""The format flow files are written in, by number, and how a file of an earlier one is read.

A file says `format: 2`; without a word it is read as the first. A migration brings a file from one format to the next in its plain data,
part for part, so that every place an error names stays where the author wrote it. What was published long ago is read the same way
(`loader.recompiled`), so that nobody who stands in it is lost.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bot.engine.reading import Source

FIRST, CURRENT = 1, 2


def brought_up(source: Source) -> bool:
    """Makes the data of a flow file that of the current format. False, with the reason reported, where that cannot be."""
    if not isinstance(source.data, dict):
        return True  # what else is wrong with it the schema tells
    written = source.data.get("format", FIRST)
    if not isinstance(written, int) or isinstance(written, bool) or written < FIRST:
        reason = f"`{written}` is no format of flow files."
        source.report("format-unknown", ("format",), reason, f"Write `format: {CURRENT}`, or leave the line out.")
        return False
    if written > CURRENT:
        reason = f"This flow is written in format {written}; this Recado reads formats up to {CURRENT}."
        source.report("format-newer", ("format",), reason, "Use a newer Recado, or the file as it was before.")
        return False
    for number in range(written, CURRENT):
        MIGRATIONS[number](source.data)
    source.data = {**source.data, "format": CURRENT} if "format" in source.data else source.data
    return True


def _first_to_second(flow: dict[str, Any]) -> None:
    """`my_data: export` is `my_data: file` now, and `how_used` is the built-in flow `privacy`."""
    for step in _dicts(flow):
        if step.get("my_data") == "export":
            step["my_data"] = "file"
        elif step.get("my_data") == "how_used":
            del step["my_data"]
            step["run"] = "privacy"


def _dicts(node: Any) -> Iterator[dict[str, Any]]:
    """All mappings inside plain data, outermost first."""
    if isinstance(node, dict):
        yield node
        for one in list(node.values()):
            yield from _dicts(one)
    elif isinstance(node, list):
        for one in node:
            yield from _dicts(one)


MIGRATIONS: Mapping[int, Callable[[dict[str, Any]], None]] = {1: _first_to_second}
"""Format to what brings a file of it to the next."""
