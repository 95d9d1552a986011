"""Logs hold what is on the allow-list and nothing a person said or is named by, at every level and in every accident."""

import asyncio
import io
import json
import logging
import sys
import threading
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.domain.ids import Address, Bsuid, PhoneNumber, Wamid, Words
from bot.observability import logs, redaction
from bot.observability.logs import Public

log = logging.getLogger("recado.tests")

PERSON = "0123456789abcdef0123456789abcdef"
NUMBER, NAME, WORDS = "+15550100123", "Ana Canário", "please stop sending me bread"
WAMID = "wamid.HBgLMTU1NTAxMDAxMjMVAgARGBI"
SECRETS = (NUMBER, NAME, WORDS, WAMID, "US.13491208655302741918")
MESSAGE = "said by a constant of the module"


@pytest.fixture
def out() -> Iterator[io.StringIO]:
    """The log of a process at DEBUG; everything is put back afterwards."""
    root = logging.getLogger()
    before = (
        root.handlers[:],
        root.level,
        logging.raiseExceptions,
        sys.excepthook,
        sys.unraisablehook,
        threading.excepthook,
    )
    stream = io.StringIO()
    logs.configure(stream, "debug")
    yield stream
    root.handlers[:], root.level, logging.raiseExceptions, sys.excepthook, sys.unraisablehook, threading.excepthook = (
        before
    )
    logging.captureWarnings(capture=False)


def lines(out: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def last(out: io.StringIO) -> dict[str, Any]:
    return lines(out)[-1]


def test_a_line_is_json_with_a_constant_message_and_listed_fields(out: io.StringIO) -> None:
    log.info("claimed %d of %s", 3, PERSON, extra={"person": PERSON, "reason": "window_closed", "attempt": 2})
    line = last(out)
    assert datetime.fromisoformat(line.pop("at")).tzinfo is not None
    assert line == {
        "level": "info", "logger": "recado.tests", "message": f"claimed 3 of {PERSON}", "person": PERSON, "reason": "window_closed",
        "attempt": 2,
    }  # fmt: skip


def test_a_module_s_constant_is_a_constant(out: io.StringIO) -> None:
    log.info(MESSAGE)
    assert last(out)["message"] == MESSAGE


def test_an_unlisted_field_is_dropped(out: io.StringIO) -> None:
    log.info("done", extra={"profile_name": NAME, "step": "ask_name"})
    assert "profile_name" not in last(out)
    assert last(out)["step"] == "ask_name"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        pytest.param(NUMBER, logs.WITHHELD, id="a number"),
        pytest.param(15550100123, logs.WITHHELD, id="a number as a whole number"),
        pytest.param(15550100123.0, logs.WITHHELD, id="a number as a float"),
        pytest.param(NAME, logs.WITHHELD, id="a name"),
        pytest.param("Ana", logs.WITHHELD, id="a name of one word"),
        pytest.param(PhoneNumber(NUMBER), logs.WITHHELD, id="a hidden number"),
        pytest.param(Address(bsuid=Bsuid("US.1")), logs.WITHHELD, id="an address"),
        pytest.param({"words": WORDS}, logs.WITHHELD, id="a mapping"),
        pytest.param([1, 2], logs.WITHHELD, id="a list"),
        pytest.param(b"bytes", logs.WITHHELD, id="bytes"),
        pytest.param(ValueError(WORDS), "ValueError", id="an exception"),
        pytest.param(None, "None", id="nothing"),
        pytest.param(True, "True", id="yes"),
        pytest.param(1.5, "1.5", id="a measure"),
        pytest.param(timedelta(seconds=2), "2.0", id="a length of time"),
        pytest.param(datetime(2026, 5, 4, tzinfo=UTC), "2026-05-04T00:00:00+00:00", id="a time"),
        pytest.param(PERSON, PERSON, id="a pseudonym"),
        pytest.param(Public("flows/start.yaml"), "flows/start.yaml", id="a text vouched for"),
        pytest.param(Public(f"for {NUMBER}"), "for <number>", id="a text vouched for in error"),
    ],
)
def test_an_argument_gets_through_only_when_harmless(out: io.StringIO, value: Any, shown: str) -> None:
    log.info("value: %s", value)
    assert last(out)["message"] == f"value: {shown}"


@pytest.mark.parametrize("value", [NAME, NUMBER, WAMID, "US.13491208655302741918", "15550100123", WORDS, "a@b.example"])
def test_a_listed_field_takes_plain_words_of_ours_only(out: io.StringIO, value: str) -> None:
    log.info("done", extra={"reason": value})
    assert last(out)["reason"] == logs.WITHHELD


