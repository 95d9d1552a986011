"""Every kind of message that can go out: its body as Meta's documents show it, and what is refused before it is tried."""

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain import plain
from bot.domain.ids import Address, Bsuid, PhoneNumber, Wamid
from bot.domain.message import (
    AskMessage,
    ButtonsMessage,
    ContactCard,
    ContactsMessage,
    FormMessage,
    Header,
    LinkMessage,
    ListMessage,
    LocationMessage,
    MediaMessage,
    Moment,
    Money,
    Option,
    OutMessage,
    QuotingMessage,
    ReactionMessage,
    Section,
    TemplateButton,
    TemplateCard,
    TemplateMessage,
    TextMessage,
)
from bot.whatsapp.errors import refusal
from bot.whatsapp.limits import TooLarge
from bot.whatsapp.payload import body_of, read_body

NUMBER = Address(PhoneNumber("+15550100123"))
SCOPED = Address(bsuid=Bsuid("US.1349"))
ONE = (Option("1", "One"),)
PICTURE = Header(kind="image", media_id="7")

BODIES = [
    pytest.param(
        TextMessage("see https://x.example", preview=True),
        {"type": "text", "text": {"body": "see https://x.example", "preview_url": True}},
        id="preview",
    ),
    pytest.param(
        MediaMessage("image", link="https://x.example/a.png", caption="c"),
        {"type": "image", "image": {"link": "https://x.example/a.png", "caption": "c"}},
        id="image",
    ),
    pytest.param(
        MediaMessage("audio", media_id="7", voice=True),
        {"type": "audio", "audio": {"id": "7", "voice": True}},
        id="voice note",
    ),
    pytest.param(
        MediaMessage("document", media_id="7", filename="a.pdf"),
        {"type": "document", "document": {"id": "7", "filename": "a.pdf"}},
        id="document",
    ),
    pytest.param(MediaMessage("sticker", media_id="7"), {"type": "sticker", "sticker": {"id": "7"}}, id="sticker"),
    pytest.param(
        LocationMessage(38.7, -9.1, "Shop", "Rua 1"),
        {"type": "location", "location": {"latitude": 38.7, "longitude": -9.1, "name": "Shop", "address": "Rua 1"}},
        id="location",
    ),
    pytest.param(
        ContactsMessage(
            (
                ContactCard(
                    "Casa Lua",
                    company="Casa Lua",
                    phones=("+15550100199",),
                    emails=("a@x.example",),
                    urls=("https://x.example",),
                ),
            )
        ),
        {
            "type": "contacts",
            "contacts": [
                {
                    "name": {"formatted_name": "Casa Lua"},
                    "phones": [{"phone": "+15550100199"}],
                    "emails": [{"email": "a@x.example"}],
                    "urls": [{"url": "https://x.example"}],
                    "org": {"company": "Casa Lua"},
                }
            ],
        },
        id="contacts",
    ),
    pytest.param(
        ReactionMessage(Wamid("wamid.I"), "👍"),
        {"type": "reaction", "reaction": {"message_id": "wamid.I", "emoji": "👍"}},
        id="reaction",
    ),
    pytest.param(
        ReactionMessage(Wamid("wamid.I"), ""),
        {"type": "reaction", "reaction": {"message_id": "wamid.I", "emoji": ""}},
        id="taken back",
    ),
    pytest.param(
        AskMessage("location", "Where?"),
        {
            "type": "interactive",
            "interactive": {
                "type": "location_request_message",
                "body": {"text": "Where?"},
                "action": {"name": "send_location"},
            },
        },
        id="location request",
    ),
    pytest.param(
        AskMessage("phone", "Your number?"),
        {
            "type": "interactive",
            "interactive": {
                "type": "request_contact_info",
                "body": {"text": "Your number?"},
                "action": {"name": "request_contact_info"},
            },
        },
        id="number request",
    ),
    pytest.param(
        AskMessage("address", "Where to?", "IN"),
        {
            "type": "interactive",
            "interactive": {
                "type": "address_message",
                "body": {"text": "Where to?"},
                "action": {"name": "address_message", "parameters": {"country": "IN"}},
            },
        },
        id="address request",
    ),
    pytest.param(
        FormMessage("Book", "Open", "t1", flow_id="65", screen="FIRST", data={"a": 1}),
        {
            "type": "interactive",
            "interactive": {
                "type": "flow",
                "body": {"text": "Book"},
                "action": {
                    "name": "flow",
                    "parameters": {
                        "flow_message_version": "3",
                        "flow_token": "t1",
                        "flow_id": "65",
                        "flow_cta": "Open",
                        "flow_action": "navigate",
                        "flow_action_payload": {"screen": "FIRST", "data": {"a": 1}},
                    },
                },
            },
        },
        id="form",
    ),
    pytest.param(
        ButtonsMessage("b", ONE, header=PICTURE),
        {
            "type": "interactive",
            "interactive": {
                "type": "button",
                "body": {"text": "b"},
                "header": {"type": "image", "image": {"id": "7"}},
                "action": {"buttons": [{"type": "reply", "reply": {"id": "1", "title": "One"}}]},
            },
        },
        id="buttons under a picture",
    ),
    pytest.param(
        ListMessage(
            "b", "Open", header=Header("Top"), sections=(Section("A", ONE), Section("B", (Option("2", "One"),)))
        ),
        {
            "type": "interactive",
            "interactive": {
                "type": "list",
                "body": {"text": "b"},
                "header": {"type": "text", "text": "Top"},
                "action": {
                    "button": "Open",
                    "sections": [
                        {"title": "A", "rows": [{"id": "1", "title": "One"}]},
                        {"title": "B", "rows": [{"id": "2", "title": "One"}]},
                    ],
                },
            },
        },
        id="a list in sections, equal titles",
    ),
    pytest.param(
        QuotingMessage(Wamid("wamid.I"), TextMessage("yes")),
        {"type": "text", "text": {"body": "yes", "preview_url": False}, "context": {"message_id": "wamid.I"}},
        id="a reply",
    ),
]


