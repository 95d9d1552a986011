"""How commands are told whom they are about: never on the command line, where the shell would keep a number (GDPR art. 32)."""

import sys

import click

QUESTION = "Number with + and country code, or user id"
_LONGEST = 200


def asked_address() -> str:
    """A number or user id: typed unseen at a terminal, else the first line of standard input. Raises `click.UsageError` for none."""
    if sys.stdin.isatty():
        return str(click.prompt(QUESTION, hide_input=True, err=True)).strip()
    line = sys.stdin.readline(_LONGEST).strip()
    if not line:
        raise click.UsageError(
            "--ask reads a number with + and country code, or a user id, and standard input is empty."
        )
    return line
