"""Texts that are translated where they are shown, not where they are written: how they are marked, and how values get in."""

import re

_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")


def N_(text: str) -> str:  # noqa: N802 - gettext's own name for it, which Babel looks for
    """The text unchanged; Babel finds it for the catalogs."""
    return text


def placeholders(text: str) -> set[str]:
    """The names in braces that a text has."""
    return set(_PLACEHOLDER.findall(text))


def fill(text: str, **values: str) -> str:
    """The text with the named values put in, each once; braces inside a value, and names nobody gave, stay as they are.

    Not `str.format`: translators name values, they do not reach into them.
    """
    return _PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), text)
