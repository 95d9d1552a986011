"""How webhooks travel: signed, again and again, late, double, shuffled, in one POST, in a storm."""

import json

import pytest

from bot.simulator import Simulator
from bot.simulator.envelope import signature
from tests.simulator.echo import EchoBot

ADA = "+447700900123"


TIGHT = b'{"object":"whatsapp_business_account","entry":[]}'
SPACED = b'{"object": "whatsapp_business_account", "entry": []}'


@pytest.mark.parametrize(
    ("secret", "body", "digest"),
    [
        ("test_app_secret", TIGHT, "dec6a680679a968e7e0319355b23599cbfc54502c0784668e9618baa0c633756"),
        ("test_app_secret", SPACED, "56cbbaf4961c6cfdae48b7f116c047e5eb513d2c931baae63a2bc1afd26f803a"),
        ("otro_secreto", TIGHT, "769b03d8c2ae6498f2d1e1f7299c0ba55448c69d741e7b0bb243d852d8a8d8c7"),
    ],
    ids=["no spaces", "spaces", "another secret"],
)
def test_the_signature_is_metas(secret: str, body: bytes, digest: str) -> None:
    assert signature(secret, body) == "sha256=" + digest


async def test_the_handshake_wants_the_challenge_back(sim: Simulator, echo: EchoBot) -> None:
    assert await sim.handshake("42")
    sim.webhook_url = (sim.webhook_url or "").replace("/hook", "/elsewhere")
    assert not await sim.handshake("42")


async def test_the_same_bytes_come_again_until_200(sim: Simulator, echo: EchoBot) -> None:
    echo.answers = [503, 503, 503]
    await sim.say("ada", "hello")
    await sim.wait_for("ada", "echo: hello")
    await sim.settle()
    webhook = sim.webhooks[0]
    assert [attempt.status for attempt in webhook.attempts] == [503, 503, 503, 200]
    assert len(set(echo.posts[:4])) == 1
    assert webhook.state == "delivered"


async def test_a_webhook_is_dropped_after_the_last_try(sim: Simulator, echo: EchoBot) -> None:
    echo.status = 500
    await sim.say("ada", "hello")
    await sim.settle()
    assert (sim.webhooks[0].state, len(sim.webhooks[0].attempts)) == ("dropped", 4)
    assert sim.transcript("ada")[0].status == "sent"


async def test_a_bot_that_is_not_there_is_a_failed_attempt(sim: Simulator) -> None:
    sim.webhook_url = "http://127.0.0.1:9/hook"
    await sim.say("ada", "hello")
    assert sim.webhooks[0].attempts[0].failure == "ClientConnectorError"


async def test_without_a_webhook_url_nothing_is_posted(sim: Simulator) -> None:
    await sim.say("ada", "hello")
    assert (sim.webhooks[0].state, sim.webhooks[0].attempts) == ("dropped", [])


async def test_two_ticks_mean_that_the_bot_has_it(sim: Simulator, echo: EchoBot) -> None:
    echo.echoes = False
    await sim.say("ada", "hello")
    await sim.settle()
    assert sim.transcript("ada")[0].status == "delivered"


async def test_everything_can_be_posted_again_byte_for_byte(sim: Simulator, echo: EchoBot) -> None:
    await sim.say("ada", "hello")
    await sim.wait_for("ada", "echo: hello")
    await sim.settle()
    before = list(echo.posts)
    attempts = await sim.redeliver(all=True)
    assert [attempt.status for attempt in attempts] == [200] * len(before)
    assert sorted(echo.posts[len(before) :]) == sorted(before)
    assert len(sim.inbox("ada")) == 1


async def test_any_bytes_can_be_posted_with_any_signature(sim: Simulator, echo: EchoBot) -> None:
    body = b'{"entry":[{"changes":[]}]}'
    assert (await sim.post(body)).status == 200
    assert (await sim.post(body, signature="")).status == 401
    assert (await sim.post(body, signature="sha256=" + "0" * 64)).status == 401
    assert echo.forged == 2


@pytest.mark.parametrize(
    ("shape", "entries", "changes", "messages"),
    [
        pytest.param("messages", 1, 1, 4, id="four messages in one value"),
        pytest.param("changes", 1, 4, 1, id="four changes in one entry"),
        pytest.param("entries", 4, 1, 1, id="four entries"),
    ],
)
async def test_several_messages_in_one_post(
    sim: Simulator, echo: EchoBot, shape: str, entries: int, changes: int, messages: int
) -> None:
    echo.echoes = False
    sim.hold()
    for text in ("one", "two", "three", "four"):
        await sim.say("ada", text)
    assert echo.posts == []
    await sim.release(batch=4, shape=shape)
    body = json.loads(echo.posts[0])
    assert len(echo.posts) == 1
    assert len(body["entry"]) == entries
    assert len(body["entry"][0]["changes"]) == changes
    value = body["entry"][0]["changes"][0]["value"]
    assert (len(value["messages"]), len(value["contacts"])) == (messages, 1)
    assert [message["text"]["body"] for message in echo.messages] == ["one", "two", "three", "four"]


