"""Who the business is and what it declares: the schema of `flows/business.yaml` (decisions.md 32).

One document, written by people who do not program. Unknown keys are errors. The notice, the consent questions, the gate, the
record of processing and the linter all read from here, so that none can say something else than another.
"""

import hashlib
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr, model_validator

from bot.domain.opt_in import KINDS, NEEDED, PAYLOAD

_UNITS = {
    "second": timedelta(seconds=1), "minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1),
    "week": timedelta(weeks=1), "month": timedelta(days=30), "year": timedelta(days=365),
}  # fmt: skip
_DURATION = re.compile(r"(\d{1,5})\s+(second|minute|hour|day|week|month|year)s?")


def duration(value: object) -> object:
    """`30 days`, `8 seconds`, `2 years`… as a timedelta. Raises `ValueError` saying how to write it."""
    if isinstance(value, timedelta):
        return value
    match = _DURATION.fullmatch(str(value).strip().lower())
    if match is None:
        raise ValueError(
            "write a length of time as a number and a unit, for example `30 minutes`, `2 days` or `1 year`"
        )
    return int(match[1]) * _UNITS[match[2]]


Duration = Annotated[timedelta, BeforeValidator(duration, json_schema_input_type=str)]


def yes_or_no(value: object) -> object:
    """`yes`/`no` as people write them; `true`/`false` too."""
    if isinstance(value, str) and value.strip().lower() in ("yes", "no"):
        return value.strip().lower() == "yes"
    return value


YesNo = Annotated[bool, BeforeValidator(yes_or_no)]


