"""Write keys: tokens with the scope `ingest`, and how much each may send."""

import base64
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from math import ceil
from typing import Final

from keepwell.interfaces.api.ingest.answers import Refused
from keepwell.interfaces.api.security import ApiRequest
from keepwell.services.team.access import Action, may
from keepwell.services.team.links import digest_of
from keepwell.services.team.people import token_of
from keepwell.store.models import ApiToken

SCOPE: Final = "ingest"
A_SECOND: Final = 500
BURST: Final = 10_000
_KEYS_KEPT: Final = 1_000


def write_key(request: ApiRequest) -> ApiToken:
    """The key that a request was sent with; raises Refused when it does not work here."""
    secret = _secret(request.headers.get("Authorization", ""))
    known = KNOWN.get(secret)
    return known if known is not None else KNOWN.keep(secret, _checked(secret, request.now))


def _checked(secret: str, now: datetime) -> ApiToken:
    token = token_of(secret, now) if secret else None
    if token is None:
        said = "Send a write key as the user name of Basic authentication, or as Bearer. It is made on an account page."
        raise Refused(401, "Write key is missing or does not work", said, WWW_Authenticate='Basic realm="Keepwell"')
    if SCOPE not in token.scopes:
        raise Refused(403, "Scope is missing", f"The key needs the scope '{SCOPE}'; it has {', '.join(token.scopes)}.")
    if not may(token.person, Action.MANAGE_DATA):
        raise Refused(403, "Not for this role", f"{token.person.get_role_display()}s may not send data.")
    return token


def _secret(header: str) -> str:
    scheme, _, rest = header.strip().partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(rest.strip(), validate=True).decode("utf-8").partition(":")[0]
    except ValueError:  # no base64, or no text in it
        return ""


@dataclass
class KnownKeys:
    """Keys that worked a moment ago: asking the database again for each event would cost more than all the rest."""

    seconds: float = 5
    clock: Callable[[], float] = time.monotonic
    _until: dict[str, tuple[float, ApiToken]] = field(default_factory=dict)

    def get(self, secret: str) -> ApiToken | None:
        """The token behind a secret, if that was checked a moment ago."""
        until, token = self._until.get(digest_of(secret), (0.0, None))
        return token if self.clock() < until else None

    def keep(self, secret: str, token: ApiToken) -> ApiToken:
        """Remember that a secret works."""
        if len(self._until) >= _KEYS_KEPT:
            self._until = {}
        self._until[digest_of(secret)] = (self.clock() + self.seconds, token)
        return token


@dataclass
class Allowance:
    """How many events each key may still send: so many a second, saved up to a limit, in each process."""

    a_second: float = A_SECOND
    burst: float = BURST
    clock: Callable[[], float] = time.monotonic
    _left: dict[int, tuple[float, float]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, key: int, events: int) -> None:
        """Count events; raises Refused when there are too many."""
        if events > self.burst:
            said = f"A batch may have {self.burst:g} events. Send them in several."
            raise Refused(413, "Too large", said)
        with self._lock:
            now = self.clock()
            left, then = self._left.pop(key, (self.burst, now))
            left = min(self.burst, left + (now - then) * self.a_second)
            enough = events <= left
            self._left[key] = (left - events if enough else left, now)
            while len(self._left) > _KEYS_KEPT:
                self._left.pop(next(iter(self._left)))
        if not enough:
            wait = str(max(1, ceil((events - left) / self.a_second)))
            said = f"A key may send {self.a_second:g} events a second. Try again in {wait} seconds."
            raise Refused(429, "Too many events", said, Retry_After=wait)


ALLOWANCE: Final = Allowance()
KNOWN: Final = KnownKeys()
