"""Consents from a list of elsewhere: each line is checked for its evidence, and played as an event of its person (privacy.md 3.4)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from bot.domain.business import Business, content_hash
from bot.domain.event import ConsentImported
from bot.domain.ids import Address, Words

if TYPE_CHECKING:
    from bot.app.compose import Bot

LINE_MOST = 64 * 1024


class Line(BaseModel):
    """One line of the list: who agreed to what, when, in answer to which words, and how the person was informed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    person: str = Field(min_length=5, description="Number with + and country code, or WhatsApp user id.", repr=False)
    purpose: str = Field(description="A purpose of business.yaml.")
    given_at: AwareDatetime = Field(description="When the person agreed, with the time zone.")
    confirmed_at: AwareDatetime | None = Field(default=None, description="When they agreed a second time.")
    wording: str = Field(min_length=10, description="The exact words they agreed to.", repr=False)
    answer: str = Field(min_length=1, description="What they answered or did.", repr=False)
    notice: str = Field(min_length=20, description="The privacy notice they were shown.", repr=False)
    language: str = Field(min_length=2, max_length=10, description="The language of all that.")
    source: str = Field(min_length=3, max_length=200, description="Where: system, form and version. Names nobody.")


Outcome = Literal["taken", "refused"]


@dataclass(frozen=True, slots=True)
class Told:
    """What became of a line; `reason` names its fault without quoting it."""

    number: int
    outcome: Outcome
    reason: str = ""


def read_lines(lines: Iterable[bytes], business: Business, now: datetime) -> Iterator[tuple[int, Line | str]]:
    """Each line with its number: read, or why it is refused. Empty lines are passed over."""
    for number, raw in enumerate(lines, start=1):
        if not raw.strip():
            continue
        if len(raw) > LINE_MOST:
            yield number, "the line is longer than 64 KiB"
            continue
        try:
            line = Line.model_validate_json(raw)
        except ValidationError as problem:
            yield number, "; ".join(_fault(one["loc"], one["msg"]) for one in problem.errors(include_input=False))
            continue
        yield number, _unproven(line, business, now) or line


def _fault(place: tuple[int | str, ...], words: str) -> str:
    return f"{'.'.join(map(str, place))}: {words}" if place else words


def _unproven(line: Line, business: Business, now: datetime) -> str:
    """Why the line proves no consent, or empty."""
    from bot.app.queueing import address_of

    declared = business.purposes.get(line.purpose)
    if address_of(line.person) is None:
        return "person: neither a number with + and country code nor a WhatsApp user id"
    if declared is None:
        return f"purpose: not declared in business.yaml; there are {', '.join(business.purposes)}"
    if declared.basis not in ("consent", "soft_opt_in"):
        return f"purpose: it rests on {declared.basis}, so there is no consent to import"
    if line.given_at > now or (line.confirmed_at is not None and not line.given_at <= line.confirmed_at <= now):
        return "given_at, confirmed_at: in the wrong order, or in the future"
    if declared.basis == "consent" and declared.double and line.confirmed_at is None:
        return "confirmed_at: this purpose needs a second yes; without one, ask anew on the website or in the chat"
    if (line.confirmed_at or line.given_at) + declared.lasts <= now:
        return "given_at: the consent is past its end; ask anew"
    return ""


async def import_line(bot: "Bot", number: int, line: Line) -> Told:
    """Plays one line; repeating it changes nothing. Nobody who stopped or decided otherwise here is brought back."""
    from bot.app.queueing import address_of

    address = address_of(line.person)
    if address is None:
        return Told(number, "refused", "person: no address")
    now, moment = bot.clock.now(), line.confirmed_at or line.given_at
    notice = content_hash(line.notice)
    await bot.published.text("notice_elsewhere", "imported", notice, line.language, line.notice, now)
    name = bot.keyring.event_id(f"import:{line.person}:{line.purpose}:{line.source}:{moment.isoformat()}")
    event = ConsentImported(
        name, now, line.purpose, moment, Words(line.wording), Words(line.answer), line.source, notice, line.language
    )
    person = await bot.turns.introduce(Address(address.phone, address.bsuid), event)
    stored = await bot.conversation(person) if person is not None else None
    consent = stored.conversation.consent(line.purpose) if stored is not None else None
    if consent is not None and consent.state == "given" and consent.since == moment:
        return Told(number, "taken")
    return Told(number, "refused", "the person stopped such messages or decided about them here; that stands")
