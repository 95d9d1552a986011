"""Filling a template in with the parameters of a send. Pure. Source: Meta: cloud-api/guides/send-message-templates."""

from collections.abc import Mapping, Sequence

from bot.simulator.chat import Choice, Face, MediaRef
from bot.simulator.checks import Body, items, mapping, only, utf16, web_address, words
from bot.simulator.errors import GraphError
from bot.simulator.templates import BUTTON_KINDS, MEDIA_HEADERS, VARIABLE, Template, TemplateButton

Given = list[tuple[str | None, str]]


def fill(template: Template, send: Body, media: Mapping[str, MediaRef]) -> Face:
    """What the phone shows for this send of the template; raises GraphError 132000, 132005, 132012 or 132018.

    `media` resolves uploaded media ids. Quick replies without a payload parameter answer with their own text.
    """
    parts, payloads = _components(send)
    _offer(template, parts.get("limited_time_offer"))
    _cards(template, parts.get("carousel"), media)
    header, ref = _header(template, parts.get("header"), media)
    body = _filled(template.body, _texts(parts.get("body"), "body"), "body")
    if utf16(body) > 1024:
        raise GraphError(132005, f"The body is {utf16(body)} characters long after filling in, 1024 are allowed")
    return Face(
        "template", body, header, template.footer, _choices(template, payloads), media=ref, template=template.name
    )


def _components(send: Body) -> tuple[dict[str, Body], dict[int, Body]]:
    parts: dict[str, Body] = {}
    payloads: dict[int, Body] = {}
    for part in items(send, "components", "template", least=0, most=30) if "components" in send else ():
        kind = str(part.get("type", "")).lower()
        if kind not in {"header", "body", "button", "limited_time_offer", "carousel"}:
            raise GraphError(132012, f"template.components: type {kind!r} is not known")
        if kind == "button":
            payloads[_index(part)] = part
        elif kind in parts:
            raise GraphError(132012, f"template.components: {kind} stands twice")
        else:
            parts[kind] = part
    return parts, payloads


def _index(part: Body) -> int:
    found = str(part.get("index", ""))
    if not (found.isascii() and found.isdigit() and int(found) <= 9):
        raise GraphError(132012, "template.components: a button needs an index from 0 to 9")
    return int(found)


def _parameters(part: Body | None, where: str) -> Sequence[Body]:
    if part is None or "parameters" not in part:
        return ()
    return items(part, "parameters", f"template {where}", least=0, most=100)


def _texts(part: Body | None, where: str) -> Given:
    """The text parameters of a component as (name or None, text)."""
    found: Given = []
    for one in _parameters(part, where):
        text = _shown(one, where)
        if "\n" in text or "\t" in text or " " * 5 in text:
            raise GraphError(
                132018, f"template {where}: no line break, no tab, at most 4 spaces in a row in a parameter"
            )
        name = one.get("parameter_name")
        found.append((str(name) if name is not None else None, text))
    return found


def _shown(one: Body, where: str) -> str:
    """What a parameter shows: a text, an amount of money or a date (Meta: cloud-api/reference/messages, parameter object)."""
    kind, place = one.get("type"), f"template {where} parameter"
    if kind not in ("text", "currency", "date_time"):
        raise GraphError(132012, f"template {where}: parameters must be of type text, currency or date_time")
    only(one, ("type", str(kind), "parameter_name"), place)
    if kind == "text":
        return words(one, "text", place, most=32768)
    content = mapping(one, str(kind), place)
    if kind == "currency":
        only(content, ("fallback_value", "code", "amount_1000"), place)
        code, amount = words(content, "code", place, most=3), content.get("amount_1000")
        if len(code) != 3 or not code.isupper() or not isinstance(amount, int) or isinstance(amount, bool):
            raise GraphError(132012, f"{place}: a currency has a code of three capitals and a whole amount_1000")
    return words(content, "fallback_value", place, most=1024)


def _offer(template: Template, part: Body | None) -> None:
    given = _parameters(part, "limited_time_offer")
    if template.offer != bool(given):
        raise GraphError(132000, "limited_time_offer: one parameter where the template has an offer, else none")
    for one in given:
        end = mapping(one, "limited_time_offer", "template limited_time_offer").get("expiration_time_ms")
        if not isinstance(end, int) or end < 10**12:
            raise GraphError(132012, "limited_time_offer: expiration_time_ms is a moment in milliseconds")


