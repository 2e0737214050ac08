"""`/hooks/email/PROVIDER`: what the mail provider tells, checked by its signature; and the mail that it hands on."""

import warnings
from collections.abc import Callable
from email.message import EmailMessage
from typing import Any, Final

from anymail.exceptions import AnymailInsecureWebhookWarning, AnymailWebhookValidationFailure
from anymail.signals import inbound, tracking
from anymail.urls import urlpatterns as known_hooks
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured, RequestDataTooBig
from django.core.files.uploadhandler import MemoryFileUploadHandler, TemporaryFileUploadHandler
from django.db import DatabaseError
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from keepwell.interfaces.site import clock
from keepwell.services.team.outbox.heard import News, came_in, heard

NEWS: Final = "tracking"
MAIL: Final = "inbound"
MOST_BYTES: Final = 30_000_000
_VIEWS: Final[dict[str, Callable[..., HttpResponseBase]]] = {str(one.name): one.callback for one in known_hooks}
_NOT_SET_UP: Final = (
    "Nothing is heard here: set [email] provider in keepwell.toml, and KEEPWELL_EMAIL_WEBHOOK_SECRET (user:password) or"
    " the provider's key for signatures."
)


@csrf_exempt
def hook(request: HttpRequest, provider: str, what: str = NEWS) -> HttpResponseBase:
    """One call of the provider; whatever is not signed by the one that the workspace has is refused."""
    view = _view(provider, what)
    if view is None:
        return HttpResponse(_NOT_SET_UP, status=404, content_type="text/plain")
    if _length(request) > MOST_BYTES:
        return HttpResponse("Too large.", status=413, content_type="text/plain")
    # Mail may have files; they are read so that the rest can be, and forgotten with the request.
    request.upload_handlers = [MemoryFileUploadHandler(request), TemporaryFileUploadHandler(request)]
    try:
        return view(request)
    except AnymailWebhookValidationFailure:
        return HttpResponse("The signature does not fit.", status=400, content_type="text/plain")
    except (ValueError, LookupError, TypeError, AttributeError, ImproperlyConfigured, RequestDataTooBig):
        return HttpResponse("This cannot be read.", status=400, content_type="text/plain")
    except DatabaseError:
        return HttpResponse("Busy; send it again.", status=503, content_type="text/plain", headers={"Retry-After": "5"})


@receiver(tracking, dispatch_uid="keepwell.mail.tracking")
def on_news(sender: object, event: Any, esp_name: str, **_: object) -> None:
    """A message was delivered, opened, bounced …"""
    news = News(
        kind=event.event_type,
        key=str(event.event_id or f"{event.timestamp}:{event.click_url or ''}"),
        provider_id=str(event.message_id or ""),
        said=str(event.description or event.mta_response or ""),
        reason=str(event.reject_reason or ""),
        url=str(event.click_url or ""),
        metadata=event.metadata or {},
        raw=event.esp_event,
    )
    heard(news, clock.now())


@receiver(inbound, dispatch_uid="keepwell.mail.inbound")
def on_mail(sender: object, event: Any, esp_name: str, **_: object) -> None:
    """A mail came in."""
    mail = event.message
    if not isinstance(mail, EmailMessage) or getattr(mail, "spam_detected", None):
        return
    to = str(getattr(mail, "envelope_recipient", None) or "")
    came_in(mail, [to] if to else [], str(event.event_id or ""), clock.now())


def _view(provider: str, what: str) -> Callable[..., HttpResponseBase] | None:
    """anymail's view of the workspace's provider, if it can tell who calls."""
    if provider != settings.MAIL.provider:
        return None
    view = _VIEWS.get(f"{provider}_{what}_webhook") or _VIEWS.get(f"{provider}_webhook")
    return view if view is not None and _guarded(view) else None


def _guarded(view: Callable[..., HttpResponseBase]) -> bool:
    """Whether calls are checked: by a signature, or by a user and a password that the provider was given."""
    made: Any = getattr(view, "view_class", None)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AnymailInsecureWebhookWarning)
            one = made()
    except (ImproperlyConfigured, ImportError):
        return False
    return bool(one.basic_auth) or not one.warn_if_no_basic_auth


def _length(request: HttpRequest) -> int:
    text = request.META.get("CONTENT_LENGTH") or "0"
    return int(text) if text.isascii() and text.isdigit() else 0