async def test_held_webhooks_can_come_shuffled_and_double(sim: Simulator, echo: EchoBot) -> None:
    echo.echoes = False
    sim.hold()
    said = [await sim.say("ada", str(n)) for n in range(20)]
    sent = await sim.release(shuffle=True, duplicate=1)
    await sim.settle()
    ids = [webhook.message_ids[0] for webhook in sent]
    assert ids != said
    assert sorted(ids) == sorted(said)
    assert sorted(message["id"] for message in echo.messages) == sorted(said * 2)


async def test_each_webhook_may_come_double(sim: Simulator, echo: EchoBot) -> None:
    sim.deliver(duplicate=2)
    said = await sim.say("ada", "hello")
    await sim.settle()
    assert [message["id"] for message in echo.messages] == [said] * 3
    assert len(sim.inbox("ada")) == 1


async def test_a_storm_reaches_the_bot_whole(sim: Simulator, echo: EchoBot) -> None:
    echo.echoes = False
    ids = await sim.storm(["ada", "ines", "jonas"], each=30, text="hi {n}")
    assert len(set(ids)) == 90
    assert {message["id"] for message in echo.messages} == set(ids)
    assert {message["text"]["body"] for message in echo.messages} == {f"hi {n}" for n in range(1, 31)}


async def test_statuses_get_lost_for_the_next_messages(sim: Simulator, echo: EchoBot) -> None:
    echo.echoes = False
    await sim.say("ada", "hello")
    sim.lose_statuses("delivered", times=1)
    await echo.text(ADA, "one")
    await sim.settle()
    assert [status["status"] for status in echo.statuses] == ["sent", "read"]
    sim.lose_statuses()
    await echo.text(ADA, "two")
    await sim.settle()
    assert len(echo.statuses) == 2
    sim.heal()
    await echo.text(ADA, "three")
    await sim.settle()
    assert len(echo.statuses) == 5


async def test_a_phone_off_the_net_gets_its_messages_later(sim: Simulator, echo: EchoBot) -> None:
    echo.echoes = False
    await sim.say("ada", "hello")
    sim.set_online("ada", False)
    await echo.text(ADA, "one")
    await sim.settle()
    assert [status["status"] for status in echo.statuses] == ["sent"]
    assert sim.inbox("ada") == ()
    sim.set_online("ada", True)
    await sim.settle()
    assert [status["status"] for status in echo.statuses] == ["sent", "delivered", "read"]
    assert [bubble.text for bubble in sim.inbox("ada")] == ["one"]


async def test_without_receipts_nothing_is_read(sim: Simulator, echo: EchoBot) -> None:
    sim.world.change("ada", receipts=False)
    await sim.say("ada", "hello")
    await sim.wait_for("ada", "echo")
    await sim.settle()
    assert [status["status"] for status in echo.statuses] == ["sent", "delivered"]


async def test_any_field_can_be_told(sim: Simulator, echo: EchoBot) -> None:
    sim.webhook("account_update", {"event": "ACCOUNT_RESTRICTION"})
    sim.webhook("messages", {"errors": [{"code": 130429, "title": "Rate limit hit"}]})
    await sim.settle()
    assert echo.values[0] == {"event": "ACCOUNT_RESTRICTION"}
    assert echo.values[1]["metadata"]["phone_number_id"] == sim.settings.phone_number_id


async def test_waiting_in_vain_tells_how_many_and_no_words(sim: Simulator, echo: EchoBot) -> None:
    await sim.say("ada", "secret")
    await sim.wait_for("ada", "echo")
    with pytest.raises(TimeoutError, match="among 1 within") as vain:
        await sim.wait_for("ada", "never", timeout=0.01)
    assert "secret" not in str(vain.value)


async def test_waiting_after_a_message_leaves_older_bubbles_out(sim: Simulator, echo: EchoBot) -> None:
    await sim.say("ada", "one")
    await sim.wait_for("ada", "echo")
    said = await sim.say("ada", "two")
    assert (await sim.wait_for("ada", "echo", after=said)).text == "echo: two"
