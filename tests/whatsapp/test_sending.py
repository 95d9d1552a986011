"""Sending: bodies within Meta's limits, one recipient, errors that say what to do, and no content in any log."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from bot.domain.ids import Address, Bsuid, PhoneNumber, Wamid
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
from bot.runtime.ports import Accepted, Refused
from bot.whatsapp.client import WhatsAppClient
from bot.whatsapp.errors import refusal
from bot.whatsapp.graph import Graph
from bot.whatsapp.limits import TooLarge, check, units
from bot.whatsapp.payload import body_of
from bot.whatsapp.settings import WhatsAppSettings

NUMBER = Address(PhoneNumber("+15550100123"))
BOTH = Address(PhoneNumber("+15550100123"), Bsuid("US.1349"))
TEXT = TextMessage("the secret words")


def test_a_person_with_an_id_is_addressed_by_it_alone() -> None:
    """Data minimisation: a send by number renews what Meta keeps of it."""
    assert {key: body_of(BOTH, TEXT, "cb").get(key) for key in ("to", "recipient")} == {
        "to": None,
        "recipient": "US.1349",
    }
    assert {key: body_of(NUMBER, TEXT, "cb").get(key) for key in ("to", "recipient")} == {
        "to": "+15550100123",
        "recipient": None,
    }


BODIES = [
    pytest.param(TEXT, "text", {"body": "the secret words", "preview_url": False}, id="text"),
    pytest.param(
        ButtonsMessage("b", (Option("1", "One"),), "f"), "interactive",
        {"type": "button", "body": {"text": "b"}, "footer": {"text": "f"},
         "action": {"buttons": [{"type": "reply", "reply": {"id": "1", "title": "One"}}]}}, id="buttons",
    ),
    pytest.param(
        ListMessage("b", "Choose", (Option("1", "One", "first"),)), "interactive",
        {"type": "list", "body": {"text": "b"},
         "action": {"button": "Choose", "sections": [{"title": "Choose", "rows": [{"id": "1", "title": "One", "description": "first"}]}]}},
        id="list",
    ),
    pytest.param(
        LinkMessage("b", "Open", "https://x.example"), "interactive",
        {"type": "cta_url", "body": {"text": "b"},
         "action": {"name": "cta_url", "parameters": {"display_text": "Open", "url": "https://x.example"}}}, id="link",
    ),
    pytest.param(
        TemplateMessage("news", "pt-BR", ("a",), buttons=("p",)), "template",
        {"name": "news", "language": {"code": "pt_BR"}, "components": [
            {"type": "body", "parameters": [{"type": "text", "text": "a"}]},
            {"type": "button", "sub_type": "quick_reply", "index": "0", "parameters": [{"type": "payload", "payload": "p"}]}]},
        id="template",
    ),
    pytest.param(MediaMessage("image", media_id="7", caption="c"), "image", {"id": "7", "caption": "c"}, id="image"),
]  # fmt: skip


@pytest.mark.parametrize(("message", "kind", "content"), BODIES)
def test_bodies_are_those_of_metas_documents(message: OutMessage, kind: str, content: dict[str, Any]) -> None:
    body = body_of(NUMBER, message, "cb")

    assert (body["type"], body[kind], body["biz_opaque_callback_data"]) == (kind, content, "cb")
    assert (body["messaging_product"], body["recipient_type"]) == ("whatsapp", "individual")


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (TextMessage("x" * 4097), "the text has 4097 characters"),
        (TextMessage(""), "the text has 0 characters"),
        (TextMessage("😀" * 2049), "the text has 4098 characters"),
        (ButtonsMessage("b", ()), "there are 0 buttons"),
        (ButtonsMessage("b", tuple(Option(str(n), str(n)) for n in range(4))), "there are 4 buttons"),
        (ButtonsMessage("b", (Option("1", "x" * 21),)), "button title has 21"),
        (ButtonsMessage("b", (Option("1", "a"), Option("2", "a"))), "two buttons are the same"),
        (ListMessage("b", "c", tuple(Option(str(n), str(n)) for n in range(11))), "there are 11 rows"),
        (ListMessage("x" * 1025, "c", (Option("1", "a"),)), "the body has 1025"),
        (LinkMessage("b", "x" * 21, "https://x.example"), "link label has 21"),
    ],
)
def test_what_whatsapp_would_refuse_is_not_tried_and_not_cut(message: OutMessage, said: str) -> None:
    with pytest.raises(TooLarge, match=said):
        body_of(NUMBER, message, "cb")


@given(st.text(max_size=30), st.lists(st.tuples(st.text(max_size=30), st.text(max_size=30)), max_size=12))
def test_every_body_is_within_the_limits_or_refused(words: str, options: list[tuple[str, str]]) -> None:
    rows = tuple(Option(one, title) for one, title in options)
    for message in (TextMessage(words), ButtonsMessage(words, rows)):
        if check(message):
            with pytest.raises(TooLarge):
                body_of(NUMBER, message, "cb")
            continue
        body_of(NUMBER, message, "cb")
        assert units(words) <= 1024
        assert len({option.title for option in getattr(message, "options", ())}) == len(getattr(message, "options", ()))


def error(code: int) -> bytes:
    return b'{"error":{"message":"+15550100123 wrote the secret words","code":%d}}' % code


@pytest.mark.parametrize(
    ("status", "body", "replay", "extra"),
    [
        *[(400, error(code), "safe", {}) for code in (4, 80007, 130429, 131056)],
        *[(500, error(code), "unknown", {}) for code in (1, 2, 131000, 131016, 131057, 133004)],
        *[(400, error(code), "never", {}) for code in (131026, 131047, 131049, 132001, 132015, 100, 131009, 999999)],
        (400, error(131050), "never", {"opt_out": True}),
        *[(401, error(code), "safe", {"halt": True}) for code in (190, 0, 368, 131031, 200, 131042)],
        (500, b"", "unknown", {}),
        (502, b"<html>", "unknown", {}),
        (0, b"", "unknown", {}),
        (200, b"{}", "unknown", {}),
        (429, b"", "safe", {}),
        (400, b"", "never", {}),
        (403, b"", "safe", {"halt": True}),
    ],
)
def test_each_error_says_what_to_do(status: int, body: bytes, replay: str, extra: dict[str, bool]) -> None:
    found = refusal(status, body)

    assert found.replay == replay
    assert {"opt_out": found.opt_out, "halt": found.halt} == {"opt_out": False, "halt": False, **extra}
    assert "secret" not in repr(found)


@dataclass
class Meta:
    """The other side; `answer` decides."""

    answer: Any = None
    bodies: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        assert request.headers["Authorization"] == "Bearer token"
        assert request.path == "/v26.0/1/messages"
        self.bodies.append(await request.json())
        result = self.answer(request) if callable(self.answer) else self.answer
        return await result if asyncio.iscoroutine(result) else result


@pytest.fixture
async def meta() -> AsyncIterator[Meta]:
    one = Meta()
    application = web.Application()
    application.add_routes([web.post("/{rest:.*}", one.handle)])
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    one.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield one
    await runner.cleanup()


@pytest.fixture
async def client(meta: Meta) -> AsyncIterator[WhatsAppClient]:
    settings = WhatsAppSettings(access_token=SecretStr("token"), graph_url=meta.url, timeout=0.5)
    async with aiohttp.ClientSession() as session:
        yield WhatsAppClient(Graph(settings, session), "1")


async def drop(request: web.Request) -> web.Response:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def hang(_: web.Request) -> web.Response:
    await asyncio.sleep(2)
    return web.Response()


async def test_an_accepted_message_has_metas_id(meta: Meta, client: WhatsAppClient) -> None:
    meta.answer = lambda _: web.json_response({"messages": [{"id": "wamid.X"}]})

    assert await client.send(NUMBER, TEXT, "cb") == Accepted(Wamid("wamid.X"))
    assert meta.bodies[0]["text"]["body"] == "the secret words"


@pytest.mark.parametrize(
    ("answer", "replay"),
    [
        pytest.param(lambda _: web.Response(status=500), "unknown", id="500 without a body"),
        pytest.param(lambda _: web.Response(text="<html>"), "unknown", id="200 that is no JSON"),
        pytest.param(lambda _: web.json_response({"messages": []}), "unknown", id="200 without an id"),
        pytest.param(
            lambda _: web.Response(status=302, headers={"Location": "/"}), "unknown", id="a redirect, not followed"
        ),
        pytest.param(drop, "unknown", id="the connection dropped"),
        pytest.param(hang, "unknown", id="no answer in time"),
        pytest.param(lambda _: web.Response(status=400, body=error(131047)), "never", id="the window is shut"),
    ],
)
async def test_nothing_meta_does_raises_and_nothing_is_logged(
    meta: Meta, client: WhatsAppClient, caplog: pytest.LogCaptureFixture, answer: Any, replay: str
) -> None:
    meta.answer = answer
    with caplog.at_level("DEBUG"):
        result = await client.send(NUMBER, TEXT, "cb")

    assert isinstance(result, Refused)
    assert result.replay == replay
    assert not any(secret in caplog.text for secret in ("15550100123", "the secret words", "Bearer token"))
    assert len(meta.bodies) == 1


async def in_pieces(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    for piece in (b'{"messages":', b'[{"id":"wam', b'id.X"}]}'):
        await response.write(piece)
        await asyncio.sleep(0.02)
    return response


async def test_an_answer_in_pieces_is_read_whole(meta: Meta, client: WhatsAppClient) -> None:
    meta.answer = in_pieces
    assert await client.send(NUMBER, TEXT, "cb") == Accepted(Wamid("wamid.X"))


async def test_half_a_character_is_refused_before_it_is_tried(meta: Meta, client: WhatsAppClient) -> None:
    assert await client.send(NUMBER, TextMessage("half \ud83d"), "cb") == Refused(100, "never")
    assert meta.bodies == []


async def test_a_message_over_the_limits_is_never_tried(meta: Meta, client: WhatsAppClient) -> None:
    assert await client.send(NUMBER, TextMessage("x" * 5000), "cb") == Refused(100, "never")
    assert meta.bodies == []


def test_settings_hide_secrets_and_say_what_is_missing() -> None:
    settings = WhatsAppSettings(app_secret=SecretStr("new, old"), phone_number_id="1, 2")

    assert (settings.secrets, settings.accounts) == (("new", "old"), ("1", "2"))
    assert "old" not in repr(settings)
    assert [line.split(" ")[0] for line in settings.problems()] == [
        "RECADO_WHATSAPP__VERIFY_TOKEN",
        "RECADO_WHATSAPP__ACCESS_TOKEN",
    ]
    with pytest.raises(ValidationError):
        WhatsAppSettings(graph_url="ftp://x")
