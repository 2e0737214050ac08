"""The page on which a customer answers an offer, without signing in.

The signed address alone says what may be done here, so there is no cookie and nothing for CSRF to protect. Mail
programs follow links on their own: looking changes nothing, answering is a POST.
"""

import hashlib
import time
from typing import Any, Final

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from keepwell.interfaces.site import clock
from keepwell.services.team.audit import Actor
from keepwell.services.team.here import workspace
from keepwell.services.team.offering.kinds import terms_words
from keepwell.services.team.offers import (
    ON_PAGE,
    OfferRefused,
    closed_words,
    offer_accept,
    offer_decline,
    offer_of_token,
)
from keepwell.services.team.outbox.pen import imprint_name
from keepwell.store.models import Offer

A_MINUTE: Final = 20
"""So many requests of a minute are answered for one address of an offer, and as many wrong ones for one sender."""
_SECONDS: Final = 60
_PAGE: Final = "workspace/offers/public.html"
_YES: Final = (Offer.State.ACCEPTED, Offer.State.DONE)


@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def offer_answer(request: HttpRequest, token: str) -> HttpResponse:
    """See the offer; accept or decline it, once."""
    found = offer_of_token(token)
    if _too_often(token if found else request.META.get("REMOTE_ADDR", "")):
        return _answer(request, {"often": True}, 429)
    if found is None:
        return _answer(request, {"unknown": True}, 404)
    return _posted(request, found) if request.method == "POST" else _answer(request, _about(found))


def _posted(request: HttpRequest, found: Offer) -> HttpResponse:
    said, now = request.POST, clock.now()
    name, note = said.get("name", "")[:255], said.get("note", "")[:2000]
    choice = {"yes": offer_accept, "no": offer_decline}.get(said.get("answer", ""))
    if choice is None:
        return _answer(request, _about(found) | {"problem": "Choose: accept or decline."}, 422)
    try:
        who = Actor(f"{name.strip() or 'a customer'}, on the page of the offer")
        found = choice(who, workspace(), found.pk, name=name, note=note, how=ON_PAGE, now=now)
    except OfferRefused as refused:
        fresh = Offer.objects.get(pk=found.pk)
        status = 409 if closed_words(fresh, now) else 422
        return _answer(request, _about(fresh) | {"problem": str(refused), "name": name, "note": note}, status)
    return _answer(request, _about(found) | {"thanks": True})


def _about(found: Offer) -> dict[str, Any]:
    closed = closed_words(found, clock.now())
    return {
        "one": found,
        "amounts": terms_words(found.kind, found.terms),
        "terms": str(found.terms.get("terms") or ""),
        "closed": closed,
        "accepted": found.state in _YES,
        "name": found.to_name if not closed else "",
    }


def _too_often(whose: str) -> bool:
    """So many requests in each minute of the clock, for each process that answers."""
    digest = hashlib.sha256(whose.encode()).hexdigest()[:32]
    key = f"offer-page-{digest}-{int(time.time() // _SECONDS)}"
    cache.add(key, 0, timeout=2 * _SECONDS)
    try:
        return cache.incr(key) > A_MINUTE
    except ValueError:  # the cache lost it, or keeps nothing at all
        return False


def _answer(request: HttpRequest, about: dict[str, Any], status: int = 200) -> HttpResponse:
    answer = render(request, _PAGE, about | {"sender": imprint_name(workspace())}, status=status)
    answer["X-Robots-Tag"] = "noindex"
    return answer
