"""`recado chat`: a phone in the terminal, on flows of this folder, and a clear word where no simulator runs."""

import socket
import subprocess
import sys

import pytest
from click.testing import CliRunner

from bot.cli import recado
from tests.cli.project import ROOT


def test_where_nothing_runs_it_says_what_to_start() -> None:
    result = CliRunner().invoke(recado, ["chat", "--at", "http://127.0.0.1:9"])

    assert result.exit_code == 1
    assert "Start `recado demo` first, or use `recado chat --here`" in result.output


def test_the_flows_of_a_folder_can_be_tried_at_the_prompt() -> None:
    """The user's view: words in, the bot's words out, nothing left behind."""
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", 8093)) == 0:
            pytest.skip("a demo runs on this machine already and holds its port")
    done = subprocess.run(
        [sys.executable, "-m", "bot", "chat", "--here"], cwd=ROOT, input="hello\nSTOP\n/quit\n", capture_output=True, text=True,
        check=False, timeout=100,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert "< How can I help you?\n    [1] Where is my order?" in done.stdout
    assert "sends you no more messages of its own accord" in done.stdout
    assert "Traceback" not in done.stderr
