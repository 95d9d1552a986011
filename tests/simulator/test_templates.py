"""Templates are made, reviewed, changed and deleted as Meta does it."""

from typing import Any

import pytest

from bot.simulator import Simulator
from tests.simulator.conftest import FAST
from tests.simulator.echo import EchoBot, echo_bot

NEW: dict[str, Any] = {
    "name": "order_sent", "language": "en", "category": "UTILITY", "parameter_format": "POSITIONAL",
    "allow_category_change": False, "components": [
        {"type": "BODY", "text": "Order {{1}} is here.", "example": {"body_text": [["AB1"]]}},
        {"type": "BUTTONS", "buttons": [{"type": "URL", "text": "See", "url": "https://shop.example"}]}],
}  # fmt: skip
PATH = f"v26.0/{FAST.waba_id}/message_templates"


async def test_a_new_template_waits_for_its_review(sim: Simulator, echo: EchoBot) -> None:
    status, answer = await echo.call("POST", PATH, json=NEW)
    assert (status, answer["status"], answer["category"]) == (200, "PENDING", "UTILITY")

    await echo.call(
        "POST", "control/templates/status", json={"name": "order_sent", "language": "en", "status": "APPROVED"}
    )
    await sim.settle()

    told = echo.values[-1]
    assert (told["event"], told["message_template_name"], told["message_template_id"]) == (
        "APPROVED",
        "order_sent",
        int(answer["id"]),
    )


async def test_a_review_can_end_by_itself() -> None:
    from dataclasses import replace

    async with Simulator(replace(FAST, review_delay=0.0)) as sim, echo_bot(sim) as echo:
        await echo.call("POST", PATH, json=NEW)
        _, listed = await echo.call("GET", f"{PATH}?name=order_sent")
        await sim.settle()

    assert [one["status"] for one in listed["data"]] == ["APPROVED"]
    assert echo.values[-1]["event"] == "APPROVED"


BODY = NEW["components"][0]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param({"name": "Order Sent"}, "name", id="a name in capitals"),
        pytest.param({"category": "NEWS"}, "category", id="an unknown category"),
        pytest.param({"components": [{"type": "BODY", "text": "Order {{1}} is here."}]}, "example", id="no example"),
        pytest.param({"components": [{**BODY, "text": "Order {{1}}"}]}, "end of the body", id="a value at the end"),
        pytest.param({"components": [{**BODY, "text": "A {{2}} b."}]}, "gap", id="a gap in the numbers"),
        pytest.param({"components": [{**BODY, "example": {"body_text": [["a", "b"]]}}]}, "one example", id="too many examples"),
        pytest.param({"components": [BODY, {"type": "FOOTER", "text": "{{1}}"}]}, "footer", id="a value in the footer"),
        pytest.param({"components": [BODY, {"type": "BUTTONS", "buttons": [{"type": "URL", "text": "x", "url": "shop"}]}]}, "https",
                     id="a link that is none"),
        pytest.param({"message_send_ttl_seconds": 86_400}, "message_send_ttl_seconds", id="an order's news for a day"),
        pytest.param({"colour": "red"}, "colour", id="an unknown key"),
        pytest.param({"parameter_format": "NAMED"}, "numbered", id="named, but numbered"),
    ],
)  # fmt: skip
async def test_what_meta_would_not_take_is_refused(echo: EchoBot, change: dict[str, Any], said: str) -> None:
    status, answer = await echo.call("POST", PATH, json=NEW | change)

    assert status == 400
    assert said in answer["error"]["error_data"]["details"]


async def test_an_approved_template_can_be_edited_but_not_recategorised(sim: Simulator, echo: EchoBot) -> None:
    _, listed = await echo.call("GET", f"{PATH}?name=monthly_news")
    number = listed["data"][0]["id"]
    other = {"components": [{"type": "BODY", "text": "The news: {{1}} Bye.", "example": {"body_text": [["a"]]}}]}

    assert (await echo.call("POST", f"v26.0/{number}", json=other | {"category": "UTILITY"}))[0] == 400
    assert await echo.call("POST", f"v26.0/{number}", json=other) == (200, {"success": True})
    assert (await echo.call("POST", f"v26.0/{number}", json=other))[0] == 400, "it is in review now"
    template = sim.world.template("monthly_news", "en")
    assert template is not None
    assert (template.status, template.body) == ("PENDING", "The news: {{1}} Bye.")


async def test_a_template_of_the_same_name_is_made_once_and_deleted_whole(sim: Simulator, echo: EchoBot) -> None:
    await echo.call("POST", PATH, json=NEW)
    assert (await echo.call("POST", PATH, json=NEW))[0] == 400
    assert (await echo.call("DELETE", f"{PATH}?name=order_sent"))[0] == 200
    assert sim.world.template("order_sent", "en") is None
    assert (await echo.call("DELETE", f"{PATH}?name=order_sent"))[0] == 400


async def test_a_category_change_is_told(sim: Simulator, echo: EchoBot) -> None:
    await echo.call(
        "POST", "control/templates/category", json={"name": "reminder", "language": "es", "category": "MARKETING"}
    )
    await sim.settle()

    told = echo.values[-1]
    assert (told["previous_category"], told["new_category"], told["message_template_name"]) == (
        "UTILITY",
        "MARKETING",
        "reminder",
    )
