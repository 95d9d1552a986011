"""What may be sent to the API and what it answers: the shapes from which `openapi.json` is made and by which bodies are read.

Strict: no unknown key, no type turned into another, everything bounded. Whether what they name exists is asked elsewhere.
"""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

Reference = Annotated[
    str, Field(pattern=r"^[0-9a-f]{32}$", description="A person's reference: a random id that says nothing of them.")
]
Name = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.-]+$")]
Scope = Annotated[
    str,
    Field(max_length=64, pattern=r"^[A-Za-z0-9_.-]+$", description="`all`, `marketing` or a purpose of business.yaml."),
]
Whole = Annotated[int, Field(ge=-(2**53), le=2**53)]
Number = Annotated[float, Field(ge=-(2**53), le=2**53)]
Moment = Annotated[AwareDatetime, Field(description="RFC 3339 with the time zone; not in the future.")]


class Body(BaseModel):
    """Whatever comes in as JSON."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


class Who(Body):
    """A person, by reference or by address. A number never stands in an address line of HTTP, only in a body."""

    subject: Reference | None = None
    address: str | None = Field(
        default=None,
        min_length=3,
        max_length=140,
        repr=False,
        description="Number with + and country code, or a WhatsApp user id.",
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.subject is None) == (self.address is None):
            raise ValueError("give one of subject and address")
        return self


class OptIn(Body):
    """A box that somebody ticked on the business's own website: the first half of a double opt-in, with its evidence."""

    number: str = Field(
        min_length=5, max_length=64, repr=False, description="The number typed there, with + and country code."
    )
    purposes: list[Name] = Field(
        min_length=1, max_length=10, description="Purposes, each of which had a box of its own."
    )
    language: str = Field(min_length=2, max_length=10, description="The language of the page.")
    wording: str = Field(min_length=20, max_length=8000, repr=False, description="The exact words the person saw.")
    label: str = Field(min_length=3, max_length=1000, repr=False, description="The exact words beside the box.")
    page: str = Field(
        max_length=200, pattern=r"^https://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?$",
        description="The page it stood on: https, without a query.",
    )  # fmt: skip


class Withdrawal(Who):
    scope: Scope = "all"


class Message(Who):
    """A template, or within 24 hours of the person's last message a text. Both serve a purpose and pass the gate."""

    purpose: Name
    template: Name | None = None
    values: list[Annotated[str, Field(max_length=1024, pattern=r"^[^\n\t]*\S[^\n\t]*$")]] = Field(
        default_factory=list, max_length=20, repr=False, description="The template's values, in order; one line each."
    )
    text: str | None = Field(default=None, max_length=3500, pattern=r"\S", repr=False)

    @model_validator(mode="after")
    def _template_or_text(self) -> Self:
        if (self.template is None) == (self.text is None):
            raise ValueError("give one of template and text")
        if self.text is not None and self.values:
            raise ValueError("values belong to a template")
        return self


class FlowStart(Who):
    flow: Name
    inputs: dict[Name, Annotated[str, Field(max_length=1024)] | bool | Whole | Number] = Field(
        default_factory=dict, max_length=20, repr=False
    )


Kind = Literal["access", "erase", "rectify", "restrict", "object", "complaint"]


class NewRequest(Who):
    """A request that came by letter, by telephone or at the counter; the clock runs from the day it came."""

    kind: Kind
    received_at: Moment | None = None


Step = Literal["understand", "dismiss", "wait", "go-on", "extend", "answer", "refuse", "cancel"]


class Move(Body):
    step: Step
    because: str = Field(
        default="", max_length=200, description="Why; needed to extend and to refuse. Name nobody: it stays on record."
    )


class Right(Who):
    received_at: Moment | None = Field(default=None, description="When the person asked, where it was not now.")


class Objection(Right):
    scope: Scope = "marketing"


class Rectification(Right):
    language: str = Field(min_length=2, max_length=10, description="One of those business.yaml offers.")


# -- answers --------------------------------------------------------------------------------------------------------------


class Answer(BaseModel):
    """Whatever goes out as JSON."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Subject(Answer):
    subject: Reference


class Standing(Answer):
    """Where one purpose stands. `proof` is the id of the event in the consent ledger that says so."""

    purpose: str
    state: Literal[
        "unknown", "requested", "pending_confirmation", "given", "refused", "withdrawn", "expired", "invalidated"
    ]
    since: datetime | None
    valid_until: datetime | None
    proof: str


class Consents(Answer):
    """`stopped` names what the person wants no messages of: `all`, `marketing` or purposes. It outweighs a consent that is older."""

    subject: Reference
    purposes: list[Standing]
    stopped: list[str]
    restricted: bool


class Accepted(Answer):
    """It was taken in. The same for everybody, known or not."""

    status: Literal["accepted"] = "accepted"


class Queued(Answer):
    message: str = Field(description="Ask with it what became of the message.")
    status: Literal["queued"] = "queued"


class MessageStatus(Answer):
    """`refused`: the gate or Meta did not let it out, for `reason`."""

    message: str
    status: Literal["queued", "started", "accepted", "sent", "delivered", "read", "played", "failed", "refused"]
    reason: str = ""


class Started(Answer):
    status: Literal["started"] = "started"


class Request(Answer):
    request: str
    kind: str
    state: Literal["received", "unsure", "waiting", "extended", "answered", "refused", "cancelled"]
    law: str
    subject: str
    received_at: datetime
    due_at: datetime | None = Field(description="Null while the clock stands still.")
    overdue: bool
    closed_at: datetime | None


class Requests(Answer):
    requests: list[Request]


class Opened(Answer):
    """The request's id: of a new one, which stands in the register within a few seconds, or of the open one it was added to."""

    request: str
    status: Literal["accepted"] = "accepted"


class FieldError(Answer):
    field: str
    reason: str


class ProblemDetails(Answer):
    """RFC 9457."""

    type: str
    title: str
    status: int
    code: str
    reason: str = ""
    detail: str = ""
    errors: list[FieldError] = Field(default_factory=list)
