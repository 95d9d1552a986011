"""The control API: what a page, a terminal or a test in another language can ask for."""

import base64
import json
from typing import Any

import pytest

from bot.simulator import Action, Person, Simulator
from bot.simulator.people import FICTION
from tests.simulator.conftest import FAST
from tests.simulator.echo import EchoBot, echo_bot

ADA = "+447700900123"


async def control(echo: EchoBot, method: str, path: str, **body: Any) -> tuple[int, Any]:
    async with echo.http.request(method, f"{echo.sim.url}/control/{path}", json=body or {}) as answer:
        return answer.status, json.loads(await answer.read())


async def test_every_path_is_listed_with_what_it_does(sim: Simulator, echo: EchoBot) -> None:
    _, listed = await control(echo, "GET", "")
    assert {one["path"] for one in listed["paths"]} >= {
        "/control/people/{who}/say",
        "/control/faults",
        "/control/events",
    }
    assert all(one["does"] for one in listed["paths"])


async def test_saying_and_tapping(sim: Simulator, echo: EchoBot) -> None:
    status, answer = await control(echo, "POST", "people/ada/say", text="hello")
    assert (status, list(answer)) == (200, ["id"])
    await sim.wait_for("ada", "echo: hello")
    await sim.settle()
    _, chat = await control(echo, "GET", "people/ada/chat")
    assert [(one["sender"], one["face"]["text"]) for one in chat["bubbles"]] == [
        ("person", "hello"),
        ("business", "echo: hello"),
    ]
    assert (await control(echo, "POST", "people/ada/tap", choice="Yes"))[0] == 400


@pytest.mark.parametrize(
    ("body", "number", "visible"),
    [
        pytest.param({"language": "en"}, FICTION["GB"], True, id="a Briton gets a number kept for fiction"),
        pytest.param({"language": "de"}, FICTION["DE"], True, id="a German too"),
        pytest.param({"language": "en", "with_number": False}, (None,), True, id="nobody gets one who hides it"),
        pytest.param({"language": "ar"}, (None,), True, id="Egypt keeps no range"),
    ],
)
async def test_people_are_invented(sim: Simulator, echo: EchoBot, body: dict, number: tuple, visible: bool) -> None:
    status, person = await control(echo, "POST", "people", **body)
    assert status == 200
    assert person["number"] in number
    assert person["bsuid"].startswith(person["country"] + ".")
    assert person["number_visible"] is visible
    assert (person["username"] is None) == (person["number"] is not None)


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        pytest.param("people", {"number": ADA}, "another person", id="a number twice"),
        pytest.param("people", {"number": "07700"}, "begins with +", id="a national number"),
        pytest.param("people", {"bsuid": "x"}, "BSUID", id="no BSUID"),
        pytest.param("people", {"country": "pt", "bsuid": "PT.1"}, "capital", id="a country in small letters"),
        pytest.param("people", {"country": "PT", "with_number": True}, "no number kept for fiction", id="a number from Portugal"),
        pytest.param("people/nobody/say", {"text": "x"}, "no person", id="somebody unknown"),
        pytest.param("people/ada/say", {"text": " "}, "blank", id="nothing to say"),
        pytest.param("people/ada/say", {"text": "x", "loud": True}, "loud", id="a key too many"),
        pytest.param("people/ada/say", {}, "text", id="a key too few"),
        pytest.param("people/ada/file", {"mime_type": "image/png", "content_base64": "?"}, "base64", id="no base64"),
        pytest.param("people/ada/file", {"mime_type": "x/y", "content_base64": "eA=="}, "not supported", id="an odd file"),
        pytest.param("people/ada/preferences", {"value": "maybe"}, "stop or resume", id="half a preference"),
        pytest.param("people/ada/window", {"open": True}, "only a message", id="opening the window by hand"),
        pytest.param("faults", {"kind": "explode"}, "kind must be", id="an unknown fault"),
        pytest.param("statuses", {"lose": ["played"]}, "lose", id="an unknown status"),
        pytest.param("delivery/release", {"shape": "heap"}, "shape", id="an unknown shape"),
        pytest.param("webhook", {"url": "ftp://x"}, "http", id="a webhook address of another kind"),
        pytest.param("webhooks/redeliver", {"numbers": [99]}, "numbered", id="a webhook that never was"),
        pytest.param("templates", {"template": {"name": "Big", "language": "en", "body": "x"}}, "name", id="a template name in capitals"),
        pytest.param("templates", {"template": {"name": "a", "language": "en", "body": "x", "footer": "{{1}}"}}, "footer", id="a footer"),
        pytest.param("templates/status", {"name": "none", "language": "en", "status": "PAUSED"}, "no such", id="an unknown template"),
    ],
)  # fmt: skip
async def test_what_cannot_be_is_refused_politely(
    sim: Simulator, echo: EchoBot, path: str, body: dict, words: str
) -> None:
    status, answer = await control(echo, "POST", path, **body)
    assert status == 400
    assert words in answer["error"]


