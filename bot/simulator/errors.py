"""Meta's error object and the codes this stand-in can answer with; nothing here knows of HTTP handlers or of people.

Titles and HTTP statuses follow Meta: cloud-api/support/error-codes (rate limits do come as 400 there).
"""

from collections.abc import Mapping
from dataclasses import dataclass

HREF = "/documentation/business-messaging/whatsapp/support/error-codes"

CODES: Mapping[int, tuple[int, str]] = {
    0: (401, "AuthException"),
    1: (400, "API Unknown"),
    2: (503, "API Service"),
    3: (500, "API Method"),
    4: (400, "API Too Many Calls"),
    10: (403, "Permission Denied"),
    33: (400, "Parameter value is not valid"),
    100: (400, "Invalid parameter"),
    190: (401, "Access token has expired"),
    200: (403, "API Permission"),
    368: (403, "Temporarily blocked for policies violations"),
    80007: (400, "Rate limit issues"),
    130403: (400, "Recipient is blocked by the business"),
    130429: (400, "Rate limit hit"),
    130472: (400, "User's number is part of an experiment"),
    130497: (403, "Business account is restricted from messaging users in this country"),
    131000: (500, "Something went wrong"),
    131005: (403, "Access denied"),
    131008: (400, "Required parameter is missing"),
    131009: (400, "Parameter value is not valid"),
    131016: (500, "Service unavailable"),
    131021: (400, "Recipient cannot be sender"),
    131026: (400, "Message undeliverable"),
    131030: (400, "Recipient phone number not in allowed list"),
    131031: (403, "Account has been locked"),
    131037: (400, "Display name approval needed"),
    131042: (400, "Business eligibility payment issue"),
    131045: (500, "Incorrect certificate"),
    131047: (400, "Re-engagement message"),
    131048: (400, "Spam rate limit hit"),
    131049: (400, "Message not delivered to maintain healthy ecosystem engagement"),
    131050: (400, "User has stopped marketing messages from this business"),
    131051: (400, "Unsupported message type"),
    131052: (400, "Media download error"),
    131053: (400, "Media upload error"),
    131056: (400, "(Business account, consumer account) pair rate limit hit"),
    131057: (500, "Account in maintenance mode"),
    131062: (400, "Message kind is not supported for business-scoped user ids"),
    131064: (400, "Template classification limit"),
    132000: (400, "Template param count mismatch"),
    132001: (404, "Template does not exist"),
    132005: (400, "Template hydrated text too long"),
    132007: (400, "Template format character policy violated"),
    132008: (400, "Template parameter value is not valid"),
    132012: (400, "Template parameter format mismatch"),
    132015: (400, "Template is paused"),
    132016: (400, "Template is disabled"),
    132018: (400, "Template parameter holds characters that are not allowed"),
    133004: (503, "Server temporarily unavailable"),
    133010: (400, "Phone number not registered"),
    134101: (400, "Template is still syncing"),
    135000: (400, "Generic user error"),
    137000: (400, "Identity key hash does not match"),
    139100: (400, "Failed to block or unblock some users"),
    139101: (400, "Block list limit reached"),
    139102: (400, "Block list changed concurrently"),
    139103: (500, "Internal error of the block list"),
}


@dataclass(frozen=True, slots=True)
class Fact:
    """A code with what Meta says about it: HTTP status of the answer and title."""

    code: int
    http: int
    title: str


def fact(code: int) -> Fact:
    """What is known of a code; an unknown one is answered as HTTP 400 with a plain title."""
    http, title = CODES.get(code, (400, "Error"))
    return Fact(code, http, title)


class GraphError(Exception):
    """The Graph API says no: carries Meta's code, the explanation in `details` and the HTTP status."""

    def __init__(self, code: int, details: str, *, http: int | None = None) -> None:
        super().__init__(f"{code}: {details}")
        known = fact(code)
        self.code = code
        self.details = details
        self.http = http or known.http
        self.title = known.title

    def answer(self, trace: str) -> dict[str, object]:
        """The body of the HTTP answer (Meta: cloud-api/support/error-codes, error object)."""
        return {
            "error": {
                "message": f"(#{self.code}) {self.title}",
                "type": "OAuthException",
                "code": self.code,
                "error_data": {"messaging_product": "whatsapp", "details": self.details},
                "fbtrace_id": trace,
            }
        }

    def in_webhook(self) -> dict[str, object]:
        """The same error as it stands in `statuses[].errors` of a webhook."""
        return {
            "code": self.code,
            "title": self.title,
            "message": self.title,
            "error_data": {"details": self.details},
            "href": HREF,
        }


class SimulatorError(ValueError):
    """Whoever drives the simulator asked for something that cannot be; the message says what and why."""