@pytest.mark.parametrize(("message", "expected"), BODIES)
def test_each_body_is_that_of_the_documents(message: OutMessage, expected: dict[str, Any]) -> None:
    body = body_of(SCOPED, message, "cb")
    around = {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "recipient": "US.1349",
        "biz_opaque_callback_data": "cb",
    }

    assert body == {**around, **expected}


@pytest.mark.parametrize("message", [case.values[0] for case in BODIES])
def test_each_message_can_be_stored_and_read_again(message: OutMessage) -> None:
    assert plain.decode(plain.encode(message)) == message


TEMPLATES = [
    pytest.param(
        TemplateMessage(
            "offer",
            "en_US",
            ("Ada",),
            ("first_name",),
            header=PICTURE,
            actions=(TemplateButton("copy_code", 1, "SAVE10"),),
            offer_ends=1788000000000,
        ),
        [
            {"type": "header", "parameters": [{"type": "image", "image": {"id": "7"}}]},
            {"type": "body", "parameters": [{"type": "text", "text": "Ada", "parameter_name": "first_name"}]},
            {
                "type": "button",
                "sub_type": "copy_code",
                "index": "1",
                "parameters": [{"type": "coupon_code", "coupon_code": "SAVE10"}],
            },
            {
                "type": "limited_time_offer",
                "parameters": [
                    {"type": "limited_time_offer", "limited_time_offer": {"expiration_time_ms": 1788000000000}}
                ],
            },
        ],
        id="offer",
    ),
    pytest.param(
        TemplateMessage("bill", "pt-BR", (Money("R$ 10", "BRL", 10000), Moment("1 May")), header=Header("May")),
        [
            {"type": "header", "parameters": [{"type": "text", "text": "May"}]},
            {
                "type": "body",
                "parameters": [
                    {"type": "currency", "currency": {"fallback_value": "R$ 10", "code": "BRL", "amount_1000": 10000}},
                    {"type": "date_time", "date_time": {"fallback_value": "1 May"}},
                ],
            },
        ],
        id="money and time",
    ),
    pytest.param(
        TemplateMessage(
            "book",
            "en",
            actions=(
                TemplateButton("flow", 0, "t1"),
                TemplateButton("url", 1, "abc"),
                TemplateButton("quick_reply", 2, "stop"),
            ),
        ),
        [
            {
                "type": "button",
                "sub_type": "flow",
                "index": "0",
                "parameters": [{"type": "action", "action": {"flow_token": "t1"}}],
            },
            {"type": "button", "sub_type": "url", "index": "1", "parameters": [{"type": "text", "text": "abc"}]},
            {
                "type": "button",
                "sub_type": "quick_reply",
                "index": "2",
                "parameters": [{"type": "payload", "payload": "stop"}],
            },
        ],
        id="three kinds of buttons",
    ),
    pytest.param(
        TemplateMessage("show", "en", cards=(TemplateCard(PICTURE, ("A",), (TemplateButton("quick_reply", 0, "a"),)),)),
        [
            {
                "type": "carousel",
                "cards": [
                    {
                        "card_index": 0,
                        "components": [
                            {"type": "header", "parameters": [{"type": "image", "image": {"id": "7"}}]},
                            {"type": "body", "parameters": [{"type": "text", "text": "A"}]},
                            {
                                "type": "button",
                                "sub_type": "quick_reply",
                                "index": "0",
                                "parameters": [{"type": "payload", "payload": "a"}],
                            },
                        ],
                    }
                ],
            }
        ],
        id="carousel",
    ),
    pytest.param(
        TemplateMessage("code", "en", code="123456"),
        [
            {"type": "body", "parameters": [{"type": "text", "text": "123456"}]},
            {"type": "button", "sub_type": "url", "index": "0", "parameters": [{"type": "text", "text": "123456"}]},
        ],
        id="one-time code",
    ),
]