async def test_mischief_by_control(sim: Simulator, echo: EchoBot) -> None:
    echo.echoes = False
    await control(echo, "POST", "faults", kind="error", code=131048, times=2)
    assert (await control(echo, "GET", "faults"))[1]["faults"][0]["times"] == 2
    assert (await control(echo, "DELETE", "faults"))[0] == 200
    assert (await control(echo, "POST", "delivery", hold=True))[1]["hold"] is True
    await control(echo, "POST", "people/ada/say", text="one")
    await control(echo, "POST", "people/ada/say", text="two")
    _, released = await control(echo, "POST", "delivery/release", batch=2, shape="entries")
    await sim.settle()
    assert (released["webhooks"], len(echo.posts)) == ([1], 1)
    _, again = await control(echo, "POST", "webhooks/redeliver", numbers=[1])
    assert [one["status"] for one in again["attempts"]] == [200]
    assert (await control(echo, "POST", "webhooks/raw", body="{}", signature=""))[1]["status"] == 401
    assert (await control(echo, "POST", "verify"))[1] == {"status": 200, "verified": True}
    assert (await control(echo, "POST", "storm", people=["ada"], each=3))[1] == {"sent": 3}
    assert (await control(echo, "POST", "statuses", lose=["read"], times=1))[0] == 200
    assert (await control(echo, "POST", "token"))[1] == {"expired": True}
    assert (await echo.text(ADA, "x"))[0] == 401
    assert len((await control(echo, "GET", "calls"))[1]["calls"]) == 1
    assert len((await control(echo, "GET", "webhooks"))[1]["webhooks"]) >= 5


async def test_templates_come_and_are_paused(sim: Simulator, echo: EchoBot) -> None:
    await sim.say("ada", "hello")
    template = {"name": "hours", "language": "en", "body": "Open at {{hour}}", "buttons": ["Thanks"]}
    assert (await control(echo, "POST", "templates", template=template))[0] == 200
    part = {"type": "body", "parameters": [{"type": "text", "parameter_name": "hour", "text": "9"}]}
    send = {
        "to": ADA,
        "type": "template",
        "template": {"name": "hours", "language": {"code": "en"}, "components": [part]},
    }
    assert (await echo.graph(send))[0] == 200
    assert (sim.inbox("ada")[-1].text, sim.inbox("ada")[-1].ids) == ("Open at 9", ("Thanks",))
    await control(echo, "POST", "templates/status", name="hours", language="en", status="DISABLED")
    assert (await echo.graph(send))[1]["error"]["code"] == 132016


async def test_a_file_and_any_message_by_control(sim: Simulator, echo: EchoBot) -> None:
    content = base64.b64encode(b"%PDF-1").decode()
    await control(
        echo, "POST", "people/ada/file", mime_type="application/pdf", content_base64=content, filename="a.pdf"
    )
    await control(
        echo, "POST", "people/ada/send", message={"type": "order", "order": {"catalog_id": "1", "product_items": []}}
    )
    await sim.settle()
    assert [message["type"] for message in echo.messages] == ["document", "order"]
    assert echo.messages[0]["document"]["filename"] == "a.pdf"


async def test_a_person_changes_and_the_chat_can_be_emptied(sim: Simulator, echo: EchoBot) -> None:
    await sim.say("ada", "hello")
    await sim.settle()
    _, person = await control(echo, "PATCH", "people/ada", receipts=False, number_visible=False, username="ada.quill")
    assert (person["receipts"], person["username"]) == (False, "ada.quill")
    await control(echo, "POST", "people/ada/clear")
    assert sim.transcript("ada") == ()
    await sim.say("ada", "hidden now")
    assert "from" not in echo.messages[-1]


async def test_a_button_of_the_host_runs_its_callback() -> None:
    pressed: list[str] = []

    async def queue(person: Person) -> str | None:
        pressed.append(person.key)
        return "Queued."

    async with Simulator(FAST, actions=[Action("news", "Queue a newsletter", queue)]) as sim, echo_bot(sim) as echo:
        assert await control(echo, "POST", "people/ada/action", id="news") == (200, {"text": "Queued."})
        assert (await control(echo, "POST", "people/ada/action", id="other"))[0] == 400
    assert pressed == ["ada"]


async def test_other_sites_cannot_drive_it(sim: Simulator, echo: EchoBot) -> None:
    url = f"{sim.url}/control/people/ada/say"
    async with echo.http.post(url, json={"text": "x"}, headers={"Origin": "https://elsewhere.example"}) as answer:
        assert answer.status == 403
    async with echo.http.post(url, data='{"text":"x"}', headers={"Content-Type": "text/plain"}) as answer:
        assert answer.status == 400
    async with echo.http.get(f"{sim.url}/control/events", headers={"Origin": "https://elsewhere.example"}) as answer:
        assert answer.status == 403
    assert sim.transcript("ada") == ()


async def test_the_stream_begins_with_the_state_and_goes_on_with_news(sim: Simulator, echo: EchoBot) -> None:
    await sim.say("ada", "before")
    async with echo.http.get(f"{sim.url}/control/events", params={"person": "ada"}) as stream:
        hello = json.loads((await stream.content.readline())[6:])
        assert hello["type"] == "hello"
        assert hello["chats"]["ada"][0]["face"]["text"] == "before"
        assert list(hello["chats"]) == ["ada"]
        await sim.say("ines", "not for this reader")
        await sim.say("ada", "after")
        while True:
            line = await stream.content.readline()
            if b"after" in line:
                break
            assert b"not for this reader" not in line
