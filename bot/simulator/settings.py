"""What a simulator is told at its start. Values only."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from bot.simulator.people import Person
from bot.simulator.templates import Template


@dataclass(frozen=True, slots=True)
class Action:
    """A button under every phone of the page; `callback` gets the person and may return a line to show under it.

    A returned line that starts with `https://` or `http://` is shown as a link.
    """

    id: str
    label: str
    callback: Callable[[Person], Awaitable[str | None]]


@dataclass(frozen=True, slots=True)
class SimulatorSettings:
    """The invented business account and how Meta behaves towards it.

    `retry_delays` are seconds between the attempts of one webhook, afterwards it is given up; `webhook_timeout` is how long an answer may
    take. `window_refusal` says where 131047 appears: in the answer or, as it happens too, in a failed status. `country_code`, where given,
    is put before numbers that come without a plus, as Meta does. `clock` is Unix seconds.
    """

    host: str = "127.0.0.1"
    port: int = 0
    app_secret: str = "simulated-app-secret"  # noqa: S105 - invented, like everything here
    verify_token: str = "simulated-verify-token"  # noqa: S105
    access_token: str = "simulated-access-token"  # noqa: S105
    phone_number_id: str = "106540352242922"
    display_phone_number: str = "15550100100"
    waba_id: str = "102290129340398"
    verified_name: str = "Example business"
    webhook_url: str | None = None
    graph_versions: tuple[str, ...] = ("v26.0", "v25.0", "v24.0", "v23.0", "v22.0", "v21.0")
    templates: tuple[Template, ...] = ()
    retry_delays: tuple[float, ...] = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600)
    webhook_timeout: float = 20.0
    strict_pair_rate: bool = False
    window_refusal: Literal["answer", "webhook"] = "answer"
    country_code: str | None = None
    free_service_messages: int = 1000
    actions: tuple[Action, ...] = ()
    clock: Callable[[], float] = time.time
