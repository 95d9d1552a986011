"""The body of `POST /{phone_number_id}/messages` as a JSON Schema: a third reading, from whatsapp.md 2.5, 3.2 to 3.6.

Lengths are in code points here (JSON Schema's own count), so they bind less than the UTF-16 units of our own check.
"""

from typing import Any

Schema = dict[str, Any]


def text(most: int, least: int = 1) -> Schema:
    return {"type": "string", "minLength": least, "maxLength": most}


def thing(required: list[str], **properties: Schema) -> Schema:
    """An object with these keys and no others."""
    return {"type": "object", "required": required, "properties": properties, "additionalProperties": False}


def const(value: Any) -> Schema:
    return {"const": value}


def rows(of: Schema, least: int, most: int) -> Schema:
    return {"type": "array", "items": of, "minItems": least, "maxItems": most}


LINK = {"type": "string", "pattern": "^https?://", "maxLength": 2000}
ONE_SOURCE = {"oneOf": [{"required": ["id"]}, {"required": ["link"]}]}


def media(**more: Schema) -> Schema:
    return {**thing([], id=text(64), link=LINK, **more), **ONE_SOURCE}


FILES = {
    "image": media(caption=text(1024)),
    "video": media(caption=text(1024)),
    "audio": media(voice={"type": "boolean"}),
    "document": media(caption=text(1024), filename=text(240)),
    "sticker": media(),
}
HEADED = {
    "oneOf": [
        thing(["type", "text"], type=const("text"), text=text(60)),
        *(thing(["type", kind], type=const(kind), **{kind: FILES[kind]}) for kind in ("image", "video", "document")),
    ]
}
BODY, FOOTER = thing(["text"], text=text(1024)), thing(["text"], text=text(60))
LONG_BODY = thing(["text"], text=text(4096))
REPLY = thing(["type", "reply"], type=const("reply"), reply=thing(["id", "title"], id=text(256), title=text(20)))
ROW = thing(["id", "title"], id=text(200), title=text(24), description=text(72))
SECTION = thing(["title", "rows"], title=text(24), rows=rows(ROW, 1, 10))
FORM = thing(
    ["flow_message_version", "flow_cta", "flow_token"], flow_message_version=const("3"), flow_id=text(200), flow_name=text(200),
    flow_cta=text(30), flow_token=text(512), flow_action={"enum": ["navigate", "data_exchange"]}, mode={"enum": ["draft", "published"]},
    flow_action_payload=thing(["screen"], screen=text(200), data={"type": "object", "minProperties": 1}),
)  # fmt: skip


def interactive(kind: str, action: Schema, *, body: Schema = BODY, around: bool = True) -> Schema:
    more = {"header": HEADED, "footer": FOOTER} if around else {}
    return thing(["type", "body", "action"], type=const(kind), body=body, action=action, **more)


def named(name: str, **properties: Schema) -> Schema:
    return thing(["name", *properties], name=const(name), **properties)


INTERACTIVE = {
    "oneOf": [
        interactive("button", thing(["buttons"], buttons=rows(REPLY, 1, 3))),
        interactive(
            "list", thing(["button", "sections"], button=text(20), sections=rows(SECTION, 1, 10)), body=LONG_BODY
        ),
        interactive(
            "cta_url", named("cta_url", parameters=thing(["display_text", "url"], display_text=text(20), url=LINK))
        ),
        interactive("flow", named("flow", parameters=FORM)),
        interactive("location_request_message", named("send_location"), around=False),
        interactive("request_contact_info", named("request_contact_info"), around=False),
        interactive(
            "address_message",
            named("address_message", parameters=thing(["country"], country=const("IN"))),
            around=False,
        ),
    ]
}

VALUE = {
    "oneOf": [
        thing(["type", "text"], type=const("text"), text=text(1024), parameter_name=text(60)),
        thing(
            ["type", "currency"], type=const("currency"), parameter_name=text(60),
            currency=thing(
                ["fallback_value", "code", "amount_1000"], fallback_value=text(1024), code={"type": "string", "pattern": "^[A-Z]{3}$"},
                amount_1000={"type": "integer"},
            ),
        ),
        thing(["type", "date_time"], type=const("date_time"), parameter_name=text(60),
              date_time=thing(["fallback_value"], fallback_value=text(1024))),
    ]
}  # fmt: skip
HEAD_VALUE = {
    "oneOf": [
        thing(["type", "text"], type=const("text"), text=text(60)),
        *(
            thing(["type", kind], type=const(kind), **{kind: media(filename=text(240))})
            for kind in ("image", "video", "document")
        ),
    ]
}


