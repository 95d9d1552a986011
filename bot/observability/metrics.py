"""Counters, gauges and histograms in Prometheus's text format. Labels come from an allow-list, so no figure names a person.

No thread of its own, no clock: callers measure. Values are kept per process and lost with it.
"""

import math
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

LABELS = frozenset({
    "action", "category", "code", "collection", "decision", "direction", "event", "kind", "law", "method", "outcome", "reason",
    "route", "rule", "scope", "state", "status", "step", "team",
})  # fmt: skip
"""The names a label may have. Language and country are not among them: few people share some of them (privacy.md T34)."""

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

_NAME = re.compile(r"recado_[a-z][a-z0-9_]*")
_VALUE = re.compile(r"[A-Za-z_/][A-Za-z0-9_./{}-]{0,63}|[0-9]{1,6}|")
_MOST_SERIES = 200


class _Metric:
    """What the three kinds share: a name, labels from the allow-list, and values by label values."""

    kind: str

    def __init__(self, name: str, words: str, labels: Sequence[str] = ()) -> None:
        """Raises `ValueError` for a name that does not begin with `recado_`, or a label that is not on the allow-list."""
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a metric; write it like recado_turns_total")
        if unknown := set(labels) - LABELS:
            raise ValueError(f"{name}: labels {sorted(unknown)} are not on the allow-list")
        self.name, self.words, self.labels = name, words, tuple(labels)
        self._series: dict[tuple[str, ...], float] = {}

    def _key(self, given: Mapping[str, object], known: Mapping[tuple[str, ...], object]) -> tuple[str, ...]:
        """The label values in their order; anything that is not a plain word or a short code becomes `other`."""
        if set(given) != set(self.labels):
            raise ValueError(f"{self.name} has the labels {list(self.labels)}, not {sorted(given)}")
        values = (str(given[label]) for label in self.labels)
        key = tuple(value if _VALUE.fullmatch(value) else "other" for value in values)
        # A label that takes ever new values would grow for ever, and is likely no word of ours.
        return key if key in known or len(known) < _MOST_SERIES else ("other",) * len(self.labels)

    def lines(self) -> Iterator[str]:
        for key, value in sorted(self._series.items()):
            yield f"{self.name}{_braced(zip(self.labels, key, strict=True))} {_figure(value)}"


class Counter(_Metric):
    """Only grows."""

    kind = "counter"

    def add(self, amount: float = 1, **labels: object) -> None:
        """Raises `ValueError` for a negative amount or other labels than declared."""
        if amount < 0:
            raise ValueError(f"{self.name} only grows")
        key = self._key(labels, self._series)
        self._series[key] = self._series.get(key, 0) + amount


class Gauge(_Metric):
    """Goes up and down."""

    kind = "gauge"

    def put(self, value: float, **labels: object) -> None:
        """Sets the value; raises `ValueError` for other labels than declared."""
        self._series[self._key(labels, self._series)] = value


class Histogram(_Metric):
    """Counts what lies below each bound, and the sum."""

    kind = "histogram"

    def __init__(self, name: str, words: str, labels: Sequence[str] = (), bounds: Sequence[float] = SECONDS) -> None:
        """Raises `ValueError` as `_Metric` does, and for bounds that do not rise."""
        super().__init__(name, words, labels)
        if not bounds or list(bounds) != sorted(set(bounds)):
            raise ValueError(f"{name}: the bounds must rise")
        self.bounds = tuple(bounds)
        self._counts: dict[tuple[str, ...], list[int]] = {}

    def observe(self, value: float, **labels: object) -> None:
        key = self._key(labels, self._counts)
        counts = self._counts.setdefault(key, [0] * (len(self.bounds) + 1))
        counts[bisect_left(self.bounds, value)] += 1
        self._series[key] = self._series.get(key, 0) + value

    def lines(self) -> Iterator[str]:
        for key, counts in sorted(self._counts.items()):
            pairs, total = list(zip(self.labels, key, strict=True)), 0
            for bound, count in zip((*self.bounds, math.inf), counts, strict=True):
                total += count
                yield f"{self.name}_bucket{_braced([*pairs, ('le', _figure(bound))])} {total}"
            yield f"{self.name}_sum{_braced(pairs)} {_figure(self._series[key])}"
            yield f"{self.name}_count{_braced(pairs)} {total}"


M = TypeVar("M", bound=_Metric)


class Registry:
    """The metrics of one process."""

    def __init__(self) -> None:
        self._metrics: dict[str, _Metric] = {}

    def counter(self, name: str, words: str, labels: Sequence[str] = ()) -> Counter:
        return self._add(Counter(name, words, labels))

    def gauge(self, name: str, words: str, labels: Sequence[str] = ()) -> Gauge:
        return self._add(Gauge(name, words, labels))

    def histogram(
        self, name: str, words: str, labels: Sequence[str] = (), bounds: Sequence[float] = SECONDS
    ) -> Histogram:
        return self._add(Histogram(name, words, labels, bounds))

    def _add(self, metric: M) -> M:
        if metric.name in self._metrics:
            raise ValueError(f"{metric.name} is declared twice")
        self._metrics[metric.name] = metric
        return metric

    def text(self) -> str:
        """All metrics in the text exposition format, version 0.0.4."""
        out = []
        for metric in self._metrics.values():
            words = metric.words.replace("\\", "\\\\").replace("\n", "\\n")
            out += [f"# HELP {metric.name} {words}", f"# TYPE {metric.name} {metric.kind}", *metric.lines()]
        return "\n".join(out) + "\n"


def _braced(pairs: Iterable[tuple[str, str]]) -> str:
    return f"{{{inner}}}" if (inner := ",".join(f'{label}="{value}"' for label, value in pairs)) else ""


def _figure(value: float) -> str:
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if value == int(value) else repr(value)
