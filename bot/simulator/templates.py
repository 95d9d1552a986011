"""Templates: their declaration, the check of a send against it, and what the person then reads. Pure."""

import re
from dataclasses import dataclass
from typing import Any, Literal

from bot.simulator.errors import GraphRefusal

Json = dict[str, Any]
VARIABLE = re.compile(r"\{\{\s*([A-Za-z0-9_]+)\s*\}\}")


@dataclass(frozen=True, slots=True)
class TemplateButton:
    """A button of a template: a quick reply (comes back as a `button` message), a link or a number to call."""

    text: str
    kind: Literal["QUICK_REPLY", "URL", "PHONE_NUMBER", "COPY_CODE", "FLOW"] = "QUICK_REPLY"
    url: str = ""


@dataclass(frozen=True, slots=True)
class Template:
    """An approved template in one language; variables are `{{1}}` or `{{first_name}}` (Meta: template components)."""

    name: str
    language: str
    body: str
    category: Literal["MARKETING", "UTILITY", "AUTHENTICATION"] = "UTILITY"
    header: str = ""
    footer: str = ""
    buttons: tuple[TemplateButton, ...] = ()
    status: Literal["APPROVED", "PAUSED", "DISABLED", "PENDING", "REJECTED"] = "APPROVED"
    header_format: Literal["TEXT", "IMAGE", "VIDEO", "DOCUMENT", ""] = ""

    @classmethod
    def from_meta(cls, body: Json) -> "Template":
        """From the body of Meta's template creation call; raises GraphRefusal where a part is missing."""
        name, language = body.get("name"), body.get("language")
        if not isinstance(name, str) or not re.fullmatch(r"[a-z0-9_]{1,512}", name) or not isinstance(language, str):
            raise GraphRefusal(100, "a template needs `name` (lower-case letters, digits, _) and `language`")
        parts = {
            str(part.get("type", "")).upper(): part for part in body.get("components", []) if isinstance(part, dict)
        }
        if not isinstance(parts.get("BODY", {}).get("text"), str):
            raise GraphRefusal(100, "a template needs a component of type BODY with `text`")
        header = parts.get("HEADER", {})
        return cls(
            name=name,
            language=language,
            body=parts["BODY"]["text"],
            category=str(body.get("category", "UTILITY")).upper(),  # type: ignore[arg-type]  # as the caller says, kept as it is
            header=str(header.get("text", "")),
            header_format=str(header.get("format", "")).upper(),  # type: ignore[arg-type]
            footer=str(parts.get("FOOTER", {}).get("text", "")),
            buttons=tuple(
                TemplateButton(
                    str(button.get("text", "")), str(button.get("type", "")).upper(), str(button.get("url", ""))
                )  # type: ignore[arg-type]
                for button in parts.get("BUTTONS", {}).get("buttons", [])
            ),
        )

    def as_meta(self, template_id: str) -> Json:
        """As `GET /{waba_id}/message_templates` shows it."""
        components: list[Json] = []
        if self.header or self.header_format:
            components.append(
                {
                    "type": "HEADER",
                    "format": self.header_format or "TEXT",
                    **({"text": self.header} if self.header else {}),
                }
            )
        components.append({"type": "BODY", "text": self.body})
        if self.footer:
            components.append({"type": "FOOTER", "text": self.footer})
        if self.buttons:
            shown = [{"type": b.kind, "text": b.text, **({"url": b.url} if b.url else {})} for b in self.buttons]
            components.append({"type": "BUTTONS", "buttons": shown})
        return {
            "id": template_id,
            "name": self.name,
            "language": self.language,
            "status": self.status,
            "category": self.category,
            "components": components,
        }


@dataclass(frozen=True, slots=True)
class Rendered:
    """A template with its variables filled in: what the person reads and can tap."""

    header: str
    body: str
    footer: str
    buttons: tuple[tuple[str, str], ...]
    links: tuple[tuple[str, str], ...]


def find(templates: tuple[Template, ...], name: object, code: object) -> Template:
    """The template of this name and language; 132001 where there is none, 132015/132016 where it may not be sent now."""
    for template in templates:
        if template.name == name and template.language == code:
            if template.status == "PAUSED":
                raise GraphRefusal(132015, "template is paused due to low quality")
            if template.status == "DISABLED":
                raise GraphRefusal(132016, "template is disabled")
            if template.status == "APPROVED":
                return template
    raise GraphRefusal(132001, "template name does not exist in this language, or is not approved")


