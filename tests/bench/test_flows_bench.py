"""A folder of two hundred flows: read, checked, drawn."""

import time

from bot.app.project import privacy_meaning
from bot.engine.diagram import svg
from bot.engine.loader import load
from tests.engine.phone import FLOWS, files


def test_print_how_long_two_hundred_flows_take() -> None:
    """Copies of the order flow under names and start words of their own, beside the shipped ones."""
    text = (FLOWS / "order_status.yaml").read_text()
    start = next(line for line in text.splitlines() if line.startswith("  - words:"))
    many = {
        f"copy_{number}": text.replace("flow: order_status", f"flow: copy_{number}").replace(
            start, f"  - words: [parcel number {number}]"
        )
        for number in range(200)
    }
    began = time.perf_counter()
    loaded = load(files(**many), meaning=privacy_meaning)
    checked = time.perf_counter() - began
    assert loaded.book is not None
    assert loaded.problems == ()
    began = time.perf_counter()
    pictures = [svg(flow) for flow in loaded.book.flows.values()]
    drawn = time.perf_counter() - began
    print(f"\n{len(loaded.book.flows)} flows: checked in {checked:.1f} s, drawn in {drawn:.2f} s")
    assert all(one.startswith("<svg") for one in pictures)
