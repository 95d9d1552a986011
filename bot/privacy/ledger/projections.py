"""Whether what the program believes about consents is what its events add up to (privacy.md 3.6, T3.7). Pure."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from bot.domain.command import RecordConsent
from bot.domain.consent import NO_CONSENT, Consent
from bot.privacy.consent import fold
from bot.privacy.ledger.canonical import moment
from bot.privacy.ledger.report import Finding

LIVE = ("state", "event", "valid_until")


def shown(consents: Mapping[str, Consent]) -> dict[str, dict[str, Any]]:
    """The standing of each purpose as JSON data."""
    return {name: _shown(one) for name, one in consents.items() if one.state != NO_CONSENT.state}


def _shown(consent: Consent) -> dict[str, Any]:
    until = moment(consent.valid_until) if consent.valid_until else ""
    return {"state": consent.state, "event": str(consent.event), "valid_until": until}


def differences(
    subject: str, believed: Mapping[str, Mapping[str, Any]], events: Iterable[RecordConsent], marketing: Collection[str]
) -> list[Finding]:
    """One finding for each purpose that stands otherwise than the fold of the person's events."""
    folded = shown(fold(events, marketing=marketing))
    found = []
    for purpose in sorted({*believed, *folded}):
        here, there = believed.get(purpose, {}), folded.get(purpose, {})
        if any(here.get(name, "") != there.get(name, "") for name in LIVE):
            words = (
                f"The purpose {purpose} stands as {here.get('state', 'unknown')}, and its events add up to "
                f"{there.get('state', 'unknown')}."
            )
            found.append(Finding("projection", subject, words))
    return found
