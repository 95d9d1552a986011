"""Interactive messages: reply buttons, lists, link buttons, requests for a location or for contact details.

Limits: Meta: cloud-api/messages/interactive-* pages. Kinds outside this list are refused with a clear error.
"""

from bot.simulator.chat import Choice, Face, MediaRef
from bot.simulator.checks import Body, all_different, items, mapping, only, web_address, words, words_or_none
from bot.simulator.errors import GraphError
from bot.simulator.mediarefs import MediaLookup, media_ref

ALLOWED = ("type", "header", "body", "footer", "action")


def read_interactive(content: Body, media: MediaLookup) -> Face:
    """What the phone shows; raises GraphError for anything outside Meta's limits."""
    kind = words(content, "type", "interactive", most=64)
    only(content, ALLOWED, "interactive")
    match kind:
        case "button":
            return _buttons(content, media)
        case "list":
            return _list(content, media)
        case "cta_url":
            return _link(content, media)
        case "location_request_message":
            return _request(
                content, "location_request", "send_location", Choice("location", "send_location", "Send location")
            )
        case "request_contact_info":
            choice = Choice("contact", "request_contact_info", "Share contact info")
            return _request(content, "contact_request", "request_contact_info", choice)
        case "flow":
            return _form(content, media)
        case "address_message":
            return _address(content)
        case _:
            raise GraphError(131009, f"interactive.type {kind!r} is not one this stand-in knows")


def _body(content: Body, most: int) -> str:
    body = mapping(content, "body", "interactive")
    only(body, ("text",), "interactive.body")
    return words(body, "text", "interactive.body", most=most)


def _footer(content: Body) -> str:
    if "footer" not in content:
        return ""
    footer = mapping(content, "footer", "interactive")
    only(footer, ("text",), "interactive.footer")
    return words(footer, "text", "interactive.footer", most=60)


def _header(content: Body, media: MediaLookup, *, with_media: bool) -> tuple[str, MediaRef | None]:
    if "header" not in content:
        return "", None
    header = mapping(content, "header", "interactive")
    kind = words(header, "type", "interactive.header", most=20)
    only(header, ("type", kind, "sub_text"), "interactive.header")
    if kind == "text":
        return words(header, "text", "interactive.header", most=60), None
    if not with_media or kind not in {"image", "video", "document"}:
        raise GraphError(131009, f"interactive.header.type {kind!r} is not allowed here")
    return "", media_ref(kind, mapping(header, kind, "interactive.header"), f"interactive.header.{kind}", media)


def _buttons(content: Body, media: MediaLookup) -> Face:
    action = mapping(content, "action", "interactive")
    only(action, ("buttons",), "interactive.action")
    choices = []
    for place, button in enumerate(items(action, "buttons", "interactive.action", least=1, most=3)):
        where = f"interactive.action.buttons[{place}]"
        only(button, ("type", "reply"), where)
        if button.get("type") != "reply":
            raise GraphError(131009, f"{where}.type must be reply")
        reply = mapping(button, "reply", where)
        only(reply, ("id", "title"), f"{where}.reply")
        key = words(reply, "id", f"{where}.reply", most=256)
        if key != key.strip():
            raise GraphError(131009, f"{where}.reply.id must not begin or end with a space")
        choices.append(Choice("reply", key, words(reply, "title", f"{where}.reply", most=20)))
    all_different((choice.id for choice in choices), "interactive.action.buttons: id")
    all_different((choice.title for choice in choices), "interactive.action.buttons: title")
    header, ref = _header(content, media, with_media=True)
    return Face("buttons", _body(content, 1024), header, _footer(content), tuple(choices), media=ref)


def _list(content: Body, media: MediaLookup) -> Face:
    action = mapping(content, "action", "interactive")
    only(action, ("button", "sections"), "interactive.action")
    label = words(action, "button", "interactive.action", most=20)
    sections = items(action, "sections", "interactive.action", least=1, most=10)
    rows: list[Choice] = []
    for place, section in enumerate(sections):
        where = f"interactive.action.sections[{place}]"
        only(section, ("title", "rows"), where)
        if len(sections) > 1 and "title" not in section:
            raise GraphError(131008, f"The parameter {where}.title is required with more than one section")
        title = words_or_none(section, "title", where, most=24)
        rows += [
            _row(row, title, f"{where}.rows[{n}]")
            for n, row in enumerate(items(section, "rows", where, least=1, most=10))
        ]
    if len(rows) > 10:
        raise GraphError(131009, f"interactive.action.sections: at most 10 rows in all, got {len(rows)}")
    all_different((row.id for row in rows), "interactive.action.sections: id of a row")
    header, ref = _header(content, media, with_media=False)
    return Face("list", _body(content, 4096), header, _footer(content), tuple(rows), label, ref)


