"""Runs the tests of a project's flows: reads the files, makes an engine as `serve` does, gathers what was covered."""

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

from bot.app.project import flow_files, load_catalog, load_project
from bot.app.rules import BusinessRules
from bot.domain.errors import RecadoError
from bot.domain.intent import Intent
from bot.engine.advance import Engine
from bot.engine.book import Book
from bot.engine.flow_coverage import FlowCoverage, Mark, coverage, watched
from bot.engine.flow_tests import FOLDER, FlowTest, ReadTest, read_tests
from bot.engine.flow_trial import Outcome, Talk
from bot.engine.problem import Problem, nearest
from bot.engine.reading import Source
from bot.i18n.formatting import Languages
from bot.i18n.values import TypedValues
from bot.privacy import intents


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one test. `place` is `file:line` of the line that failed, or of the test."""

    file: str
    name: str
    flow: str
    place: str
    outcome: Outcome
    seconds: float = 0.0
    language: str = ""


@dataclass(slots=True)
class Tried:
    """What came of all tests. `problems` are faults of the tests files themselves."""

    results: list[Result] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    seen: set[Mark] = field(default_factory=set)

    @property
    def passed(self) -> bool:
        return not self.problems and all(one.outcome.passed for one in self.results)

    def add(self, other: "Tried") -> None:
        self.results += other.results
        self.problems += other.problems
        self.seen |= other.seen

    def languages(self) -> dict[str, set[str]]:
        """Flow to the languages its tests were held in."""
        found: dict[str, set[str]] = {}
        for one in self.results:
            for flow in (one.flow, *one.outcome.flows):
                found.setdefault(flow, set()).add(one.language)
        return found


class FaultyFlows(RecadoError):
    """The flows themselves have faults, so no test of them can run; the text names the first."""


class Bench:
    """A project whose flows can be tried; made once, used for many tests."""

    def __init__(self, project: Path) -> None:
        """Raises `FaultyFlows` when the flows have faults, and `SettingsProblem` where there are none."""
        loaded = load_project(project)
        if loaded.book is None:
            count = "a fault" if len(loaded.errors) == 1 else f"{len(loaded.errors)} faults"
            raise FaultyFlows(
                f"The flows have {count}; `recado flows check {project}` shows them. First: {loaded.errors[0]}"
            )
        self.book: Book = loaded.book
        business = self.book.business
        catalog = load_catalog(project, offered=business.languages, default=business.language)
        self._catalog, self._rules = catalog, BusinessRules(business, catalog)

    def coverage(self, tried: Tried) -> list[FlowCoverage]:
        return coverage(self.book, tried.seen, tried.languages())

    def try_file(self, name: str, content: bytes, only: Callable[[FlowTest], bool] = lambda _: True) -> Tried:
        """All tests of one file."""
        tests, source = read_tests(name, content)
        tried = Tried(problems=list(source.problems))
        for read in tests:
            if only(read[0]):
                tried.add(self.try_test(read))
        return tried

    def try_test(self, read: ReadTest) -> Tried:
        test, source, path = read
        tried = Tried(problems=_unknown(test, source, path, self.book))
        if tried.problems:
            return tried
        engine = Engine(watched(self.book, tried.seen), Languages(self._catalog), TypedValues(), self._rules)
        began = perf_counter()
        talk = Talk(test, engine, _understand)
        outcome = talk.run()
        where = (*path, "talk", outcome.line) if outcome.line is not None else path
        place = source.place(where)
        language = test.given.language or self.book.business.language
        tried.seen |= {(frame.flow, frame.step, "") for frame in talk.conversation.frames}
        tried.results.append(
            Result(
                source.name,
                test.test,
                test.flow,
                f"{place.file}:{place.line}",
                outcome,
                perf_counter() - began,
                language,
            )
        )
        return tried


def _understand(words: str, language: str, flow_open: bool) -> Intent:
    return intents.understand(words, language=language, flow_open=flow_open)


def _unknown(test: FlowTest, source: Source, path: tuple[str | int, ...], book: Book) -> list[Problem]:
    """Names in a test that lead nowhere; told with their place, as those of a flow are."""
    before = len(source.problems)
    if test.flow not in book.flows:
        source.report(
            "unknown-flow", (*path, "flow"), f"There is no flow called `{test.flow}`.", nearest(test.flow, book.flows)
        )
    actions = [f"{name}.{one}" for name, connector in book.business.connectors.items() for one in connector.actions]
    for action in test.given.stubs:
        if action not in actions:
            where = (*path, "given", "stubs", action)
            source.report(
                "unknown-action",
                where,
                f"There is no connector action called `{action}`.",
                nearest(action, actions),
                key=True,
            )
    for purpose in test.given.consents:
        if purpose not in book.business.purposes:
            where = (*path, "given", "consents", purpose)
            known = nearest(purpose, book.business.purposes)
            source.report("unknown-purpose", where, f"There is no purpose called `{purpose}`.", known, key=True)
    found = source.problems[before:]
    del source.problems[before:]
    return found


def read_all_tests(project: Path) -> dict[str, bytes]:
    """The tests files of a project, name relative to `flows/`."""
    return {name: content for name, content in flow_files(project).items() if name.startswith(FOLDER)}


def try_project(project: Path, *, only: str = "", jobs: int = 1) -> tuple[Bench, Tried]:
    """Runs all tests of a project, or those of one file. `jobs` processes share the files. Raises as `Bench` does."""
    bench = Bench(project)
    files = [(name, content) for name, content in read_all_tests(project).items() if only in ("", name)]
    tried = Tried()
    if jobs > 1 and len(files) > 1:
        with ProcessPoolExecutor(jobs) as pool:
            shares: Sequence[list[tuple[str, bytes]]] = [files[start::jobs] for start in range(min(jobs, len(files)))]
            for one in pool.map(_share, [project] * len(shares), shares):
                tried.add(one)
        tried.results.sort(key=lambda one: one.file)
    else:
        for name, content in files:
            tried.add(bench.try_file(name, content))
    return bench, tried


def _share(project: Path, files: list[tuple[str, bytes]]) -> Tried:
    bench, tried = Bench(project), Tried()
    for name, content in files:
        tried.add(bench.try_file(name, content))
    return tried
