"""The command `recado`: one module for each group of commands, imported only when it is called.

Commands read arguments and print; what they print is found out elsewhere. No command shows a traceback for a user's mistake.
"""

from bot.cli.group import recado


def main() -> None:
    """Runs `recado` with the arguments of this process; exits with 0, with 1 (something is wrong) or with 2 (misuse)."""
    recado(prog_name="recado")


__all__ = ["main", "recado"]
