"""Signatures of Stripe: `t=…,v1=…`, the HMAC of moment and body, not older than five minutes."""

import hmac
from hashlib import sha256
from typing import Final

TOLERANCE: Final = 300
"""Seconds that a signature holds, so that nobody can send an old request again."""


class SignatureError(Exception):
    """A request that Stripe did not sign, or not just now; the message says which."""


def verify_stripe(body: bytes, header: str, secrets: list[str], *, now: int, tolerance: int = TOLERANCE) -> None:
    """Raise SignatureError unless one of the secrets signed exactly this body, within `tolerance` seconds of `now`."""
    moment, given = _parts(header)
    signed = str(moment).encode() + b"." + body
    wanted = [hmac.new(secret.encode(), signed, sha256).hexdigest() for secret in secrets]
    if not any(hmac.compare_digest(one.encode(), other) for one in wanted for other in given):
        raise SignatureError("No signature fits this body and the endpoint's secret.")
    if abs(now - moment) > tolerance:
        raise SignatureError(f"The signature is not from the last {tolerance // 60} minutes. Is a clock wrong?")


def _parts(header: str) -> tuple[int, list[bytes]]:
    pairs = [part.partition("=") for part in header.split(",")]
    moments = [value for name, _, value in pairs if name == "t" and value.isascii() and value.isdigit()]
    given = [value.encode("utf-8", "replace") for name, _, value in pairs if name == "v1"]
    if not moments or not given or len(moments[0]) > 12:
        raise SignatureError("The header Stripe-Signature is missing, or has no t= and v1=.")
    return int(moments[0]), given