def _cards(template: Template, part: Body | None, media: Mapping[str, MediaRef]) -> None:
    given = items(part, "cards", "template carousel", least=0, most=10) if part is not None else ()
    if len(given) != len(template.cards):
        raise GraphError(132000, f"carousel: {len(given)} cards, expected number of cards is {len(template.cards)}")
    for place, (card, one) in enumerate(zip(template.cards, given, strict=True)):
        if one.get("card_index") != place:
            raise GraphError(132012, "carousel: card_index counts from 0")
        fill(card, one, media)


def _filled(pattern: str, given: Given, where: str) -> str:
    wanted = list(dict.fromkeys(VARIABLE.findall(pattern)))
    if len(wanted) != len(given):
        raise GraphError(
            132000, f"{where}: {len(given)} localizable_params, expected number of params is {len(wanted)}"
        )
    if all(name.isdigit() for name in wanted):
        if any(name is not None for name, _ in given):
            raise GraphError(132012, f"{where}: this template has positional parameters, leave parameter_name out")
        values = dict(zip(sorted(wanted, key=int), (text for _, text in given), strict=True))
    else:
        values = {name or "": text for name, text in given}
        if set(values) != set(wanted):
            raise GraphError(132012, f"{where}: this template has named parameters, each needs its parameter_name")
    return VARIABLE.sub(lambda found: values[found[1]], pattern)


def _header(template: Template, part: Body | None, media: Mapping[str, MediaRef]) -> tuple[str, MediaRef | None]:
    if template.header_format not in MEDIA_HEADERS:
        return _filled(template.header, _texts(part, "header"), "header"), None
    kind = template.header_format.lower()
    parameters = _parameters(part, "header")
    if len(parameters) != 1:
        raise GraphError(132000, f"header: one parameter of type {kind} is expected")
    if parameters[0].get("type") != kind:
        raise GraphError(132012, f"header: the parameter must be of type {kind}")
    content = mapping(parameters[0], kind, "template header")
    if "id" in content:
        found = media.get(str(content["id"]))
        if found is None or found.kind != kind:
            raise GraphError(131053, f"header: no uploaded {kind} has this id")
        return "", found
    return "", MediaRef(kind, link=web_address(content, "link", "template header"))


def _choices(template: Template, payloads: Mapping[int, Body]) -> tuple[Choice, ...]:
    for index in payloads:
        if index >= len(template.buttons):
            raise GraphError(132012, f"button {index}: this template has {len(template.buttons)} buttons")
    return tuple(_choice(button, payloads.get(index), index) for index, button in enumerate(template.buttons))


def _choice(button: TemplateButton, part: Body | None, index: int) -> Choice:
    kind = BUTTON_KINDS[button.kind]
    where = f"button {index}"
    if part is not None and str(part.get("sub_type", "")).lower() != button.kind.lower():
        raise GraphError(132012, f"{where}: sub_type must be {button.kind.lower()}")
    if kind == "url":
        return Choice(kind, f"url-{index}", button.text, url=_filled(button.url, _texts(part, where), where))
    given = _parameters(part, where)
    if kind == "quick_reply":
        if not given:
            return Choice(kind, button.text, button.text)
        return Choice(kind, _single(given, "payload", where, 256), button.text)
    if kind == "form":
        if given:
            words(mapping(_only_one(given, "action", where), "action", where), "flow_token", where, most=512)
        return Choice(kind, "flow", button.text)
    if kind == "copy":
        return Choice(kind, _single(given, "coupon_code", where, 15), button.text)
    if given:
        raise GraphError(132000, f"{where}: takes no parameters")
    return Choice(kind, f"{kind}-{index}", button.text)


def _single(given: Sequence[Body], kind: str, where: str, most: int) -> str:
    return words(_only_one(given, kind, where), kind, where, most=most)


def _only_one(given: Sequence[Body], kind: str, where: str) -> Body:
    if len(given) != 1:
        raise GraphError(132000, f"{where}: one parameter of type {kind} is expected")
    if given[0].get("type") != kind:
        raise GraphError(132012, f"{where}: the parameter must be of type {kind}")
    return given[0]
