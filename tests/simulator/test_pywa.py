"""An independent client (pywa) against the stand-in: what others understand Meta to be must work here too. Installed for this test only."""

import http.server
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from bot.simulator import SimulatorSettings
from tests.simulator.conftest import NEWS, REMINDER
from tests.simulator.threaded import Threaded, simulator_in_a_thread

pywa = pytest.importorskip("pywa")
from pywa import errors as pywa_errors  # noqa: E402
from pywa import types  # noqa: E402

SETTINGS = SimulatorSettings(
    templates=(NEWS, REMINDER),
    retry_delays=(0.05, 0.1),
    status_delay=0.0,
    review_delay=0.0,
    strict_pair_rate=False,
    seed=5,
)


@dataclass
class Client:
    """pywa, its updates, and the stand-in it talks to."""

    wa: Any
    meta: Threaded
    heard: list[Any] = field(default_factory=list)
    news: threading.Condition = field(default_factory=threading.Condition)

    def got(self, update: Any) -> None:
        with self.news:
            self.heard.append(update)
            self.news.notify_all()

    def wait(self, wanted: Callable[[Any], bool]) -> Any:
        """The first update that is wanted, as soon as it is there."""
        with self.news:
            assert self.news.wait_for(lambda: any(wanted(one) for one in self.heard), 10), self.heard
            return next(one for one in self.heard if wanted(one))

    @property
    def ada(self) -> Any:
        return self.meta.simulator.world.people["ada"]

    @property
    def inbox(self) -> list[Any]:
        return list(self.meta.simulator.inbox("ada"))


