"""Message templates as Meta keeps them: what one is made of, and how a definition is read from JSON.

Source: Meta: message-templates/components. A definition comes in the short form (`body`, `footer`, `buttons`) or with
Meta's own `components`. Filling one in for a send is in `filling`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.simulator.checks import utf16, words
from bot.simulator.errors import GraphError, SimulatorError

VARIABLE = re.compile(r"\{\{\s*([a-z0-9_]+)\s*\}\}")
NAME = re.compile(r"[a-z0-9_]{1,512}\Z")
STATUSES = ("APPROVED", "PENDING", "REJECTED", "PAUSED", "DISABLED")
CATEGORIES = ("MARKETING", "UTILITY", "AUTHENTICATION")
BUTTON_KINDS = {
    "QUICK_REPLY": "quick_reply",
    "URL": "url",
    "PHONE_NUMBER": "phone",
    "COPY_CODE": "copy",
    "REQUEST_CONTACT_INFO": "contact",
    "FLOW": "form",
}
MEDIA_HEADERS = ("IMAGE", "VIDEO", "DOCUMENT")


@dataclass(frozen=True, slots=True)
class TemplateButton:
    """A button of a template; `kind` is Meta's type in capitals."""

    kind: str
    text: str
    url: str = ""

    def to_json(self) -> dict[str, str]:
        """As Meta lists it."""
        return {"type": self.kind, "text": self.text} | ({"url": self.url} if self.url else {})


@dataclass(frozen=True, slots=True)
class Template:
    """One template in one language.

    `header_format` is empty, TEXT, IMAGE, VIDEO or DOCUMENT; `offer` says that it holds an offer with an end; `cards` are those of a
    carousel, each with header, body and buttons of its own.
    """

    name: str
    language: str
    body: str
    category: str = "UTILITY"
    header: str = ""
    header_format: str = ""
    footer: str = ""
    buttons: tuple[TemplateButton, ...] = ()
    status: str = "APPROVED"
    offer: bool = False
    cards: tuple["Template", ...] = ()

    def to_json(self, template_id: str) -> dict[str, object]:
        """As `GET /{waba}/message_templates` lists it."""
        components: list[dict[str, object]] = []
        if self.header_format:
            header: dict[str, object] = {"type": "HEADER", "format": self.header_format}
            components.append(header | ({"text": self.header} if self.header else {}))
        components.append({"type": "BODY", "text": self.body})
        if self.footer:
            components.append({"type": "FOOTER", "text": self.footer})
        if self.buttons:
            components.append({"type": "BUTTONS", "buttons": [button.to_json() for button in self.buttons]})
        named = any(not name.isdigit() for name in VARIABLE.findall(self.body))
        return {
            "name": self.name, "parameter_format": "NAMED" if named else "POSITIONAL", "components": components,
            "language": self.language, "status": self.status, "category": self.category, "id": template_id,
        }  # fmt: skip


def read_template(given: Mapping[str, object]) -> Template:
    """A template from JSON; raises SimulatorError where it breaks Meta's limits (Meta: message-templates/components)."""
    flat = dict(given) | _from_components(given.get("components"))
    try:
        template = Template(
            name=_string(flat, "name"), language=_string(flat, "language"), body=_string(flat, "body"),
            category=str(flat.get("category", "UTILITY")).upper(), header=str(flat.get("header") or ""),
            header_format=str(flat.get("header_format") or ("TEXT" if flat.get("header") else "")).upper(),
            footer=str(flat.get("footer") or ""), status=str(flat.get("status", "APPROVED")).upper(),
            buttons=tuple(_button(one) for one in _list(flat.get("buttons"))),
        )  # fmt: skip
    except GraphError as error:
        raise SimulatorError(f"template: {error.details}") from error
    return checked(template)


def checked(template: Template) -> Template:
    """The same template; raises SimulatorError where it breaks Meta's limits."""
    problem = _problem(template)
    if problem:
        raise SimulatorError(f"template {template.name!r}: {problem}")
    return template


def _from_components(components: object) -> dict[str, object]:
    flat: dict[str, object] = {}
    for one in _list(components):
        if not isinstance(one, Mapping):
            raise SimulatorError("template: components must be objects")
        match str(one.get("type", "")).upper():
            case "HEADER":
                flat |= {"header_format": one.get("format", "TEXT"), "header": one.get("text", "")}
            case "BODY":
                flat["body"] = one.get("text")
            case "FOOTER":
                flat["footer"] = one.get("text")
            case "BUTTONS":
                flat["buttons"] = one.get("buttons")
            case other:
                raise SimulatorError(f"template: component {other!r} is not known")
    return flat


def _list(value: object) -> Sequence[object]:
    if value is None:
        return ()
    if not isinstance(value, (list, tuple)):
        raise SimulatorError("template: buttons and components are lists")
    return value


def _string(flat: Mapping[str, object], key: str) -> str:
    return words(flat, key, "template", most=1024)


def _button(given: object) -> TemplateButton:
    if isinstance(given, str):
        return TemplateButton("QUICK_REPLY", given)
    if not isinstance(given, Mapping):
        raise SimulatorError("template: a button is a text or an object")
    return TemplateButton(
        str(given.get("type", "QUICK_REPLY")).upper(), _string(given, "text"), str(given.get("url") or "")
    )


def _problem(template: Template) -> str:
    kinds = [button.kind for button in template.buttons]
    in_header = len(set(VARIABLE.findall(template.header)))
    checks = (
        (not NAME.match(template.name), "name: up to 512 of a-z, 0-9 and _"),
        (template.category not in CATEGORIES, f"category: one of {', '.join(CATEGORIES)}"),
        (template.status not in STATUSES, f"status: one of {', '.join(STATUSES)}"),
        (not template.body.strip() or utf16(template.body) > 1024, "body: 1 to 1024 characters"),
        (utf16(template.header) > 60 or in_header > 1, "header: 60 characters, one variable"),
        (template.header_format not in {"", "TEXT", *MEDIA_HEADERS}, "header_format: TEXT, IMAGE, VIDEO or DOCUMENT"),
        (utf16(template.footer) > 60 or bool(VARIABLE.search(template.footer)), "footer: 60 characters, no variables"),
        (len(kinds) > 10 or kinds.count("URL") > 2, "buttons: at most 10, two of them links"),
        (kinds.count("PHONE_NUMBER") > 1 or kinds.count("COPY_CODE") > 1, "buttons: one phone number, one code"),
        (any(kind not in BUTTON_KINDS for kind in kinds), f"buttons: {', '.join(BUTTON_KINDS)}"),
        (any(utf16(button.text) > 25 for button in template.buttons), "buttons: 25 characters each"),
    )
    return next((text for broken, text in checks if broken), "")
