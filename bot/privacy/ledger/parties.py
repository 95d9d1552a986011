"""Which list of controller and processors an event points at (privacy.md 3.3). Pure."""

from bot.domain.business import Business, content_hash
from bot.privacy.ledger.canonical import canonical


def parties_content(business: Business) -> str:
    """Controller, officer and processors as declared, in one spelling."""
    declared = {
        "controller": business.controller.model_dump(mode="json"), "dpo": business.dpo.model_dump(mode="json"),
        "processors": [one.model_dump(mode="json") for one in business.processors],
    }  # fmt: skip
    return canonical(declared).decode()


def parties_version(business: Business) -> str:
    """The hash by which `parties_content` is found among the published texts."""
    return content_hash(parties_content(business))
