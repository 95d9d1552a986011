"""Scenarios in YAML: each of those that come with the stand-in plays, and what is wrong in one is said."""

from pathlib import Path

import pytest

from bot.simulator import Simulator
from bot.simulator.errors import SimulatorError
from bot.simulator.scenario import VERBS, read, shipped
from tests.simulator.echo import EchoBot

DOC = (Path(__file__).resolve().parents[2] / "docs" / "simulator.md").read_text(encoding="utf-8")


async def play(echo: EchoBot, **body: object) -> tuple[int, dict[str, object]]:
    return await echo.call("POST", "control/scenarios", json=body)


@pytest.mark.parametrize("name", sorted(shipped()))
async def test_every_shipped_scenario_plays(sim: Simulator, echo: EchoBot, name: str) -> None:
    status, found = await play(echo, name=name)
    await sim.settle()

    assert (status, len(found["done"])) == (200, len(shipped()[name].steps))  # type: ignore[arg-type]
    assert f"| `{name}` |" in DOC


async def test_a_person_without_a_number_writes_by_id_alone(sim: Simulator, echo: EchoBot) -> None:
    await play(echo, name="no_number")
    await sim.settle()

    assert "from" not in echo.messages[-1]
    assert echo.messages[-1]["from_user_id"] == sim.world.people["nina"].bsuid


async def test_of_a_number_change_the_word_may_come_after_the_message(sim: Simulator, echo: EchoBot) -> None:
    await play(echo, name="number_change")
    await sim.settle()

    kinds = [one["type"] for one in echo.messages]
    assert sorted(kinds) == ["system", "text", "text"]
    change = next(one["system"] for one in echo.messages if one["type"] == "system")
    assert change["previous_user_id"] != sim.world.people["mara"].bsuid


async def test_five_of_a_hundred_messages_of_a_campaign_fail(sim: Simulator, echo: EchoBot) -> None:
    person = sim.world.people["ada"]
    await sim.say("ada", "hello")
    await play(echo, yaml="steps: [{fault: {kind: failed_status, code: 131026, times: 50, every: 20}}]")
    echo.echoes = False
    for number in range(40):
        assert (await echo.text(str(person.number), f"news {number}"))[0] == 200
    await sim.settle()

    assert [one["errors"][0]["code"] for one in echo.statuses if one["status"] == "failed"] == [131026] * 2


WRONG = [
    pytest.param("steps: [", "YAML", id="no YAML"),
    pytest.param("- 1", "scenario", id="no scenario"),
    pytest.param("steps: []", "steps", id="no steps"),
    pytest.param("steps: [{say: {who: ada}}]", "step 1 (say): text", id="a value is missing"),
    pytest.param("steps: [{say: {who: ada, text: x}}, {say: {who: nobody, text: x}}]", "step 2 (say): there is no person", id="nobody"),
    pytest.param("steps: [{sing: {}}]", "`sing` is none of", id="an unknown verb"),
    pytest.param("steps: [{token: good, say: 1}]", "one verb", id="two verbs"),
    pytest.param("steps: [{quality: BLUE}]", "GREEN", id="an unknown rating"),
    pytest.param("steps: [{fault: {kind: error, colour: red}}]", "colour", id="an unknown value"),
    pytest.param("steps: [{wait: 9999}]", "seconds", id="a wait without an end"),
    pytest.param("a: &a [*a]", "scenario", id="a list inside itself"),
]  # fmt: skip


@pytest.mark.parametrize(("yaml", "said"), WRONG)
async def test_what_is_wrong_is_said(echo: EchoBot, yaml: str, said: str) -> None:
    status, found = await play(echo, yaml=yaml)
    assert status == 400
    assert said in str(found["error"])


def test_every_verb_is_documented() -> None:
    assert all(f"`{verb}`" in DOC for verb in VERBS)


def test_a_scenario_has_bounds() -> None:
    with pytest.raises(SimulatorError):
        read("steps:\n" + "  - wait: 1\n" * 201)
    with pytest.raises(SimulatorError):
        read("x" * 70_000)