@contextmanager
def listening(wa: Any) -> Iterator[str]:
    """The webhook's address in front of pywa's own handler, with its own check of the signature."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            refused = wa.webhook_update_validator(raw, self.headers.get("X-Hub-Signature-256"))
            _, status = refused or wa.webhook_update_handler(raw)
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with simulator_in_a_thread(SETTINGS) as meta:
        wa = pywa.WhatsApp(
            phone_id=SETTINGS.phone_number_id, token=SETTINGS.access_token, server=None, app_secret=SETTINGS.app_secret,
            verify_token=SETTINGS.verify_token, waba_id=SETTINGS.waba_id, filter_updates=False,
        )  # fmt: skip
        wa.api._session.base_url = f"{meta.simulator.url}/v26.0"
        made = Client(wa, meta)
        for kind in (
            "on_message",
            "on_callback_button",
            "on_callback_selection",
            "on_message_status",
            "on_template_status_update",
        ):
            getattr(wa, kind)()(lambda _, update: made.got(update))
        with listening(wa) as address:
            meta.simulator.world.courier.url = address
            meta.do(_say(meta, "hello from a phone"))
            made.wait(lambda one: getattr(one, "text", "") == "hello from a phone")
            yield made
            meta.simulator.world.courier.url = None
        wa.api._session.close()


async def _say(meta: Threaded, text: str) -> None:
    await meta.simulator.say("ada", text)
    await meta.simulator.settle()


def test_it_hears_who_wrote_what(client: Client) -> None:
    message = client.wait(lambda one: getattr(one, "text", "") == "hello from a phone")
    assert (message.from_user.wa_id, message.from_user.bsuid) == (client.ada.wa_id, client.ada.bsuid)
    assert message.type.value == "text"


BUTTONS = [types.Button("Yes", "yes"), types.Button("No", "no")]
LIST = types.SectionList(
    "Choose", [types.Section("Teas", [types.SectionRow("Green", "green", "mild"), types.SectionRow("Black", "black")])]
)
CARD = types.Contact(
    name=types.Contact.Name(formatted_name="Casa Lua", first_name="Casa"),
    phones=[types.Contact.Phone(phone="+351210000000")],
)

SENDS: list[Any] = [
    pytest.param(lambda wa, to: wa.send_message(to, "plain"), "text", id="text"),
    pytest.param(lambda wa, to: wa.send_message(to, "Well?", footer="f", buttons=BUTTONS), "buttons", id="buttons"),
    pytest.param(lambda wa, to: wa.send_message(to, "Which?", buttons=LIST), "list", id="list"),
    pytest.param(lambda wa, to: wa.send_message(to, "Look", buttons=types.URLButton("Open", "https://shop.example")), "link", id="link"),
    pytest.param(lambda wa, to: wa.send_image(to, "https://shop.example/a.png", caption="c"), "image", id="image by link"),
    pytest.param(lambda wa, to: wa.send_document(to, "https://shop.example/a.pdf", filename="a.pdf"), "document", id="document"),
    pytest.param(lambda wa, to: wa.send_video(to, "https://shop.example/a.mp4"), "video", id="video"),
    pytest.param(lambda wa, to: wa.send_audio(to, "https://shop.example/a.mp3"), "audio", id="audio"),
    pytest.param(lambda wa, to: wa.send_location(to, 38.7, -9.1, "Shop", "Rua 1"), "location", id="location"),
    pytest.param(lambda wa, to: wa.request_location(to, "Where are you?"), "location_request", id="location request"),
    pytest.param(lambda wa, to: wa.send_contact(to, CARD), "contacts", id="contact"),
]  # fmt: skip


@pytest.mark.parametrize("by", ["number", "id"])
@pytest.mark.parametrize(("send", "kind"), SENDS)
def test_what_it_sends_stands_on_the_phone_and_its_fate_comes_back(
    client: Client, send: Any, kind: str, by: str
) -> None:
    sent = send(client.wa, client.ada.number if by == "number" else client.ada.bsuid)

    shown = next(one for one in client.inbox if one.id == sent.id)
    assert shown.face.kind == kind
    status = client.wait(lambda one: getattr(one, "id", "") == sent.id and getattr(one, "status", None) is not None)
    assert status.status.value in ("sent", "delivered", "read")


def test_taps_come_back_as_its_own_updates(client: Client) -> None:
    sent = client.wa.send_message(client.ada.bsuid, "Well?", buttons=BUTTONS)
    client.meta.do(_tap(client.meta, "Yes", sent.id))
    button = client.wait(lambda one: type(one).__name__ == "CallbackButton")
    assert (button.data, button.title, button.reply_to_message.id) == ("yes", "Yes", sent.id)

    sent = client.wa.send_message(client.ada.bsuid, "Which?", buttons=LIST)
    client.meta.do(_tap(client.meta, "Green", sent.id))
    row = client.wait(lambda one: type(one).__name__ == "CallbackSelection")
    assert (row.data, row.title, row.description) == ("green", "Green", "mild")


async def _tap(meta: Threaded, title: str, message: str) -> None:
    await meta.simulator.tap("ada", title, message_id=message)
    await meta.simulator.settle()


def test_it_answers_reacts_reads_and_types(client: Client) -> None:
    message = client.wait(lambda one: getattr(one, "text", "") == "hello from a phone")

    assert client.wa.mark_message_as_read(message.id)
    assert client.wa.indicate_typing(message.id)
    client.wa.send_reaction(client.ada.bsuid, "👍", message.id)
    answer = client.wa.send_message(client.ada.bsuid, "again", reply_to_message_id=message.id)
    assert next(one for one in client.inbox if one.id == answer.id).reply_to == message.id


def test_it_moves_files_both_ways(client: Client) -> None:
    picture = b"\x89PNG\r\n\x1a\n" + b"0" * 64
    media = client.wa.upload_media(picture, mime_type="image/png", filename="a.png")
    sent = client.wa.send_image(client.ada.bsuid, media.id)
    assert next(one for one in client.inbox if one.id == sent.id).face.media.id == media.id
    about = client.wa.get_media_url(media.id)
    assert (about.mime_type, about.file_size) == ("image/png", len(picture))
    assert client.wa.delete_media(media.id)


def test_it_sends_templates_and_hears_of_their_review(client: Client) -> None:
    sent = client.wa.send_template(
        client.ada.bsuid, "reminder", types.templates.TemplateLanguage.SPANISH,
        [types.templates.BodyText.params(first_name="Ada", day="hoy")],
    )  # fmt: skip
    assert next(one for one in client.inbox if one.id == sent.id).face.text == "Hola Ada, te esperamos hoy."
    client.meta.do(_status(client.meta, "PAUSED"))
    told = client.wait(lambda one: type(one).__name__ == "TemplateStatusUpdate")
    assert (told.template_name, told.new_status.value) == ("reminder", "PAUSED")
    client.meta.do(_status(client.meta, "APPROVED"))


async def _status(meta: Threaded, status: str) -> None:
    meta.simulator.template_status("reminder", "es", status)
    await meta.simulator.settle()


def test_its_errors_are_metas(client: Client) -> None:
    world = client.meta.simulator.world
    with pytest.raises(pywa_errors.WhatsAppError) as refused:
        client.wa.send_message(client.ada.bsuid, "x" * 4097)
    assert refused.value.code == 131009
    world.chats["ada"].blocked = True
    with pytest.raises(pywa_errors.WhatsAppError):
        client.wa.send_message(client.ada.bsuid, "x")
    world.chats["ada"].blocked = False
    world.token_expired = True
    try:
        with pytest.raises(pywa_errors.WhatsAppError) as expired:
            client.wa.send_message(client.ada.bsuid, "x")
        assert expired.value.code == 190
    finally:
        world.token_expired = False
