"""Webhooks out, Graph calls in: what a bot and a person see of each other."""

import base64
import json

import pytest

from bot.simulator import Simulator, SimulatorError
from tests.simulator.conftest import HandClock
from tests.simulator.echo import EchoBot

ADA = "+447700900123"


async def test_a_text_is_echoed_and_its_statuses_carry_the_callback_data(sim: Simulator, echo: EchoBot) -> None:
    message_id = await sim.say("ada", "hello")
    bubble = await sim.wait_for("ada", "echo: hello")
    await sim.settle()
    assert (bubble.kind, bubble.sender) == ("text", "business")
    assert echo.messages[0]["id"] == message_id
    assert echo.messages[0]["from"] == ADA.lstrip("+")
    assert [status["status"] for status in echo.statuses] == ["sent", "delivered", "read"]
    assert {status["biz_opaque_callback_data"] for status in echo.statuses} == {"cb-1"}
    assert ["pricing" in status for status in echo.statuses] == [True, True, False]
    assert {status["id"] for status in echo.statuses} == {bubble.id}
    assert sim.inbox("ada")[-1].status == "read"
    assert echo.forged == 0


async def test_a_person_without_a_visible_number_is_known_by_the_bsuid_alone(sim: Simulator, echo: EchoBot) -> None:
    await sim.say("ines", "olá")
    await sim.wait_for("ines", "echo: olá")
    await sim.settle()
    value, bsuid = echo.values[0], sim.person("ines").bsuid
    assert value["contacts"] == [{"profile": {"name": "Inês Prado", "username": "ines.prado"}, "user_id": bsuid}]
    assert "from" not in value["messages"][0]
    assert value["messages"][0]["from_user_id"] == bsuid
    assert all("recipient_id" not in status for status in echo.statuses)
    assert [("username" in value["contacts"][0]["profile"]) for value in echo.values[1:]] == [False, True, True]


async def test_a_wamid_holds_the_number_in_clear(sim: Simulator, echo: EchoBot) -> None:
    said = await sim.say("ada", "hello")
    heard = (await sim.wait_for("ada", "echo")).id
    for message_id in (said, heard):
        assert ADA.lstrip("+").encode() in base64.b64decode(message_id.removeprefix("wamid."), validate=True)


async def test_the_answer_to_a_send_names_the_recipient_as_meta_does(sim: Simulator, echo: EchoBot) -> None:
    await sim.say("ada", "hello")
    await sim.say("ines", "olá")
    bsuid = sim.person("ines").bsuid or ""
    status, answer = await echo.text(ADA, "x")
    assert (status, answer["contacts"]) == (200, [{"input": ADA, "wa_id": ADA.lstrip("+")}])
    status, answer = await echo.text(bsuid, "x")
    assert (status, answer["contacts"]) == (200, [{"input": bsuid, "user_id": bsuid}])
    assert answer["messages"][0]["id"].startswith("wamid.")


BUTTONS = {
    "type": "interactive",
    "interactive": {
        "type": "button",
        "body": {"text": "Sure?"},
        "footer": {"text": "STOP to end"},
        "action": {"buttons": [{"type": "reply", "reply": {"id": key, "title": key.title()}} for key in ("yes", "no")]},
    },
}
LIST = {
    "type": "interactive",
    "interactive": {
        "type": "list",
        "body": {"text": "Which?"},
        "action": {
            "button": "Choose",
            "sections": [{"title": "Post", "rows": [{"id": "fast", "title": "Fast", "description": "1 day"}]}],
        },
    },
}
LOCATION = {
    "type": "interactive",
    "interactive": {
        "type": "location_request_message",
        "body": {"text": "Where?"},
        "action": {"name": "send_location"},
    },
}
CONTACT = {
    "type": "interactive",
    "interactive": {
        "type": "request_contact_info",
        "body": {"text": "Who?"},
        "action": {"name": "request_contact_info"},
    },
}
NEWS = {
    "type": "template",
    "template": {
        "name": "monthly_news",
        "language": {"code": "en"},
        "components": [
            {"type": "body", "parameters": [{"type": "text", "text": "cups"}]},
            {
                "type": "button",
                "sub_type": "quick_reply",
                "index": "0",
                "parameters": [{"type": "payload", "payload": "stop:n"}],
            },
            {"type": "button", "sub_type": "url", "index": "1", "parameters": [{"type": "text", "text": "may"}]},
        ],
    },
}


def reply(kind: str, **content: str) -> dict:
    return {"type": kind, kind: content}


@pytest.mark.parametrize(
    ("sent", "tapped", "kind", "content"),
    [
        pytest.param(
            BUTTONS, "Yes", "interactive", reply("button_reply", id="yes", title="Yes"), id="a button by its title"
        ),
        pytest.param(BUTTONS, "no", "interactive", reply("button_reply", id="no", title="No"), id="a button by its id"),
        pytest.param(
            LIST,
            "fast",
            "interactive",
            reply("list_reply", id="fast", title="Fast", description="1 day"),
            id="a row of a list",
        ),
        pytest.param(
            NEWS,
            "Stop the newsletter",
            "button",
            {"payload": "stop:n", "text": "Stop the newsletter"},
            id="a quick reply",
        ),
    ],
)
async def test_a_tap_answers(sim: Simulator, echo: EchoBot, sent: dict, tapped: str, kind: str, content: dict) -> None:
    await sim.say("ada", "hello")
    status, answer = await echo.graph({"to": ADA, **sent})
    assert status == 200
    await sim.tap("ada", tapped)
    message = echo.messages[-1]
    assert (message["type"], message[kind]) == (kind, content)
    assert message["context"] == {"from": sim.world.business.digits, "id": answer["messages"][0]["id"]}


