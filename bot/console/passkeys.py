"""Passkeys (W3C Web Authentication, level 2). The only module that imports `webauthn`."""

import ipaddress
import secrets
from dataclasses import dataclass
from typing import Any

import webauthn
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from bot.handoff.values import Passkey


@dataclass(frozen=True, slots=True)
class Place:
    """Where the console stands, as browsers see it: `rp` is the host the keys are bound to."""

    origin: str
    rp: str

    @property
    def usable(self) -> bool:
        """Browsers make no passkeys for bare addresses, only for names (WebAuthn: relying party identifier)."""
        try:
            ipaddress.ip_address(self.rp.strip("[]"))
        except ValueError:
            return bool(self.rp)
        return False


def new_challenge() -> bytes:
    return secrets.token_bytes(32)


def to_make(place: Place, business: str, name: str, shown: str, challenge: bytes, known: list[Passkey]) -> str:
    """What the browser needs to make a key, as JSON. The key stays on the device and asks for the person there."""
    options = webauthn.generate_registration_options(
        rp_id=place.rp,
        rp_name=f"Recado – {business}",
        user_name=name,
        user_id=name.encode(),
        user_display_name=shown,
        challenge=challenge,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(base64url_to_bytes(one.id)) for one in known],
    )
    return webauthn.options_to_json(options)


def made(place: Place, answer: dict[str, Any], challenge: bytes, staff: str) -> Passkey | None:
    """The new key; None when the browser's answer is not one to this challenge, from this place, by a verified person."""
    try:
        found = webauthn.verify_registration_response(
            credential=answer, expected_challenge=challenge, expected_rp_id=place.rp, expected_origin=place.origin,
            require_user_verification=True,
        )  # fmt: skip
    except (WebAuthnException, ValueError, KeyError, TypeError):
        return None
    return Passkey(bytes_to_base64url(found.credential_id), staff, found.credential_public_key, found.sign_count)


def to_use(place: Place, challenge: bytes) -> str:
    """What the browser needs to answer with whatever key of ours the person has; names nobody, so it tells nothing about who exists."""
    options = webauthn.generate_authentication_options(
        rp_id=place.rp, challenge=challenge, user_verification=UserVerificationRequirement.REQUIRED
    )
    return webauthn.options_to_json(options)


def used(place: Place, answer: dict[str, Any], challenge: bytes, key: Passkey) -> int | None:
    """The key's new count; None when the answer is not one of this key to this challenge."""
    try:
        found = webauthn.verify_authentication_response(
            credential=answer, expected_challenge=challenge, expected_rp_id=place.rp, expected_origin=place.origin,
            credential_public_key=key.public_key, credential_current_sign_count=key.count, require_user_verification=True,
        )  # fmt: skip
    except (WebAuthnException, ValueError, KeyError, TypeError):
        return None
    return found.new_sign_count
