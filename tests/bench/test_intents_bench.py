"""What the privacy intents make of what people write, and how long they take: figures to print, ratios to judge by."""

import statistics
import time
from collections import Counter, defaultdict
from hashlib import sha256

from bot.privacy.intents import Intent, understand
from tests.privacy.labelled.split import Labelled, read_halves


def fits(one: Labelled, found: Intent) -> bool:
    """Whether the reading is what the label asks for."""
    decision = found.decision.value
    if one.label.startswith("stop") or one.label == "ask":
        return decision in ("stop", "ask")
    if one.label == "ordinary":
        return decision == "none"
    if one.label == "weak":
        return "yes" not in found.flags
    return one.label in found.flags


def test_print_the_figures_of_both_halves() -> None:
    """The development half was looked at; the held-out half was not."""
    halves = read_halves()
    for name, half in (("development", halves.dev), ("held out", halves.held_out)):
        total: Counter[str] = Counter()
        right: Counter[str] = Counter()
        stopped: Counter[str] = Counter()
        languages: dict[str, list[bool]] = defaultdict(list)
        for one in half:
            found = understand(one.text, language=one.language)
            total[one.label] += 1
            right[one.label] += fits(one, found)
            stopped[one.label] += found.decision.value == "stop"
            if one.label.startswith("stop"):
                languages[one.language].append(fits(one, found))
        print(f"\n{name}, {len(half)} messages: as labelled · decided stop · number")
        for label in sorted(total):
            print(
                f"  {label:14} {right[label] / total[label]:6.1%} {stopped[label] / total[label]:6.1%} {total[label]:5}"
            )
        by_language = {code: sum(rows) / len(rows) for code, rows in languages.items()}
        print(
            "  stop wishes heard, by language: "
            + " ".join(f"{code} {share:.0%}" for code, share in sorted(by_language.items()))
        )
        assert total


def test_print_the_time_of_a_message_against_one_hash_of_it() -> None:
    """The floor is SHA-256 over the same text a thousand times, measured in the same run."""
    texts = [one.text for one in read_halves().dev]
    understand("warm up", language="en")
    times = []
    for text in texts:
        start = time.thread_time()
        understand(text, language="en")
        times.append(time.thread_time() - start)
    start = time.thread_time()
    for _ in range(1000):
        sha256(texts[0].encode()).digest()
    floor = time.thread_time() - start
    times.sort()
    p99 = times[int(len(times) * 0.99)]
    print(
        f"\nmedian {statistics.median(times) * 1e6:.0f} µs, p99 {p99 * 1e6:.0f} µs = {p99 / floor:.2f} × a thousand hashes"
    )
    sizes = {}
    for size in (1 << 12, 1 << 14, 1 << 16):
        start = time.thread_time()
        understand("a\u0301 stop " * (size // 8), language="en")
        sizes[size] = time.thread_time() - start
    print(
        f"64 KiB of combining marks {sizes[1 << 16] * 1e3:.1f} ms, {sizes[1 << 16] / sizes[1 << 12]:.1f} × 4 KiB (linear is 16)"
    )
    assert times
