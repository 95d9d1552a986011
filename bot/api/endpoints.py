"""Every endpoint of the API in one table: from it the routes are served and `openapi.json` is written, so that neither has more.

Each handler turns a call into one operation and its answer; what an operation does is behind the port.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel

from bot.api import bodies
from bot.api.ports import Operations
from bot.api.problems import Problem

BASE = "/api/v1"

REFERENCE = "[0-9a-f]{32}"
MESSAGE = f"{REFERENCE}-{REFERENCE}"
STATES = ("open", "received", "unsure", "waiting", "extended", "answered", "refused", "cancelled", "all")

B = TypeVar("B", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Call:
    """One request that passed the door. `once` names it: the same again is the same."""

    path: Mapping[str, str]
    query: Mapping[str, str]
    body: BaseModel | None = field(default=None, repr=False)
    once: str = ""

    def sent(self, kind: type[B]) -> B:
        """The body, of the kind the endpoint declares."""
        if not isinstance(self.body, kind):
            raise Problem("invalid")
        return self.body


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered. `subject` is whose data it shows; empty for a list or for none."""

    content: BaseModel | bytes = field(repr=False)
    subject: str = ""


Handler = Callable[[Operations, Call], Awaitable[Reply]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of one path below `BASE`.

    Attributes:
        variables: names in the path with the pattern each must match.
        query: names of the query with the values each may have.
        personal: it reads personal data: a reason must be given, and the log notes it.
        problems: codes it may answer with beside those of every endpoint.
    """

    method: str
    path: str
    scope: str
    summary: str
    handler: Handler
    answer: type[BaseModel] | None
    body: type[BaseModel] | None = None
    status: int = 200
    variables: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    personal: bool = False
    problems: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """How the log and `operationId` call it."""
        return f"{self.method} {self.path}"

    @property
    def changes(self) -> bool:
        """Whether its answer is kept for its `Idempotency-Key`; what only reads is read anew."""
        return self.method == "POST" and not self.personal


# -- handlers -------------------------------------------------------------------------------------------------------------


async def _lookup(do: Operations, call: Call) -> Reply:
    found = await do.reference(call.sent(bodies.Who))
    return Reply(bodies.Subject(subject=found), found)


async def _consents(do: Operations, call: Call) -> Reply:
    subject = call.path["subject"]
    return Reply(await do.consents(subject), subject)


async def _opt_in(do: Operations, call: Call) -> Reply:
    await do.opt_in(call.sent(bodies.OptIn), call.once)
    return Reply(bodies.Accepted())


async def _withdraw(do: Operations, call: Call) -> Reply:
    await do.withdraw(call.sent(bodies.Withdrawal), call.once)
    return Reply(bodies.Accepted())


async def _send(do: Operations, call: Call) -> Reply:
    return Reply(await do.send(call.sent(bodies.Message), call.once))


async def _message(do: Operations, call: Call) -> Reply:
    message = call.path["message"]
    return Reply(await do.message(message), message.partition("-")[0])


async def _start(do: Operations, call: Call) -> Reply:
    await do.start_flow(call.sent(bodies.FlowStart), call.once)
    return Reply(bodies.Started())


async def _requests(do: Operations, call: Call) -> Reply:
    found = await do.requests(call.query.get("state", "open"))
    return Reply(bodies.Requests(requests=list(found)))


async def _request(do: Operations, call: Call) -> Reply:
    found = await do.request(call.path["request"])
    return Reply(found, found.subject)


async def _open(do: Operations, call: Call) -> Reply:
    return Reply(await do.open_request(call.sent(bodies.NewRequest), call.once))


async def _move(do: Operations, call: Call) -> Reply:
    return Reply(await do.move(call.path["request"], call.sent(bodies.Move)))


async def _export(do: Operations, call: Call) -> Reply:
    asked = call.sent(bodies.Right)
    subject = await do.reference(asked)
    return Reply(await do.export(asked, call.once), subject)


def _right(right: str, body: type[bodies.Right]) -> Handler:
    async def exercise(do: Operations, call: Call) -> Reply:
        return Reply(await do.exercise(right, call.sent(body), call.once))

    return exercise


_NOBODY = ("no_person",)
_SUBJECT, _REQUEST = {"subject": REFERENCE}, {"request": REFERENCE}

ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("POST", "/subjects/lookup", "subjects:read", "Find the reference of a person by number or user id.", _lookup,
             bodies.Subject, bodies.Who, personal=True, problems=_NOBODY),
    Endpoint("GET", "/subjects/{subject}/consents", "consents:read", "Where each purpose stands with a person, and what they stopped.",
             _consents, bodies.Consents, variables=_SUBJECT, personal=True, problems=_NOBODY),
    Endpoint("POST", "/opt-ins", "opt-ins:write", "Ask on WhatsApp for the second yes to a box that was ticked on a website.", _opt_in,
             bodies.Accepted, bodies.OptIn, status=202, problems=("not_offered",)),
    Endpoint("POST", "/withdrawals", "withdrawals:write", "Withdraw a purpose or all, at once, as a STOP in the chat does.", _withdraw,
             bodies.Accepted, bodies.Withdrawal, status=202, problems=_NOBODY),
    Endpoint("POST", "/messages", "messages:send", "Put a message into a conversation, through the gate.", _send, bodies.Queued,
             bodies.Message, status=202, problems=("no_person", "refused", "not_offered")),
    Endpoint("GET", "/messages/{message}", "messages:read", "What became of a message.", _message, bodies.MessageStatus,
             variables={"message": MESSAGE}, personal=True),
    Endpoint("POST", "/flows", "flows:start", "Start a flow with a person.", _start, bodies.Started, bodies.FlowStart, status=202,
             problems=("no_person", "refused", "not_offered")),
    Endpoint("GET", "/requests", "requests:read", "The requests of data subjects, the one due first before the others.", _requests,
             bodies.Requests, query={"state": STATES}, personal=True),
    Endpoint("POST", "/requests", "requests:write", "Open a request that came another way; its clock runs from the day it came.", _open,
             bodies.Opened, bodies.NewRequest, status=202, problems=_NOBODY),
    Endpoint("GET", "/requests/{request}", "requests:read", "One request with its clock.", _request, bodies.Request,
             variables=_REQUEST, personal=True),
    Endpoint("POST", "/requests/{request}/moves", "requests:write", "Write down how a request went on.", _move, bodies.Request,
             bodies.Move, variables=_REQUEST, problems=("impossible",)),
    Endpoint("POST", "/rights/export", "rights:export", "Everything that is stored about a person, as a ZIP.", _export, None,
             bodies.Right, personal=True, problems=_NOBODY),
    Endpoint("POST", "/rights/erase", "rights:write", "Delete everything about a person.", _right("erase", bodies.Right), bodies.Opened,
             bodies.Right, status=202, problems=_NOBODY),
    Endpoint("POST", "/rights/restrict", "rights:write", "Restrict the use of a person's data.", _right("restrict", bodies.Right),
             bodies.Opened, bodies.Right, status=202, problems=_NOBODY),
    Endpoint("POST", "/rights/lift", "rights:write", "End a restriction; tell the person before.", _right("unrestrict", bodies.Right),
             bodies.Opened, bodies.Right, status=202, problems=_NOBODY),
    Endpoint("POST", "/rights/object", "rights:write", "Enter an objection.", _right("object", bodies.Objection), bodies.Opened,
             bodies.Objection, status=202, problems=_NOBODY),
    Endpoint("POST", "/rights/rectify", "rights:write", "Correct the language of a person.", _right("rectify", bodies.Rectification),
             bodies.Opened, bodies.Rectification, status=202, problems=("no_person", "not_offered")),
)  # fmt: skip
"""All of them; `openapi.json` itself stands beside the table because it needs no key."""


def answer_of(endpoint: Endpoint) -> dict[str, Any]:
    """Media type and schema name of what it answers with."""
    if endpoint.answer is None:
        return {"application/zip": {"schema": {"type": "string", "contentMediaType": "application/zip"}}}
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{endpoint.answer.__name__}"}}}
