"""How many requests a minute a token may make."""

import time
from typing import Final

from django.core.cache import cache
from django.http import HttpRequest
from ninja.throttling import BaseThrottle

A_MINUTE: Final = 600
_SECONDS: Final = 60


class TokenRate(BaseThrottle):
    """So many requests in each minute of the clock, for each token and each process that answers.

    One object serves all threads, so it keeps nothing of a request in itself.
    """

    def allow_request(self, request: HttpRequest) -> bool:
        """Count the request; whether it is within the limit."""
        token = getattr(request, "auth", None)
        key = f"api-requests-{getattr(token, 'pk', '')}-{int(time.time() // _SECONDS)}"
        cache.add(key, 0, timeout=2 * _SECONDS)
        try:
            return cache.incr(key) <= A_MINUTE
        except ValueError:  # the cache lost it, or keeps nothing at all
            return True

    def wait(self) -> float:
        """Seconds until the next minute begins."""
        return _SECONDS - time.time() % _SECONDS