def _row(row: Body, section: str, where: str) -> Choice:
    only(row, ("id", "title", "description"), where)
    return Choice(
        "row",
        words(row, "id", where, most=200),
        words(row, "title", where, most=24),
        words_or_none(row, "description", where, most=72),
        section,
    )


def _link(content: Body, media: MediaLookup) -> Face:
    action = mapping(content, "action", "interactive")
    only(action, ("name", "parameters"), "interactive.action")
    _named(action, "cta_url")
    parameters = mapping(action, "parameters", "interactive.action")
    only(parameters, ("display_text", "url"), "interactive.action.parameters")
    label = words(parameters, "display_text", "interactive.action.parameters", most=20)
    url = web_address(parameters, "url", "interactive.action.parameters")
    header, ref = _header(content, media, with_media=True)
    return Face(
        "link", _body(content, 1024), header, _footer(content), (Choice("url", "cta_url", label, url=url),), media=ref
    )


FORM = (
    "flow_message_version",
    "flow_id",
    "flow_name",
    "flow_cta",
    "flow_token",
    "flow_action",
    "flow_action_payload",
    "mode",
)


def _form(content: Body, media: MediaLookup) -> Face:
    """A form made at Meta (Meta: flows/guides/sendingaflow)."""
    action = mapping(content, "action", "interactive")
    only(action, ("name", "parameters"), "interactive.action")
    _named(action, "flow")
    where = "interactive.action.parameters"
    parameters = mapping(action, "parameters", "interactive.action")
    only(parameters, FORM, where)
    if parameters.get("flow_message_version") != "3":
        raise GraphError(131009, f"{where}.flow_message_version must be 3")
    if ("flow_id" in parameters) == ("flow_name" in parameters):
        raise GraphError(131009, f"{where}: give exactly one of flow_id and flow_name")
    words(parameters, "flow_id" if "flow_id" in parameters else "flow_name", where, most=200)
    words(parameters, "flow_token", where, most=512)
    label = words(parameters, "flow_cta", where, most=30)
    if parameters.get("mode", "published") not in ("published", "draft"):
        raise GraphError(131009, f"{where}.mode must be published or draft")
    how = parameters.get("flow_action", "navigate")
    if how not in ("navigate", "data_exchange"):
        raise GraphError(131009, f"{where}.flow_action must be navigate or data_exchange")
    if how == "navigate":
        words(mapping(parameters, "flow_action_payload", where), "screen", f"{where}.flow_action_payload", most=200)
    elif "flow_action_payload" in parameters:
        raise GraphError(131009, f"{where}.flow_action_payload goes with navigate only")
    header, ref = _header(content, media, with_media=True)
    return Face("form", _body(content, 1024), header, _footer(content), (Choice("form", "flow", label),), media=ref)


def _address(content: Body) -> Face:
    """A request for a postal address (Meta: address messages)."""
    only(content, ("type", "body", "action"), "interactive")
    action = mapping(content, "action", "interactive")
    only(action, ("name", "parameters"), "interactive.action")
    _named(action, "address_message")
    parameters = mapping(action, "parameters", "interactive.action")
    country = words(parameters, "country", "interactive.action.parameters", most=2)
    if country != "IN":
        raise GraphError(131009, "interactive.action.parameters.country: addresses can be asked for in India only")
    return Face(
        "address_request", _body(content, 1024), choices=(Choice("address", "address_message", "Provide address"),)
    )


def _request(content: Body, kind: str, name: str, choice: Choice) -> Face:
    only(content, ("type", "body", "action"), "interactive")
    action = mapping(content, "action", "interactive")
    only(action, ("name",), "interactive.action")
    _named(action, name)
    return Face(kind, _body(content, 1024), choices=(choice,))


def _named(action: Body, name: str) -> None:
    if action.get("name") != name:
        raise GraphError(131009, f"interactive.action.name must be {name}")
