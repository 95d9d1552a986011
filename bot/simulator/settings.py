"""What the stand-in is told at its start: addresses, secrets, templates and how strict it is. All values, no behaviour."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from bot.simulator.people import Person
from bot.simulator.templates import Template

GRAPH_VERSIONS = ("v21.0", "v22.0", "v23.0", "v24.0", "v25.0", "v26.0")

RETRY_DELAYS = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 60.0, 60.0)


@dataclass(frozen=True, slots=True)
class Action:
    """A button of the host under every phone. `callback` gets the person; the line it may return is shown to the user."""

    id: str
    label: str
    callback: Callable[[Person], Awaitable[str | None]]


@dataclass(frozen=True, slots=True)
class SimulatorSettings:
    """How one simulator behaves.

    `retry_delays`: seconds before each redelivery of a webhook that was not answered 200; after the last one it is dropped.
    Meta retries for days; the default fits a demo. `webhook_timeout` and `status_delay` are seconds. `status_delay` lies
    between accepted, sent, delivered and read. `strict_pair_rate` enforces 45 messages at once and one per 6 s to one
    person; `throughput` messages per second for the whole number (None: no limit). `window_as_webhook`: a message outside
    the 24 hours is accepted and fails by webhook instead of being refused at once; Meta does either. `auto_read`: people
    read what they get at once. `review_delay`: seconds until Meta approves a submitted template; None leaves it to whoever plays
    Meta. `storage_region` and `no_storage`: where Meta keeps messages (local storage, no storage). `cast`: start with the six
    invented people. `actions`: buttons of the host under every phone. `seed`: makes ids and shuffles repeatable.
    """

    host: str = "127.0.0.1"
    port: int = 0
    app_secret: str = field(default="simulator-app-secret", repr=False)
    verify_token: str = field(default="simulator-verify-token", repr=False)
    access_token: str = field(default="simulator-access-token", repr=False)
    phone_number_id: str = "106540352242922"
    display_phone_number: str = "+1 202-555-0100"
    verified_name: str = "Example Shop"
    waba_id: str = "102290129340398"
    webhook_url: str | None = None
    graph_versions: tuple[str, ...] = GRAPH_VERSIONS
    templates: tuple[Template, ...] = ()
    retry_delays: tuple[float, ...] = RETRY_DELAYS
    webhook_timeout: float = 10.0
    status_delay: float = 0.05
    strict_pair_rate: bool = True
    throughput: int | None = None
    window_as_webhook: bool = False
    auto_read: bool = True
    review_delay: float | None = None
    storage_region: str = ""
    no_storage: bool = False
    cast: bool = True
    seed: int | None = None
    actions: tuple[Action, ...] = ()
    title: str = "Recado phone"
    intro: str = ""
