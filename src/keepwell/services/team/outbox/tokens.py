"""Signed words in addresses: who was written to, and where a link leads. They hold as long as the secret key does."""

from typing import Any, Final

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.utils.crypto import constant_time_compare, salted_hmac

_UNSUBSCRIBE: Final = "keepwell.mail.unsubscribe"
_CLICK: Final = "keepwell.mail.click"
_OPEN: Final = "keepwell.mail.open"
_REPLY: Final = "keepwell.mail.reply"
_MARK_LENGTH: Final = 20


def unsubscribe_url(key: str) -> str:
    """Where somebody unsubscribes from what the message of this key is."""
    return _url("u", Signer(salt=_UNSUBSCRIBE).sign_object(key))


def click_url(key: str, url: str) -> str:
    """A link that is counted and then leads to `url`, and nowhere else."""
    return _url("c", Signer(salt=_CLICK).sign_object([key, url]))


def open_url(key: str) -> str:
    """The picture whose loading says that a message was opened."""
    return _url("o", f"{Signer(salt=_OPEN).sign_object(key)}.gif")


def unsubscribing(token: str) -> str | None:
    """The key of the message in an unsubscribe link; None for what was not signed here."""
    found = _read(_UNSUBSCRIBE, token)
    return found if isinstance(found, str) else None


def clicked(token: str) -> tuple[str, str] | None:
    """The key of the message and where the link leads."""
    found = _read(_CLICK, token)
    return (str(found[0]), str(found[1])) if isinstance(found, list) and len(found) == 2 else None


def opened(token: str) -> str | None:
    """The key of the message that was opened."""
    found = _read(_OPEN, token)
    return found if isinstance(found, str) else None


def reply_mark(outgoing_id: int) -> str:
    """A mark for addresses and Message-IDs; mail servers may change the case of letters, so it has small ones only."""
    return f"{outgoing_id}-{_digest(outgoing_id)}"


def replied_to(mark: str) -> int | None:
    """The message that a mark was made for."""
    number, _, digest = mark.lower().partition("-")
    if not number.isascii() or not number.isdigit() or len(number) > 18:
        return None
    return int(number) if constant_time_compare(digest, _digest(int(number))) else None


def _digest(outgoing_id: int) -> str:
    return salted_hmac(_REPLY, str(outgoing_id), algorithm="sha256").hexdigest()[:_MARK_LENGTH]


def _url(kind: str, token: str) -> str:
    return f"{settings.WEB.url}/m/{kind}/{token}"


def _read(salt: str, token: str) -> Any:
    try:
        return Signer(salt=salt).unsign_object(token)
    except (BadSignature, ValueError):
        return None
