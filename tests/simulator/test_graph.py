"""The Graph API over HTTP: token, version, window, pace, faults on demand, media, block list, contact book."""

import io

import aiohttp
import pytest

from bot.simulator import Simulator, SimulatorError, SimulatorSettings, read_template
from tests.simulator.conftest import FAST, NEWS, HandClock
from tests.simulator.echo import EchoBot, Json
from tests.simulator.test_conversation import NEWS as NEWS_SEND

ADA = "+447700900123"


def refused(answer: tuple[int, Json]) -> tuple[int, int]:
    status, body = answer
    assert set(body["error"]) == {"message", "type", "code", "error_data", "fbtrace_id"}
    return status, body["error"]["code"]


@pytest.fixture
async def talking(sim: Simulator, echo: EchoBot) -> EchoBot:
    """Ada's window is open and the bot does not answer of its own accord."""
    echo.echoes = False
    await sim.say("ada", "hello")
    return echo


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        pytest.param("", (401, 0), id="no token"),
        pytest.param("Bearer wrong", (401, 190), id="a wrong token"),
        pytest.param("Basic simulator-access-token", (401, 0), id="another scheme"),
    ],
)
async def test_a_token_is_needed(talking: EchoBot, header: str, wanted: tuple[int, int]) -> None:
    body = {"to": ADA, "type": "text", "text": {"body": "x"}}
    assert refused(await talking.graph(body, headers={"Authorization": header})) == wanted


async def test_an_expired_token_is_refused_until_it_works_again(sim: Simulator, talking: EchoBot) -> None:
    sim.expire_token()
    assert refused(await talking.text(ADA, "x")) == (401, 190)
    sim.heal()
    assert (await talking.text(ADA, "x"))[0] == 200


@pytest.mark.parametrize(
    ("path", "code"),
    [
        pytest.param("v20.0/106540352242922/messages", 100, id="a version that ended"),
        pytest.param("v99.0/106540352242922/messages", 100, id="a version to come"),
        pytest.param("v26.0/1/messages", 33, id="another number"),
    ],
)
async def test_paths_are_checked(talking: EchoBot, path: str, code: int) -> None:
    assert refused(await talking.call("POST", path, json={}))[1] == code


async def test_a_body_that_is_no_json_is_refused(talking: EchoBot) -> None:
    path = "v26.0/106540352242922/messages"
    assert refused(await talking.call("POST", path, data=b"{", headers={"Content-Type": "application/json"}))[1] == 100


async def test_the_window_closes_after_24_hours_and_a_template_still_goes(talking: EchoBot, clock: HandClock) -> None:
    clock.now += 24 * 3600 - 1
    assert (await talking.text(ADA, "x"))[0] == 200
    clock.now += 1
    assert refused(await talking.text(ADA, "x")) == (400, 131047)
    assert (await talking.graph({"to": ADA, **NEWS_SEND}))[0] == 200


async def test_a_window_that_never_opened_is_closed_and_can_be_closed_by_hand(sim: Simulator, talking: EchoBot) -> None:
    assert refused(await talking.text("+12025550143", "x")) == (400, 131047)
    sim.close_window("ada")
    assert refused(await talking.text(ADA, "x")) == (400, 131047)
    await sim.say("ada", "again")
    assert (await talking.text(ADA, "x"))[0] == 200


async def test_the_closed_window_can_come_by_webhook_instead() -> None:
    from dataclasses import replace

    from tests.simulator.echo import echo_bot

    async with Simulator(replace(FAST, window_as_webhook=True)) as sim, echo_bot(sim) as echo:
        status, answer = await echo.text(ADA, "x")
        await sim.settle()
        assert status == 200
        assert [(one["id"], one["status"], one["errors"][0]["code"]) for one in echo.statuses] == [
            (answer["messages"][0]["id"], "failed", 131047)
        ]
        assert sim.inbox("ada") == ()


async def test_the_pair_rate_lets_45_through_then_one_per_six_seconds(talking: EchoBot, clock: HandClock) -> None:
    answers = [(await talking.text(ADA, str(n)))[0] for n in range(45)]
    assert answers == [200] * 45
    assert refused(await talking.text(ADA, "x")) == (400, 131056)
    clock.now += 6
    assert (await talking.text(ADA, "x"))[0] == 200
    assert refused(await talking.text(ADA, "x")) == (400, 131056)


async def test_somebody_who_is_not_on_whatsapp_fails_later_with_131026(sim: Simulator, talking: EchoBot) -> None:
    status, answer = await talking.text("+447700900999", "x", biz_opaque_callback_data="cb")
    await sim.settle()
    assert status == 200
    failed = talking.statuses[-1]
    assert (failed["id"], failed["errors"][0]["code"]) == (answer["messages"][0]["id"], 131026)
    assert (failed["recipient_id"], failed["biz_opaque_callback_data"]) == ("447700900999", "cb")
    assert "contacts" not in talking.values[-1]


