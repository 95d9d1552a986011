"""Runs the tests of a project's flows: reads the files, makes an engine as `serve` does, gathers what was covered."""

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
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
from bot.engine.flow_twins import Twins, in_language
from bot.engine.problem import Problem, nearest
from bot.engine.reading import Source
from bot.i18n.catalog import Catalog
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


@dataclass(frozen=True, slots=True)
class _Stage:
    """What an engine is made of, for so many languages on offer."""

    book: Book
    catalog: Catalog
    rules: BusinessRules

    def engine(self, seen: set[Mark]) -> Engine:
        return Engine(watched(self.book, seen), Languages(self.catalog), TypedValues(), self.rules)


class Bench:
    """A project whose flows can be tried; made once, used for many tests."""

    def __init__(self, project: Path, languages: Sequence[str] = ()) -> None:
        """`languages`: those in which each test is held besides its own; ones the business does not offer, for the built-in flows alone.

        Raises `FaultyFlows` when the flows have faults, and `SettingsProblem` where there are none.
        """
        loaded = load_project(project)
        if loaded.book is None:
            count = "a fault" if len(loaded.errors) == 1 else f"{len(loaded.errors)} faults"
            raise FaultyFlows(
                f"The flows have {count}; `recado flows check {project}` shows them. First: {loaded.errors[0]}"
            )
        self.offered = loaded.book.business.languages
        self.languages = tuple(languages)
        self.book: Book = loaded.book
        self._own = self._stage(project, self.offered)
        every = (*self.offered, *(one for one in languages if one not in self.offered))
        self._wide = self._stage(project, every) if self.languages else self._own

    def _stage(self, project: Path, offered: tuple[str, ...]) -> "_Stage":
        business = self.book.business.model_copy(update={"languages": offered})
        catalog = load_catalog(project, offered=offered, default=business.language)
        return _Stage(replace(self.book, business=business), catalog, BusinessRules(business, catalog))

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
        engine = self._own.engine(tried.seen)
        talk = Talk(test, engine, _understand)
        began = perf_counter()
        outcome = talk.run()
        self._note(tried, read, test.given.language or self.book.business.language, outcome, perf_counter() - began)
        tried.seen |= {(frame.flow, frame.step, "") for frame in talk.conversation.frames}
        wide = self._wide.engine(tried.seen)
        for language in self.languages if outcome.passed and not test.given.language else ():
            if language != self.book.business.language and self._speaks(language, outcome.flows):
                began = perf_counter()
                own, other = (Talk(one, wide, _understand) for one in (test, in_language(test, language)))
                twins = Twins(own, other, self._wide.catalog.translate)
                self._note(tried, read, language, twins.run(), perf_counter() - began)
        return tried

    def _speaks(self, language: str, flows: Sequence[str]) -> bool:
        """Whether all of these flows are to be had in the language."""
        return language in self.offered or all(self.book.flows[name].builtin for name in flows)

    def _note(self, tried: Tried, read: ReadTest, language: str, outcome: Outcome, seconds: float) -> None:
        test, source, path = read
        place = source.place((*path, "talk", outcome.line) if outcome.line is not None else path)
        own = language in (test.given.language, self.book.business.language)
        name = test.test if own else f"{test.test} [{language}]"
        tried.results.append(
            Result(source.name, name, test.flow, f"{place.file}:{place.line}", outcome, seconds, language)
        )


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


def try_project(project: Path, *, only: str = "", jobs: int = 1, languages: Sequence[str] = ()) -> tuple[Bench, Tried]:
    """Runs all tests of a project, or those of one file; `jobs` processes share the files. `languages` and errors as `Bench` has them."""
    bench = Bench(project, languages)
    files = [(name, content) for name, content in read_all_tests(project).items() if only in ("", name)]
    tried = Tried()
    if jobs > 1 and len(files) > 1:
        with ProcessPoolExecutor(jobs) as pool:
            shares: Sequence[list[tuple[str, bytes]]] = [files[start::jobs] for start in range(min(jobs, len(files)))]
            for one in pool.map(_share, [project] * len(shares), shares, [languages] * len(shares)):
                tried.add(one)
        tried.results.sort(key=lambda one: one.file)
    else:
        for name, content in files:
            tried.add(bench.try_file(name, content))
    return bench, tried


def _share(project: Path, files: list[tuple[str, bytes]], languages: Sequence[str]) -> Tried:
    bench, tried = Bench(project, languages), Tried()
    for name, content in files:
        tried.add(bench.try_file(name, content))
    return tried


def all_languages(project: Path) -> list[str]:
    """Every language that Recado or the project has a catalog for."""
    book = load_project(project, served=False).book
    default = book.business.language if book is not None else "en"
    return [one for one in load_catalog(project, offered=(), default=default).translated if one != default]
