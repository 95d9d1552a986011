"""What goes wrong, as RFC 9457 problem details: by code and in words, and never with a value that was sent (GDPR art. 5(1)(c))."""

from collections.abc import Mapping, Sequence
from typing import Any

TYPE = "urn:recado:problem:"
CONTENT_TYPE = "application/problem+json"

TITLES: Mapping[str, tuple[int, str]] = {
    "not_json": (400, "The body is not JSON that can be read."),
    "key_missing": (400, "This needs a header Idempotency-Key of 8 to 200 visible ASCII characters."),
    "purpose_missing": (
        400,
        "This reads personal data: say why in a header X-Purpose, in 3 to 120 plain characters that name nobody.",
    ),
    "unauthorized": (401, "A key is needed: Authorization: Bearer recado_…"),
    "forbidden": (403, "The key does not have the scope for this."),
    "not_found": (404, "There is nothing here."),
    "no_person": (404, "Nobody with this reference, number or id is known."),
    "method_not_allowed": (405, "This cannot be done here."),
    "in_progress": (409, "The same request is being carried out; send it again in a moment to get its answer."),
    "refused": (409, "The gate does not let this message out."),
    "impossible": (409, "This cannot be done in the state it is in."),
    "not_offered": (409, "business.yaml does not declare this."),
    "too_large": (413, "The body is longer than 64 KiB."),
    "not_json_type": (415, "Send application/json."),
    "invalid": (422, "Something in the request is wrong."),
    "key_reused": (422, "This Idempotency-Key was used for another request."),
    "too_many": (429, "Too many requests with this key."),
    "failed": (500, "Something went wrong here. Send the same request again."),
    "not_now": (503, "This cannot be done now. Send the same request again."),
}
"""Code to (status, title). Every problem the API answers with is one of these."""


class Problem(Exception):
    """An answer that is no success. Its text names nobody.

    Attributes:
        code: one of `TITLES`.
        reason: a word for programs that says more, such as the gate's own code.
        errors: what is wrong with which field of the body.
    """

    def __init__(
        self, code: str, *, reason: str = "", detail: str = "", errors: Sequence[Mapping[str, str]] = ()
    ) -> None:
        super().__init__(code)
        self.code = code
        self.status, self.title = TITLES[code]
        self.reason = reason
        self.detail = detail
        self.errors = tuple(errors)

    def plain(self) -> dict[str, Any]:
        """As JSON data."""
        plain: dict[str, Any] = {
            "type": TYPE + self.code,
            "title": self.title,
            "status": self.status,
            "code": self.code,
        }
        extra = {"reason": self.reason, "detail": self.detail, "errors": [dict(one) for one in self.errors]}
        return plain | {name: value for name, value in extra.items() if value}


def wrong(field: str, reason: str) -> Problem:
    """One field of the body is wrong; `reason` quotes nothing of it."""
    return Problem("invalid", errors=[{"field": field, "reason": reason}])