def test_a_message_built_while_running_is_withheld(out: io.StringIO) -> None:
    log.warning(f"{NAME} wrote {WORDS}")  # noqa: G004 - exactly what must not get through
    assert last(out)["message"].startswith(logs.WITHHELD)
    log.warning("Ana " + "wrote %s", WORDS)  # noqa: G003
    assert WORDS not in out.getvalue()


def test_a_log_call_with_wrong_arguments_loses_no_line_and_shows_nothing(
    out: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    log.info("%d seconds", NAME)
    log.info("%(who)s", {"who": NAME})
    log.info("two %s", NAME, WORDS)  # noqa: PLE1205 - a mistake of a caller
    assert [line["message"] for line in lines(out)] == ["%d seconds", logs.WITHHELD, "two %s"]
    assert capsys.readouterr().err == ""


def test_an_exception_is_told_by_type_and_place_with_its_causes(out: io.StringIO) -> None:
    def inner() -> None:
        raise ValueError(f"{NAME} {NUMBER}")

    try:
        try:
            inner()
        except ValueError as problem:
            raise RuntimeError(WORDS) from problem
    except RuntimeError:
        log.exception("a turn failed")
    outer, cause = last(out)["exception"]
    assert outer["type"] == "RuntimeError"
    assert cause["type"] == "ValueError"
    assert cause["places"][-1].startswith("tests.observability.test_logs:")
    assert cause["places"][-1].endswith(" inner")


def test_a_group_of_exceptions_is_told_by_types(out: io.StringIO) -> None:
    try:
        raise ExceptionGroup(NAME, [ValueError(WORDS), KeyError(NUMBER)])
    except ExceptionGroup:
        log.exception("several failed")
    assert last(out)["exception"][0]["holds"] == ["ValueError", "KeyError"]


def test_an_exception_that_causes_itself_ends(out: io.StringIO) -> None:
    one, two = ValueError("x"), KeyError("y")
    one.__cause__, two.__cause__ = two, one
    assert [entry["type"] for entry in logs.described(one)] == ["ValueError", "KeyError"]


class Leaky:
    def __del__(self) -> None:
        raise ValueError(WORDS)


async def accidents() -> None:
    asyncio.get_running_loop().set_exception_handler(logs.loop_exception_handler)

    async def fails() -> None:
        raise ValueError(f"{NAME} {WORDS}")

    task = asyncio.create_task(fails(), name=f"task of {NUMBER}")
    await asyncio.sleep(0)
    del task
    asyncio.get_running_loop().call_soon(lambda: 1 / 0)
    asyncio.get_running_loop().call_exception_handler({"message": WORDS})
    await asyncio.sleep(0)


@pytest.mark.filterwarnings("ignore")
def test_no_canary_in_any_form_at_debug_in_any_accident(out: io.StringIO, capsys: pytest.CaptureFixture[str]) -> None:
    """A process full of planted values, with everything going wrong: stdout, stderr and the log hold none of them."""
    values = (PhoneNumber(NUMBER), NAME, Words(WORDS), Wamid(WAMID), WAMID, NUMBER, {"text": WORDS}, SECRETS)
    for value in values:
        log.debug("got %s and %r", value, value, extra={"person": value, "reason": value, "words": value})
        log.info(f"{value} wrote")  # noqa: G004 - what must not get through
        logging.getLogger("aiohttp.server").error("Error handling request from %s", value)
    try:
        raise LookupError(f"{NAME} {NUMBER} {WAMID}")
    except LookupError as problem:
        log.exception("failed for %s", NAME)
        sys.excepthook(type(problem), problem, problem.__traceback__)
    thread = threading.Thread(target=lambda: int(WORDS), name=NAME)
    thread.start()
    thread.join()
    leaky = Leaky()
    del leaky
    warnings.warn(f"{NAME} {NUMBER}", stacklevel=1)
    asyncio.run(accidents(), debug=True)
    captured = capsys.readouterr()
    everything = out.getvalue() + captured.out + captured.err
    assert len(lines(out)) > 30, "the accidents were not logged at all"
    assert redaction.leaked(everything, SECRETS) == []
    kinds = {entry["type"] for line in lines(out) for entry in line.get("exception", [])}
    assert {"LookupError", "ValueError", "ZeroDivisionError"} <= kinds


def test_ctrl_c_is_no_accident(out: io.StringIO) -> None:
    sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert out.getvalue() == ""


def test_an_unknown_level_is_refused() -> None:
    with pytest.raises(ValueError, match="LOUD"):
        logging.getLogger("recado.tests.level").setLevel("LOUD")
