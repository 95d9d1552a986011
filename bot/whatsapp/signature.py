"""Whether a webhook comes from Meta: HMAC-SHA256 over the very bytes received (Meta: webhooks, "Validating payloads").

Only `X-Hub-Signature-256` with 64 lower-case hex digits counts; SHA-1 never does. Several secrets are live while one is rotated.
"""

import hmac
import re
from collections.abc import Sequence

HEADER = "X-Hub-Signature-256"
_FORM = re.compile(r"sha256=([0-9a-f]{64})")


def sign(body: bytes, secret: str) -> str:
    """The header's value for a body."""
    return "sha256=" + hmac.new(secret.encode(), body, "sha256").hexdigest()


def is_signed(body: bytes, header: str | None, secrets: Sequence[str]) -> bool:
    """Whether the header signs these bytes under one of the secrets; compared in constant time, without a secret never true."""
    match = _FORM.fullmatch(header or "")
    if match is None:
        return False
    results = [hmac.compare_digest(sign(body, secret), f"sha256={match[1]}") for secret in secrets]
    return any(results)