class Part(BaseModel):
    """A part of a file people write: immutable, and a key it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Contact(Part):
    name: str = Field(min_length=1, description="Name as people know it.")
    address: str = Field(default="", description="Postal address.")
    email: str = Field(default="", description="E-mail address people can write to.")
    phone: str = Field(default="", description="Telephone number people can call.")
    country: str = Field(default="", description="Country of establishment, two letters.")


class DataProtectionOfficer(Part):
    """The officer of GDPR art. 37, or the reason why none is needed."""

    name: str = Field(default="", description="Name of the data protection officer.")
    email: str = Field(default="", description="E-mail address of the data protection officer.")
    not_required_because: str = Field(
        default="", description="If there is no officer: why none is required (kept for audits)."
    )

    @model_validator(mode="after")
    def _either(self) -> "DataProtectionOfficer":
        if not self.email and not self.not_required_because:
            raise ValueError(
                "give the officer's `email`, or say in `not_required_because` why there is none (GDPR art. 37)"
            )
        return self


Basis = Literal[
    "consent", "contract", "legal_obligation", "vital_interests", "public_task", "legitimate_interest", "soft_opt_in"
]
Category = Literal["service", "utility", "marketing", "authentication"]


class Purpose(Part):
    """One reason for which data are used and messages are sent (GDPR art. 5(1)(b), 6)."""

    title: str = Field(min_length=1, description="The purpose in the customer's words, e.g. `our newsletter`.")
    basis: Basis = Field(description="Legal basis (GDPR art. 6).")
    interest: str = Field(default="", description="For legitimate_interest: which interest (GDPR art. 13(1)(d)).")
    sends: Category = Field(
        default="utility", description="Category of the messages sent of the business's own accord."
    )
    double: YesNo = Field(default=True, description="Consent needs a second yes.")
    frequency: str = Field(
        default="", description="How often, in the customer's words, e.g. `at most four times a month`."
    )
    at_most: str = Field(
        default="", description="Cap that the gate keeps, e.g. `4 per month`.", pattern=r"^$|^\d+ per (day|week|month)$"
    )
    quiet: str = Field(
        default="", description="Hours without business-initiated messages.", pattern=r"^$|^\d{2}:\d{2}-\d{2}:\d{2}$"
    )
    data: tuple[str, ...] = Field(default=(), description="Categories of data used, in plain words.")
    keep_at_most: Duration | None = Field(default=None, description="How long its data are kept at most.")
    keep_proof: str = Field(
        default="", description="How long the proof of consent is kept, e.g. `3 years after withdrawal`."
    )
    lasts: Duration = Field(
        default=timedelta(days=730), description="How long a consent holds before it is asked for again."
    )
    renewal: str = Field(
        default="",
        description="Template that asks whoever is silent to let the consent go on, a month before it ends; "
        "one of its quick replies sends `recado:renew:<purpose>`.",
    )
    confirm_within: Duration = Field(default=timedelta(hours=48), description="How long the second yes may take.")
    material_change: YesNo = Field(
        default=True,
        description="Whether new words for what people agree to (`title`, `basis`, `interest`, `sends`, `frequency`, `data`) must be "
        "agreed to anew. `no` for a mended spelling.",
    )
    _covered: frozenset[str] = PrivateAttr(default=frozenset())

    def covers(self, agreed: str) -> bool:
        """Whether a consent to the purpose that `agreed` names (`purpose_hash`) is one to the purpose as it is now.

        An empty or unknown name is not: what nobody can show to have been agreed to, was not (GDPR art. 7(1)).
        """
        return agreed in self._covered or agreed == purpose_hash(self)

    def with_covered(self, versions: frozenset[str]) -> "Purpose":
        """The same purpose that also accepts consents to these versions of it (`bot.privacy.terms` finds them)."""
        same = self.model_copy()
        same._covered = versions | {purpose_hash(self)}  # noqa: SLF001 - of its own class
        return same

    @model_validator(mode="after")
    def _interest_named(self) -> "Purpose":
        if self.basis == "legitimate_interest" and not self.interest:
            raise ValueError("say in `interest` which interest this serves (GDPR art. 13(1)(d))")
        if self.sends == "marketing" and self.basis not in ("consent", "soft_opt_in"):
            raise ValueError("marketing messages need `basis: consent` or `soft_opt_in` (ePrivacy art. 13)")
        return self


class Processor(Part):
    """Somebody who processes data for the business, with their contract (GDPR art. 28)."""

    name: str = Field(min_length=1, description="Name of the company that works for you.")
    does: str = Field(min_length=1, description="What for, in plain words; stands in the notice.")
    country: str = Field(min_length=2, description="Where the data are.")
    transfer: str = Field(
        default="", description="For places outside the EEA: adequacy, DPF, SCC and so on (GDPR art. 44-49)."
    )
    contract: str = Field(
        default="",
        description="Date of the data processing agreement, e.g. 2026-01-31.",
        pattern=r"^$|^\d{4}-\d{2}-\d{2}$",
    )
    review: str = Field(default="", description="Date of the next review.", pattern=r"^$|^\d{4}-\d{2}-\d{2}$")


class Notice(Part):
    """The points of GDPR art. 13 that are not derived from controller, officer, purposes and processors."""

    id: str = Field(default="main", description="Name of the notice.")
    version: int = Field(default=1, ge=1, description="Count it up when the notice changes.")
    link: str = Field(description="Where the full notice can be read (https).", pattern=r"^https?://\S+$")
    data: tuple[str, ...] = Field(min_length=1, description="Categories of data, in plain words.")
    storage: str = Field(
        min_length=1, description="Where data are stored, in plain words, e.g. `in the European Union (Frankfurt)`."
    )
    retention: str = Field(min_length=1, description="How long, in plain words.")
    complaint: str = Field(min_length=1, description="The supervisory authority people can complain to.")
    required: str = Field(default="", description="Whether data must be given and what follows if not (art. 13(2)(e)).")
    automated: str = Field(default="", description="Automated decisions, if any (art. 13(2)(f)).")
    transfers: str = Field(default="", description="Transfers outside the EEA in plain words (art. 13(1)(f)).")
    material_change: YesNo = Field(default=True, description="People must be shown this version again.")


class Team(Part):
    title: str = Field(min_length=1, description="Name of the team as agents see it.")
    hours: tuple[str, ...] = Field(default=(), description="Opening hours, e.g. `mon-fri 09:00-17:00`.")
    languages: tuple[str, ...] = Field(default=(), description="Languages the team answers in.")


class Action(Part):
    """One thing a connector can be asked. Only the fields named here go out and come in."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = Field(
        default="GET", description="HTTP method of the call."
    )
    path: str = Field(
        default="", pattern=r"^$|^/[^\s]*$", description="Path behind the connector's address; `{field}` is filled in."
    )
    send: tuple[str, ...] = Field(default=(), description="Fields that may be sent.")
    receive: tuple[str, ...] = Field(default=(), description="Fields that may be kept of the answer.")
    timeout: Duration = Field(default=timedelta(seconds=8), description="How long an answer is waited for.")
    retries: int = Field(default=1, ge=0, le=5, description="How often a call that failed is tried again.")
    purpose: str = Field(default="", description="Purpose for which the fields are sent.")