async def test_a_message_to_the_business_itself_is_refused(sim: Simulator, talking: EchoBot) -> None:
    assert refused(await talking.text("+" + sim.world.business.digits, "x"))[1] == 131021


async def test_marketing_stops_with_whatsapps_own_switch(sim: Simulator, talking: EchoBot) -> None:
    sim.prefer("ada", "stop")
    await sim.settle()
    told = talking.values[-1]["user_preferences"][0]
    assert (told["value"], told["category"], type(told["timestamp"])) == ("stop", "marketing_messages", int)
    assert refused(await talking.graph({"to": ADA, **NEWS_SEND}))[1] == 131050
    assert (await talking.text(ADA, "service goes on"))[0] == 200
    sim.prefer("ada", "resume")
    assert (await talking.graph({"to": ADA, **NEWS_SEND}))[0] == 200


async def test_a_paused_template_is_refused_and_the_bot_is_told(sim: Simulator, talking: EchoBot) -> None:
    sim.template_status("monthly_news", "en", "PAUSED")
    await sim.settle()
    assert (talking.values[-1]["event"], talking.values[-1]["message_template_name"]) == ("PAUSED", "monthly_news")
    assert refused(await talking.graph({"to": ADA, **NEWS_SEND}))[1] == 132015


async def test_a_blocked_person_neither_gets_nor_gives(sim: Simulator, talking: EchoBot) -> None:
    path, body = "v26.0/106540352242922/block_users", {"messaging_product": "whatsapp", "block_users": [{"user": ADA}]}
    status, answer = await talking.call("POST", path, json=body)
    assert (status, answer["block_users"]["added_users"][0]["input"]) == (200, ADA)
    assert refused(await talking.text(ADA, "x"))[1] == 130403
    before = len(talking.messages)
    await sim.say("ada", "hello?")
    await sim.settle()
    assert len(talking.messages) == before
    _, listed = await talking.call("GET", path)
    assert listed["data"][0]["block_users"][0]["wa_id"] == ADA.lstrip("+")
    assert (await talking.call("DELETE", path, json=body))[0] == 200
    assert (await talking.text(ADA, "x"))[0] == 200


async def test_blocking_somebody_silent_is_a_partial_failure_with_both_lists(sim: Simulator, talking: EchoBot) -> None:
    users = [{"user": ADA}, {"user_id": sim.person("ines").bsuid}]
    path = "v26.0/106540352242922/block_users"
    status, answer = await talking.call("POST", path, json={"messaging_product": "whatsapp", "block_users": users})
    lists = answer["block_users"]
    assert (status, len(lists["added_users"]), len(lists["failed_users"])) == (400, 1, 1)
    assert answer["error"]["code"] == 139100


async def test_the_contact_book_forgets_once(sim: Simulator, talking: EchoBot) -> None:
    query = {"messaging_product": "whatsapp", "bsuid": sim.person("ada").bsuid or ""}
    path = "v26.0/106540352242922/contact_book"
    first, second = [(await talking.call("DELETE", path, params=query))[1]["deleted"] for _ in range(2)]
    assert (first, second) == (True, False)
    await sim.say("ada", "again")
    assert (await talking.call("DELETE", path, params=query))[1]["deleted"] is True
    query["bsuid"] = "GB.ENT.123"
    assert refused(await talking.call("DELETE", path, params=query))[1] == 131009


async def test_media_goes_up_and_stands_in_a_bubble(sim: Simulator, talking: EchoBot, clock: HandClock) -> None:
    form = aiohttp.FormData({"messaging_product": "whatsapp", "type": "image/png"})
    form.add_field("file", b"\x89PNG", filename="cup.png", content_type="image/png")
    status, answer = await talking.call("POST", "v26.0/106540352242922/media", data=form)
    assert status == 200
    assert (await talking.graph({"to": ADA, "type": "image", "image": {"id": answer["id"]}}))[0] == 200
    assert sim.inbox("ada")[-1].face.media.id == answer["id"]
    _, found = await talking.call("GET", f"v26.0/{answer['id']}")
    clock.now += 301
    assert (await talking.call("GET", found["url"].removeprefix(sim.url + "/")))[0] == 404
    assert refused(await talking.call("GET", f"v26.0/{answer['id']}?phone_number_id=1"))[1] == 100
    clock.now += 31 * 86400
    assert refused(await talking.call("GET", f"v26.0/{answer['id']}"))[1] == 100


