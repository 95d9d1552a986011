"""The schema of a flow file: what an author may write, verb by verb (flow-language.md).

Pydantic models that say what each key means; `recado flows schema` is made from them. A new verb is one class and its line
in `VERBS`; its behaviour is a module of `bot.engine.steps`.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from bot.domain.business import Duration, Part, YesNo

NAME = r"^[a-z][a-z0-9_]{0,63}$"

ValueType: TypeAlias = Literal[
    "text", "long_text", "number", "whole_number", "money", "yes_no", "date", "time", "datetime", "duration", "phone", "email",
    "choice", "choices", "location", "image", "document", "voice", "form", "list", "record", "reference",
]  # fmt: skip

CARRY_ON = "carry on"


def _steps(value: object) -> object:
    """`end` and other bare words are steps without details; one step may stand without a list."""
    if value == CARRY_ON or value is None:
        return []
    rows = value if isinstance(value, list) else [value]
    return [{row: None} if isinstance(row, str) else row for row in rows]


class StepBase(Part):
    id: str = Field(default="", pattern=r"^$|" + NAME, description="Name of this step, for `go`.")


class LinkButton(Part):
    label: str = Field(min_length=1, description="Text of the button, at most 20 characters.")
    to: str = Field(min_length=1, description="A link of business.yaml (`links.account`) or a field that holds one.")


class Say(StepBase):
    """Says something and goes on."""

    say: str = Field(min_length=1, description="The text.")
    link_button: LinkButton | None = None


class Option(Part):
    label: str = Field(min_length=1, description="What the button or row says.")
    words: tuple[str, ...] = Field(default=(), description="Other words people may write for it.")
    description: str = Field(default="", description="Second line of a list row.")
    when: str = Field(default="", description="Shown only if this condition holds.")
    then: "Steps" = Field(default=(), description="Steps to do when it is chosen.")
    run: str = Field(default="", description="Flow to run when it is chosen.")


def _option(value: object) -> object:
    return {"label": value} if isinstance(value, str) else value


Options: TypeAlias = Mapping[str, Annotated[Option, BeforeValidator(_option)]]


class Check(Part):
    rule: str = Field(min_length=1, description="A condition the answer must meet.")
    otherwise: str = Field(
        alias="else", min_length=1, description="What is said instead of the question when it does not."
    )


Outcomes: TypeAlias = Mapping[str, "Steps"]


class Ask(StepBase):
    """Asks one question and keeps the answer."""

    ask: str = Field(min_length=1, description="The question.")
    into: str = Field(default="", description="Field for the answer; its type says what is understood.")
    options: Options = Field(default_factory=dict, description="Answers to choose from: key to label.")
    hint: str = Field(default="", description="Added to the question, e.g. an example.")
    check: tuple[Check, ...] = Field(default=(), description="Rules for the answer.")
    explain: str = Field(default="", description="Said when an answer was not understood.")
    tries: int = Field(default=3, ge=1, le=10, description="How many answers may fail before `gave_up`.")
    known: Literal["ask", "skip"] = Field(default="ask", description="What to do when the field is known already.")
    optional: YesNo = Field(default=False, description="The person may skip it.")
    wait: Duration = Field(default=timedelta(hours=24), description="How long an answer is waited for.")
    outcomes: Outcomes = Field(default_factory=dict)


class Menu(StepBase):
    """Asks and branches in one; afterwards the flow goes on below unless the branch ended it."""

    menu: str = Field(min_length=1)
    options: Options = Field(min_length=1)
    explain: str = ""
    tries: int = Field(default=3, ge=1, le=10)
    wait: Duration = timedelta(hours=24)
    outcomes: Outcomes = Field(default_factory=dict)


class Case(Part):
    condition: str = Field(alias="if", min_length=1)
    then: "Steps"


class When(StepBase):
    """Goes one of several ways."""

    when: tuple[Case, ...] = Field(min_length=1)
    otherwise: "Steps" = Field(alias="else", description="What to do when no condition holds; may be `carry on`.")


class Match(StepBase):
    """Goes one of several ways by one value."""

    match: str = Field(min_length=1, description="The field to look at.")
    cases: Mapping[str, "Steps"] = Field(min_length=1)
    otherwise: "Steps" = Field(alias="else")


class Set(StepBase):
    """Gives fields values: sums, texts, `clear: [fields]`, `count up: field`, `add to`/`remove from`: {list: value}."""

    set: Mapping[str, Any] = Field(min_length=1)


class Call(StepBase):
    """Asks one of the business's systems."""

    call: str = Field(pattern=r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$", description="connector.action of business.yaml.")
    with_: Mapping[str, str] = Field(
        default_factory=dict, alias="with", description="Field the system wants to field of this flow."
    )
    save: Mapping[str, str] = Field(default_factory=dict, description="Field of this flow to field of the answer.")
    timeout: Duration | None = None
    retries: int | None = Field(default=None, ge=0, le=5)
    once_per: str = Field(default="", description="Field that makes a repeated call the same call.")
    outcomes: Outcomes = Field(default_factory=dict)


class Run(StepBase):
    """Runs another flow and comes back."""

    run: str = Field(pattern=NAME)
    with_: Mapping[str, Any] = Field(default_factory=dict, alias="with")
    save: Mapping[str, str] = Field(default_factory=dict, description="Field of this flow to field the other returns.")
    outcomes: Outcomes = Field(default_factory=dict)


class Go(StepBase):
    """Goes to a step of the same flow; backwards only a bounded number of times."""

    go: str = Field(pattern=NAME)
    at_most: int | None = Field(default=None, ge=1, le=20)
    outcomes: Outcomes = Field(default_factory=dict)


class Double(Part):
    """The second yes (double opt-in)."""

    ask: str = Field(min_length=1)
    yes_label: str = "Confirm"
    no_label: str = "No, thanks"
    wait: Duration = timedelta(hours=48)


class ConsentStep(StepBase):
    """Asks for a consent and records it with its exact words (GDPR art. 7)."""

    consent: str = Field(pattern=NAME, description="One purpose of business.yaml.")
    ask: str = Field(
        min_length=1, description="The question: names the business, the purpose, how often, and the way out."
    )
    yes_label: str = "Yes, please"
    no_label: str = "No, thanks"
    double: Double | None = None
    notice: str = Field(default="main", description="The notice that must have been shown before.")
    wait: Duration = timedelta(hours=24)
    outcomes: Outcomes = Field(default_factory=dict)


class Withdraw(StepBase):
    """Withdraws a consent at once (GDPR art. 7(3))."""

    withdraw: str = Field(pattern=NAME, description="A purpose, `marketing` or `all`.")


class MyData(StepBase):
    """A right of the person over their data (GDPR art. 15-17)."""

    my_data: Literal["show", "file", "consents", "dropped", "correct", "restrict", "object", "complaint", "delete"]
    ask: str = Field(default="", description="For delete: the first question.")
    confirm: str = Field(default="", description="For delete: the second question.")
    yes_label: str = ""
    confirm_label: str = ""
    no_label: str = ""
    begun: str = Field(default="", description="For delete: said at once, while the receipt is on its way.")
    receipt: str = Field(default="", description="For delete: said when everything is gone; holds no data.")
    wait: Duration = timedelta(hours=1)
    outcomes: Outcomes = Field(default_factory=dict)


class HandoffTexts(Part):
    queued: str = ""
    took_over: str = ""
    ended: str = ""
    nobody: str = ""
    closed: str = ""


class Handoff(StepBase):
    """Passes the chat to a person."""

    handoff: "HandoffDetails"
    outcomes: Outcomes = Field(default_factory=dict)


class HandoffDetails(Part):
    team: str = Field(pattern=NAME)
    about: str = ""
    share: tuple[str, ...] = Field(default=(), description="The only fields that reach the agent.")
    urgent: str | bool = False
    wait: Duration | None = None
    silent_after: Duration | None = None
    texts: HandoffTexts = HandoffTexts()


class SendStep(StepBase):
    """Sends a template; the gate decides whether it may go out."""

    send: str = Field(pattern=NAME)
    with_: tuple[str, ...] = Field(default=(), alias="with")
    purpose: str = ""
    outcomes: Outcomes = Field(default_factory=dict)


class End(StepBase):
    """Ends the flow."""

    end: str | None = Field(default=None, description="A last text, or nothing.")
    returns: Mapping[str, str] = Field(default_factory=dict)


class NoticeStep(StepBase):
    """Shows the privacy notice and records that it was shown (GDPR art. 13); only under flows/privacy/."""

    notice: str | None = None


class StopStep(StepBase):
    """The effect of a STOP (GDPR art. 7(3), 21(3)); only under flows/privacy/."""

    stop: Literal["all", "marketing", "asked", "resume"] | None = None


class RenewStep(StepBase):
    """Asks whether a consent that ends soon goes on (GDPR art. 7; EDPB 05/2020); only under flows/privacy/."""

    renew: Literal["asked"] = Field(description="The purpose that the flow was opened for.")
    ask: str = Field(min_length=1, description="The question, with the full information again.")
    yes_label: str = "Yes, go on"
    no_label: str = "No, end it now"
    wait: Duration = timedelta(days=7)
    outcomes: Outcomes = Field(default_factory=dict)


VERBS: dict[str, type[StepBase]] = {
    "say": Say, "ask": Ask, "menu": Menu, "when": When, "match": Match, "set": Set, "call": Call, "run": Run, "go": Go,
    "consent": ConsentStep, "withdraw": Withdraw, "my_data": MyData, "handoff": Handoff, "send": SendStep, "end": End,
    "notice": NoticeStep, "stop": StopStep, "renew": RenewStep,
}  # fmt: skip
PRIVACY_VERBS = frozenset({"notice", "stop", "renew"})

# The question of a consent is asked under `ask`, as a whole question step is; the verb is the key that says what it is for.
_RANK = {"consent": 0, "my_data": 0, "renew": 0}


def verb_of(value: object) -> str | None:
    """The verb of a step as written or read, or None; the model is chosen by it."""
    if isinstance(value, dict):
        found = [key for key in value if key in VERBS]
        return min(found, key=lambda key: (_RANK.get(key, 1), found.index(key)), default=None)
    return next((verb for verb, kind in VERBS.items() if type(value) is kind), None)


Step: TypeAlias = Annotated[
    Annotated[Say, Tag("say")]
    | Annotated[Ask, Tag("ask")]
    | Annotated[Menu, Tag("menu")]
    | Annotated[When, Tag("when")]
    | Annotated[Match, Tag("match")]
    | Annotated[Set, Tag("set")]
    | Annotated[Call, Tag("call")]
    | Annotated[Run, Tag("run")]
    | Annotated[Go, Tag("go")]
    | Annotated[ConsentStep, Tag("consent")]
    | Annotated[Withdraw, Tag("withdraw")]
    | Annotated[MyData, Tag("my_data")]
    | Annotated[Handoff, Tag("handoff")]
    | Annotated[SendStep, Tag("send")]
    | Annotated[End, Tag("end")]
    | Annotated[NoticeStep, Tag("notice")]
    | Annotated[StopStep, Tag("stop")]
    | Annotated[RenewStep, Tag("renew")],
    Discriminator(verb_of, custom_error_type="unknown_verb", custom_error_message="no known verb"),
]
Steps: TypeAlias = Annotated[tuple[Step, ...], BeforeValidator(_steps)]


class DataField(Part):
    """One value the flow keeps while it runs."""

    type: ValueType
    purpose: str = Field(default="", description="Purpose it is kept for; the flow's own where left out.")
    keep: str = Field(
        default="until_end", description="How long: until_end, until_withdrawn or a length such as `30 days`."
    )
    sensitive: YesNo = Field(default=False, description="Never shown, shared or noted.")
    about: Literal["me", "someone_else"] = "me"
    options: Mapping[str, str] | tuple[str, ...] = Field(default=())
    optional: YesNo = False
    pattern: str = Field(default="", description="Named pattern of business.yaml the answer must match.")
    expects: Literal["any", "future", "past"] = Field(
        default="any", description="Which days and moments are asked for; decides what `Friday` can mean."
    )
    min: str | int | float | None = Field(
        default=None, description="The least: a number, a length, a time, or a day such as `today plus 2 days`."
    )
    max: str | int | float | None = Field(default=None, description="The most, written as `min`.")
    default: Any = None


class Input(Part):
    type: ValueType
    optional: YesNo = False


class Start(Part):
    """One way into a flow."""

    words: tuple[str, ...] = ()
    button: str = ""
    link: str = ""
    event: str = ""
    template_reply: str = ""

    @model_validator(mode="after")
    def _one(self) -> "Start":
        if sum(bool(getattr(self, name)) for name in type(self).model_fields) != 1:
            raise ValueError("each start has exactly one of `words`, `button`, `link`, `event` or `template_reply`")
        return self


class Idle(Part):
    """What is done about somebody who does not answer."""

    after: Duration = Field(
        default=timedelta(hours=24), description="How long a question waits that has no `wait` of its own."
    )
    remind_after: Duration | None = Field(
        default=None, description="When the person is reminded once of an open question, while the window is open."
    )
    template: str = Field(default="", description="Template that reminds when the 24-hour window is closed by then.")
    then: Steps = Field(
        default=(), description="Steps to do after the silence, where a question has no `silent` outcome."
    )


class Flow(Part):
    """One conversation, read from top to bottom."""

    format: Literal[2] = Field(
        default=2, description="Format the file is written in; a file of an earlier one is read as it was meant."
    )
    flow: str = Field(pattern=NAME, description="Name of the flow.")
    title: str = Field(min_length=1, description="Shown to agents and in reports.")
    language: str = Field(default="en", description="Language the texts here are written in.")
    purpose: str = Field(default="", description="Purpose of business.yaml this flow serves.")
    starts: tuple[Start, ...] = ()
    only_if: str = ""
    needs_consent: tuple[str, ...] = ()
    interrupt: Literal["allow", "ask", "never"] = "ask"
    idle: Idle = Idle()
    inputs: Mapping[str, Input] = Field(default_factory=dict)
    returns: tuple[str, ...] = ()
    data: Mapping[str, DataField] = Field(default_factory=dict)
    renamed: Mapping[str, str] = Field(default_factory=dict)
    steps: Steps = Field(min_length=1)


for _model in (Option, Case, When, Match, Ask, Menu, Call, Run, Go, ConsentStep, MyData, Handoff, SendStep, Flow):
    _model.model_rebuild()
