"""Signed addresses of invitations: who is asked, and which answer a link gives."""

from typing import Final

from django.conf import settings
from django.core.signing import BadSignature, Signer

_SALT: Final = "keepwell.survey"


def token_of(invitation_id: int) -> str:
    """The signed name of an invitation."""
    return Signer(salt=_SALT).sign(str(invitation_id))


def invitation_in(token: str) -> int | None:
    """The invitation that a token names; None for what was not signed here."""
    try:
        found = Signer(salt=_SALT).unsign(token)
    except BadSignature:
        return None
    return int(found) if found.isascii() and found.isdecimal() and len(found) < 19 else None


def survey_url(invitation_id: int, score: int | None = None) -> str:
    """Where an invitation is answered; with a score that answer stands there already."""
    answer = "" if score is None else f"?s={score}"
    return f"{settings.WEB.url}/q/{token_of(invitation_id)}{answer}"
