"""`recado flows test`: plays the conversations under flows/tests/ and says what they covered."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import click

from bot.cli.flows_place import wanted_path

if TYPE_CHECKING:
    from bot.app.trying import Result, Tried
    from bot.engine.flow_coverage import FlowCoverage


@click.command(epilog="Example:  recado flows test   ·   recado flows test flows/tests/newsletter.yaml")
@click.argument("path", type=click.Path(path_type=Path), envvar="RECADO_PROJECT", default=Path())
@click.option(
    "--jobs", type=click.IntRange(1, 32), default=1, show_default=True, help="Processes that share the files."
)
@click.option("--coverage", is_flag=True, help="List every step and outcome that no test went through.")
@click.option(
    "--fail-under",
    type=click.IntRange(0, 100),
    default=0,
    help="Fail when a flow of yours is covered less, in per cent.",
)
@click.option("--junit", type=click.Path(path_type=Path, dir_okay=False), help="Write the results as JUnit XML too.")
@click.option(
    "--language",
    "languages",
    multiple=True,
    help="Hold each test in this language too, and compare; `all` is every language there is.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
def test(
    path: Path,
    jobs: int,
    coverage: bool,
    fail_under: int,
    junit: Path | None,
    languages: tuple[str, ...],
    as_json: bool,
) -> None:
    """Plays the tests of a project, or of one tests file. Nothing is sent and nothing is stored."""
    from bot.app.trying import all_languages, try_project

    wanted = wanted_path(path)
    known = all_languages(wanted.project)
    if unknown := sorted(set(languages) - {*known, "all"}):
        raise click.BadParameter(f"There is no catalog for {', '.join(unknown)}.", param_hint="--language")
    spoken = known if "all" in languages else languages
    bench, tried = try_project(wanted.project, only=wanted.only, jobs=jobs, languages=spoken)
    found = bench.coverage(tried)
    if junit is not None:
        junit.write_bytes(_junit(tried))
    if as_json:
        click.echo(json.dumps(_plain(tried, found), ensure_ascii=False, indent=2))
    else:
        _tell(tried, found, every_gap=coverage)
    own = [one for one in found if not bench.book.flows[one.flow].builtin]
    short = [one.flow for one in own if _percent(one) < fail_under]
    if short:
        click.echo(f"Covered less than {fail_under} %: {', '.join(short)}.", err=True)
    if not tried.results and not tried.problems:
        click.echo("There are no tests: they stand in flows/tests/*.yaml.", err=True)
        sys.exit(1)
    sys.exit(0 if tried.passed and not short else 1)


def _percent(one: "FlowCoverage") -> int:
    whole = one.steps + one.outcomes
    return 100 * (one.steps_seen + one.outcomes_seen) // whole if whole else 100


def _tell(tried: "Tried", found: list["FlowCoverage"], *, every_gap: bool) -> None:
    for problem in tried.problems:
        click.echo(f"{problem}\n")
    for one in tried.results:
        click.echo(f"{'ok    ' if one.outcome.passed else 'FAILED'} {one.name}")
        if not one.outcome.passed:
            click.echo(told(one))
    failed = sum(not one.outcome.passed for one in tried.results)
    click.echo(f"\n{'flow':24} {'steps':>9} {'outcomes':>9}  languages")
    for flow in found:
        if flow.steps_seen or every_gap:
            steps, outcomes = f"{flow.steps_seen}/{flow.steps}", f"{flow.outcomes_seen}/{flow.outcomes}"
            click.echo(f"{flow.flow:24} {steps:>9} {outcomes:>9}  {', '.join(flow.languages)}")
            for gap in flow.gaps if every_gap else ():
                click.echo(f"    flows/{gap.file}:{gap.line}: {gap.step}{f' → {gap.outcome}' if gap.outcome else ''}")
    click.echo(f"\n{len(tried.results)} tests: {len(tried.results) - failed} passed, {failed} failed.")


def told(one: "Result") -> str:
    """A failure as its author can read it: the line, what was there instead, and the conversation up to it."""
    talk = "\n".join(f"      {line}" for line in one.outcome.transcript)
    return f"   flows/{one.place}: {one.outcome.reason}\n   The conversation as it went:\n{talk}\n"


def _plain(tried: "Tried", found: list["FlowCoverage"]) -> dict[str, object]:
    return {
        "tests": [
            {"file": one.file, "test": one.name, "flow": one.flow, "passed": one.outcome.passed, "place": one.place,
             "reason": one.outcome.reason, "transcript": list(one.outcome.transcript)}
            for one in tried.results
        ],
        "problems": [str(one) for one in tried.problems],
        "coverage": [
            {"flow": one.flow, "steps": one.steps, "steps_seen": one.steps_seen, "outcomes": one.outcomes,
             "outcomes_seen": one.outcomes_seen, "languages": one.languages,
             "gaps": [{"file": gap.file, "line": gap.line, "step": gap.step, "outcome": gap.outcome} for gap in one.gaps]}
            for one in found
        ],
    }  # fmt: skip


def _junit(tried: "Tried") -> bytes:
    failed = sum(not one.outcome.passed for one in tried.results)
    suite = ET.Element(
        "testsuite", name="flows", tests=str(len(tried.results)), failures=str(failed), errors=str(len(tried.problems))
    )
    for one in tried.results:
        case = ET.SubElement(suite, "testcase", classname=one.file, name=one.name, time=f"{one.seconds:.3f}")
        if not one.outcome.passed:
            failure = ET.SubElement(case, "failure", message=one.outcome.reason)
            failure.text = told(one)
    for problem in tried.problems:
        case = ET.SubElement(suite, "testcase", classname=problem.place.file, name=problem.code)
        ET.SubElement(case, "error", message=problem.reason).text = str(problem)
    written: bytes = ET.tostring(suite, encoding="utf-8", xml_declaration=True)
    return written
