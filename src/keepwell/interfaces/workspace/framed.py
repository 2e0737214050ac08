"""HTML of messages, shown as it leaves and unable to do anything: no scripts, nothing loaded, no link that leads on."""

import re
from collections.abc import Callable
from typing import Any, Final

from csp.decorators import csp_update
from django.http import HttpResponse

_POLICY: Final = "; ".join(
    (
        "sandbox",
        "default-src 'none'",
        # E-mail carries its styles within; pictures from outside would count the preview as opened.
        "style-src 'unsafe-inline'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'self'",
    )
)
# A sandbox opens no windows, so links that open one lead nowhere, and no click is counted.
_NOWHERE: Final = '<base target="_blank">'
_HEAD: Final = re.compile(r"<head[^>]*>", re.IGNORECASE)
_TARGET: Final = re.compile(r"""\btarget\s*=\s*("[^"]*"|'[^']*'|[^\s>]+)""", re.IGNORECASE)

framing: Final[Callable[[Any], Any]] = csp_update({"frame-src": ["'self'"]})
"""For pages that show such HTML in an `<iframe sandbox="">`."""


def framed(html: str) -> HttpResponse:
    """An answer for such an iframe, as safe when it is opened by itself."""
    quiet = _TARGET.sub('target="_blank"', html)
    head = _HEAD.search(quiet)
    shown = quiet[: head.end()] + _NOWHERE + quiet[head.end() :] if head else _NOWHERE + quiet
    answer = HttpResponse(shown)
    answer.headers["Content-Security-Policy"] = _POLICY
    answer.headers["X-Frame-Options"] = "SAMEORIGIN"
    answer.headers["Cache-Control"] = "private, no-store"
    return answer