def button(kind: str, parameter: Schema) -> Schema:
    index = {"type": "string", "pattern": "^[0-9]$"}
    return thing(
        ["type", "sub_type", "index", "parameters"], type=const("button"), sub_type=const(kind), index=index,
        parameters=rows(parameter, 1, 1),
    )  # fmt: skip


PARTS = [
    thing(["type", "parameters"], type=const("header"), parameters=rows(HEAD_VALUE, 1, 1)),
    thing(["type", "parameters"], type=const("body"), parameters=rows(VALUE, 1, 100)),
    button("quick_reply", thing(["type", "payload"], type=const("payload"), payload=text(256))),
    button("url", thing(["type", "text"], type=const("text"), text=text(2000))),
    button("copy_code", thing(["type", "coupon_code"], type=const("coupon_code"), coupon_code=text(15))),
    button("flow", thing(["type", "action"], type=const("action"), action=thing(["flow_token"], flow_token=text(256)))),
]
CARD = thing(
    ["card_index", "components"], card_index={"type": "integer", "minimum": 0}, components=rows({"oneOf": PARTS}, 1, 10)
)
OFFER = thing(
    ["type", "limited_time_offer"], type=const("limited_time_offer"),
    limited_time_offer=thing(["expiration_time_ms"], expiration_time_ms={"type": "integer"}),
)  # fmt: skip
TEMPLATE = thing(
    ["name", "language"], name={"type": "string", "pattern": "^[a-z0-9_]{1,512}$"}, language=thing(["code"], code=text(20)),
    components=rows({"oneOf": [
        *PARTS, thing(["type", "parameters"], type=const("limited_time_offer"), parameters=rows(OFFER, 1, 1)),
        thing(["type", "cards"], type=const("carousel"), cards=rows(CARD, 1, 10)),
    ]}, 1, 20),
)  # fmt: skip

WAMID = text(512)
SCOPED = {"type": "string", "pattern": r"^[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}$"}
CONTACT = thing(
    ["name"],
    name={**thing(["formatted_name"], formatted_name=text(1024), first_name=text(240), last_name=text(240))},
    phones=rows(thing(["phone"], phone=text(40)), 1, 20), emails=rows(thing(["email"], email=text(240)), 1, 20),
    urls=rows(thing(["url"], url=LINK), 1, 20), org=thing(["company"], company=text(240)),
)  # fmt: skip

KINDS: dict[str, Schema] = {
    "text": thing(["body"], body=text(4096), preview_url={"type": "boolean"}),
    **FILES,
    "location": thing(
        ["latitude", "longitude"], latitude={"type": "number", "minimum": -90, "maximum": 90},
        longitude={"type": "number", "minimum": -180, "maximum": 180}, name=text(1000), address=text(1000),
    ),
    "contacts": rows(CONTACT, 1, 5),
    "reaction": thing(["message_id", "emoji"], message_id=WAMID, emoji=text(24, 0)),
    "interactive": INTERACTIVE,
    "template": TEMPLATE,
}  # fmt: skip


def message(kind: str, content: Schema) -> Schema:
    common = {
        "messaging_product": const("whatsapp"), "recipient_type": const("individual"),
        "to": {"type": "string", "pattern": "^\\+[0-9]{5,15}$"}, "recipient": SCOPED,
        "biz_opaque_callback_data": text(512),
    }  # fmt: skip
    if kind != "reaction":
        common["context"] = thing(["message_id"], message_id=WAMID)
    whole = thing(["messaging_product", "type", kind], type=const(kind), **common, **{kind: content})
    return {**whole, "oneOf": [{"required": ["to"]}, {"required": ["recipient"]}]}


READ = thing(
    ["messaging_product", "status", "message_id"], messaging_product=const("whatsapp"), status=const("read"), message_id=WAMID,
    typing_indicator=thing(["type"], type=const("text")),
)  # fmt: skip

SCHEMA: Schema = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "oneOf": [*(message(kind, content) for kind, content in KINDS.items()), READ],
}
