"""What a channel hands in: parsed, typed, and nothing decided yet. Unknown fields of the provider are gone here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

from bot.domain.ids import Address, Wamid, Words


@dataclass(frozen=True, slots=True)
class InboundMessage:
    """A message of a person, with the kinds of `event.MessageReceived`.

    Attributes:
        account: the business number's id it came to.
        at: the provider's time (UTC).
        option: wire id or payload of what was tapped.
        reply_to: message id it answers, if any.
        data: typed extras of the kind: `latitude`, `longitude`, `media_id`, `mime_type`, `sha256`, `filename`, `flow` (form answers),
            `error` (code) and `inner` (type) of an unsupported message, `phone` (of a shared contact), `original` (of an edited or
            revoked one), `removed` (of a reaction), `catalog`, `product` and `items` (of an order), `entry` (ad or post)…
        standby: somebody else of the business, or Meta's agent, holds the thread: only a wish to stop or a right is ours to hear.
    """

    account: str
    sender: Address
    wamid: Wamid
    at: datetime
    kind: str
    words: Words = Words("")
    option: str = ""
    reply_to: Wamid = Wamid("")
    data: Mapping[str, Any] = field(default_factory=dict, repr=False)
    standby: bool = False


@dataclass(frozen=True, slots=True)
class DeliveryStatus:
    """What became of a sent message: sent, delivered, read, played or failed (with Meta's code).

    `pricing` is the category it is charged under, `pricing_type` how (regular, free_customer_service, free_entry_point…).
    """

    account: str
    wamid: Wamid
    callback: str
    status: str
    at: datetime
    code: int = 0
    pricing: str = ""
    pricing_type: str = ""


@dataclass(frozen=True, slots=True)
class PreferenceSignal:
    """Meta's own marketing switch of a person: `stop` or `resume`."""

    account: str
    sender: Address
    value: str
    category: str
    at: datetime


@dataclass(frozen=True, slots=True)
class IdentityChange:
    """A person's number or BSUID changed; `previous` holds what is known of the old ones."""

    account: str
    current: Address
    previous: Address | None
    wamid: Wamid
    at: datetime


@dataclass(frozen=True, slots=True)
class AccountNotice:
    """Something an operator should know: template status, quality, account events. `detail` holds no personal data.

    `business` is the id of the business account it is about.
    """

    field_name: str
    event: str
    detail: Mapping[str, str] = field(default_factory=dict)
    business: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class HumanEcho:
    """A person of the business, or Meta's agent, spoke or took over on the same number: the bot stays silent.

    `kind` is `echo` or `standby` (something was said), `control_taken`, or `control_passed` (the bot may speak again).
    """

    account: str
    to: Address | None
    kind: str
    at: datetime
    wamid: Wamid = Wamid("")


@dataclass(frozen=True, slots=True)
class Unknown:
    """Something this version does not know; counted by `field_name` and `kind`, nothing of it is kept.

    `reference` is a short hash of the number or business account that is not ours.
    """

    field_name: str
    kind: str
    reference: str = field(default="", compare=False)


Inbound: TypeAlias = (
    InboundMessage | DeliveryStatus | PreferenceSignal | IdentityChange | AccountNotice | HumanEcho | Unknown
)
