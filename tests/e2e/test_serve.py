"""`recado serve` driven from outside, as Meta and an attacker would."""

import asyncio
import gzip
import json
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.storage.embedded import EmbeddedDatabase
from tests.e2e.served import Served, echo_project, environment
from tests.e2e.standin import Someone, Standin, texts

BEA = Someone("Bea Exemplo", "+15550100124", "US.13491208655302741919")
ANA = Someone("Ana Exemplo", "+15550100123", "US.13491208655302741918")


@pytest.fixture
async def meta() -> AsyncIterator[Standin]:
    async with Standin() as one:
        yield one


@pytest.fixture
async def echo(meta: Standin, mongo_uri: str, database_name: str, tmp_path: Path) -> AsyncIterator[Served]:
    project = echo_project(tmp_path / "project")
    settings = environment(mongo_uri, database_name, meta.url, tmp_path / "keys", project)
    async with Served(settings, tmp_path / "serve.log") as served:
        meta.webhook = served.webhook
        yield served


async def test_the_same_webhook_fifty_times_at_once_is_one_turn_and_one_reply(echo: Served, meta: Standin) -> None:
    body = meta.envelope(ANA, [meta.message(ANA, {"type": "text", "text": {"body": "echo"}})])

    answers = await asyncio.gather(*(meta.post(body) for _ in range(50)))
    await meta.hears(ANA, "What shall I repeat?")
    await meta.say(ANA, "first")
    await meta.hears(ANA, "You said first.")

    assert set(answers) <= {200, 503}
    assert 200 in answers
    assert len([one for one in meta.to(ANA) if "assistant" in texts(one) or "automated" in texts(one)]) == 1
    assert len(meta.to(ANA)) == 3  # notice, question, echo with the next question


@pytest.mark.parametrize("processes", [1, 2])
async def test_twenty_messages_at_once_are_answered_in_order_none_lost_none_doubled(
    echo: Served, meta: Standin, tmp_path: Path, processes: int
) -> None:
    """Array order in one POST; two processes on one database change nothing about that (decisions.md 6)."""
    others = [Served(echo.environment, tmp_path / f"serve{n}.log") for n in range(processes - 1)]
    for other in others:
        await other.start()
    try:
        await meta.say(ANA, "echo")
        await meta.hears(ANA, "What shall I repeat?")
        said = [meta.message(ANA, {"type": "text", "text": {"body": f"word{n}"}}) for n in range(20)]
        body = meta.envelope(ANA, said)
        answers = []
        for served in [echo, *others]:
            meta.webhook = served.webhook
            answers.append(asyncio.create_task(meta.post(body)))
        statuses = await asyncio.gather(*answers)
        for status, served in zip(statuses, [echo, *others], strict=True):
            if status != 200:
                meta.webhook = served.webhook
                assert await meta.post(body) == 200
        await meta.hears(ANA, "You said word19.")
        await asyncio.sleep(0.5)
        heard = [
            int(words.split("word")[1].split(".")[0]) for one in meta.to(ANA) if "You said" in (words := texts(one))
        ]

        assert heard == list(range(20))
    finally:
        for other in others:
            other.end(signal.SIGTERM)


@pytest.mark.parametrize("processes", [1, 2])
async def test_twenty_separate_webhooks_at_once_are_each_answered_once(
    echo: Served, meta: Standin, tmp_path: Path, processes: int
) -> None:
    """Posted side by side to one or two processes the order is that of the commits; none is lost and none doubled."""
    others = [Served(echo.environment, tmp_path / f"serve{n}.log") for n in range(processes - 1)]
    for other in others:
        await other.start()
    try:
        await meta.say(ANA, "echo")
        await meta.hears(ANA, "What shall I repeat?")
        everywhere = [echo.webhook, *(other.webhook for other in others)]

        async def delivered(n: int) -> None:
            """As Meta does: again until it is taken."""
            body = meta.envelope(ANA, [meta.message(ANA, {"type": "text", "text": {"body": f"word{n}"}})])
            for _ in range(50):
                if await meta.post(body, to=everywhere[n % len(everywhere)]) == 200:
                    return
                await asyncio.sleep(0.1)
            raise AssertionError("a webhook was never taken")

        await asyncio.gather(*(delivered(n) for n in range(20)))
        for _ in range(200):
            heard = [
                words.split("You said ")[1].split(".")[0] for one in meta.to(ANA) if "You said" in (words := texts(one))
            ]
            if len(heard) >= 20:
                break
            await asyncio.sleep(0.1)

        assert sorted(heard) == sorted(f"word{n}" for n in range(20))
    finally:
        for other in others:
            other.end(signal.SIGTERM)


@pytest.mark.parametrize(
    "signature",
    [
        pytest.param(None, id="missing"),
        pytest.param("sha256=" + "0" * 64, id="wrong"),
        pytest.param("sha256=" + "0" * 63, id="truncated"),
        pytest.param("sha1=" + "0" * 40, id="SHA-1"),
        pytest.param("sha256=", id="empty"),
    ],
)
async def test_without_a_valid_signature_nothing_is_processed(
    echo: Served, meta: Standin, signature: str | None
) -> None:
    body = meta.envelope(ANA, [meta.message(ANA, {"type": "text", "text": {"body": "echo"}})])

    assert await meta.post(body, signature) == 401
    await asyncio.sleep(0.3)
    assert meta.sent == []


