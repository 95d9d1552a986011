"""The terminal phone: a conversation through pipes, against a running stand-in."""

import asyncio
import io
import sys
from collections.abc import AsyncIterator

import pytest

from bot.simulator import Simulator
from bot.simulator.terminal import Unreachable, chat
from tests.simulator.echo import EchoBot
from tests.simulator.test_conversation import BUTTONS, LIST, NEWS

ADA = "+447700900123"


async def typed(*lines: str) -> AsyncIterator[str]:
    for line in lines:
        yield line + "\n"


async def play(sim: Simulator, *lines: str, person: str = "ada") -> str:
    out = io.StringIO()
    await asyncio.wait_for(chat(sim.url, person, lines=typed(*lines), out=out, patience=2.0), 20)
    return out.getvalue()


async def test_what_is_typed_is_said_and_answers_are_printed(sim: Simulator, echo: EchoBot) -> None:
    assert "< echo: hello" in await play(sim, "hello")


async def test_a_number_taps_and_buttons_are_numbered(sim: Simulator, echo: EchoBot) -> None:
    await sim.say("ada", "hello")
    await echo.graph({"to": ADA, **BUTTONS})
    await sim.settle()
    out = await play(sim, "2")
    assert "[1] Yes" in out
    assert "< STOP to end" in out
    assert echo.messages[-1]["interactive"]["button_reply"] == {"id": "no", "title": "No"}


async def test_a_row_shows_what_it_is_about_and_a_link_is_not_numbered(sim: Simulator, echo: EchoBot) -> None:
    await sim.say("ada", "hello")
    await echo.graph({"to": ADA, **LIST})
    await echo.graph({"to": ADA, **NEWS})
    out = await play(sim, "/button 1")
    assert "[1] Fast (1 day)" in out
    assert "-> Read: https://shop.example/may" in out
    assert echo.messages[-1]["button"]["payload"] == "stop:n"


async def test_numbers_without_a_button_are_said_and_can_be_forced(sim: Simulator, echo: EchoBot) -> None:
    await play(sim, "7", "/text 1")
    assert [message["text"]["body"] for message in echo.messages] == ["7", "1"]


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        pytest.param("/help", "taps that button", id="help"),
        pytest.param("/button 3", "There is no button 3", id="a button there is not"),
        pytest.param("/dance", "There is no /dance", id="a command there is not"),
        pytest.param("/who", "* ada: Ada Quill (en)", id="who is who"),
        pytest.param("/text  ", "blank", id="nothing to say"),
    ],
)
async def test_commands(sim: Simulator, echo: EchoBot, line: str, answer: str) -> None:
    assert answer in await play(sim, line)
    assert echo.messages == []


async def test_quit_leaves_the_rest_unsaid(sim: Simulator, echo: EchoBot) -> None:
    await play(sim, "/quit", "never")
    assert echo.messages == []


async def test_control_characters_do_not_reach_the_terminal(sim: Simulator, echo: EchoBot) -> None:
    await sim.say("ada", "hello")
    await echo.text(ADA, "red \x1b[31m alert \x07")
    out = await play(sim, "/help")
    assert "red  [31m alert" in out
    assert "\x1b" not in out


@pytest.mark.parametrize(
    ("url", "person"), [("http://127.0.0.1:9", "ada"), ("", "nobody")], ids=["no simulator", "no such person"]
)
async def test_nobody_there_is_said(sim: Simulator, url: str, person: str) -> None:
    with pytest.raises(Unreachable):
        await chat(url or sim.url, person, lines=typed("x"), out=io.StringIO())


async def test_the_command_talks_through_real_pipes(sim: Simulator, echo: EchoBot) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot.simulator", "chat", "--at", sim.url, "--person", "ines",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, errors = await asyncio.wait_for(process.communicate("olá\n/quit\n".encode()), 60)
    assert (process.returncode, errors) == (0, b"")
    assert "< echo: olá" in out.decode()


async def test_the_standalone_server_starts_and_stops(tmp_path, echo: EchoBot) -> None:
    templates = tmp_path / "templates.json"
    templates.write_text('[{"name": "hours", "language": "en", "body": "Open at {{1}}"}]')
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot.simulator", "--port", "0", "--templates", str(templates),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    line = (await asyncio.wait_for(process.stdout.readline(), 60)).decode()
    base = line.split()[-1].removesuffix("/phone/")
    async with echo.http.get(f"{base}/control/templates") as answer:
        assert [one["name"] for one in (await answer.json())["templates"]] == ["hours"]
    process.terminate()
    _, errors = await asyncio.wait_for(process.communicate(), 30)
    assert (process.returncode, errors) == (0, b"")


async def test_unreadable_templates_are_said_politely(tmp_path) -> None:
    (tmp_path / "t.json").write_text('[{"name": "Hours"}]')
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot.simulator", "--templates", str(tmp_path / "t.json"), stderr=asyncio.subprocess.PIPE
    )
    _, errors = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 1
    assert errors.decode().startswith("error: template")
