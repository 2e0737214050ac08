"""What people who get mail come to, without signing in: unsubscribing, links that are counted, the picture of openings.

The signed address alone says what may be done here, so there is no cookie and nothing for CSRF to protect.
"""

from typing import Final

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from keepwell.interfaces.site import clock
from keepwell.services.team.here import workspace
from keepwell.services.team.outbox import tokens, tracking
from keepwell.services.team.outbox.pen import imprint_name
from keepwell.store.models import Outgoing

_PAGE: Final = "workspace/mail/unsubscribe.html"
_PIXEL: Final = bytes.fromhex("47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b")


@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Ask with GET, for programs follow links on their own; unsubscribe with POST, as mail programs do (RFC 8058)."""
    key = tokens.unsubscribing(token)
    row = Outgoing.objects.filter(key=key).first() if key else None
    if row is None or key is None:
        return _answer(request, {"unknown": True}, 404)
    if request.method == "POST":
        tracking.unsubscribe(key, clock.now())
    return _answer(request, {"address": row.address, "done": request.method == "POST"})


@never_cache
@require_safe
def follow(request: HttpRequest, token: str) -> HttpResponse:
    """Count a click, then lead to where the link was made for, and nowhere else."""
    found = tokens.clicked(token)
    if found is None:
        return _answer(request, {"unknown": True}, 404)
    key, url = found
    if request.method == "GET":
        tracking.click(key, url, clock.now())
    answer = HttpResponseRedirect(url)
    # The token is nobody else's business.
    answer["Referrer-Policy"] = "no-referrer"
    return answer


@never_cache
@require_safe
def opened(request: HttpRequest, token: str) -> HttpResponse:
    """Count an opening; whatever the token is, there is a picture."""
    key = tokens.opened(token)
    if key is not None and request.method == "GET":
        tracking.seen(key, clock.now())
    return HttpResponse(_PIXEL, content_type="image/gif")


def _answer(request: HttpRequest, about: dict[str, object], status: int = 200) -> HttpResponse:
    answer = render(request, _PAGE, about | {"sender": imprint_name(workspace())}, status=status)
    answer["X-Robots-Tag"] = "noindex"
    return answer