async def test_a_signature_over_other_bytes_of_the_same_json_is_refused(echo: Served, meta: Standin) -> None:
    import hashlib
    import hmac

    from tests.e2e.standin import SECRET

    body = meta.envelope(ANA, [meta.message(ANA, {"type": "text", "text": {"body": "echo"}})])
    other = json.dumps(json.loads(body), indent=1).encode()
    signature = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()

    assert await meta.post(other, signature) == 401


async def test_too_large_unreadable_and_strange_bodies_are_told_apart(echo: Served, meta: Standin) -> None:
    assert await meta.post(b" " * (3 * 1024 * 1024 + 1)) == 413
    assert await meta.post(b"{not json") == 400
    assert await meta.post(b'{"object":"whatsapp_business_account","entry":[]}') == 200
    assert await meta.post(b'{"entry":[1,null,{"changes":[{"field":"messages","value":{"messages":[{}]}}]}]}') == 200


async def test_packed_bodies_are_refused_before_they_are_unpacked(echo: Served, meta: Standin) -> None:
    """The signature is over the bytes on the wire; nothing is unpacked for a stranger."""
    for content in (gzip.compress(b"{}" * 1000), b"no gzip at all"):
        async with meta.session.post(meta.webhook, data=content, headers={"Content-Encoding": "gzip"}) as answer:
            assert answer.status in (400, 401)


async def test_the_handshake_gives_the_challenge_for_the_right_token_only(echo: Served, meta: Standin) -> None:
    from tests.e2e.standin import VERIFY

    async with meta.session.get(
        meta.webhook, params={"hub.mode": "subscribe", "hub.verify_token": VERIFY, "hub.challenge": "4711"}
    ) as answer:
        assert (answer.status, await answer.text(), answer.content_type) == (200, "4711", "text/plain")
    async with meta.session.get(
        meta.webhook, params={"hub.mode": "subscribe", "hub.verify_token": "guess", "hub.challenge": "4711"}
    ) as answer:
        assert answer.status == 403


@pytest.mark.crash
async def test_with_the_database_dead_503_and_afterwards_the_redelivery_is_answered_once(
    meta: Standin, tmp_path: Path
) -> None:
    project = echo_project(tmp_path / "project")
    with EmbeddedDatabase(tmp_path / "db") as database:
        settings = environment(database.uri, "recado", meta.url, tmp_path / "keys", project)
        async with Served(settings, tmp_path / "serve.log") as served:
            meta.webhook = served.webhook
            await meta.say(ANA, "echo")
            await meta.hears(ANA, "What shall I repeat?")
            body = meta.envelope(ANA, [meta.message(ANA, {"type": "text", "text": {"body": "tide"}})])
            await asyncio.sleep(1)  # nothing is under way any more; the other case is the crash test's
            database.kill()
            assert await meta.post(body) == 503
            database.restart()
            for _ in range(60):
                if await meta.post(body) == 200:
                    break
                await asyncio.sleep(0.25)
            await meta.hears(ANA, "You said tide.")
            assert await meta.post(body) == 200
            await asyncio.sleep(0.5)

            assert len([one for one in meta.to(ANA) if "You said tide." in texts(one)]) == 1


@pytest.mark.crash
@pytest.mark.timeout(180)
async def test_killed_between_commit_and_send_the_reply_arrives_within_ninety_seconds(
    meta: Standin, mongo_uri: str, database_name: str, tmp_path: Path
) -> None:
    project = echo_project(tmp_path / "project")
    settings = environment(mongo_uri, database_name, meta.url, tmp_path / "keys", project)
    held = asyncio.Event()
    served = Served(settings, tmp_path / "serve.log")

    def kill(_: dict[str, object]) -> None:
        """The first send never leaves: the bot is killed while Meta has not even read it."""
        if not held.is_set():
            held.set()
            served.end(signal.SIGKILL)
            raise ConnectionAbortedError

    await served.start()
    meta.webhook = served.webhook
    meta.answer = kill  # type: ignore[assignment]
    await meta.say(ANA, "echo")
    await asyncio.wait_for(held.wait(), 10)
    assert meta.to(ANA) == []
    again = Served(settings, tmp_path / "serve2.log")
    async with again:
        started = asyncio.get_running_loop().time()
        await meta.hears(ANA, "What shall I repeat?", within=90)
        took = asyncio.get_running_loop().time() - started

        assert took < 90
        assert len(meta.to(ANA)) == 2  # the notice and the question, each once


async def test_a_flow_changed_while_people_are_in_it_needs_no_restart(echo: Served, meta: Standin) -> None:
    """Whoever is in the old version ends it; a broken one is refused; who comes next is in the new one."""
    flow = Path(echo.environment["RECADO_PROJECT"]) / "flows" / "echo.yaml"
    before = flow.read_text()
    await meta.say(ANA, "echo")
    await meta.hears(ANA, "What shall I repeat?")
    flow.write_text(before.replace("What shall I repeat?", "What shall I sing?").replace("You said", "You sang"))
    await _logged(echo, "flows taken in")
    await meta.say(ANA, "la")
    await meta.hears(ANA, "You said la.")
    flow.write_text(before.replace("steps:", "stops:"))
    await _logged(echo, "new flows refused, the old ones go on")
    await meta.say(BEA, "echo")
    await meta.hears(BEA, "What shall I sing?")
    await meta.say(BEA, "la")

    await meta.hears(BEA, "You sang la.")


async def _logged(served: Served, words: str) -> None:
    for _ in range(300):
        if words in served.log.read_text():
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"{words!r} was never logged: {served.log.read_text()[-2000:]}")
