"""All addresses."""

from django.urls import include, path

from keepwell.interfaces.workspace.pages.errors import not_allowed, not_found, went_wrong
from keepwell.interfaces.workspace.pages.health import healthz

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("accounts/", include("allauth.urls")),
    path("", include("keepwell.interfaces.workspace.urls")),
]
handler403 = not_allowed
handler404 = not_found
handler500 = went_wrong
