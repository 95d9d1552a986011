"""The schema of a flow file: what an author may write, verb by verb (flow-language.md).

Pydantic models that say what each key means; `recado flows schema` is made from them. A new verb is one class and its line
in `VERBS`; its behaviour is a module of `bot.engine.steps`.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Final, Literal, TypeAlias

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

    say: str = Field(min_length=1, description="What is said, in the language of the file.")
    link_button: LinkButton | None = Field(default=None, description="A button below the text that opens a page.")


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

OUTCOMES_OF: Final = (
    "Outcome to the steps that are done when it comes to that; then the flow goes on below unless they end it."
)
YES_SAYS, NO_SAYS = (
    "What the button for yes says, at most 20 characters.",
    "What the button for no says, at most 20 characters.",
)
WAITED: Final = "How long an answer is waited for before `silent`."


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
    outcomes: Outcomes = Field(default_factory=dict, description=OUTCOMES_OF)


class Menu(StepBase):
    """Asks and branches in one; afterwards the flow goes on below unless the branch ended it."""

    menu: str = Field(min_length=1, description="The question.")
    options: Options = Field(min_length=1, description="Answers to choose from: key to label.")
    explain: str = Field(default="", description="Said when an answer was none of the options.")
    tries: int = Field(default=3, ge=1, le=10, description="How many answers may fail before `gave_up`.")
    wait: Duration = Field(default=timedelta(hours=24), description=WAITED)
    outcomes: Outcomes = Field(default_factory=dict, description=OUTCOMES_OF)


class Case(Part):
    condition: str = Field(alias="if", min_length=1, description="A condition in words: `size is more than 3`.")
    then: "Steps" = Field(description="Steps to do where it is the first that holds.")


class When(StepBase):
    """Goes one of several ways."""

    when: tuple[Case, ...] = Field(
        min_length=1, description="Conditions with their steps; the first that holds counts."
    )
    otherwise: "Steps" = Field(alias="else", description="What to do when no condition holds; may be `carry on`.")


class Match(StepBase):
    """Goes one of several ways by one value."""

    match: str = Field(min_length=1, description="The field to look at.")
    cases: Mapping[str, "Steps"] = Field(min_length=1, description="Value to the steps to do for it.")
    otherwise: "Steps" = Field(alias="else", description="What to do for any other value; may be `carry on`.")


class Set(StepBase):
    """Gives fields values: sums, texts, `clear: [fields]`, `count up: field`, `add to`/`remove from`: {list: value}."""

    set: Mapping[str, Any] = Field(min_length=1, description="Field to its new value: a sum, a text or another field.")


class Call(StepBase):
    """Asks one of the business's systems."""

    call: str = Field(pattern=r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$", description="connector.action of business.yaml.")
    with_: Mapping[str, str] = Field(
        default_factory=dict, alias="with", description="Field the system wants to field of this flow."
    )
    save: Mapping[str, str] = Field(default_factory=dict, description="Field of this flow to field of the answer.")
    timeout: Duration | None = Field(
        default=None, description="How long an answer is waited for; else as business.yaml says."
    )
    retries: int | None = Field(
        default=None, ge=0, le=5, description="How often it is tried again; else as business.yaml says."
    )
    once_per: str = Field(default="", description="Field that makes a repeated call the same call.")
    outcomes: Outcomes = Field(default_factory=dict, description=OUTCOMES_OF)


class Run(StepBase):
    """Runs another flow and comes back."""

    run: str = Field(pattern=NAME, description="Name of the other flow.")
    with_: Mapping[str, Any] = Field(
        default_factory=dict, alias="with", description="Input of the other flow to a field or value of this one."
    )
    save: Mapping[str, str] = Field(default_factory=dict, description="Field of this flow to field the other returns.")
    outcomes: Outcomes = Field(default_factory=dict, description=OUTCOMES_OF)


class Go(StepBase):
    """Goes to a step of the same flow; backwards only a bounded number of times."""

    go: str = Field(pattern=NAME, description="The `id` of a step of this flow.")
    at_most: int | None = Field(default=None, ge=1, le=20, description="How often one may go back; then `too_often`.")
    outcomes: Outcomes = Field(default_factory=dict, description=OUTCOMES_OF)


class Double(Part):
    """The second yes (double opt-in)."""

    ask: str = Field(min_length=1, description="The second question.")
    yes_label: str = Field(default="Confirm", description=YES_SAYS)
    no_label: str = Field(default="No, thanks", description=NO_SAYS)
    wait: Duration = Field(default=timedelta(hours=48), description=WAITED)


class ConsentStep(StepBase):
    """Asks for a consent and records it with its exact words (GDPR art. 7)."""

    consent: str = Field(pattern=NAME, description="One purpose of business.yaml.")
    ask: str = Field(
        min_length=1, description="The question: names the business, the purpose, how often, and the way out."
    )
    yes_label: str = Field(default="Yes, please", description=YES_SAYS)
    no_label: str = Field(default="No, thanks", description=NO_SAYS)
    double: Double | None = Field(default=None, description="The second yes, where the purpose needs one.")
    notice: str = Field(default="main", description="The notice that must have been shown before.")
    wait: Duration = Field(default=timedelta(hours=24), description=WAITED)
    outcomes: Outcomes = Field(default_factory=dict, description=OUTCOMES_OF)


class Withdraw(StepBase):
    """Withdraws a consent at once (GDPR art. 7(3))."""

    withdraw: str = Field(pattern=NAME, description="A purpose, `marketing` or `all`.")


class MyData(StepBase):
    """A right of the person over their data (GDPR art. 15-17)."""

    my_data: Literal["show", "file", "consents", "dropped", "correct", "restrict", "object", "complaint", "delete"] = (
        Field(description="Which right: to see, get, correct, restrict, object, complain or delete.")
    )
    ask: str = Field(default="", description="For delete: the first question.")
    confirm: str = Field(default="", description="For delete: the second question.")
    yes_label: str = Field(default="", description=YES_SAYS)
    confirm_label: str = Field(default="", description="For delete: what the button of the second yes says.")
    no_label: str = Field(default="", description=NO_SAYS)
    begun: str = Field(default="", description="For delete: said at once, while the receipt is on its way.")
    receipt: str = Field(default="", description="For delete: said when everything is gone; holds no data.")
    wait: Duration = Field(default=timedelta(hours=1), description=WAITED)
    outcomes: Outcomes = Field(default_factory=dict, description=OUTCOMES_OF)


class HandoffTexts(Part):
    queued: str = Field(default="", description="Said when the person waits; may say `{place}`.")
    took_over: str = Field(default="", description="Said when somebody has taken the chat; may say `{agent}`.")
    ended: str = Field(default="", description="Said when the assistant answers again.")
    nobody: str = Field(default="", description="Said when nobody came in time.")
    closed: str = Field(default="", description="Said when the team is not at work.")


class Handoff(StepBase):
    """Passes the chat to a person."""

    handoff: "HandoffDetails" = Field(description="Whom the chat goes to, and what they are told.")
    outcomes: Outcomes = Field(default_factory=dict, description=OUTCOMES_OF)


class HandoffDetails(Part):
    team: str = Field(pattern=NAME, description="A team of business.yaml.")
    about: str = Field(default="", description="What it is about, in one line for the agent.")
    share: tuple[str, ...] = Field(default=(), description="The only fields that reach the agent.")
    urgent: str | bool = Field(default=False, description="Whether it goes before others: `yes`, or a yes/no field.")
    wait: Duration | None = Field(default=None, description="How long somebody is waited for before `nobody`.")
    silent_after: Duration | None = Field(
        default=None, description="How long an agent may leave a message unanswered before `agent_silent`."
    )
    texts: HandoffTexts = Field(default=HandoffTexts(), description="What the person is told meanwhile.")


class SendStep(StepBase):
    """Sends a template; the gate decides whether it may go out."""

    send: str = Field(pattern=NAME, description="A template of business.yaml.")
    with_: tuple[str, ...] = Field(default=(), alias="with", description="Fields for its values, in their order.")
    purpose: str = Field(default="", description="Purpose it is sent for; else that of the template.")
    outcomes: Outcomes = Field(default_factory=dict, description=OUTCOMES_OF)


class End(StepBase):
    """Ends the flow."""

    end: str | None = Field(default=None, description="A last text, or nothing.")
    returns: Mapping[str, str] = Field(
        default_factory=dict, description="Name the flow that ran this one may `save` to a field of this one."
    )


class NoticeStep(StepBase):
    """Shows the privacy notice and records that it was shown (GDPR art. 13); only under flows/privacy/."""

    notice: str | None = Field(default=None, description="Stands alone; the notice is the one of business.yaml.")


class StopStep(StepBase):
    """The effect of a STOP (GDPR art. 7(3), 21(3)); only under flows/privacy/."""

    stop: Literal["all", "marketing", "asked", "resume"] | None = Field(
        default=None, description="What is stopped, or that messages may come again."
    )


class RenewStep(StepBase):
    """Asks whether a consent that ends soon goes on (GDPR art. 7; EDPB 05/2020); only under flows/privacy/."""

    renew: Literal["asked"] = Field(description="The purpose that the flow was opened for.")
    ask: str = Field(min_length=1, description="The question, with the full information again.")
    yes_label: str = Field(default="Yes, go on", description=YES_SAYS)
    no_label: str = Field(default="No, end it now", description=NO_SAYS)
    wait: Duration = Field(default=timedelta(days=7), description=WAITED)
    outcomes: Outcomes = Field(default_factory=dict, description=OUTCOMES_OF)


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

    type: ValueType = Field(description="What kind of value it is; decides what is understood as an answer.")
    purpose: str = Field(default="", description="Purpose it is kept for; the flow's own where left out.")
    keep: str = Field(
        default="until_end", description="How long: until_end, until_withdrawn or a length such as `30 days`."
    )
    sensitive: YesNo = Field(default=False, description="Never shown, shared or noted.")
    about: Literal["me", "someone_else"] = Field(
        default="me", description="Whether it is about the person or somebody else (GDPR art. 14)."
    )
    options: Mapping[str, str] | tuple[str, ...] = Field(
        default=(), description="For a choice: key to label, or the keys."
    )
    optional: YesNo = Field(default=False, description="It may stay without a value.")
    pattern: str = Field(default="", description="Named pattern of business.yaml the answer must match.")
    expects: Literal["any", "future", "past"] = Field(
        default="any", description="Which days and moments are asked for; decides what `Friday` can mean."
    )
    min: str | int | float | None = Field(
        default=None, description="The least: a number, a length, a time, or a day such as `today plus 2 days`."
    )
    max: str | int | float | None = Field(default=None, description="The most, written as `min`.")
    default: Any = Field(default=None, description="The value it begins with.")


class Input(Part):
    type: ValueType = Field(description="What kind of value it is.")
    optional: YesNo = Field(default=False, description="It may be left out.")


class Start(Part):
    """One way into a flow."""

    words: tuple[str, ...] = Field(
        default=(), description="What people write, in the language of the file; translated as texts are."
    )
    button: str = Field(default="", description="What a button of ours sends.")
    link: str = Field(default="", description="The word a wa.me link begins the chat with.")
    event: str = Field(default="", description="A happening the business's system tells of.")
    template_reply: str = Field(default="", description="What the quick reply of a template sends.")

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
    starts: tuple[Start, ...] = Field(default=(), description="Ways in; none for a flow that others run.")
    only_if: str = Field(default="", description="Condition without which the flow does not begin.")
    needs_consent: tuple[str, ...] = Field(default=(), description="Purposes that must be agreed to before it begins.")
    interrupt: Literal["allow", "ask", "never"] = Field(
        default="ask",
        description="What the start word of another flow does in the middle: turn to it, ask before, or nothing.",
    )
    idle: Idle = Field(default=Idle(), description="Silence: who is reminded when, and what is done after it.")
    inputs: Mapping[str, Input] = Field(default_factory=dict, description="What another flow gives it: name to type.")
    returns: tuple[str, ...] = Field(default=(), description="Fields the flow that ran it may `save`.")
    data: Mapping[str, DataField] = Field(
        default_factory=dict, description="The values it keeps while it runs: name to field."
    )
    renamed: Mapping[str, str] = Field(
        default_factory=dict,
        description="Old to new name of steps, fields and options, for people in an older version.",
    )
    steps: Steps = Field(min_length=1, description="What happens, from top to bottom.")


for _model in (Option, Case, When, Match, Ask, Menu, Call, Run, Go, ConsentStep, MyData, Handoff, SendStep, Flow):
    _model.model_rebuild()
