"""Signed webhooks (https://www.standardwebhooks.com): one POST to one address, which may be hostile or broken."""

import secrets
import ssl
from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

import httpcore
import httpx
from standardwebhooks import Webhook

from keepwell.connectors.channels.public_network import Deadline, PrivateAddress, PublicBackend, Resolve, resolved
from keepwell.connectors.channels.results import GiveUp, Result, Retry, Sent

SECONDS: Final = 10.0
"""What one attempt may take from the name's resolving to the answer."""
_READ: Final = 2_000
_LONGEST_WAIT: Final = 24 * 3600.0
_SECRET_BYTES: Final = 32


class WebhookAddressError(Exception):
    """An address that cannot be a webhook's; the message says why."""


@dataclass(frozen=True)
class Delivery:
    """What is sent where; `message_id` stays the same at every attempt, so that the receiver sees a repetition."""

    url: str
    secret: str
    message_id: str
    body: str


def new_secret() -> str:
    """A secret to sign with, in the standard's form."""
    return "whsec_" + b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def signed_headers(delivery: Delivery, at: datetime) -> dict[str, str]:
    """The three headers by which a receiver knows who sent it, and when."""
    moment = at.astimezone(UTC)
    signature = Webhook(delivery.secret).sign(delivery.message_id, moment, delivery.body)
    stamp = str(int(moment.timestamp()))
    return {"webhook-id": delivery.message_id, "webhook-timestamp": stamp, "webhook-signature": signature}


def address_checked(url: str, *, allow_private: bool = False) -> str:
    """An address in its usual form; raises WebhookAddressError. Where its name leads is looked at when it is used."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        raise WebhookAddressError("This is not an address.") from None
    schemes = ("https", "http") if allow_private else ("https",)
    if parts.scheme not in schemes or not parts.hostname:
        raise WebhookAddressError("Give an address that begins with https://, such as https://example.com/hooks.")
    if parts.username or parts.password:
        raise WebhookAddressError("Leave the name and password out of the address: the signature says who sent it.")
    if port is not None and not 0 < port < 65536:
        raise WebhookAddressError("The port is a number from 1 to 65535.")
    if any(ord(sign) <= 32 or ord(sign) > 126 for sign in url.strip()):
        raise WebhookAddressError("An address has no spaces and no special letters; write them encoded.")
    return parts._replace(fragment="").geturl()


def post(
    delivery: Delivery,
    at: datetime | None = None,
    *,
    allow_private: bool = False,
    seconds: float = SECONDS,
    resolve: Resolve = resolved,
) -> Result:
    """Send it once. Redirects are not followed, and of the answer no more is read than a note of it needs.

    `at` is the moment that it is signed with: by the real clock if left out, whatever day it is in the workspace and
    however long it waited, as receivers refuse what is minutes old.
    """
    try:
        url = address_checked(delivery.url, allow_private=allow_private)
    except WebhookAddressError as error:
        return GiveUp(str(error))
    backend = PublicBackend(Deadline(seconds), allow_private=allow_private, resolve=resolve)
    headers = {
        **signed_headers(delivery, at or datetime.now(UTC)),
        "content-type": "application/json",
        "user-agent": "Keepwell-Webhooks/1",
        "accept": "*/*",
        "accept-encoding": "identity",
        "connection": "close",
    }
    try:
        with httpcore.ConnectionPool(ssl_context=_tls(), network_backend=backend) as pool:
            return _answered(pool, url, headers, delivery.body.encode())
    except PrivateAddress as error:
        return GiveUp(f"{error}. Webhooks go to public addresses only.")
    except httpcore.TimeoutException:
        return Retry(f"no answer within {seconds:g} seconds")
    except (httpcore.NetworkError, httpcore.ProtocolError, ssl.SSLError, OSError) as error:
        return Retry(f"the connection failed: {str(error) or type(error).__name__}"[:300])


def _answered(pool: httpcore.ConnectionPool, url: str, headers: dict[str, str], body: bytes) -> Result:
    given = [(name.encode(), value.encode()) for name, value in headers.items()]
    with pool.stream("POST", url, headers=[(b"host", _host(url)), *given], content=body) as answer:
        said = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in answer.headers}
        if 200 <= answer.status < 300:
            return Sent(details={"status": answer.status})
        return _refused(answer.status, said, "" if 300 <= answer.status < 400 else _beginning(answer))


def _beginning(answer: httpcore.Response) -> str:
    """The first words of an answer; the rest is never read."""
    found = b""
    try:
        for part in answer.iter_stream():
            found += part[: _READ - len(found)]
            if len(found) >= _READ:
                break
    except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError):
        pass
    words = " ".join(found.decode("utf-8", "replace").split())
    return "".join(sign for sign in words if sign.isprintable())[:200]


def _refused(status: int, headers: dict[str, str], words: str) -> Result:
    if status == 410:
        return GiveUp("410: the receiver is gone and wants no more")
    if 300 <= status < 400:
        return Retry(f"{status}: it redirects, which is not followed; enter the address that takes webhooks itself")
    return Retry(f"{status}{f': {words}' if words else ''}", _wait(headers.get("retry-after", "")))


def _wait(text: str) -> float | None:
    """Seconds that a receiver asks for; a date would need its clock, and is left aside."""
    return min(float(text), _LONGEST_WAIT) if text.strip().isdecimal() and text.isascii() else None


def _host(url: str) -> bytes:
    return urlsplit(url).netloc.encode()


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    return httpx.create_ssl_context()
