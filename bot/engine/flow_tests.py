"""The schema of a tests file (flow-language.md, "Tests file"): what is given, what is said, what must come of it.

A file holds one test, or a list of them. Reading only; `bot.engine.flow_trial` plays them.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator, Field, model_validator

from bot.domain.business import Part, YesNo, duration
from bot.engine.loader import validated
from bot.engine.reading import Path, Source, read

FOLDER = "tests/"


def _moment(value: object) -> object:
    """`2026-11-23 10:00` in the business's time zone. Raises `ValueError` saying how to write it."""
    try:
        return datetime.strptime(str(value), "%Y-%m-%d %H:%M")  # noqa: DTZ007 - the trial puts the zone to it
    except ValueError:
        raise ValueError("write a moment in quotes as `2026-11-23 10:00`") from None


def _ahead(value: object) -> object:
    """`+3 hours`. Raises `ValueError` saying how to write it."""
    return duration(str(value).strip().removeprefix("+").strip())


def _said(value: object) -> object:
    return value if isinstance(value, dict) else {"words": str(value)}


def _heard(value: object) -> object:
    return value if isinstance(value, dict) else {"contains": str(value)}


def _listed(value: object) -> object:
    return value if isinstance(value, list | tuple) else [value]


class Stub(Part):
    """What a connector action answers."""

    outcome: str = Field(default="ok", description="ok, not_found, refused, failed or slow.")
    values: Mapping[str, Any] = Field(default_factory=dict, description="Fields of the answer, for ok.")


class Given(Part):
    """How things stand before the first word."""

    clock: Annotated[datetime, BeforeValidator(_moment, json_schema_input_type=str)] = datetime(2026, 11, 23, 10)  # noqa: DTZ001
    language: str = Field(default="", description="Language of the person; the business's own where left out.")
    country: str = Field(default="", description="Country of the person's number, two letters.")
    new: YesNo = Field(default=False, description="The person has never written and has not seen the notice.")
    consents: Mapping[str, Literal["given", "withdrawn", "refused"]] = Field(default_factory=dict)
    fields: Mapping[str, Any] = Field(
        default_factory=dict, description="Values the flow begins with; it is started at once."
    )
    stubs: Mapping[str, Annotated[tuple[Stub, ...], BeforeValidator(_listed)]] = Field(
        default_factory=dict, description="connector.action to its answers, in order; the last one stays."
    )


class User(Part):
    """What the person does."""

    words: str = ""
    in_: Mapping[str, str] = Field(
        default_factory=dict, alias="in", description="Language to these words in it, where no catalog knows them."
    )
    button: str = Field(default="", description="The title of the newest button or row that says this.")
    kind: str = Field(default="text", description="text, image, audio, sticker, reaction...")


class Bot(Part):
    """The next message that fits."""

    contains: str = ""
    text: str = Field(default="", description="The whole text.")
    buttons: tuple[str, ...] | None = Field(default=None, description="The titles of all buttons or rows, in order.")
    template: str = ""

    @model_validator(mode="after")
    def _something(self) -> "Bot":
        if not (self.contains or self.text or self.template or self.buttons):
            raise ValueError("say what the message `contains`, its whole `text`, its `buttons` or its `template`")
        return self


class ConsentWanted(Part):
    purpose: str
    state: str
    evidence: tuple[str, ...] = Field(default=(), description="Parts of the record that must be there.")


class HandoffWanted(Part):
    team: str
    shared: tuple[str, ...] | None = Field(default=None, description="Exactly these fields reached the agent.")


class CalledWanted(Part):
    action: str
    with_: Mapping[str, Any] | None = Field(default=None, alias="with")
    times: int | None = None


class Expect(Part):
    """What must hold now. `messages_sent`, `sent`, `handoff` and `called` look at what came since the last thing that happened."""

    field: Mapping[str, Any] | None = None
    step: str | None = Field(default=None, description="Step that waits, or `none`.")
    flow: str | None = Field(default=None, description="Innermost open flow, or `none`.")
    sent: str | None = Field(default=None, description="A template that was sent.")
    not_sent: str | None = Field(default=None, description="A template that was not, or `any_template`.")
    messages_sent: int | None = None
    consent: ConsentWanted | None = None
    handoff: HandoffWanted | None = None
    called: CalledWanted | None = None
    request: str | None = Field(
        default=None, description="A data subject's request that was opened: access, erase, rectify..."
    )
    suppressed: str | None = Field(default=None, description="A scope that is stopped: all, marketing or a purpose.")
    stored: tuple[str, ...] = Field(default=(), description="Fields that have a value.")
    not_stored: tuple[str, ...] = Field(default=(), description="Fields that have none.")
    log_has_no: tuple[str, ...] = Field(
        default=(),
        description="Fields whose values, or `text` for the person's words, stand in nothing that is not encrypted.",
    )
    language: str | None = None
    erasing: YesNo | None = None


class Began(Part):
    """A flow somebody of the business started."""

    flow: str
    with_: Mapping[str, Any] = Field(default_factory=dict, alias="with")


class Line(Part):
    """One line of a talk: exactly one of these."""

    user: Annotated[User, BeforeValidator(_said)] | None = None
    bot: Annotated[Bot, BeforeValidator(_heard)] | None = None
    expect: Expect | None = None
    clock: Annotated[timedelta, BeforeValidator(_ahead, json_schema_input_type=str)] | None = None
    duplicate: Literal["last"] | None = Field(default=None, description="The same webhook comes once more.")
    restart: YesNo | None = Field(
        default=None, description="The worker dies: the conversation is read back from storage."
    )
    start: (
        Annotated[Began, BeforeValidator(lambda value: value if isinstance(value, dict) else {"flow": value})] | None
    ) = None
    agent: str | None = Field(default=None, description="The ticket moves: resolved, agent_silent, left...")

    @model_validator(mode="after")
    def _one(self) -> "Line":
        if sum(getattr(self, name) is not None for name in type(self).model_fields) != 1:
            raise ValueError(
                "each line has exactly one of `user`, `bot`, `expect`, `clock`, `duplicate`, `restart`, `start`, `agent`"
            )
        return self


class FlowTest(Part):
    """One conversation and what must come of it."""

    test: str = Field(min_length=1, description="What is shown, as a sentence.")
    flow: str
    given: Given = Given()
    talk: tuple[Line, ...] = Field(min_length=1)


class _File(Part):
    tests: tuple[FlowTest, ...]


ReadTest: TypeAlias = tuple[FlowTest, Source, Path]


def read_tests(name: str, content: bytes) -> tuple[list[ReadTest], Source]:
    """The tests of one file, each with the path of its lines. What is wrong stands in the source's problems; never raises."""
    source = read(name, content)
    if source.data is None or source.problems:
        return [], source
    many = isinstance(source.data, list)
    if many:  # a list is read under the key its parts are located by
        for table in (source.places, source.keys):
            for path, place in list(table.items()):
                table["tests", *path] = place
        source.data = {"tests": source.data}
        file = validated(_File, source)
        return [(one, source, ("tests", index)) for index, one in enumerate(file.tests if file else ())], source
    one = validated(FlowTest, source)
    return ([(one, source, ())] if one is not None else []), source
