"""Template messages: their limits, and their components as the Graph API takes them (whatsapp.md 3.4). Pure."""

import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from bot.domain.message import Header, Moment, Money, Parameter, TemplateButton, TemplateCard, TemplateMessage
from bot.domain.template_text import meta_language
from bot.whatsapp.limits import BODY, HEADER, Problems, header_of, sized

Body = dict[str, Any]

NAME, BUTTONS, PAYLOAD, URL, COUPON, CODE, CARDS = 512, 10, 256, 2000, 15, 15, 10
_NAME = re.compile(r"[a-z0-9_]+")
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:[_-][A-Za-z]{2,4})?")
_SPACES = re.compile(r"[\n\r\t]| {5}")
_MOST = {"quick_reply": PAYLOAD, "url": URL, "copy_code": COUPON, "flow": PAYLOAD}


def problems_of(message: TemplateMessage) -> Problems:
    """Everything about a template message that Meta would refuse (132000, 132005, 132012, 132018), in words without the values."""
    yield from sized("template name", message.name, 1, NAME)
    if not _NAME.fullmatch(message.name):
        yield "the template name holds other characters than a-z, 0-9 and _"
    if not _LANGUAGE.fullmatch(message.language):
        yield "the template's language is no language code"
    if message.names and len(message.names) != len(message.parameters):
        yield f"there are {len(message.names)} names for {len(message.parameters)} values"
    if any(not _NAME.fullmatch(name) for name in message.names) or len(set(message.names)) < len(message.names):
        yield "a value's name is there twice, or holds other characters than a-z, 0-9 and _"
    yield from _values(message.parameters)
    yield from _header(message.header)
    yield from _buttons((*_counted(message), *message.actions))
    if not 0 <= message.offer_ends < 10**14:
        yield "the end of the offer is no time in milliseconds"
    if message.code:
        yield from sized("code", message.code, 1, CODE)
        if message.parameters or message.actions or message.cards or message.header or message.link_suffix:
            yield "an authentication template has its code and nothing else"
    if len(message.cards) > CARDS:
        yield f"there are {len(message.cards)} cards; 1 to {CARDS} are possible"
    for card in message.cards:
        yield from chain(_header(card.header), _values(card.parameters), _buttons(card.buttons))
        if not card.header.kind:
            yield "a card needs a picture or a video"


def _counted(message: TemplateMessage) -> Iterator[TemplateButton]:
    """`buttons` and `link_suffix`, the short way of writing quick replies and one address, with their places."""
    for index, payload in enumerate(message.buttons):
        yield TemplateButton("quick_reply", index, payload)
    if message.link_suffix:
        yield TemplateButton("url", len(message.buttons), message.link_suffix)


def _values(parameters: Iterable[Parameter]) -> Problems:
    total = 0
    for one in parameters:
        shown = one if isinstance(one, str) else one.shown
        total += len(shown)
        yield from sized("value of the template", shown, 1, BODY)
        if _SPACES.search(shown):
            yield "a value of the template holds a line break, a tab or more than four spaces in a row"
        if isinstance(one, Money) and not re.fullmatch(r"[A-Z]{3}", one.currency):
            yield "a currency has three capital letters"


def _header(header: Header | None) -> Problems:
    if header is not None and header.kind:
        yield from header_of(header)
    elif header is not None:
        yield from chain(sized("header", header.text, 1, HEADER), _values((header.text,)))


def _buttons(buttons: Iterable[TemplateButton]) -> Problems:
    places = []
    for one in buttons:
        places.append(one.index)
        if one.kind not in _MOST:
            yield "a button of the template is of no known kind"
            continue
        yield from sized("value of a button", one.value, 1, _MOST[one.kind])
        if one.kind == "url" and any(sign.isspace() or not sign.isprintable() for sign in one.value):
            yield "the end of an address holds a space or a character that cannot be shown"
    if len(set(places)) < len(places) or any(not 0 <= place < BUTTONS for place in places):
        yield f"the buttons' places must differ and lie from 0 to {BUTTONS - 1}"


def template_of(message: TemplateMessage) -> Body:
    """The object under `template`. The message must be without problems."""
    parameters, buttons = message.parameters, [*_counted(message), *message.actions]
    if message.code:
        # Meta's own form of it: the code stands in the body and behind its button (Meta: authentication templates).
        parameters, buttons = (message.code,), [TemplateButton("url", 0, message.code)]
    components = [*_parts(message.header, parameters, message.names), *map(_button, buttons)]
    if message.offer_ends:
        offer = {"type": "limited_time_offer", "limited_time_offer": {"expiration_time_ms": message.offer_ends}}
        components.append({"type": "limited_time_offer", "parameters": [offer]})
    if message.cards:
        cards = [{"card_index": index, "components": _card(card)} for index, card in enumerate(message.cards)]
        components.append({"type": "carousel", "cards": cards})
    template: Body = {"name": message.name, "language": {"code": meta_language(message.language) or message.language}}
    return {**template, "components": components} if components else template


def _card(card: TemplateCard) -> list[Body]:
    return [*_parts(card.header, card.parameters, ()), *map(_button, card.buttons)]


def _parts(header: Header | None, parameters: tuple[Parameter, ...], names: tuple[str, ...]) -> Iterator[Body]:
    if header is not None:
        yield {"type": "header", "parameters": [header_parameter(header)]}
    if parameters:
        labels = names or ("",) * len(parameters)
        rows = [
            {**_parameter(one), **({"parameter_name": name} if name else {})}
            for one, name in zip(parameters, labels, strict=True)
        ]
        yield {"type": "body", "parameters": rows}


def header_parameter(header: Header) -> Body:
    """A header's text or media, as an interactive message and a template write it alike."""
    if not header.kind:
        return {"type": "text", "text": header.text}
    media: Body = {"id": header.media_id} if header.media_id else {"link": header.link}
    if header.filename and header.kind == "document":
        media["filename"] = header.filename
    return {"type": header.kind, header.kind: media}


def _parameter(one: Parameter) -> Body:
    if isinstance(one, Money):
        amount = {"fallback_value": one.shown, "code": one.currency, "amount_1000": one.thousandths}
        return {"type": "currency", "currency": amount}
    if isinstance(one, Moment):
        return {"type": "date_time", "date_time": {"fallback_value": one.shown}}
    return {"type": "text", "text": one}


def _button(one: TemplateButton) -> Body:
    parameter: Body
    if one.kind == "quick_reply":
        parameter = {"type": "payload", "payload": one.value}
    elif one.kind == "copy_code":
        parameter = {"type": "coupon_code", "coupon_code": one.value}
    elif one.kind == "flow":
        parameter = {"type": "action", "action": {"flow_token": one.value}}
    else:
        parameter = {"type": "text", "text": one.value}
    return {"type": "button", "sub_type": one.kind, "index": str(one.index), "parameters": [parameter]}