async def test_a_file_of_an_unknown_kind_or_size_is_refused(talking: EchoBot) -> None:
    for kind, content in (
        ("application/x-thing", b"x"),
        ("image/png", b"x" * (5 * 1024 * 1024 + 1)),
        ("image/png", b""),
    ):
        form = aiohttp.FormData({"messaging_product": "whatsapp", "type": kind})
        form.add_field("file", io.BytesIO(content), filename="f", content_type=kind)
        assert refused(await talking.call("POST", "v26.0/106540352242922/media", data=form))[1] == 131053


async def test_the_number_and_its_templates_can_be_read(sim: Simulator, talking: EchoBot) -> None:
    _, number = await talking.call("GET", "v26.0/106540352242922?fields=verified_name,quality_rating")
    assert number == {"id": "106540352242922", "verified_name": "Example Shop", "quality_rating": "GREEN"}
    _, listed = await talking.call("GET", f"v26.0/{sim.settings.waba_id}/message_templates?limit=2")
    assert [one["name"] for one in listed["data"]] == ["monthly_news", "reminder"]
    assert [one["parameter_format"] for one in listed["data"]] == ["POSITIONAL", "NAMED"]
    assert "next" in listed["paging"]
    assert read_template(listed["data"][0]) == NEWS
    _, apps = await talking.call("GET", f"v26.0/{sim.settings.waba_id}/subscribed_apps")
    assert len(apps["data"]) == 1


FAULTS = [
    pytest.param("error", {"code": 131048}, (400, 131048), 0, id="an error code"),
    pytest.param("http", {"http": 503}, (503, None), 0, id="a status without a body"),
    pytest.param("drop", {}, None, 0, id="the connection is cut"),
    pytest.param("hang", {"seconds": 0.01}, None, 0, id="no answer, then cut"),
    pytest.param("accepted_http", {"http": 502}, (502, None), 1, id="accepted, then a status without a body"),
    pytest.param("accepted_drop", {}, None, 1, id="accepted, then cut"),
    pytest.param("accepted_hang", {"seconds": 0.01}, None, 1, id="accepted, then silent"),
    pytest.param("slow", {"seconds": 0.01}, (200, None), 1, id="accepted, answered late"),
]


@pytest.mark.parametrize(("kind", "how", "wanted", "arrived"), FAULTS)
async def test_a_fault_on_demand(
    sim: Simulator, talking: EchoBot, kind: str, how: dict, wanted: tuple[int, int | None] | None, arrived: int
) -> None:
    sim.fail(kind, **how)
    if wanted is None:
        with pytest.raises(aiohttp.ClientError):
            await talking.text(ADA, "x")
    else:
        status, body = await talking.text(ADA, "x")
        assert status == wanted[0]
        assert wanted[1] is None or body["error"]["code"] == wanted[1]
    assert len(sim.inbox("ada")) == arrived
    assert sim.calls[-1].fault == kind
    assert (await talking.text(ADA, "y"))[0] == 200


async def test_a_fault_counts_and_may_be_meant_for_one_person(sim: Simulator, talking: EchoBot) -> None:
    await sim.say("jonas", "hallo")
    sim.fail("error", code=131000, times=2, person="ada")
    codes = [(await talking.text(to, "x"))[0] for to in (ADA, "+491713920012", ADA, ADA)]
    assert codes == [500, 200, 500, 200]


async def test_a_send_may_fail_by_status_only(sim: Simulator, talking: EchoBot) -> None:
    sim.fail("failed_status", code=131049)
    status, _ = await talking.text(ADA, "x", biz_opaque_callback_data="cb")
    await sim.settle()
    assert status == 200
    failed = talking.statuses[-1]
    assert (failed["status"], failed["errors"][0]["code"], failed["biz_opaque_callback_data"]) == (
        "failed",
        131049,
        "cb",
    )
    assert "recipient_user_id" not in failed
    assert sim.inbox("ada") == ()


@pytest.mark.parametrize("how", [{"times": 0}, {"http": 200}, {"seconds": -1}])
async def test_a_fault_that_cannot_be_is_refused(sim: Simulator, how: dict) -> None:
    with pytest.raises(SimulatorError):
        sim.fail("http", **how)


async def test_calls_are_recorded_with_body_and_answer(sim: Simulator, talking: EchoBot) -> None:
    await talking.text(ADA, "x")
    call = sim.sends[-1]
    assert (call.method, call.status, call.body["text"]) == ("POST", 200, {"body": "x"})
    assert call.path == "/v26.0/106540352242922/messages"


async def test_settings_hide_their_secrets() -> None:
    shown = repr(SimulatorSettings())
    assert "simulator-app-secret" not in shown
    assert "simulator-access-token" not in shown
