"""The marker for texts that are translated where they are shown, not where they are written."""


def N_(text: str) -> str:  # noqa: N802 - gettext's own name for it, which Babel looks for
    """The text unchanged; Babel finds it for the catalogs."""
    return text
