"""All that the engine runs on: the business, its flows and the built-in ones, in every version conversations still stand on."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.domain.business import Business
from bot.engine.compiler import CompiledFlow

REQUIRED = (
    "first_contact", "stop", "stop_unsure", "start_again", "help", "language", "my_data", "delete_me", "human",
    "privacy", "correct", "restrict", "object", "complaint", "not_understood", "unsupported", "too_many_tries", "failed_call",
    "nobody_came", "still_working", "signed_up", "stop_one", "stop_advertising", "website_source",
    "renew", "renew_changed", "notice_changed", "sign_up_declined", "sign_up_over", "not_me",
    "for_people", "leave_offer", "resume_offer", "back", "menu", "idle",
)  # fmt: skip
"""The built-in flows (flow-language.md, "System flows"); a book without one of them is refused."""


@dataclass(frozen=True, slots=True)
class Book:
    """An immutable set of flows. `versions` holds every flow by (id, version); `flows` the current version of each."""

    business: Business
    flows: Mapping[str, CompiledFlow]
    versions: Mapping[tuple[str, str], CompiledFlow] = field(repr=False)

    def flow(self, flow: str, version: str) -> CompiledFlow | None:
        """The version a conversation stands on, or None when it is not in the book any more."""
        return self.versions.get((flow, version))

    def with_older(self, older: Mapping[tuple[str, str], CompiledFlow]) -> "Book":
        """The same book that still knows the versions of an earlier one."""
        return Book(self.business, self.flows, {**older, **self.versions})
