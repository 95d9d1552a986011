"""Meta's contact book and block list, against the stand-in."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import aiohttp
import pytest
from pydantic import SecretStr

from bot.app.receivers import AllReceivers
from bot.domain.errors import RetryLater
from bot.domain.ids import Address, Bsuid, PersonId, PhoneNumber
from bot.domain.message import TextMessage
from bot.integrations.subscribers import NobodySubscribed
from bot.runtime.ports import Accepted, Refused
from bot.simulator import Simulator
from bot.whatsapp.client import WhatsAppClient
from bot.whatsapp.contact_book import ContactBook, NotBlocked
from bot.whatsapp.graph import Graph
from bot.whatsapp.settings import WhatsAppSettings
from tests.simulator.conftest import FAST

NOW = datetime(2026, 11, 24, tzinfo=UTC)


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    async with Simulator(FAST) as running:
        yield running


@pytest.fixture
async def graph(sim: Simulator) -> AsyncIterator[Graph]:
    async with aiohttp.ClientSession() as session:
        yield Graph(WhatsAppSettings(access_token=SecretStr(FAST.access_token), graph_url=sim.url, timeout=5), session)


def of(sim: Simulator, key: str = "ada") -> Address:
    person = sim.world.people[key]
    number = PhoneNumber(f"+{person.wa_id}") if person.wa_id else None
    return Address(number, Bsuid(str(person.bsuid)))


async def test_an_erasure_takes_the_entry_out_of_the_contact_book(sim: Simulator, graph: Graph) -> None:
    """GDPR art. 17(2), 19."""
    await sim.say("ada", "hello")
    sim.world.remember(sim.world.people["ada"])
    others = NobodySubscribed()
    receivers = AllReceivers(ContactBook(graph, FAST.phone_number_id), others)

    await receivers.erase(PersonId("a" * 32), of(sim), NOW)
    await receivers.erase(PersonId("a" * 32), of(sim), NOW)

    assert sim.world.people["ada"].bsuid not in sim.world.contact_book
    assert others.counts == {"subject.erased": 2}


@pytest.mark.parametrize(
    "address", [None, Address(PhoneNumber("+15550100123")), Address(parent_bsuid=Bsuid("US.ENT.1"))]
)
async def test_without_an_own_id_there_is_no_entry_to_delete(
    sim: Simulator, graph: Graph, address: Address | None
) -> None:
    await AllReceivers(ContactBook(graph, FAST.phone_number_id), NobodySubscribed()).erase(
        PersonId("a" * 32), address, NOW
    )
    assert len(sim.calls) == 0


async def test_while_meta_does_not_answer_the_erasure_waits_and_a_refusal_does_not_stop_it(
    sim: Simulator, graph: Graph
) -> None:
    async with aiohttp.ClientSession() as session:
        nobody = Graph(WhatsAppSettings(graph_url="http://127.0.0.1:9", timeout=1), session)
        with pytest.raises(RetryLater):
            await ContactBook(nobody, "1").forget(of(sim))
    await ContactBook(graph, "404").forget(of(sim))


async def test_somebody_who_wrote_lately_can_be_blocked_and_let_back_in(sim: Simulator, graph: Graph) -> None:
    book = ContactBook(graph, FAST.phone_number_id)
    with pytest.raises(NotBlocked, match="24 hours"):
        await book.block(of(sim))
    await sim.say("ada", "hello")
    await book.block(of(sim))
    assert sim.world.chats["ada"].blocked
    await book.block(of(sim), lift=True)
    assert not sim.world.chats["ada"].blocked


async def test_what_cannot_go_by_id_goes_by_number_once(sim: Simulator, graph: Graph) -> None:
    """131062: refused before it was processed, so nobody gets it twice."""
    client = WhatsAppClient(graph, FAST.phone_number_id)
    sim.fail("error", code=131062)
    await sim.say("ada", "hello")

    assert isinstance(await client.send(of(sim), TextMessage("x"), "cb"), Accepted)
    assert [("recipient" in (call.body or {}), "to" in (call.body or {}), call.status) for call in sim.sends] == [
        (True, False, 400), (False, True, 200),
    ]  # fmt: skip
    sim.fail("error", code=131062)
    nameless = Address(bsuid=Bsuid(str(sim.world.people["ada"].bsuid)))
    refused = await client.send(nameless, TextMessage("x"), "cb")
    assert isinstance(refused, Refused)
    assert (refused.code, refused.replay) == (131062, "never")
