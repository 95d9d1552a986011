"""One-time codes by time (RFC 6238), the second factor beside a password. The only module that imports `pyotp`."""

from datetime import datetime

import pyotp

ISSUER = "Recado"
STEP = 30


def new_secret() -> str:
    """A fresh secret of 160 bits in base32."""
    return pyotp.random_base32()


def address(secret: str, name: str, business: str) -> str:
    """The `otpauth:` address that authenticator apps read."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=f"{ISSUER} {business}")


def matching_step(secret: str, code: str, now: datetime) -> int | None:
    """The time step a code belongs to, one before or after now included; None for a wrong one."""
    digits = "".join(code.split())
    if len(digits) != 6 or not digits.isascii() or not digits.isdigit():
        return None
    current = int(now.timestamp()) // STEP
    totp = pyotp.TOTP(secret)
    for step in (current, current - 1, current + 1):
        if pyotp.utils.strings_equal(totp.generate_otp(step), digits):
            return step
    return None