def render(template: Template, components: list[Json]) -> Rendered:
    """Fill in the parameters of a send; 132000 on a wrong count, 132012 on a wrong kind or name, 100 on a wrong shape."""
    by_kind: dict[str, list[Json]] = {}
    buttons: dict[int, Json] = {}
    for part in components:
        if not isinstance(part, dict) or not isinstance(part.get("type"), str):
            raise GraphRefusal(100, "each of `template.components` needs a `type`")
        parameters = part.get("parameters", [])
        if not isinstance(parameters, list) or not all(isinstance(item, dict) for item in parameters):
            raise GraphRefusal(100, "`parameters` is a list of objects")
        if part["type"].lower() == "button":
            buttons[_button_index(template, part)] = part
        elif part["type"].lower() in {"header", "body"}:
            by_kind[part["type"].lower()] = parameters
        else:
            raise GraphRefusal(100, "a component is a header, a body or a button")
    header = (
        ""
        if template.header_format in {"IMAGE", "VIDEO", "DOCUMENT"}
        else _fill(template.header, by_kind.get("header", []), "header")
    )
    body = _fill(template.body, by_kind.get("body", []), "body")
    if len(body.encode("utf-16-le")) // 2 > 1024:
        raise GraphRefusal(132005, "the text with its parameters is longer than 1024 characters")
    return Rendered(header, body, template.footer, *_buttons(template, buttons))


def _button_index(template: Template, part: Json) -> int:
    index = str(part.get("index", ""))
    if not index.isdecimal() or int(index) >= len(template.buttons):
        raise GraphRefusal(132000, "a button parameter names a button the template does not have")
    wanted = {"QUICK_REPLY": "quick_reply", "URL": "url", "COPY_CODE": "copy_code", "FLOW": "flow"}.get(
        template.buttons[int(index)].kind
    )
    if str(part.get("sub_type", "")).lower() != wanted:
        raise GraphRefusal(132012, "`sub_type` does not match the kind of the template's button")
    return int(index)


def _fill(text: str, parameters: list[Json], where: str) -> str:
    names = list(dict.fromkeys(VARIABLE.findall(text)))
    if len(parameters) != len(names):
        raise GraphRefusal(
            132000,
            f"{where}: number of parameters ({len(parameters)}) does not match the expected number ({len(names)})",
        )
    named = any(not name.isdecimal() for name in names)
    values: dict[str, str] = {}
    for number, parameter in enumerate(parameters, start=1):
        value = _text_of(parameter, where)
        key = parameter.get("parameter_name") if named else str(number)
        if not isinstance(key, str) or key not in names:
            raise GraphRefusal(132012, f"{where}: `parameter_name` is missing or not one of the template's")
        values[key] = value
    if set(values) != set(names):
        raise GraphRefusal(132000, f"{where}: a variable of the template got no parameter")
    return VARIABLE.sub(lambda found: values[found.group(1)], text)


def _text_of(parameter: Json, where: str) -> str:
    kind = parameter.get("type")
    value: object = parameter.get("text")
    if kind in {"currency", "date_time"}:
        inner = parameter.get(kind)
        value = inner.get("fallback_value") if isinstance(inner, dict) else None
    elif kind != "text":
        raise GraphRefusal(132012, f"{where}: a parameter here is of type text, currency or date_time")
    if not isinstance(value, str) or not value:
        raise GraphRefusal(131008, f"{where}: a parameter has no text")
    if re.search(r"[\n\t]| {5,}", value) and where == "body":
        raise GraphRefusal(
            132012, f"{where}: a parameter may not hold new lines, tabs or more than four spaces in a row"
        )
    return value


def _buttons(
    template: Template, given: dict[int, Json]
) -> tuple[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]]:
    replies: list[tuple[str, str]] = []
    links: list[tuple[str, str]] = []
    for index, button in enumerate(template.buttons):
        parameters = given.get(index, {}).get("parameters", [])
        if button.kind == "QUICK_REPLY":
            payload = parameters[0].get("payload") if parameters else button.text
            if not isinstance(payload, str) or not payload:
                raise GraphRefusal(132012, "a quick reply's parameter is of type payload with `payload`")
            replies.append((payload, button.text))
        elif button.kind == "URL":
            links.append((_fill(button.url, parameters, "button"), button.text))
    return tuple(replies), tuple(links)
