"""The data behind the figures: how fresh they are, what was loaded, how complete they are, and loading more."""

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_GET, require_POST

from keepwell.interfaces.site.uploads import ENVELOPE, MEGABYTE, InboxUploads
from keepwell.interfaces.workspace.pages.data_shown import around, shown_coverage, shown_tables
from keepwell.interfaces.workspace.pages.shared import PageRequest, acting, page
from keepwell.services.published import DataStatus, NothingPublished, data_status
from keepwell.services.team.access import Action
from keepwell.services.team.settings import team_settings
from keepwell.services.team.sync import ENDINGS
from keepwell.services.team.uploads import REMOVED, UploadRefused, inbox_remove, inbox_waiting, upload_keep
from keepwell.warehouse.tables import TABLES


@require_GET
@page(Action.SEE)
def data(request: PageRequest) -> HttpResponse:
    """Tables and their freshness; loading more."""
    return _shown(request)


@require_GET
@page(Action.SEE)
def data_coverage(request: PageRequest) -> HttpResponse:
    """For how many customers each metric is known."""
    status = data_status(request.workspace)
    metrics = shown_coverage(status)
    known = {
        "status": status,
        "incomplete": [one for one in metrics if one.metric.known < one.metric.customers],
        "complete": [one for one in metrics if one.metric.known == one.metric.customers],
    }
    return render(request, "workspace/data/coverage.html", around(request, "coverage") | known)


@require_GET
@page(Action.SEE)
def data_loads(request: PageRequest) -> HttpResponse:
    """The last files that were loaded."""
    known = {"status": data_status(request.workspace)}
    return render(request, "workspace/data/loads.html", around(request, "loads") | known)


@csrf_exempt  # its check would read the body before this page says where files go; `_taken` makes up for it
@require_POST
@page(Action.MANAGE_DATA)
def data_upload(request: PageRequest) -> HttpResponse:
    """Take files, within the limit, and have them loaded."""
    megabytes = team_settings(request.workspace).upload_mb
    arriving = InboxUploads(request.workspace, megabytes * MEGABYTE)
    if int(request.META.get("CONTENT_LENGTH") or 0) > arriving.limit + ENVELOPE:
        return _too_large(request, megabytes)
    request.upload_handlers = [arriving]
    try:
        return _taken(request, arriving, megabytes)
    finally:
        arriving.forget()


@csrf_protect
def _taken(request: PageRequest, arriving: InboxUploads, megabytes: int) -> HttpResponse:
    files = arriving.files if request.FILES else []
    if arriving.too_large:
        return _too_large(request, megabytes)
    try:
        job = upload_keep(acting(request), request.workspace, files, now=request.now)
    except UploadRefused as refused:
        return _shown(request, str(refused), 422)
    return redirect("job", job.pk)


@require_POST
@page(Action.MANAGE_DATA)
def data_inbox_remove(request: PageRequest) -> HttpResponse:
    """Put a file of the inbox aside, such as one that cannot be read."""
    name = request.POST.get("name", "")
    try:
        inbox_remove(acting(request), request.workspace, name, now=request.now)
    except UploadRefused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, f"{name} is out of the inbox. It is kept in the folder “{REMOVED}” beside it.")
    return redirect("data")


def _too_large(request: PageRequest, megabytes: int) -> HttpResponse:
    said = (
        f"At most {megabytes:,} MB at once. Compress the files (.gz), split them,"
        " or load them on the server with 'keepwell load'."
    )
    return _shown(request, said, 413)


def _shown(request: PageRequest, refused: str = "", status: int = 200) -> HttpResponse:
    known: dict[str, Any] = {
        "refused": refused,
        "waiting": inbox_waiting(request.workspace),
        "tables": TABLES,
        "endings": ",".join((*ENDINGS, ".gz")),
        "upload_mb": team_settings(request.workspace).upload_mb,
    }
    try:
        known |= _status(data_status(request.workspace))
    except NothingPublished:
        known |= {"status": None}
    return render(request, "workspace/data/tables.html", around(request, "tables") | known, status=status)


def _status(status: DataStatus) -> dict[str, Any]:
    """Figures of the page's head, and a row for each table."""
    stale = [one for one in status.tables if one.used and one.state == "stale"]
    return {
        "status": status,
        "shown_tables": shown_tables(status),
        "rows": sum(one.rows for one in status.tables),
        "stale": stale,
        "morning_after": status.as_of + timedelta(days=1),
    }