async def test_a_request_for_a_place_or_for_contact_details_is_answered_by_a_tap(sim: Simulator, echo: EchoBot) -> None:
    await sim.say("ada", "hello")
    await echo.graph({"to": ADA, **LOCATION})
    await sim.tap("ada", "Send location")
    assert echo.messages[-1]["type"] == "location"
    await echo.graph({"to": ADA, **CONTACT})
    await sim.tap("ada", "Share contact info")
    assert echo.messages[-1]["contacts"][0]["origin"] == "contact_request"
    assert "vcard" not in echo.messages[-1]["contacts"][0]


async def test_a_stale_tap_names_the_old_bubble(sim: Simulator, echo: EchoBot) -> None:
    await sim.say("ada", "hello")
    _, first = await echo.graph({"to": ADA, **BUTTONS})
    await echo.graph({"to": ADA, **BUTTONS})
    old = first["messages"][0]["id"]
    await sim.tap("ada", "Yes", message_id=old)
    assert echo.messages[-1]["context"]["id"] == old


async def test_nothing_to_tap_is_said_and_a_link_sends_nothing(sim: Simulator, echo: EchoBot) -> None:
    await sim.say("ada", "hello")
    with pytest.raises(SimulatorError, match="no bubble has a choice"):
        await sim.tap("ada", "Yes")
    await echo.graph({"to": ADA, **NEWS})
    assert sim.inbox("ada")[-1].face.choices[1].url == "https://shop.example/may"
    with pytest.raises(SimulatorError, match="sends nothing"):
        await sim.tap("ada", "Read")


async def test_reading_turns_ticks_blue_up_to_that_message_and_shows_typing(
    sim: Simulator, echo: EchoBot, clock: HandClock
) -> None:
    echo.echoes = False
    first = await sim.say("ada", "one")
    second = await sim.say("ada", "two")
    status, answer = await echo.graph({"status": "read", "message_id": second, "typing_indicator": {"type": "text"}})
    assert (status, answer) == (200, {"success": True})
    assert [bubble.status for bubble in sim.transcript("ada")] == ["read", "read"]
    assert sim.world.chats["ada"].typing_until == clock.now + 25
    await echo.text(ADA, "done")
    assert sim.world.chats["ada"].typing_until == 0
    status, answer = await echo.graph({"status": "read", "message_id": "wamid.unknown"})
    assert (status, answer["error"]["code"]) == (400, 131009)
    assert first != second


async def test_reactions_go_both_ways_and_can_be_taken_back(sim: Simulator, echo: EchoBot) -> None:
    said = await sim.say("ada", "hello")
    heard = await sim.wait_for("ada", "echo")
    await sim.settle()
    await sim.react("ada", heard.id, "👍")
    assert echo.messages[-1]["reaction"] == {"message_id": heard.id, "emoji": "👍"}
    await sim.react("ada", heard.id, "")
    assert echo.messages[-1]["reaction"] == {"message_id": heard.id}
    before = len(echo.statuses)
    await echo.graph({"to": ADA, "type": "reaction", "reaction": {"message_id": said, "emoji": "🎉"}})
    await sim.settle()
    assert [status["status"] for status in echo.statuses[before:]] == ["sent"]
    assert sim.transcript("ada")[0].reactions == {"business": "🎉"}


async def test_a_new_number_comes_with_a_new_bsuid_and_without_contacts(sim: Simulator, echo: EchoBot) -> None:
    before = sim.person("ada")
    after = sim.change_number("ada")
    await sim.settle()
    value = echo.values[-1]
    system = value["messages"][0]["system"]
    assert "contacts" not in value
    assert (system["type"], system["wa_id"]) == ("user_changed_number", after.wa_id)
    assert (system["previous_user_id"], system["user_id"]) == (before.bsuid, after.bsuid)
    sim.change_number("ines")
    await sim.settle()
    assert echo.messages[-1]["system"]["type"] == "user_changed_user_id"
    assert "from" not in echo.messages[-1]


async def test_any_message_object_of_metas_can_be_sent(sim: Simulator, echo: EchoBot) -> None:
    edit = {"type": "revoke", "revoke": {"original_message_id": "wamid.OLD"}, "timestamp": 1_700_000_000}
    await sim.send("ada", edit)
    message = echo.messages[-1]
    assert (message["revoke"], message["timestamp"]) == (edit["revoke"], 1_700_000_000)


async def test_a_file_can_be_fetched_with_the_token_and_deleted(sim: Simulator, echo: EchoBot) -> None:
    await sim.share_file("ada", "image/png", b"\x89PNG", caption="a cup")
    image = echo.messages[-1]["image"]
    status, found = await echo.call("GET", f"v26.0/{image['id']}")
    assert (status, found["mime_type"], found["file_size"]) == (200, "image/png", 4)
    path = found["url"].removeprefix(sim.url + "/")
    assert await echo.call("GET", path) == (200, b"\x89PNG")
    assert (await echo.call("GET", path, headers={"Authorization": ""}))[0] == 401
    assert await echo.call("DELETE", f"v26.0/{image['id']}") == (200, {"success": True})
    assert (await echo.call("GET", path))[0] == 404


async def test_bytes_on_the_wire_are_escaped_as_metas_are(sim: Simulator, echo: EchoBot) -> None:
    await sim.say("ada", "è/é 🎉")
    assert echo.posts[0].isascii()
    assert b"\\/" in echo.posts[0]
    assert json.loads(echo.posts[0])["entry"][0]["changes"][0]["value"]["messages"][0]["text"]["body"] == "è/é 🎉"