@pytest.mark.parametrize(("message", "components"), TEMPLATES)
def test_each_kind_of_template_value_is_that_of_the_documents(message: TemplateMessage, components: list[Any]) -> None:
    template = body_of(NUMBER, message, "cb")["template"]

    assert template["components"] == components
    assert template["language"] == {"code": message.language.replace("-", "_")}
    assert plain.decode(plain.encode(message)) == message


def test_a_one_time_code_goes_to_the_number_alone() -> None:
    """Meta refuses it by user id (131062)."""
    both = Address(NUMBER.phone, SCOPED.bsuid)

    assert body_of(both, TemplateMessage("code", "en", code="1"), "cb")["to"] == "+15550100123"
    with pytest.raises(TooLarge, match="need the person's number"):
        body_of(SCOPED, TemplateMessage("code", "en", code="1"), "cb")


def link(address: str) -> MediaMessage:
    return MediaMessage("image", link=address)


REFUSED = [
    (link("http://x.example/a.png"), "must begin with https://"),
    (link("file:///etc/passwd"), "must begin with https://"),
    (link("https://localhost/a.png"), "private network"),
    (link("https://127.0.0.1/a.png"), "private network"),
    (link("https://10.1.2.3/a.png"), "private network"),
    (link("https://169.254.169.254/latest"), "private network"),
    (link("https://[::1]/a.png"), "private network"),
    (link("https://intranet/a.png"), "private network"),
    (link("https://db.internal/a.png"), "private network"),
    (link("https://0x7f000001/a"), "private network"),
    (link("https://127.1/a"), "private network"),
    (link("https://user:pw@x.example/a.png"), "user name or password"),
    (link("https://x.example/a b.png"), "holds a space"),
    (link("https://x.example/" + "a" * 2000), "1 to 2000"),
    (MediaMessage("image"), "either a link or a media id"),
    (MediaMessage("image", link="https://x.example/a", media_id="1"), "either a link or a media id"),
    (MediaMessage("hologram", media_id="1"), "none of WhatsApp's"),
    (MediaMessage("audio", media_id="1", caption="c"), "the caption has 1"),
    (MediaMessage("image", media_id="1", filename="c"), "the file name has 1"),
    (MediaMessage("image", media_id="1", voice=True), "only an audio"),
    (LinkMessage("b", "Go", "javascript:alert(1)"), "must begin with https:// or http://"),
    (LocationMessage(91, 0), "the latitude"),
    (LocationMessage(0, float("nan")), "the longitude"),
    (ContactsMessage(()), "there are 0 contact cards"),
    (ContactsMessage((ContactCard("Bo"),)), "a first name, a last name or a company"),
    (ReactionMessage(Wamid("w"), "thanks"), "one emoji"),
    (ReactionMessage(Wamid(""), "👍"), "has no id"),
    (QuotingMessage(Wamid("w"), ReactionMessage(Wamid("w"), "👍")), "cannot be a reply"),
    (AskMessage("shoe size", "?"), "none of location"),
    (AskMessage("address", "?"), "a country"),
    (FormMessage("b", "Open", "", flow_id="1"), "the form token has 0"),
    (FormMessage("b", "x" * 31, "t", flow_id="1"), "the form label has 31"),
    (FormMessage("b", "Open", "t"), "either its id or its name"),
    (ListMessage("b", "c", (Option("1", "a"), Option("1", "b"))), "two rows are the same"),
    (ListMessage("b", "c", ONE, header=PICTURE), "cannot stand here"),
    (ButtonsMessage("b", ONE, header=Header("x" * 61)), "the header has 61"),
    (TemplateMessage("News!", "en"), "other characters"),
    (TemplateMessage("news", "english"), "no language code"),
    (
        TemplateMessage(
            "news",
            "en",
            ("a", ""),
        ),
        "value of the template has 0",
    ),
    (TemplateMessage("news", "en", ("line\nbreak",)), "a line break"),
    (TemplateMessage("news", "en", ("a     b",)), "four spaces"),
    (TemplateMessage("news", "en", ("a",), ("x", "y")), "2 names for 1 values"),
    (TemplateMessage("news", "en", ("a", "b"), ("x", "x")), "there twice"),
    (TemplateMessage("news", "en", actions=(TemplateButton("copy_code", 0, "x" * 16),)), "value of a button has 16"),
    (TemplateMessage("news", "en", buttons=("p",), actions=(TemplateButton("url", 0, "x"),)), "places must differ"),
    (TemplateMessage("news", "en", buttons=("p",) * 11), "from 0 to 9"),
]


