"""Addresses below /v1/."""

from django.urls import path, re_path

from keepwell.interfaces.api.ingest.answers import nowhere
from keepwell.interfaces.api.ingest.segment import batch, message

KINDS = ("track", "identify", "group", "page")

urlpatterns = [
    *(path(kind, message, {"kind": kind}, name=f"ingest-{kind}") for kind in KINDS),
    path("batch", batch, name="ingest-batch"),
    # Some of Segment's libraries call it by its older name.
    path("import", batch, name="ingest-import"),
    re_path("^", nowhere),
]