class Connector(Part):
    """One of the business's own systems."""

    address: str = Field(default="", pattern=r"^$|^https?://\S+$", description="Where it answers.")
    python: str = Field(
        default="",
        pattern=r"^$|^[a-z][a-z0-9_-]*$",
        description="Name of a connector in Python instead, as its package offers it (`recado.connectors`).",
    )
    processor: str = Field(
        default="", description="Name of the processor that runs it, if it is not the business itself."
    )
    secret: str = Field(
        default="", description="Name of the secret that authorises calls (in RECADO_INTEGRATIONS__SECRETS)."
    )
    local: YesNo = Field(default=False, description="The address lies in the business's own network, on purpose.")
    actions: Mapping[str, Action] = Field(description="What can be called: name to call.")

    @model_validator(mode="after")
    def _one_way(self) -> "Connector":
        if bool(self.address) == bool(self.python):
            raise ValueError("a connector has either an `address` or `python`")
        if self.address and not self.local and not self.address.startswith("https://"):
            raise ValueError(
                "the address of a system elsewhere begins with https://; `local: yes` allows http:// in your own network"
            )
        if self.address and not all(action.path for action in self.actions.values()):
            raise ValueError("each action of a connector with an `address` needs a `path`")
        return self


NewsEvent = Literal[
    "consent.given", "consent.withdrawn", "subject.erased", "subject.rectified", "subject.restricted", "subject.unrestricted"
]  # fmt: skip
"""What the business's systems may be told of (GDPR art. 7(3), 19)."""


class Receiver(Part):
    """One of the business's systems that is told what became of consents and people."""

    address: str = Field(
        pattern=r"^https?://\S+$", description="Where the news are posted; http only with `local: yes`."
    )
    secret: str = Field(
        min_length=1, description="Name of the secret that signs them (in RECADO_INTEGRATIONS__SECRETS)."
    )
    events: tuple[NewsEvent, ...] = Field(
        default=get_args(NewsEvent), min_length=1, description="What it is told of; all where left out."
    )
    processor: str = Field(
        default="", description="Name of the processor that runs it, if it is not the business itself."
    )
    local: YesNo = Field(default=False, description="The address lies in the business's own network, on purpose.")

    @model_validator(mode="after")
    def _sealed_on_its_way(self) -> "Receiver":
        if self.address.startswith("http://") and not self.local:
            raise ValueError("write https: the news of an erasure holds a number (GDPR art. 32)")
        return self


class Channel(Part):
    """A WhatsApp number of the business."""

    phone_number_id: str = Field(default="", description="Id of the business number at Meta.")
    display: str = Field(default="", description="The number as people see it.")


class TemplateLink(Part):
    """The one button of a template that opens a web page."""

    label: Mapping[str, str] = Field(min_length=1, description="Language tag to the button's label.")
    address: str = Field(pattern=r"^https://\S+$", description="Where it leads; the same for everybody.")


class Template(Part):
    """A template approved by Meta, as declared here; the linter and the gate read its category."""

    category: Literal["marketing", "utility", "authentication"] = Field(description="Category at Meta.")
    purpose: str = Field(description="Purpose it is sent for.")
    languages: Mapping[str, str] = Field(
        min_length=1, description="Language tag to body text, with {{1}} or {{name}} for values."
    )
    samples: tuple[str, ...] = Field(
        default=(), description="An invented example for each value, in order; Meta reviews a template with them."
    )
    header: Mapping[str, str] = Field(default_factory=dict, description="Language tag to the line above the body.")
    footer: Mapping[str, str] = Field(default_factory=dict, description="Language to the small line below.")
    buttons: Mapping[str, tuple[str, ...]] = Field(
        default_factory=dict, description="Language tag to labels of the quick replies."
    )
    payloads: tuple[str, ...] = Field(default=(), description="What each quick reply sends back, in order.")
    link: TemplateLink | None = Field(default=None, description="A button that opens a web page, below the others.")
    lives: Duration | None = Field(
        default=None, description="How long Meta tries to deliver it; 30 days where left out (codes: 10 minutes)."
    )


class Website(Part):
    """The website's half of the double opt-in: what its form offers, and the template that asks for the second yes."""

    purposes: tuple[str, ...] = Field(
        min_length=1, description="Purposes the form offers, in order: each with `basis: consent` and a second yes."
    )
    template: str = Field(
        description="Template that asks for the second yes; {{1}} is the purpose. Never a marketing template."
    )
    country: str = Field(
        default="", description="Two-letter country by which numbers without + are read; `country` where left out."
    )


class SystemFlows(Part):
    """Flows of the business that built-in wishes lead to (decisions.md 33)."""

    agent: str = Field(default="", description="Flow for whoever wants a person, instead of the built-in one.")
    complaint: str = Field(default="", description="Flow for complaints, instead of the built-in one.")
    help: str = Field(default="", description="Flow for HELP, instead of the built-in one.")


