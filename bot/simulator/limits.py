"""What a message body must look like: Meta's shapes and limits, counted in UTF-16 units. Pure.

Meta does not say how it counts characters; the stricter count is taken, so that a client which passes here passes there.
"""

from collections.abc import Callable
from typing import Any

from bot.simulator.errors import GraphRefusal

Json = dict[str, Any]
MEDIA_KINDS = ("image", "audio", "video", "document", "sticker")
INTERACTIVE_KINDS = ("button", "list", "cta_url", "location_request_message", "flow", "request_contact_info")


def units(text: str) -> int:
    """Length of a text in UTF-16 code units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def text_at(holder: object, key: str, limit: int, where: str, *, required: bool = True) -> str:
    """The text under `key`; 100 where it is missing, 131009 where it is empty, too long or no text."""
    value = holder.get(key) if isinstance(holder, dict) else None
    if value is None and not required:
        return ""
    if value is None:
        raise GraphRefusal(100, f"The parameter {where}.{key} is required.")
    if not isinstance(value, str) or (required and not value.strip()):
        raise GraphRefusal(131009, f"{where}.{key} is a text and not empty")
    if units(value) > limit:
        raise GraphRefusal(131009, f"{where}.{key}: length {units(value)} is over the limit of {limit}")
    return value


def object_at(holder: Json, key: str, where: str = "") -> Json:
    """The object under `key`; error 100 where there is none."""
    value = holder.get(key)
    if not isinstance(value, dict):
        raise GraphRefusal(100, f"The parameter {where + '.' if where else ''}{key} is required.")
    return value


def _list_at(holder: Json, key: str, where: str, most: int) -> list[Json]:
    value = holder.get(key)
    if not isinstance(value, list) or not value:
        raise GraphRefusal(100, f"The parameter {where}.{key} is required.")
    if len(value) > most:
        raise GraphRefusal(131009, f"{where}.{key}: {len(value)} are over the limit of {most}")
    if not all(isinstance(item, dict) for item in value):
        raise GraphRefusal(100, f"{where}.{key} is a list of objects")
    return value


def _url_at(holder: Json, key: str, where: str) -> str:
    value = text_at(holder, key, 2000, where)
    if not value.startswith(("https://", "http://")):
        raise GraphRefusal(131009, f"{where}.{key} is not a valid URL")
    return value


def check_text(body: Json) -> None:
    """Meta: text messages."""
    text = object_at(body, "text")
    text_at(text, "body", 4096, "text")
    if not isinstance(text.get("preview_url", False), bool):
        raise GraphRefusal(100, "text.preview_url is true or false")


def check_media(body: Json) -> None:
    """Meta: media messages. Exactly one of `id` and `link`."""
    kind = body["type"]
    media = object_at(body, kind)
    if ("id" in media) == ("link" in media):
        raise GraphRefusal(100, f"{kind} needs exactly one of `id` and `link`")
    if "link" in media:
        _url_at(media, "link", kind)
    if "caption" in media:
        if kind in {"audio", "sticker"}:
            raise GraphRefusal(100, f"{kind} takes no caption")
        text_at(media, "caption", 1024, kind)


def check_location(body: Json) -> None:
    """Meta: location messages."""
    place = object_at(body, "location")
    for key, most in (("latitude", 90.0), ("longitude", 180.0)):
        try:
            value = float(place[key])
        except (KeyError, TypeError, ValueError):
            raise GraphRefusal(100, f"The parameter location.{key} is required.") from None
        if not -most <= value <= most:
            raise GraphRefusal(131009, f"location.{key} is out of range")


def check_contacts(body: Json) -> None:
    """Meta: contacts messages."""
    holder: Json = {"contacts": body.get("contacts")}
    for contact in _list_at(holder, "contacts", "message", 257):
        text_at(object_at(contact, "name", "contacts"), "formatted_name", 1024, "contacts.name")


def check_reaction(body: Json) -> None:
    """Meta: reaction messages; an empty emoji takes the reaction back."""
    reaction = object_at(body, "reaction")
    text_at(reaction, "message_id", 512, "reaction")
    if not isinstance(reaction.get("emoji"), str):
        raise GraphRefusal(100, "The parameter reaction.emoji is required.")
    if "context" in body:
        raise GraphRefusal(100, "a reaction takes no context")


def _check_header(interactive: Json, kinds: tuple[str, ...]) -> None:
    if "header" not in interactive:
        return
    header = object_at(interactive, "header", "interactive")
    kind = header.get("type")
    if kind not in kinds:
        raise GraphRefusal(131009, f"interactive.header.type is one of {', '.join(kinds)} here")
    if kind == "text":
        text_at(header, "text", 60, "interactive.header")
    else:
        check_media({"type": kind, kind: header.get(kind)})


def _check_frame(interactive: Json, body_limit: int, headers: tuple[str, ...]) -> Json:
    text_at(object_at(interactive, "body", "interactive"), "text", body_limit, "interactive.body")
    if "footer" in interactive:
        text_at(object_at(interactive, "footer", "interactive"), "text", 60, "interactive.footer")
    _check_header(interactive, headers)
    return object_at(interactive, "action", "interactive")


def _check_buttons(interactive: Json) -> None:
    action = _check_frame(interactive, 1024, ("text", "image", "video", "document"))
    titles: set[str] = set()
    ids: set[str] = set()
    for button in _list_at(action, "buttons", "interactive.action", 3):
        if button.get("type") != "reply":
            raise GraphRefusal(131009, "interactive.action.buttons[].type is `reply`")
        reply = object_at(button, "reply", "interactive.action.buttons[]")
        titles.add(text_at(reply, "title", 20, "button.reply"))
        ids.add(text_at(reply, "id", 256, "button.reply"))
    if len(titles) < len(action["buttons"]) or len(ids) < len(action["buttons"]):
        raise GraphRefusal(131009, "interactive.action.buttons: titles and ids must be unique")


def _check_list(interactive: Json) -> None:
    action = _check_frame(interactive, 4096, ("text",))
    text_at(action, "button", 20, "interactive.action")
    sections = _list_at(action, "sections", "interactive.action", 10)
    ids: list[str] = []
    for section in sections:
        text_at(section, "title", 24, "section", required=len(sections) > 1)
        for row in _list_at(section, "rows", "section", 10):
            ids.append(text_at(row, "id", 200, "row"))
            text_at(row, "title", 24, "row")
            text_at(row, "description", 72, "row", required=False)
    if len(ids) > 10:
        raise GraphRefusal(131009, f"a list has at most 10 rows in all sections together, not {len(ids)}")
    if len(set(ids)) < len(ids):
        raise GraphRefusal(131009, "row ids must be unique")


def _check_cta_url(interactive: Json) -> None:
    action = _check_frame(interactive, 1024, ("text", "image", "video", "document"))
    if action.get("name") != "cta_url":
        raise GraphRefusal(131009, "interactive.action.name is `cta_url`")
    parameters = object_at(action, "parameters", "interactive.action")
    text_at(parameters, "display_text", 20, "parameters")
    _url_at(parameters, "url", "parameters")


def _check_named(name: str) -> Callable[[Json], None]:
    def check(interactive: Json) -> None:
        if _check_frame(interactive, 1024, ()).get("name") != name:
            raise GraphRefusal(131009, f"interactive.action.name is `{name}`")

    return check


def _check_flow(interactive: Json) -> None:
    action = _check_frame(interactive, 1024, ("text", "image", "video", "document"))
    if action.get("name") != "flow":
        raise GraphRefusal(131009, "interactive.action.name is `flow`")
    parameters = object_at(action, "parameters", "interactive.action")
    text_at(parameters, "flow_cta", 30, "parameters")
    if ("flow_id" in parameters) == ("flow_name" in parameters):
        raise GraphRefusal(100, "parameters needs exactly one of flow_id and flow_name")


INTERACTIVE: dict[str, Callable[[Json], None]] = {
    "button": _check_buttons,
    "list": _check_list,
    "cta_url": _check_cta_url,
    "flow": _check_flow,
    "location_request_message": _check_named("send_location"),
    "request_contact_info": _check_named("request_contact_info"),
}


def check_interactive(body: Json) -> None:
    """Meta: interactive messages of the kinds in INTERACTIVE; others are error 131009 in this stand-in."""
    interactive = object_at(body, "interactive")
    check = INTERACTIVE.get(str(interactive.get("type")))
    if check is None:
        raise GraphRefusal(131009, f"interactive.type is one of {', '.join(INTERACTIVE)} in this simulator")
    check(interactive)


def check_template(body: Json) -> None:
    """The outer shape of a template send; its parameters are compared in `templates`."""
    template = object_at(body, "template")
    text_at(template, "name", 512, "template")
    text_at(object_at(template, "language", "template"), "code", 20, "template.language")
    if not isinstance(template.get("components", []), list):
        raise GraphRefusal(100, "template.components is a list")


CHECKS: dict[str, Callable[[Json], None]] = {
    "text": check_text,
    "interactive": check_interactive,
    "template": check_template,
    "location": check_location,
    "contacts": check_contacts,
    "reaction": check_reaction,
    **dict.fromkeys(MEDIA_KINDS, check_media),
}


def check_message(body: Json) -> str:
    """The type of a well-formed send (Meta: send messages); raises GraphRefusal 100, 131009 or 131051."""
    if body.get("messaging_product") != "whatsapp":
        raise GraphRefusal(100, "The parameter messaging_product is required and is `whatsapp`.")
    if body.get("recipient_type", "individual") != "individual":
        raise GraphRefusal(131009, "recipient_type is `individual` in this simulator")
    if ("to" in body) == ("recipient" in body):
        raise GraphRefusal(100, "give exactly one of `to` (phone number) and `recipient` (business-scoped user id)")
    text_at(body, "biz_opaque_callback_data", 512, "message", required=False)
    if "context" in body:
        text_at(object_at(body, "context"), "message_id", 512, "context")
    kind = body.get("type", "text")
    check = CHECKS.get(kind) if isinstance(kind, str) else None
    if check is None or not isinstance(kind, str):
        raise GraphRefusal(131051, "unsupported message type")
    check({**body, "type": kind})
    return kind
