"""pytest runs `flows/tests/*.yaml`: each test of a file is one item, named by its sentence.

Registered as an entry point, so `pytest flows/tests` works in every project where Recado is installed.
"""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import pytest

from bot.app.trying import Bench
from bot.engine.flow_tests import ReadTest, read_tests


@lru_cache(maxsize=8)
def bench_of(project: Path) -> Bench:
    """The project's flows, read once a run."""
    return Bench(project)


class BrokenTests(Exception):
    """A tests file with faults; the message shows each with its place."""


class UnmetTest(Exception):
    """A test that does not hold; the message shows the line and the conversation."""


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> "TestsFile | None":
    """Takes `flows/tests/*.yaml`."""
    folder = file_path.parent
    if file_path.suffix in (".yaml", ".yml") and folder.name == "tests" and folder.parent.name == "flows":
        found: TestsFile = TestsFile.from_parent(parent, path=file_path)
        return found
    return None


class TestsFile(pytest.File):
    """One tests file."""

    __test__ = False

    def collect(self) -> Iterator["TalkItem"]:
        tests, source = read_tests(f"tests/{self.path.name}", self.path.read_bytes())
        if source.problems:
            raise BrokenTests("\n\n".join(map(str, source.problems)))
        for read in tests:
            item: TalkItem = TalkItem.from_parent(self, name=read[0].test, read=read)
            yield item

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: object = None) -> str:
        del style
        return str(excinfo.value)


class TalkItem(pytest.Item):
    """One test."""

    def __init__(self, *, read: ReadTest, **rest: object) -> None:
        super().__init__(**rest)  # type: ignore[arg-type]
        self.read = read

    def runtest(self) -> None:
        tried = bench_of(self.path.parent.parent.parent).try_test(self.read)
        if tried.problems:
            raise BrokenTests("\n\n".join(map(str, tried.problems)))
        for one in tried.results:
            if not one.outcome.passed:
                talk = "\n".join(one.outcome.transcript)
                raise UnmetTest(f"flows/{one.place}: {one.outcome.reason}\nThe conversation as it went:\n{talk}")

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: object = None) -> str:
        del style
        return (
            str(excinfo.value)
            if isinstance(excinfo.value, UnmetTest | BrokenTests)
            else str(super().repr_failure(excinfo))
        )

    def reportinfo(self) -> tuple[Path, int, str]:
        _, source, path = self.read
        return self.path, source.place(path).line - 1, self.name