class Business(Part):
    """The whole of business.yaml."""

    name: str = Field(min_length=1, description="The business as customers know it.")
    bot_name: str = Field(default="", description="What the assistant calls itself.")
    controller: Contact = Field(description="Who decides about the data (GDPR art. 4(7)).")
    dpo: DataProtectionOfficer = Field(description="The data protection officer, or why there is none.")
    language: str = Field(default="en", description="Language the business writes its flows in.")
    languages: tuple[str, ...] = Field(default=("en",), min_length=1, description="Languages offered to customers.")
    time_zone: str = Field(default="Europe/Lisbon", description="Time zone of the business, e.g. `Europe/Lisbon`.")
    step_up_after: Duration = Field(
        default=timedelta(days=90),
        description="Silence after which somebody makes sure who asks before data are given out.",
    )
    country: str = Field(default="", description="Country whose law profile applies first, two letters.")
    notice: Notice = Field(description="What people are told about their data (GDPR art. 13).")
    purposes: Mapping[str, Purpose] = Field(description="What data are used for: name to purpose.")
    processors: tuple[Processor, ...] = Field(default=(), description="Companies that work for you with the data.")
    teams: Mapping[str, Team] = Field(default_factory=dict, description="Who takes chats over: name to team.")
    connectors: Mapping[str, Connector] = Field(default_factory=dict, description="Your own systems that flows `call`.")
    receivers: Mapping[str, Receiver] = Field(
        default_factory=dict, description="Systems that are told of consents given and withdrawn, and of erasures."
    )
    channels: Mapping[str, Channel] = Field(default_factory=dict, description="Business numbers: name to channel.")
    templates: Mapping[str, Template] = Field(
        default_factory=dict, description="Message templates as Meta approved them."
    )
    website: Website | None = Field(default=None, description="The sign-up form of the website; none where left out.")
    links: Mapping[str, str] = Field(default_factory=dict, description="Web addresses flows may offer, by name.")
    patterns: Mapping[str, str] = Field(
        default_factory=dict, description="Named patterns (regular expressions) for checks."
    )
    retention: Mapping[str, Duration] = Field(
        default_factory=dict,
        description="Class of data to how long it is kept, where not the default (docs/retention.md).",
    )
    flows: SystemFlows = Field(default=SystemFlows(), description="Flows of your own in place of built-in ones.")
    start_flow: str = Field(
        default="", description="Flow that greets people who say nothing a flow listens to; the menu."
    )

    @model_validator(mode="after")
    def _names_meet(self) -> "Business":
        for name, template in self.templates.items():
            if template.purpose not in self.purposes:
                raise ValueError(f"template `{name}` names the purpose `{template.purpose}`, which is not declared")
        if self.language not in self.languages:
            raise ValueError(f"`language: {self.language}` must be among `languages`")
        if self.website is not None:
            _website_fits(self.website, self)
        return self


def _website_fits(website: Website, business: Business) -> None:
    """What the form offers can be asked twice and proven. Raises `ValueError` saying what to write instead."""
    for name in website.purposes:
        purpose = business.purposes.get(name)
        if purpose is None:
            raise ValueError(f"`website.purposes` names `{name}`, which is not declared")
        if purpose.basis != "consent" or not purpose.double:
            raise ValueError(
                f"`website.purposes` names `{name}`: a form needs `basis: consent` and `double: yes`, because anybody can "
                "type anybody's number (GDPR art. 7(1))"
            )
    template = business.templates.get(website.template)
    if template is None:
        raise ValueError(f"`website.template: {website.template}` is not among `templates`")
    if template.category != "utility":
        raise ValueError(
            f"the template `{website.template}` asks strangers for a confirmation: it must be `category: utility`, without "
            "any advertising"
        )
    wanted = [PAYLOAD + kind for kind in NEEDED]
    known = [PAYLOAD + kind for kind in KINDS]
    if any(one not in template.payloads for one in wanted) or any(one not in known for one in template.payloads):
        raise ValueError(
            f"the template `{website.template}` needs `payloads: [{', '.join(wanted)}]`, one for each button"
        )
    for language, body in template.languages.items():
        if len(template.buttons.get(language, ())) != len(template.payloads):
            raise ValueError(f"the template `{website.template}` needs one button for each payload in `{language}`")
        if set(re.findall(r"\{\{\s*(\w+)\s*\}\}", body)) - {"1"}:
            raise ValueError(f"the template `{website.template}` may hold {{{{1}}}} only, the purpose's title")


def content_hash(value: Any) -> str:
    """Hash by which an immutable text, flow or purpose is named in evidence: 32 hex digits of SHA-256 over UTF-8."""
    data = value if isinstance(value, bytes) else str(value).encode()
    return hashlib.sha256(data).hexdigest()[:32]


def purpose_hash(purpose: Purpose) -> str:
    """Names a purpose as declared: changing its words makes another one (privacy.md 3.3)."""
    return content_hash(purpose.model_dump_json())
