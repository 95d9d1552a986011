"""A running stand-in, a clock that only tests move, and the echo bot it drives."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from bot.simulator import Simulator, SimulatorSettings, Template, TemplateButton
from tests.simulator.echo import EchoBot, echo_bot

NEWS = Template(
    "monthly_news", "en", "News: {{1}}", category="MARKETING", footer="Write STOP to unsubscribe",
    buttons=(TemplateButton("QUICK_REPLY", "Stop the newsletter"), TemplateButton("URL", "Read", "https://shop.example/{{1}}")),
)  # fmt: skip
REMINDER = Template("reminder", "es", "Hola {{first_name}}, te esperamos {{day}}.")
PHOTO = Template("photo", "en", "Look!", header_format="IMAGE")

FAST = SimulatorSettings(
    templates=(NEWS, REMINDER, PHOTO), retry_delays=(0.01, 0.02, 0.03), status_delay=0.0, webhook_timeout=5.0, seed=7
)


@dataclass
class HandClock:
    """Unix seconds that stand still until a test moves them."""

    now: float = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def sim(clock: HandClock) -> AsyncIterator[Simulator]:
    async with Simulator(FAST, clock=clock) as running:
        yield running


@pytest.fixture
async def echo(sim: Simulator) -> AsyncIterator[EchoBot]:
    async with echo_bot(sim) as bot:
        yield bot
