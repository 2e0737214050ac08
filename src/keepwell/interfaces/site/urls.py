"""All addresses."""

from django.urls import include, path, re_path

from keepwell.interfaces.api.api import unknown
from keepwell.interfaces.api.api import urls as api_urls
from keepwell.interfaces.api.ingest.stripe import stripe
from keepwell.interfaces.site import account_changes
from keepwell.interfaces.workspace.pages.errors import not_allowed, not_found, went_wrong
from keepwell.interfaces.workspace.pages.health import healthz

account_changes.listen()
# Addresses decide which customers a person owns, so nobody changes the own one; and nobody signs up by themselves.
_CLOSED = ("email/", "signup/", "confirm-email/", "3rdparty/", "3rdparty/signup/", "password/set/")

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    *(path(f"accounts/{address}", not_found) for address in _CLOSED),
    path("accounts/", include("allauth.urls")),
    path("api/v1/", api_urls),
    re_path("^api/", unknown),
    path("v1/", include("keepwell.interfaces.api.ingest.urls")),
    path("in-app/v1/", include("keepwell.interfaces.api.in_app.urls")),
    path("hooks/stripe", stripe, name="hook-stripe"),
    path("", include("keepwell.interfaces.workspace.mail_urls")),
    path("", include("keepwell.interfaces.workspace.urls")),
]
handler403 = not_allowed
handler404 = not_found
handler500 = went_wrong