@pytest.mark.parametrize(("message", "said"), REFUSED)
def test_what_meta_would_refuse_is_told_before(message: OutMessage, said: str) -> None:
    with pytest.raises(TooLarge) as caught:
        body_of(NUMBER, message, "cb")

    assert said in str(caught.value)


def test_a_code_that_comes_as_text_is_understood() -> None:
    assert refusal(400, b'{"error":{"code":"131047"}}').code == 131047
    assert refusal(400, b'{"error":{"code":"131050"}}').opt_out


def test_reading_and_typing_are_shown_together() -> None:
    assert read_body(Wamid("wamid.I"), typing=True) == {
        "messaging_product": "whatsapp",
        "status": "read",
        "message_id": "wamid.I",
        "typing_indicator": {"type": "text"},
    }


# -- an oracle of its own, written from the documents and not from the code ----------------------------------------------------

WORDS = (
    st.text(max_size=24)
    | st.integers(0, 5000).map(lambda size: "w" * size)
    | st.integers(0, 2100).map(lambda size: "😀" * size)
)
OPTIONS = st.lists(st.builds(Option, WORDS, WORDS, WORDS | st.just("")), max_size=12).map(tuple)
HEADERS = (
    st.none()
    | st.builds(Header, WORDS)
    | st.builds(Header, kind=st.sampled_from(["image", "video", "document", "audio"]), media_id=st.just("7"))
)
MESSAGES = st.one_of(
    st.builds(TextMessage, WORDS),
    st.builds(ButtonsMessage, WORDS, OPTIONS, WORDS, HEADERS),
    st.builds(ListMessage, WORDS, WORDS, OPTIONS, WORDS, HEADERS),
    st.builds(LinkMessage, WORDS, WORDS, st.just("https://x.example"), WORDS, HEADERS),
    st.builds(
        MediaMessage,
        st.sampled_from(["image", "audio", "video", "document", "sticker"]),
        media_id=st.just("7"),
        caption=WORDS,
    ),
    st.builds(AskMessage, st.sampled_from(["location", "phone"]), WORDS),
    st.builds(FormMessage, WORDS, WORDS, WORDS, flow_id=st.just("1")),
    st.builds(LocationMessage, st.floats(-100, 100), st.floats(-200, 200)),
    st.builds(TemplateMessage, WORDS, st.just("en"), st.lists(WORDS, max_size=3).map(tuple)),
    st.builds(ReactionMessage, st.just(Wamid("w")), st.sampled_from(["👍", "", "❤️"])),
)

MOST = {
    ("text", "body"): 4096,
    ("interactive", "body", "text"): 1024,
    ("footer", "text"): 60,
    ("header", "text"): 60,
    ("reply", "title"): 20,
    ("reply", "id"): 256,
    ("rows", "title"): 24,
    ("rows", "id"): 200,
    ("rows", "description"): 72,
    ("action", "button"): 20,
    ("parameters", "display_text"): 20,
    ("parameters", "flow_cta"): 30,
    ("caption",): 1024,
    ("template", "name"): 512,
}


def texts(value: Any, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], str]]:
    if isinstance(value, dict):
        return [found for name, one in value.items() for found in texts(one, (*path, name))]
    if isinstance(value, list):
        return [found for one in value for found in texts(one, path)]
    return [(path, value)] if isinstance(value, str) else []


@given(MESSAGES)
@settings(max_examples=300, deadline=None)
def test_whatever_goes_out_is_within_the_limits_of_the_documents(message: OutMessage) -> None:
    try:
        body = body_of(SCOPED, message, "cb")
    except TooLarge as problem:
        assert "w" * 30 not in str(problem), "a refusal quotes no words"  # noqa: PT017 - a body is just as good an outcome
        return
    for path, text in texts(body):
        for end, most in MOST.items():
            if path[-len(end) :] == end:
                assert sum(2 if ord(one) > 0xFFFF else 1 for one in text) <= most
                assert text
    action = body.get("interactive", {}).get("action", {})
    assert len(action.get("buttons", [])) <= 3
    assert sum(len(one["rows"]) for one in action.get("sections", [])) <= 10
    assert ("to" in body) + ("recipient" in body) == 1
    try:
        orjson.dumps(body)
    except TypeError:
        assert any(0xD800 <= ord(one) <= 0xDFFF for _, text in texts(body) for one in text)
