"""Meta's error object and the faults a test asks for. Pure values; the routes raise and answer them."""

from dataclasses import dataclass
from typing import Any

TITLES: dict[int, str] = {
    0: "AuthException",
    1: "API Unknown",
    2: "API Service",
    3: "API Method",
    4: "API Too Many Calls",
    10: "Permission Denied",
    33: "Parameter value is not valid",
    100: "Invalid parameter",
    190: "Access token has expired",
    368: "Temporarily blocked for policies violations",
    80007: "Rate limit issues",
    130403: "User blocked by the business",
    130429: "Rate limit hit",
    130472: "User's number is part of an experiment",
    130497: "Business account is restricted from messaging users in this country",
    131000: "Something went wrong",
    131005: "Access denied",
    131008: "Required parameter is missing",
    131009: "Parameter value is not valid",
    131016: "Service unavailable",
    131021: "Recipient cannot be sender",
    131026: "Message undeliverable",
    131030: "Recipient phone number not in allowed list",
    131031: "Account has been locked",
    131037: "Display name is not approved",
    131042: "Business eligibility payment issue",
    131045: "Number is not registered",
    131047: "Re-engagement message",
    131048: "Spam rate limit hit",
    131049: "Meta chose not to deliver",
    131050: "Unable to deliver the message: this recipient has chosen to stop receiving marketing messages",
    131051: "Message type unknown",
    131052: "Media download error",
    131053: "Media upload error",
    131056: "Pair rate limit hit",
    131057: "Account in maintenance mode",
    131062: "Message kind not allowed to a business-scoped user id",
    132000: "Number of parameters does not match the expected number of params",
    132001: "Template name does not exist in the translation",
    132005: "Translated text too long",
    132007: "Template content violates a policy",
    132012: "Parameter format does not match format in the created template",
    132015: "Template is paused",
    132016: "Template is disabled",
    133010: "Phone number not registered",
    139100: "Block failed",
    139101: "Block list limit reached",
    139102: "Block list changed meanwhile",
    139103: "Internal error of the block list",
}
STATUSES: dict[int, int] = {
    0: 401,
    2: 503,
    3: 500,
    10: 403,
    190: 401,
    131000: 500,
    131005: 403,
    131016: 503,
    132001: 404,
    133004: 503,
}


class GraphRefusal(Exception):
    """The Graph API says no, with one of Meta's codes; `details` is for a developer's eyes."""

    def __init__(self, code: int, details: str, *, status: int | None = None, subcode: int | None = None) -> None:
        super().__init__(f"graph error {code}")
        self.code = code
        self.details = details
        self.status = STATUSES.get(code, 400) if status is None else status
        self.subcode = subcode


@dataclass(frozen=True, slots=True)
class Fault:
    """What shall happen to one coming Graph call.

    First it hangs for `hang` seconds. Then: `accept_then_drop` takes the message and closes the connection without an answer; `drop` closes
    it without taking the message; `later` accepts and reports `code` by a failed status; `code` refuses with Meta's error object;
    `status` alone answers with an empty body; nothing else given: the call goes on as usual.
    """

    code: int | None = None
    status: int | None = None
    hang: float = 0.0
    drop: bool = False
    accept_then_drop: bool = False
    later: bool = False


def title_of(code: int) -> str:
    """The title of a code; a general one for codes this stand-in has no words for."""
    return TITLES.get(code, "Something went wrong")


def error_body(code: int, details: str, trace: str, subcode: int | None = None) -> dict[str, Any]:
    """The body of an error answer (Meta: error codes)."""
    error: dict[str, Any] = {
        "message": f"(#{code}) {title_of(code)}",
        "type": "OAuthException",
        "code": code,
        "error_data": {"messaging_product": "whatsapp", "details": details},
        "fbtrace_id": trace,
    }
    if subcode is not None:
        error["error_subcode"] = subcode
    return {"error": error}


def webhook_error(code: int, details: str) -> dict[str, Any]:
    """An entry of `errors` in a webhook."""
    return {
        "code": code,
        "title": title_of(code),
        "message": title_of(code),
        "error_data": {"details": details},
        "href": "/documentation/business-messaging/whatsapp/support/error-codes",
    }
