"""Outgoing messages as bodies of the Graph API (Meta: cloud-api/messages). Pure; sends nothing."""

from typing import Any

from bot.domain.ids import Address, Wamid
from bot.domain.message import (
    ButtonsMessage,
    LinkMessage,
    ListMessage,
    MediaMessage,
    Option,
    OutMessage,
    TemplateMessage,
    TextMessage,
)
from bot.whatsapp.limits import TooLarge, check

Body = dict[str, Any]


def body_of(to: Address, message: OutMessage, callback: str) -> Body:
    """The JSON body. Raises `TooLarge` for what WhatsApp would refuse.

    A person with a business-scoped id is addressed by it: a send by number would renew what Meta keeps of the number for 30 days
    (whatsapp.md 2.4; GDPR art. 5(1)(c)). Never both, because `to` would win.
    """
    problems = check(message)
    if problems:
        raise TooLarge("; ".join(problems))
    body: Body = {"messaging_product": "whatsapp", "recipient_type": "individual", **_recipient(to)}
    return {**body, **_content(message), "biz_opaque_callback_data": callback}


def _recipient(to: Address) -> Body:
    known = to.bsuid or to.parent_bsuid
    if known is not None:
        return {"recipient": known.value}
    assert to.phone is not None  # noqa: S101 - an Address has at least one identity
    return {"to": to.phone.value}


def _content(message: OutMessage) -> Body:
    if isinstance(message, TextMessage):
        return {"type": "text", "text": {"body": message.body, "preview_url": False}}
    if isinstance(message, TemplateMessage):
        return {"type": "template", "template": _template(message)}
    if isinstance(message, MediaMessage):
        return {"type": message.kind, message.kind: _media(message)}
    return {"type": "interactive", "interactive": _interactive(message)}


def _interactive(message: ButtonsMessage | ListMessage | LinkMessage) -> Body:
    body: Body = {"body": {"text": message.body}}
    if message.footer:
        body["footer"] = {"text": message.footer}
    if isinstance(message, ButtonsMessage):
        buttons = [{"type": "reply", "reply": {"id": one.id, "title": one.title}} for one in message.options]
        return {"type": "button", **body, "action": {"buttons": buttons}}
    if isinstance(message, ListMessage):
        section = {"title": message.button, "rows": [_row(one) for one in message.options]}
        return {"type": "list", **body, "action": {"button": message.button, "sections": [section]}}
    parameters = {"display_text": message.label, "url": message.url}
    return {"type": "cta_url", **body, "action": {"name": "cta_url", "parameters": parameters}}


def _row(option: Option) -> Body:
    row = {"id": option.id, "title": option.title}
    return {**row, "description": option.description} if option.description else row


def _media(message: MediaMessage) -> Body:
    media: Body = {"id": message.media_id} if message.media_id else {"link": message.link}
    if message.caption and message.kind in ("image", "video", "document"):
        media["caption"] = message.caption
    if message.filename and message.kind == "document":
        media["filename"] = message.filename
    return media


def _template(message: TemplateMessage) -> Body:
    components: list[Body] = []
    if message.parameters:
        names = message.names or ("",) * len(message.parameters)
        parameters = [
            {"type": "text", **({"parameter_name": name} if name else {}), "text": text}
            for name, text in zip(names, message.parameters, strict=True)
        ]
        components.append({"type": "body", "parameters": parameters})
    for index, reply in enumerate(message.buttons):
        parameter = {"type": "payload", "payload": reply}
        components.append({"type": "button", "sub_type": "quick_reply", "index": str(index), "parameters": [parameter]})
    if message.link_suffix:
        parameter = {"type": "text", "text": message.link_suffix}
        components.append(
            {"type": "button", "sub_type": "url", "index": str(len(message.buttons)), "parameters": [parameter]}
        )
    template: Body = {"name": message.name, "language": {"code": message.language.replace("-", "_")}}
    return {**template, "components": components} if components else template


def read_body(wamid: Wamid, *, typing: bool = False) -> Body:
    """Marks a message as read, with the typing indicator if wanted."""
    body: Body = {"messaging_product": "whatsapp", "status": "read", "message_id": wamid.value}
    return {**body, "typing_indicator": {"type": "text"}} if typing else body
