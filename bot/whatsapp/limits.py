"""The lengths and counts WhatsApp takes (whatsapp.md 3.3), in UTF-16 units: the stricter of the two readings of "character"."""

from bot.domain.message import (
    ButtonsMessage,
    LinkMessage,
    ListMessage,
    MediaMessage,
    OutMessage,
    TemplateMessage,
    TextMessage,
)

TEXT, BODY, FOOTER, CAPTION = 4096, 1024, 60, 1024
BUTTONS, BUTTON_TITLE, BUTTON_ID = 3, 20, 256
ROWS, ROW_TITLE, ROW_ABOUT, ROW_ID = 10, 24, 72, 200
LINK_LABEL, TEMPLATE_NAME = 20, 512


class TooLarge(ValueError):
    """A message that WhatsApp would refuse; the text names the part and the counts, never the words."""


def units(text: str) -> int:
    """Length in UTF-16 units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def check(message: OutMessage) -> list[str]:
    """Everything about a message that is over a limit, in words; empty when it can be sent."""
    rows: list[tuple[str, str, int, int]] = []
    problems: list[str] = []
    if isinstance(message, TextMessage):
        rows.append(("text", message.body, 1, TEXT))
    elif isinstance(message, ButtonsMessage):
        rows += [("body", message.body, 1, BODY), ("footer", message.footer, 0, FOOTER)]
        for option in message.options:
            rows += [("button title", option.title, 1, BUTTON_TITLE), ("button id", option.id, 1, BUTTON_ID)]
        problems += _counted("buttons", message.options, BUTTONS)
    elif isinstance(message, ListMessage):
        rows += [
            ("body", message.body, 1, BODY),
            ("footer", message.footer, 0, FOOTER),
            ("list button", message.button, 1, BUTTON_TITLE),
        ]
        for option in message.options:
            rows += [("row title", option.title, 1, ROW_TITLE), ("row id", option.id, 1, ROW_ID)]
            rows.append(("row description", option.description, 0, ROW_ABOUT))
        problems += _counted("rows", message.options, ROWS)
    elif isinstance(message, LinkMessage):
        rows += [
            ("body", message.body, 1, BODY),
            ("footer", message.footer, 0, FOOTER),
            ("link label", message.label, 1, LINK_LABEL),
        ]
    elif isinstance(message, MediaMessage):
        rows.append(("caption", message.caption, 0, CAPTION))
    elif isinstance(message, TemplateMessage):
        rows.append(("template name", message.name, 1, TEMPLATE_NAME))
    for name, text, least, most in rows:
        length = units(text)
        if not least <= length <= most:
            problems.append(f"the {name} has {length} characters; {least} to {most} are possible")
    return problems


def _counted(name: str, options: tuple[object, ...], most: int) -> list[str]:
    problems = []
    if not 1 <= len(options) <= most:
        problems.append(f"there are {len(options)} {name}; 1 to {most} are possible")
    titles = [getattr(option, "title", "") for option in options]
    ids = [getattr(option, "id", "") for option in options]
    if len(set(titles)) < len(titles) or len(set(ids)) < len(ids):
        problems.append(f"two {name} are the same")
    return problems
